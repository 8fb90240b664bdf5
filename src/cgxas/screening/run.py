"""A whole screening: crystals stream in, parts are written, and what is there is not done again."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from cgxas.arguments import as_path
from cgxas.crystals.disorder.order import Disorder
from cgxas.crystals.io.read import CrystalLike
from cgxas.data.collection import Collection
from cgxas.errors import OutputError
from cgxas.screening.asked import asked_of
from cgxas.screening.cluster import answered_on_ray
from cgxas.screening.folder import ScreenFolder
from cgxas.screening.progress import Progress, watched
from cgxas.screening.rows import Rows
from cgxas.screening.task import Parts
from cgxas.screening.where import Where
from cgxas.screening.workers import answered_here


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
    source: "CrystalLike | Sequence[CrystalLike]",
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
            is a crystal; pymatgen or ASE objects; see `Collection`.
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
    asked, identity = asked_of(absorber, model, fidelity, Disorder.of(disorder), where.device)
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
        for task, rows in watched(answered, on_progress):
            of_part.append(rows)
            if task.is_last:
                folder.add(task.part, Rows.joined(of_part))
                of_part.clear()
    return _summed_up(folder, parts.count, collection)


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
