"""The table of all formats of crystal files, and where to look one up."""

import re
from fnmatch import fnmatch

from cgxas.crystals.io import (
    aims,
    ase_files,
    atoms_inp,
    castep,
    cssr,
    database,
    espresso,
    feff,
    json,
    lammps,
    poscar,
    shelx,
    xyz,
)
from cgxas.crystals.io.base import CrystalFormat
from cgxas.crystals.io.cif.read import crystal_of
from cgxas.crystals.io.cif.text import decoded
from cgxas.crystals.io.content import Content
from cgxas.errors import UnreadableCrystal

_CIF_BLOCK = re.compile(r"^[ \t]*data_", re.IGNORECASE | re.MULTILINE)
_CIF_TAG = re.compile(
    r"^[ \t]*_(?:cell_|atom_site_|cell\.|atom_site\.)", re.IGNORECASE | re.MULTILINE
)


def _is_cif(content: Content) -> bool:
    if _CIF_TAG.search(content.head):
        return True
    return bool(_CIF_BLOCK.search(content.head) and _CIF_TAG.search(content.text))


CIF = CrystalFormat(
    name="CIF",
    recognises=_is_cif,
    read=lambda content: crystal_of(decoded(content.data, str(content.path)), str(content.path)),
    names=("*.cif", "*.mcif", "*.mmcif"),
)

FORMATS: tuple[CrystalFormat, ...] = (
    CIF,
    database.FORMAT,
    json.FORMAT,
    lammps.DUMP,
    lammps.DATA,
    espresso.FORMAT,
    castep.FORMAT,
    aims.FORMAT,
    feff.FORMAT,
    atoms_inp.FORMAT,
    cssr.FORMAT,
    shelx.FORMAT,
    poscar.FORMAT,
    xyz.FORMAT,
    *ase_files.FORMATS,
)
"""Asked in this order whether a file is theirs by what it holds, and then by its name."""


def format_of(content: Content) -> CrystalFormat:
    """Return the format of a file.

    Raises:
        UnreadableCrystal: it is none of the table.
    """
    by_content = (each for each in FORMATS if each.recognises(content))
    by_name = (each for each in FORMATS if any(fnmatch(content.name, name) for name in each.names))
    found = next(by_content, None) or next(by_name, None)
    if found is None:
        names = ", ".join(each.name for each in FORMATS)
        raise UnreadableCrystal(
            f"{content.path} is no crystal file that can be read; those are: {names}"
        )
    return found
