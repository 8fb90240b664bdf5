"""Candidates ranked: the probability of each, and that it is none of them.

Beforehand all candidates are equally likely, and so is "none of them". Its curve is as likely as
that of a candidate like the likeliest one whose squared error per point were `NONE_MISFIT`: so
none of them fits unless one comes closer than that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from cgxas.matching.fit import CALIBRATED, SIMULATED, Belief, Fit, fit_of, likelihood_of_misfit
from cgxas.matching.points import Points
from cgxas.spectra.measurement import Measurement
from cgxas.spectra.spectrum import Spectrum
from cgxas.typing import FloatArray, IntArray

NONE_MISFIT: Final = 0.8
"""Squared error per point from which on a candidate is no better than none of them."""


@dataclass(frozen=True, eq=False)
class Ranked:
    """Candidates in the order of their probabilities, (N,) of them.

    Attributes:
        points: of the measured curve that they were held against.
        fits: (N,) in the order the candidates were given in.
        score: (N,) probabilities; with `none` they add up to 1.
        none: probability that it is none of them.
        order: (N,) numbers of the candidates, the likeliest first.
    """

    points: Points
    fits: tuple[Fit, ...]
    score: FloatArray
    none: float
    order: IntArray


def belief_of(spectrum: Spectrum) -> Belief:
    """Return what is believed of a prediction: those on the measured scale know their edges."""
    return SIMULATED if spectrum.edge_sigma is None else CALIBRATED


def ranked(measured: Measurement, candidates: Sequence[Spectrum]) -> Ranked:
    """Rank predicted spectra by how likely the measured one is of each.

    Args:
        measured: the measured spectrum.
        candidates: predicted spectra of the same edge; at least one.

    Raises:
        SpectrumError: the measured one has no edge, or does not cover what is around it.
    """
    points = Points.of(measured)
    return weighed(points, tuple(fit_of(points, each, belief_of(each)) for each in candidates))


def weighed(points: Points, fits: tuple[Fit, ...]) -> Ranked:
    """Rank candidates that were fitted to a measured curve; at least one."""
    log = np.array([each.log_likelihood for each in fits])
    best = fits[int(log.argmax())]
    of_none = likelihood_of_misfit(NONE_MISFIT, len(points.energy), best)
    highest = max(float(log.max()), of_none)
    share = np.exp(log - highest)
    total = float(share.sum()) + float(np.exp(of_none - highest))
    score = share / total
    return Ranked(points, fits, score, 1.0 - float(score.sum()), np.argsort(-score, kind="stable"))
