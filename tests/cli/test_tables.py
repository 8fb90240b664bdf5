"""The table of spectra, with how far each can be trusted."""

import io
from dataclasses import replace

import pytest
from rich.console import Console
from rich.table import Table

from cgxas.cli.tables import spectra_table, trust_table
from cgxas.spectra.spectrum import Spectrum
from cgxas.spectra.trust import Trust

FAR = Trust("far", "CaSO4", 1.94, 0.222, "never met Ba beside S")


def lines(table: Table, width: int) -> list[str]:
    text = io.StringIO()
    Console(file=text, width=width).print(table)
    return [line.rstrip() for line in text.getvalue().splitlines()]


def test_without_trust_there_is_no_column_of_it(spectrum):
    heading = lines(spectra_table([spectrum], False, False), 200)[0]
    assert heading.endswith("Height")
    assert trust_table([spectrum]) is None


def test_in_a_pipe_all_that_is_known_ends_the_row(spectrum):
    near = Trust("near", "FeO", 0.417, 0.00123)
    given = [replace(spectrum, trust=FAR), replace(spectrum, trust=near), spectrum]
    heading, *rows = lines(spectra_table(given, False, False), 400)
    assert heading.endswith("Height  Trust  Nearest  Distance  Expected RSE  Because")
    ends = [row.split()[9:] for row in rows if "mean" in row]
    assert ends == [
        ["far", "CaSO4", "1.94", "0.22", "never", "met", "Ba", "beside", "S"],
        ["near", "FeO", "0.42", "0.0012", "-"],
        ["-"] * 5,
    ]
    assert not any(row.endswith(("far", "near", "-")) for row in rows if "mean" not in row)


def test_a_terminal_of_80_columns_holds_two_tables_in_line(spectrum):
    given = [replace(spectrum, trust=FAR, source="a/long/name/of/some.cif"), spectrum]
    table = lines(spectra_table(given, False, True), 80)
    assert max(map(len, table)) <= 80
    at = table[1].index("Trust")
    assert [line[at:] for line in table if "mean" in line] == ["far", "-"]
    assert all(line[at - 1 : at] in ("", " ") for line in table if "─" not in line)
    about = lines(trust_table(given), 80)
    assert max(map(len, about)) <= 80
    (row,) = [line for line in about if "CaSO4" in line]
    for heading, text in (("Trust", "far"), ("Nearest", "CaSO4")):
        (top,) = [line for line in about if heading in line]
        assert row[top.index(heading) :].startswith(text)


@pytest.mark.parametrize("is_terminal", [True, False])
def test_without_a_nearest_compound_there_is_no_distance(spectrum: Spectrum, is_terminal):
    lonely = replace(spectrum, trust=Trust("far", reason="nothing of Fe was measured"))
    table = trust_table([lonely]) if is_terminal else spectra_table([lonely], False, False)
    (row,) = [line for line in lines(table, 200) if "nothing of Fe" in line]
    assert row.split()[-8:] == ["-", "-", "-", "nothing", "of", "Fe", "was", "measured"]
