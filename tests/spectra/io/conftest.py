"""Curves to be written, and texts to be read."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cgxas.spectra.io.scan import Scan
from cgxas.spectra.measurement import Measurement
from cgxas.spectra.normalise import normalise
from cgxas.spectra.spectrum import SiteSpectrum, Spectrum


@pytest.fixture
def banded(spectrum) -> Spectrum:
    """Fe2O3 with two distinct sites, and a band."""
    return dataclasses.replace(spectrum, sigma=np.linspace(0.01, 0.05, 100) / 3)


@pytest.fixture
def measurement(scanned) -> Measurement:
    """A noisy scan in transmission, with an energy shift."""
    pytest.importorskip("larch")
    scan = Scan(*scanned(noise=1e-3), "transmission", "columns", "a.dat", "hematite", "Fe", "K")
    return normalise(dataclasses.replace(scan, energy_shift=0.75))


@pytest.fixture
def flat() -> Spectrum:
    """A curve without an edge."""
    return Spectrum(np.arange(40.0), np.zeros(40), "Fe")


@pytest.fixture
def half_step(monkeypatch) -> float:
    """The half step of every curve in this test."""
    for curve in (Spectrum, SiteSpectrum, Measurement):
        monkeypatch.setattr(curve, "half_step_or_none", lambda self: 7119.25, raising=False)
    return 7119.25


@pytest.fixture(scope="session")
def write() -> Callable[..., Path]:
    """Writes columns of numbers below a header."""

    def text(path: Path, header: str, *columns: np.ndarray, separator: str = " ") -> Path:
        rows = zip(*columns, strict=True)
        lines = [separator.join(f"{value:.10g}" for value in row) for row in rows]
        path.write_text("\n".join([*filter(None, [header]), *lines]) + "\n")
        return path

    return text


@pytest.fixture(scope="session")
def old_rows() -> Callable[..., str]:
    """The numbers of a prediction as version 0.1.0 wrote them."""

    def rows(separator: str, energy: np.ndarray, *curves: np.ndarray) -> str:
        lines = []
        for first, *values in zip(energy, *curves, strict=True):
            lines.append(separator.join([f"{first:.8f}", *(f"{value:.10g}" for value in values)]))
        return "\n".join(lines) + "\n"

    return rows
