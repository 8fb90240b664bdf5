"""cgxas dataset ingest: what is told, written and refused."""

import numpy as np
import pytest

pytest.importorskip("larch")


def test_ingest_writes_a_data_set_that_info_shows(cgxas, tmp_path, crystals, scanned):
    spectra = tmp_path / "spectra"
    spectra.mkdir()
    np.savetxt(spectra / "a.dat", np.transpose(scanned()), header="energy xmu")
    pairs = tmp_path / "pairs.csv"
    pairs.write_text(
        "spectrum,crystal,element\na.dat,iron.cif,Fe\nnone.dat,iron.cif,Fe\na.dat,rutile.cif,Fe\n"
    )
    out = tmp_path / "mine"
    answer = cgxas(
        "dataset", "ingest", spectra, "--structures", crystals, "--table", pairs, "-o", out
    )
    assert answer.code == 0, answer.err
    lines = answer.err.splitlines()
    assert lines[0].startswith("left out line 3:")
    assert lines[1] == "left out line 4: a.dat with rutile.cif: absorber is not in the crystal"
    assert lines[2].startswith("left out 2: 1 x absorber is not in the crystal")
    assert lines[3] == f"wrote {out}: 1 spectra of 1 crystals"
    assert "experiment" in cgxas("dataset", "info", out).out
    assert cgxas("dataset", "check", out).out.splitlines()[1].split()[:3] == ["mine", "any", "0"]


def test_bad_tables_are_refused_in_one_line(refused, tmp_path, crystals):
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("a,b\n")
    words = ("dataset", "ingest", crystals, "--structures", crystals, "--table", pairs, "-o", "new")
    assert "no column 'spectrum'" in refused(*words)


def test_an_l_edge_is_left_out(cgxas, tmp_path, crystals, scanned):
    """A file that states an L3 edge, in tables that state no edge, and K."""
    spectra, pairs = tmp_path / "spectra", tmp_path / "pairs.csv"
    spectra.mkdir()
    np.savetxt(spectra / "a.dat", np.transpose(scanned()), header="energy xmu")
    header = "XDI/1.0\nElement.symbol: Fe\nElement.edge: L3\n///\n---\nenergy xmu"
    np.savetxt(spectra / "l.xdi", np.transpose(scanned(710.0)), header=header)
    rows = ["spectrum,crystal,element,edge", "a.dat,iron.cif,Fe,"]
    pairs.write_text("\n".join([*rows, "l.xdi,iron.cif,Fe,", "l.xdi,iron.cif,Fe,K"]) + "\n")
    words = ("--structures", crystals, "--table", pairs, "-o", tmp_path / "new")
    answer = cgxas("dataset", "ingest", spectra, *words)
    assert answer.code == 0, answer.err
    assert "line 3: l.xdi with iron.cif: not a K-edge XANES spectrum" in answer.err
    assert "line 4: l.xdi reaches from" in answer.err
    assert "wrote" in answer.err
    assert "1 spectra of 1 crystals" in answer.err
