"""The table of all formats of crystal files, and where to look one up."""

import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

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
    xdatcar,
    xyz,
)
from cgxas.crystals.io.base import CrystalFormat, Frame
from cgxas.crystals.io.cif.read import crystal_of
from cgxas.crystals.io.cif.text import decoded
from cgxas.crystals.io.content import Content, plain_name
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
    xdatcar.FORMAT,
    poscar.FORMAT,
    xyz.FORMAT,
    *ase_files.FORMATS,
)
"""Asked in this order whether a file is theirs by what it holds, and then by its name."""

_TELLING_NAMES = (
    *("*.cif", "*.mcif", "*.mmcif", "*.xyz", "*.extxyz", "*.exyz", "*.traj", "*.xsf", "*.pdb"),
    *("*poscar*", "*contcar*", "*.vasp", "*xdatcar*", "feff*.inp", "*.lammpstrj"),
)
"""Of files that are meant to be crystals, whatever they hold."""
_PROGRAMS = ("*.py", "*.ipynb", "*.sh", "*.md", "*.rst", "*.html", "*.toml", "*.yaml", "*.yml")
"""Names of what may quote a crystal file, and is none."""
_CRYSTAL_KEY = re.compile(
    r'"(?:sites|cartesian_site_positions|lattice_mat|positions|structure)"\s*:'
)


def is_meant_as_crystal(name: str) -> bool:
    """Tell whether a file name alone says that a file is a crystal, should it be a damaged one.

    Args:
        name: lower-case, without the suffix of a compression.
    """
    return any(fnmatch(name, pattern) for pattern in _TELLING_NAMES)


def looks_like_crystal(head: Content) -> bool:
    """Tell by its beginning whether a file among others, of any kinds, is a crystal.

    Args:
        head: the file, of which the first `content.HEAD` bytes are enough.
    """
    if any(fnmatch(head.name, pattern) for pattern in _PROGRAMS):
        return False
    found = next((each for each in FORMATS if each.recognises(head)), None)
    return found is not None and (found is not json.FORMAT or bool(_CRYSTAL_KEY.search(head.head)))


def frames_in(path: Path, head: bytes) -> Iterator[tuple[float, Frame]] | None:
    """Return all arrangements that a file holds, or None if it is of a kind that holds one.

    Args:
        path: the file; a packed one is known by its name alone.
        head: its first `content.HEAD` bytes.
    """
    content = Content(path, plain_name(path.name), head)
    if content.name == path.name.lower():
        found = next((each for each in FORMATS if each.recognises(content)), None)
    else:
        found = next((each for each in FORMATS if _is_named(content.name, each)), None)
    return None if found is None or found.frames is None else found.frames(path)


def _is_named(name: str, kind: CrystalFormat) -> bool:
    return any(fnmatch(name, pattern) for pattern in kind.names)


def format_of(content: Content) -> CrystalFormat:
    """Return the format of a file.

    Raises:
        UnreadableCrystal: it is none of the table.
    """
    by_content = (each for each in FORMATS if each.recognises(content))
    by_name = (each for each in FORMATS if _is_named(content.name, each))
    found = next(by_content, None) or next(by_name, None)
    if found is None:
        raise UnreadableCrystal(
            f"{content.path} is not a crystal file of a kind that is read; those are CIF, POSCAR, "
            "XYZ, JSON, FEFF, LAMMPS, Quantum ESPRESSO and what docs/howto/predict.md lists"
        )
    return found
