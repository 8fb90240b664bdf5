"""Spectra as bare arrays: the only definition of the edge, the white line, the way onto a grid.

Energies are in eV, mu(E) is normalised (0 before the edge, about 1 far above it); a measured
mu(E) may be negative. Points where mu is not finite count as not measured and are left out
where a function says so.
"""

from typing import Literal

import numpy as np
import numpy.typing as npt

from cgxas.errors import SpectrumError

FloatArray = npt.NDArray[np.float64]

TAIL_POINTS = 10
"""Points at the end of a spectrum whose mean is the step."""

HOLD_POINTS = 10
"""Points after the edge which must stay above half the step: a pre-edge peak does not."""

PAD_POINTS = 5
"""Points at the end of a spectrum whose mean continues it to higher energy."""


def checked_curve(
    energy: npt.ArrayLike, mu: npt.ArrayLike, gaps: bool = False
) -> tuple[FloatArray, FloatArray]:
    """Turn two sequences into the arrays of a spectrum, or refuse them.

    Args:
        energy: Energies in eV, (P,), strictly increasing.
        mu: Absorption, (P,).
        gaps: Leave out points where ``mu`` is not finite instead of refusing them.

    Returns:
        New float64 arrays energy and mu, each (P,), or fewer where gaps were left out.

    Raises:
        SpectrumError: The arrays are empty, of unequal length, not finite or not increasing.
    """
    x, y = _finite_numbers(energy, "energy"), _numbers(mu, "mu")
    if x.size != y.size:
        raise SpectrumError(f"A spectrum has {x.size} energies but {y.size} values of mu.")
    if (np.diff(x) <= 0).any():
        first = int(np.argmax(np.diff(x) <= 0)) + 1
        raise SpectrumError(
            f"The energies must increase strictly, but {x[first]:g} eV follows {x[first - 1]:g} eV:"
            " sort the points and merge repeated energies."
        )
    known = np.isfinite(y)
    if not known.all() and not (gaps and known.any()):
        raise SpectrumError(
            f"mu is not finite at {y.size - known.sum()} of {y.size} points: remove those points."
        )
    return x[known], y[known]


def _numbers(values: npt.ArrayLike, name: str) -> FloatArray:
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise SpectrumError(f"The {name} of a spectrum must be real numbers.") from error
    if array.ndim != 1 or array.size == 0:
        raise SpectrumError(
            f"The {name} of a spectrum must be one row of numbers, not shape {array.shape}."
        )
    return array


def _finite_numbers(values: npt.ArrayLike, name: str) -> FloatArray:
    array = _numbers(values, name)
    if not np.isfinite(array).all():
        raise SpectrumError(f"The {name} of a spectrum is not finite at some points: remove them.")
    return array


def edge_energy(energy: npt.ArrayLike, mu: npt.ArrayLike) -> float:
    """Find the edge energy E0, finer than the grid step.

    The level is half the mean of the last 10 points. The edge is where mu crosses it, on the
    straight line up to the first point which reaches it and is followed by 10 points (fewer
    at the end of the array) that reach it as well; so neither a pre-edge peak nor a dip after
    the crossing misleads it. Points where mu is not finite are left out.

    Args:
        energy: Energies in eV, (P,).
        mu: Absorption, (P,).

    Returns:
        E0 in eV.

    Raises:
        SpectrumError: Not a spectrum, or one without an edge.

    Source: SPEC section 6; the rule of Lin et al., arXiv 2512.23449, with interpolation added.
    """
    x, y = checked_curve(energy, mu, gaps=True)
    index, level = _edge(y)
    if index == 0:
        return float(x[0])
    below, above = y[index - 1], y[index]
    return float(x[index - 1] + (x[index] - x[index - 1]) * (level - below) / (above - below))


def edge_energy_on_grid(energy: npt.ArrayLike, mu: npt.ArrayLike) -> float:
    """Find the edge energy as the paper's authors do: the grid point, without interpolation.

    Args:
        energy: Energies in eV, (P,).
        mu: Absorption, (P,).

    Returns:
        The energy in eV of the first point of the edge; see `edge_energy`.

    Raises:
        SpectrumError: Not a spectrum, or one without an edge.

    Source: the public code to arXiv 2512.23449; needed only to repeat the paper's numbers.
    """
    x, y = checked_curve(energy, mu, gaps=True)
    return float(x[_edge(y)[0]])


def _edge(mu: FloatArray) -> tuple[int, float]:
    """Index of the first point of the edge, and the level it reaches; mu (P,) is finite."""
    level = 0.5 * float(mu[-TAIL_POINTS:].mean())
    if level <= 0:
        raise SpectrumError("The spectrum has no edge: the mean of its last 10 points is not > 0.")
    # Repeating the last point lets windows at the end of the array be shorter than the others.
    padded = np.concatenate([mu, np.full(HOLD_POINTS, mu[-1])])
    windows = np.lib.stride_tricks.sliding_window_view(padded, HOLD_POINTS + 1)
    held = (windows >= level).all(axis=1)
    if not held.any():
        raise SpectrumError(
            f"The spectrum has no edge: it does not stay above half its final height ({level:g})."
        )
    return int(np.argmax(held)), level


