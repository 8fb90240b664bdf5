"""One training-mode pass over the batch of four, a step of AdamW, and a second pass."""

import numpy as np
import pytest
import torch

from cgxas.crystals.batch import collate
from cgxas.model.cgxas.authors import _our_name
from cgxas.training.loss import rse_loss

ALLOWED = {"f64": 1e-10, "f32": 1e-4}
NAME = "train_step_tiny100_elu"


class Pass:
    """A network in training mode and the four spectra it answers."""

    def __init__(self, goldens, dtype: torch.dtype) -> None:
        self.expected = goldens.arrays(NAME)
        members = goldens.json(NAME)["graphs"]
        self.batch = collate([goldens.graph(member["structure"]) for member in members], dtype)
        self.network = goldens.network("tiny100_elu", dtype).train()
        sites = [
            np.array(goldens.json(f"structure_{m['structure']}")["sites_by_element"][m["element"]])
            for m in members
        ]
        offsets = self.batch.offsets
        self.nodes = np.concatenate([s + o for s, o in zip(sites, offsets, strict=False)])
        self.sizes = [len(s) for s in sites]
        self.target = torch.from_numpy(self.expected["targets"]).to(dtype)

    def run(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return site vectors, pooled spectra and loss; the head, too, sees all atoms."""
        vectors = self.network.embed(self.batch)
        spectra = self.network.head(vectors)[self.nodes].split(self.sizes)
        pooled = torch.stack([of_one.mean(dim=0) for of_one in spectra])
        loss = rse_loss(pooled, self.target, torch.ones_like(self.target)).sum()
        return vectors, pooled, loss

    def theirs(self, ours: dict[str, torch.Tensor], name: str) -> np.ndarray:
        """Return what stands in our tensors under one of the authors' names."""
        target, half = _our_name(name)
        tensor = ours[target].detach()
        return (tensor if half is None else tensor.chunk(2)[half]).numpy()


@pytest.fixture
def first(goldens, dtype) -> Pass:
    return Pass(goldens, dtype)


@pytest.fixture
def exact(goldens) -> Pass:
    return Pass(goldens, torch.float64)


def test_outputs(first, precision, report):
    values = dict(zip(("site_vector", "pooled", "loss"), first.run(), strict=True))
    for name, value in values.items():
        found, expected = value.detach().numpy(), first.expected[f"{name}_{precision}"]
        scale = np.abs(expected).max()  # float32 is good to a relative 1e-4
        limit = ALLOWED[precision] * (scale if precision == "f32" else 1)
        report.compare(f"training pass: {name}", found, expected, limit)


def test_gradients(exact, report):
    _, _, loss = exact.run()
    loss.backward()
    gradients = {name: p.grad for name, p in exact.network.named_parameters()}
    wanted = [name for name in exact.expected if name.startswith("grad/")]
    for name in wanted:
        found = exact.theirs(gradients, name.removeprefix("grad/"))
        report.compare("training pass: gradients", found, exact.expected[name], 1e-10)


def test_gradients_are_complete(exact):
    names = {_our_name(n.removeprefix("grad/"))[0] for n in exact.expected if n.startswith("grad/")}
    assert names == {name for name, _ in exact.network.named_parameters()}


def test_running_statistics(exact, report):
    exact.run()
    state = exact.network.state_dict()
    wanted = [name for name in exact.expected if name.startswith("after/")]
    assert wanted
    for name in wanted:
        if "activation1_vector_gate" in name:  # a layer that their network never calls
            continue
        found = exact.theirs(state, name.removeprefix("after/"))
        report.compare("training pass: running statistics", found, exact.expected[name], 1e-10)


def test_step_of_the_optimiser(exact, report):
    optimiser = torch.optim.AdamW(
        exact.network.parameters(), 1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01
    )
    exact.run()[2].backward()
    optimiser.step()
    parameters = dict(exact.network.named_parameters())
    wanted = [name for name in exact.expected if name.startswith("param_after_step/")]
    assert len(wanted) == 3
    for name in wanted:
        found = exact.theirs(parameters, name.removeprefix("param_after_step/"))
        report.compare("after AdamW: parameters", found, exact.expected[name], 1e-10)
    _, pooled, loss = exact.run()
    pooled, loss = pooled.detach().numpy(), loss.detach().numpy()
    report.compare("after AdamW: loss", loss, exact.expected["loss_after_step_f64"], 1e-10)
    report.compare("after AdamW: pooled", pooled, exact.expected["pooled_after_step_f64"], 1e-10)
