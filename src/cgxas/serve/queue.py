"""Who waits for an answer: a bounded queue, and processes that empty it in batches."""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

from cgxas.limits import SECONDS, WAITING
from cgxas.serve.jobs import Answer, Job, Refusal
from cgxas.serve.process import Lost, Process
from cgxas.serve.settings import ServerSettings

MOST_TOGETHER = 16
"""Jobs that one process is given at once: one pass of the network for all their crystals."""

LONG = ("match", "mix")
"""Jobs that may take long, so that no other one is given to a process together with them."""


class Busy(Exception):
    """So many wait that one more would not be answered soon."""


@dataclass(eq=False)
class Ticket:
    """A job and who waits for it.

    Attributes:
        job: what is to be done.
        answer: set when it is done.
    """

    job: Job
    answer: "asyncio.Future[Answer]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Queue:
    """Jobs -> answers, in the order they came, by processes that may die without harm."""

    def __init__(self, settings: ServerSettings, on_failure: Callable[[str], None]) -> None:
        """Start the processes; each begins with loading the model.

        Args:
            settings: of the server.
            on_failure: called with the reason where the model cannot be loaded.
        """
        self._on_failure = on_failure
        self._processes = [Process(settings.model) for _ in range(settings.workers)]
        self._threads = ThreadPoolExecutor(settings.workers, thread_name_prefix="cgxas-queue")
        self._waiting: deque[Ticket] = deque()
        self._news = asyncio.Event()
        self._loops = [asyncio.create_task(self._empty(each)) for each in self._processes]

    @property
    def state(self) -> str:
        """Whether it is "ready" or "loading", or in one sentence why no model can be loaded."""
        failed = next((each.failure for each in self._processes if each.failure), "")
        ready = any(each.is_ready for each in self._processes)
        return "ready" if ready else failed or "loading"

    async def ask(self, job: Job) -> Answer:
        """Wait for the answer to a job.

        Raises:
            Busy: too many wait already.
        """
        if len(self._waiting) >= WAITING.value:
            raise Busy
        ticket = Ticket(job)
        self._waiting.append(ticket)
        self._news.set()
        try:
            return await ticket.answer
        finally:
            with suppress(ValueError):  # who waited has gone, and it is still in line
                self._waiting.remove(ticket)

    async def close(self) -> None:
        """Stop the processes."""
        for each in self._loops:
            each.cancel()
        for process in self._processes:
            process.stop()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _empty(self, process: Process) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._threads, process.start)
        if process.failure:
            self._on_failure(process.failure)
            return
        while True:
            while not self._waiting:
                self._news.clear()
                await self._news.wait()
            batch = self._next()
            await loop.run_in_executor(self._threads, self._work, process, batch, loop)

    def _next(self) -> list[Ticket]:
        """Take the jobs that are answered next: a long one, or short ones up to a long one."""
        batch = [self._waiting.popleft()]
        while (
            self._waiting
            and len(batch) < MOST_TOGETHER
            and batch[0].job.verb not in LONG
            and self._waiting[0].job.verb not in LONG
        ):
            batch.append(self._waiting.popleft())
        return batch

    def _work(self, process: Process, batch: list[Ticket], loop: asyncio.AbstractEventLoop) -> None:
        """Have a batch answered; where it kills the process, each of what is left alone."""
        left = dict(enumerate(batch))
        try:
            for n, answer in process.answers([each.job for each in batch]):
                loop.call_soon_threadsafe(_give, left.pop(n), answer)
        except Lost as lost:
            process.start()
            if len(left) == 1:
                (ticket,) = left.values()
                loop.call_soon_threadsafe(_give, ticket, _lost(lost))
                return
            for ticket in left.values():
                self._work(process, [ticket], loop)


def _give(ticket: Ticket, answer: Answer) -> None:
    if not ticket.answer.done():  # who waited may have gone
        ticket.answer.set_result(answer)


def _lost(lost: Lost) -> Refusal:
    if lost.is_late:
        return Refusal(
            "TooLong",
            f"it takes longer than the {SECONDS.value:,} seconds that are given; ask for less, or "
            f"set {SECONDS.variable} where the server starts",
        )
    return Refusal("TooMuch", "it needs more than this server has; ask for less")
