"""The spectrum of one site as FEFF10 computes it, kept by what FEFF was told."""

import hashlib
import json
import os
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final, Literal, Self

import numpy as np

from cgxas.errors import CgxasError, MissingExtra, OutputError, SimulationError, SpectrumError
from cgxas.jsonfile import JsonFile
from cgxas.simulation.process import FeffRun, run_feff
from cgxas.spectra.curve import checked_curve
from cgxas.typing import FloatArray
from cgxas.writing import atomic_path

_FORMAT: Final = 1
_COLUMNS: Final = 6
_LOWEST: Final = -0.05  # of a simulated mu; as in the filters of the paper's authors
_HIGHEST: Final = 50.0


@dataclass(frozen=True, eq=False)
class SiteCurve:
    """What FEFF10 says of a site.

    Attributes:
        energy: (P,) eV, FEFF's own absolute scale.
        norm: (P,) normalised to the background 50 eV above the edge.
        converged: whether the potentials became self-consistent.
    """

    energy: FloatArray
    norm: FloatArray
    converged: bool

    @classmethod
    def of(cls, run: FeffRun) -> Self:
        """Read what a run left behind.

        Raises:
            SimulationError: it holds no spectrum.
        """
        try:
            lines = run.spectrum.splitlines()
            rows = [line.split() for line in lines if line.strip() and "#" not in line]
            table = np.array([row[:_COLUMNS] for row in rows], dtype=np.float64)
            energy, mu = table[:, 0], table[:, 3]
            new = np.diff(energy, prepend=-np.inf) > 0  # FEFF rounds the points at the edge
            return cls(*checked_curve(energy[new], mu[new]), run.converged)
        except (ValueError, IndexError, SpectrumError) as error:
            raise SimulationError("FEFF10 writes no spectrum: check the crystal") from error

    def refuse_doubtful(self) -> None:
        """Refuse a spectrum that is not to be trusted.

        Raises:
            SimulationError: the potentials are not self-consistent, or the numbers absurd.
        """
        if not self.converged:
            raise SimulationError(
                "FEFF10 does not reach self-consistent potentials in 30 rounds, so that its "
                "spectrum is not to be trusted: check the crystal, or try the other preset"
            )
        low, high = float(self.norm.min()), float(self.norm.max())
        if low < _LOWEST or high > _HIGHEST:
            raise SimulationError(
                f"FEFF10 gives an absurd spectrum, from {low:.3g} to {high:.3g}: check the "
                "crystal, or try the other preset"
            )


@dataclass(frozen=True)
class _Kept:
    """A site in the cache.

    Attributes:
        format: number of the format.
        energy: eV.
        norm: normalised.
        converged: whether the potentials became self-consistent.
    """

    format: Literal[1]
    energy: tuple[float, ...]
    norm: tuple[float, ...]
    converged: bool


def feff_version() -> str:
    """Return which release of feff10-rs is installed.

    Raises:
        MissingExtra: none is.
    """
    try:
        return version("feff10-rs")
    except PackageNotFoundError as error:
        raise MissingExtra.of("feff10-rs", "feff") from error


@dataclass(frozen=True)
class Cache:
    """A folder of what was computed before.

    Attributes:
        folder: where it lies.
    """

    folder: Path

    @classmethod
    def usual(cls) -> Self:
        """Return the user's: ``feff`` in ``$CGXAS_CACHE``, or in ``~/.cache/cgxas``."""
        own = os.environ.get("CGXAS_CACHE")
        return cls((Path(own) if own else Path.home() / ".cache" / "cgxas") / "feff")

    def path(self, text: str) -> Path:
        """Return the file of a site by what FEFF is told, and which FEFF."""
        told = f"{_FORMAT}\n{feff_version()}\n{text}"
        return self.folder / f"{hashlib.sha256(told.encode()).hexdigest()}.json"

    def read(self, text: str) -> SiteCurve | None:
        """Return what came of a site; None if it was not computed yet, or the file is damaged."""
        path = self.path(text)
        if not path.is_file():
            return None
        try:
            file = JsonFile(path, SimulationError, "simulation", "remove it")
            kept = file.as_kind(_Kept, newest=_FORMAT)
            curve = checked_curve(np.array(kept.energy), np.array(kept.norm))
        except CgxasError:
            return None
        return SiteCurve(*curve, kept.converged)

    def write(self, text: str, found: SiteCurve) -> None:
        """Keep what came of a site.

        Raises:
            OutputError: the folder cannot be written.
        """
        path = self.path(text)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"{path.parent} cannot be made: {error.strerror}; set CGXAS_CACHE to a folder of "
                "your own"
            ) from error
        kept = _Kept(
            _FORMAT, tuple(found.energy.tolist()), tuple(found.norm.tolist()), found.converged
        )
        with atomic_path(path) as temporary:
            temporary.write_text(json.dumps(asdict(kept)) + "\n", encoding="utf-8")


def site_curve(
    text: str,
    timeout: float | None,
    on_stage: Callable[[str], None],
    stop: threading.Event,
    cache: Cache,
) -> SiteCurve:
    """Return the spectrum of a site, out of the cache if it was computed before.

    What did not become self-consistent is kept as well; what failed or took too long is not.

    Args:
        text: of feff.inp.
        timeout: seconds after which the run is ended; None for never.
        on_stage: told the name of each program of FEFF as it starts.
        stop: ends the run when it is set.
        cache: of earlier runs.

    Raises:
        SimulationError: there is no spectrum to be trusted; the message says why.
        Interrupted: `stop` was set.
    """
    found = cache.read(text)
    if found is None:
        found = SiteCurve.of(run_feff(text, timeout, on_stage, stop))
        cache.write(text, found)
    found.refuse_doubtful()
    return found
