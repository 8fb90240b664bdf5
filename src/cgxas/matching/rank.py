"""Candidates ranked: the probability of each, and that it is none of them.

Beforehand "none of them" is as likely as not, and all candidates are equally likely; crystals with
the very same prediction count as one, and share its score. How likely it is none is told by the
misfit of the likeliest, and by how many there are: the best of many comes near by chance.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from cgxas.matching.errors import Belief
from cgxas.matching.fit import CALIBRATED, SIMULATED, Fit, fit_of
from cgxas.matching.points import Points
from cgxas.spectra.measurement import Measurement
from cgxas.spectra.spectrum import Spectrum
from cgxas.typing import FloatArray, IntArray

_SAME = 1e-4  # of the edge step: predictions of one crystal in two cells are closer
_EXACT = 1e-6  # a smaller misfit is that of the prediction itself
# Nearer than predictions of measured compounds come: it is a scan that a model made.
_NEARER, _SURE = 0.1, 2.0


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
    fits = tuple(fit_of(points, each, belief_of(each)) for each in candidates)
    return weighed(points, fits, candidates)


def weighed(points: Points, fits: Sequence[Fit], candidates: Sequence[Spectrum]) -> Ranked:
    """Rank (N,) candidates, at least one, that were fitted to a measured curve."""
    log = np.array([each.log_likelihood for each in fits])
    alike = _alike(candidates, log)
    share = np.exp(log - log.max()) / alike
    share /= share.sum()
    best = int((share * alike).argmax())
    one, of_misfit, of_number = belief_of(candidates[best]).doubt
    number = float(np.sum(1.0 / alike))
    misfit = max(fits[best].misfit, _EXACT)
    odds = one + of_misfit * np.log(misfit) + of_number * np.log(number)
    odds += _SURE * np.log(min(misfit / _NEARER, 1.0))
    none = float(1.0 / (1.0 + np.exp(-odds)))
    score = (1.0 - none) * share
    return Ranked(points, tuple(fits), score, none, np.argsort(-score, kind="stable"))


def _alike(candidates: Sequence[Spectrum], log: FloatArray) -> FloatArray:
    """Return (N,) how many of the candidates have the very prediction of each."""
    order = np.argsort(log)  # where the same ones lie side by side
    runs = [[order[0]]]
    for one, other in pairwise(order):
        if _is_same(candidates[one], candidates[other]):
            runs[-1].append(other)
        else:
            runs.append([other])
    found = np.empty(len(log))
    for run in runs:
        found[run] = len(run)
    return found


def _is_same(one: Spectrum, other: Spectrum) -> bool:
    return np.array_equal(one.energy, other.energy) and np.allclose(
        one.norm, other.norm, rtol=0.0, atol=_SAME
    )
