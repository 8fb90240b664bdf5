import dataclasses
import json
import os
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from cgxas.errors import OutputError
from cgxas.spectra.io.write import (
    SPECTRUM_SUFFIXES,
    TABLE_SUFFIXES,
    check_output,
    write_parquet,
    write_spectrum,
)
from cgxas.spectra.spectrum import SiteSpectrum, Spectrum


def flat() -> Spectrum:
    return Spectrum(np.arange(40.0), np.zeros(40), "Fe")


def many_sites(n: int) -> Spectrum:
    energy, mu = np.arange(20.0), np.arange(20.0)
    sites = tuple(SiteSpectrum((site,), mu, energy) for site in range(n))
    return Spectrum(energy, mu, "Fe", sites=sites)


def test_csv_reads_back(spectrum, tmp_path: Path):
    write_spectrum(spectrum, tmp_path / "a.csv", sites=True)
    table = np.genfromtxt(tmp_path / "a.csv", delimiter=",", names=True)
    assert table.dtype.names == ("energy", "norm", "norm_4", "norm_9")
    np.testing.assert_allclose(table["energy"], spectrum.energy, rtol=0, atol=1e-8)
    np.testing.assert_allclose(table["norm"], spectrum.norm, rtol=1e-9)
    np.testing.assert_allclose(table["norm_9"], spectrum.sites[1].norm, rtol=1e-9)


def banded(spectrum: Spectrum) -> Spectrum:
    return dataclasses.replace(spectrum, sigma=np.linspace(0.01, 0.05, 100) / 3)


def test_csv_holds_the_band_before_the_sites(spectrum, tmp_path: Path):
    write_spectrum(banded(spectrum), tmp_path / "a.csv", sites=True)
    table = np.genfromtxt(tmp_path / "a.csv", delimiter=",", names=True)
    assert table.dtype.names == ("energy", "norm", "sigma", "norm_4", "norm_9")
    np.testing.assert_allclose(table["sigma"], banded(spectrum).sigma, rtol=1e-9)
    np.testing.assert_allclose(table["norm_4"], spectrum.sites[0].norm, rtol=1e-9)


def test_json_and_table_hold_the_band_exactly(spectrum, tmp_path: Path):
    for each, expected in ((banded(spectrum), banded(spectrum).sigma.tolist()), (spectrum, None)):
        write_spectrum(each, tmp_path / "a.json")
        assert json.loads((tmp_path / "a.json").read_text())["sigma"] == expected
        write_parquet([each], tmp_path / "a.parquet", sites=True)
        rows = pq.read_table(tmp_path / "a.parquet").to_pylist()
        assert [row["sigma"] for row in rows] == [expected, None, None]


@pytest.mark.parametrize("in_python", [True, False], ids=["python", "libxdifile"])
def test_larch_reads_the_band(spectrum, tmp_path: Path, in_python):
    xdi = pytest.importorskip("larch.io.xdi")
    write_spectrum(banded(spectrum), tmp_path / "a.xdi", sites=True)
    group = xdi.read_xdi(str(tmp_path / "a.xdi"), use_pyxdi=in_python)
    assert group.array_labels == ["energy", "norm", "sigma", "norm_4", "norm_9"]
    np.testing.assert_allclose(group.sigma, banded(spectrum).sigma, rtol=0, atol=1e-9)


def test_csv_has_no_site_columns_unless_wanted(spectrum, tmp_path: Path):
    write_spectrum(spectrum, tmp_path / "A.CSV")
    assert (tmp_path / "A.CSV").read_text().splitlines()[0] == "energy,norm"


def test_json_holds_everything_exactly(spectrum, tmp_path: Path):
    write_spectrum(spectrum, tmp_path / "a.json")
    data = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert data["energy"] == spectrum.energy.tolist()
    assert data["norm"] == spectrum.norm.tolist()
    names = ("absorber", "edge", "formula", "model", "source")
    assert [data[name] for name in names] == ["Fe", "K", "Fe2O3", "m1", "a.cif"]
    assert data["e0"] == spectrum.e0
    assert tuple(data["white_line"].values()) == spectrum.white_line
    assert [site["sites"] for site in data["sites"]] == [[4, 5, 6, 7], [9]]
    assert [site["multiplicity"] for site in data["sites"]] == [4, 1]
    assert data["sites"][1]["norm"] == spectrum.sites[1].norm.tolist()
    assert data["sites"][1]["e0"] == spectrum.sites[1].e0


def test_xdi_header_follows_the_specification(spectrum, tmp_path: Path):
    write_spectrum(spectrum, tmp_path / "a.xdi", sites=True)
    lines = (tmp_path / "a.xdi").read_text().splitlines()
    assert lines[0].startswith("# XDI/1.0 cgxas/")
    end = next(n for n, line in enumerate(lines) if line.startswith("# ---"))
    assert lines[1:end] == [
        "# Element.symbol: Fe",
        "# Element.edge: K",
        "# Sample.name: Fe2O3",
        "# Column.1: energy eV",
        "# Column.2: norm",
        "# Column.3: norm_4",
        "# Column.4: norm_9",
        "# Cgxas.model: m1",
        "# Cgxas.source: a.cif",
        f"# Cgxas.e0: {spectrum.e0:.6f} eV",
        "# Cgxas.multiplicity_4: 4",
        "# Cgxas.multiplicity_9: 1",
        "# ///",
    ]
    assert lines[end + 1] == "# energy norm norm_4 norm_9"
    assert len(lines) == end + 2 + 100


