"""The spectrum of one site as FEFF10 computes it, kept by what FEFF was told."""

import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterator
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

_FORMAT: Final = 2
_COLUMNS: Final = 6
_LOWEST: Final = -0.05  # of a simulated mu; as in the filters of the paper's authors
_HIGHEST: Final = 50.0
_FLAT: Final = 0.2  # between the lowest and the highest point
_PRE_EDGE: Final = 0.25  # of the first point, 15 eV below the Fermi level
_LAST_WAVE: Final = 3.6  # 1 / Angstrom; the card XANES asks for 3.7, in steps of 0.04


@dataclass(frozen=True, eq=False)
class SiteCurve:
    """What FEFF10 says of a site.

    Attributes:
        energy: (P,) eV, FEFF's own absolute scale.
        norm: (P,) normalised to the background 50 eV above the edge.
        converged: whether the potentials became self-consistent.
        doubts: what FEFF warns of, a few words each.
    """

    energy: FloatArray
    norm: FloatArray
    converged: bool
    doubts: tuple[str, ...] = ()

    @classmethod
    def of(cls, run: FeffRun) -> Self:
        """Read what a run left behind.

        Raises:
            SimulationError: it holds no spectrum, or part of one.
        """
        try:
            lines = run.spectrum.splitlines()
            rows = [line.split() for line in lines if line.strip() and "#" not in line]
            table = np.array([row[:_COLUMNS] for row in rows], dtype=np.float64)
            energy, wave, mu = table[:, 0], table[:, 2], table[:, 3]
            new = np.diff(energy, prepend=-np.inf) > 0  # FEFF rounds the points at the edge
            curve = checked_curve(energy[new], mu[new])
        except (ValueError, IndexError, SpectrumError) as error:
            raise SimulationError(
                "FEFF10 writes no spectrum, or one that is not of numbers: check the crystal"
            ) from error
        if wave[-1] < _LAST_WAVE:
            raise SimulationError(
                f"FEFF10 writes part of a spectrum, up to {energy[-1]:.1f} eV: check that the "
                "temporary folder has room"
            )
        if run.log.is_meaningless:
            raise SimulationError("FEFF10 says that its results are meaningless: check the crystal")
        return cls(*curve, run.log.is_converged, run.log.doubts)

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
        if low < _LOWEST or high > _HIGHEST or high - low < _FLAT:
            raise SimulationError(
                f"FEFF10 gives an absurd spectrum, from {low:.3g} to {high:.3g}: check the "
                "crystal, or try the other preset"
            )

    def warnings(self) -> Iterator[str]:
        """Yield a sentence for each cause to doubt a spectrum that is not refused."""
        for each in self.doubts:
            yield f"FEFF10 warns that {each}"
        if self.norm[0] > _PRE_EDGE:
            yield (
                f"the spectrum begins at {self.norm[0]:.2f} of the edge step, as where the core "
                "hole lives so briefly that its width hides the edge"
            )


@dataclass(frozen=True)
class _Kept:
    """A site in the cache.

    Attributes:
        format: number of the format.
        energy: eV.
        norm: normalised.
        converged: whether the potentials became self-consistent.
        doubts: what FEFF warns of.
    """

    format: Literal[2]
    energy: tuple[float, ...]
    norm: tuple[float, ...]
    converged: bool
    doubts: tuple[str, ...]


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
        return SiteCurve(*curve, kept.converged, kept.doubts)

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
        points = tuple(found.energy.tolist()), tuple(found.norm.tolist())
        kept = _Kept(_FORMAT, *points, found.converged, found.doubts)
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
