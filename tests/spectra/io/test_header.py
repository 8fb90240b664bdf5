from types import SimpleNamespace

import pytest

from cgxas.spectra.io.header import column_names

pytest.importorskip("larch")


def names(*header: str, n_columns: int = 2, labels: tuple[str, ...] = ()):
    group = SimpleNamespace(header=list(header), array_labels=list(labels))
    return tuple(map(tuple, column_names(group, n_columns)))


@pytest.mark.parametrize(
    ("line", "expected", "units"),
    [
        ("# energy mu", ("energy", "mu"), ("", "")),
        ("#L energy  mu", ("energy", "mu"), ("", "")),
        ("Energy (keV)  mu", ("Energy", "mu"), ("keV", "")),
        ("Energy [eV],mu(E)", ("Energy", "mu(E)"), ("eV", "")),
        ('"Energy (eV)";"my mu"', ("Energy", "my mu"), ("eV", "")),
        ("# Energy (eV)\tmy mu", ("Energy", "my mu"), ("eV", "")),
        ("angle (deg) I0", ("angle", "I0"), ("deg", "")),
    ],
)
def test_names_and_units_of_a_line_above_the_numbers(line, expected, units):
    assert names("made up", line) == (expected, units)
    assert names(line, "#-----") == (expected, units)


@pytest.mark.parametrize("header", [(), ("one line of words",), ("# 1 2",), ("# energy",)])
def test_columns_are_not_named_by_what_has_another_number_of_words(header):
    assert names(*header) == ((), ())


def test_numbered_names_come_before_the_line_above_the_numbers():
    xdi = ("# XDI/1.0", "# Column.1: energy eV || 13ID:En", "# Column.3: i0 nA", "# ---", "# a b c")
    assert names(*xdi, n_columns=3) == (("energy", "b", "i0"), ("eV", "", "nA"))


def test_names_of_desy_hold_no_types():
    fio = ("!", "%d", "Col 1 ENERGY DOUBLE", "Col 2 I0 FLOAT", "Col 9 nothing DOUBLE")
    assert names(*fio) == (("ENERGY", "I0"), ("", ""))


def test_names_of_a_known_beamline_are_those_of_larch_if_they_fit():
    kek = ("9809 KEK-PF BL9A", "Angle(c) Angle(o)")
    assert names(*kek, labels=("angle_drive", "angle_read"))[0] == ("angle_drive", "angle_read")
    assert names(*kek, labels=("angle_drive",)) == ((), ())
