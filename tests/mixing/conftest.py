"""Made-up series: two or three iron phases whose fractions are known."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cgxas.mixing.references import Reference
from cgxas.spectra.measurement import Measurement

pytest.importorskip("larch")

ENERGY = np.arange(7080.0, 7260.0, 0.5)
PHASES = {"a": (7119.0, 0.5, 7125.0), "b": (7121.5, 0.8, 7127.5), "c": (7124.0, 0.2, 7133.0)}
"""Edge, height and place of the white line."""


def phase(name: str, energy: np.ndarray = ENERGY, shift: float = 0.0) -> np.ndarray:
    """A normalised curve with the width of the core hole of iron."""
    edge, height, line = PHASES[name]
    x = energy - shift
    step = 0.5 + np.arctan((x - edge) / 0.8) / np.pi
    return (
        step + height * np.exp(-((x - line) ** 2) / 10.0) + 0.05 * np.sin((x - line) / 7.0) * step
    )


@pytest.fixture(scope="session")
def references() -> list[Reference]:
    return [Reference(name, ENERGY, phase(name)) for name in PHASES]


@pytest.fixture(scope="session")
def mixed() -> Callable[..., np.ndarray]:
    """Makes scans of known fractions, (N, P)."""

    def make(fractions, noise=0.01, seed=0, shift=0.0, energy=ENERGY) -> np.ndarray:
        names = list(PHASES)[: np.shape(fractions)[1]]
        curves = np.array([phase(name, energy, shift) for name in names])
        clean = np.asarray(fractions) @ curves
        return clean + noise * np.random.default_rng(seed).normal(size=clean.shape)

    return make


@pytest.fixture(scope="session")
def measured() -> Callable[..., Measurement]:
    """Makes a measurement of a normalised curve."""

    def make(norm, label="scan", energy=ENERGY, mu=None, **more) -> Measurement:
        about = {"element": "Fe", "edge": "K", "kind": "normalised", "format": "", "source": label}
        about |= {"label": label, "edge_step": 1.0}
        return Measurement(energy, norm if mu is None else mu, norm, **(about | more))

    return make


@pytest.fixture(scope="session")
def write_series() -> Callable[..., Path]:
    """Writes raw scans, a file each: a step of 0.7 on a falling background."""

    def write(folder: Path, norm: np.ndarray, name: str = "scan_{}.dat") -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for n, each in enumerate(norm, 1):
            mu = 0.4 - 2e-4 * (ENERGY - 7120.0) + 0.7 * each
            table = np.transpose([ENERGY, mu])
            np.savetxt(folder / name.format(n), table, header="energy mu")
        return folder

    return write
