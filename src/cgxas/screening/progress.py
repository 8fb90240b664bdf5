"""How far a run is, told while it runs."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from cgxas.screening.rows import Rows
from cgxas.screening.task import Task


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


def watched(
    answered: Iterable[tuple[Task, Rows]], on_progress: Callable[[Progress], None]
) -> Iterator[tuple[Task, Rows]]:
    """Yield what came of tasks, and tell how far that is."""
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
