"""Formulas of mu over the columns of a scan: ``ln(i0/it)``, ``(if1+if2)/i0``, ``sum(if*)/i0``.

    sum:     term (("+" | "-") term)*
    term:    factor (("*" | "/") factor)*
    factor:  ("+" | "-") factor | "(" sum ")" | function "(" sum ")" | number | column
             | ("sum" | "mean") "(" (pattern | sum ("," sum)*) ")"
    column:  name | "name" | 'name' | $n | coln | name[n]

A name is letters, digits and any of ``_ . : # @``; others stand in quotes. Functions are ln (log is
the same), log10, exp, sqrt and abs. In a pattern ``*`` stands for anything. Nothing else is
understood, and nothing is evaluated by Python.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cgxas.errors import UnclearSpectrum
from cgxas.spectra.io.scan import listed
from cgxas.typing import FloatArray

MAX_LENGTH = 1000
"""Characters of a formula."""

MAX_DEPTH = 40
"""Brackets within brackets of a formula."""

FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "ln": np.log,
    "log": np.log,
    "log10": np.log10,
    "exp": np.exp,
    "sqrt": np.sqrt,
    "abs": np.abs,
}
_OVER_SEVERAL: dict[str, Callable[..., Any]] = {"sum": np.sum, "mean": np.mean}
_LOGARITHMS = ("ln", "log", "log10")

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>(?:\d+\.\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.])|\d+[eE][-+]?\d+(?![\w.]))
    |(?P<whole>\d+(?![\w.:\#@]))
    |(?P<position>\$\d+|[cC]ol(?:umn)?\d+(?![\w.:\#@\[]))
    |(?P<name>[^\W][\w.:\#@]*(?:\[\d+\])?|_[\w.:\#@]*(?:\[\d+\])?)
    |(?P<quoted>"[^"]*"|'[^']*'|`[^`]*`)
    |(?P<sign>[-+*/(),])
    )""",
    re.VERBOSE,
)
_PATTERN = re.compile(r"\s*([\w.:#@]*\*[\w.:#@*]*)\s*\)")


@dataclass(frozen=True, eq=False)
class Result:
    """What a formula gives.

    Attributes:
        mu: (P,); not finite where a counter was empty.
        kind: transmission (there is a logarithm), fluorescence (a quotient) or mu.
        columns: that were taken, by their numbers from 0, each once.
    """

    mu: FloatArray
    kind: str
    columns: tuple[int, ...]


def looks_like_formula(text: str) -> bool:
    """Tell a formula from the name of a column."""
    return any(sign in text for sign in "/+*()-$") or text.strip()[:1] in "\"'`"


def evaluate(
    text: str,
    data: FloatArray,
    index: Callable[[str], int],
    names: Sequence[str],
    source: str,
) -> Result:
    """Return what a formula gives.

    Whole numbers are columns, counted from 1, where a formula holds no names; beside names they
    would be doubtful, and are refused.

    Args:
        text: the formula.
        data: (C, P).
        index: the number of a column, from 0, of a name or number from 1; raises UnclearSpectrum.
        names: (C,) of the columns, for patterns; empty: they have none.
        source: name of the file, for messages.

    Raises:
        UnclearSpectrum: it is no formula, or speaks of columns that there are not.
    """
    if len(text) > MAX_LENGTH:
        raise UnclearSpectrum(
            f"{source}: a formula of {len(text)} characters is not read: write at most "
            f"{MAX_LENGTH}."
        )
    parser = _Parser(text, data, index, names, source)
    with np.errstate(all="ignore"):
        mu = parser.whole()
    if np.ndim(mu) != 1:
        raise UnclearSpectrum(f"{source}: the formula {text!r} holds no column: name one.")
    kind = "transmission" if parser.has_log else "fluorescence" if parser.has_ratio else "mu"
    return Result(np.asarray(mu, dtype=np.float64), kind, tuple(dict.fromkeys(parser.columns)))


