import math
import time

import pytest

from cgxas.spectra.io.text.numbers import Style, numbers, style_of


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("7112.5 0.34", [7112.5, 0.34]),
        ("7112.5\t-3e-2", [7112.5, -0.03]),
        ("7.1125D+03 3.4D-01", [7112.5, 0.34]),
        ("7112.000-0.00123E-02", [7112.0, -0.00123e-2]),
        ("7112.000-0.00123-0.5E+01", [7112.0, -0.00123, -5.0]),
        (" 7112.5 1.234-105", [7112.5, 1.234e-105]),
        ('"7112.5" "0.34"', [7112.5, 0.34]),
        ("+7112.5 .5", [7112.5, 0.5]),
    ],
)
def test_numbers_as_programs_write_them(line, expected):
    assert numbers(line.strip(), Style()) == pytest.approx(expected)


@pytest.mark.parametrize(
    "word", ["nan", "NaN", "-", "--", "N/A", "null", "********", "inf", "1e999"]
)
def test_what_is_missing_or_too_large_is_not_finite(word):
    first, second = numbers(f"7112.5 {word}", Style())
    assert first == 7112.5
    assert not math.isfinite(second)


def test_times_of_day_count_as_missing():
    assert numbers("12:30:11 7112.5", Style())[1] == 7112.5
    assert numbers("2019-05-14T12:30:11 7112.5", Style())[1] == 7112.5


@pytest.mark.parametrize(
    "line", ["energy mu", "7112.5.5 0.3", "# 1 2", "7112 1_0", "nan nan", "-----", "", "0x1f 2"]
)
def test_words_are_no_numbers(line):
    assert numbers(line, Style()) is None


@pytest.mark.parametrize(
    ("line", "style", "expected"),
    [
        ("7112,5;0,34", Style(";", decimal_comma=True), [7112.5, 0.34]),
        ("7112,5\t0,34", Style(None, decimal_comma=True), [7112.5, 0.34]),
        ("7112,5 -0,34E-2", Style(None, decimal_comma=True), [7112.5, -0.0034]),
        ("7112.5;0.34;", Style(";"), [7112.5, 0.34]),
        ("7112.5, 0.34", Style(","), [7112.5, 0.34]),
        ('"7112.5","0.34"', Style(","), [7112.5, 0.34]),
        ("7112,340", Style(","), [7112.0, 340.0]),
        ("7112.5 0.34", Style(), [7112.5, 0.34]),
    ],
)
def test_separators_and_decimal_commas_are_told(line, style, expected):
    lines = ["a header, with commas; and others"] + [line] * 30
    assert style_of(lines) == style
    assert numbers(line, style) == pytest.approx(expected)


def test_commas_of_both_kinds_are_doubtful():
    assert style_of(["7112,5,0,34"] * 30).is_unsure
    assert not style_of(["7112.5,5,0"] * 30).is_unsure


def test_an_empty_field_between_separators_is_missing():
    assert math.isnan(numbers("7112.5,,3", Style(","))[1])
    lines = ["1.0\t2.0\t3.0", "1.0\t\t3.0"] * 20
    assert style_of(lines) == Style("\t")
    assert math.isnan(numbers(lines[1], Style("\t"))[1])


@pytest.mark.parametrize(
    "filler", [" ", "1", "-", ".", "1.", "1-", ",", "1,", '"', "*", "\t", "(", "e"]
)
def test_a_long_line_takes_no_time(filler):
    line = "7112 " + filler * 200_000 + "x"
    start = time.perf_counter()
    for style in (Style(), Style(","), Style(";", decimal_comma=True)):
        numbers(line, style)
    style_of([line])
    assert time.perf_counter() - start < 3.0
