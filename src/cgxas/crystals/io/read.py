"""Whatever the user holds -> one pymatgen Structure, or one clear sentence why not."""

import warnings
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pymatgen.core.structure import Molecule, Structure

from cgxas.crystals.disorder.occupancy import species_of_ase, whole
from cgxas.crystals.io.cif import looks_like_cif, read_cif
from cgxas.crystals.io.other import read_other
from cgxas.crystals.molecules import VACUUM, boxed
from cgxas.errors import (
    CrystalError,
    DisorderedCrystal,
    InvalidCell,
    UnreadableCrystal,
)

if TYPE_CHECKING:
    from ase import Atoms

MIN_VOLUME = 0.5
"""Smallest cell volume that is taken seriously, cubic Angstrom per atom."""


def read_crystal(crystal: "str | PathLike[str] | Structure | Molecule | Atoms") -> Structure:
    """Return an ordered pymatgen Structure, atoms in the caller's order.

    Args:
        crystal: as for `read_structure`.

    Raises:
        DisorderedCrystal: a site shared by several elements, or partly empty.
        CrystalError: another reason; see `read_structure`.
    """
    return whole(read_structure(crystal))


def read_structure(crystal: "str | PathLike[str] | Structure | Molecule | Atoms") -> Structure:
    """Return a pymatgen Structure, sites in the caller's order; they may be disordered.

    Args:
        crystal: a path (CIF, POSCAR, CONTCAR, XYZ, anything pymatgen or ASE reads), a pymatgen
            Structure or Molecule, or an ASE Atoms. Molecules are put into a box wide enough that
            no atom sees an image of another.

    Raises:
        UnreadableCrystal: no such file, a folder, empty, or not understood.
        InvalidCell: no volume, or numbers that are not finite.
        CrystalError: another reason, told in the message.
    """
    if isinstance(crystal, str | PathLike):
        crystal = _read_file(Path(crystal))
    if isinstance(crystal, Structure):
        structure = crystal
    elif isinstance(crystal, Molecule):
        structure = _from_molecule(crystal)
    elif hasattr(crystal, "get_atomic_numbers"):
        structure = _from_ase(crystal)
    else:
        raise CrystalError(
            f"a {type(crystal).__name__} is not a crystal; give a file, a pymatgen Structure or "
            "Molecule, or an ASE Atoms"
        )
    _refuse_unusable(structure)
    return structure


def _read_file(path: Path) -> "Structure | Molecule | Atoms":
    try:
        if path.is_dir():
            raise UnreadableCrystal(f"{path} is a folder; name the crystal file in it")
        if not path.exists():
            raise UnreadableCrystal(f"{path}: no such file")
        if not path.is_file():  # the readers open it again, which a pipe does not allow
            raise UnreadableCrystal(f"{path} is not a regular file; write the crystal to one")
        content = path.read_bytes()
    except OSError as error:
        raise UnreadableCrystal(f"{path} cannot be read: {error.strerror}") from error
    if not content.strip():
        raise UnreadableCrystal(f"{path} is empty")
    if looks_like_cif(path, content):
        return read_cif(path)
    with warnings.catch_warnings():
        # Readers warn about rounded coordinates, missing headers and the like; what matters is
        # checked on the structure itself.
        warnings.simplefilter("ignore")
        return read_other(path)


def _from_ase(atoms: Any) -> Structure:
    numbers = np.asarray(atoms.get_atomic_numbers())
    positions = np.asarray(atoms.get_positions(), dtype=float)
    if not len(numbers):
        raise CrystalError("the ASE Atoms object holds no atom")
    if not np.isfinite(positions).all():
        raise InvalidCell("an atom's position is not a finite number")
    species = species_of_ase(atoms)
    if not atoms.pbc.any():
        if any(isinstance(each, dict) for each in species):
            raise DisorderedCrystal(
                "the ASE Atoms object is no crystal but has occupancies; delete "
                "atoms.info['occupancy'] if its sites are whole"
            )
        return _boxed_structure(numbers, positions)
    atoms = atoms.copy()
    for axis in np.flatnonzero(~atoms.pbc):
        # A slab or wire: vacuum along the open axes, more than the cutoff on each side.
        atoms.center(vacuum=VACUUM, axis=int(axis))
    lattice = np.asarray(atoms.cell.array, dtype=float)
    return Structure(lattice, species, atoms.get_positions(), coords_are_cartesian=True)


def _from_molecule(molecule: Molecule) -> Structure:
    if not molecule.is_ordered:
        raise DisorderedCrystal("the molecule has sites shared by several elements; order it first")
    numbers = np.array([site.specie.Z for site in molecule])
    return _boxed_structure(numbers, np.asarray(molecule.cart_coords, dtype=float))


def _boxed_structure(numbers: NDArray[np.int64], positions: NDArray[np.float64]) -> Structure:
    lattice, cart = boxed(numbers, positions)
    structure = Structure(lattice, list(numbers), cart, coords_are_cartesian=True)
    structure.properties["boxed"] = True
    return structure


def _refuse_unusable(structure: Structure) -> None:
    """Raise for what no spectrum can be computed of."""
    if not len(structure):
        raise CrystalError("the crystal holds no atom")
    lattice = np.asarray(structure.lattice.matrix)
    if not (np.isfinite(lattice).all() and np.isfinite(structure.frac_coords).all()):
        raise InvalidCell("a cell length, angle or coordinate is not a finite number")
    volume = abs(float(np.linalg.det(lattice)))
    if volume < MIN_VOLUME * len(structure):
        raise InvalidCell(
            f"the cell has a volume of {volume:.3g} A^3 for {len(structure)} atoms; "
            "lengths must be in Angstrom and the cell vectors independent"
        )
