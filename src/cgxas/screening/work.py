"""The one plain function that does the work, wherever it is sent."""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from cgxas.data.collection import NamedCrystal
from cgxas.errors import ReadingWarning
from cgxas.predict import Predictor, answers_of, load
from cgxas.screening.asked import Asked
from cgxas.screening.rows import Remark, Rows


def answers(crystals: Sequence[NamedCrystal], asked: Asked) -> Rows:
    """Read some crystals and answer what is asked of them.

    All it needs comes with its arguments, and all it gives is in what it returns, which both can be
    sent: Parsl, Dask, Globus Compute or Ray run it as it is. A process loads the model once.

    Args:
        crystals: a few dozen of a `Collection`, which are read here.
        asked: what is asked of each.

    Returns:
        A row per spectrum, and what could not be answered.

    Raises:
        CgxasError: the model cannot be used, or not for these absorbers. What a crystal refuses is
            a row of the failures.
    """
    predictor = _predictor(asked.model, asked.fidelity, asked.device)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", ReadingWarning)
        told: list[tuple[str, int]] = []
        noted = _noting(crystals, heard, told)
        found = list(answers_of(predictor, noted, asked.absorbers, asked.disorder))
    return Rows.of(found, _remarks(told, heard))


@lru_cache(maxsize=1)
def _predictor(model: str | None, fidelity: str | None, device: str) -> Predictor:
    return load(model, fidelity, device)


def _noting(
    crystals: Iterable[NamedCrystal],
    heard: Sequence[warnings.WarningMessage],
    told: list[tuple[str, int]],
) -> Iterator[NamedCrystal]:
    """Yield the crystals, noting how much had been heard before each is read."""
    for each in crystals:
        told.append((each.id, len(heard)))
        yield each


def _remarks(
    told: Sequence[tuple[str, int]], heard: Sequence[warnings.WarningMessage]
) -> list[Remark]:
    """Return what was said of each crystal, each thing once."""
    ends = [start for _, start in told[1:]] + [len(heard)]
    found = [
        Remark(name, str(each.message))
        for (name, start), end in zip(told, ends, strict=True)
        for each in heard[start:end]
    ]
    return list(dict.fromkeys(found))
