"""Crystals that were sent -> their spectra, or why there are none."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from cgxas.crystals.disorder.order import Disorder
from cgxas.predict import Failure, Predictor
from cgxas.serve.files import Upload, crystal_name, laid_down, lent_folder, renamed
from cgxas.serve.heard import heard, own
from cgxas.serve.jobs import Job
from cgxas.spectra.spectrum import Spectrum

if TYPE_CHECKING:
    from cgxas.crystals.io.read import CrystalLike

Question: TypeAlias = tuple[tuple[str, ...], str, int]
"""Absorbers, what is done with disorder, and the seed of that."""


@dataclass(frozen=True, eq=False)
class Row:
    """What came of one crystal.

    Attributes:
        crystal: name of the file as it was sent.
        spectra: one per absorber that is in it.
        failure: why there are none; None if there are some.
        told: what was warned of.
    """

    crystal: str
    spectra: tuple[Spectrum, ...]
    failure: Failure | None
    told: list[str]


def question_of(job: Job, absorber: str | None = None) -> Question:
    """Return what a job asks of its crystals.

    Args:
        job: the job.
        absorber: what is asked for where it names none; None: whatever is in a crystal.
    """
    wanted = job.word("absorber", absorber or "all")
    absorbers = (wanted,) if isinstance(wanted, str) else tuple(dict.fromkeys(wanted))
    return absorbers, job.word("disorder", "refuse"), job.word("seed", 0)


def rows_of(predictor: Predictor, crystals: Iterable[Upload], question: Question) -> list[Row]:
    """Predict crystals.

    Args:
        predictor: what predicts.
        crystals: files of them.
        question: what is asked.

    Raises:
        AbsorberError: an absorber is none.
        ConfigError: what should be done with disorder is not known.
    """
    absorbers, disorder, seed = question
    with lent_folder() as folder, heard() as told:
        names = {
            str(laid_down(folder, each, crystal_name(each.name))): each.shown for each in crystals
        }
        given: list[CrystalLike] = list(names)
        how = Disorder.of(disorder, seed)
        found = list(predictor.predict_iter(given, absorbers, "yield", how))
    rows = []
    for (path, name), each in zip(names.items(), found, strict=True):
        warned = own([t for t in told if path in t], {path: name})
        if isinstance(each, Failure):
            failure = Failure(name, renamed(each.reason, {path: name}), each.error)
            rows.append(Row(name, (), failure, warned))
        else:
            spectra = tuple(replace(spectrum, source=name) for spectrum in each)
            rows.append(Row(name, spectra, None, warned))
    return rows
