"""Crystals and molecules of pymatgen and ASE -> one periodic, ordered pymatgen Structure."""

from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray
from pymatgen.core.composition import Composition
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import IMolecule, IStructure, Structure

from cgxas.crystals.molecules import boxed
from cgxas.crystals.slabs import with_vacuum
from cgxas.elements import MAX_ATOMIC_NUMBER
from cgxas.errors import CrystalError, DisorderedCrystal, InvalidCell

_FULL = 1e-3
"""A share of a site this near to 1 is a whole atom."""


def is_crystal_object(value: object) -> TypeGuard[Any]:
    """Tell whether something is a crystal or molecule of pymatgen or ASE."""
    return isinstance(value, IStructure | IMolecule) or _is_of_ase(value)


def structure_of(crystal: Any) -> Structure:
    """Return a pymatgen Structure, atoms in the caller's order; a periodic one is left as it is.

    Molecules are put into a box, slabs and wires get vacuum along their open sides.

    Args:
        crystal: a pymatgen Structure or Molecule, mutable or not, or an ASE Atoms.

    Raises:
        CrystalError: it is none of these, or holds no atoms; the message says why.
        InvalidCell: a position or lattice vector is not finite.
        DisorderedCrystal: a molecule or slab with sites that several elements share.
    """
    if isinstance(crystal, IStructure):
        return _of_structure(crystal)
    if isinstance(crystal, IMolecule):
        return _of_molecule(crystal)
    if _is_of_ase(crystal):
        return _of_ase(crystal)
    raise CrystalError(
        f"a {type(crystal).__name__} is not a crystal; give a file, a pymatgen Structure or "
        "Molecule, or an ASE Atoms"
    )


def _is_of_ase(value: object) -> bool:
    return hasattr(value, "get_atomic_numbers") and hasattr(value, "get_positions")


def _of_structure(crystal: IStructure) -> Structure:
    if not len(crystal):
        raise CrystalError("the crystal holds no atom")
    if not all(crystal.lattice.pbc):
        species = [site.species for site in crystal]
        places, lattice = np.asarray(crystal.cart_coords), np.asarray(crystal.lattice.matrix)
        return _closed(species, lattice, np.array(crystal.lattice.pbc), places)
    return crystal if isinstance(crystal, Structure) else Structure.from_sites(list(crystal))


def _of_molecule(molecule: IMolecule) -> Structure:
    if not len(molecule):
        raise CrystalError("the molecule holds no atom")
    places = np.asarray(molecule.cart_coords, dtype=np.float64)
    species = [site.species for site in molecule]
    return _closed(species, np.zeros((3, 3)), np.zeros(3, dtype=bool), places)


def _of_ase(atoms: Any) -> Structure:
    numbers = np.asarray(atoms.get_atomic_numbers(), dtype=np.int64)
    if not len(numbers):
        raise CrystalError("the ASE Atoms object holds no atom")
    if ((numbers < 1) | (numbers > MAX_ATOMIC_NUMBER)).any():
        raise CrystalError("an atom of the ASE Atoms object is of no element (X); name it")
    places = np.asarray(atoms.get_positions(), dtype=np.float64)
    lattice = np.asarray(atoms.cell.array, dtype=np.float64)
    species = _compositions(_species_of_ase(atoms))
    return _closed(species, lattice, np.array(atoms.pbc, dtype=bool), places)


def _compositions(species: list[Any]) -> list[Composition]:
    """Return what each site holds; atoms of one element share one, as it is never changed."""
    of_symbol = {each: Composition(each) for each in set(filter(_is_symbol, species))}
    return [of_symbol[each] if _is_symbol(each) else Composition(each) for each in species]


def _is_symbol(species: Any) -> bool:
    return isinstance(species, str)


def _species_of_ase(atoms: Any) -> list[Any]:
    """Return what each site holds; ASE keeps occupancies apart from its atoms, by kinds of sites.

    Its reader of CIFs puts the most abundant element at each site, as if it were there alone.

    Raises:
        CrystalError: there are occupancies, and it is not told of which atoms.
    """
    symbols = atoms.get_chemical_symbols()
    occupancy = atoms.info.get("occupancy")
    if not occupancy:
        return list(symbols)
    kinds = atoms.arrays.get("spacegroup_kinds")
    if kinds is None and len(occupancy) == len(symbols):
        kinds = np.arange(len(symbols))
    try:
        found = [{**(occupancy.get(str(k)) or occupancy[k])} for k in kinds]
        if all(symbol in each for symbol, each in zip(symbols, found, strict=True)):
            return found
    except (KeyError, TypeError, AttributeError):
        pass
    raise CrystalError(
        "the ASE Atoms object has occupancies in atoms.info that do not fit to its atoms; delete "
        "atoms.info['occupancy'] if its sites are whole"
    )


def _closed(
    species: list[Composition],
    lattice: NDArray[np.float64],
    pbc: NDArray[np.bool_],
    places: NDArray[np.float64],
) -> Structure:
    """Return a crystal that goes on along all axes, with vacuum where it did not."""
    if not np.isfinite(places).all():
        raise InvalidCell("an atom's position is not a finite number")
    if not np.isfinite(lattice[pbc]).all():
        raise InvalidCell("a cell vector is not a finite number")
    is_boxed = not pbc.any()
    if is_boxed:
        lattice, places = boxed(_numbers(species), places)
    elif not pbc.all():
        lattice, places = with_vacuum(lattice, pbc, places)
    if not abs(np.linalg.det(lattice)) > 0:
        raise InvalidCell(
            "the cell has no volume; its vectors must be independent, with lengths in Angstrom"
        )
    structure = Structure(Lattice(lattice), species, places, coords_are_cartesian=True)
    if is_boxed:
        structure.properties["boxed"] = True
    return structure


def _numbers(species: list[Composition]) -> NDArray[np.int64]:
    """Return the (N,) atomic numbers of a molecule, by which it is turned."""
    kinds = [next(iter(each)) for each in species]
    if any(len(each) != 1 or abs(each.num_atoms - 1) > _FULL for each in species):
        raise DisorderedCrystal("the molecule has sites shared by several elements; order it first")
    return np.array([getattr(kind, "Z", 0) for kind in kinds], dtype=np.int64)
