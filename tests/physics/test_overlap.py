"""Overlapped free atoms: FEFF's Norman radii, any description of a crystal, no jumps."""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from cgxas.crystals.canonical import Cell
from cgxas.errors import CrystalError
from cgxas.physics.edges import neighbour_potential
from cgxas.physics.free_atoms import BOHR, HARTREE, free_atoms
from cgxas.physics.overlap import overlap


def cell_of(crystal: Structure) -> Cell:
    numbers = np.array([site.specie.Z for site in crystal])
    return Cell(np.array(crystal.lattice.matrix), np.array(crystal.frac_coords), numbers)


ODD = Structure(
    Lattice.from_parameters(4.7, 5.1, 6.3, 80, 95, 103),
    ["Fe", "O", "O", "H", "Ca", "Cs"],
    [[0, 0, 0], [0.4, 0, 0.1], [0.1, 0.45, 0], [0.1, 0.6, 0.1], [0.5, 0.5, 0.5], [0.8, 0.1, 0.6]],
)


def numbers(crystal: Structure) -> np.ndarray:
    return overlap(cell_of(crystal)).descriptor(np.arange(len(crystal)))


@pytest.mark.parametrize(
    ("symbol", "lattice", "species", "places", "radii"),
    [
        # Norman and muffin-tin radii that FEFF 10.0.0 prints, A.
        (
            *("Fm-3m", Lattice.cubic(4.211), "Mg O", [[0, 0, 0], [0.5] * 3]),
            {12: (1.389, 1.328), 8: (1.086, 1.037)},
        ),
        ("Fm-3m", Lattice.cubic(3.615), "Cu", [[0, 0, 0]], {29: (1.393, 1.356)}),
        (
            *("Pm-3m", Lattice.cubic(4.567), "Cs I", [[0, 0, 0], [0.5] * 3]),
            {55: (2.380, 2.311), 53: (2.044, 1.979)},
        ),
        (
            *("P4_2/mnm", Lattice.tetragonal(4.594, 2.959), "Ti O"),
            *([[0, 0, 0], [0.3053, 0.3053, 0]], {22: (1.383, 1.259), 8: (1.090, 0.993)}),
        ),
    ],
)
def test_radii_are_those_of_feff(symbol, lattice, species, places, radii):
    cell = cell_of(Structure.from_spacegroup(symbol, lattice, species.split(), places))
    found = overlap(cell)
    for z, (norman, muffin_tin) in radii.items():
        own = cell.numbers == z
        assert found.norman_radius[own] * BOHR == pytest.approx(norman, rel=0.01)
        assert found.muffin_tin_radius[own] * BOHR == pytest.approx(muffin_tin, rel=0.01)


def test_spheres_fill_the_crystal():
    """Norman spheres hold all electrons, so they have about the volume of the cell."""
    cell = cell_of(Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.05), ["Al"], [[0, 0, 0]]))
    spheres = 4 / 3 * np.pi * (overlap(cell).norman_radius * BOHR) ** 3
    assert spheres.sum() == pytest.approx(cell.volume, rel=0.05)


def test_potential_at_the_nuclei_is_what_shifts_edges():
    """But for atoms beyond 10 bohr, which fade earlier here."""
    cell = cell_of(ODD)
    found = overlap(cell)
    assert found.potential == pytest.approx(neighbour_potential(cell, np.arange(len(ODD))), abs=0.1)
    assert np.all(found.potential < 0)
    assert np.all(found.density > 0)


def test_an_average_over_a_sphere_is_one():
    """Against many points on the sphere around one atom, of two others."""
    places = [[0, 0, 0], [0, 0, 1.9], [3, 1, 0]]
    trio = Structure(Lattice.cubic(30), ["Ti", "O", "K"], places, coords_are_cartesian=True)
    cell = cell_of(trio)
    found = overlap(cell)
    random = np.random.default_rng(3).standard_normal((40_000, 3))
    outward = random / np.linalg.norm(random, axis=1)[:, None]
    inner, outer = found.muffin_tin_radius[0], found.norman_radius[0]
    radius = np.cbrt(np.random.default_rng(4).uniform(inner**3, outer**3, 40_000))
    points = outward * radius[:, None]
    r = np.linalg.norm(points[:, None] - cell.cart / BOHR, axis=2)
    z = np.broadcast_to(cell.numbers, r.shape)
    potential = free_atoms().potential(z.ravel(), r.ravel()).reshape(r.shape).sum(axis=1)
    assert found.shell_potential[0] == pytest.approx(potential.mean() * HARTREE, rel=0.01)


def test_any_description_has_the_same_numbers():
    expected = numbers(ODD)
    turn, _ = np.linalg.qr(np.random.default_rng(1).standard_normal((3, 3)))
    turned = Structure(ODD.lattice.matrix @ turn, ODD.species, ODD.frac_coords)
    assert numbers(turned) == pytest.approx(expected, abs=1e-9)
    assert numbers(Structure.from_sites(ODD[::-1])) == pytest.approx(expected[::-1], abs=1e-9)
    matrix = [[1, 1, 0], [0, 1, 1], [1, 0, 2]]
    larger = ODD.copy().make_supercell(matrix, to_unit_cell=False)
    assert numbers(larger) == pytest.approx(np.repeat(expected, 3, axis=0), abs=1e-9)


def test_small_steps_make_small_changes():
    cell = cell_of(ODD)
    atoms = np.arange(len(ODD))
    expected = overlap(cell).descriptor(atoms)
    random = np.random.default_rng(6)
    for step in (1e-6, 1e-4, 1e-2):
        direction = random.standard_normal(cell.frac.shape)
        direction /= np.linalg.norm(direction, axis=1)[:, None]
        frac = cell.frac + step * direction @ np.linalg.inv(cell.lattice)
        found = overlap(Cell(cell.lattice, frac, cell.numbers)).descriptor(atoms)
        assert np.abs(found - expected).max() < 40 * step


def test_an_atom_alone_has_numbers():
    alone = overlap(cell_of(Structure(Lattice.cubic(20), ["Na"], [[0, 0, 0]])))
    assert alone.potential[0] == 0
    assert alone.density[0] == 0
    assert np.isfinite(alone.descriptor(np.array([0]))).all()


def test_atoms_beyond_the_table_are_refused():
    with pytest.raises(CrystalError, match="holds Cf"):
        overlap(cell_of(Structure(Lattice.cubic(5), ["Cf"], [[0, 0, 0]])))
