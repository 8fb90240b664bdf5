import math

import pytest
import torch

from cgxas.model.config import ModelConfig
from cgxas.model.network import CGXAS


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
    network = CGXAS(ModelConfig(hidden=8, n_modules=1, n_head_layers=1, dropout=0.5)).double()
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
    config = ModelConfig(hidden=8, n_modules=1, n_outputs=3, head_activation=act)
    network = CGXAS(config).double().train()
    mean = torch.tensor([0.02, 1.0, 1.4], dtype=torch.float64)
    network.start_from(mean, torch.full((3,), 1e-6, dtype=torch.float64))
    torch.testing.assert_close(network(batch), mean.expand(5, 3), rtol=0, atol=1e-4)


def test_features_are_not_stored(network):
    assert not any("features" in name for name in network.state_dict())
