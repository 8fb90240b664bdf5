"""What several test files need."""

import os
from pathlib import Path

import numpy as np
import pytest

from cgxas.spectra.spectrum import SiteSpectrum, Spectrum

BESIDE_THE_REPOSITORY = Path(__file__).parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference values and data, which is not part of the repository."""
    folder = Path(os.environ.get("CGXAS_SHARED", BESIDE_THE_REPOSITORY))
    if not folder.is_dir():
        pytest.skip(f"no reference values at {folder}; set CGXAS_SHARED to their folder")
    return folder


@pytest.fixture(scope="session")
def reference(shared: Path) -> Path:
    """The folder of values computed with the paper authors' own code."""
    return shared / "reference"


@pytest.fixture
def spectrum() -> Spectrum:
    """Fe2O3 with two distinct sites, four atoms and one; the edges lie at 7120 and 7122 eV."""
    energy = np.linspace(7100.0, 7155.0, 100)

    def mu(e0: float) -> np.ndarray:
        step = 0.5 + np.arctan((energy - e0) / 0.5) / np.pi
        return step + 0.6 * np.exp(-((energy - e0 - 6.0) ** 2) / 8.0)

    sites = (
        SiteSpectrum((4, 5, 6, 7), mu(7120.0), energy),
        SiteSpectrum((9,), mu(7122.0), energy),
    )
    mean = (4 * sites[0].mu + sites[1].mu) / 5
    return Spectrum(energy, mean, "Fe", sites=sites, formula="Fe2O3", model="m1", source="a.cif")


@pytest.fixture(scope="session")
def random_model(tmp_path_factory) -> Path:
    """A small model file with random weights; its spectra have an edge, but mean nothing."""
    import torch

    from cgxas.model.checkpoint import Checkpoint, ElementCard
    from cgxas.model.config import ModelConfig
    from cgxas.model.network import CGXAS
    from cgxas.spectra.windows import WINDOWS

    config = ModelConfig(hidden=16, n_modules=2)
    random = torch.Generator().manual_seed(64)
    network = CGXAS(config)
    for name, tensor in network.state_dict().items():
        if name.endswith(("running_var", "norm.weight")):
            tensor.copy_(0.5 + torch.rand(tensor.shape, generator=random))
        elif tensor.is_floating_point():
            width = tensor.shape[-1] if tensor.ndim == 2 else 16
            tensor.copy_(torch.randn(tensor.shape, generator=random) / width**0.5)
    x = torch.linspace(-15.0, 40.0, config.n_outputs)
    mean = 0.5 + torch.atan(x) / torch.pi + 0.5 * torch.exp(-((x - 6.0) ** 2) / 8.0)
    network.start_from(mean, torch.full_like(mean, 0.02))
    cards = {symbol: ElementCard(grid, 1000) for symbol, grid in WINDOWS.items()}
    cards["Fe"] = ElementCard(WINDOWS["Fe"], 2345, 321, 0.0123, 0.987)
    cards["Tc"] = ElementCard(WINDOWS["Tc"], 12)
    cards["I"] = ElementCard(WINDOWS["I"], 0)
    provenance = {"data": {"folder": "made up", "sha256": "0" * 64}, "command": "none"}
    path = tmp_path_factory.mktemp("models") / "random.safetensors"
    Checkpoint("random", config, cards, network.state_dict(), provenance).save(path)
    return path
