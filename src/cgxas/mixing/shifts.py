"""By how much references lie off the energy scale of the scans, the same for all scans."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from cgxas.mixing.references import Reference
from cgxas.typing import FloatArray

MAX_SHIFT = 5.0
"""Shifts are looked for within these eV."""

MAX_SIGMAS = 3.0
"""A predicted reference moves within as many times the shift that its band tells."""


@dataclass(frozen=True, eq=False)
class Shifts:
    """Shifts of (R,) references.

    Attributes:
        common: eV added to the energies of all of them.
        own: (R,) eV added besides, to predicted ones, each within its band.
        covariance: (K, K) of the fitted ones: the common one, if it is fitted, then the own ones.
        has_common: whether the common one is fitted.
        own_of: numbers of the references whose own shift is fitted.
        on_bound: which ended on their bounds, in words; empty if none did.
    """

    common: float
    own: FloatArray
    covariance: FloatArray
    has_common: bool = False
    own_of: tuple[int, ...] = ()
    on_bound: str = ""

    @property
    def each(self) -> FloatArray:
        """(R,) eV that are added to the energies of each."""
        return self.common + self.own

    @property
    def common_error(self) -> float:
        """Standard deviation of the common one, eV."""
        return float(self.covariance[0, 0] ** 0.5) if self.has_common else 0.0

    def of(self, which: Sequence[int]) -> "Shifts":
        """Return those of some of the references."""
        own = {n: at for at, n in enumerate(self.own_of, int(self.has_common))}
        kept = [n for n in which if n in own]
        rows = [*range(int(self.has_common)), *(own[n] for n in kept)]
        return replace(
            self,
            own=self.own[list(which)],
            covariance=self.covariance[np.ix_(rows, rows)],
            own_of=tuple(list(which).index(n) for n in kept),
        )

    def effect(self, weights: FloatArray, slopes: FloatArray, is_free: bool) -> FloatArray:
        """Return (P, K) what the fitted ones change in a mixture.

        Args:
            weights: (R,) of the mixture.
            slopes: (R, P) change of each reference with its shift, 1/eV.
            is_free: the scan has found a common one of its own.
        """
        common = [(0.0 if is_free else 1.0) * (weights @ slopes)] if self.has_common else []
        return np.array([*common, *(weights[n] * slopes[n] for n in self.own_of)]).T


def moved(
    references: Sequence[Reference], energy: FloatArray, shift: FloatArray, with_slopes: bool = True
) -> tuple[FloatArray, FloatArray]:
    """Return (R, P) references, moved by (R,) eV, and their change with the shift, (R, P)."""
    pairs = list(zip(references, shift, strict=True))
    curves = np.array([each.on(energy, float(by)) for each, by in pairs])
    slopes = [each.slope(energy, float(by)) for each, by in pairs] if with_slopes else curves * 0
    return curves, np.array(slopes)
