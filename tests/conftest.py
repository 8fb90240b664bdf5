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
