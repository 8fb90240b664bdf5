import numpy as np
import torch

from cgxas.crystals.batch import collate
from cgxas.crystals.canonical import Cell
from cgxas.crystals.graph import crystal_graph
from cgxas.crystals.spec import GraphSpec


def graphs():
    one = Cell(np.eye(3) * 2.9, np.zeros((1, 3)), np.array([26]))
    pair = Cell(np.eye(3) * 20, np.array([[0.5, 0.5, 0.5], [0.55, 0.5, 0.5]]), np.array([8, 6]))
    skew = Cell(
        np.array([[4.0, 0, 0], [1, 5, 0], [0, 1, 6]]),
        np.array([[0, 0, 0], [0.5, 0.4, 0.3], [0.1, 0.7, 0.8]]),
        np.array([30, 16, 16]),
    )
    return [crystal_graph(cell, GraphSpec()) for cell in (one, pair, skew)]


def test_offsets_follow_a_cell_of_one_atom():
    batch = collate(graphs())
    assert batch.offsets == (0, 1, 3, 6)
    assert batch.numbers.tolist() == [26, 8, 6, 30, 16, 16]
    for first, last in ((0, 1), (1, 3), (3, 6)):
        index = batch.neighbour_index[first:last]
        assert ((index >= first) & (index < last)).all()


def test_vectors_volumes_and_masks():
    members = graphs()
    batch = collate(members, torch.float64)
    vector = np.concatenate([graph.neighbour_vector for graph in members])
    lattice = np.repeat([graph.lattice for graph in members], [1, 2, 3], axis=0)
    np.testing.assert_allclose(batch.fractional.numpy() @ lattice, vector, atol=1e-12)
    np.testing.assert_allclose(batch.volume.numpy(), [2.9**3, 8000, 8000, 120, 120, 120])
    assert batch.mask.sum(dim=1).tolist() == [12, 1, 1, 12, 12, 12]


def test_precision_is_the_wanted_one():
    single, double = collate(graphs()), collate(graphs(), torch.float64)
    for name in ("distance", "fractional", "volume"):
        assert getattr(single, name).dtype == torch.float32
        assert getattr(double, name).dtype == torch.float64
    assert single.numbers.dtype == single.neighbour_index.dtype == torch.int64


def test_batch_moves_as_a_whole():
    moved = collate(graphs()).to("meta")
    assert moved.offsets == (0, 1, 3, 6)
    assert {value.device.type for name, value in vars(moved).items() if name != "offsets"} == {
        "meta"
    }
