"""A process that computes, seen from the server: started, asked, and replaced when it is lost."""

import multiprocessing
import threading
from collections.abc import Iterator
from multiprocessing.connection import Connection

from cgxas.limits import SECONDS
from cgxas.serve import worker
from cgxas.serve.files import forget
from cgxas.serve.jobs import Answer, Job

_LOADING = 300.0  # seconds; from a cold disk torch alone may take one minute


class Lost(Exception):
    """The process took too long, or is gone."""

    def __init__(self, is_late: bool) -> None:
        super().__init__()
        self.is_late = is_late


class Process:
    """One process with the model in its memory.

    A crystal that takes for ever, or more memory than there is, ends it and not the server.

    Attributes:
        is_ready: whether the model is loaded.
        failure: why it cannot be loaded, in one sentence; empty otherwise.
    """

    def __init__(self, model: str | None) -> None:
        """Tell it what to load; `start` starts it.

        Args:
            model: name or path of the model; None: the usual one.
        """
        self._model = model
        self._process: multiprocessing.process.BaseProcess | None = None
        self._pipe: Connection | None = None
        self._lock = threading.Lock()
        self._is_stopped = False
        self.is_ready, self.failure = False, ""

    def start(self) -> None:
        """Start it, or start another one in its place, and wait until the model is loaded."""
        self._end()
        with self._lock:
            if self._is_stopped:
                return
            context = multiprocessing.get_context("spawn")  # torch's threads do not survive a fork
            self._pipe, theirs = context.Pipe()
            self._process = context.Process(
                target=worker.run, args=(theirs, self._model), name="cgxas-worker", daemon=True
            )
            self._process.start()
            theirs.close()
            pipe = self._pipe
        try:
            self.failure = str(pipe.recv()) if pipe.poll(_LOADING) else "the model does not load"
        except (EOFError, OSError):
            self.failure = "the process that loads the model ended"
        self.is_ready = not self.failure

    def answers(self, jobs: list[Job]) -> Iterator[tuple[int, Answer]]:
        """Yield, as they come, the number of each job and its answer.

        Raises:
            Lost: an answer does not come in time, or the process has ended.
        """
        pipe = self._pipe
        if pipe is None or not self.is_ready:
            raise Lost(is_late=False)
        try:
            pipe.send(jobs)
            for _ in jobs:
                if not pipe.poll(SECONDS.value):
                    raise Lost(is_late=True)
                yield pipe.recv()
        except (EOFError, OSError) as error:
            raise Lost(is_late=False) from error

    def stop(self) -> None:
        """End it for good."""
        self._is_stopped = True
        self._end()

    def _end(self) -> None:
        with self._lock:
            self.is_ready = False
            if self._process is not None:
                self._process.kill()
                self._process.join()
                forget(self._process.pid or 0)
            if self._pipe is not None:
                self._pipe.close()
            self._process = self._pipe = None
