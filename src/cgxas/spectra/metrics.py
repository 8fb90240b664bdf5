"""Errors of curves and of their uncertainties: the only definitions; NaN targets are ignored."""

import numpy as np

from cgxas.errors import SpectrumError
from cgxas.spectra.edge import half_step
from cgxas.typing import FloatArray


def rse(target: FloatArray, predicted: FloatArray, weight: FloatArray | float = 1.0) -> FloatArray:
    """Return (T,) relative squared errors, sum w (t - p)^2 / sum w t^2 (SPEC section 5).

    Args:
        target: (T, P) spectra; NaN where there is no target.
        predicted: (T, P) spectra.
        weight: (T, P) of the points: how much energy each stands for, where they are uneven.
    """
    misfit = np.nansum(weight * (target - predicted) ** 2, axis=1)
    return np.asarray(misfit / np.nansum(weight * target**2, axis=1))


def pcc(target: FloatArray, predicted: FloatArray, weight: FloatArray | float = 1.0) -> FloatArray:
    """Return (T,) Pearson correlations of the two curves over the points with a target."""
    known = np.isfinite(target)
    w = np.where(known, weight, 0.0)
    count = w.sum(axis=1, keepdims=True)
    t, p = np.where(known, target, 0.0), np.where(known, predicted, 0.0)
    t = np.where(known, t - (w * t).sum(axis=1, keepdims=True) / count, 0.0)
    p = np.where(known, p - (w * p).sum(axis=1, keepdims=True) / count, 0.0)
    norm = np.sqrt((w * t**2).sum(axis=1) * (w * p**2).sum(axis=1))
    return np.asarray((w * t * p).sum(axis=1) / np.maximum(norm, 1e-300))


def half_step_errors(energy: FloatArray, target: FloatArray, predicted: FloatArray) -> FloatArray:
    """Return (T,) half step of the predicted minus that of the target curve, eV.

    Each curve is looked at on all of its own points, so that its half step is the one that is
    told of it elsewhere. NaN where a curve has no edge.

    Args:
        energy: (P,) eV, increasing; or (T, P), of each curve its own.
        target: (T, P) spectra; NaN where there is no target.
        predicted: (T, P) spectra.
    """

    def edges(curves: FloatArray) -> FloatArray:
        each = zip(np.broadcast_to(energy, curves.shape), curves, strict=True)
        return np.array([half_step_or_nan(*pair) for pair in each], dtype=np.float64)

    return edges(predicted) - edges(target)


def half_step_or_nan(energy: FloatArray, norm: FloatArray) -> float:
    """Return the half step of a curve in eV, NaN if it has no edge."""
    try:
        return half_step(energy, norm)
    except SpectrumError:
        return float("nan")


def coverage(
    target: FloatArray, predicted: FloatArray, sigma: FloatArray, n_sigma: float
) -> FloatArray:
    """Return (T,) shares of the points with a target that lie within some standard deviations.

    Where the deviations are told rightly, 0.683 of normal errors lie within one, 0.954 within two.

    Args:
        target: (T, P) spectra; NaN where there is no target.
        predicted: (T, P) spectra.
        sigma: (T, P) standard deviations of the targets around them.
        n_sigma: how many of them.
    """
    known = np.isfinite(target)
    inside = np.abs(np.where(known, target, np.inf) - predicted) <= n_sigma * sigma
    return np.asarray((inside & known).sum(axis=1) / known.sum(axis=1))


def negative_log_likelihood(
    target: FloatArray, predicted: FloatArray, sigma: FloatArray
) -> FloatArray:
    """Return (T,) means over the points with a target of -log N(target; predicted, sigma).

    The lower, the better: deviations that are told too small are punished, and too large ones.

    Args:
        target: (T, P) spectra; NaN where there is no target.
        predicted: (T, P) spectra.
        sigma: (T, P) standard deviations of the targets around them, above 0.
    """
    away = (target - predicted) / sigma
    points = 0.5 * away**2 + np.log(sigma) + 0.5 * np.log(2 * np.pi)
    return np.asarray(np.nanmean(points, axis=1))
