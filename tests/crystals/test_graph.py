import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from cgxas.crystals.canonical import Cell
from cgxas.crystals.graph import crystal_graph
from cgxas.crystals.spec import GraphSpec

CUTOFF, N_NEIGHBOURS = GraphSpec().cutoff, GraphSpec().neighbours


def as_cell(structure: Structure) -> Cell:
    return Cell(
        np.array(structure.lattice.matrix),
        np.array(structure.frac_coords),
        np.array(structure.atomic_numbers),
    )


@pytest.fixture
def rutile() -> Structure:
    return Structure.from_spacegroup(
        "P4_2/mnm", Lattice.tetragonal(4.594, 2.958), ["Ti", "O"], [[0, 0, 0], [0.305, 0.305, 0]]
    )


def test_neighbours_are_the_nearest(rutile):
    graph = crystal_graph(as_cell(rutile), GraphSpec())
    for n, site in enumerate(rutile):
        lengths = sorted(near.nn_distance for near in rutile.get_neighbors(site, CUTOFF))
        np.testing.assert_allclose(graph.distance[n], lengths[:N_NEIGHBOURS], atol=1e-9)


def test_vectors_lead_to_the_neighbours(rutile):
    cell = as_cell(rutile)
    graph = crystal_graph(cell, GraphSpec())
    places = cell.cart[graph.neighbour_index] + graph.neighbour_image @ cell.lattice
    np.testing.assert_allclose(places - cell.cart[:, None], graph.neighbour_vector, atol=1e-12)
    np.testing.assert_allclose(
        np.linalg.norm(graph.neighbour_vector, axis=2), graph.distance, atol=1e-12
    )


def test_atoms_outside_the_cell_are_used_as_given(rutile):
    cell = as_cell(rutile)
    shift = np.random.default_rng(0).integers(-2, 3, cell.frac.shape)
    moved = crystal_graph(Cell(cell.lattice, cell.frac + shift, cell.numbers), GraphSpec())
    np.testing.assert_allclose(moved.distance, crystal_graph(cell, GraphSpec()).distance, atol=1e-9)


def test_empty_slots_lie_at_the_cutoff():
    pair = Cell(np.eye(3) * 20, np.array([[0.5, 0.5, 0.5], [0.55, 0.5, 0.5]]), np.array([8, 6]))
    graph = crystal_graph(pair, GraphSpec())
    assert graph.neighbour_index[:, 0].tolist() == [1, 0]
    np.testing.assert_allclose(graph.distance[:, 0], 1.0)
    assert (graph.distance[:, 1:] == CUTOFF).all()
    assert (graph.neighbour_index[:, 1:] == 0).all()
    assert (graph.neighbour_vector[:, 1:] == [CUTOFF, 0, 0]).all()


def test_lonely_atom_has_no_neighbour():
    graph = crystal_graph(Cell(np.eye(3) * 30, np.zeros((1, 3)), np.array([18])), GraphSpec())
    assert (graph.distance == CUTOFF).all()


def test_neighbour_at_the_cutoff_is_none():
    cell = Cell(np.diag([CUTOFF, 30, 30]), np.zeros((1, 3)), np.array([26]))
    assert (crystal_graph(cell, GraphSpec()).distance == CUTOFF).all()
    nearer = Cell(np.diag([CUTOFF - 1e-5, 30, 30]), np.zeros((1, 3)), np.array([26]))
    assert (crystal_graph(nearer, GraphSpec()).distance < CUTOFF).sum() == 2


def test_heavier_neighbour_comes_first_in_a_tie():
    # 14 neighbours at one distance: 6 + 8 of them would not all fit.
    places = np.array([[0, 0, 0], [0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5]])
    for order in ([0, 1, 2, 3], [0, 3, 1, 2], [0, 2, 3, 1]):
        numbers = np.array([26, 8, 16, 34])[order]
        graph = crystal_graph(Cell(np.eye(3) * 6.0, places[order], numbers), GraphSpec())
        found = graph.numbers[graph.neighbour_index[0]][:6]
        assert found.tolist() == [34, 34, 16, 16, 8, 8]


def test_one_node_per_orbit(rutile):
    orbits = np.array([0, 0, 1, 1, 1, 1])
    graph = crystal_graph(as_cell(rutile), GraphSpec(), orbits)
    full = crystal_graph(as_cell(rutile), GraphSpec())
    assert graph.numbers.tolist() == [22, 8]
    assert graph.multiplicity.tolist() == [2, 4]
    assert (full.multiplicity == 1).all()
    np.testing.assert_allclose(graph.distance, full.distance[[0, 2]], atol=1e-9)
    assert (graph.neighbour_index == orbits[full.neighbour_index[[0, 2]]]).all()


def test_many_atoms_are_quick():
    simple = Structure(Lattice.cubic(2.9), ["Fe"], [[0, 0, 0]]).make_supercell([17, 17, 17])
    assert len(simple) == 4913
    graph = crystal_graph(as_cell(simple), GraphSpec())
    np.testing.assert_allclose(graph.distance[:, :6], 2.9, atol=1e-9)
