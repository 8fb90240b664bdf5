import time

import numpy as np
import pytest

from cgxas.errors import ReadingWarning, UnclearSpectrum, UnreadableSpectrum
from cgxas.spectra.io.base import Choice
from cgxas.spectra.io.text.read import read_table, rows, scan_of


def test_a_table_and_the_lines_above_it(tmp_path, scanned, write):
    energy, mu = scanned()
    table, header = read_table(write(tmp_path / "a.dat", "# made up\n# energy mu", energy, mu))
    assert table.names == ("energy", "mu")
    assert header[0] == "# made up"
    np.testing.assert_allclose(table.data, [energy, mu], atol=1e-6)


def test_a_scan_is_what_the_choice_says(tmp_path, scanned, write):
    energy, mu = scanned()
    table, _ = read_table(write(tmp_path / "a.dat", "# energy mu xmu", energy, mu, 2 * mu))
    scan = scan_of(table, Choice(mu="xmu"), format="made up", label="hematite")
    np.testing.assert_allclose(scan.mu, 2 * mu, atol=1e-9)
    assert (scan.format, scan.label, scan.source) == ("made up", "hematite", "a.dat")


def test_rows_keep_energies_to_1e_8_and_the_rest_to_12_digits():
    columns = {"energy": np.array([7112.123456789]), "mu": np.array([1.23456789012345e5])}
    assert list(rows(columns, ",")) == ["7112.12345679,123456.789012"]


@pytest.mark.parametrize("separator", [";", "\t", " "])
def test_decimal_commas_are_read_where_they_are_clear(tmp_path, scanned, write, separator):
    path = write(tmp_path / "a.csv", "energy" + separator + "mu", *scanned(), separator=separator)
    path.write_text(path.read_text().replace(".", ","))
    table, _ = read_table(path)
    np.testing.assert_allclose(table.data, scanned(), atol=1e-6)
    assert table.names == ("energy", "mu")


def test_commas_of_both_kinds_are_refused(tmp_path, scanned):
    energy, mu = scanned()
    lines = [f"{x:.1f},{y:.3f}".replace(".", ",") for x, y in zip(energy, mu, strict=True)]
    (tmp_path / "a.csv").write_text("energy,mu\n" + "\n".join(lines))
    with pytest.raises(UnreadableSpectrum, match="commas"):
        read_table(tmp_path / "a.csv")


def test_several_scans_in_one_file_are_refused_or_chosen(tmp_path, scanned, write):
    first, second = scanned(), scanned(8333.0)
    path = write(tmp_path / "a.spec", "#S 3 ascan\n#L energy  mu", *first)
    more = write(tmp_path / "b.spec", "#S 7 ascan\n#L energy  mu", *second)
    path.write_text(path.read_text() + "\n" + more.read_text())
    with pytest.raises(
        UnclearSpectrum, match="holds 2 scans or tables: 3 from line 3, 7 from line"
    ):
        read_table(path)
    np.testing.assert_allclose(read_table(path, Choice(group="7"))[0].data, second, atol=1e-6)
    with pytest.raises(UnclearSpectrum, match="no scan '2'"):
        read_table(path, Choice(group="2"))


@pytest.mark.parametrize(
    "words", ["# energy mu", "energy mu", "# the beam was lost", "a second page"]
)
def test_a_scan_goes_on_behind_words(tmp_path, scanned, write, words):
    path = write(tmp_path / "a.dat", "# energy mu", *scanned())
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:100], words, *lines[100:], "the end of the scan"]))
    table, _ = read_table(path)
    np.testing.assert_allclose(table.data, scanned(), atol=1e-6)
    assert "went on after the words above line 102" in table.done


