import numpy as np
import pyarrow.parquet as pq
import pytest

from cgxas.errors import UnreadableSpectrum
from cgxas.spectra.io.read import read_scan
from cgxas.spectra.io.write import write_spectra


def test_one_row_per_spectrum(spectrum, flat, tmp_path, half_step):
    write_spectra((s for s in [spectrum, flat]), tmp_path / "a.parquet")
    rows = pq.read_table(tmp_path / "a.parquet").to_pylist()
    assert [row["spectrum"] for row in rows] == [0, 1]
    assert [row["site"] for row in rows] == [None, None]
    assert [row["multiplicity"] for row in rows] == [5, None]
    assert [row["e0"] for row in rows] == [spectrum.e0, None]
    assert rows[0]["half_step"] == half_step
    assert rows[0]["norm"] == spectrum.norm.tolist()
    assert rows[0]["energy"] == spectrum.energy.tolist()
    names = ("source", "formula", "absorber", "edge", "model")
    assert [rows[0][name] for name in names] == ["a.cif", "Fe2O3", "Fe", "K", "m1"]


def test_rows_for_sites_when_wanted(spectrum, flat, tmp_path):
    write_spectra([spectrum, flat], tmp_path / "a.parquet", sites=True)
    rows = pq.read_table(tmp_path / "a.parquet").to_pylist()
    assert [(row["spectrum"], row["site"], row["multiplicity"]) for row in rows] == [
        (0, None, 5),
        (0, 4, 4),
        (0, 9, 1),
        (1, None, None),
    ]
    assert rows[2]["norm"] == spectrum.sites[1].norm.tolist()
    assert rows[2]["e0"] == spectrum.sites[1].e0


def test_the_band_belongs_to_the_mean(banded, spectrum, tmp_path):
    for curve, expected in ((banded, banded.sigma.tolist()), (spectrum, None)):
        curve.save(tmp_path / "a.parquet", sites=True)
        rows = pq.read_table(tmp_path / "a.parquet").to_pylist()
        assert [row["sigma"] for row in rows] == [expected, None, None]


def test_of_a_measurement_the_normalised_curve_is_held(measurement, spectrum, tmp_path):
    write_spectra([measurement, spectrum], tmp_path / "a.parquet")
    row, _ = pq.read_table(tmp_path / "a.parquet").to_pylist()
    np.testing.assert_array_equal(row["norm"], measurement.norm)
    assert (row["formula"], row["absorber"], row["model"]) == ("hematite", "Fe", "")


def test_it_is_written_in_portions(flat, monkeypatch, tmp_path):
    monkeypatch.setattr("cgxas.spectra.io.parquet.ROWS_AT_ONCE", 2)
    write_spectra([flat] * 5, tmp_path / "a.parquet")
    file = pq.ParquetFile(tmp_path / "a.parquet")
    assert (file.num_row_groups, file.metadata.num_rows) == (3, 5)


def test_it_is_not_read_and_said_so(spectrum, tmp_path):
    spectrum.save(tmp_path / "a.parquet")
    with pytest.raises(UnreadableSpectrum, match="Parquet table, which is only written"):
        read_scan(tmp_path / "a.parquet")
