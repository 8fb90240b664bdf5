"""Where the edge of a curve lies, and its white line: the only definitions, for every curve.

Energies are in eV, mu(E) is normalised (0 before the edge, about 1 far above it); a measured
mu(E) may be negative. Points where norm is not finite count as not measured and are left out
where a function says so.
"""

import numpy as np
import numpy.typing as npt

from cgxas.errors import SpectrumError
from cgxas.spectra.curve import checked_curve
from cgxas.typing import FloatArray

TAIL_POINTS = 10
"""Points at the end of a spectrum whose mean is the step."""

HOLD_POINTS = 10
"""Points after the edge which must stay above half the step: a pre-edge peak does not."""


def edge_energy(energy: npt.ArrayLike, norm: npt.ArrayLike) -> float:
    """Find the edge energy E0, finer than the grid step.

    The level is half the mean of the last 10 points. The edge is where norm crosses it, on the
    straight line up to the first point which reaches it and is followed by 10 points (fewer
    at the end of the array) that reach it as well; so neither a pre-edge peak nor a dip after
    the crossing misleads it. Points where norm is not finite are left out.

    Args:
        energy: Energies in eV, (P,).
        norm: Absorption, (P,).

    Returns:
        E0 in eV.

    Raises:
        SpectrumError: Not a spectrum, or one without an edge.

    Source: SPEC section 6; the rule of Lin et al., arXiv 2512.23449, with interpolation added.
    """
    x, y = checked_curve(energy, norm, gaps=True)
    index, level = _edge(y)
    if index == 0:
        return float(x[0])
    below, above = y[index - 1], y[index]
    return float(x[index - 1] + (x[index] - x[index - 1]) * (level - below) / (above - below))


def edge_energy_on_grid(energy: npt.ArrayLike, norm: npt.ArrayLike) -> float:
    """Find the edge energy as the paper's authors do: the grid point, without interpolation.

    Args:
        energy: Energies in eV, (P,).
        norm: Absorption, (P,).

    Returns:
        The energy in eV of the first point of the edge; see `edge_energy`.

    Raises:
        SpectrumError: Not a spectrum, or one without an edge.

    Source: the public code to arXiv 2512.23449; needed only to repeat the paper's numbers.
    """
    x, y = checked_curve(energy, norm, gaps=True)
    return float(x[_edge(y)[0]])


def _edge(norm: FloatArray) -> tuple[int, float]:
    """Index of the first point of the edge, and the level it reaches; norm (P,) is finite."""
    level = 0.5 * float(norm[-TAIL_POINTS:].mean())
    if level <= 0:
        raise SpectrumError("The spectrum has no edge: the mean of its last 10 points is not > 0.")
    # Repeating the last point lets windows at the end of the array be shorter than the others.
    padded = np.concatenate([norm, np.full(HOLD_POINTS, norm[-1])])
    windows = np.lib.stride_tricks.sliding_window_view(padded, HOLD_POINTS + 1)
    held = (windows >= level).all(axis=1)
    if not held.any():
        raise SpectrumError(
            f"The spectrum has no edge: it does not stay above half its final height ({level:g})."
        )
    return int(np.argmax(held)), level


def half_step_energy(
    energy: npt.ArrayLike, norm: npt.ArrayLike, step: float | None = None
) -> float:
    """Find the edge energy also where a deep dip follows a narrow white line, as in SnS.

    `edge_energy` asks norm to stay above half the step for 10 points, so that it jumps over a
    white line that is narrower than those. Here the edge is the first crossing of half the step
    after which norm reaches the whole step before it falls below the half again, or never falls
    below it: a pre-edge peak does not, a white line does. Without such a dip both rules agree.

    Args:
        energy: Energies in eV, (P,).
        norm: Absorption, (P,).
        step: Height of the edge; the mean of the last 10 points if None.

    Returns:
        E0 in eV, on the straight line between two points.

    Raises:
        SpectrumError: Not a spectrum, or one without an edge.
    """
    x, y = checked_curve(energy, norm, gaps=True)
    height = float(y[-TAIL_POINTS:].mean()) if step is None else step
    if height <= 0:
        raise SpectrumError("The spectrum has no edge: the mean of its last 10 points is not > 0.")
    level = 0.5 * height
    above = y >= level
    starts = np.flatnonzero(above & ~np.concatenate([[False], above[:-1]]))
    ends = np.flatnonzero(above & ~np.concatenate([above[1:], [False]])) + 1
    for start, end in zip(starts, ends, strict=True):
        if end == y.size or y[start:end].max() >= height:
            if start == 0:
                return float(x[0])
            slope = (y[start] - y[start - 1]) / (x[start] - x[start - 1])
            return float(x[start - 1] + (level - y[start - 1]) / slope)
    raise SpectrumError(f"The spectrum has no edge: it does not reach its step of {height:g}.")


def white_line(energy: npt.ArrayLike, norm: npt.ArrayLike, e0: float) -> tuple[float, float]:
    """Find the highest point of the spectrum above the edge.

    The maximum is refined by the parabola through it and its two neighbours, unless it lies
    at the end of the array or on a slope cut off at E0. Points where norm is not finite are
    left out.

    Args:
        energy: Energies in eV, (P,).
        norm: Absorption, (P,).
        e0: Edge energy in eV; lower energies are not searched.

    Returns:
        Energy in eV and height (in units of norm) of the maximum.

    Raises:
        SpectrumError: Not a spectrum, or no point at or above ``e0``.
    """
    x, y = checked_curve(energy, norm, gaps=True)
    start = int(np.searchsorted(x, e0))
    if start == x.size:
        raise SpectrumError(f"The spectrum ends at {x[-1]:g} eV, below its edge at {e0:g} eV.")
    top = start + int(np.argmax(y[start:]))
    interior = 0 < top < x.size - 1
    if not interior or y[top - 1] > y[top]:
        return float(x[top]), float(y[top])
    return _vertex(x[top - 1 : top + 2], y[top - 1 : top + 2])


def _vertex(x: FloatArray, y: FloatArray) -> tuple[float, float]:
    """Vertex of the parabola through three points, each (3,), of which the middle is highest."""
    left, right = (y[1] - y[0]) / (x[1] - x[0]), (y[2] - y[1]) / (x[2] - x[1])
    curvature = (right - left) / (x[2] - x[0])
    if curvature == 0:  # a flat top has no vertex
        return float(x[1]), float(y[1])
    slope = left + curvature * (x[1] - x[0])
    return float(x[1] - slope / (2 * curvature)), float(y[1] - slope**2 / (4 * curvature))
