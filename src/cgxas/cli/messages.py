"""What the command line says: errors and warnings as one line each, tables on a console."""

import errno
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from cgxas.cli.process import (
    INTERRUPTED,
    TERMINATED,
    ending_cleanly,
    flush_stdout,
    forget_stdout,
    ready_streams,
    silence,
)
from cgxas.errors import CgxasError, CgxasWarning, Interrupted

if TYPE_CHECKING:
    from rich.console import Console

REFUSED = 2
_BROKEN_PIPE = 128 + 13
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
_WIDE = 10_000
_NARROW = 80
# Typer carries its own copy of click, older versions use the package: BadParameter is in both.
_ClickError: Any = typer.BadParameter.__mro__[2]


def exit_code(command: Callable[[], object]) -> int:
    """Run a command; turn whatever it refuses into one line on stderr, and say how it ended."""
    ready_streams()
    try:
        with ending_cleanly():
            return _ended(command)
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except RuntimeError as error:  # as which Python 3.11 raises what ends the making of a class
        if isinstance(error.__cause__, KeyboardInterrupt):
            return INTERRUPTED
        if isinstance(error.__cause__, SystemExit):
            return TERMINATED
        raise
    finally:
        forget_stdout()


def _ended(command: Callable[[], object]) -> int:
    try:
        with _own_warnings_only():
            code = command()
        if reason := flush_stdout():
            return _refuse(f"the standard output cannot be written: {reason}")
    except _ClickError as error:
        return _refuse(_usage(error))
    except CgxasError as error:
        refused = _refuse(str(error))
        return TERMINATED if isinstance(error, Interrupted) else refused
    except BrokenPipeError:
        silence(sys.stdout)
        return _BROKEN_PIPE
    except (OSError, MemoryError) as error:
        return _refuse(_of_the_system(error))
    return code if isinstance(code, int) else 0


def _of_the_system(error: OSError | MemoryError) -> str:
    """Say what the system refuses; an error that names no file may be that of stdout."""
    if isinstance(error, MemoryError):
        return "the memory of this machine does not suffice for that"
    try:
        reason = "" if error.filename else flush_stdout()
    except BrokenPipeError:
        reason = ""
    if reason:
        return f"the standard output cannot be written: {reason}"
    if error.errno in _FULL and not error.filename:
        return f"the output cannot be written: {error.strerror}"
    return f"{error.filename or 'the system'}: {error.strerror or error}"


def one_line(text: str) -> str:
    """Return the text on one line, control characters and half characters escaped."""
    joined = " ".join(text.split())
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in joined)


def say(text: str) -> None:
    """Tell on stderr what was done, apart from the results on stdout."""
    try:
        typer.echo(one_line(text), err=True)
    except OSError:  # of stderr itself: there is nowhere left to tell it
        silence(sys.stderr)


def table_console() -> "Console":
    """Return a console on stdout that takes every text literally and cuts nothing in a pipe."""
    from rich.console import Console

    class Table(Console):
        """A console that leaves a pipe nobody reads from to `exit_code`."""

        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    console = Table(markup=False, emoji=False, highlight=False, soft_wrap=False)
    console.width = max(console.width, _NARROW) if console.is_terminal else _WIDE
    return console


def _usage(error: Any) -> str:
    """Say what click refuses, and where to read on."""
    text = error.format_message().strip().rstrip(".")
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "cgxas"
    end = "" if text.endswith("?") else ";"
    return f"{text[:1].lower()}{text[1:]}{end} see '{path} --help'"


def _refuse(text: str) -> int:
    say(f"cgxas: {text}")
    return REFUSED


@contextmanager
def _own_warnings_only() -> Iterator[None]:
    """Show each warning of cgxas once, as one line; keep those of other libraries silent."""
    said: set[str] = set()

    def show(message: Warning | str, *_: object, **__: object) -> None:
        text = str(message)
        if text not in said:
            said.add(text)
            say(f"cgxas: warning: {text}")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", CgxasWarning)
        warnings.showwarning = show
        yield
