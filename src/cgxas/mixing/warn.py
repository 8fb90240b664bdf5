"""What should be known of a mixture: in sentences that tell the cure."""

from collections.abc import Sequence

import numpy as np

from cgxas.mixing.components import LEAST, Components
from cgxas.mixing.faults import point_noise
from cgxas.mixing.fit import Fits
from cgxas.mixing.references import Reference, alike
from cgxas.mixing.series import Series
from cgxas.spectra.io.scan import listed
from cgxas.typing import BoolArray, FloatArray

ALIKE = 0.01
"""A reference that is a mixture of others within this, root mean square, cannot be told apart."""

UNSURE = 0.15
"""A fraction that is no surer than this is hardly determined."""

_FEW = 5  # scans, which tell of no components
_MANY = 4  # references for few scans
_OFF = 0.05  # of the sum of the weights
_MISSES = 0.01, 3.0  # root mean square of what is left, at least, and in noises
_UNLIKE = 6.0, 3.0  # what is left of one scan, in scatters of all and in medians
_DRIFT = 0.1, 4.0, 0.3  # eV; standard deviations; share of the misfit that a shift takes
_NOISES, _NEARLY_ALL = 2.0, 0.8  # of what is left then; share of the misfit
_ONE_CURVE = 0.1  # of the differences is left when each scan is moved onto the mean


def of_references(
    references: Sequence[Reference], series: Series, components: Components, most: int | None
) -> list[str]:
    """Say whether there are too many references for the series, or some that are alike.

    Args:
        references: all of them.
        series: what they explain.
        components: of the series.
        most: how many explain one scan at most, of those that fit it best; None: all do.
    """
    said, n, used = [], len(series), len(references) if most is None else 0
    if n >= _FEW and used > max(components.count, 2):
        said.append(
            f"{used} references explain a series that carries {components.count} components: their "
            "fractions are overfitted; give fewer, or allow each scan fewer with --most"
        )
    if n < _FEW and used > _MANY:
        said.append(
            f"{used} references explain {n} scan{'s' if n > 1 else ''}: so many always fit, which "
            "is overfitting and says nothing; give fewer, or allow fewer with --most 3"
        )
    if len(references) > 1:
        near = [each for each in alike(references, series.energy) if each[2] < ALIKE]
        if near:
            pairs = [f"{a} (like {b}, within {rms:.3f})" for a, b, rms in near]
            said.append(
                f"nearly a mixture of the other references: {listed(pairs)}; the fractions of such "
                "are not told apart: add them up, or leave one out"
            )
    return said


def of_fits(series: Series, fits: Fits, references: Sequence[str], errors: FloatArray) -> list[str]:
    """Say what the fits themselves tell: unsure, incomplete, moved."""
    said = []
    used = np.isfinite(errors).any(axis=0)
    middle = np.full(len(references), np.nan)
    middle[used] = np.nanmedian(errors[:, used], axis=0)
    unsure = [
        f"{name} (± {e:.2f})" for name, e in zip(references, middle, strict=True) if e > UNSURE
    ]
    if unsure:
        said.append(f"the fractions of {listed(unsure)} are hardly determined by these scans")
    total = float(np.median(fits.weights.sum(axis=1)))
    if abs(total - 1) > _OFF:
        said.append(
            f"the weights sum to {total:.2f}, not 1: scans and references are normalised "
            "differently, or a phase is missing; fractions are shares of the sum"
        )
    rest = series.norm - fits.fitted
    rms = float(np.median(np.sqrt((rest**2).mean(axis=1))))
    noise = float(np.median([point_noise(each) for each in series.norm]))
    measured_only = bool(np.isnan(fits.misfit).all())
    if measured_only and rms > max(_MISSES[0], _MISSES[1] * noise):
        said.append(
            f"the fits miss the scans by {rms:.3f} of the step, the noise is {noise:.3f}: "
            "something is missing in the references"
        )
    if not measured_only and np.nanmedian(fits.misfit) > 2.0:
        said.append(
            f"the fits miss the scans by {np.nanmedian(fits.misfit) ** 0.5:.1f} times what noise "
            "and bands allow: a phase is missing, or the model is wrong here; errors are widened"
        )
    if fits.on_bound.any():
        at = [series.names[n] for n in np.flatnonzero(fits.on_bound)]
        said.append(f"the shift of {listed(at)} ended on its bound: do not trust these fractions")
    return said


def drifting(series: Series, fits: Fits, free: Fits) -> list[str]:
    """Say which scans look moved along the energy, which would be read as chemistry.

    Args:
        series: the scans.
        fits: their fits, without shifts of their own.
        free: their fits with such shifts.
    """
    least, sigmas, share = _DRIFT
    by = free.shift - fits.shift
    kept = ((series.norm - free.fitted) ** 2).sum(axis=1)
    before = ((series.norm - fits.fitted) ** 2).sum(axis=1)
    gains = 1 - kept / np.maximum(before, 1e-300)
    moved = (np.abs(by) > np.maximum(least, sigmas * free.shift_error)) & (gains > share)
    # A phase that is missing is made up for by a shift as well, but only in part.
    noise = np.array([point_noise(each) for each in series.norm])
    rms = np.sqrt(kept / series.energy.size)
    moved &= (rms < np.maximum(_NOISES * noise, LEAST)) | (gains > _NEARLY_ALL)
    return _said_of_moved(series, np.where(moved, by, 0.0), "align them, or take --shift free")


def only_moved(series: Series, free: Fits) -> list[str]:
    """Say whether the scans of a series are one curve that moves along the energy, and no more.

    Args:
        series: the scans.
        free: their fits by their mean alone, with a shift each.
    """
    mean = series.norm.mean(axis=0)
    apart = ((series.norm - mean) ** 2).sum()
    kept = ((series.norm - free.fitted) ** 2).sum()
    by = free.shift - np.median(free.shift)
    if len(series) < 2 or np.abs(by).max() < _DRIFT[0] or kept > _ONE_CURVE * apart:
        return []
    return _said_of_moved(
        series,
        np.where(np.abs(by) > _DRIFT[0] / 2, by, 0.0),
        f"but for that, {1 - kept / apart:.0%} of the differences, they are one curve; align them",
    )


def _said_of_moved(series: Series, by: FloatArray, cure: str) -> list[str]:
    moved = np.flatnonzero(by)
    if not moved.size:
        return []
    worst = moved[int(np.argmax(np.abs(by[moved])))]
    who = listed([series.names[n] for n in moved])
    return [
        f"{moved.size} of {len(series)} scans look moved along the energy, {series.names[worst]} "
        f"by {by[worst]:+.2f} eV, which is read as chemistry: {cure} ({who})"
    ]


def unlike(rse: FloatArray) -> BoolArray:
    """Tell scans that are fitted far worse than the others, (N,)."""
    if rse.size < _FEW:
        return np.zeros(rse.size, dtype=bool)
    rest = np.sqrt(rse)
    middle = float(np.median(rest))
    scatter = 1.4826 * float(np.median(np.abs(rest - middle)))
    return np.asarray(rest > np.maximum(middle + _UNLIKE[0] * scatter, _UNLIKE[1] * middle))
