"""A line of a text file -> the numbers in it, however they are written there."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isnan

NAN = float("nan")

_COMMENT = "#;!%*$"
_FIRST = frozenset("0123456789+-.\"',; ")
_MISSING = [
    "nan",
    "n/a",
    "#n/a",
    "na",
    "null",
    "none",
    "-",
    "--",
    "?",
    "-nan(ind)",
    "nan(ind)",
    "1.#qnan",
    "1.#inf",
]
_TIME = re.compile(r"[0-9TZ:./+-]{3,40}")
_FORTRAN = re.compile(r"[-+]?(?:\d{1,40}\.\d{0,40}|\.\d{1,40}|\d{1,40})[dD][-+]?\d{1,4}")
_NO_LETTER = re.compile(r"([-+]?\d?\.\d{1,30})([-+]\d{3})")
_PART = re.compile(r"[-+]?(?:\d{1,40}\.\d{0,40}|\.\d{1,40})(?:[eEdD][-+]?\d{1,3})?")
_WITH_COMMA = re.compile(r"[-+]?\d{1,40},\d{1,40}(?:[eE][-+]?\d{1,3})?")
_WHOLE = re.compile(r"[-+]?\d{1,40}")
_LOOKED_AT = 300


@dataclass(frozen=True)
class Style:
    """How the numbers of a file are written.

    Attributes:
        separator: between columns; None: any blanks.
        decimal_comma: 7112,5 is one number.
        is_unsure: the commas may be those of columns or of decimals: 7112,5,0,34.
    """

    separator: str | None = None
    decimal_comma: bool = False
    is_unsure: bool = False


def style_of(lines: Sequence[str]) -> Style:
    """Tell how the numbers are written, by up to 300 lines of numbers from the end."""
    found = list(_samples(lines))
    words = [line.split() for line in found]
    if found and all(";" in line for line in found):
        return Style(";", any("," in line for line in found))
    if _have_decimal_commas(words):
        return Style(None, decimal_comma=True)
    if found and all("," in line for line in found):
        between = [line.strip(" ,").split(",") for line in found]
        is_whole = all(_WHOLE.fullmatch(word.strip()) for row in between for word in row)
        return Style(",", is_unsure=is_whole and max(map(len, between)) > 2)
    has_gaps = len(set(map(len, words))) > 1
    return Style("\t") if has_gaps and all("\t" in line for line in found) else Style()


def fields(line: str, style: Style) -> list[str]:
    """Return the words of a line, without quotes; what is empty between separators is empty."""
    if style.separator is None:
        words = line.split()
        return [word.strip("\"'") for word in words] if '"' in line or "'" in line else words
    words = split_quoted(line, style.separator)
    stripped = [word.strip().strip("\"'") for word in words]
    if stripped and not stripped[-1]:  # the separator stands behind the last column as well
        stripped.pop()
    return stripped


def split_quoted(line: str, separator: str) -> list[str]:
    """Split a line at a separator that does not stand in quotes."""
    if '"' in line and len(line) < csv.field_size_limit():
        return next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
    return line.split(separator)


def numbers(line: str, style: Style) -> list[float] | None:
    """Return the numbers of a line, NaN where one is missing; None if there are words in it.

    Read are 1.5D-3, 1.5-105 (an exponent of three digits pushes out the letter), numbers that
    touch because a sign fills the column (7112.000-0.0012), NaN in its spellings and stars for
    missing ones, and times of day, which count as missing.
    """
    if not line or line[0] in _COMMENT:
        return None
    found: list[float] = []
    for field in fields(line, style):
        if not field:
            found.append(NAN)
        for word in field.split():
            text = word.replace(",", ".") if style.decimal_comma else word
            values = _values(text)
            if values is None:
                return None
            found.extend(values)
    return None if all(map(isnan, found)) else found


def is_comment(line: str) -> bool:
    """Tell a line that begins with a sign for comments."""
    return line[:1] in _COMMENT


def _samples(lines: Sequence[str]) -> Iterator[str]:
    """Yield lines that hold numbers alone, whatever separates them."""
    n = 0
    for line in reversed(lines):
        if line and line[0] in _FIRST and not is_comment(line):
            words = line.replace(",", " ").replace(";", " ").split()
            if len(words) > 1 and all(_values(word.strip("\"'")) is not None for word in words):
                yield line
                n += 1
                if n == _LOOKED_AT:
                    return


def _have_decimal_commas(lines: Sequence[Sequence[str]]) -> bool:
    """Tell lines of words that are numbers with decimal commas: no other commas, and no points."""
    words = [word for line in lines for word in line]
    return (
        all(len(line) > 1 for line in lines)
        and any(map(_WITH_COMMA.fullmatch, words))
        and all(_WITH_COMMA.fullmatch(word) or _WHOLE.fullmatch(word) for word in words)
    )


def _values(word: str) -> list[float] | None:
    """Return the number in a word, or several that touch; None if it is no number."""
    try:
        value = float(word)
    except ValueError:
        return _odd(word)
    return None if "_" in word else [value]


def _odd(word: str) -> list[float] | None:
    if not word or word.lower() in _MISSING or not word.strip("*"):
        return [NAN]
    if _FORTRAN.fullmatch(word):
        return [float(re.sub("[dD]", "e", word))]
    if short := _NO_LETTER.fullmatch(word):
        return [float(f"{short[1]}e{short[2]}")]
    if (":" in word or word.count("-") == 2 or word.count("/") == 2) and _TIME.fullmatch(word):
        return [NAN]
    parts = list(_PART.finditer(word)) if len(word) < 1000 else []
    touch = len(parts) > 1 and "".join(part[0] for part in parts) == word
    if touch and all(part[0][0] in "+-" for part in parts[1:]):
        return [float(re.sub("[dD]", "e", part[0])) for part in parts]
    return None
