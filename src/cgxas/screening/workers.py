"""Worker processes that may be killed: what one of them had in hand is given to another.

The pools of the standard library and of joblib do not say which task ended a process, and give up
the whole pool. Here each process has a pipe of its own: what it was computing when it ended is
known, and tried again; a crystal that ends processes is named, and the rest goes on. A process
whose master is gone reads the end of its pipe, and ends too.
"""

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Any

from cgxas.data.collection import NamedCrystal
from cgxas.errors import CgxasError
from cgxas.screening.asked import Asked
from cgxas.screening.rows import Rows
from cgxas.screening.task import Task
from cgxas.screening.work import answers

AHEAD = 4
"""Tasks for each process that are taken from the source before the first of them is answered."""

_MOST_ENDS = 10
"""Processes that may end one after the other without any answer in between."""
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
LOST = (
    "the process that computed it ended twice, such as for want of memory; predict it alone on a "
    "machine with more"
)


@dataclass(frozen=True)
class _Unit:
    """Crystals that are given to a process together.

    Attributes:
        task: number of the task they are of.
        start: place of the first of them in it.
        crystals: the crystals.
        ends: processes that ended with them in hand.
    """

    task: int
    start: int
    crystals: tuple[NamedCrystal, ...]
    ends: int = 0


@dataclass(eq=False)
class _Worker:
    process: Any
    pipe: "Connection[Any, Any]"
    unit: _Unit | None = None


@dataclass(eq=False)
class _Open:
    """A task, and what came of its crystals so far, by place."""

    task: Task
    rows: dict[int, Rows] = field(default_factory=dict)

    @property
    def is_done(self) -> bool:
        return sum(len(each.ids) for each in self.rows.values()) == len(self.task.crystals)


def answered_here(
    tasks: Iterable[Task], asked: Asked, count: int
) -> Generator[tuple[Task, Rows], None, None]:
    """Yield what came of the tasks, in their order, computed by processes of this machine.

    Args:
        tasks: taken from as they are needed.
        asked: what is asked of every crystal.
        count: processes.

    Raises:
        CgxasError: processes end as soon as they begin.
    """
    crew = _Crew(asked, count)
    try:
        yield from crew.answered(enumerate(tasks))
    finally:
        crew.dismiss()


class _Crew:
    """The processes, and what they have in hand."""

    def __init__(self, asked: Asked, count: int) -> None:
        self._asked, self._count = asked, count
        methods = multiprocessing.get_all_start_methods()
        # Forking a process that has torch and its threads would leave locks behind that nobody has.
        self._context: Any = multiprocessing.get_context(
            "forkserver" if "forkserver" in methods else "spawn"
        )
        if "forkserver" in methods:
            self._context.set_forkserver_preload(["cgxas.screening.work"])
        self._workers: list[_Worker] = []
        self._again: deque[_Unit] = deque()
        self._open: dict[int, _Open] = {}
        self._ends = 0

    def answered(self, tasks: Iterator[tuple[int, Task]]) -> Iterator[tuple[Task, Rows]]:
        first, last, is_more = 0, 0, True
        while True:
            for worker in self._idle():
                unit = self._again.popleft() if self._again else None
                if unit is None and is_more and last - first < AHEAD * self._count:
                    number, task = next(tasks, (last, None))
                    is_more = task is not None
                    if task is not None:
                        last = number + 1
                        self._open[number] = _Open(task)
                        unit = _Unit(number, 0, task.crystals)
                if unit is not None:
                    self._give(worker, unit)
            if not self._open:
                return
            self._wait()
            while first in self._open and self._open[first].is_done:
                found = self._open.pop(first)
                yield found.task, Rows.joined([found.rows[at] for at in sorted(found.rows)])
                first += 1

    def _idle(self) -> list[_Worker]:
        while len(self._workers) < self._count:
            self._workers.append(self._hire())
        return [worker for worker in self._workers if worker.unit is None]

    def _hire(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        with _one_thread_each():
            process = self._context.Process(target=_serve, args=(theirs, self._asked), daemon=True)
            process.start()
        theirs.close()  # or its end would never be seen
        return _Worker(process, ours)

    def _give(self, worker: _Worker, unit: _Unit) -> None:
        worker.unit = unit
        with suppress(OSError):  # it ended in the meantime, which is seen below
            worker.pipe.send(unit.crystals)

    def _wait(self) -> None:
        busy = {worker.pipe: worker for worker in self._workers if worker.unit is not None}
        for pipe in wait(list(busy)):
            worker = busy[pipe]  # type: ignore[index]
            try:
                found = worker.pipe.recv()
            except (EOFError, OSError):
                self._ended(worker)
                continue
            if isinstance(found, Exception):
                raise found
            unit, worker.unit, self._ends = worker.unit, None, 0
            if unit is not None:
                self._open[unit.task].rows[unit.start] = found

    def _ended(self, worker: _Worker) -> None:
        """Give what a process that ended had in hand to another; name what ends every one."""
        self._workers.remove(worker)
        worker.pipe.close()
        worker.process.join()
        self._ends += 1
        if self._ends > _MOST_ENDS:
            raise CgxasError(
                f"{self._ends} worker processes ended one after the other without an answer; take "
                "fewer of them, or a machine with more memory"
            )
        unit = worker.unit
        if unit is None:
            return
        if not unit.ends:
            self._again.append(_Unit(unit.task, unit.start, unit.crystals, 1))
        elif len(unit.crystals) > 1:
            self._again += [
                _Unit(unit.task, unit.start + n, (each,), 1) for n, each in enumerate(unit.crystals)
            ]
        else:
            lost = Rows.lost(unit.crystals[0].id, LOST)
            self._open[unit.task].rows[unit.start] = lost

    def dismiss(self) -> None:
        for worker in self._workers:
            worker.pipe.close()
            worker.process.terminate()
        for worker in self._workers:
            worker.process.join()


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Have processes that are started in the block compute in one thread, as there are several."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _serve(pipe: "Connection[Any, Any]", asked: Asked) -> None:
    """Answer what comes through a pipe until it is closed."""
    import torch

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the master
    torch.set_num_threads(1)
    while True:
        try:
            crystals = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            found: object = answers(crystals, asked)
        except MemoryError:
            os._exit(1)  # as if the system had ended it
        except Exception as error:
            found = error
        try:
            pipe.send(found)
        except OSError:
            return
