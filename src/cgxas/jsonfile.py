"""JSON of files that somebody else may have changed: parsed strictly, and held against a dataclass.

What JSON forbids but Python takes (NaN, Infinity, a key told twice) is refused, and so is what is
nested deeper or has more digits than any honest file.
"""

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from cgxas.errors import CgxasError
from cgxas.limits import JSON_VALUES
from cgxas.reading import read_bounded

DEPTH = 64
"""Lists and objects within each other; what cgxas writes has fewer than ten."""

_DIGITS = 300  # of a whole number: one that a float still holds
_WIDTH = 80
T = TypeVar("T")


def parsed(text: bytes | str, finite: bool = True) -> Any:
    """Return the value of a JSON text.

    Args:
        text: the whole of it.
        finite: refuse NaN and infinities, which other programs write although JSON has none.

    Raises:
        ValueError: it is none; the message tells why in part of a sentence.
    """
    JSON_VALUES.refuse_beyond(_most_values(text), "it may hold", _TooMany)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_float=_number if finite else float,
            parse_int=_whole,
            parse_constant=_refuse_constant if finite else float,
        )
        _refuse_deep(value)
    except RecursionError as error:
        raise ValueError(f"it is nested more than {DEPTH} times") from error
    except UnicodeDecodeError as error:
        raise ValueError("it is not UTF-8 text") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg} at line {error.lineno}") from error
    return value


def parsed_bytes(data: bytes | str, name: str, error: type[CgxasError], finite: bool = True) -> Any:
    """Return the value of the JSON in a file.

    Args:
        data: of the file.
        name: of the file, for messages.
        error: the class to raise where it is no JSON.
        finite: as in `parsed`.
    """
    try:
        return parsed(data, finite)
    except _TooMany as problem:
        raise error(f"{name}: {problem}") from problem
    except ValueError as problem:
        raise error(f"{name} is not readable JSON: {problem}; write or copy it again") from problem


@dataclass(frozen=True)
class JsonFile:
    """A file that holds one JSON object, and how it is spoken of where it does not.

    Attributes:
        path: where it is.
        error: the class to raise.
        what: what it should be, such as "manifest".
        cure: what to do if it is none.
    """

    path: Path
    error: type[CgxasError]
    what: str
    cure: str

    def values(self) -> dict[str, Any]:
        """Return what it holds as plain values; `error` if it is not readable."""
        if not os.path.lexists(self.path):
            raise self.error(f"{self.path} is missing; {self.cure}")
        text = read_bounded(self.path, self.error)
        try:
            value = parsed(text)
        except _TooMany as problem:
            raise self.error(f"{self.path}: {problem}") from problem
        except ValueError as problem:
            raise self._refusal(problem) from problem
        if not isinstance(value, dict):
            raise self._refusal("it holds no JSON object")
        return value

    def as_kind(
        self, kind: type[T], newest: int | None = None, more: Mapping[str, Any] | None = None
    ) -> T:
        """Return what it holds as a dataclass; `error` if it is not readable, or another thing.

        Args:
            kind: the dataclass; keys it does not know are left out.
            newest: number of the format this version knows, which stands under "format".
            more: values that go before those of the file.
        """
        values = self.values() | dict(more or {})
        number = values.get("format")
        if newest is not None and isinstance(number, int) and number > newest:
            raise self.error(
                f"{self.path} is of format {number}, this cgxas reads {newest}; update cgxas"
            )
        try:
            return as_kind(kind, values)
        except ValueError as problem:
            raise self._refusal(problem) from problem

    def _refusal(self, reason: object) -> CgxasError:
        return self.error(f"{self.path} is not a readable {self.what}: {reason}; {self.cure}")


def as_kind(kind: type[T], value: Any) -> T:
    """Return plain values as a dataclass, strictly; keys that it does not know are left out.

    Lists become tuples and texts paths where these are wanted, as JSON has neither.

    Raises:
        ValueError: a key is missing, or a value is of another type; the message tells which in
            part of a sentence.
    """
    hashable: Any = kind
    try:
        found: T = _adapter(hashable).validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        told = f"{place}: {first['msg'][:1].lower()}{first['msg'][1:]}" if place else first["msg"]
        raise ValueError(_cut(told)) from error
    return found


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


class _TooMany(CgxasError, ValueError):
    """More values than are taken; its text is part of a sentence."""


def _most_values(text: bytes | str) -> int:
    """Return how many values a text holds at most; commas and brackets in words count too."""
    marks: Any = (b",", b"[", b"{") if isinstance(text, bytes) else (",", "[", "{")
    return 1 + sum(text.count(mark) for mark in marks)


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise ValueError(f"it tells {_cut(repr(twice))} twice")
    return values


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{_cut(text)} is not a finite number")
    return value


def _whole(text: str) -> int:
    if len(text) > _DIGITS:
        raise ValueError(f"it holds a number of {len(text)} digits")
    return int(text)


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is not a number in JSON")


def _refuse_deep(value: Any) -> None:
    """Go down level by level, since Python itself cannot go deeper than its own calls may."""
    level = [value]
    for _ in range(DEPTH):
        inside = [each for each in level if isinstance(each, dict | list)]
        if not inside:
            return
        level = [
            one for each in inside for one in (each.values() if isinstance(each, dict) else each)
        ]
    raise RecursionError


def _cut(text: str) -> str:
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 3]}..."
