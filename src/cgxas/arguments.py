"""What callers hand over: of the wanted kind, or refused with what is wanted instead.

The named errors of cgxas are for users of the Python calls too: a wrong type is told in the words
of the call, not by whatever it breaks inside.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from cgxas.errors import CgxasError

T = TypeVar("T")
_WIDTH = 40


def shown(value: object) -> str:
    """Return a value as it was written, cut to a part of a line, with its type."""
    text = " ".join(repr(value).split())
    short = text if len(text) <= _WIDTH else f"{text[: _WIDTH - 3]}..."
    return f"{short} ({type(value).__name__})"


def one_of_kind(
    value: object, kind: type[T] | tuple[type[T], ...], what: str, error: type[CgxasError]
) -> T:
    """Return a value of a kind; `error` with what is wanted for any other.

    Args:
        value: what was given.
        kind: a class, or several.
        what: what it should be, as the sentence begins: "a measured spectrum is a Measurement".
        error: the class to raise.
    """
    if not isinstance(value, kind):
        raise error(f"{what}, not {shown(value)}")
    return value


def as_path(value: object, what: str, error: type[CgxasError]) -> Path:
    """Return a path of a text or path; `error` for anything else, and for null characters."""
    if isinstance(value, str | os.PathLike):
        name = os.fspath(value)
        if isinstance(name, str) and "\0" not in name:
            return Path(name)
    raise error(f"{what} is a path such as 'folder/name', not {shown(value)}")


def refuse_single(values: object, what: str, error: type[CgxasError]) -> None:
    """Refuse what is no list nor anything else to be gone through; a text or path is none.

    Args:
        values: what was given.
        what: what is wanted, in the plural, as the sentence begins: "data are folders".
        error: the class to raise.
    """
    if isinstance(values, str | bytes | os.PathLike) or not isinstance(values, Iterable):
        raise error(f"{what}, in a list, not {shown(values)}; write [...] around it")


def as_list(
    values: Any, kind: Any, what: str, error: type[CgxasError], least: int = 0
) -> list[Any]:
    """Return the members of a list, or of whatever else can be gone through.

    Args:
        values: what was given; one text or path is no list of them.
        kind: class of the members, or several.
        what: what they are, in the plural, as the sentence begins: "data are folders".
        error: the class to raise.
        least: how many there must be.
    """
    refuse_single(values, what, error)
    found = list(values)
    if len(found) < least:
        raise error(f"{what}, at least {least} in a list, not {len(found)}")
    for value in found:
        one_of_kind(value, kind, what, error)
    return found


def as_whole_number(value: Any, least: int, what: str, error: type[CgxasError]) -> int:
    """Return a whole number, of Python or numpy, of at least so much; no truth values."""
    is_whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not is_whole or value < least:
        raise error(f"{what} is a whole number of at least {least}, not {shown(value)}")
    return int(value)


def as_choice(value: object, choices: Sequence[str], what: str, error: type[CgxasError]) -> str:
    """Return one of some texts."""
    if not isinstance(value, str) or value not in choices:
        raise error(f"{what} is one of {', '.join(choices)}, not {shown(value)}")
    return value


def as_text_or_none(value: object, what: str, error: type[CgxasError]) -> str | None:
    """Return a text, or None."""
    if value is None:
        return None
    return one_of_kind(value, str, f"{what} is a text", error)
