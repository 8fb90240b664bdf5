"""Frames of a trajectory -> their mean spectrum, and how sure it is."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from cgxas.arguments import as_whole_number
from cgxas.crystals.disorder.order import Disorder
from cgxas.crystals.io.read import CrystalLike
from cgxas.data.collection import Collection, NamedCrystal
from cgxas.elements import atomic_number
from cgxas.errors import ConfigError, CrystalError
from cgxas.screening.asked import asked_of
from cgxas.screening.progress import Progress, watched
from cgxas.screening.task import TASK_SIZE, Task
from cgxas.screening.where import Where
from cgxas.screening.workers import answered_here
from cgxas.spectra.average import Average, averaged
from cgxas.spectra.spectrum import Spectrum
from cgxas.spectra.trust import Trust


def average(
    source: "CrystalLike | Sequence[CrystalLike]",
    absorber: str,
    model: str | Path | None = None,
    fidelity: str | None = None,
    disorder: str | Disorder = "refuse",
    every: int = 1,
    where: Where = Where(),  # noqa: B008  (it is frozen)
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Average:
    """Return the mean spectrum of an absorber over all its sites in all frames of a trajectory.

    Args:
        source: a trajectory, or several that follow each other, or the frames themselves as
            pymatgen or ASE objects; see `Collection`.
        absorber: symbol of the element.
        model: as for `load`.
        fidelity: as for `load`.
        disorder: as for `Predictor.predict`.
        every: take every n-th frame from the first on.
        where: processes and devices of this machine.
        on_progress: called with each few dozen frames.

    Raises:
        CrystalError: a frame cannot be answered, holds no such atom, or is of another formula; or
            trajectories of several kinds lie side by side, such as an XDATCAR and an OUTCAR.
        AbsorberError: the model does not know the absorber.
        SpectrumError: there are fewer than two frames.
    """
    atomic_number(absorber)
    step = as_whole_number(every, 1, "every", ConfigError)
    asked, identity = asked_of(absorber, model, fidelity, Disorder.of(disorder), where.device)
    frames = Collection(source, frames=True)
    tasks = _tasks(frames, step)
    rows: list[dict[str, Any]] = []
    with closing(answered_here(tasks, asked, where.processes)) as answered:
        for task, found in watched(answered, on_progress):
            if found.failures:
                raise CrystalError(f"no mean is told without a frame: {found.failures[0].reason}")
            rows += found.spectra.to_pylist()
            if found.n_absent:
                raise CrystalError(f"a frame of {task.crystals[0].name} on holds no {absorber}")
    if len(formulas := sorted({row["formula"] for row in rows})) > 1:
        raise CrystalError(
            f"the frames are of {', '.join(formulas[:3])}: a mean is of one composition"
        )
    norm = np.array([row["norm"] for row in rows])
    return averaged(norm, _mean(rows, norm, identity["model"], frames.title))


def _tasks(frames: Collection, step: int) -> Iterator[Task]:
    crystals, begin = islice(_of_one_kind(frames), 0, None, step), 0.0
    while several := tuple(islice(crystals, TASK_SIZE)):
        yield Task(0, several, begin, several[-1].done, is_last=False)
        begin = several[-1].done


def _of_one_kind(frames: Iterable[NamedCrystal]) -> Iterator[NamedCrystal]:
    """Pass frames on as long as they cannot be the same ones twice.

    Raises:
        CrystalError: a trajectory lies beside a file of another kind, as VASP writes the same steps
            to XDATCAR, OUTCAR and vasprun.xml, and the first and last to POSCAR and CONTCAR.
    """
    files: dict[str, str] = {}
    is_trajectory = False
    for each in frames:
        file, _, number = each.name.rpartition(":")
        is_frame = bool(file) and number.isdecimal()
        is_trajectory |= is_frame
        path = PurePath(file if is_frame else each.name)
        files.setdefault(path.suffix.lower() or path.name, path.name)
        if is_trajectory and len(files) > 1:
            one, other = list(files.values())[:2]
            raise CrystalError(
                f"{one} and {other} may hold the same frames twice: name one of them"
            )
        yield each


def _mean(rows: Sequence[dict[str, Any]], norm: Any, model: str, source: str) -> Spectrum:
    told = [Trust.of_facts(row) for row in rows]
    sigmas = [row["sigma"] for row in rows]
    has_sigma = all(each is not None for each in sigmas)
    return Spectrum(
        energy=np.array(rows[0]["energy"]),
        norm=norm.mean(axis=0),
        absorber=rows[0]["absorber"],
        sites=(),
        formula=rows[0]["formula"],
        model=model,
        source=source,
        # What a model does not know of one frame it does not know of the next.
        sigma=np.sqrt(np.mean(np.square(sigmas), axis=0)) if has_sigma else None,
        trust=Trust.worst(each for each in told if each is not None),
    )
