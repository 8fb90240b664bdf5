import pytest

from cgxas.crystals.io.cif.numbers import is_stated, number
from cgxas.errors import InvalidCell


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("4.445(1)", 4.445),
        ("4.445(", 4.445),
        ("-.25", -0.25),
        ("+5.", 5),
        ("1/3", 1 / 3),
        ("1.2E1", 12),
        ("1.2d1", 12),
        ("4,445", 4.445),
        ("6.4235,", 6.4235),
    ],
)
def test_numbers(text, value):
    assert number(text, "x") == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "nan", "inf", "1e999", "1/0", "4.4.5", "4 5", "x", "1" * 99])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(InvalidCell, match=r"x is '.*', which is not a finite number"):
        number(text, "x")


def test_signs_for_nothing():
    assert [is_stated(text) for text in (None, "?", " . ", "", "0")] == [False] * 4 + [True]
