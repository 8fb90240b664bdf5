"""What the command line says: errors and warnings as one line each, tables on a console."""

import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any, TextIO

import typer

from cgxas.errors import CgxasError, CgxasWarning, Interrupted

if TYPE_CHECKING:
    from rich.console import Console

REFUSED = 2
INTERRUPTED = 128 + signal.SIGINT
_TERMINATED = 128 + signal.SIGTERM
_BROKEN_PIPE = 128 + 13
_WIDE = 10_000
_NARROW = 80
# Typer carries its own copy of click, older versions use the package: BadParameter is in both.
_ClickError: Any = typer.BadParameter.__mro__[2]


def exit_code(command: Callable[[], object]) -> int:
    """Run a command; turn whatever it refuses into one line on stderr, and say how it ended."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a name that the terminal cannot show is escaped
            stream.reconfigure(errors="backslashreplace")
    try:
        with _own_warnings_only():
            code = command()
        sys.stdout.flush()
    except _ClickError as error:
        return _refuse(_usage(error))
    except CgxasError as error:
        refused = _refuse(str(error))
        return _TERMINATED if isinstance(error, Interrupted) else refused
    except BrokenPipeError:
        _silence(sys.stdout)
        return _BROKEN_PIPE
    except OSError as error:
        return _refuse(f"{error.filename or 'the system'}: {error.strerror or error}")
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    return code if isinstance(code, int) else 0


def one_line(text: str) -> str:
    """Return the text on one line, control characters and half characters escaped."""
    joined = " ".join(text.split())
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in joined)


def say(text: str) -> None:
    """Tell on stderr what was done, apart from the results on stdout."""
    typer.echo(one_line(text), err=True)


def table_console() -> "Console":
    """Return a console on stdout that takes every text literally and cuts nothing in a pipe."""
    from rich.console import Console

    console = Console(markup=False, emoji=False, highlight=False, soft_wrap=False)
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


def _silence(stream: TextIO) -> None:
    """Send the rest into nothing, so that Python does not complain again when it closes."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
