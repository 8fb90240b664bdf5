"""The majority of each site: one ordered crystal, the most likely at every place."""

from collections.abc import Iterator

import numpy as np

from cgxas.crystals.disorder.occupancy import EMPTY, FULL, Occupancy
from cgxas.crystals.disorder.partial import PartialCell, crowding
from cgxas.elements import SYMBOLS
from cgxas.typing import IntArray

_TIE = 0.0015  # shares are given to 0.001


def majority(cell: PartialCell) -> IntArray:
    """Return what stands on each place of the cell: an atomic number, or 0.

    A place takes its most abundant element if it is at least half full, together with the places
    that are too near for another atom. Of those only one is filled, the fullest first.
    """
    total = cell.total
    wanted = np.array([_most_abundant(cell.kinds[kind]) for kind in cell.kind_of_place])
    crowd = crowding(cell.lattice, cell.frac, total)
    numbers = np.zeros(len(cell), dtype=np.int64)
    # Stable: equally full places are taken in the order of the canonical cell.
    for place in np.argsort(-total, kind="stable"):
        if len(crowd.rivals_of(place, wanted[place], numbers)):
            continue
        alternatives = crowd.rivals_of(place, wanted[place], wanted)
        if total[place] + total[alternatives].sum() > 0.5 - _TIE:
            numbers[place] = wanted[place]
    return numbers


def ties(cell: PartialCell) -> Iterator[str]:
    """Yield, of each kind of place without a single majority, what was taken and what was not."""
    for kind in cell.kinds:
        taken = _most_abundant(kind)
        shares = dict(zip(kind.elements, kind.shares, strict=True))
        alike = [SYMBOLS[z - 1] for z in shares if shares[z] > shares.get(taken, 0) - _TIE]
        if abs(kind.vacancy - 0.5) < _TIE:
            alike.append(EMPTY)
        if len(alike) > 1:
            yield f"{SYMBOLS[taken - 1]} of {' and '.join(alike)}"


def _most_abundant(kind: Occupancy) -> int:
    """Return the atomic number with the largest share, the lowest of equal ones; 0 of nothing."""
    if not kind.elements:
        return 0
    if kind.shares[0] >= FULL:
        return kind.elements[0]
    most = max(kind.shares)
    return next(z for z, s in zip(kind.elements, kind.shares, strict=True) if s > most - _TIE)
