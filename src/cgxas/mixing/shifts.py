"""By how much references lie off the energy scale of the scans, the same for all scans."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

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
        has_common: whether the common one is fitted.
        common_error: standard deviation of that, eV; 0 where it is not.
        own_of: (K,) numbers of the references whose own shift is fitted.
        doubt: (K,) standard deviations of these as their bands tell them, eV.
        on_bound: which ended on their bounds, in words; empty if none did.
        drawn: (S, R) eV, shifts of each that bands and scans allow as well, as likely as they are;
            S is 0 where no reference has a shift of its own.
    """

    common: float
    own: FloatArray
    has_common: bool = False
    common_error: float = 0.0
    own_of: tuple[int, ...] = ()
    doubt: tuple[float, ...] = ()
    on_bound: str = ""
    drawn: FloatArray = field(default_factory=lambda: np.zeros((0, 0)))

    @property
    def each(self) -> FloatArray:
        """(R,) eV that are added to the energies of each."""
        return self.common + self.own

    def of(self, which: Sequence[int]) -> "Shifts":
        """Return those of some of the references."""
        kept = [n for n in which if n in self.own_of]
        return replace(
            self,
            own=self.own[list(which)],
            own_of=tuple(list(which).index(n) for n in kept),
            doubt=tuple(self.doubt[self.own_of.index(n)] for n in kept),
            drawn=self.drawn[:, list(which)] if self.drawn.size else self.drawn,
        )


def moved(
    references: Sequence[Reference], energy: FloatArray, shift: FloatArray, with_slopes: bool = True
) -> tuple[FloatArray, FloatArray]:
    """Return (R, P) references, moved by (R,) eV, and their change with the shift, (R, P)."""
    pairs = list(zip(references, shift, strict=True))
    curves = np.array([each.on(energy, float(by)) for each, by in pairs])
    slopes = [each.slope(energy, float(by)) for each, by in pairs] if with_slopes else curves * 0
    return curves, np.array(slopes)


def moved_often(
    references: Sequence[Reference], energy: FloatArray, shifts: FloatArray
) -> FloatArray:
    """Return references, each moved several times, (S, R, P).

    Args:
        references: (R,).
        energy: (P,) eV.
        shifts: (S, R) eV.
    """
    columns = zip(references, shifts.T, strict=True)
    return np.stack([each.on(energy, by[:, None]) for each, by in columns], axis=1)
