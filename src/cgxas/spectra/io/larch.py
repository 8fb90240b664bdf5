"""Larch prints while it reads; the command line says what matters itself."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout

from cgxas.errors import MissingExtra


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what a library prints and warns of from the screen."""
    # A stream with an encoding: Larch writes files in that of stdout.
    nowhere = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="replace")
    with warnings.catch_warnings(), redirect_stdout(nowhere), redirect_stderr(nowhere):
        warnings.simplefilter("ignore")
        yield


def need_larch() -> None:
    """Refuse at once, in a sentence, where Larch is not installed.

    Raises:
        MissingExtra: Larch is not installed.
    """
    MissingExtra.refuse_without("larch", "Larch", "larch")


def import_larch() -> None:
    """Import Larch and keep what the caller wants to be warned of.

    On import Larch silences all warnings of the process, those of cgxas among them.

    Raises:
        MissingExtra: Larch is not installed.
    """
    need_larch()
    with warnings.catch_warnings():
        import larch  # noqa: F401