class _Parser:
    """Descends through a formula and computes it on the way."""

    def __init__(
        self,
        text: str,
        data: FloatArray,
        index: Callable[[str], int],
        names: Sequence[str],
        source: str,
    ) -> None:
        self.text, self.data, self.index, self.names = text, data, index, names
        self.source = source
        self.at = self.depth = 0
        self.columns: list[int] = []
        self.has_log = self.has_ratio = False
        self.kind, self.word = "", ""
        self.whole_are_columns = not self._has_names()
        self._next()

    def _has_names(self) -> bool:
        found = {match.lastgroup for match in _TOKEN.finditer(self.text)}
        words = {match["name"].lower() for match in _TOKEN.finditer(self.text) if match["name"]} - {
            *FUNCTIONS,
            *_OVER_SEVERAL,
        }
        return bool(words or found & {"quoted", "position"})

    def _next(self) -> None:
        """Read the next token into kind and word; kind is empty at the end."""
        if not self.text[self.at :].strip():
            self.kind = self.word = ""
            return
        found = _TOKEN.match(self.text, self.at)
        if found is None or found.lastgroup is None:
            raise self._refused(f"{self.text[self.at :].strip()[:20]!r} is not understood")
        self.kind, self.word = found.lastgroup, found[found.lastgroup]
        self.at = found.end()

    def _refused(self, why: str) -> UnclearSpectrum:
        return UnclearSpectrum(
            f"{self.source}: the formula {self.text!r} is not understood: {why}; write ln(i0/it), "
            "if/i0 or (if1+if2)/i0, and other names in quotes."
        )

    def _take(self, sign: str) -> bool:
        if self.kind == "sign" and self.word == sign:
            self._next()
            return True
        return False

    def whole(self) -> Any:
        value = self._sum()
        if self.kind:
            raise self._refused(f"nothing belongs before {self.word!r}")
        return value

    def _sum(self) -> Any:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self._refused(f"more than {MAX_DEPTH} brackets within brackets")
        value = self._term()
        while self.kind == "sign" and self.word in "+-":
            is_plus = self.word == "+"
            self._next()
            other = self._term()
            value = value + other if is_plus else value - other
        self.depth -= 1
        return value

    def _term(self) -> Any:
        value = self._factor()
        while self.kind == "sign" and self.word in "*/":
            is_times = self.word == "*"
            self._next()
            other = self._factor()
            self.has_ratio |= not is_times and np.ndim(other) == 1
            value = value * other if is_times else np.divide(value, other)
        return value

    def _factor(self) -> Any:
        sign = 1.0
        while self.kind == "sign" and self.word in "+-":
            sign = -sign if self.word == "-" else sign
            self._next()
        if self._take("("):
            return sign * self._bracket()
        kind, word = self.kind, self.word
        if not kind or kind == "sign":
            raise self._refused(
                f"a column is missing {f'before {word!r}' if word else 'at its end'}"
            )
        before = self.at
        self._next()
        if kind == "name" and self.kind == "sign" and self.word == "(":
            return sign * self._called(word, self.at if self.at > before else before)
        return sign * self._value(kind, word)

    def _bracket(self) -> Any:
        value = self._sum()
        if not self._take(")"):
            raise self._refused("a bracket is not closed")
        return value

    def _called(self, name: str, inside: int) -> Any:
        """Return a function of what stands in the bracket that begins here."""
        function = name.lower()
        if function in FUNCTIONS:
            self._next()
            self.has_log |= function in _LOGARITHMS
            return FUNCTIONS[function](self._bracket())
        if function in _OVER_SEVERAL:
            return _OVER_SEVERAL[function](np.asarray(self._several(inside)), axis=0)
        raise self._refused(f"{name} is none of {', '.join([*FUNCTIONS, *_OVER_SEVERAL])}")

    def _several(self, inside: int) -> list[Any]:
        """Return what stands in the bracket of a sum: columns of a pattern, or several terms."""
        if pattern := _PATTERN.match(self.text, inside):
            self.at = pattern.end()
            self._next()
            return [self.data[n] for n in self._matching(pattern[1])]
        self._next()
        found = [self._sum()]
        while self._take(","):
            found.append(self._sum())
        if not self._take(")"):
            raise self._refused("a bracket is not closed")
        if len({np.ndim(each) for each in found}) > 1:
            raise self._refused("numbers and columns are not summed together")
        return found

    def _matching(self, pattern: str) -> list[int]:
        parts = [part.lower() for part in pattern.split("*")]
        found = [n for n, name in enumerate(self.names) if _fits(name.lower(), parts)]
        if not found:
            raise UnclearSpectrum(
                f"{self.source} has no column {pattern!r}: it holds {listed(self.names)}."
            )
        self.columns.extend(found)
        return found

    def _value(self, kind: str, word: str) -> Any:
        if kind == "number":
            return float(word)
        if kind == "whole" and not self.whole_are_columns:
            raise self._refused(f"write ${word} for column {word}, or {word}.0 for the number")
        if kind == "quoted":
            word = word[1:-1]
        elif kind == "position" and word.lower() not in map(str.lower, self.names):
            word = re.sub(r"\D", "", word)
        at = self.index(word)
        self.columns.append(at)
        return self.data[at]


def _fits(name: str, parts: Sequence[str]) -> bool:
    """Tell whether a name is made of these parts with anything between them; in linear time."""
    first, *middle, last = parts
    if len(name) < len(first) + len(last) or not (name.startswith(first) and name.endswith(last)):
        return False
    at, end = len(first), len(name) - len(last)
    for part in middle:
        found = name.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True
