import numpy as np
import pytest

from cgxas.spectra.io.text.labels import labels


def table(n: int, energy_at: int = 0) -> np.ndarray:
    """Columns of which one runs like energies, one counts, and the others do neither."""
    rows = [np.cos(np.arange(30.0) * (at + 1)) for at in range(n)]
    rows[energy_at] = np.linspace(7000.0, 7400.0, 30)
    return np.array(rows)


def names(*above: str, n: int = 2, energy_at: int = 0):
    found = labels(above, table(n, energy_at))
    return found.names, found.units


@pytest.mark.parametrize(
    ("line", "expected", "units"),
    [
        ("# energy mu", ("energy", "mu"), ("", "")),
        ("#L energy  mu", ("energy", "mu"), ("", "")),
        ("Energy (keV)  mu", ("Energy", "mu"), ("keV", "")),
        ("Energy [eV],mu(E)", ("Energy", "mu(E)"), ("eV", "")),
        ('"Energy (eV)";"my mu"', ("Energy", "my mu"), ("eV", "")),
        ("# Energy (eV)\tmy mu", ("Energy", "my mu"), ("eV", "")),
        ('"Photon energy" mu', ("Photon energy", "mu"), ("", "")),
        ("# 'Photon energy' 'my mu'", ("Photon energy", "my mu"), ("", "")),
        ("energy;mu;", ("energy", "mu"), ("", "")),
        ("E / eV  mu", ("E/eV", "mu"), ("", "")),
        ("# energy mu  @#", ("energy", "mu"), ("", "")),
        ("  energy  mu   @#", ("energy", "mu"), ("", "")),
        (",mu", ("", "mu"), ("", "")),
    ],
)
def test_names_and_units_of_a_line_above_the_numbers(line, expected, units):
    assert names("made up", line) == (expected, units)
    assert names(line, "#-----") == (expected, units)


def test_an_angle_has_its_unit():
    assert names("angle (deg) I0") == (("angle", "I0"), ("deg", ""))


@pytest.mark.parametrize(
    "units", ["# (eV)  (a.u.)", "eV\tcounts", "eV,", "[eV] -", "# keV  arb.units"]
)
def test_a_row_of_units_below_the_names(units):
    found = names("# energy\tmu", units)
    assert found[0][0] == "energy"
    assert found[1][0].lower() in ("ev", "kev")


@pytest.mark.parametrize("header", [(), ("one line of words",), ("# 1 2",), ("# energy",)])
def test_columns_are_not_named_by_what_has_another_number_of_words(header):
    assert names(*header) == ((), ())


@pytest.mark.parametrize(
    ("line", "n"),
    [
        ("# Mono Energy I0 It", 3),
        ("# Mono Energy I0 It", 4),  # the name of one column was forgotten
        ("# Mono Energy (alt) *  Timer  I0", 5),
        ("# Mono Energy  I0  It", 4),
        ("# Scaler preset time * Mono Energy  I0", 8),
        ("energy,i0,it,if", 3),
        ("energy,i0", 3),
        ("energy\ti0\tit\tif\tir", 4),
    ],
)
def test_labels_of_doubtful_ends_or_number_are_not_used_at_all(line, n):
    found = labels([line], table(n))
    assert found.names == ()
    assert "do not fit" in found.doubt


def test_labels_whose_energy_does_not_run_are_those_of_other_columns():
    """An index that is not there, and one name that was forgotten."""
    found = labels(["# index energy I0 It"], table(4))
    assert found.names == ()
    assert "energy does not run like energies" in found.doubt


def test_columns_of_usual_names_may_stand_unevenly():
    found = names("#  energy i0   it  mu", n=4)[0]
    assert found == ("energy", "i0", "it", "mu")


def test_r_leaves_out_the_name_of_the_first_column_which_counts():
    data = table(3, energy_at=1)
    data[0] = np.arange(1.0, 31.0)
    assert labels(['"energy" "mu"'], data).names == ("", "energy", "mu")
    assert labels(["energy mu"], table(3)).names == ()


def test_numbered_names_come_before_the_line_above_the_numbers():
    xdi = ("# XDI/1.0", "# Column.1: energy eV || 13ID:En", "# Column.3: i0 nA", "# ---", "# a b c")
    assert names(*xdi, n=3) == (("energy", "b", "i0"), ("eV", "", "nA"))


def test_names_of_desy_hold_no_types():
    fio = ("!", "%d", "Col 1 ENERGY DOUBLE", "Col 2 I0 FLOAT")
    assert names(*fio) == (("ENERGY", "I0"), ("", ""))


def test_more_numbered_names_than_columns_are_not_used():
    found = labels(["Col 1 ENERGY DOUBLE", "Col 2 I0 FLOAT", "Col 9 x FLOAT"], table(2))
    assert found.names == ()
    assert "9 columns" in found.doubt


LEGEND = (
    "# Here is a readable list of column headings:",
    "#  1) Mono Energy *         4) It",
    "#  2) Scaler preset time *  5) XMAP:DT Corr I0",
    "#  3) I0                    6) XMAP:CuKa_Sum",
    "#",
    "# Column Headings:",
    "#Mono Energy *        Scaler preset time * I0                   It                   "
    "XMAP:DT Corr I0      XMAP:CuKa_Sum",
)
LEGEND_NAMES = (
    "Mono Energy",
    "Scaler preset time",
    "I0",
    "It",
    "XMAP:DT Corr I0",
    "XMAP:CuKa_Sum",
)


def test_a_numbered_legend_in_two_columns_is_read_by_its_numbers():
    assert names(*LEGEND, n=6)[0] == LEGEND_NAMES


@pytest.mark.parametrize("n", [5, 7])
def test_a_legend_of_another_number_of_columns_is_not_used(n):
    found = labels(LEGEND, table(n))
    assert found.names == ()


def test_labels_that_contradict_each_other_are_not_used():
    shifted = "# energy  xmu  i0"
    xdi = ("# Column.1: energy eV", "# Column.2: i0", "# Column.3: xmu", "# ---", shifted)
    found = labels(xdi, table(3))
    assert found.names == ()
    assert "contradict" in found.doubt


@pytest.mark.parametrize(
    "above",
    [
        ("#C 1_Energy (keV) 2_sec 3_i0 4_i1",),
        ("# 1: Energy", "# 2: sec", "# 3: i0", "# 4: i1", "# ---"),
        ("Weights:", "Data:", "Energy", "sec", "i0", "i1"),
        ("# column 1: Energy", "# column 2: sec", "# column 3: i0", "# column 4: i1"),
    ],
)
def test_other_lists_of_names(above):
    found = names(*above, n=4)[0]
    assert found == ("Energy", "sec", "i0", "i1")


def test_the_line_that_names_an_energy_is_taken_before_a_remark_below():
    above = ("# energy i0 it", "# taken in March")
    assert names(*above, n=3)[0] == ("energy", "i0", "it")


def test_the_last_labels_of_spec_are_taken_or_none():
    above = ("#S 2 scan", "#N 3", "#L Mono Energy  I zero  It", "#C a b c")
    assert names(*above, n=3)[0] == ("Mono Energy", "I zero", "It")
    assert names("#L Energy  I0  It  If", "# energy i0 it", n=3)[0] == ()


def test_units_of_detectors_are_no_part_of_a_name():
    text = "Photon energy (eV),I0 (cts),It [nA],If(counts),mu(E)"
    data = np.array([np.linspace(7000, 7100, 30), *np.ones((4, 30))])
    assert labels([text], data).names == ("Photon energy", "I0", "It", "If", "mu(E)")
