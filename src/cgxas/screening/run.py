"""A whole screening: crystals stream in, parts are written, and what is there is not done again."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from cgxas.arguments import as_list, as_path
from cgxas.crystals.disorder.order import Disorder
from cgxas.data.collection import Collection
from cgxas.errors import OutputError, UnknownElement
from cgxas.model.location import bundled
from cgxas.predict import load
from cgxas.screening.asked import Asked
from cgxas.screening.cluster import answered_on_ray
from cgxas.screening.folder import ScreenFolder
from cgxas.screening.rows import Rows
from cgxas.screening.task import Parts, Task
from cgxas.screening.where import Where
from cgxas.screening.workers import answered_here


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes:
        done: share of the collection that is gone through, up to 1.
        n_crystals: answered or refused by this run.
        n_failed: of those, how many were not answered.
        seconds: since it began.
        seconds_left: until it ends, at its mean speed; None: not known yet.
    """

    done: float
    n_crystals: int
    n_failed: int
    seconds: float
    seconds_left: float | None

    @property
    def crystals_per_second(self) -> float:
        """Its mean speed."""
        return self.n_crystals / self.seconds if self.seconds else 0.0


@dataclass(frozen=True)
class Screened:
    """What there is at the end of a run, of this and all earlier ones.

    Attributes:
        folder: where the tables are.
        n_crystals: of the collection.
        n_spectra: rows of the parts.
        n_failed: rows of the failures.
        n_absent: crystals that hold none of the wanted absorbers.
        n_remarks: rows of the warnings.
        passed_over: kind -> files of the source that are no crystals.
        missing: parts that other shards have still to make.
    """

    folder: Path
    n_crystals: int
    n_spectra: int
    n_failed: int
    n_absent: int
    n_remarks: int
    passed_over: Mapping[str, int]
    missing: int


def screen(
    source: "str | PathLike[str] | Sequence[str | PathLike[str]]",
    absorber: str | Sequence[str],
    out: str | PathLike[str],
    model: str | Path | None = None,
    fidelity: str | None = None,
    disorder: str | Disorder = "refuse",
    where: Where = Where(),  # noqa: B008  (it is frozen)
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Screened:
    """Predict any number of crystals into a folder of tables, in bounded memory.

    Written are `part-000000.parquet` and so on, with the columns of `screening.rows.SCHEMA`, and
    `failures.parquet` (id, reason, error) and `warnings.parquet` (id, remark). A run that was
    killed goes on where it was when it is started again: each crystal is there once.

    Args:
        source: files, folders, patterns, archives, data sets, or trajectories of which every frame
            is a crystal; see `Collection`.
        absorber: symbol of the element, several of them, or "all".
        out: a new folder, or that of a run of the same.
        model: as for `load`.
        fidelity: as for `load`.
        disorder: as for `Predictor.predict`.
        where: processes, devices and clusters.
        on_progress: called with each few dozen crystals.

    Returns:
        What there is at the end.

    Raises:
        CrystalError: there is no crystal in the source.
        AbsorberError: the model does not know an absorber.
        CheckpointError: the model cannot be used.
        OutputError: the folder holds something else, or the source has changed since.
        MissingExtra: pyarrow, or Ray where it is asked for, is not installed.
    """
    asked, identity = _asked(absorber, model, fidelity, Disorder.of(disorder), where.device)
    collection = Collection(source, frames=True)
    path = as_path(out, "the folder of a screening", OutputError)
    folder = ScreenFolder.open(path, identity, where.part_size)
    parts = Parts(collection, folder, where)
    if where.ray is None:
        answered = answered_here(parts.tasks(), asked, where.processes)
    else:
        answered = answered_on_ray(parts.tasks(), asked, where.ray)
    with closing(answered):
        of_part: list[Rows] = []
        for task, rows in _watched(answered, on_progress):
            of_part.append(rows)
            if task.is_last:
                folder.add(task.part, Rows.joined(of_part))
                of_part.clear()
    return _summed_up(folder, parts.count, collection)


def _asked(
    absorber: str | Sequence[str],
    model: str | Path | None,
    fidelity: str | None,
    disorder: Disorder,
    device: str,
) -> tuple[Asked, dict[str, Any]]:
    """Return what is asked, having seen that it can be; and all of it that changes answers."""
    given = [absorber] if isinstance(absorber, str) else absorber
    what = "absorbers are symbols such as 'Fe'"
    absorbers = tuple(dict.fromkeys(as_list(given, str, what, UnknownElement, least=1)))
    predictor = load(model, fidelity)
    predictor.predict_iter([], absorbers, "yield", disorder)
    is_file = model is not None and str(model) not in bundled()
    where = str(Path(str(model)).absolute()) if is_file else predictor.name
    identity = {
        "absorbers": list(absorbers),
        "model": predictor.name,
        "model_sha256": predictor.checkpoint.sha256,
        "fidelity": fidelity,
        "disorder": asdict(disorder),
    }
    return Asked(absorbers, where, fidelity, disorder, device), identity


def _watched(
    answered: Iterable[tuple[Task, Rows]], on_progress: Callable[[Progress], None]
) -> Iterator[tuple[Task, Rows]]:
    start, first = time.monotonic(), None
    n_crystals = n_failed = 0
    for task, rows in answered:
        first = task.begin if first is None else first
        n_crystals += len(rows.ids)
        n_failed += len(rows.failures)
        seconds, gone = time.monotonic() - start, task.end - first
        left = seconds * (1 - task.end) / gone if gone > 0 else None
        on_progress(Progress(task.end, n_crystals, n_failed, seconds, left))
        yield task, rows


def _summed_up(folder: ScreenFolder, n_parts: int, collection: Collection) -> Screened:
    about = folder.summed_up()
    return Screened(
        folder=folder.path,
        n_crystals=sum(each.n_crystals for each in about),
        n_spectra=sum(each.n_spectra for each in about),
        n_failed=sum(len(each.failures) for each in about),
        n_absent=sum(each.n_absent for each in about),
        n_remarks=sum(len(each.remarks) for each in about),
        passed_over=dict(collection.passed_over),
        missing=n_parts - len(about),
    )
