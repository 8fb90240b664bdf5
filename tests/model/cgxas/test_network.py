import math

import pytest
import torch

from cgxas.model.architecture import Targets
from cgxas.model.cgxas.config import CGXASConfig
from cgxas.model.cgxas.network import CGXAS


def test_forward_is_head_of_embed(network, batch):
    vectors = network.embed(batch)
    assert vectors.shape == (5, 8)
    assert torch.equal(network(batch), network.head(vectors))
    nodes = torch.tensor([3, 0])
    torch.testing.assert_close(network(batch, nodes), network(batch)[nodes], rtol=0, atol=1e-14)


def test_site_vector_is_the_sum_over_modules(network, batch):
    outputs = [network.embedding(batch.numbers)]
    for module in network.graph_modules:
        module.register_forward_hook(lambda _module, _inputs, output: outputs.append(output))
    vectors = network.embed(batch)
    assert len(outputs) == 3
    expected = sum(x / math.factorial(t) for t, x in enumerate(outputs))
    torch.testing.assert_close(vectors, expected, rtol=0, atol=1e-14)


def test_spectra_are_not_negative(network, batch):
    network.head_layers[-1].norm.bias.fill_(-0.5)
    assert (network(batch) >= 0).all()
    assert (network(batch) == 0).any()


def test_dropout_acts_in_training_on_the_site_vector(batch):
    network = CGXAS(CGXASConfig(hidden=8, n_modules=1, n_head_layers=1, dropout=0.5)).double()
    seen = []
    network.head_layers[0].register_forward_hook(lambda _m, inputs, _o: seen.append(inputs[0]))
    vectors = network.eval().embed(batch)
    network.head(vectors)
    network.train().head(vectors)
    assert torch.equal(seen[0], vectors)
    kept = seen[1] != 0
    assert 0 < kept.sum() < kept.numel()
    torch.testing.assert_close(seen[1][kept], 2 * vectors[kept])


@pytest.mark.parametrize("act", ["elu", "silu"])
def test_untrained_head_answers_with_the_typical_spectrum(batch, act):
    torch.manual_seed(0)
    config = CGXASConfig(hidden=8, n_modules=1, n_outputs=3, head_activation=act)
    network = CGXAS(config).double().train()
    mean = torch.tensor([0.02, 1.0, 1.4], dtype=torch.float64)
    norm = torch.stack([mean - 1e-6, mean + 1e-6])
    network.start_from(Targets(norm, torch.ones_like(norm), torch.tensor([26, 22])))
    torch.testing.assert_close(network(batch), mean.expand(5, 3), rtol=0, atol=1e-4)


def test_features_are_not_stored(network):
    assert not any("features" in name for name in network.state_dict())


@pytest.fixture
def two_theories() -> CGXAS:
    torch.manual_seed(5)
    config = CGXASConfig(hidden=8, n_modules=1, n_outputs=6, fidelities=("FEFF9", "VASP"))
    return CGXAS(config).double().eval()


@torch.no_grad()
def test_theories_are_one_until_they_are_told_apart(two_theories, batch):
    vectors = two_theories.embed(batch)
    fidelity = torch.tensor([0, 1, 1, 0, 1])
    assert torch.equal(two_theories(batch, fidelity=fidelity), two_theories(batch))
    two_theories.fidelity_vectors.normal_()
    first, second = (two_theories.head(vectors, torch.tensor(n)) for n in range(2))
    assert not torch.allclose(first, second)
    assert torch.equal(two_theories.head(vectors), first)
    expected = torch.where(fidelity[:, None] == 1, second, first)
    close = {"rtol": 0, "atol": 1e-14}
    torch.testing.assert_close(two_theories.head(vectors, fidelity), expected, **close)
    some = two_theories(batch, torch.tensor([4, 0]), torch.tensor([1, 0]))
    torch.testing.assert_close(some, expected[[4, 0]], **close)


def test_a_theory_is_a_vector_added_to_the_site(two_theories, batch):
    with torch.no_grad():
        two_theories.fidelity_vectors.normal_()
        vectors = two_theories.embed(batch)
        seen = []
        two_theories.head_layers[0].register_forward_hook(lambda _m, x, _y: seen.append(x[0]))
        two_theories.head(vectors, torch.tensor(1))
    assert torch.equal(seen[0], vectors + two_theories.fidelity_vectors[1])


def test_a_network_of_one_theory_has_no_such_vectors(network, two_theories):
    assert not any("fidelity" in name for name in network.state_dict())
    assert two_theories.state_dict()["fidelity_vectors"].shape == (2, 8)


@pytest.mark.parametrize("wave_numbers", [0, 2])
def test_shadowed_biases_are_those_without_effect(batch, wave_numbers):
    """Those, and no others: a shift of any of them leaves the training pass as it is."""
    torch.manual_seed(6)
    config = CGXASConfig(hidden=8, n_modules=2, n_outputs=6, wave_numbers=wave_numbers)
    network = CGXAS(config).double().train()
    before = network(batch).detach()
    shadowed = {id(bias) for bias in network.idle_parameters()}
    n_of_module = 2 + bool(wave_numbers)
    assert len(shadowed) == 2 * n_of_module + len(network.head_layers)
    for name, parameter in network.named_parameters():
        if not name.endswith("bias"):
            assert id(parameter) not in shadowed
            continue
        kept = parameter.detach().clone()
        with torch.no_grad():
            parameter.add_(torch.linspace(0.1, 0.3, len(parameter), dtype=torch.float64))
            changed = float((network(batch) - before).abs().max())
            parameter.copy_(kept)
        assert (changed < 1e-10) == (id(parameter) in shadowed), name
