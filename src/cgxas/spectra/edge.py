"""Where the edge of a curve lies, and its white line: the only definitions, for every curve.

Two energies tell where an edge lies. `e0` is the steepest rise, as in Larch and Athena; it is what
ranges of fits are counted from. `half_step` is where half of the edge step is reached; it moves
less with noise and resolution, so differences between curves are told in it.

Energies are in eV; norm is normalised to an edge step of 1 (0 before the edge, about 1 far above
it), and may be negative where it was measured. Points where norm is not finite count as not
measured and are left out.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d

from cgxas.errors import SpectrumError
from cgxas.spectra.curve import checked_curve
from cgxas.typing import FloatArray

TAIL_POINTS = 10
"""Points at the end of a curve whose mean is its own height."""

HOLD_POINTS = 10
"""Points after the edge which must stay above half the height in the rule of the authors."""

_BELOW, _ABOVE = 40.0, 60.0  # eV around the half step in which the steepest rise is looked for
_NEAR = 10.0  # eV around the half step in which the step of the energies counts
_WIDTH_STEPS = 0.7  # just wide enough that it does not show where between points the edge lies
_NARROWEST, _WIDEST, _WIDER = 0.3, 3.0, 1.25  # eV, eV, ratio
_FINEST = 0.005  # eV
_NOISE_SHARE = 0.05  # of the steepest slope
_DROP, _NOISES = 0.05, 3.0  # a fall by less, of the height or in noises, is none
_FALLS_BACK = (
    0.4  # foils of Ti: up to 0.33 behind their shoulder; oxides of Ti, V, Cr: 0.44 to 0.85
)
_NEARLY = 0.9


def e0(energy: npt.ArrayLike, norm: npt.ArrayLike) -> float:
    """Find the energy of the steepest rise of the edge, finer than the step of the energies.

    It is looked for on the rise that leads through the half step, up to the top of the white
    line. A pre-edge peak is left out if the curve falls back behind it by more than two fifths
    of its height (chromates, vanadates), while the shoulder of a metal belongs to the rise: the
    E0 of iron is its first inflection point, 8 eV below its half step.

    The curve is straight between its points, and smoothed by a Gaussian whose standard deviation
    is 0.7 steps of energy, at least 0.3 eV, and more as long as the noise of the slope is above
    a twentieth of the steepest one. The top of the slope is refined by a parabola.

    Args:
        energy: Energies in eV, (P,).
        norm: Normalised absorption, (P,).

    Returns:
        E0 in eV.

    Raises:
        SpectrumError: Not a spectrum, or one without an edge.

    Source: the maximum of the derivative, as `larch.xafs.find_e0`, which answers with a point of
    the curve and takes whatever is steepest, a pre-edge peak too.
    """
    rise = _Rise.of(*checked_curve(energy, norm, gaps=True))
    width = max(_WIDTH_STEPS * rise.spacing, _NARROWEST)
    found, slope = rise.steepest(width)
    while rise.doubt(width) > _NOISE_SHARE * slope and width < _WIDEST:
        width *= _WIDER
        found, slope = rise.steepest(width)
    if slope <= 0:
        raise SpectrumError("The spectrum has no edge: it does not rise.")
    return found


@dataclass(frozen=True, eq=False)
class _Rise:
    """A curve around its half step, on even and fine energies.

    Attributes:
        energy: (F,) eV.
        norm: (F,) straight lines between the points of the curve.
        start: the point at the half step.
        height: of the edge.
        spacing: step of the curve's own energies near the half step, eV.
        noise: standard deviation of the curve's own points.
    """

    energy: FloatArray
    norm: FloatArray
    start: int
    height: float
    spacing: float
    noise: float

    @classmethod
    def of(cls, x: FloatArray, y: FloatArray) -> Self:
        """Return that of a curve; SpectrumError if it has no edge."""
        middle, height = _half_step(x, y)
        near = x[np.abs(x - middle) <= _NEAR]
        steps = np.diff(near if near.size > 1 else x)
        spacing = float(np.median(steps)) if steps.size else 0.0
        fine = max(min(spacing / 2, _NARROWEST / 8), _FINEST)
        first, last = max(x[0], middle - _BELOW), min(x[-1], middle + _ABOVE)
        energy = np.arange(first, last + fine / 2, fine)
        start = min(int(np.searchsorted(energy, middle)), energy.size - 1)
        noise = _noise(y[(x >= first) & (x <= last)])
        return cls(energy, np.interp(energy, x, y), start, height, spacing, noise)

    def steepest(self, width: float) -> tuple[float, float]:
        """Return where the smoothed curve is steepest, eV, and its slope there, 1/eV."""
        step = float(np.diff(self.energy[:2]).sum()) or _FINEST
        smooth = gaussian_filter1d(self.norm, width / step, mode="nearest")
        slope = gaussian_filter1d(self.norm, width / step, order=1, mode="nearest") / step
        first, last = self._ends(smooth)
        top = first + int(np.argmax(slope[first : last + 1]))
        is_top = 0 < top < slope.size - 1 and slope[top] >= max(slope[top - 1], slope[top + 1])
        if not is_top:
            return float(self.energy[top]), float(slope[top])
        return _vertex(self.energy[top - 1 : top + 2], slope[top - 1 : top + 2])

    def _ends(self, smooth: FloatArray) -> tuple[int, int]:
        """Return the first and the last point of the rise of a smoothed curve, (F,)."""
        drop = max(_DROP * self.height, _NOISES * self.noise)
        back, ahead = smooth[self.start :: -1], smooth[self.start :]
        lowest, highest = np.minimum.accumulate(back), np.maximum.accumulate(ahead)
        peaks = np.flatnonzero((back > lowest + drop) & (back - lowest > _FALLS_BACK * back))
        foot = int(np.argmin(back[: peaks[0]])) if peaks.size else back.size - 1
        below = np.flatnonzero(back[: foot + 1] <= 0)
        if below.size:  # what lies under the pre-edge line is another edge, or noise
            foot = int(below[0])
        falls = np.flatnonzero((ahead < highest - drop) & (highest >= _NEARLY * self.height))
        top = int(np.argmax(ahead[: falls[0]] if falls.size else ahead))
        return self.start - foot, self.start + top

    def doubt(self, width: float) -> float:
        """Return the standard deviation of a slope in 1/eV, from the noise of the points."""
        return float(self.noise * np.sqrt(self.spacing / (4.0 * np.sqrt(np.pi) * width**3)))


def _noise(norm: FloatArray) -> float:
    """Return the standard deviation of the noise, from what cubics through neighbours leave."""
    if norm.size < TAIL_POINTS:
        return 0.0
    near, far = norm[1:-3] + norm[3:-1], norm[:-4] + norm[4:]
    left = norm[2:-2] - (4.0 * near - far) / 6.0
    return float(np.median(np.abs(left)) / 0.6745 / np.sqrt(1.0 + 34.0 / 36.0))


def half_step(energy: npt.ArrayLike, norm: npt.ArrayLike) -> float:
    """Find the energy at which the curve first reaches half of its edge step and stays there.

    It is the first crossing of 0.5 after which the curve reaches 1 before it falls below 0.5
    again, or never falls below it: a pre-edge peak does not count, a narrow white line with a
    deep dip behind it does. Where there is no such crossing, as of curves that stay low, the
    step is the curve's own height, the mean of its last 10 points, in place of 1. Between two
    points the curve is straight.

    Args:
        energy: Energies in eV, (P,).
        norm: Normalised absorption, (P,).

    Returns:
        The half step in eV; the first energy of a curve that begins above it.

    Raises:
        SpectrumError: Not a spectrum, or one without an edge.
    """
    return _half_step(*checked_curve(energy, norm, gaps=True))[0]


def _half_step(x: FloatArray, y: FloatArray) -> tuple[float, float]:
    """Return the half step of a curve in eV, and the height of its edge."""
    for height in (1.0, _own_height(y)):
        start = _reached(y, height) if height > 0 else None
        if start == 0:
            return float(x[0]), height
        if start is not None:
            slope = (y[start] - y[start - 1]) / (x[start] - x[start - 1])
            return float(x[start - 1] + (0.5 * height - y[start - 1]) / slope), height
    raise SpectrumError("The spectrum has no edge: it neither reaches 1 nor stays above its half.")


def _reached(norm: FloatArray, height: float) -> int | None:
    """Return the first point of the edge: half the height, with all of it to follow, or to stay."""
    above = norm >= 0.5 * height
    starts = np.flatnonzero(above & ~np.concatenate([[False], above[:-1]]))
    ends = np.flatnonzero(above & ~np.concatenate([above[1:], [False]])) + 1
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        if end == norm.size or norm[start:end].max() >= height:
            return int(start)
    return None


def _own_height(norm: FloatArray) -> float:
    return float(norm[-TAIL_POINTS:].mean())


def authors_e0(energy: npt.ArrayLike, norm: npt.ArrayLike) -> float:
    """Find the edge energy of the paper's authors, needed only to repeat their numbers.

    The level is half the mean of the last 10 points. The edge is the first point which reaches it
    and is followed by 10 points (fewer at the end of the array) that reach it as well.

    Args:
        energy: Energies in eV, (P,).
        norm: Absorption, (P,).

    Returns:
        The energy in eV of a point.

    Raises:
        SpectrumError: Not a spectrum, or one without an edge.

    Source: SPEC section 6; the public code to Lin et al., arXiv 2512.23449.
    """
    x, y = checked_curve(energy, norm, gaps=True)
    level = 0.5 * _own_height(y)
    if level <= 0:
        raise SpectrumError("The spectrum has no edge: the mean of its last 10 points is not > 0.")
    # Repeating the last point lets windows at the end of the array be shorter than the others.
    padded = np.concatenate([y, np.full(HOLD_POINTS, y[-1])])
    windows = np.lib.stride_tricks.sliding_window_view(padded, HOLD_POINTS + 1)
    held = (windows >= level).all(axis=1)
    if not held.any():
        raise SpectrumError(
            f"The spectrum has no edge: it does not stay above half its final height ({level:g})."
        )
    return float(x[np.argmax(held)])


def white_line(energy: npt.ArrayLike, norm: npt.ArrayLike) -> tuple[float, float]:
    """Find the highest point of the spectrum above its half step.

    The maximum is refined by the parabola through it and its two neighbours, unless it lies
    at the end of the array or on a slope cut off at the half step.

    Args:
        energy: Energies in eV, (P,).
        norm: Normalised absorption, (P,).

    Returns:
        Energy in eV and height (in units of norm) of the maximum.

    Raises:
        SpectrumError: Not a spectrum, or one without an edge.
    """
    x, y = checked_curve(energy, norm, gaps=True)
    start = int(np.searchsorted(x, _half_step(x, y)[0]))
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


class WithEdge:
    """What every normalised curve can be asked; it has ``energy`` in eV and ``norm``, (P,)."""

    energy: FloatArray
    norm: FloatArray

    @property
    def e0(self) -> float:
        """Energy of the steepest rise in eV; raises SpectrumError if there is no edge."""
        return e0(self.energy, self.norm)

    @property
    def half_step(self) -> float:
        """Energy of half the edge step in eV; raises SpectrumError if there is no edge."""
        return half_step(self.energy, self.norm)

    @property
    def white_line(self) -> tuple[float, float]:
        """Energy in eV and height of the maximum above the half step; raises SpectrumError."""
        return white_line(self.energy, self.norm)

    def e0_or_none(self) -> float | None:
        """Energy of the steepest rise in eV, or None for a curve without an edge."""
        with suppress(SpectrumError):
            return self.e0
        return None

    def half_step_or_none(self) -> float | None:
        """Energy of half the edge step in eV, or None for a curve without an edge."""
        with suppress(SpectrumError):
            return self.half_step
        return None
