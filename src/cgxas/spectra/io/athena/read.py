"""The groups of an Athena project, out of its text; nothing in it is evaluated.

Athena writes Perl, ``@x = ('7100','7101');``, or the same in JSON. Larch's own reader hands the
Perl to an interpreter, which opens files, and allocates without end, if the project says so.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain, count
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from cgxas.errors import UnreadableSpectrum
from cgxas.jsonfile import parsed_bytes
from cgxas.limits import GROUPS, PARAMETERS, POINTS, Limit
from cgxas.reading import read_bounded, unpack_bounded
from cgxas.spectra.io.athena.perl import NoLiteral, literal_list, one_literal, text_of
from cgxas.typing import FloatArray

MAGIC = "Athena project file -- "
MAGIC_WITHIN = 500
"""Characters at the beginning of a project among which `MAGIC` stands."""

_JSON_ORDER, _JSON_SPECIAL = "_____order", "_____"
_BY_LARCH = "# Using Larch version"
_STATEMENT = re.compile(
    r"^[ \t]*+(?:[$@](old_group|args|x|y)\b[ \t]*+=[ \t]*+|(\[record\]))", re.MULTILINE
)
_LONGEST_NUMBER = 60
_LONGEST_NAME = 100


@dataclass(frozen=True, eq=False)
class Group:
    """One group of a project.

    Attributes:
        name: its label, else its key; the second of one label ends with (2).
        parameters: texts by name, such as ``bkg_eshift``; lists are left out.
        rows: how x and y are read, by these names: (P,) each, in the order of the file.
        by_larch: whether Larch wrote the project.
    """

    name: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    rows: Mapping[str, Callable[[], FloatArray]] = field(default_factory=dict)
    by_larch: bool = False

    def number(self, name: str) -> float:
        """Return a parameter that is a finite number; 0 if it is none, or not stated."""
        try:
            found = float(self.parameters.get(name, 0.0))
        except ValueError:
            return 0.0
        return found if isfinite(found) else 0.0


def read_groups(path: Path) -> list[Group]:
    """Return the groups of a project in their order, each with a name of its own.

    Raises:
        UnreadableSpectrum: it is no project, damaged, too large, or something in it is neither a
            number, nor a quoted text, nor a list of them.
    """
    data = unpack_bounded(read_bounded(path, UnreadableSpectrum), path.name, UnreadableSpectrum)
    head = data[:MAGIC_WITHIN]
    if MAGIC.encode() not in head:
        raise _damaged(path)
    if head.lstrip().startswith(b"{"):
        groups = _json_groups(parsed_bytes(data, path.name, UnreadableSpectrum, finite=False), path)
    else:
        groups = _perl_groups(_decoded(data), path)
    named = list(_named(groups, path))
    if not named:
        raise UnreadableSpectrum(f"{path.name} is an Athena project without groups.")
    return named


def _damaged(path: Path) -> UnreadableSpectrum:
    return UnreadableSpectrum(
        f"{path.name} is a damaged Athena project, or none: save it again in Athena."
    )


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:  # old versions wrote what the machine had
        return data.decode("latin-1")


def _perl_groups(text: str, path: Path) -> Iterator[Group]:
    """Yield what stands before each ``[record]``; rows are read only when they are asked for."""
    by_larch = _BY_LARCH in text[: 2 * MAGIC_WITHIN]
    found: dict[str, Any] = {}
    at = 0
    while statement := _STATEMENT.search(text, at):
        name, at = statement[1], statement.end()
        if name is None:
            yield _perl_group(found, by_larch)
            found = {}
        elif name in found:
            raise _damaged(path)
        elif name in ("x", "y"):
            found[name] = partial(_perl_row, text, at, path)
        elif name == "args":
            found[name], at = _literals(text, at, PARAMETERS, path)
        else:
            with _no_code(text, path):
                found[name], at = one_literal(text, at)
    if found:  # the end of the last group is missing
        raise _damaged(path)


def _perl_group(found: Mapping[str, Any], by_larch: bool) -> Group:
    words = [text_of(literal) for literal in found.get("args", ())]
    parameters = dict(zip(words[::2], words[1::2], strict=False))
    rows = {name: found[name] for name in ("x", "y") if name in found}
    key = text_of(found.get("old_group", ""))
    return Group(parameters.get("label") or key, parameters, rows, by_larch)


def _perl_row(text: str, at: int, path: Path) -> FloatArray:
    literals, _ = _literals(text, at, POINTS, path)
    return _numbers(map(text_of, literals), path)


def _literals(text: str, at: int, limit: Limit, path: Path) -> tuple[list[str], int]:
    def refuse(count: int) -> None:
        limit.refuse_beyond(count, f"a group of {path.name} holds at least", UnreadableSpectrum)

    with _no_code(text, path):
        return literal_list(text, at, limit.value, refuse)


@contextmanager
def _no_code(text: str, path: Path) -> Iterator[None]:
    """Refuse what is no literal, naming its line."""
    try:
        yield
    except NoLiteral as error:
        line = text.count("\n", 0, error.at) + 1
        raise UnreadableSpectrum(
            f"line {line} of {path.name} is damaged, or holds more than numbers and quoted texts, "
            "and is not obeyed: save the project again in Athena."
        ) from error


def _json_groups(data: Any, path: Path) -> Iterator[Group]:
    """Yield the groups in the order that is stated, else as they stand."""
    names = data.get(_JSON_ORDER, [name for name in data if not name.startswith(_JSON_SPECIAL)])
    for name in names if isinstance(names, list) else ():
        group = data.get(name) if isinstance(name, str) else None
        if not isinstance(group, dict):
            raise _damaged(path)
        stated = group.get("args")
        stated = stated if isinstance(stated, dict) else {}
        parameters = {key: str(each) for key, each in stated.items() if _is_word(each)}
        rows = {name: partial(_json_row, group[name], path) for name in ("x", "y") if name in group}
        yield Group(parameters.get("label") or name, parameters, rows)


def _is_word(value: Any) -> bool:
    return isinstance(value, str | int | float)


def _json_row(values: Any, path: Path) -> FloatArray:
    if not isinstance(values, list) or not all(map(_is_word, values)):
        raise _damaged(path)
    POINTS.refuse_beyond(len(values), f"a group of {path.name} holds", UnreadableSpectrum)
    return _numbers(map(str, values), path)


def _numbers(words: Iterable[str], path: Path) -> FloatArray:
    try:
        return np.array([_number(word) for word in words], dtype=np.float64)
    except ValueError as error:
        raise UnreadableSpectrum(
            f"{path.name} has something else than a number among its points: save the project "
            "again in Athena."
        ) from error


def _number(word: str) -> float:
    if len(word) > _LONGEST_NUMBER or "_" in word:
        raise ValueError("not how a number is written")
    return float(word)


def _named(groups: Iterable[Group], path: Path) -> Iterator[Group]:
    """Give each group a name of its own, on one line."""
    taken: set[str] = set()
    for n, group in enumerate(groups, start=1):
        GROUPS.refuse_beyond(n, f"{path.name} holds at least", UnreadableSpectrum)
        label = " ".join(group.name[:_LONGEST_NAME].split()) or f"group {n}"
        others = (f"{label} ({k})" for k in count(2))
        name = next(each for each in chain([label], others) if each not in taken)
        taken.add(name)
        yield replace(group, name=name)