def test_one_damaged_line_is_left_out_and_named_and_many_are_refused(tmp_path, scanned, write):
    path = write(tmp_path / "a.dat", "# energy mu", *scanned())
    lines = path.read_text().splitlines()
    lines[50] = "7112.5.5 0.3"
    path.write_text("\n".join(lines))
    with pytest.warns(ReadingWarning, match=r"a\.dat: left out line 51.*7112\.5\.5"):
        table, _ = read_table(path)
    np.testing.assert_allclose(table.data, np.delete(scanned(), 49, axis=1), atol=1e-6)
    lines[60] = lines[70] = lines[80] = "7112.5.5 0.3"
    path.write_text("\n".join(lines))
    with pytest.raises(UnreadableSpectrum, match=r"4 lines .*51, 61, 71, 81"):
        read_table(path)


def test_a_line_that_was_cut_at_the_end_is_left_out(tmp_path, scanned, write):
    energy, mu = scanned()
    path = write(tmp_path / "a.dat", "# energy i0 mu", energy, mu, mu)
    path.write_text(path.read_text().rstrip().rsplit(" ", 1)[0])
    with pytest.warns(ReadingWarning, match="left out line"):
        assert read_table(path)[0].data.shape == (3, energy.size - 1)


@pytest.mark.parametrize("per_line", [(3, 3), (4, 2), (2, 2, 2), (5, 1)])
def test_records_over_several_lines_are_joined(tmp_path, scanned, per_line):
    energy, mu = scanned()
    rows = np.transpose([energy, *(np.full(energy.size, 10.0 + n) for n in range(4)), mu])
    lines = []
    for row in rows:
        at = 0
        for n in per_line:
            lines.append(" ".join(f"{value:.10g}" for value in row[at : at + n]))
            at += n
    (tmp_path / "a.dat").write_text("energy a b c d mu\n" + "\n".join(lines) + "\n")
    table, _ = read_table(tmp_path / "a.dat")
    assert table.names == ("energy", "a", "b", "c", "d", "mu")
    np.testing.assert_allclose(table.data, rows.T, atol=1e-6)
    assert "joined" in table.done[0]


def test_rows_of_numbers_above_the_labels_are_no_points(tmp_path, scanned, write):
    header = "title\n1 2\n3 4\n0 0\nenergy  mu"
    table, above = read_table(write(tmp_path / "a.dat", header, *scanned()))
    np.testing.assert_allclose(table.data, scanned(), atol=1e-6)
    assert table.names == ("energy", "mu")
    assert "3 4" in above


@pytest.mark.parametrize("filler", [" ", "#", "1 ", "a", "-", "1)", ","])
def test_a_long_line_takes_no_time(tmp_path, scanned, write, filler):
    long = filler * 200_000
    path = write(tmp_path / "a.dat", f"# {long}|\n#Col 1{long}|\n# energy mu", *scanned())
    start = time.perf_counter()
    read_table(path)
    assert time.perf_counter() - start < 4.0


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_texts_of_all_sorts_of_computers(tmp_path, scanned, write, encoding, end):
    path = write(tmp_path / "a.dat", "# \xe9chantillon \xb5\n# energy mu", *scanned())
    path.write_bytes(path.read_text().replace("\n", end).encode(encoding))
    np.testing.assert_allclose(read_table(path)[0].data[1], scanned()[1], atol=1e-9)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("7112.5 0.3\n" * 100_001, "holds up to 100,001 points.*CGXAS_MAX_POINTS"),
        ("7112.5 0.3\n" + "1 2 3 " * 3_000_000, "line 2 of a.dat holds at least 2,001 columns"),
        ("7112.5,0.3\n" + "1," * 3000, "line 2 of a.dat holds at least 3,001 columns"),
    ],
    ids=["lines", "blanks", "commas"],
)
def test_very_many_lines_or_columns_are_refused_before_they_are_read(tmp_path, text, told):
    (tmp_path / "a.dat").write_text(text)
    with pytest.raises(UnreadableSpectrum, match=told):
        read_table(tmp_path / "a.dat")


def test_a_long_line_of_words_is_no_row(tmp_path):
    rows = "".join(f"{7000 + n} {n}\n" for n in range(50))
    (tmp_path / "a.dat").write_text("# note " + "a 1, " * 5000 + "\n# energy mu\n" + rows)
    assert read_table(tmp_path / "a.dat")[0].data.shape == (2, 50)
