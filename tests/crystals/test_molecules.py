import numpy as np
import pytest
from ase.build import molecule

from cgxas.crystals.molecules import VACUUM, boxed, equivalent_atoms


def atoms(name: str) -> tuple[np.ndarray, np.ndarray]:
    found = molecule(name)
    return found.numbers, found.positions


@pytest.mark.parametrize("name", ["H2O", "C6H6", "O", "CO2", "CH3CH2OH"])
def test_shape_is_kept(name):
    numbers, positions = atoms(name)
    _, placed = boxed(numbers, positions)
    before, after = (np.linalg.norm(p[:, None] - p, axis=2) for p in (positions, placed))
    np.testing.assert_allclose(before, after, atol=1e-12)


def test_handedness_is_kept():
    numbers, positions = atoms("CH3CH2OH")
    _, placed = boxed(numbers, positions)
    one, other = (np.linalg.det(p[[0, 1, 3]] - p[2]) for p in (positions, placed))
    assert one == pytest.approx(other)


def test_no_atom_sees_an_image():
    numbers, positions = atoms("C6H6")
    lattice, placed = boxed(numbers, positions)
    assert np.array_equal(lattice, np.eye(3) * lattice[0, 0])
    assert placed.min() > VACUUM - 1e-9
    assert (lattice[0, 0] - placed).min() > VACUUM - 1e-9


def test_box_depends_on_the_molecule_alone():
    numbers, positions = atoms("CH3CH2OH")
    rng = np.random.default_rng(0)
    turn, _ = np.linalg.qr(rng.standard_normal((3, 3)))
    turn *= np.linalg.det(turn)
    order = rng.permutation(len(numbers))
    lattice, placed = boxed(numbers, positions)
    other_lattice, other = boxed(numbers[order], (positions @ turn.T + 5)[order])
    np.testing.assert_allclose(other_lattice, lattice, atol=1e-12)
    np.testing.assert_allclose(other, placed[order], atol=1e-9)


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("O", [1]),
        ("O2", [2]),
        ("H2O", [1, 2]),
        ("CO2", [1, 2]),
        ("N2O", [1, 1, 1]),
        ("C6H6", [6, 6]),
        ("CH4", [1, 4]),
        ("NH3", [1, 3]),
        ("CH3CH2OH", [1, 1, 1, 1, 1, 2, 2]),
        ("trans-butane", [2, 2, 2, 4, 4]),
    ],
)
def test_equivalent_atoms(name, sizes):
    orbits = equivalent_atoms(*atoms(name))
    assert sorted(np.bincount(orbits)) == sizes
    assert set(orbits) == set(range(len(sizes)))
