import pytest
import torch

from cgxas.model.cgxas.config import CGXASConfig
from cgxas.model.cgxas.layers import (
    DenseLayer,
    Embedding,
    GatedConvolution,
    GraphModule,
    activation,
    node_features,
)

CONFIG = CGXASConfig(hidden=4, n_gaussians=5, wave_numbers=2)


def test_activations():
    x = torch.tensor([-1.0, 2.0])
    torch.testing.assert_close(activation("elu")(x), torch.tensor([-0.6321206, 2.0]))
    torch.testing.assert_close(activation("silu")(x), x * torch.sigmoid(x))


def test_embedding_is_the_sigmoid_of_six_columns():
    embedding = Embedding(4)
    zinc = node_features()[29]
    assert zinc.nonzero().flatten().tolist() == [29, 103 + 3, 110 + 2, 113, 120 + 10, 131]
    expected = torch.sigmoid(embedding.linear.weight @ zinc.float())
    torch.testing.assert_close(embedding(torch.tensor([30, 1, 30]))[[0, 2]], expected.expand(2, 4))


def test_convolution_equals_the_map_on_the_joined_vectors():
    """The maps on [h_i; h_j; (h_i - h_j)/d], evaluated per atom, against the formula as written."""
    torch.manual_seed(0)
    layer = GatedConvolution(CONFIG).double().eval()
    layer.pair_norm.running_mean.uniform_(-1, 1)
    layer.pair_norm.running_var.uniform_(0.5, 1.5)
    h = torch.randn(3, 4, dtype=torch.float64)
    index = torch.randint(3, (3, 12))
    distance = 1 + torch.rand(3, 12, 1, dtype=torch.float64)
    mask = (torch.rand(3, 12, 1) > 0.3).double()
    basis = torch.rand(36, 5, dtype=torch.float64), torch.randn(36, 8, dtype=torch.float64)
    found = layer(h, index, 1 / distance, mask, basis)

    receiver, sender = h[:, None].expand(3, 12, 4), h[index]
    joined = torch.cat([receiver, sender, (receiver - sender) / distance], dim=2)
    gate, message = layer.pair_norm(layer.pair(joined).view(36, 8)).split(4, dim=1)
    edges = torch.sigmoid(gate) * torch.nn.functional.elu(message) * layer.edge(*basis)
    expected = h + (edges.view(3, 12, 4) * mask).sum(dim=1)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


def test_padded_edges_carry_no_message():
    layer = GatedConvolution(CONFIG).eval()
    h = torch.randn(2, 4)
    index, scale = torch.ones(2, 12, dtype=torch.int64), torch.ones(2, 12, 1)
    basis = torch.rand(24, 5), torch.rand(24, 8)
    torch.testing.assert_close(layer(h, index, scale, torch.zeros(2, 12, 1), basis), h)
    assert not torch.allclose(layer(h, index, scale, torch.ones(2, 12, 1), basis), h)


def test_module_normalises_what_was_convolved():
    module = GraphModule(CONFIG).eval()
    seen = []
    module.dense.register_forward_hook(lambda _module, inputs, _output: seen.append(inputs[0]))
    index, ones = torch.zeros(3, 12, dtype=torch.int64), torch.ones(3, 12, 1)
    module(torch.randn(3, 4), index, ones, ones, (torch.rand(36, 5), torch.rand(36, 8)))
    torch.testing.assert_close(seen[0].norm(dim=1), torch.ones(3))


def test_zero_vector_stays_finite():
    module = GraphModule(CONFIG).eval()
    index, ones = torch.zeros(1, 12, dtype=torch.int64), torch.ones(1, 12, 1)
    basis = torch.zeros(12, 5), torch.zeros(12, 8)
    assert module(torch.zeros(1, 4), index, ones, ones * 0, basis).isfinite().all()


@pytest.mark.parametrize("name", ["elu", "silu"])
def test_dense_layer(name):
    layer = DenseLayer(3, 2, name).eval()
    x = torch.randn(5, 3)
    expected = activation(name)(layer.norm(x @ layer.linear.weight.T + layer.linear.bias))
    torch.testing.assert_close(layer(x), expected)


def test_without_waves_there_are_no_wave_weights():
    layer = GatedConvolution(CGXASConfig(hidden=4, n_gaussians=5, wave_numbers=0))
    assert not any("wave" in name for name, _ in layer.named_parameters())
