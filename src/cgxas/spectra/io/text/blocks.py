"""Lines of a text -> blocks of rows of numbers, and the words above each."""

import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from cgxas.errors import ReadingWarning, UnreadableSpectrum
from cgxas.spectra.io.scan import listed
from cgxas.spectra.io.text.numbers import Style, fields, is_comment, numbers
from cgxas.typing import FloatArray

FEW_ROWS = 10
"""Fewer rows than these, with words around them, are no scan of their own."""

_BAD_SHARE = 0.01  # of the rows may be damaged
_LONGEST_RECORD = 12  # lines


@dataclass
class Block:
    """Rows of numbers that follow each other.

    Attributes:
        above: lines of words above it, since the block before.
        rows: each with its number of columns, all the same.
        lines: number of the line of each row, from 1.
    """

    above: list[str] = field(default_factory=list)
    rows: list[list[float]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.rows[0]) if self.rows else 0

    def data(self) -> FloatArray:
        """Return the numbers, (C, P)."""
        return np.array(self.rows, dtype=np.float64).T


@dataclass(frozen=True)
class Line:
    """A line that is not empty: its number from 1, its text, and its numbers if it has no words."""

    number: int
    text: str
    values: list[float] | None


@dataclass(frozen=True)
class Read:
    """What was found in the lines of a text.

    Attributes:
        blocks: in their order.
        below: lines of words below the last one.
        done: what the user should know.
    """

    blocks: tuple[Block, ...]
    below: tuple[str, ...]
    done: tuple[str, ...]


def blocks_of(lines: Sequence[str], style: Style, source: str) -> Read:
    """Gather the rows of numbers.

    A line with as many words as its neighbours have numbers, one of which is none (7112.5.5), or
    with another number of them, is damaged: few of them are left out and named.

    Args:
        lines: of the text, without the blanks at their ends.
        style: how the numbers are written.
        source: name of the file.

    Raises:
        UnreadableSpectrum: there are no numbers, or many damaged lines.
    """
    found = [Line(n, line, numbers(line, style)) for n, line in enumerate(lines, 1) if line]
    found, done = _records_joined(found)
    damaged = set(_damaged(found, style))
    blocks, below = _gathered(line for line in found if line.number not in damaged)
    if not blocks:
        raise UnreadableSpectrum(
            f"{source} holds no columns of numbers: a measured spectrum has at least two."
        )
    n_rows = sum(len(block.rows) for block in blocks)
    if damaged:
        first = min(damaged)
        several = "s" if len(damaged) > 1 else ""
        numbers_of = f"line{several} " + listed([str(n) for n in sorted(damaged)])
        text = " ".join(lines[first - 1][:60].split())
        if len(damaged) > max(1, _BAD_SHARE * n_rows):
            raise UnreadableSpectrum(
                f"{source} has {len(damaged)} lines that are no rows of its numbers ({numbers_of}; "
                f"the first is {text!r}): mend or remove them."
            )
        said = f"left out {numbers_of}, unlike the other rows of numbers: {text!r}"
        warnings.warn(f"{source}: {said}", ReadingWarning, stacklevel=2)
        done.append(said)
    return Read(tuple(_without_rows_above(blocks)), tuple(below), tuple(done))


def _gathered(lines: Iterator[Line]) -> tuple[list[Block], list[str]]:
    """Return the blocks, and the words below the last one."""
    blocks, above = [], list[str]()
    current: Block | None = None
    for line in lines:
        if line.values is None:
            above.append(line.text)
            current = None
            continue
        if current is None or current.width != len(line.values):
            current = Block(above)
            above = []
            blocks.append(current)
        current.rows.append(line.values)
        current.lines.append(line.number)
    return blocks, above


def _damaged(lines: Sequence[Line], style: Style) -> Iterator[int]:
    """Yield the numbers of lines that should be rows like those around them."""
    widths = [len(line.values) if line.values else 0 for line in lines]
    before, after = _nearest(widths), _nearest(widths[::-1])[::-1]
    usual = max(Counter(filter(None, widths)).items(), key=lambda each: each[1], default=(0, 0))[0]
    for n, line in enumerate(lines):
        around = {before[n], after[n]} - {0}
        if around != {usual} or widths[n] == usual or is_comment(line.text):
            continue
        is_within = 0 < n < len(lines) - 1 and widths[n - 1] == widths[n + 1] == usual
        is_expected = is_within or n + 1 == len(lines)
        if not widths[n]:
            is_expected |= _has_no_letter(line.text)
            is_expected &= _is_nearly_a_row(line.text, usual, style)
        if is_expected:
            yield line.number


def _nearest(widths: Sequence[int]) -> list[int]:
    """Return for each line the width of the last row of numbers before it, or 0."""
    found, last = [], 0
    for width in widths:
        found.append(last)
        last = width or last
    return found


def _has_no_letter(text: str) -> bool:
    return not any(letter.isalpha() for letter in text)


def _is_nearly_a_row(text: str, width: int, style: Style) -> bool:
    words = fields(text, style)
    good = sum(
        numbers(word, Style(decimal_comma=style.decimal_comma)) is not None for word in words
    )
    return len(words) == width and 2 * good >= width


def _without_rows_above(blocks: Sequence[Block]) -> list[Block]:
    """Return the blocks without a few rows of numbers above the labels, which become words."""
    largest = max(len(block.rows) for block in blocks)
    kept: list[Block] = []
    above: list[str] = []
    for block in blocks:
        if not kept and len(block.rows) < min(FEW_ROWS, largest):
            rows = [" ".join(f"{value:g}" for value in row) for row in block.rows]
            above += [*block.above, *rows]
            continue
        kept.append(Block([*above, *block.above], block.rows, block.lines))
        above = []
    return kept


def _records_joined(lines: list[Line]) -> tuple[list[Line], list[str]]:
    """Join the lines of records that are written over several, by their numbers of columns."""
    start, end = _longest_run(lines)
    widths = [len(line.values or ()) for line in lines[start:end]]
    if len(set(widths)) < 2:
        return lines, []
    for n in range(2, _LONGEST_RECORD + 1):
        whole = len(widths) // n * n
        if whole < FEW_ROWS * n or widths[n:] != widths[:-n]:
            continue
        joined = []
        for at in range(start, start + whole, n):
            record = lines[at : at + n]
            values = [value for line in record for value in line.values or ()]
            joined.append(Line(record[0].number, record[0].text, values))
        said = f"joined the {n} lines of each of {len(joined)} records"
        return [*lines[:start], *joined, *lines[end:]], [said]
    return lines, []


def _longest_run(lines: Sequence[Line]) -> tuple[int, int]:
    """Return begin and end of the longest run of lines of numbers."""
    best, start = (0, 0), 0
    for n, line in enumerate(lines):
        if line.values is None:
            start = n + 1
        elif n + 1 - start > best[1] - best[0]:
            best = (start, n + 1)
    return best
