"""The few references, out of many, that explain a scan."""

from itertools import combinations, islice
from math import comb

import numpy as np

from cgxas.errors import SpectrumError
from cgxas.typing import FloatArray

MOST_CHOICES = 200_000
"""More choices of references than these are not tried."""

AS_GOOD = 0.1
"""Choices whose misfit is larger by no more than this share are as good."""

_AT_ONCE = 20_000


def best_subset(y: FloatArray, curves: FloatArray, most: int) -> tuple[tuple[int, ...], int]:
    """Return the references that explain a scan best, at most so many, and how many are as good.

    Of each number of references the choice of least squares is found by trying all. One more is
    taken as long as Schwarz's criterion falls, with as many points as are independent by the
    left-over of the fit.

    Args:
        y: (P,) the scan.
        curves: (R, P) references.
        most: so many at most.

    Returns:
        Their numbers, and how many other choices of as many fit as well within a tenth.

    Raises:
        SpectrumError: there are too many choices.
    """
    n = len(curves)
    most = min(most, n)
    if (choices := sum(comb(n, k) for k in range(1, most + 1))) > MOST_CHOICES:
        raise SpectrumError(
            f"{most} of {n} references can be chosen in {choices:,} ways, more than "
            f"{MOST_CHOICES:,}: allow fewer with --most, or name fewer references"
        )
    gram, projected = curves @ curves.T, curves @ y
    best: tuple[float, tuple[int, ...], int] = (np.inf, (0,), 0)
    for k in range(1, most + 1):
        chosen, rest, as_good = _best_of(k, gram, projected, float(y @ y))
        if not chosen:
            break
        independent = _independent(y, curves[list(chosen)])
        score = independent * np.log(rest / y.size) + k * np.log(independent)
        if score >= best[0]:
            break
        best = (score, chosen, as_good)
    return best[1], best[2]


def _best_of(
    k: int, gram: FloatArray, projected: FloatArray, square: float
) -> tuple[tuple[int, ...], float, int]:
    """Return the best choice of k with weights above 0, its squares, and how many are as good.

    A choice with weights below 0 has its non-negative best among those of fewer references.
    """
    rests: list[FloatArray] = []
    sets: list[np.ndarray] = []
    every = combinations(range(len(gram)), k)
    while block := list(islice(every, _AT_ONCE)):
        at = np.array(block)
        inner = gram[at[:, :, None], at[:, None, :]]
        inner = inner + 1e-10 * np.eye(k) * np.trace(gram)
        weights = np.linalg.solve(inner, projected[at][..., None])[..., 0]
        rest = square - (weights * projected[at]).sum(axis=1)
        positive = (weights > 0).all(axis=1)
        rests.append(np.maximum(rest[positive], 1e-300))
        sets.append(at[positive])
    rest, at = np.concatenate(rests), np.concatenate(sets)
    if not rest.size:
        return (), np.inf, 0
    best = int(np.argmin(rest))
    as_good = int((rest <= (1 + AS_GOOD) * rest[best]).sum()) - 1
    return tuple(int(each) for each in at[best]), float(rest[best]), as_good


def _independent(y: FloatArray, curves: FloatArray) -> float:
    """Return as how many independent points those of a scan count."""
    rest = y - curves.T @ np.linalg.lstsq(curves.T, y)[0]
    alike = float(np.clip((rest[1:] @ rest[:-1]) / max(float(rest @ rest), 1e-300), 0.0, 0.95))
    return max(len(curves) + 2.0, y.size * (1 - alike) / (1 + alike))
