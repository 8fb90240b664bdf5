"""How many components a series carries: its singular values against noise and against their run."""

from dataclasses import dataclass

import numpy as np

from cgxas.mixing.faults import point_noise
from cgxas.typing import FloatArray

MOST = 10
"""More components are not looked for."""

STANDS_OUT = 1.7
"""A component stands out if it is as many times what the run of the next ones leads to expect."""

LEAST = 0.002
"""No component changes the curves by less, root mean square: none is normalised any better."""

_RUN = 4  # singular values of the run


@dataclass(frozen=True, eq=False)
class Components:
    """What principal components tell.

    Attributes:
        singular: (K,) singular values of the curves as they are, not centred.
        edge: largest singular value that noise alone would have.
        above_noise: how many are above that.
        count: how many of these also stand out of the run of those behind them; the others are
            drift, background and normalisation, which change from scan to scan as well.
        indicator: number at the minimum of Malinowski's indicator function, for comparison.
    """

    singular: FloatArray
    edge: float
    above_noise: int
    count: int
    indicator: int


def components_of(norm: FloatArray) -> Components:
    """Count the components of curves.

    A component counts if it is above what white noise gives, of the standard deviation that the
    second differences of the curves tell (the edge of the law of Marchenko and Pastur), and
    stands out, 1.7 times, of the straight line through the logarithms of the next four. Errors of
    background and energy are smooth and never white: noise alone would count them all. And none
    counts that changes the curves by less than 0.002.

    Source: Malinowski, Factor Analysis in Chemistry (2002), for the indicator function; Gavish
    and Donoho, https://doi.org/10.1109/TIT.2014.2323359, for the edge of noise; Cattell,
    https://doi.org/10.1207/s15327906mbr0102_10, for the run.

    Args:
        norm: (N, P) curves.
    """
    singular = np.asarray(np.linalg.svd(norm, compute_uv=False), dtype=np.float64)
    noise = float(np.median([point_noise(each) for each in norm]))
    edge = noise * (norm.shape[0] ** 0.5 + norm.shape[1] ** 0.5)
    above = max(1, int((singular > edge).sum()))
    least = LEAST * norm.size**0.5
    most = min(above, MOST, max(1, int((singular > least).sum())))
    count = max((k for k in range(1, most + 1) if _stands_out(singular, k)), default=1)
    return Components(singular, edge, above, count, _indicator(singular, norm.shape))


def _stands_out(singular: FloatArray, k: int) -> bool:
    """Tell whether the k-th singular value (from 1) lies above the line through the next ones."""
    after = singular[k : k + _RUN]
    after = after[after > 1e-12 * singular[0]]
    if len(after) < 2:
        return True
    x = np.arange(1, len(after) + 1)
    _, level = np.polyfit(x, np.log(after), 1)  # the line at the k-th itself
    return bool(singular[k - 1] > STANDS_OUT * np.exp(level))


def _indicator(singular: FloatArray, shape: tuple[int, ...]) -> int:
    """Return where Malinowski's indicator function is least."""
    rows, few = max(shape), min(shape)
    values = singular**2
    real = [(values[k:].sum() / (rows * (few - k))) ** 0.5 / (few - k) ** 2 for k in range(1, few)]
    return int(np.argmin(real)) + 1 if real else 1
