import numpy as np
import pytest

from cgxas.errors import UnreadableSpectrum
from cgxas.spectra.io.base import Choice
from cgxas.spectra.io.text import read_table, rows, scan_of

pytest.importorskip("larch")


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
def test_decimal_commas_are_refused(tmp_path, scanned, write, separator):
    path = write(tmp_path / "a.csv", "energy" + separator + "mu", *scanned(), separator=separator)
    path.write_text(path.read_text().replace(".", ","))
    with pytest.raises(UnreadableSpectrum, match="decimal commas"):
        read_table(path)


def test_several_scans_in_one_file_are_refused(tmp_path, scanned, write):
    """Larch alone would give the last one without a word."""
    path = write(tmp_path / "a.spec", "#S 1 ascan\n#L energy mu", *scanned())
    path.write_text(path.read_text() + "\n" + path.read_text().replace("#S 1", "#S 2"))
    with pytest.raises(UnreadableSpectrum, match="several blocks"):
        read_table(path)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_texts_of_all_sorts_of_computers(tmp_path, scanned, write, encoding, end):
    path = write(tmp_path / "a.dat", "# \xe9chantillon \xb5\n# energy mu", *scanned())
    path.write_bytes(path.read_text().replace("\n", end).encode(encoding))
    np.testing.assert_allclose(read_table(path)[0].data[1], scanned()[1], atol=1e-9)
