"""A re-learnt head answers for the network's own, and comes back from its file."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch

from cgxas.model.calibration.head import HeadCalibration
from cgxas.model.cgxas.config import CGXASConfig
from cgxas.model.cgxas.network import CGXAS
from cgxas.spectra.spectrum import EnergyGrid


@pytest.fixture
def network() -> CGXAS:
    torch.manual_seed(4)
    config = CGXASConfig(hidden=3, n_modules=1, n_head_layers=2, fidelities=("one", "two"))
    network = CGXAS(config)
    network.fidelity_vectors.data.normal_()
    return network.requires_grad_(False).eval()


@pytest.fixture
def learnt(network) -> CGXAS:
    """The same with another head."""
    other = deepcopy(network)
    for layer in other.head_layers:
        for parameter in layer.parameters():
            parameter.add_(torch.randn(parameter.shape) / 4)
    return other


@pytest.mark.parametrize("fidelity", [None, 0, 1])
def test_it_answers_in_the_fidelity_of_the_sites(sites, learnt, grid, fidelity):
    found = HeadCalibration(learnt).spectra(replace(sites, fidelity=fidelity), grid)
    expected = learnt.head(sites.vectors, torch.tensor(fidelity or 0)).double().numpy()
    np.testing.assert_array_equal(found.sites, expected)
    np.testing.assert_allclose(found.mean, sites.share @ expected)
    assert (found.sigma, found.edge_sigma) == (None, None)


def test_another_grid_is_a_change_of_labels(sites, learnt, grid):
    moved = EnergyGrid(grid.e_min - 8, grid.e_max - 8, 100)
    one, two = (HeadCalibration(learnt).spectra(sites, each) for each in (grid, moved))
    np.testing.assert_array_equal(one.sites, two.sites)


def test_it_keeps_its_head_alone_and_finds_it_again(sites, network, learnt, grid):
    kept = HeadCalibration(learnt)
    assert kept.values == {}
    assert {name.split(".")[0] for name in kept.tensors} == {"0", "1"}
    own = sum(len(layer.state_dict()) for layer in learnt.head_layers)
    assert len(kept.tensors) == own
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    found = HeadCalibration.restore(kept.tensors, kept.values, network)
    one, two = (each.spectra(sites, grid) for each in (kept, found))
    np.testing.assert_array_equal(one.sites, two.sites)
    assert np.abs(one.sites - HeadCalibration(network).spectra(sites, grid).sites).max() > 0.01
    # The model's own network is another one.
    after = network.state_dict()
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())
    assert found.network is not network


def test_parts_that_do_not_fit_are_refused(network):
    kept = HeadCalibration(network)
    name = "1.linear.weight"
    wrong = [
        {n: t for n, t in kept.tensors.items() if n != name},
        {**kept.tensors, name: kept.tensors[name][:-1]},
        {**kept.tensors, name: kept.tensors[name].double()},
        {**kept.tensors, "2.linear.weight": kept.tensors[name]},
    ]
    for tensors in wrong:
        with pytest.raises(ValueError, match="head"):
            HeadCalibration.restore(tensors, {}, network)
    with pytest.raises(ValueError, match="nothing but its layers"):
        HeadCalibration.restore(kept.tensors, {"further": 1}, network)
