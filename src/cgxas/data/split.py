"""Training, validation and test parts."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cgxas.errors import ConfigError

Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class Split:
    """Indices of records in each part.

    Attributes:
        train: indices to learn from.
        validation: indices to choose by.
        test: indices to report on, never to choose by.
    """

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]

    @property
    def sha256(self) -> str:
        """Hash of which index stands in which part."""
        digest = hashlib.sha256()
        for part in PARTS:
            digest.update(part.encode() + np.asarray(getattr(self, part), dtype="<i8").tobytes())
        return digest.hexdigest()


def _check_fractions(fractions: tuple[float, float]) -> None:
    if min(fractions) <= 0 or sum(fractions) >= 1:
        raise ConfigError(
            f"fractions {fractions} for training and validation must be positive and leave a rest"
        )


def split_by_formula(
    formulas: Sequence[str],
    elements: Sequence[str],
    fractions: tuple[float, float] = (0.6, 0.2),
    seed: int = 64,
) -> Split:
    """Split so that no reduced formula stands in two parts.

    Every formula counts for its rarest absorber, and the formulas of each absorber are shuffled
    and divided on their own, so that an element with ten formulas still has some in every part.

    Args:
        formulas: reduced formula of each record.
        elements: absorber of each record.
        fractions: shares for training and validation; the rest is the test part.
        seed: of the shuffle.
    """
    _check_fractions(fractions)
    absorbers: dict[str, set[str]] = defaultdict(set)
    for formula, element in zip(formulas, elements, strict=True):
        absorbers[formula].add(element)
    common = {e: sum(e in found for found in absorbers.values()) for e in set(elements)}
    strata: dict[str, list[str]] = defaultdict(list)
    for formula in sorted(absorbers):
        strata[min(absorbers[formula], key=lambda e: (common[e], e))].append(formula)
    part_of: dict[str, int] = {}
    rng = np.random.default_rng(seed)
    for element in sorted(strata):
        order = rng.permutation(len(strata[element]))
        ends = np.round(np.cumsum(fractions) * len(order))
        for place, which in enumerate(order):
            part_of[strata[element][which]] = int(np.searchsorted(ends, place, side="right"))
    parts = np.array([part_of[formula] for formula in formulas])
    return Split(*(np.flatnonzero(parts == n) for n in range(3)))


def split_by_spectrum(
    n_spectra: int, fractions: tuple[float, float] = (0.6, 0.2), seed: int = 64
) -> Split:
    """Split at random as the authors do; one crystal's spectra may stand in two parts.

    What int() cuts off the three shares is left out, as in their code.
    """
    _check_fractions(fractions)
    order = np.random.RandomState(seed).permutation(n_spectra)
    n_train, n_validation = (int(share * n_spectra) for share in fractions)
    n_test = int(round(1 - sum(fractions), 9) * n_spectra)
    ends = np.cumsum([n_train, n_validation, n_test])
    return Split(order[: ends[0]], order[ends[0] : ends[1]], order[ends[1] : ends[2]])
