"""The relative squared error to expect of an answer, learnt from compounds that were kept back.

The logarithm of the error is a straight function of the logarithms of what is new about a compound
and, where there are two predictors, of how far they disagree; each absorber has an error of its
own, drawn to a smooth curve in its atomic number where few were kept back.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import torch
from torch import Tensor

from cgxas.elements import MAX_ATOMIC_NUMBER
from cgxas.typing import FloatArray, IntArray

_NEW: Final = 3  # numbers that tell what is new
_TREND: Final = 3  # constant, slope and bend in the logarithm of the atomic number
_LOOSE, _OWN, _SLOPE = 1e-3, 2.0, 1.0  # how much the numbers are drawn to 0
_LEAST: Final = 1e-4  # distances and disagreements below it are the same


@dataclass(frozen=True, eq=False)
class ExpectedError:
    """A fitted error.

    Attributes:
        slopes: (3,) or (4,) of what is new, and of the disagreement.
        own: (103,) logarithm of the usual error of each absorber.
        spread: () standard deviation of the logarithm of an error around it.
    """

    slopes: Tensor
    own: Tensor
    spread: Tensor

    @classmethod
    def fit(
        cls,
        rse: FloatArray,
        element: IntArray,
        newness: FloatArray,
        disagreement: FloatArray | None = None,
    ) -> Self:
        """Learn from spectra of compounds that were kept back.

        Args:
            rse: (n,) relative squared errors of their spectra.
            element: (n,) atomic numbers of their absorbers.
            newness: (n, 3) what is new about them, `Newness.numbers`.
            disagreement: (n,) relative squared differences of two predictors; None: there is one.
        """
        features = _features(newness, disagreement)
        trend = _trends()
        one_of = np.eye(MAX_ATOMIC_NUMBER)[element - 1]
        columns = np.hstack([trend[element - 1], features, one_of])
        drawn = np.concatenate(
            [
                np.full(_TREND, _LOOSE),
                np.full(features.shape[1], _SLOPE),
                np.full(MAX_ATOMIC_NUMBER, _OWN),
            ]
        )
        log = np.log(np.maximum(rse, 1e-9))
        found = np.linalg.solve(columns.T @ columns + np.diag(drawn), columns.T @ log)
        slopes = np.maximum(found[_TREND : _TREND + features.shape[1]], 0.0)
        # An error that grows less with the distance than by chance is none to be told.
        spread = np.std(log - columns @ found)
        own = trend @ found[:_TREND] + found[_TREND + features.shape[1] :]
        parts = (slopes, own, np.array(spread))
        return cls(*(torch.from_numpy(each).float() for each in parts))

    def log(
        self, element: IntArray, newness: FloatArray, disagreement: FloatArray | None = None
    ) -> FloatArray:
        """Return (n,) expected logarithms of the error.

        Args:
            element: (n,) atomic numbers of the absorbers.
            newness: (n, 3) what is new about the compounds.
            disagreement: (n,) relative squared differences of two predictors, where it was learnt
                from them.
        """
        usual = self.own.double().numpy()[element - 1]
        slopes = self.slopes.double().numpy()
        features = _features(newness, disagreement)[:, : len(slopes)]
        return np.asarray(usual + features @ slopes)

    def rse(self, log: FloatArray) -> FloatArray:
        """Return (n,) expected errors, the means of what is spread around `log`."""
        return np.asarray(np.exp(log + float(self.spread) ** 2 / 2))

    @property
    def needs_two(self) -> bool:
        """Whether it was learnt from two predictors, whose disagreement has to be told."""
        return len(self.slopes) > _NEW

    @property
    def tensors(self) -> dict[str, Tensor]:
        """All numbers by name, for a file."""
        return dict(vars(self))

    @classmethod
    def restore(cls, tensors: Mapping[str, Tensor]) -> Self:
        """Undo `tensors`; TypeError or ValueError if they do not fit."""
        found = cls(**tensors)
        shapes = [tuple(each.shape) for each in vars(found).values()]
        if shapes not in ([(n,), (MAX_ATOMIC_NUMBER,), ()] for n in (_NEW, _NEW + 1)):
            raise ValueError("what is said of expected errors does not fit together")
        return found


def _features(newness: FloatArray, disagreement: FloatArray | None) -> FloatArray:
    distance, *others = newness.T
    columns = [np.log(np.maximum(distance, _LEAST)), *(np.log1p(np.abs(each)) for each in others)]
    if disagreement is not None:
        columns.append(np.log(np.maximum(disagreement, _LEAST)))
    return np.stack(columns, axis=1)


def _trends() -> FloatArray:
    log = np.log(np.arange(1, MAX_ATOMIC_NUMBER + 1)) - 3.0
    return np.stack([np.ones_like(log), log, log**2], axis=1)
