"""The mean of many spectra of one thing in motion, and how sure it is.

Frames of a trajectory that follow each other are alike, so there are fewer independent ones than
frames: by the integrated autocorrelation time, tau = 1 + 2 (rho_1 + rho_2 + ...), in which rho_k is
the correlation of frames that are k apart. The standard error of a mean of F frames is that of
F / tau independent ones. The sum ends where it reaches five times what it has come to (Sokal 1997,
doi:10.1007/978-1-4899-0319-8_6), and is mended for the mean being that of the same frames (Wolff
2004, doi:10.1016/S0010-4655(03)00467-3).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cgxas.errors import SpectrumError
from cgxas.spectra.spectrum import Spectrum
from cgxas.typing import FloatArray

LONG_ENOUGH = 50
"""Autocorrelation times that a trajectory has to last for the time itself to be told from it.

In shorter ones it comes out too short, by a factor of two and more (Foreman-Mackey et al. 2013,
doi:10.1086/670067).
"""

_WINDOW = 5  # autocorrelation times after which nothing is left but noise


@dataclass(frozen=True)
class Convergence:
    """What the first frames alone would have told.

    Attributes:
        n_frames: how many of them.
        distance: root mean square difference of their mean from that of all, in edge steps.
        standard_error: root mean square over the energies, of the mean of so many.
    """

    n_frames: int
    distance: float
    standard_error: float


@dataclass(frozen=True, eq=False)
class Average:
    """The mean over frames.

    Attributes:
        spectrum: the mean; its sigma is the usual one of the model for a frame, which more frames
            do not make smaller.
        standard_error: (P,) of the mean, in edge steps: what more frames would make smaller.
        spread: (P,) standard deviation of the frames.
        n_frames: how many there are.
        correlation_time: so many frames tell as much as one independent one; 1: each is.
        is_settled: whether the trajectory lasts `LONG_ENOUGH` of these times; else the standard
            error is likely to be too small.
        convergence: what fewer frames would have told.
    """

    spectrum: Spectrum
    standard_error: FloatArray
    spread: FloatArray
    n_frames: int
    correlation_time: float
    is_settled: bool
    convergence: Sequence[Convergence]


def averaged(norm: FloatArray, mean: Spectrum) -> Average:
    """Return the mean of frames with its errors.

    Args:
        norm: (F, P) spectra of consecutive frames, at least two.
        mean: their mean, with what else is told of it.

    Raises:
        SpectrumError: there are fewer than two frames.
    """
    if len(norm) < 2:
        raise SpectrumError("an average is of two frames at least; name a trajectory")
    times, time = correlation_times(norm)
    whole, count = norm.mean(axis=0), len(norm)
    spread = norm.std(axis=0, ddof=1)
    errors = spread * np.sqrt(times / count)
    usual = _rms(errors) * np.sqrt(count)
    return Average(
        spectrum=mean,
        standard_error=errors,
        spread=spread,
        n_frames=count,
        correlation_time=time,
        is_settled=count >= LONG_ENOUGH * time,
        convergence=tuple(
            Convergence(
                n,
                _rms(norm[:n].mean(axis=0) - whole),
                min(float(usual / np.sqrt(n)), _rms(spread)),  # fewer than one time are as one
            )
            for n in sorted({*(2**k for k in range(1, count.bit_length())), count})
        ),
    )


def correlation_times(norm: FloatArray) -> tuple[FloatArray, float]:
    """Return integrated autocorrelation times, in frames, at least 1 each.

    Args:
        norm: (F, P) spectra of consecutive frames, at least two.

    Returns:
        (P,) those of the energies, none shorter than that of the whole; and that of the whole,
        in which energies count by their variance.
    """
    covariance = np.column_stack([_autocovariance(values) for values in norm.T])
    time = float(_times(covariance.sum(axis=1, keepdims=True))[0])
    return np.maximum(_times(covariance), time), time


def _times(covariance: FloatArray) -> FloatArray:
    """Return (P,) autocorrelation times of series by (F, P) autocovariances; 1 of still ones."""
    count, moves = len(covariance), covariance[0] > 0
    so_far = 2 * np.cumsum(covariance / np.where(moves, covariance[0], 1.0), axis=0) - 1
    end = np.argmax(np.arange(count)[:, None] >= _WINDOW * so_far, axis=0)
    found = np.take_along_axis(so_far, end[None], axis=0)[0] * (1 + (2 * end + 1) / count)
    return np.maximum(np.where(moves, found, 1.0), 1.0)


def _autocovariance(values: FloatArray) -> FloatArray:
    """Return (F,) the covariance of (F,) values with those 0, 1, ... later, over F of them each."""
    count = len(values)
    wave = np.fft.rfft(values - values.mean(), 2 * count)
    return np.asarray(np.fft.irfft(wave * wave.conj(), 2 * count)[:count] / count)


def _rms(values: FloatArray) -> float:
    return float(np.sqrt(np.mean(values**2)))
