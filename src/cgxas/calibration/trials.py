"""How near spectra of compounds come to the measured ones, over all repeats."""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cgxas.calibration.measured import Compounds
from cgxas.calibration.repeats import Repeat
from cgxas.data.split import PARTS, Part
from cgxas.errors import ConfigError
from cgxas.model.calibration.gaussian import simulated_edge
from cgxas.spectra.metrics import rse
from cgxas.typing import FloatArray

_DIGITS = 5


@dataclass(frozen=True)
class Trial:
    """What a method made of one repeat.

    Attributes:
        method: its name.
        element: absorber.
        repeat: number of the repeat.
        parts: part -> names of its compounds.
        rse: compound -> relative squared error over measured points.
        edge: compound -> edge energy minus the measured one, eV.
        curves: test compound -> (P,) spectrum.
        sigma: test compound -> (P,) its standard deviation, from methods that tell one.
    """

    method: str
    element: str
    repeat: int
    parts: dict[Part, list[str]]
    rse: dict[str, float]
    edge: dict[str, float]
    curves: dict[str, list[float]]
    sigma: dict[str, list[float]]

    def mean(self, quantity: str, part: Part) -> float:
        """Return the mean RSE ("rse") or edge-energy error in eV ("edge") of a part."""
        values: dict[str, float] = getattr(self, quantity)
        return float(np.mean([abs(values[name]) for name in self.parts[part]]))


@dataclass(frozen=True)
class Summary:
    """Mean and standard deviation of a figure over repeats.

    Attributes:
        mean: over repeats of the mean over compounds.
        deviation: over repeats.
    """

    mean: float
    deviation: float

    @classmethod
    def of(cls, trials: Sequence[Trial], quantity: str, part: Part) -> "Summary":
        """Sum up the trials of one method and element."""
        values = [trial.mean(quantity, part) for trial in trials]
        return cls(float(np.mean(values)), float(np.std(values)))


def score(
    compounds: Compounds,
    repeat: Repeat,
    method: str,
    spectra: FloatArray,
    sigma: FloatArray | None = None,
) -> Trial:
    """Compare the spectra of a repeat's compounds with the measured ones.

    Args:
        compounds: all of them.
        repeat: its parts.
        method: name for the record.
        spectra: (n, P) of train, validation and test compounds, one after the other.
        sigma: (n, P) their standard deviations, if the method tells them.
    """
    numbers = np.concatenate([getattr(repeat, part) for part in PARTS])
    names = [str(name) for name in compounds.name[numbers]]
    energies = compounds.grids[repeat.element].energies
    errors = rse(compounds.target[numbers], spectra)
    edges = [
        simulated_edge(energies, curve) - compounds.e0[c]
        for c, curve in zip(numbers, spectra, strict=True)
    ]
    tested = range(len(numbers) - len(repeat.test), len(numbers))
    rounded = np.round(spectra, _DIGITS)
    return Trial(
        method,
        repeat.element,
        repeat.number,
        {part: [str(n) for n in compounds.name[getattr(repeat, part)]] for part in PARTS},
        dict(zip(names, map(float, errors), strict=True)),
        dict(zip(names, map(float, edges), strict=True)),
        {names[n]: rounded[n].tolist() for n in tested},
        {} if sigma is None else {names[n]: np.round(sigma[n], _DIGITS).tolist() for n in tested},
    )


def append_trial(path: Path, trial: Trial) -> None:
    """Add a trial to a file, a line each, so that nothing that was done is lost."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(trial)) + "\n")
        file.flush()
        os.fsync(file.fileno())


def read_trials(path: Path) -> list[Trial]:
    """Read the trials of a run; a last line that was cut short is dropped from the file.

    Raises:
        ConfigError: the file is damaged before its last line.
    """
    if not path.exists():
        return []
    lines = path.read_bytes().splitlines(keepends=True)
    if lines and not lines[-1].endswith(b"\n"):
        os.truncate(path, sum(map(len, lines[:-1])))
        lines = lines[:-1]
    try:
        return [Trial(**_checked(json.loads(line))) for line in lines]
    except (ValueError, TypeError, KeyError) as error:
        raise ConfigError(f"{path} is damaged; start the calibration anew") from error


def _checked(values: dict[str, Any]) -> dict[str, Any]:
    if set(values["parts"]) != set(PARTS):
        raise ValueError("a trial has three parts")
    return values


def by_method(trials: Iterable[Trial], element: str) -> Iterator[tuple[str, list[Trial]]]:
    """Yield the methods tried on an element, in order, with their trials."""
    mine = [trial for trial in trials if trial.element == element]
    for method in dict.fromkeys(trial.method for trial in mine):
        yield method, [trial for trial in mine if trial.method == method]
