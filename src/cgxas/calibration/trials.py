"""How near spectra of compounds come to the measured ones, over all repeats."""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from cgxas.calibration.calibrators import Answers
from cgxas.calibration.measured import Compounds
from cgxas.calibration.repeats import Repeat
from cgxas.data.split import PARTS, Part
from cgxas.errors import ConfigError
from cgxas.jsonfile import as_kind, parsed
from cgxas.model.calibration.features import edge_of
from cgxas.reading import refuse_unreadable
from cgxas.spectra.metrics import coverage, negative_log_likelihood, rse
from cgxas.typing import FloatArray

_DIGITS = 5
_OF_SIGMA = ("within_1", "within_2", "nll")
_OF_EDGE_SIGMA = ("half_step_within_1", "half_step_within_2", "half_step_nll")
FIGURES = ("rse", "half_step", *_OF_SIGMA, *_OF_EDGE_SIGMA)
"""What a trial tells of a compound; after the first two only where there is a sigma, and one of
the half step."""


@dataclass(frozen=True)
class Trial:
    """What a method made of one repeat.

    Attributes:
        method: its name.
        element: absorber.
        repeat: number of the repeat.
        parts: part -> names of its compounds.
        rse: compound -> relative squared error over measured points.
        half_step: compound -> its half step minus the measured one, eV.
        within_1: compound -> share of measured points within one sigma; empty without sigma.
        within_2: compound -> the same within two.
        nll: compound -> mean negative log likelihood of the measured points; empty likewise.
        half_step_within_1: compound -> 1 if its measured half step lies within one sigma, else 0;
            empty if the method tells no sigma of that.
        half_step_within_2: compound -> the same within two.
        half_step_nll: compound -> negative log likelihood of it; empty likewise.
        curves: test compound -> (P,) spectrum.
        sigma: test compound -> (P,) its standard deviation, from methods that tell one.
    """

    method: str
    element: str
    repeat: int
    parts: dict[Part, list[str]]
    rse: dict[str, float]
    half_step: dict[str, float]
    within_1: dict[str, float]
    within_2: dict[str, float]
    nll: dict[str, float]
    half_step_within_1: dict[str, float]
    half_step_within_2: dict[str, float]
    half_step_nll: dict[str, float]
    curves: dict[str, list[float]]
    sigma: dict[str, list[float]]

    def mean(self, figure: str, part: Part) -> float:
        """Return the mean of a figure over a part; of half steps that of their sizes, eV."""
        values: dict[str, float] = getattr(self, figure)
        found = [values[name] for name in self.parts[part]]
        return float(np.mean(np.abs(found) if figure == "half_step" else found))

    def refuse_other_than(self, compounds: Compounds, repeat: Repeat, path: Path) -> None:
        """Refuse what was read, but is not of this repeat of these compounds.

        Raises:
            ConfigError: the file was changed by hand.
        """
        points = {len(curve) for curve in self.curves.values()}
        if self.parts != parts_of(compounds, repeat) or points != {
            compounds.grids[repeat.element].n_points
        }:
            raise ConfigError(
                f"{path} holds other compounds or energies in trial {self.repeat} of "
                f"{self.element}; start the calibration anew"
            )


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
    def of(cls, trials: Sequence[Trial], figure: str, part: Part) -> "Summary | None":
        """Sum up the trials of one method and element; None if they do not tell the figure."""
        if not all(getattr(trial, figure) for trial in trials):
            return None
        values = [trial.mean(figure, part) for trial in trials]
        return cls(float(np.mean(values)), float(np.std(values)))


def score(compounds: Compounds, repeat: Repeat, method: str, found: Answers) -> Trial:
    """Compare the spectra of a repeat's compounds with the measured ones.

    Args:
        compounds: all of them.
        repeat: its parts.
        method: name for the record.
        found: spectra of train, validation and test compounds, one after the other.
    """
    numbers = np.concatenate([getattr(repeat, part) for part in PARTS])
    names = [str(name) for name in compounds.name[numbers]]
    energies, target = compounds.grids[repeat.element].energies, compounds.target[numbers]
    edges = np.array([edge_of(energies, curve) for curve in found.norm])
    measured = compounds.half_step[numbers]
    figures = {"rse": rse(target, found.norm), "half_step": edges - measured}
    if found.sigma is not None:
        told = _of_sigma(target, found.norm, found.sigma)
        figures |= dict(zip(_OF_SIGMA, told, strict=True))
    if found.edge_sigma is not None:
        told = _of_sigma(*(each[:, None] for each in (measured, edges, found.edge_sigma)))
        figures |= dict(zip(_OF_EDGE_SIGMA, told, strict=True))
    tested = range(len(numbers) - len(repeat.test), len(numbers))
    sigma = {} if found.sigma is None else {names[n]: _rounded(found.sigma[n]) for n in tested}
    by_name = {name: dict(zip(names, map(float, v), strict=True)) for name, v in figures.items()}
    return Trial(
        method=method,
        element=repeat.element,
        repeat=repeat.number,
        parts=parts_of(compounds, repeat),
        curves={names[n]: _rounded(found.norm[n]) for n in tested},
        sigma=sigma,
        **{name: by_name.get(name, {}) for name in FIGURES},
    )


def parts_of(compounds: Compounds, repeat: Repeat) -> dict[Part, list[str]]:
    """Return the names of the compounds in each part."""
    return {part: [str(n) for n in compounds.name[getattr(repeat, part)]] for part in PARTS}


def _of_sigma(
    target: FloatArray, predicted: FloatArray, sigma: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return (T,) coverages at one and two sigma, and negative log likelihoods, of rows."""
    one, two = (coverage(target, predicted, sigma, n) for n in (1, 2))
    return one, two, negative_log_likelihood(target, predicted, sigma)


def _rounded(curve: FloatArray) -> list[float]:
    return [float(value) for value in np.round(curve, _DIGITS)]


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
    if not path.exists() or (path.is_file() and not path.stat().st_size):
        return []
    refuse_unreadable(path, ConfigError)
    lines = path.read_bytes().splitlines(keepends=True)
    if lines and not lines[-1].endswith(b"\n"):
        os.truncate(path, sum(map(len, lines[:-1])))
        lines = lines[:-1]
    try:
        return [_checked(as_kind(Trial, parsed(line))) for line in lines]
    except ValueError as error:
        raise ConfigError(f"{path} is damaged: {error}; start the calibration anew") from error


def _checked(trial: Trial) -> Trial:
    """Refuse what `Trial.mean` would trip over."""
    if set(trial.parts) != set(PARTS) or not all(trial.parts.values()):
        raise ValueError("a trial has three parts with compounds")
    compounds = {name for names in trial.parts.values() for name in names}
    for figure in FIGURES:
        values = getattr(trial, figure)
        if compounds - set(values) and (values or figure in FIGURES[:2]):
            raise ValueError(f"{figure} lacks a compound")
    if set(trial.curves) != set(trial.parts["test"]):
        raise ValueError("a trial has a curve of each compound that was tested, and of no other")
    if any(len(trial.curves.get(name, ())) != len(trial.sigma[name]) for name in trial.sigma):
        raise ValueError("a curve and its sigma have different lengths")
    return trial


def by_method(trials: Iterable[Trial], element: str) -> Iterator[tuple[str, list[Trial]]]:
    """Yield the methods tried on an element, in order, with their trials."""
    mine = [trial for trial in trials if trial.element == element]
    for method in dict.fromkeys(trial.method for trial in mine):
        yield method, [trial for trial in mine if trial.method == method]
