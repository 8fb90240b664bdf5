"""Slabs and wires from pymatgen, ASE and files."""

import ase.io
import numpy as np
import pytest
from ase.build import fcc111, molecule
from pymatgen.core import Lattice, Molecule, Structure

from cgxas.crystals.io.read import read_crystal
from cgxas.crystals.slabs import with_vacuum
from cgxas.crystals.structure import standardise
from cgxas.errors import InvalidCell


@pytest.fixture
def slab():
    made = fcc111("Ni", (1, 1, 3), vacuum=3.0)
    made.symbols[2] = "O"
    return made


def in_pymatgen(atoms) -> Structure:
    lattice = Lattice(atoms.cell.array, pbc=tuple(bool(each) for each in atoms.pbc))
    return Structure(
        lattice, atoms.get_chemical_symbols(), atoms.positions, coords_are_cartesian=True
    )


@pytest.mark.parametrize("pbc", [(1, 1, 0), (1, 0, 0), (0, 1, 0), (0, 1, 1), (0, 0, 0)])
def test_pymatgen_ase_and_files_are_alike(slab, pbc, tmp_path):
    slab.pbc = pbc
    ase.io.write(tmp_path / "a.xyz", slab, format="extxyz")
    ase.io.write(tmp_path / "a.json", slab)
    (tmp_path / "b.json").write_text(in_pymatgen(slab).to_json())
    first = read_crystal(slab)
    others = [in_pymatgen(slab), tmp_path / "a.json", tmp_path / "b.json"]
    for other in [*others, tmp_path / "a.xyz"] if any(pbc) else others:
        found = read_crystal(other)
        np.testing.assert_allclose(found.lattice.matrix, first.lattice.matrix, atol=1e-5)
        np.testing.assert_allclose(found.cart_coords, first.cart_coords, atol=1e-5)
        assert found.lattice.pbc == (True, True, True)


def test_the_drawn_vacuum_does_not_matter(slab):
    wide = slab.copy()
    wide.center(vacuum=20.0, axis=2)
    tilted = slab.copy()
    tilted.set_cell([*slab.cell[:2], slab.cell[2] + (0.7, 0.3, 2.0)])
    cells = [standardise(each).cell for each in (slab, wide, tilted)]
    for cell in cells[1:]:
        np.testing.assert_allclose(cell.lattice, cells[0].lattice, atol=1e-6)
        np.testing.assert_allclose(cell.cart, cells[0].cart, atol=1e-6)


def test_vacuum_is_wide_and_distances_are_kept(slab):
    found = read_crystal(slab)
    assert found.lattice.c == pytest.approx(np.ptp(slab.positions[:, 2]) + 16)
    assert found.get_distance(0, 1) == pytest.approx(slab.get_distance(0, 1, mic=True))


def test_molecules_are_alike():
    given = molecule("H2O")
    one = read_crystal(given)
    other = read_crystal(Molecule(given.get_chemical_symbols(), given.positions))
    np.testing.assert_allclose(one.cart_coords, other.cart_coords, atol=1e-9)


def test_open_vectors_may_be_missing():
    lattice = np.diag([2.5, 0.0, 0.0])
    closed, _ = with_vacuum(lattice, np.array([True, False, False]), np.zeros((1, 3)))
    np.testing.assert_allclose(np.linalg.norm(closed, axis=1), [2.5, 16, 16])
    np.testing.assert_allclose(closed @ closed.T, np.diag([2.5**2, 256, 256]), atol=1e-9)


@pytest.mark.parametrize("pbc", [(True, True, False), (True, False, False)])
def test_periodic_vectors_need_a_length(pbc):
    with pytest.raises(InvalidCell, match="must have a length"):
        with_vacuum(np.zeros((3, 3)), np.array(pbc), np.zeros((1, 3)))
