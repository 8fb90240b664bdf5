"""The process a command runs in: its three streams, and the signals that end it."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from types import FrameType
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

INTERRUPTED = 128 + signal.SIGINT
TERMINATED = 128 + signal.SIGTERM
_STREAMS = ("stdin", "stdout", "stderr")


def ready_streams() -> None:
    """Let every stream be there, and show a name that the terminal cannot show escaped.

    The place of a closed one is taken, or the next file that is opened would get its number, and
    what is printed. Nobody hears what goes to a closed stderr; what goes to a closed stdout is
    refused by the system, as it is lost.
    """
    for number, name in enumerate(_STREAMS):
        try:
            os.fstat(number)
        except OSError:
            # The system gives the lowest free number, which is that of the closed stream.
            os.open(os.devnull, os.O_WRONLY if name == "stderr" else os.O_RDONLY)
            if getattr(sys, name) is None:
                setattr(sys, name, open(number, "r" if name == "stdin" else "w", closefd=False))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def flush_stdout() -> str:
    """Write out what is left for stdout, and return why that fails, or nothing.

    Raises:
        BrokenPipeError: nobody reads on.
    """
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        silence(sys.stdout)
        return error.strerror or str(error)
    return ""


def forget_stdout() -> None:
    """Drop what cannot be written, or Python complains of it when it ends."""
    try:
        flush_stdout()
    except BrokenPipeError:
        silence(sys.stdout)


def silence(stream: TextIO) -> None:
    """Send the rest into nothing, so that Python does not complain again when it closes."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


@contextmanager
def ending_cleanly() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end the block as exceptions, so that temporary files are removed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    hook = sys.unraisablehook
    # A process in the background is told to ignore Ctrl-C, and goes on doing so.
    if before[signal.SIGINT] is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, _end)
    signal.signal(signal.SIGTERM, _end)
    sys.unraisablehook = _end_where_nothing_can_be_raised
    try:
        yield
    finally:
        sys.unraisablehook = hook
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, frame: FrameType | None) -> None:
    """End as an exception; while PyTorch is being imported, at once.

    Its C++ aborts with words of its own when an exception passes through. Nothing is being written
    at that time.
    """
    inner = frame
    while inner is not None:
        spec = inner.f_globals.get("__spec__")
        is_torch = str(inner.f_globals.get("__name__", "")).split(".")[0] == "torch"
        if is_torch and getattr(spec, "_initializing", False):
            os._exit(128 + number)
        inner = inner.f_back
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise SystemExit(TERMINATED)


def _end_where_nothing_can_be_raised(what: "UnraisableHookArgs") -> None:
    """End the process: a signal came in a place whose exceptions Python drops, as in an import."""
    if issubclass(what.exc_type, KeyboardInterrupt):
        os._exit(INTERRUPTED)
    if issubclass(what.exc_type, SystemExit):
        os._exit(TERMINATED)
    sys.__unraisablehook__(what)
