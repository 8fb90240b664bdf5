"""Batch norm alone is torch's own; over two processes it is torch's own on all rows."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from cgxas.model.cgxas.norm import BatchNorm

WORKER = Path(__file__).with_name("norm_worker.py")
SIZES = (7, 2)


def close(found: torch.Tensor, expected: torch.Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


def started_norm() -> nn.BatchNorm1d:
    """torch's own, with weights and statistics of a norm in use."""
    norm = nn.BatchNorm1d(5).double()
    with torch.no_grad():
        norm.weight.uniform_(0.5, 2)
        norm.bias.normal_()
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.5, 2)
    return norm


@pytest.mark.parametrize("training", [True, False])
def test_alone_it_is_the_norm_of_torch(all_rows, training):
    norms = [started_norm(), BatchNorm(5).double()]
    norms[1].load_state_dict(norms[0].state_dict())
    gradients = []
    for norm in norms:
        x = all_rows["x"].clone().requires_grad_()
        (norm.train(training)(x) * all_rows["wanted"][0]).sum().backward()
        gradients.append((x.grad, norm.weight.grad, norm.bias.grad))
    for found, expected in zip(*gradients, strict=True):
        close(found, expected)
    x = all_rows["x"]
    close(norms[1](x), norms[0](x))
    assert norms[1].state_dict().keys() == norms[0].state_dict().keys()
    for name, tensor in norms[0].state_dict().items():
        close(norms[1].state_dict()[name], tensor)


@pytest.fixture(scope="module")
def all_rows() -> dict[str, object]:
    """A batch, the gradients wanted of two passes over it, and what torch's own norm gives."""
    torch.manual_seed(2)
    norm = started_norm()
    state = {name: tensor.clone() for name, tensor in norm.state_dict().items()}
    x = 10 + 3 * torch.randn(sum(SIZES), 5, dtype=torch.float64)
    wanted = torch.randn(2, *x.shape, dtype=torch.float64)
    x.requires_grad_()
    outputs = [norm(x), norm(2 * x)]
    (wanted[0] * outputs[0] + wanted[1] * outputs[1]).sum().backward()
    return {
        "state": state,
        "x": x.detach(),
        "wanted": wanted,
        "outputs": [y.detach() for y in outputs],
        "in use": norm.eval()(x).detach(),
        "gradient": x.grad,
        "weights": [norm.weight.grad, norm.bias.grad],
        "after": norm.state_dict(),
    }


@pytest.fixture(scope="module")
def two(all_rows, tmp_path_factory) -> list[dict]:
    """What two processes with unequal shares of the rows tell."""
    folder = tmp_path_factory.mktemp("norm")
    given = {
        "state": all_rows["state"],
        "parts": all_rows["x"].split(SIZES),
        "wanted": all_rows["wanted"].split(SIZES, dim=1),
    }
    torch.save(given, folder / "given.pt")
    words = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    words += [str(WORKER), str(folder / "given.pt"), str(folder)]
    done = subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(2)]


def test_two_processes_give_the_outputs_of_all_rows(two, all_rows):
    for n in range(2):
        close(torch.cat([each["outputs"][n] for each in two]), all_rows["outputs"][n])
    close(torch.cat([each["in use"] for each in two]), all_rows["in use"])


def test_two_processes_give_the_gradients_of_all_rows(two, all_rows):
    close(torch.cat([each["gradient"] for each in two]), all_rows["gradient"])
    for n in range(2):  # those of weights are left to the training step to add up
        close(two[0]["weights"][n] + two[1]["weights"][n], all_rows["weights"][n])


def test_two_processes_keep_the_statistics_of_all_rows(two, all_rows):
    for each in two:
        assert each["state"].keys() == all_rows["after"].keys()
        for name, tensor in all_rows["after"].items():
            close(each["state"][name], tensor)
    assert int(two[0]["state"]["num_batches_tracked"]) == 2
