"""The description of a site's surroundings: what it does not depend on, and that it is smooth."""

import numpy as np
import pytest

from cgxas.crystals.canonical import Cell
from cgxas.physics.properties import ELECTRONEGATIVITY, RADIUS
from cgxas.physics.surroundings import AROUND, OWN, REACH, surroundings

LATTICE = np.array([[4.6, 0.0, 0.0], [0.7, 5.1, 0.0], [-0.9, 0.4, 5.6]])
NUMBERS = np.array([22, 8, 8, 38, 16])


@pytest.fixture
def cell() -> Cell:
    return Cell(LATTICE, np.random.default_rng(3).random((5, 3)), NUMBERS)


def all_of(cell: Cell) -> np.ndarray:
    return surroundings(cell, np.arange(len(cell.numbers)))


def test_orientation_origin_order_and_cell_do_not_matter(cell):
    rng = np.random.default_rng(4)
    usual = all_of(cell)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    order = rng.permutation(5)
    other_basis = np.array([[1, 1, 0], [0, 1, 0], [2, 0, 1]])
    # Cartesian coordinates stay, in a sheared and doubled cell.
    sheared = Cell(other_basis @ LATTICE, cell.frac @ np.linalg.inv(other_basis), NUMBERS)
    doubled = Cell(
        np.diag([1, 2, 1]) @ LATTICE,
        np.concatenate([cell.frac, cell.frac + np.array([0, 1, 0])]) / [1, 2, 1],
        np.tile(NUMBERS, 2),
    )
    for same in (
        Cell(LATTICE @ turn.T, cell.frac + rng.random(3), NUMBERS),
        sheared,
        Cell(LATTICE, cell.frac - np.round(3 * rng.normal(size=(5, 3))), NUMBERS),
    ):
        np.testing.assert_allclose(all_of(same), usual, atol=1e-10)
    moved = Cell(LATTICE, cell.frac[order], NUMBERS[order])
    np.testing.assert_allclose(all_of(moved), usual[order], atol=1e-10)
    np.testing.assert_allclose(all_of(doubled), np.tile(usual, (2, 1)), atol=1e-10)


def test_a_small_displacement_makes_a_small_change(cell):
    rng = np.random.default_rng(5)
    usual, step = all_of(cell), rng.normal(size=(5, 3))
    step /= np.linalg.norm(step, axis=1).max()
    changes = []
    for size in (1e-2, 1e-3, 1e-4):
        moved = Cell(LATTICE, cell.frac + size * step @ np.linalg.inv(LATTICE), NUMBERS)
        changes.append(np.linalg.norm(all_of(moved) - usual, axis=1).max())
    np.testing.assert_allclose(changes[0] / changes[1], 10, rtol=0.1)
    np.testing.assert_allclose(changes[1] / changes[2], 10, rtol=0.01)
    assert changes[0] < 0.05


def test_an_atom_fades_out_at_the_end_of_reach():
    def pair(distance: float) -> np.ndarray:
        box = Cell(np.eye(3) * 20, np.array([[0, 0, 0], [distance / 20, 0, 0]]), np.array([22, 8]))
        return surroundings(box, np.array([0]))[0]

    gone = pair(REACH + 0.1)
    assert np.abs(pair(REACH - 0.02) - gone).max() < 1e-4
    assert np.abs(pair(2.0) - gone).max() > 0.05


def test_element_of_the_site_and_of_its_neighbours_show(cell):
    usual = all_of(cell)
    numbers = NUMBERS.copy()
    numbers[0] = 23
    other = all_of(Cell(LATTICE, cell.frac, numbers))
    assert np.abs(other[0, OWN] - usual[0, OWN]).max() > 0.1
    np.testing.assert_array_equal(other[1:, OWN], usual[1:, OWN])
    assert (np.abs(other[1:, AROUND] - usual[1:, AROUND]).max(axis=1) > 1e-3).all()


def test_angles_show():
    """Two neighbours in a line and at a right angle, as far away: only the angles differ."""

    def three(corner: list[float]) -> np.ndarray:
        frac = np.array([[0, 0, 0], [0.1, 0, 0], corner])
        return surroundings(Cell(np.eye(3) * 20, frac, np.array([22, 8, 8])), np.array([0]))[0]

    assert np.abs(three([-0.1, 0, 0]) - three([0, 0.1, 0])).max() > 0.03
    np.testing.assert_allclose(three([0, 0, 0.1]), three([0, 0.1, 0]), atol=1e-10)


def test_tables_of_elements():
    assert ELECTRONEGATIVITY[8] == pytest.approx(3.98)  # fluorine
    assert len(ELECTRONEGATIVITY) == len(RADIUS) == 103
    assert RADIUS[54] == pytest.approx(2.44)  # caesium
