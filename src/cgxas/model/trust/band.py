"""The standard deviation of an answer, point by point, calibrated on compounds that were kept back.

The error of a curve is as large as expected of it (`ExpectedError`), and spread over the energies
as it is on average for absorbers of its band of atomic numbers. Errors have heavier tails than a
normal distribution, so one number per band is chosen such that both one and two standard
deviations hold about as much as they should.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import torch
from torch import Tensor

from cgxas.spectra.axis import trapezoid_widths
from cgxas.typing import FloatArray, IntArray

BANDS: Final = (10, 21, 37)
"""Atomic numbers at which a new band begins: up to 9, 11 to 20, 21 to 36, above."""

_WANTED: Final = ((0.61, 0.68, 0.75), (0.91, 0.95, 0.98))
"""Least, best and largest share of points within one and two standard deviations: others differ."""

_FACTORS: Final[FloatArray] = np.geomspace(0.4, 2.5, 185)
_FADE: Final = 3.0  # eV, by which errors fall off below the first point, as curves do


@dataclass(frozen=True, eq=False, repr=False)
class Band:
    """Standard deviations of curves whose expected error is known.

    Attributes:
        relative: (P,) energies relative to the edge, eV.
        shape: (4, P) standard deviation of each band of atomic numbers there, in units of the
            root of the expected relative error times the root mean square of the curve.
    """

    relative: Tensor
    shape: Tensor

    @classmethod
    def fit(
        cls,
        relative: FloatArray,
        true: FloatArray,
        predicted: FloatArray,
        log_error: FloatArray,
        element: IntArray,
    ) -> Self:
        """Learn from spectra of compounds that were kept back.

        Args:
            relative: (P,) energies relative to the edge, eV.
            true: (n, P) spectra; not finite where there is none.
            predicted: (n, P) as they were predicted.
            log_error: (n,) expected logarithms of the relative errors.
            element: (n,) atomic numbers of the absorbers.
        """
        known = np.isfinite(true)
        weight = trapezoid_widths(relative, known)
        size = np.exp(log_error / 2) * _size(relative, predicted, known)
        apart = np.where(known, np.abs(true - predicted), np.nan) / size[:, None]
        usual = _usual(apart)
        shapes = []
        for band in range(len(BANDS) + 1):
            inside = np.digitize(element, BANDS) == band
            own = apart[inside]
            shape = _usual(own, usual) if len(own) else usual
            shapes.append(shape * (_factor(own / shape, weight[inside]) if len(own) else 1.0))
        return cls(torch.from_numpy(relative).float(), torch.from_numpy(np.array(shapes)).float())

    def sigma(
        self, relative: FloatArray, curve: FloatArray, log_error: float, element: int
    ) -> FloatArray:
        """Return (Q,) standard deviations of a curve.

        Args:
            relative: (Q,) energies relative to the edge, eV; the band goes on as it ends, below
                it fades.
            curve: (Q,) the predicted curve.
            log_error: expected logarithm of its relative error.
            element: atomic number of the absorber.
        """
        own, shape = self.relative.double().numpy(), self.shape.double().numpy()
        each = np.interp(relative, own, shape[np.digitize(element, BANDS)])
        below = np.maximum(own[0] - relative, 0.0)
        each = each / (1 + (below / _FADE) ** 2)
        inside = (relative >= own[0]) & (relative <= own[-1])
        size = _size(relative, curve[None], inside[None])[0]
        return np.asarray(np.exp(log_error / 2) * size * each)

    @property
    def tensors(self) -> dict[str, Tensor]:
        """All numbers by name, for a file."""
        return dict(vars(self))

    @classmethod
    def restore(cls, tensors: Mapping[str, Tensor]) -> Self:
        """Undo `tensors`; TypeError or ValueError if they do not fit."""
        found = cls(**tensors)
        if found.shape.shape != (len(BANDS) + 1, len(found.relative)) or found.relative.ndim != 1:
            raise ValueError("the band of a model does not fit together")
        return found


def _size(relative: FloatArray, curves: FloatArray, known: FloatArray) -> FloatArray:
    """Return (n,) root mean squares of curves over the energies where they are known."""
    weight = trapezoid_widths(relative, known)
    return np.asarray(np.sqrt((weight * curves**2).sum(axis=1) / weight.sum(axis=1)))


def _usual(apart: FloatArray, otherwise: FloatArray | None = None) -> FloatArray:
    """Return (P,) root mean squares of deviations; of another array where there are none."""
    counts = np.isfinite(apart).sum(axis=0)
    found = np.sqrt(np.nansum(apart**2, axis=0) / np.maximum(counts, 1))
    known = found[counts > 0]
    rest = (known.mean() if len(known) else 1.0) if otherwise is None else otherwise
    return np.asarray(np.maximum(np.where(counts > 0, found, rest), 1e-6))


def _factor(apart: FloatArray, weight: FloatArray) -> float:
    """Return by what to multiply standard deviations so that they hold what they should.

    Args:
        apart: (n, P) deviations in units of the standard deviations; not finite where unknown.
        weight: (n, P) how much energy each point stands for, 0 where it is unknown.
    """
    if not (weight > 0).any():
        return 1.0
    order = np.argsort(apart[weight > 0])
    known, held = apart[weight > 0][order], np.cumsum(weight[weight > 0][order])

    def balance(factor: float) -> float:
        """Return how far the worse of both shares lies inside what is allowed; 1 is best."""
        inside: list[float] = []
        for times, (least, best, most) in enumerate(_WANTED, start=1):
            share = float(np.interp(times * factor, known, held) / held[-1])
            room = best - least if share < best else most - best
            inside.append(1 - abs(share - best) / room)
        return min(inside)

    factors: list[float] = _FACTORS.tolist()
    return max(factors, key=balance)