@pytest.mark.parametrize("in_python", [True, False], ids=["python", "libxdifile"])
def test_larch_reads_xdi_without_warning(spectrum, tmp_path: Path, in_python):
    xdi = pytest.importorskip("larch.io.xdi")
    path = tmp_path / "a.xdi"
    write_spectrum(spectrum, path, sites=True)
    group = xdi.read_xdi(str(path), use_pyxdi=in_python)
    assert group.status == 0
    assert group.error_message.strip() == ""
    assert (group.element, group.edge) == ("Fe", "K")
    assert group.array_labels == ["energy", "norm", "norm_4", "norm_9"]
    assert group.attrs["cgxas"]["model"] == "m1"
    np.testing.assert_allclose(group.energy, spectrum.energy, rtol=0, atol=1e-6)
    np.testing.assert_allclose(group.norm, spectrum.norm, rtol=0, atol=1e-6)
    np.testing.assert_allclose(group.norm_9, spectrum.sites[1].norm, rtol=0, atol=1e-6)


def test_larch_reads_as_many_xdi_columns_as_we_write(tmp_path: Path):
    xdi = pytest.importorskip("larch.io.xdi")
    path = tmp_path / "a.xdi"
    write_spectrum(many_sites(126), path, sites=True)
    assert xdi.read_xdi(str(path), use_pyxdi=False).narrays == 128
    with pytest.raises(OutputError, match="cannot hold 127 sites"):
        write_spectrum(many_sites(127), path, sites=True)


def test_line_break_in_a_name_stays_in_its_line(spectrum, tmp_path: Path):
    write_spectrum(dataclasses.replace(spectrum, source="a\n# ///\nb"), tmp_path / "a.xdi")
    assert "# Cgxas.source: a # /// b\n" in (tmp_path / "a.xdi").read_text()


@pytest.mark.parametrize("suffix", SPECTRUM_SUFFIXES)
def test_spectrum_without_edge_is_written(tmp_path: Path, suffix):
    write_spectrum(flat(), tmp_path / f"a{suffix}")
    text = (tmp_path / f"a{suffix}").read_text()
    assert ('"e0": null' in text) == (suffix == ".json")
    assert "Cgxas.e0" not in text


def test_table_has_one_row_per_spectrum(spectrum, tmp_path: Path):
    write_parquet((s for s in [spectrum, flat()]), tmp_path / "a.parquet")
    rows = pq.read_table(tmp_path / "a.parquet").to_pylist()
    assert [row["spectrum"] for row in rows] == [0, 1]
    assert [row["site"] for row in rows] == [None, None]
    assert [row["multiplicity"] for row in rows] == [5, None]
    assert [row["e0"] for row in rows] == [spectrum.e0, None]
    assert rows[0]["norm"] == spectrum.norm.tolist()
    assert rows[0]["energy"] == spectrum.energy.tolist()
    assert [rows[0][name] for name in ("source", "formula", "absorber", "edge", "model")] == [
        "a.cif",
        "Fe2O3",
        "Fe",
        "K",
        "m1",
    ]


def test_table_has_rows_for_sites_when_wanted(spectrum, tmp_path: Path):
    write_parquet([spectrum, flat()], tmp_path / "a.parquet", sites=True)
    rows = pq.read_table(tmp_path / "a.parquet").to_pylist()
    assert [(row["spectrum"], row["site"], row["multiplicity"]) for row in rows] == [
        (0, None, 5),
        (0, 4, 4),
        (0, 9, 1),
        (1, None, None),
    ]
    assert rows[2]["norm"] == spectrum.sites[1].norm.tolist()
    assert rows[2]["e0"] == spectrum.sites[1].e0


def test_table_is_written_in_portions(monkeypatch, tmp_path: Path):
    monkeypatch.setattr("cgxas.spectra.io.write.ROWS_AT_ONCE", 2)
    write_parquet([flat()] * 5, tmp_path / "a.parquet")
    file = pq.ParquetFile(tmp_path / "a.parquet")
    assert (file.num_row_groups, file.metadata.num_rows) == (3, 5)


def test_failure_among_many_spectra_leaves_no_file(tmp_path: Path):
    def failing():
        yield flat()
        raise RuntimeError("the second spectrum fails")

    with pytest.raises(RuntimeError, match="second"):
        write_parquet(failing(), tmp_path / "a.parquet")
    assert list(tmp_path.iterdir()) == []


def test_impossible_outputs_are_refused(tmp_path: Path):
    (tmp_path / "folder.csv").mkdir()
    for name, message in [
        ("a.txt", r"use \.csv, \.json, \.xdi"),
        ("a", "no known file type"),
        ("folder.csv", "is a folder"),
        ("missing/a.csv", "does not exist"),
    ]:
        with pytest.raises(OutputError, match=message):
            check_output(tmp_path / name, SPECTRUM_SUFFIXES)
    with pytest.raises(OutputError, match=r"use \.parquet"):
        check_output(tmp_path / "a.csv", TABLE_SUFFIXES)


def test_possible_output_is_returned_and_not_touched(tmp_path: Path):
    assert check_output(tmp_path / "a.XDI", SPECTRUM_SUFFIXES) == tmp_path / "a.XDI"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("protected", ["file", "folder"])
def test_write_protection_is_respected(tmp_path: Path, monkeypatch, protected):
    target = tmp_path / "a.csv"
    target.write_text("mine")
    locked = target if protected == "file" else tmp_path
    # Not by chmod, which does not stop an administrator.
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != locked)
    with pytest.raises(OutputError, match="permission denied"):
        check_output(target, SPECTRUM_SUFFIXES)
