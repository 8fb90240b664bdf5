"""Connections that are given up where the other end dawdles: uvicorn waits for ever by itself."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol

from cgxas.limits import SECONDS

HEAD: Final = 10.0
"""Seconds within which a connection must bring the whole head of its next request."""


class Alarm:
    """Calls a function after a time, unless it is cleared before."""

    def __init__(self, seconds: float, call: Callable[[], object]) -> None:
        """Say when and what; nothing runs yet.

        Args:
            seconds: from when it is set.
            call: the function.
        """
        self._seconds, self._call = seconds, call
        self._timer: asyncio.TimerHandle | None = None

    def set(self) -> None:
        """Begin to count, if it does not yet."""
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._seconds, self._call)

    def clear(self) -> None:
        """Count no more."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None


class Connection(H11Protocol):
    """A connection that ends when no request comes over it, or when no answer is taken from it."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._no_head = Alarm(HEAD, self._end)
        self._not_taken = Alarm(SECONDS.value, self._drop)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Take bytes; those that end no head of a request do not prolong the time."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Begin to wait for the next request."""
        super().on_response_complete()
        self._watch()

    def pause_writing(self) -> None:
        """Begin to wait until some of the answer is taken."""
        super().pause_writing()
        self._not_taken.set()

    def resume_writing(self) -> None:
        """Go on with the answer."""
        super().resume_writing()
        self._not_taken.clear()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._no_head.clear()
        self._not_taken.clear()
        super().connection_lost(exc)

    def _watch(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self._no_head.set()
        else:
            self._no_head.clear()

    def _end(self) -> None:
        self.transport.close()
        self._not_taken.set()  # what is left of an answer may still be taken, but not for ever

    def _drop(self) -> None:
        self.transport.abort()
