"""Crystals ranked against a scan that was sent."""

from typing import Any, Final

from cgxas.data.collection import NamedCrystal
from cgxas.errors import CgxasError
from cgxas.matching.found import Matches
from cgxas.matching.search import matches_of, refuse_other_edge
from cgxas.mixing.files import unique_names
from cgxas.predict import Answered, Predictor
from cgxas.serve.curves import ENERGY, failure_values, measured_values, numbers, rounded
from cgxas.serve.jobs import Found, Job
from cgxas.serve.measured import measured_of
from cgxas.serve.outputs import matches_file
from cgxas.serve.rows import Row, question_of, rows_of

DRAWN: Final = 10
"""Candidates whose curves are sent."""


def match_answer(predictor: Predictor, job: Job) -> Found:
    """Rank the crystals of a job by how likely its scan is theirs.

    Args:
        predictor: what predicts them.
        job: with one scan, or the curve of one, and crystals.

    Raises:
        CgxasError: as of `cgxas.match`.
    """
    measured, told = measured_of(job)
    absorber = job.word("absorber")
    refuse_other_edge(measured, absorber)
    rows = rows_of(predictor, job.crystals, question_of(job, measured.element))
    names = unique_names([(each.crystal,) for each in rows])
    every = [_answered(name, row) for name, row in zip(names, rows, strict=True)]
    found = matches_of(measured, every, predictor.name)
    if wanted := job.word("format"):
        return matches_file(found, wanted)
    values = _values(found)
    if job.scans:
        values["measured"] = measured_values(measured, told)
    said = [*told, *(each for row in rows for each in row.told)]
    return Found.json(values | {"warnings": list(dict.fromkeys(said))})


def _answered(name: str, row: Row) -> Answered:
    failure: CgxasError | None = row.failure.error if row.failure else None
    return Answered(NamedCrystal(name, name, 1.0, failure or name), row.spectra, row.failure)


def _values(found: Matches) -> dict[str, Any]:
    """Return what a file tells of matches, the first curves, and why crystals failed."""
    values = found.values()
    del values["left_out"]
    rows = values["matches"]
    for n, (row, each) in enumerate(zip(rows, found, strict=True)):
        row["predicted"] = numbers(each.fit.predicted) if n < DRAWN else None
    values = rounded(values)
    values["energy"] = numbers(found.energy, ENERGY)
    values["norm"] = numbers(found.norm)
    values["failures"] = [failure_values(each) for each in found.failures]
    return values  # type: ignore[no-any-return]
