"""The same work on a Ray cluster; what ended there is tried again, and named if it ends again."""

import logging
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

from cgxas.crystals.io.content import read_content
from cgxas.data.collection import NamedCrystal
from cgxas.errors import CgxasError, ConfigError, MissingExtra
from cgxas.screening.asked import Asked
from cgxas.screening.rows import Rows
from cgxas.screening.task import Task
from cgxas.screening.work import answers
from cgxas.screening.workers import AHEAD, LOST

LOCAL = "local"
"""The address of a cluster that is started on this machine, and ends with the run."""

_RETRIES = 3
"""How often Ray tries a task again whose process or machine ended."""


def answered_on_ray(
    tasks: Iterable[Task], asked: Asked, address: str
) -> Generator[tuple[Task, Rows], None, None]:
    """Yield what came of the tasks, in their order, computed by a Ray cluster.

    Files are read here and sent, so that the machines need not share a file system.

    Args:
        tasks: taken from as they are needed.
        asked: what is asked of every crystal.
        address: "auto", "host:port", or "local".

    Raises:
        MissingExtra: Ray is not installed.
        ConfigError: there is no such cluster.
    """
    MissingExtra.refuse_without("ray", "Ray", "ray")
    import ray

    try:
        ray.init(address, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise ConfigError(
            f"no Ray cluster at {address!r}: start one with 'ray start --head', or name 'local'"
        ) from error
    try:
        yield from _answered(tasks, asked, ray)
    finally:
        ray.shutdown()


def _answered(tasks: Iterable[Task], asked: Asked, ray: Any) -> Iterator[tuple[Task, Rows]]:
    needs = {"num_gpus": 1} if asked.device.startswith("cuda") else {"num_cpus": 1}
    remote = ray.remote(max_retries=_RETRIES, **needs)(answers)
    ahead = AHEAD * max(1, int(ray.cluster_resources().get("CPU", 1)))
    sent: deque[tuple[Task, Any]] = deque()
    for task in tasks:
        sent.append((task, remote.remote([_carried(each) for each in task.crystals], asked)))
        if len(sent) >= ahead:
            first, found = sent.popleft()
            yield first, _result(ray, remote, first, found, asked)
    for first, found in sent:
        yield first, _result(ray, remote, first, found, asked)


def _result(ray: Any, remote: Any, task: Task, found: Any, asked: Asked) -> Rows:
    """Return what came of a task; of one that ends processes, crystal by crystal."""
    ends = (ray.exceptions.WorkerCrashedError, ray.exceptions.OutOfMemoryError)
    try:
        rows: Rows = ray.get(found)
    except ray.exceptions.RayTaskError as error:
        raise error.cause or error from error
    except ends:
        if len(task.crystals) == 1:
            return Rows.lost(task.crystals[0].id, LOST)
        each_alone = [replace(task, crystals=(each,)) for each in task.crystals]
        return Rows.joined(
            [
                _result(ray, remote, one, remote.remote([_carried(one.crystals[0])], asked), asked)
                for one in each_alone
            ]
        )
    return rows


def _carried(crystal: NamedCrystal) -> NamedCrystal:
    """Return a crystal with what its file holds, in place of the path of it."""
    if not isinstance(crystal.crystal, str | PathLike):
        return crystal
    try:
        return replace(crystal, crystal=read_content(Path(crystal.crystal)))
    except CgxasError as error:
        return replace(crystal, crystal=error)
