"""Errors of curves and of their uncertainties: the only definitions; NaN targets are ignored."""

import numpy as np

from cgxas.errors import SpectrumError
from cgxas.spectra.edge import half_step
from cgxas.typing import FloatArray


def rse(target: FloatArray, predicted: FloatArray) -> FloatArray:
    """Return (T,) relative squared errors, sum (t - p)^2 / sum t^2 (SPEC section 5).

    Args:
        target: (T, P) spectra; NaN where there is no target.
        predicted: (T, P) spectra.
    """
    misfit = np.nansum((target - predicted) ** 2, axis=1)
    return np.asarray(misfit / np.nansum(target**2, axis=1))


def pcc(target: FloatArray, predicted: FloatArray) -> FloatArray:
    """Return (T,) Pearson correlations of the two curves over the points with a target."""
    known = np.isfinite(target)
    count = known.sum(axis=1, keepdims=True)
    t, p = np.where(known, target, 0.0), np.where(known, predicted, 0.0)
    t = np.where(known, t - t.sum(axis=1, keepdims=True) / count, 0.0)
    p = np.where(known, p - p.sum(axis=1, keepdims=True) / count, 0.0)
    norm = np.sqrt((t**2).sum(axis=1) * (p**2).sum(axis=1))
    return np.asarray((t * p).sum(axis=1) / np.maximum(norm, 1e-300))


def half_step_errors(energy: FloatArray, target: FloatArray, predicted: FloatArray) -> FloatArray:
    """Return (T,) half step of the predicted minus that of the target curve, eV.

    Each curve is looked at on all of its own points, so that its half step is the one that is
    told of it elsewhere. NaN where a curve has no edge.

    Args:
        energy: (P,) eV, increasing.
        target: (T, P) spectra; NaN where there is no target.
        predicted: (T, P) spectra.
    """

    def edges(curves: FloatArray) -> FloatArray:
        return np.array([half_step_or_nan(energy, curve) for curve in curves], dtype=np.float64)

    return edges(predicted) - edges(target)


def half_step_or_nan(energy: FloatArray, norm: FloatArray) -> float:
    """Return the half step of a curve in eV, NaN if it has no edge."""
    try:
        return half_step(energy, norm)
    except SpectrumError:
        return float("nan")


def coverage(
    target: FloatArray, predicted: FloatArray, sigma: FloatArray, n_sigma: float = 1.0
) -> float:
    """Return the share of known points that lie within some standard deviations.

    Of a normal distribution that is told rightly 0.683 lie within one, 0.954 within two.

    Args:
        target: values of any shape; NaN where there is none.
        predicted: their predictions.
        sigma: standard deviations of the targets around them.
        n_sigma: how many of them.

    Returns:
        0 to 1; NaN without a known point.
    """
    known = np.isfinite(target)
    inside = np.abs(target - predicted)[known] <= n_sigma * sigma[known]
    return float(inside.mean()) if inside.size else float("nan")


def negative_log_likelihood(target: FloatArray, predicted: FloatArray, sigma: FloatArray) -> float:
    """Return the mean over known points of -ln of a normal density; the lower, the better.

    It is ln(sigma) + (target - predicted)^2 / (2 sigma^2) + ln(2 pi) / 2, so it punishes
    a sigma that is too small as well as one that is too large.

    Args:
        target: values of any shape; NaN where there is none.
        predicted: their predictions.
        sigma: standard deviations of the targets around them.

    Returns:
        The mean; NaN without a known point.

    Raises:
        SpectrumError: a standard deviation of a known point is not above 0.
    """
    known = np.isfinite(target)
    if not known.any():
        return float("nan")
    width = sigma[known]
    if not (width > 0).all():
        raise SpectrumError("A likelihood needs standard deviations above 0: leave out the others.")
    misfit = (target - predicted)[known] / width
    return float((np.log(width) + 0.5 * misfit**2).mean() + 0.5 * np.log(2.0 * np.pi))
