"""What the process that computes does: jobs in, answers out."""

import logging
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from cgxas.crystals.disorder.order import Disorder
from cgxas.crystals.drawn import drawn
from cgxas.errors import CgxasError, CgxasWarning
from cgxas.predict import Failure, Predictor
from cgxas.serve.curves import compared_values, drawn_values, measured_values, spectrum_values
from cgxas.serve.files import Upload, crystal_name, laid_down, lent_folder, renamed, spectrum_name
from cgxas.serve.jobs import Answer, Found, Job, Refusal
from cgxas.serve.known import element_values, model_values
from cgxas.serve.outputs import measured_file, predicted_file
from cgxas.spectra.compare import compare
from cgxas.spectra.io.read import read_spectrum
from cgxas.spectra.measurement import Measurement
from cgxas.spectra.normalise import renormalised
from cgxas.spectra.ranges import Ranges
from cgxas.spectra.spectrum import Spectrum

if TYPE_CHECKING:
    from cgxas.crystals.io.read import CrystalLike

_LOG = logging.getLogger("cgxas.serve")
_Question = tuple[tuple[str, ...], str, int]
_Row = tuple[list[Spectrum] | Refusal, list[str]]


class Answerer:
    """A loaded model that answers jobs, those of one kind together."""

    def __init__(self, predictor: Predictor) -> None:
        """Keep the model.

        Args:
            predictor: what predicts.
        """
        self._predictor = predictor
        self._kept: dict[str, Any] = {}
        self._verbs: dict[str, Callable[[Job], Answer]] = {
            "measure": self._measure,
            "compare": self._compare,
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
        alike: dict[_Question, list[int]] = {}
        for n, job in enumerate(jobs):
            if job.verb == "predict":
                alike.setdefault(_question(job), []).append(n)
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

    def _predicted(self, jobs: list[Job], question: _Question) -> list[Answer]:
        try:
            rows = self._rows([each for job in jobs for each in job.crystals], question)
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

    def _rows(self, crystals: Iterable[Upload], question: _Question) -> list[_Row]:
        """Return of each crystal its spectra or why there are none, and what was warned of."""
        absorbers, disorder, seed = question
        with lent_folder() as folder, _heard() as told:
            names = {
                str(laid_down(folder, each, crystal_name(each.name))): each.shown
                for each in crystals
            }
            given: list[CrystalLike] = list(names)
            how = Disorder.of(disorder, seed)
            found = list(self._predictor.predict_iter(given, absorbers, "yield", how))
        rows: list[_Row] = []
        for (path, name), each in zip(names.items(), found, strict=True):
            own = list(dict.fromkeys(renamed(t, {path: name}) for t in told if path in t))
            if isinstance(each, Failure):
                reason = renamed(each.reason, {path: name})
                rows.append((Refusal(type(each.error).__name__, reason), own))
            else:
                rows.append(([replace(spectrum, source=name) for spectrum in each], own))
        return rows

    def _measure(self, job: Job) -> Answer:
        measured, told = _measured(job)
        if wanted := job.word("format"):
            return measured_file(measured, wanted)
        return Found(measured_values(measured, told))

    def _compare(self, job: Job) -> Answer:
        measured, told = _measured(job)
        if job.crystals:
            row, more = self._rows(job.crystals[:1], _question(job, measured.element))[0]
            if isinstance(row, Refusal):
                return row
            predicted = row[0]
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
        return Found(values)

    def _known(self, what: str) -> Answer:
        if what not in self._kept:
            values = element_values if what == "elements" else model_values
            self._kept[what] = values(self._predictor.checkpoint)
        return Found(self._kept[what])


def _question(job: Job, absorber: str | None = None) -> _Question:
    wanted = job.word("absorber", absorber or "all")
    absorbers = (wanted,) if isinstance(wanted, str) else tuple(dict.fromkeys(wanted))
    return absorbers, job.word("disorder", "refuse"), job.word("seed", 0)


def _prediction(job: Job, rows: list[_Row]) -> Answer:
    refusals = [(crystal, row) for crystal, (row, _) in zip(job.crystals, rows, strict=True)
                if isinstance(row, Refusal)]  # fmt: skip
    if len(refusals) == len(rows):
        return refusals[0][1]
    spectra = [(each, told) for row, told in rows if not isinstance(row, Refusal) for each in row]
    if wanted := job.word("format"):
        if refusals:
            return refusals[0][1]  # a file cannot say what it lacks
        return predicted_file([each for each, _ in spectra], wanted)
    pictures = [
        {
            "crystal": crystal.shown,
            "formula": row[0].formula,
            "elements": _elements(row[0]),
            "drawn": drawn_values(drawn(row[0].structure)) if row[0].structure else None,
        }
        for crystal, (row, _) in zip(job.crystals, rows, strict=True)
        if not isinstance(row, Refusal)
    ]
    return Found(
        {
            "spectra": [spectrum_values(each, told) for each, told in spectra],
            "crystals": pictures,
            "failures": [
                {"crystal": crystal.shown, "error": each.error, "detail": each.detail}
                for crystal, each in refusals
            ],
        }
    )


def _elements(spectrum: Spectrum) -> list[str]:
    if spectrum.structure is None:
        return []
    return [str(each.symbol) for each in sorted(spectrum.structure.composition.elements)]


def _measured(job: Job) -> tuple[Measurement, list[str]]:
    """Return the measurement of a job, from its file or its curves, and what was warned of."""
    if not job.scans:
        return _of_curves(job), []
    upload = job.scans[0]
    with lent_folder() as folder, _heard() as told:
        path = laid_down(folder, upload, spectrum_name(upload.name))
        names = {str(path): upload.shown, path.name: upload.shown}
        try:
            element = job.word("element") or job.word("absorber")
            choice = (job.word(name) for name in ("group", "energy", "mu", "edge"))
            found = read_spectrum(path, element, *choice)
            if wanted := job.word("ranges"):
                found = renormalised(found, Ranges(**wanted))
        except CgxasError as error:
            raise type(error)(renamed(str(error), names)) from error
    found = replace(found, source=upload.shown, label=renamed(found.label, names))
    return found, list(dict.fromkeys(renamed(each, names) for each in told))


def _of_curves(job: Job) -> Measurement:
    curve = job.words["measured"]
    spectrum = Spectrum(curve["energy"], curve["norm"], curve["absorber"], curve.get("edge") or "K")
    flat = curve.get("flat")
    if flat is not None:
        flat = Spectrum(curve["energy"], flat, spectrum.absorber).norm
    return Measurement(
        energy=spectrum.energy,
        mu=spectrum.norm,
        norm=spectrum.norm,
        flat=flat,
        element=spectrum.absorber,
        edge=spectrum.edge,
        kind="normalised",
        format="JSON",
        source="the measured curve",
        label="",
        edge_step=1.0,
        energy_shift=curve.get("energy_shift") or 0.0,
    )


@contextmanager
def _heard() -> Iterator[list[str]]:
    """Record what cgxas warns of, each time; other libraries are not listened to."""
    told: list[str] = []
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", CgxasWarning)
        yield told
        told.extend(str(each.message) for each in heard)


def _refusal(error: CgxasError) -> Refusal:
    return Refusal(type(error).__name__, str(error))


def _unexpected() -> Refusal:
    """Log what cgxas did not foresee, and say no more of it to strangers."""
    _LOG.exception("an answer failed")
    return Refusal("Unexpected", "this failed in a way that was not foreseen; the log tells more")
