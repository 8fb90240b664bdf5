"""Shifts drawn from all that bands and scans allow: what one best fit does not tell.

Two references that may each lie an eV elsewhere explain a scan in several ways: with their edges
apart, together, or the one in the place of the other. How sure fractions are follows from all of
them, not from the surroundings of the best.
"""

from collections.abc import Sequence

import numpy as np

from cgxas.errors import MissingExtra
from cgxas.mixing.fit import Whitened, nnls_often
from cgxas.mixing.references import Reference
from cgxas.mixing.shifts import MAX_SHIFT, MAX_SIGMAS, Shifts, moved_often
from cgxas.typing import FloatArray

KEPT = 160
"""Shifts that are kept."""

_SCANS = 6  # that tell the shifts
_WALKERS, _PER_SHIFT = 40, 4
_STEPS, _UNSETTLED = 100, 50
_WIDE = 400  # starts that are tried
_NEAR = 0.1  # standard deviations of the prior, around the best fit
_SOFTER = 3.0  # starts lie this much wider than the answer
_SEED = 13


class Chances:
    """How likely shifts are; of one shared by all, if there is one, then of each its own.

    Attributes:
        best: shifts around which they are looked for.
        doubt: (K,) standard deviations of the own ones, eV.
    """

    def __init__(
        self,
        norm: FloatArray,
        energy: FloatArray,
        references: Sequence[Reference],
        white: Whitened,
        best: Shifts,
    ) -> None:
        """Take what they are judged by.

        Args:
            norm: (N, P) scans.
            energy: (P,) eV.
            references: (R,).
            white: how sure the points are.
            best: the shifts of the best fit.
        """
        at = np.unique(np.linspace(0, len(norm) - 1, min(len(norm), _SCANS)).astype(int))
        self._targets = white(norm[at].T).T
        self._energy, self._references, self._white = energy, references, white
        self.best, self.doubt = best, np.array(best.doubt)
        self._most = np.append([MAX_SHIFT] * best.has_common, MAX_SIGMAS * self.doubt)
        # Bands that are told too small by what the best fit leaves make the shifts no surer.
        self._softer = 1.0
        free = max(energy.size - len(references), 1)
        self._softer = max(1.0, float(self._left(self.flat(best)[None])[0]) / free)

    def flat(self, shifts: Shifts) -> FloatArray:
        """Return what is varied of shifts, (D,)."""
        return np.append([shifts.common] * shifts.has_common, shifts.own[list(shifts.own_of)])

    def each(self, varied: FloatArray) -> FloatArray:
        """Return the shifts of the references, (S, R), for (S, D) that are varied."""
        shared = varied[:, 0] if self.best.has_common else np.full(len(varied), self.best.common)
        found = np.repeat(shared[:, None], len(self._references), axis=1)
        found[:, list(self.best.own_of)] += varied[:, int(self.best.has_common) :]
        return found

    def wide(self, random: np.random.Generator) -> FloatArray:
        """Return starts from all that was thought before, and around the best fit, (S, D)."""
        size = len(self._most)
        before = np.append([MAX_SHIFT / 2] * self.best.has_common, self.doubt)
        anywhere = before * random.normal(size=(_WIDE, size))
        near = self.flat(self.best) + _NEAR * before * random.normal(size=(_WALKERS, size))
        return self.inside(np.concatenate([anywhere, near]))

    def inside(self, varied: FloatArray) -> FloatArray:
        """Return (S, D) shifts, those beyond their bounds just inside."""
        most = 0.99 * self._most
        return np.asarray(np.clip(varied, -most, most))

    def __call__(self, varied: FloatArray) -> FloatArray:
        """Return the logarithms of the likelihoods of (S, D) shifts, with what was known before."""
        found = np.full(len(varied), -np.inf)
        inside = (np.abs(varied) <= self._most).all(axis=1)
        if not inside.any():
            return found
        own = varied[inside, int(self.best.has_common) :]
        known = np.sum((own / self.doubt) ** 2, axis=1)
        found[inside] = -0.5 * (self._left(varied[inside]) + known)
        return found

    def _left(self, varied: FloatArray) -> FloatArray:
        """Return the squares that are left of one scan, on average, (S,)."""
        curves = moved_often(self._references, self._energy, self.each(varied))
        _, left = nnls_often(self._white.curves(curves), self._targets)
        return np.asarray(left.mean(axis=1) / self._softer)


def drawn(chances: Chances) -> tuple[FloatArray, FloatArray]:
    """Draw shifts, as likely as they are.

    Source: emcee, https://doi.org/10.1086/670067; its moves by differences, ter Braak,
    https://doi.org/10.1007/s11222-006-8769-1.

    Args:
        chances: how likely they are.

    Returns:
        Shifts of each reference, (S, R), eV; and the likeliest of what was varied, (D,).

    Raises:
        MissingExtra: emcee is not installed.
    """
    MissingExtra.refuse_without("emcee", "emcee", "mix")
    import emcee

    random = np.random.default_rng(_SEED)
    starts = chances.wide(random)
    likely = chances(starts) / _SOFTER
    share = np.exp(likely - likely.max())
    size = starts.shape[1]
    walkers = max(_WALKERS, _PER_SHIFT * size)
    first = starts[random.choice(len(starts), walkers, p=share / share.sum())]
    apart = 0.2 * _NEAR * starts.std(axis=0) * random.normal(size=first.shape)
    sampler = emcee.EnsembleSampler(
        walkers,
        size,
        chances,
        vectorize=True,
        moves=[
            (emcee.moves.DEMove(), 0.7),
            (emcee.moves.DESnookerMove(), 0.1),
            (emcee.moves.StretchMove(), 0.2),
        ],
    )
    state = np.random.RandomState(_SEED).get_state()
    sampler.run_mcmc(emcee.State(chances.inside(first + apart), random_state=state), _STEPS)
    at = int(np.argmax(sampler.get_log_prob(flat=True)))
    settled = sampler.get_chain(discard=_UNSETTLED, flat=True)
    kept = settled[np.linspace(0, len(settled) - 1, KEPT).astype(int)]
    return chances.each(kept), sampler.get_chain(flat=True)[at]
