"""The mean of many spectra of one thing in motion, and how sure it is.

Frames of a trajectory that follow each other are alike, so there are fewer independent ones than
frames. Means over blocks of frames are less alike the longer the blocks; the standard error that
they tell grows with the length of the blocks until they are independent, and then stays
(Flyvbjerg & Petersen 1989, doi:10.1063/1.457480).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cgxas.errors import SpectrumError
from cgxas.spectra.spectrum import Spectrum
from cgxas.typing import FloatArray

FEWEST_BLOCKS = 8
"""With fewer blocks a standard error is too uncertain itself to be told from."""


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
        block: consecutive frames after which there is something new; 1: each is.
        is_settled: whether the trajectory is long enough to tell; else the standard error is the
            least that it can be.
        convergence: what fewer frames would have told.
    """

    spectrum: Spectrum
    standard_error: FloatArray
    spread: FloatArray
    n_frames: int
    block: int
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
    block, is_settled = block_length(norm)
    whole = norm.mean(axis=0)
    counts = sorted({*(2**k for k in range(1, len(norm).bit_length())), len(norm)})
    errors = standard_error(norm, block)
    spread = norm.std(axis=0, ddof=1)
    usual = _rms(errors) * np.sqrt(len(norm))
    return Average(
        spectrum=mean,
        standard_error=errors,
        spread=spread,
        n_frames=len(norm),
        block=block,
        is_settled=is_settled,
        convergence=tuple(
            Convergence(
                n,
                _rms(norm[:n].mean(axis=0) - whole),
                min(float(usual / np.sqrt(n)), _rms(spread)),  # fewer than a block are as one
            )
            for n in counts
        ),
    )


def standard_error(norm: FloatArray, block: int) -> FloatArray:
    """Return (P,) standard errors of the mean of frames by blocks of some length.

    Args:
        norm: (F, P) spectra of consecutive frames; those before the first whole block are left out.
        block: frames of a block; there are at least two blocks.
    """
    count = len(norm) // block
    means = norm[len(norm) - count * block :].reshape(count, block, -1).mean(axis=1)
    return np.asarray(means.std(axis=0, ddof=1) / np.sqrt(count))


def block_length(norm: FloatArray) -> tuple[int, bool]:
    """Return after how many frames there is something new, and whether that is sure.

    The shortest blocks are taken from which on the standard error grows no more than by what it
    and the longer one are uncertain, 1 / sqrt(2 (blocks - 1)) of each.

    Args:
        norm: (F, P) spectra of consecutive frames.
    """
    longest = max(1, len(norm) // FEWEST_BLOCKS)
    blocks = [2**k for k in range(longest.bit_length())]
    errors = np.array([_rms(standard_error(norm, each)) for each in blocks])
    doubt = np.array([1 / np.sqrt(2 * (len(norm) // each - 1)) for each in blocks])
    for n, block in enumerate(blocks[:-1]):
        if (errors[n + 1 :] <= errors[n] * (1 + np.hypot(doubt[n], doubt[n + 1 :]))).all():
            return block, True
    return blocks[-1], False


def _rms(values: FloatArray) -> float:
    return float(np.sqrt(np.mean(values**2)))
