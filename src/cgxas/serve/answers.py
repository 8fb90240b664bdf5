"""What the process that computes does: jobs in, answers out."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

from cgxas.crystals.drawn import drawn
from cgxas.errors import CgxasError
from cgxas.predict import Failure, Predictor
from cgxas.serve.curves import (
    compared_values,
    drawn_values,
    failure_values,
    measured_values,
    spectrum_values,
)
from cgxas.serve.files import Upload
from cgxas.serve.jobs import Answer, Found, Job, Refusal
from cgxas.serve.known import element_values, model_values
from cgxas.serve.matched import match_answer
from cgxas.serve.measured import measured_of
from cgxas.serve.mixed import mix_answer
from cgxas.serve.outputs import measured_file, predicted_file
from cgxas.serve.rows import Question, Row, question_of, rows_of
from cgxas.spectra.compare import compare
from cgxas.spectra.spectrum import Spectrum

_LOG = logging.getLogger("cgxas.serve")


class Answerer:
    """A loaded model that answers jobs, those of one kind together."""

    def __init__(self, predictor: Predictor) -> None:
        """Keep the model.

        Args:
            predictor: what predicts.
        """
        self._predictor = predictor
        self._kept: dict[str, Found] = {}
        self._verbs: dict[str, Callable[[Job], Answer]] = {
            "measure": self._measure,
            "compare": self._compare,
            "match": lambda job: match_answer(predictor, job),
            "mix": lambda job: mix_answer(predictor, job),
            "elements": lambda _: self._known("elements"),
            "models": lambda _: self._known("models"),
        }

    @classmethod
    def load(cls, model: str | None) -> Self:
        """Load a model, and let it answer once, for the first answer takes seconds.

        Args:
            model: name or path; None: the usual one.

        Raises:
            CheckpointError: there is none, or it cannot be used.
        """
        answerer = cls(Predictor.load(model))
        example = Path(__file__).parent / "page" / "examples" / "LiFePO4.cif"
        job = Job("predict", (Upload(example.name, example.read_bytes()),), (), {"absorber": "all"})
        list(answerer.answer([job]))
        return answerer

    def answer(self, jobs: list[Job]) -> Iterator[tuple[int, Answer]]:
        """Yield the number of each job and its answer, as they are found.

        Args:
            jobs: of any kinds; predictions with the same question go through the network together.
        """
        alike: dict[Question, list[int]] = {}
        for n, job in enumerate(jobs):
            if job.verb == "predict":
                alike.setdefault(question_of(job), []).append(n)
            else:
                yield n, self._tried(job)
        for question, members in alike.items():
            answers = self._predicted([jobs[n] for n in members], question)
            yield from zip(members, answers, strict=True)

    def _tried(self, job: Job) -> Answer:
        try:
            return self._verbs[job.verb](job)
        except CgxasError as error:
            return _refusal(error)
        except Exception:
            return _unexpected()

    def _predicted(self, jobs: list[Job], question: Question) -> list[Answer]:
        try:
            crystals = [each for job in jobs for each in job.crystals]
            rows = rows_of(self._predictor, crystals, question)
            at = 0
            answers = []
            for job in jobs:
                answers.append(_prediction(job, rows[at : at + len(job.crystals)]))
                at += len(job.crystals)
            return answers
        except CgxasError as error:  # of the question, such as an element that there is not
            return [_refusal(error)] * len(jobs)
        except Exception:
            if len(jobs) == 1:
                return [_unexpected()]
            return [each for job in jobs for each in self._predicted([job], question)]

    def _measure(self, job: Job) -> Answer:
        measured, told = measured_of(job)
        if wanted := job.word("format"):
            return measured_file(measured, wanted)
        return Found.json(measured_values(measured, told))

    def _compare(self, job: Job) -> Answer:
        measured, told = measured_of(job)
        if job.crystals:
            question = question_of(job, measured.element)
            (row,) = rows_of(self._predictor, job.crystals[:1], question)
            if row.failure:
                return _unanswered(row.failure)
            predicted, more = row.spectra[0], row.told
        else:
            curve, more = job.words["predicted"], []
            predicted = Spectrum(
                curve["energy"], curve["norm"], curve["absorber"], curve.get("edge") or "K"
            )
        wishes = job.word("shift", "fit"), job.word("broaden", "fit")
        values = compared_values(compare(predicted, measured, *wishes))
        if job.crystals:
            values["predicted"] = spectrum_values(predicted, more)
        if job.scans:
            values["measured"] = measured_values(measured, told)
        return Found.json(values)

    def _known(self, what: str) -> Answer:
        if what not in self._kept:
            values = element_values if what == "elements" else model_values
            self._kept[what] = Found.json(values(self._predictor.checkpoint))
        return self._kept[what]


def _prediction(job: Job, rows: list[Row]) -> Answer:
    failures = [each.failure for each in rows if each.failure]
    if len(failures) == len(rows):
        return _unanswered(failures[0])
    good = [each for each in rows if not each.failure]
    if wanted := job.word("format"):
        if failures:
            return _unanswered(failures[0])  # a file cannot say what it lacks
        return predicted_file([spectrum for row in good for spectrum in row.spectra], wanted)
    pictures = [
        {
            "crystal": row.crystal,
            "formula": row.spectra[0].formula,
            "elements": _elements(row.spectra[0]),
            "drawn": drawn_values(drawn(structure))
            if (structure := row.spectra[0].structure)
            else None,
        }
        for row in good
    ]
    return Found.json(
        {
            "spectra": [spectrum_values(each, row.told) for row in good for each in row.spectra],
            "crystals": pictures,
            "failures": [failure_values(each) for each in failures],
        }
    )


def _unanswered(failure: Failure) -> Refusal:
    return Refusal(type(failure.error).__name__, failure.reason)


def _elements(spectrum: Spectrum) -> list[str]:
    if spectrum.structure is None:
        return []
    return [str(each.symbol) for each in sorted(spectrum.structure.composition.elements)]


def _refusal(error: CgxasError) -> Refusal:
    return Refusal(type(error).__name__, str(error))


def _unexpected() -> Refusal:
    """Log what cgxas did not foresee, and say no more of it to strangers."""
    _LOG.exception("an answer failed")
    return Refusal("Unexpected", "this failed in a way that was not foreseen; the log tells more")
