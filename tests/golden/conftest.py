"""Reference values of the paper authors' own code, and how near we come to them."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cgxas.crystals.canonical import Cell
from cgxas.crystals.graph import CrystalGraph, crystal_graph
from cgxas.crystals.spec import GraphSpec
from cgxas.model.cgxas.authors import config_from_shapes, translate
from cgxas.model.cgxas.config import CGXASConfig
from cgxas.model.cgxas.network import CGXAS

STRUCTURES = ("fe_bcc", "tio2_rutile", "o2_box", "zns_wurtzite_skew")

_GAINS = ((".linear2_vector", 4.0), (".linear1_vector", 2.0))  # first match counts


@dataclass(frozen=True)
class Report:
    """Compares, and leaves deviations with the test, for the table that `pytest` ends with."""

    remember: Callable[[str, object], None]

    def compare(self, stage: str, found, expected, allowed: float, *, relative=False) -> None:
        """Assert that found equals expected, and remember by how much it does not."""
        found, expected = np.asarray(found), np.asarray(expected)
        assert found.shape == expected.shape
        precision = "float32" if np.float32 in (found.dtype, expected.dtype) else "float64"
        found, expected = found.astype(np.float64), expected.astype(np.float64)
        apart = np.abs(found - expected) / (np.abs(expected) if relative else 1.0)
        worst = float(apart.max(initial=0.0))
        self.remember("deviation", (stage, precision, worst, float(allowed)))
        assert worst <= allowed, f"{stage}: {worst:.3g} apart in {precision}"


@dataclass(frozen=True)
class Goldens:
    """The folder of reference values."""

    folder: Path

    def arrays(self, name: str) -> dict[str, np.ndarray]:
        """Return the arrays of an .npz file."""
        with np.load(self.folder / f"{name}.npz", allow_pickle=False) as file:
            return dict(file)

    def json(self, name: str) -> dict:
        """Return the contents of a .json file."""
        return json.loads((self.folder / f"{name}.json").read_text())

    def cell(self, name: str) -> Cell:
        """Return a structure, as given."""
        data = self.json(f"structure_{name}")
        return Cell(
            np.array(data["lattice"]),
            np.array(data["frac_coords"]),
            np.array(data["atomic_numbers"]),
        )

    def graph(self, name: str) -> CrystalGraph:
        """Return our graph of a structure."""
        return crystal_graph(self.cell(name), GraphSpec())

    def state(self, configuration: str) -> dict[str, Tensor]:
        """Return the weights of a configuration, made by the recipe."""
        entry = self.json("configs")[configuration]
        shapes = {name: tuple(shape) for name, shape, _ in entry["state_dict"]}
        rng = np.random.default_rng(entry["recipe_seed"])
        drawn = {name: _draw(name, shapes[name], rng) for name in sorted(shapes)}
        return {name: drawn[name] for name in shapes}

    def config(self, configuration: str) -> CGXASConfig:
        """Return what we deduce of a configuration's shapes."""
        act = "silu" if configuration.endswith("silu") else "elu"
        return config_from_shapes(self.state(configuration), act, act)

    def network(self, configuration: str, dtype: torch.dtype) -> CGXAS:
        """Return our network with the recipe's weights, in evaluation mode."""
        network = CGXAS(self.config(configuration))
        network.load_state_dict(translate(self.state(configuration)))
        return network.to(dtype).eval()


def _draw(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> Tensor:
    """Draw one tensor by the recipe of the reference values."""
    if name.endswith(".num_batches_tracked"):
        return torch.tensor(7)
    if name.endswith(".running_var"):
        value = 0.5 + rng.random(shape)
    elif name.endswith(".running_mean"):
        value = 0.3 * rng.standard_normal(shape)
    elif ".activation" in name and name.endswith((".weight", ".bias")):
        value = (0.5 if name.endswith(".weight") else -0.2) + rng.random(shape)
    elif name.endswith(".bias"):
        value = 0.2 * rng.standard_normal(shape)
    else:
        gain = next((gain for part, gain in _GAINS if part in name), 1.0)
        gain = np.sqrt(shape[1]) if name.endswith(".olp.linear.weight") else gain
        value = gain * rng.standard_normal(shape) / np.sqrt(shape[1])
    return torch.from_numpy(value.astype(np.float32))


class Watch:
    """Keeps what the parts of a network give, under the names of the reference arrays."""

    def __init__(self, network: CGXAS) -> None:
        self.seen: dict[str, np.ndarray] = {}
        self._watch(network.embedding, "x_0")
        for t, module in enumerate(network.graph_modules, start=1):
            self._watch(module.convolution, f"conv_{t}")
            self._watch(module.dense, f"x_{t}", f"norm_{t}")

    def _watch(self, part: nn.Module, output: str, first_input: str | None = None) -> None:
        def keep(_module, inputs, result):
            self.seen[output] = result.detach().numpy()
            if first_input:
                self.seen[first_input] = inputs[0].detach().numpy()

        part.register_forward_hook(keep)


@pytest.fixture(scope="session")
def goldens(reference: Path) -> Goldens:
    """The reference values."""
    return Goldens(reference)


@pytest.fixture
def report(record_property) -> Report:
    """Compares with the reference values and remembers the deviations."""
    return Report(record_property)


@pytest.fixture(params=STRUCTURES)
def structure(request) -> str:
    """Each of the reference structures."""
    return request.param


@pytest.fixture(params=["f64", "f32"])
def precision(request) -> str:
    """Each of the two precisions, as the reference arrays' names end."""
    return request.param


@pytest.fixture
def dtype(precision) -> torch.dtype:
    """The type of that precision."""
    return torch.float64 if precision == "f64" else torch.float32


@pytest.fixture
def watch() -> type[Watch]:
    """Keeps what the parts of a network give."""
    return Watch
