"""Curves onto other energies, and broadened."""

from typing import Literal

import numpy as np
import numpy.typing as npt

from cgxas.errors import SpectrumError
from cgxas.spectra.curve import checked_curve, finite_numbers
from cgxas.typing import FloatArray

PAD_POINTS = 5
"""Points at the end of a spectrum whose mean continues it to higher energy."""

_FINE = 0.25

# Gauss-Hermite: where an edge that may lie elsewhere is looked at, and with which weights.
_NODES, _NODE_WEIGHTS = np.polynomial.hermite_e.hermegauss(9)
_NODE_WEIGHTS = _NODE_WEIGHTS / _NODE_WEIGHTS.sum()
_FWHM_PER_SIGMA = 2.0 * np.sqrt(2.0 * np.log(2.0))


def variance_of_edge(energy: FloatArray, norm: FloatArray, sigma: float) -> FloatArray:
    """Return (P,) variances of a curve whose edge may lie elsewhere.

    Not slope times sigma, squared: an edge that may lie elsewhere never leaves the curve's range.

    Args:
        energy: (P,) eV.
        norm: (P,) the curve.
        sigma: standard deviation of its edge, eV.
    """
    moved = [np.interp(energy, energy + sigma * z, norm) for z in _NODES]
    return np.asarray(_NODE_WEIGHTS @ (np.array(moved) - norm) ** 2)


def onto_grid(
    energy: npt.ArrayLike,
    norm: npt.ArrayLike,
    grid: npt.ArrayLike,
    right: Literal["mean", "one"] = "mean",
) -> FloatArray:
    """Bring a spectrum onto an energy grid as the paper's training data were.

    Linear interpolation; below the first energy 0; at the last energy and above it the mean
    of the last 5 values, or 1.

    Args:
        energy: Energies in eV, (P,).
        norm: Absorption, (P,).
        grid: Wanted energies in eV, (Q,).
        right: What continues the spectrum to higher energies, its ``"mean"`` or ``"one"``.

    Returns:
        norm on the grid, (Q,).

    Raises:
        SpectrumError: Not a spectrum, not a grid, or an unknown ``right``.

    Source: SPEC section 5; the public code to arXiv 2512.23449.
    """
    x, y = checked_curve(energy, norm)
    target = finite_numbers(grid, "energy")
    if right not in ("mean", "one"):
        raise SpectrumError(f"A spectrum is continued by its 'mean' or by 'one', not by {right!r}.")
    pad = float(y[-PAD_POINTS:].mean()) if right == "mean" else 1.0
    result = np.interp(target, x, y, left=0.0)
    # In the authors' code the last raw point itself already belongs to the padding.
    return np.where(target >= x[-1], pad, result)


def resample(energy: npt.ArrayLike, norm: npt.ArrayLike, grid: npt.ArrayLike) -> FloatArray:
    """Interpolate linearly, and say NaN where nothing was computed or measured.

    Args:
        energy: Energies in eV, (P,).
        norm: Absorption, (P,).
        grid: Wanted energies in eV, (Q,).

    Returns:
        norm on the grid, (Q,), NaN outside the range of ``energy``.

    Raises:
        SpectrumError: Not a spectrum, or not a grid.
    """
    x, y = checked_curve(energy, norm)
    return np.interp(finite_numbers(grid, "energy"), x, y, left=np.nan, right=np.nan)


def broadened(
    energy: FloatArray, norm: FloatArray, gaussian: float, lorentzian: float = 0.0
) -> FloatArray:
    """Convolve a spectrum with a Gaussian and a Lorentzian.

    Below its first energy the spectrum goes on with its first value, above its last one with the
    mean of the last five, so that the ends are not drawn to zero.

    Args:
        energy: (P,) eV, increasing.
        norm: (P,).
        gaussian: full width at half maximum in eV; 0 for none.
        lorentzian: full width at half maximum in eV; 0 for none.

    Returns:
        norm, (P,), on the same energies.

    Raises:
        SpectrumError: a width is negative.
    """
    if min(gaussian, lorentzian) < 0:
        raise SpectrumError("A broadening cannot be negative: give a width in eV, 0 for none.")
    if gaussian == lorentzian == 0:
        return np.asarray(norm, dtype=np.float64).copy()
    margin = 4.0 * gaussian + 20.0 * lorentzian + 10.0 * _FINE
    fine = np.arange(energy[0] - margin, energy[-1] + margin + _FINE, _FINE)
    curve = np.interp(fine, energy, norm, right=float(norm[-PAD_POINTS:].mean()))
    half = int(margin / _FINE)
    x = np.arange(-half, half + 1, dtype=np.float64) * _FINE
    for kernel in (_gaussian(x, gaussian), _lorentzian(x, lorentzian)):
        if kernel is not None:
            padded = np.pad(curve, half, mode="edge")
            curve = np.convolve(padded, kernel / kernel.sum(), mode="valid")
    return np.asarray(np.interp(energy, fine, curve))


def _gaussian(x: FloatArray, width: float) -> FloatArray | None:
    sigma = width / _FWHM_PER_SIGMA
    if sigma < _FINE / 10:  # narrower than the points: no change, and no division by zero
        return None
    # Averaged over each step, so that narrow ones change the curve smoothly.
    fine = x[:, None] + np.linspace(-0.5, 0.5, 11)[None] * _FINE
    return np.asarray(np.exp(-0.5 * (fine / sigma) ** 2).mean(axis=1))


def _lorentzian(x: FloatArray, width: float) -> FloatArray | None:
    if width == 0:
        return None
    edges = np.arctan((np.append(x - _FINE / 2, x[-1] + _FINE / 2)) / (width / 2))
    return np.diff(edges)
