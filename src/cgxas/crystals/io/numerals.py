"""Numbers as crystal files write them."""

import re

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][-+]?\d+)?")
_TIMES = re.compile(r"([*/])")


def number(word: str) -> float:
    """Return a number, also in the manner of Fortran: 1.0D+00.

    Raises:
        ValueError: it is none, or not finite.
    """
    if not _NUMBER.fullmatch(word):
        raise ValueError(f"{word[:40]!r} is not a number")
    return float(word.replace("D", "E").replace("d", "e"))


def fraction(word: str) -> float:
    """Return a number, or what is made of several by * and /, from left to right: 1/4.

    Raises:
        ValueError: it is neither, or divided by zero.
    """
    first, *rest = _TIMES.split(word[:200])
    value = number(first)
    for sign, other in zip(rest[::2], map(number, rest[1::2]), strict=True):
        if sign == "/" and not other:
            raise ValueError(f"{word[:40]!r} is divided by zero")
        value = value * other if sign == "*" else value / other
    return value


def is_number(word: str) -> bool:
    """Whether a word is a number."""
    return bool(_NUMBER.fullmatch(word))


def are_numbers(line: str, count: int) -> bool:
    """Whether a line begins with so many numbers."""
    words = line.split(None, count)[:count]
    return len(words) == count and all(map(is_number, words))


def is_count(word: str) -> bool:
    """Whether a word is a whole number that can count atoms."""
    return word.isascii() and word.isdecimal() and len(word) <= 18
