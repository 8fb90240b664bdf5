"""FEFF as tests have it: a stand-in that answers at once."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cgxas.errors import SimulationError
from cgxas.simulation import sites
from cgxas.simulation.log import FeffLog
from cgxas.simulation.process import FeffRun


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    """An empty cache."""
    monkeypatch.setenv("CGXAS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "feff"


@pytest.fixture
def feff(monkeypatch) -> Callable[..., list[str]]:
    """Put a step at an energy in the place of FEFF; returns what it is told, as it is told."""

    def stand_in(
        edge: Callable[[str], float] = lambda text: 530.0, converged: bool = True, says: str = ""
    ):
        log = FeffLog(Path("nowhere"))
        told: list[str] = []

        def run(text, timeout, on_stage, stop):
            told.append(text)
            where = edge(text)
            if not np.isfinite(where):
                raise SimulationError("FEFF10 fails: made up")
            energy = where + np.linspace(-15.0, 40.0, 100)
            norm = 0.5 + np.arctan(energy - where) / np.pi
            wave = np.linspace(-1.0, 3.72, 100)
            rows = [
                f"{e:.6f} 0 {k:.4f} {m:.8f} 0 0" for e, k, m in zip(energy, wave, norm, strict=True)
            ]
            log.text = ("Convergence reached in 9\n" if converged else "") + says
            return FeffRun("\n".join(["# omega e k mu mu0 chi @#", *rows]), log)

        monkeypatch.setattr(sites, "run_feff", run)
        return told

    return stand_in


@pytest.fixture
def damage(cache) -> Callable[[], None]:
    """Cut what is kept short."""

    def cut() -> None:
        for path in cache.glob("*.json"):
            assert json.loads(path.read_text())
            path.write_text(path.read_text()[:50])

    return cut
