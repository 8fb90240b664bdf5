"""Whatever the user holds -> one pymatgen Structure, or one clear sentence why not."""

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, Union

import numpy as np
from pymatgen.core.structure import Molecule, Structure

from cgxas import limits
from cgxas.crystals.disorder.occupancy import whole
from cgxas.crystals.io.base import Found, reading
from cgxas.crystals.io.content import Content, read_content
from cgxas.crystals.io.formats import format_of
from cgxas.crystals.io.objects import structure_of
from cgxas.errors import CrystalError, InvalidCell, UnreadableCrystal

if TYPE_CHECKING:
    from ase import Atoms

CrystalLike: TypeAlias = Union[str, "PathLike[str]", Content, Structure, Molecule, "Atoms"]
"""Whatever holds one crystal: a file, what one holds, or an object of pymatgen or ASE."""

MIN_VOLUME = 0.5
"""Smallest cell volume that is taken seriously, cubic Angstrom per atom."""

MOST_CELLS_AWAY = 1000.0
"""Atoms of a simulation may have left their cell, but not further than this, in cell vectors."""


def source_of(crystal: CrystalLike) -> str:
    """Return the name of the file a crystal is in; empty for an object."""
    if isinstance(crystal, Content):
        return str(crystal.path)
    return str(crystal) if isinstance(crystal, str | PathLike) else ""


def read_crystal(crystal: CrystalLike) -> Structure:
    """Return an ordered pymatgen Structure, atoms in the caller's order.

    Args:
        crystal: as for `read_structure`.

    Raises:
        DisorderedCrystal: a site shared by several elements, or partly empty.
        CrystalError: another reason; see `read_structure`.
    """
    return whole(read_structure(crystal))


def read_structure(crystal: CrystalLike) -> Structure:
    """Return a pymatgen Structure, sites in the caller's order; they may be disordered.

    Args:
        crystal: a path (any file of `formats.FORMATS`) or the content of such a file, a pymatgen
            Structure or Molecule, or an ASE Atoms. Molecules are put into a box wide enough that
            no atom sees an image of another; slabs and wires get as much vacuum along their open
            sides.

    Raises:
        UnreadableCrystal: no such file, a folder, empty, too large, or not understood.
        InvalidCell: no volume, a huge one, or numbers that are not finite.
        CrystalError: another reason, told in the message.
    """
    if isinstance(crystal, str | PathLike):
        crystal = read_content(Path(crystal))
    found = _in_file(crystal) if isinstance(crystal, Content) else crystal
    structure = structure_of(found)
    _refuse_unusable(structure)
    return structure


def _in_file(content: Content) -> Found:
    path = content.path
    kind = format_of(content)
    with reading(content, kind.name):
        found = kind.read(content)
    limits.ATOMS.refuse_beyond(len(found), f"{path} lists", UnreadableCrystal)
    if not len(found):
        raise UnreadableCrystal(f"{path} is not a readable {kind.name}: it lists no atoms")
    return found


def _refuse_unusable(structure: Structure) -> None:
    """Raise for what no spectrum can be computed of."""
    if not len(structure):
        raise CrystalError("the crystal holds no atom")
    limits.ATOMS.refuse_beyond(len(structure), "the crystal holds", CrystalError)
    lattice = np.asarray(structure.lattice.matrix)
    if not (np.isfinite(lattice).all() and np.isfinite(structure.frac_coords).all()):
        raise InvalidCell("a cell length, angle or coordinate is not a finite number")
    furthest = float(np.abs(structure.frac_coords).max())
    if furthest > MOST_CELLS_AWAY:
        raise InvalidCell(
            f"an atom lies {furthest:,.4g} cells away from the cell; correct its coordinates, or "
            "their units"
        )
    longest = float(np.linalg.norm(lattice, axis=1).max())
    limits.CELL_EDGE.refuse_beyond(longest, "a cell vector has a length of", InvalidCell)
    volume = abs(float(np.linalg.det(lattice)))
    if volume < MIN_VOLUME * len(structure):
        raise InvalidCell(
            f"the cell has a volume of {volume:.3g} A^3 for {len(structure)} atoms; "
            "lengths must be in Angstrom and the cell vectors independent"
        )
