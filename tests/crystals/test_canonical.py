import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from cgxas.crystals.canonical import Cell, canonical_cell, first_of_largest

SYMPREC = 0.01


def as_cell(structure: Structure) -> Cell:
    return Cell(
        np.array(structure.lattice.matrix),
        np.array(structure.frac_coords),
        np.array(structure.atomic_numbers),
    )


def hexagonal() -> Structure:
    return Structure.from_spacegroup(
        "R-3", Lattice.hexagonal(5.088, 14.086), ["Fe", "Ti", "O"],
        [[0, 0, 0.3554], [0, 0, 0.1464], [0.3174, 0.0234, 0.2451]],
    )  # fmt: skip


def metric(cell: Cell) -> np.ndarray:
    return cell.lattice @ cell.lattice.T


def test_copper_becomes_one_atom():
    found = canonical_cell(
        as_cell(Structure.from_spacegroup("Fm-3m", Lattice.cubic(3.6), ["Cu"], [[0, 0, 0]])),
        SYMPREC,
    )
    assert len(found.cell.numbers) == 1
    assert found.cell.volume == pytest.approx(3.6**3 / 4)
    assert found.orbit_of_atom.tolist() == [0]
    assert found.orbit_of_site.tolist() == [0, 0, 0, 0]


def test_density_and_composition_are_kept():
    given = as_cell(hexagonal())
    found = canonical_cell(given, SYMPREC).cell
    assert len(found.numbers) * 3 == len(given.numbers)
    assert found.volume * 3 == pytest.approx(given.volume, rel=1e-9)
    assert np.bincount(found.numbers).tolist() == (np.bincount(given.numbers) // 3).tolist()


def test_cell_is_right_handed_and_atoms_lie_in_it():
    mirrored = as_cell(hexagonal())
    mirrored = Cell(-mirrored.lattice, mirrored.frac, mirrored.numbers)
    found = canonical_cell(mirrored, SYMPREC).cell
    assert np.linalg.det(found.lattice) > 0
    assert (found.frac > -1e-8).all()
    assert (found.frac < 1).all()


def test_distances_are_those_of_the_given_crystal():
    given = hexagonal()
    found = canonical_cell(as_cell(given), SYMPREC).cell
    made = Structure(found.lattice, found.numbers.tolist(), found.frac)
    for element in ("Fe", "Ti"):
        lengths = [
            sorted(n.nn_distance for n in s.get_neighbors(site, 3.5))
            for s in (given, made)
            for site in s
            if site.specie.symbol == element
        ]
        for others in lengths[1:]:
            np.testing.assert_allclose(others, lengths[0], atol=1e-9)


def test_sites_and_atoms_of_an_orbit_are_of_one_element():
    given = as_cell(hexagonal())
    found = canonical_cell(given, SYMPREC)
    for orbit in range(found.orbit_of_atom.max() + 1):
        of_atoms = set(found.cell.numbers[found.orbit_of_atom == orbit])
        assert of_atoms == set(given.numbers[found.orbit_of_site == orbit])
        assert len(of_atoms) == 1
    assert set(found.orbit_of_atom) == set(found.orbit_of_site)


def test_lengths_do_not_depend_on_which_axis_comes_first():
    # Rounded cell vectors: a and b differ in the fourth digit, as in files.
    lattice = hexagonal().lattice.matrix.copy()
    lattice[0] *= 1.0001
    given = Cell(lattice, hexagonal().frac_coords, np.array(hexagonal().atomic_numbers))
    # Both descriptions are of this one crystal: b, -a-b take the places of a, b.
    turn = np.array([[0, 1, 0], [-1, -1, 0], [0, 0, 1]])
    turned = Cell(turn @ given.lattice, given.frac @ np.linalg.inv(turn), given.numbers)
    found = [metric(canonical_cell(cell, SYMPREC).cell) for cell in (given, turned)]
    np.testing.assert_allclose(found[0], found[1], rtol=0, atol=1e-9)


def test_result_does_not_depend_on_the_order_near_the_limit_of_symmetry():
    # Displacements of about the tolerance: which operations are found is a close decision.
    crystal = Structure.from_spacegroup(
        "I4_1/a", Lattice.tetragonal(5.408, 11.981), ["Sr", "Mo", "O"],
        [[0, 0.25, 0.625], [0, 0.25, 0.125], [0.16, 0.01, 0.21]],
    )  # fmt: skip
    rng = np.random.default_rng(0)
    for size in (0.004, 0.006, 0.008, 0.01):
        cart = crystal.cart_coords + size * rng.uniform(-1, 1, (len(crystal), 3))
        cell = Cell(
            crystal.lattice.matrix,
            cart @ np.linalg.inv(crystal.lattice.matrix),
            np.array(crystal.atomic_numbers),
        )
        first = canonical_cell(cell, SYMPREC)
        for _ in range(5):
            order = rng.permutation(len(crystal))
            other = canonical_cell(
                Cell(cell.lattice, cell.frac[order], cell.numbers[order]), SYMPREC
            )
            assert len(set(other.orbit_of_site)) == len(set(first.orbit_of_site))
            np.testing.assert_allclose(metric(other.cell), metric(first.cell), atol=1e-9)


def test_a_crystal_without_symmetry_keeps_all_its_sites_apart():
    cell = Cell(
        np.array([[5.0, 0, 0], [0.4, 6.0, 0], [0.7, 0.9, 7.0]]),
        np.array([[0.1, 0.2, 0.3], [0.6, 0.5, 0.9], [0.3, 0.8, 0.55]]),
        np.array([26, 8, 16]),
    )
    found = canonical_cell(cell, SYMPREC)
    assert sorted(found.orbit_of_site) == [0, 1, 2]
    assert found.cell.volume == pytest.approx(cell.volume)


def test_first_of_largest_compares_column_by_column():
    rows = np.array([[1.0, 5.0], [2.0, 1.0], [2.0, 3.0], [2.0 + 1e-12, 3.0]])
    assert first_of_largest(rows) == 2
