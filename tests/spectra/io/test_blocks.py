import numpy as np
import pytest

from cgxas.errors import ReadingWarning, UnreadableSpectrum
from cgxas.spectra.io.text.blocks import blocks_of
from cgxas.spectra.io.text.numbers import Style

ROWS = [f"{7000 + n} {n}" for n in range(30)]


def test_rows_stand_below_their_words():
    found = blocks_of(["# energy mu", "", *ROWS, "the end"], Style(), "a.dat")
    (block,) = found.blocks
    assert (block.above, found.below, block.lines[0]) == (["# energy mu"], ("the end",), 3)
    np.testing.assert_array_equal(block.data()[0], np.arange(7000.0, 7030.0))


def test_words_and_another_number_of_columns_part_blocks():
    wide = [f"{row} 1" for row in ROWS]
    found = blocks_of([*ROWS, "# again", *ROWS, *wide], Style(), "a.dat")
    assert [(len(block.rows), block.width) for block in found.blocks] == [(30, 2), (30, 2), (30, 3)]


@pytest.mark.parametrize("line", ["7010.5.5 3", "7010 3 4", "7010 abc", "7010"])
def test_a_damaged_line_is_named(line):
    with pytest.warns(ReadingWarning, match="a.dat: left out line 11, unlike the other rows"):
        found = blocks_of([*ROWS[:10], line, *ROWS[10:]], Style(), "a.dat")
    assert len(found.blocks) == 1
    assert len(found.done) == 1


def test_many_damaged_lines_and_no_numbers_are_refused():
    with pytest.raises(UnreadableSpectrum, match="2 lines that are no rows"):
        blocks_of([*ROWS[:10], "7.1.1 3", *ROWS[10:20], "7.2.2 4", *ROWS[20:]], Style(), "a.dat")
    with pytest.raises(UnreadableSpectrum, match="no columns of numbers"):
        blocks_of(["words", "alone"], Style(), "a.dat")
