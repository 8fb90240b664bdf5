import numpy as np
import pytest
import torch

from cgxas.crystals.batch import GraphBatch, collate
from cgxas.crystals.canonical import Cell
from cgxas.crystals.graph import crystal_graph
from cgxas.crystals.spec import GraphSpec
from cgxas.model.cgxas.config import CGXASConfig
from cgxas.model.cgxas.network import CGXAS


@pytest.fixture
def batch() -> GraphBatch:
    """A skewed ZnS2 and an O-C pair with empty slots, in float64."""
    skew = np.array([[4.0, 0, 0], [1, 5, 0], [0, 1, 6]])
    places = np.array([[0, 0, 0], [0.5, 0.4, 0.3], [0.1, 0.7, 0.8]])
    pair = np.array([[0.5, 0.5, 0.5], [0.55, 0.5, 0.5]])
    cells = [
        Cell(skew, places, np.array([30, 16, 16])),
        Cell(np.eye(3) * 20, pair, np.array([8, 6])),
    ]
    return collate([crystal_graph(cell, GraphSpec()) for cell in cells], torch.float64)


@pytest.fixture
def network() -> CGXAS:
    """A small network in float64 whose batch norms have seen something."""
    torch.manual_seed(3)
    network = CGXAS(CGXASConfig(hidden=8, n_modules=2, n_head_layers=2, n_outputs=6)).double()
    for name, tensor in network.named_buffers():
        if name.endswith("running_var"):
            tensor.copy_(0.5 + torch.rand_like(tensor))
        if name.endswith("running_mean"):
            tensor.copy_(torch.randn_like(tensor) / 4)
    return network.eval().requires_grad_(False)
