import time

import numpy as np
import pytest

from cgxas.errors import UnclearSpectrum
from cgxas.spectra.io.table.columns import columns_of
from cgxas.spectra.io.table.formula import MAX_DEPTH, MAX_LENGTH

ENERGY = np.linspace(7000.0, 7400.0, 30)
I0, IT, IF1, IF2, IF3, ROI = (
    np.linspace(a, b, 30) for a, b in ((9, 8), (5, 3), (1, 2), (2, 1), (3, 4), (6, 7))
)
NAMES = ["energy", "I0", "It", "if1", "if2", "if3", "XSP3:Pb La"]
TABLE = columns_of(NAMES, np.array([ENERGY, I0, IT, IF1, IF2, IF3, ROI]), [], "a.dat")


@pytest.mark.parametrize(
    ("formula", "expected", "kind"),
    [
        ("ln(i0/it)", np.log(I0 / IT), "transmission"),
        ("log(I0/It)", np.log(I0 / IT), "transmission"),
        ("-ln(it/i0)", np.log(I0 / IT), "transmission"),
        ("- log ( It / I0 )", np.log(I0 / IT), "transmission"),
        ("log10(i0/it)", np.log10(I0 / IT), "transmission"),
        ("if1/i0", IF1 / I0, "fluorescence"),
        ("(if1+if2+if3)/i0", (IF1 + IF2 + IF3) / I0, "fluorescence"),
        ("sum(if*)/i0", (IF1 + IF2 + IF3) / I0, "fluorescence"),
        ("mean(if*)/i0", (IF1 + IF2 + IF3) / 3 / I0, "fluorescence"),
        ("sum(if1, if2)/i0", (IF1 + IF2) / I0, "fluorescence"),
        ("(if[1]+if[2])/i0", (IF1 + IF2) / I0, "fluorescence"),
        ("'XSP3:Pb La'/i0", ROI / I0, "fluorescence"),
        ('"XSP3:Pb La"/"I0"', ROI / I0, "fluorescence"),
        ("$7/$2", ROI / I0, "fluorescence"),
        ("col7/col2", ROI / I0, "fluorescence"),
        ("7/2", ROI / I0, "fluorescence"),
        ("ln(2/3)", np.log(I0 / IT), "transmission"),
        ("2.0*if1/i0", 2 * IF1 / I0, "fluorescence"),
        ("1e3*if1/i0 - 0.5", 1000 * IF1 / I0 - 0.5, "fluorescence"),
        ("if1 - if2*if3", IF1 - IF2 * IF3, "mu"),
        ("if1 - if2 - if3", IF1 - IF2 - IF3, "mu"),
        ("i0/it/if1", I0 / IT / IF1, "fluorescence"),
        ("abs(if1-if2)", np.abs(IF1 - IF2), "mu"),
        ("sqrt(exp(if1))", np.sqrt(np.exp(IF1)), "mu"),
        ("(if1)", IF1, "mu"),
    ],
)
def test_a_formula_gives_mu_its_kind_and_what_was_taken(formula, expected, kind):
    mu, found, done = TABLE.mu(0, formula)
    np.testing.assert_allclose(mu, expected)
    assert found == kind
    assert done[0].startswith(f"mu is {formula}, of the columns ")


def test_the_columns_that_a_pattern_found_are_told():
    assert TABLE.mu(0, "sum(if*)/i0")[2] == [
        "mu is sum(if*)/i0, of the columns if1 (4), if2 (5), if3 (6), I0 (2)"
    ]


@pytest.mark.parametrize(
    "formula",
    [
        "if9/i0",
        "if1/(i0",
        "if1/i0)",
        "if1//i0",
        "/i0",
        "if1/",
        "if1 if2/i0",
        "()",
        "2*if1/i0",  # column 2, or twice?
        "sin(if1)/i0",
        "sum(nothing*)/i0",
        "sum(if1, 2.0)/i0",
        "1.0/2.0",
        "if1**2",
        "__import__('os')/i0",
        "(lambda: 1)()/i0",
        "if1/i0; i0",
        "if1/i0 if 1 else i0",
        "ln(i0/it",
        "$9/i0",
        "$0/i0",
        "(" * (MAX_DEPTH + 1) + "if1" + ")" * (MAX_DEPTH + 1) + "/i0",
        "i0/it" + "+i0" * MAX_LENGTH,
    ],
)
def test_what_is_no_formula_is_refused_in_a_sentence(formula):
    with pytest.raises(UnclearSpectrum) as error:
        TABLE.mu(0, formula)
    assert str(error.value).startswith("a.dat")
    assert "\n" not in str(error.value)


def test_a_column_whose_name_is_a_formula_is_taken_as_it_is():
    columns = columns_of(["energy", "ln(i0/it)", "i0"], np.array([ENERGY, IT, I0]), [], "a.dat")
    np.testing.assert_array_equal(columns.mu(0, "ln(I0/It)")[0], IT)


def test_an_empty_counter_gives_points_that_are_not_finite():
    empty = np.where(np.arange(30) == 3, 0.0, I0)
    columns = columns_of(["energy", "i0", "if"], np.array([ENERGY, empty, IF1]), [], "a.dat")
    assert np.isfinite(columns.mu(0, "if/i0")[0]).sum() == 29


@pytest.mark.parametrize(
    "text", ["-" * 999 + "i0", "(" * 900, "a" * 900 + "/", "*" * 900 + "/", "1" * 900 + "/"]
)
def test_long_formulas_take_no_time(text):
    start = time.perf_counter()
    with pytest.raises(UnclearSpectrum):
        TABLE.mu(0, text + "/nothing")
    assert time.perf_counter() - start < 1.0
