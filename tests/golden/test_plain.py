"""What the training benchmark stands on: the plain network is ours, the floor counts it all."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from cgxas.crystals.batch import GraphBatch, collate
from cgxas.model.cgxas.config import CGXASConfig
from cgxas.model.cgxas.network import CGXAS
from cgxas.training.loss import rse_loss

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
ALLOWED = 1e-10
KINDS = ("tiny_elu", "tiny_silu", "no waves")


def load(name: str) -> ModuleType:
    """Return a file of benchmarks/, which is no part of the package."""
    spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def plain() -> Iterator[ModuleType]:
    yield load("plain")
    del sys.modules["plain"]


@pytest.fixture(scope="module")
def floor() -> Iterator[ModuleType]:
    yield load("floor")
    del sys.modules["floor"]


@pytest.fixture(scope="module")
def batch(goldens) -> GraphBatch:
    """Crystals beside a molecule in a box, most of whose slots are empty."""
    names = ("fe_bcc", "tio2_rutile", "o2_box", "zns_wurtzite_skew")
    batch = collate([goldens.graph(name) for name in names], torch.float64)
    assert 0 < int((~batch.mask).sum()) < batch.mask.numel() / 2
    return batch


@pytest.fixture
def ours(goldens, kind) -> CGXAS:
    """Ours with the weights of the references, or with random ones and no plane waves."""
    if kind != "no waves":
        return goldens.network(kind, torch.float64)
    torch.manual_seed(64)
    return CGXAS(CGXASConfig(hidden=16, n_modules=2, n_outputs=20, wave_numbers=0)).double()


def answer(network, vectors: Tensor) -> tuple[Tensor, Tensor]:
    """Return the spectra and a loss whose gradient reaches every weight."""
    spectra = network.head(vectors)
    target = torch.linspace(0.2, 1.2, spectra.shape[1], dtype=spectra.dtype).expand_as(spectra)
    return spectra, rse_loss(spectra, target, torch.ones_like(target)).mean()


def gradients(network) -> dict[str, Tensor]:
    return {name: p.grad for name, p in network.named_parameters()}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("training", [True, False])
def test_plain_equals_ours(plain, batch, ours, report, training):
    other = plain.plain_copy(ours.train(training))
    assert other.training == training
    basis = plain.looped_basis(batch, ours.config)
    found = answer(other, other.embed(batch, basis))
    expected = answer(ours, ours.embed(batch))
    found[1].backward()
    expected[1].backward()
    report.compare("plain: spectra", found[0].detach(), expected[0].detach(), ALLOWED)
    report.compare("plain: loss", found[1].detach(), expected[1].detach(), ALLOWED)
    assert float(expected[0].detach().abs().max()) > 0.1

    theirs, wanted = gradients(other), plain.under_plain_names(gradients(ours))
    assert theirs.keys() == wanted.keys()
    for name, value in wanted.items():
        report.compare("plain: gradients", theirs[name], value, ALLOWED)
    after = plain.under_plain_names(ours.state_dict())
    assert other.state_dict().keys() == after.keys()
    for name, value in other.state_dict().items():
        report.compare("plain: running statistics", value, after[name], ALLOWED)


@pytest.mark.parametrize("wave_numbers", [0, 4])
def test_loops_give_our_basis(plain, batch, wave_numbers):
    config = CGXASConfig(hidden=16, n_modules=1, wave_numbers=wave_numbers)
    looped = plain.looped_basis(batch, config)
    for found, expected in zip(looped, CGXAS(config).edge_basis(batch), strict=True):
        if expected is None:
            assert found is None
        else:
            assert np.abs(found - expected).max() < 1e-13


@pytest.mark.parametrize("kind", KINDS)
def test_steps_stay_together(plain, batch, ours):
    """Five steps of AdamW, fused and not, from the same weights: the same losses."""
    other = plain.plain_copy(ours.train())
    basis = plain.looped_basis(batch, ours.config)
    optimisers = [
        torch.optim.AdamW(ours.parameters(), 1e-3, fused=True),
        torch.optim.AdamW(other.parameters(), 1e-3),
    ]
    losses = []
    for _ in range(5):
        pair = [answer(ours, ours.embed(batch))[1], answer(other, other.embed(batch, basis))[1]]
        for optimiser, loss in zip(optimisers, pair, strict=True):
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        losses.append([float(loss.detach()) for loss in pair])
    found = np.array(losses)
    assert np.ptp(found[:, 0]) > 1e-3
    assert np.abs(found[:, 1] / found[:, 0] - 1).max() < 1e-8


@pytest.mark.parametrize("wave_numbers", [0, 4])
def test_floor_counts_every_matrix_product(floor, batch, wave_numbers):
    config = CGXASConfig(hidden=16, n_modules=2, n_outputs=20, wave_numbers=wave_numbers)
    network = CGXAS(config).double()
    nodes = torch.tensor([0, 2, 5])
    with FlopCounterMode(display=False) as counter:
        network(batch, nodes).sum().backward()
    n = len(batch.numbers)
    phases = 2 * 12 * n * 3 * config.n_waves  # k.v, which can be stored
    counted = sum(2 * p.times * p.m * p.k * p.n for p in floor.products(config, n, len(nodes)))
    assert counted + phases == counter.get_total_flops()


def test_floor_takes_time_at_measured_rates(floor):
    config = CGXASConfig(hidden=16, n_modules=2, n_outputs=20)
    found = floor.floor(config, 30, 3, torch.device("cpu"))
    work = 2e-9 * found["multiply_adds"]
    assert found["arithmetic_ms"] == pytest.approx(1e3 * work / found["gflop_per_second"])
    assert found["bytes"] == 2 * 9 * 12 * 30 * 2 * 16 * 4
    assert found["memory_ms"] > 0
