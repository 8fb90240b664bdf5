"""Which compounds are learnt from, chosen by, and tested on, over and over again."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from cgxas.calibration.measured import Compounds
from cgxas.elements import atomic_number
from cgxas.errors import ConfigError, DatasetError

SplitBy = Literal["formula", "spectrum", "leave-one-out"]
"""Formula: groups of a formula in random parts 6:1:1. Spectrum: single spectra likewise, as in the
paper. Leave-one-out: each formula is the test part once, and all others are learnt from, those to
choose by among them."""

SEED = 64
_PARTS = np.array([6, 1, 1]) / 8
_FEWEST = 5
ENOUGH = 5
"""Elements with this many compounds are calibrated unless others are named."""


@dataclass(frozen=True, eq=False)
class Repeat:
    """One random division of the compounds of an element.

    Attributes:
        element: absorber.
        number: of the repeat, from 0.
        train: numbers of the compounds to learn from.
        validation: of those to choose by.
        test: of those to report on.
        support: of compounds of other elements, none of a formula that is tested, or chosen by
            and not learnt from.
    """

    element: str
    number: int
    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]
    support: NDArray[np.int64]

    def only(self, known: Collection[int]) -> "Repeat":
        """Return the same with some compounds of its element alone."""

        def kept(part: NDArray[np.int64]) -> NDArray[np.int64]:
            return np.array([n for n in part.tolist() if n in known], dtype=np.int64)

        train, validation, test = map(kept, (self.train, self.validation, self.test))
        return replace(self, train=train, validation=validation, test=test)


def draw_repeats(
    compounds: Compounds, element: str, by: SplitBy = "formula", count: int = 20, seed: int = SEED
) -> Iterator[Repeat]:
    """Divide the compounds of an element.

    Args:
        compounds: all of them; one per spectrum if the division is by spectrum.
        element: absorber.
        by: what stays together.
        count: how many divisions; leave-one-out makes one per group.
        seed: of the shuffles.

    Raises:
        ConfigError: an unknown way to divide.
        DatasetError: there are too few groups for three parts.
    """
    if by not in get_args(SplitBy):
        raise ConfigError(f"a split is by {', '.join(get_args(SplitBy))}, not {by!r}")
    mine = compounds.element == element
    label = compounds.name if by == "spectrum" else compounds.group
    groups = np.unique(label[mine])
    if len(groups) < _FEWEST:
        raise DatasetError(
            f"{element} has measured spectra of {len(groups)} compounds; a calibration needs "
            f"{_FEWEST} or more"
        )
    for number in range(len(groups) if by == "leave-one-out" else count):
        rng = np.random.default_rng([seed, number])
        order = rng.permutation(len(groups))
        n_validation, n_test = (max(1, round(share * len(groups))) for share in _PARTS[1:])
        if by == "leave-one-out":
            order = np.concatenate([[number], order[order != number]])
            n_test = 1
        tested, chosen = np.split(groups[order][: n_test + n_validation], [n_test])
        test, validation = (mine & np.isin(label, part) for part in (tested, chosen))
        apart = test if by == "leave-one-out" else test | validation
        held = np.isin(compounds.group, compounds.group[apart])
        yield Repeat(
            element,
            number,
            train=np.flatnonzero(mine & ~apart),
            validation=np.flatnonzero(validation),
            test=np.flatnonzero(test),
            support=np.flatnonzero(~mine & ~held),
        )


def well_measured(compounds: Compounds) -> list[str]:
    """Return the elements with 5 compounds or more, by atomic number."""
    enough = []
    for element in np.unique(compounds.element).tolist():
        mine = compounds.element == element
        if mine.sum() >= ENOUGH and len(np.unique(compounds.group[mine])) >= _FEWEST:
            enough.append(element)
    return sorted(enough, key=atomic_number)