def half_step_energy(energy: npt.ArrayLike, mu: npt.ArrayLike, step: float | None = None) -> float:
    """Find the edge energy also where a deep dip follows a narrow white line, as in SnS.

    `edge_energy` asks mu to stay above half the step for 10 points, so that it jumps over a
    white line that is narrower than those. Here the edge is the first crossing of half the step
    after which mu reaches the whole step before it falls below the half again, or never falls
    below it: a pre-edge peak does not, a white line does. Without such a dip both rules agree.

    Args:
        energy: Energies in eV, (P,).
        mu: Absorption, (P,).
        step: Height of the edge; the mean of the last 10 points if None.

    Returns:
        E0 in eV, on the straight line between two points.

    Raises:
        SpectrumError: Not a spectrum, or one without an edge.
    """
    x, y = checked_curve(energy, mu, gaps=True)
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


def white_line(energy: npt.ArrayLike, mu: npt.ArrayLike, e0: float) -> tuple[float, float]:
    """Find the highest point of the spectrum above the edge.

    The maximum is refined by the parabola through it and its two neighbours, unless it lies
    at the end of the array or on a slope cut off at E0. Points where mu is not finite are
    left out.

    Args:
        energy: Energies in eV, (P,).
        mu: Absorption, (P,).
        e0: Edge energy in eV; lower energies are not searched.

    Returns:
        Energy in eV and height (in units of mu) of the maximum.

    Raises:
        SpectrumError: Not a spectrum, or no point at or above ``e0``.
    """
    x, y = checked_curve(energy, mu, gaps=True)
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


def onto_grid(
    energy: npt.ArrayLike,
    mu: npt.ArrayLike,
    grid: npt.ArrayLike,
    right: Literal["mean", "one"] = "mean",
) -> FloatArray:
    """Bring a spectrum onto an energy grid as the paper's training data were.

    Linear interpolation; below the first energy 0; at the last energy and above it the mean
    of the last 5 values, or 1.

    Args:
        energy: Energies in eV, (P,).
        mu: Absorption, (P,).
        grid: Wanted energies in eV, (Q,).
        right: What continues the spectrum to higher energies, its ``"mean"`` or ``"one"``.

    Returns:
        mu on the grid, (Q,).

    Raises:
        SpectrumError: Not a spectrum, not a grid, or an unknown ``right``.

    Source: SPEC section 5; the public code to arXiv 2512.23449.
    """
    x, y = checked_curve(energy, mu)
    target = _finite_numbers(grid, "energy")
    if right not in ("mean", "one"):
        raise SpectrumError(f"A spectrum is continued by its 'mean' or by 'one', not by {right!r}.")
    pad = float(y[-PAD_POINTS:].mean()) if right == "mean" else 1.0
    result = np.interp(target, x, y, left=0.0)
    # In the authors' code the last raw point itself already belongs to the padding.
    return np.where(target >= x[-1], pad, result)


def resample(energy: npt.ArrayLike, mu: npt.ArrayLike, grid: npt.ArrayLike) -> FloatArray:
    """Interpolate linearly, and say NaN where nothing was computed or measured.

    Args:
        energy: Energies in eV, (P,).
        mu: Absorption, (P,).
        grid: Wanted energies in eV, (Q,).

    Returns:
        mu on the grid, (Q,), NaN outside the range of ``energy``.

    Raises:
        SpectrumError: Not a spectrum, or not a grid.
    """
    x, y = checked_curve(energy, mu)
    return np.interp(_finite_numbers(grid, "energy"), x, y, left=np.nan, right=np.nan)


def sanity_reasons(mu: npt.ArrayLike) -> tuple[str, ...]:
    """Name the quality filters of the paper's authors which a simulated spectrum fails.

    Args:
        mu: Absorption on the 100-point grid, (100,).

    Returns:
        Some of ``starts_high`` (first point above 0.5), ``no_peak`` (maximum below 1),
        ``negative`` (minimum below -0.05), ``late_edge`` (first value above 0.9 at index 80 or
        later, or none) and ``dip_after_edge`` (a value below 0.3 after it); empty if accepted.

    Raises:
        SpectrumError: Not one row of finite numbers.

    Source: SPEC section 5; the public code to arXiv 2512.23449.
    """
    y = _finite_numbers(mu, "mu")
    above = y > 0.9
    edge = int(np.argmax(above)) if above.any() else y.size
    failed = {
        "starts_high": y[0] > 0.5,
        "no_peak": y.max() < 1.0,
        "negative": y.min() < -0.05,
        "late_edge": edge >= 80,
        "dip_after_edge": bool((y[edge:] < 0.3).any()),
    }
    return tuple(name for name, is_so in failed.items() if is_so)
