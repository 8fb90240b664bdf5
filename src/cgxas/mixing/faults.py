"""Scans that are none, or only in part: told by name, and never fitted without a word.

Every measure is a share of the edge step, as counted from the scan's own pre-edge.
"""

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import median_filter

from cgxas.spectra.measurement import Measurement
from cgxas.spectra.xray import core_hole_width
from cgxas.typing import BoolArray, FloatArray

LOST = 0.3
"""No absorption falls below this share of the step again once the edge is passed."""

GLITCH = 0.1
"""Points that leave their neighbours by more than this share of the step are a glitch."""

NOISY = 0.1
"""Noise of a point, as a share of the step, that leaves no spectrum to be fitted."""

_PASSED = 15.0  # eV above the half step
_RANGE = 80.0  # eV around the half step
_NOISES = 8.0  # a glitch stands out by as many times the scatter of the points around it
_WINDOW = 21  # points around, for what is usual there
_AT_ONCE = (1, 2, 3)  # points


def point_noise(norm: FloatArray) -> float:
    """Return the standard deviation of the noise of the points, from their second differences.

    The median is taken, so that edges and peaks, which are few of the points, count little.

    Args:
        norm: (P,) on energies that are locally even.
    """
    if norm.size < 5:
        return float("nan")
    second = np.abs(norm[2:] - 2 * norm[1:-1] + norm[:-2])
    return float(np.median(second)) / (0.6745 * 6**0.5)


def fault_of(scan: Measurement) -> str:
    """Say why a scan cannot be used, from itself alone; empty if nothing is wrong with it."""
    energy = scan.energy
    away = energy - scan.half_step
    if reason := _lost(energy, _share(scan, away), away > _PASSED):
        return reason
    noise = point_noise(scan.flattened().norm[np.abs(away) < _RANGE])
    if noise > NOISY:
        return f"the noise of a point is {noise:.0%} of the step: nothing can be told from it"
    near = np.abs(away) < _RANGE
    width = core_hole_width(scan.element, scan.edge)
    return _glitch_in(energy[near], scan.flattened().norm[near], width)


def beam_lost(energy: FloatArray, mu: FloatArray) -> str:
    """Say whether raw mu, which cannot be normalised, falls back behind the edge; else nothing."""
    few = max(5, mu.size // 10)
    if mu.size < 4 * few or not np.isfinite(mu).all():
        return ""
    low, high = np.median(mu[:few]), np.quantile(mu, 0.75)
    share = (mu - low) / max(high - low, 1e-300)
    risen = np.convolve(share > 0.5, np.ones(few), "valid") == few  # and stays so for a while
    if not risen.any():
        return ""
    return _lost(energy, share, energy > energy[int(np.argmax(risen))] + _PASSED)


def _lost(energy: FloatArray, share: FloatArray, behind: BoolArray) -> str:
    lost = behind & (share < LOST)
    if not lost.any():
        return ""
    first = int(np.argmax(lost))
    count = f"{lost.sum()} points" if lost.sum() > 1 else "1 point"
    return (
        f"the beam was lost: behind the edge mu falls to {share[lost].min():.2f} of the step "
        f"at {count}, first at {energy[first]:.1f} eV"
    )


def _share(scan: Measurement, away: FloatArray) -> FloatArray:
    """Return mu as a share of the step, without the fitted lines, which a lost beam spoils."""
    before, behind = away < -_PASSED, away > _PASSED
    if scan.kind in ("normalised", "simulated") or min(before.sum(), behind.sum()) < 3:
        return scan.flattened().norm
    low, high = np.median(scan.mu[before]), np.quantile(scan.mu[behind], 0.75)
    return np.asarray((scan.mu - low) / max(high - low, 1e-300))


def _glitch_in(energy: FloatArray, norm: FloatArray, width: float) -> str:
    """Name points that leave a curve which goes on behind them as before.

    No feature of a spectrum is narrower than the core hole allows: what is, was not absorbed.

    Args:
        energy: (P,) eV.
        norm: (P,) normalised.
        width: full width at half maximum of the core hole, eV.
    """
    for n in _AT_ONCE:  # points that stand out together, with two on either side
        size = len(norm) - n - 3
        if size < _WINDOW:
            return ""
        before = norm[1 : 1 + size], norm[:size]
        after = norm[n + 2 : n + 2 + size], norm[n + 3 : n + 3 + size]
        line = (before[0] + after[0]) / 2
        outer = (before[1] + after[1]) / 2
        inside = np.array([norm[2 + k : 2 + k + size] for k in range(n)]) - line
        least = np.where(np.all(inside > 0, 0) | np.all(inside < 0, 0), np.abs(inside).min(0), 0.0)
        uneven = np.maximum(np.abs(line - outer), np.abs(before[0] - after[0]))
        span = energy[n + 2 : n + 2 + size] - energy[1 : 1 + size]
        scatter = median_filter(np.abs(inside).max(0), _WINDOW, mode="nearest")
        bad = (least > GLITCH) & (uneven < 0.3 * least) & (span <= width)
        bad &= least > _NOISES * scatter
        if bad.any():
            worst = int(np.argmax(np.where(bad, least, 0.0)))
            many = f"{n} points leave" if n > 1 else "a point leaves"
            by = float(inside[0, worst])
            return f"a glitch: {many} the curve by {by:+.2f} at {energy[worst + 2]:.1f} eV"
    return ""


def same_numbers(names: Sequence[str], curves: Sequence[FloatArray]) -> list[str]:
    """Say of each scan which earlier one holds the very same numbers, empty where none does."""
    first: dict[bytes, str] = {}
    found = []
    for name, curve in zip(names, curves, strict=True):
        other = first.setdefault(np.ascontiguousarray(curve).tobytes(), name)
        found.append("" if other == name else f"the same numbers as {other}")
    return found
