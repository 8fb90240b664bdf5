import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cgxas.errors import UnclearSpectrum, UnreadableSpectrum
from cgxas.spectra.io.read import read_scan, read_scans
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


def test_predictions_are_read_and_left_as_they_are(spectrum, flat, tmp_path):
    write_spectra([spectrum, flat], tmp_path / "a.parquet")
    scan = read_scan(tmp_path / "a.parquet", group="0")
    assert (scan.kind, scan.element, scan.edge) == ("simulated", "Fe", "K")
    np.testing.assert_array_equal(scan.mu, spectrum.norm)
    with pytest.raises(UnclearSpectrum, match="holds 2 scans: choose one with --group"):
        read_scan(tmp_path / "a.parquet")
    assert len(read_scans(tmp_path / "a.parquet")) == 2


ENERGY = np.arange(7080.0, 7200.0, 1.0)
CURVES = {f"s{n}": 0.1 * n + np.arctan(ENERGY - 7120.0 - n) for n in range(3)}


def test_a_row_per_scan(tmp_path):
    """As a data set of beamtimes has it, with more about each scan beside."""
    rows = {
        "scan": list(CURVES),
        "volt_V": [3.0, 3.5, None],
        "energy": [ENERGY] * 3,
        "mu": [CURVES["s0"], CURVES["s1"], None],
        "element": ["Fe"] * 3,
    }
    pq.write_table(pa.table(rows), tmp_path / "a.parquet")
    found = dict(read_scans(tmp_path / "a.parquet"))
    np.testing.assert_array_equal(found["s1"].mu, CURVES["s1"])
    assert found["s1"].element == "Fe"
    assert isinstance(found["s2"], UnreadableSpectrum)
    assert read_scan(tmp_path / "a.parquet", "s1", mu="volt_V").mu.mean() == 3.5


def test_a_row_per_point(tmp_path):
    """Of scans that lie one after the other, of different lengths, with counters."""
    ends = {"s0": 120, "s1": 100, "s2": 80}
    i0 = np.full(120, 2.0)
    columns = {
        "scan": [name for name, end in ends.items() for _ in range(end)],
        "energy": np.concatenate([ENERGY[:end] for end in ends.values()]),
        "i0": np.concatenate([i0[:end] for end in ends.values()]),
        "it": np.concatenate([(i0 * np.exp(-CURVES[n]))[:end] for n, end in ends.items()]),
    }
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    found = dict(read_scans(tmp_path / "a.parquet"))
    assert [scan.energy.size for scan in found.values()] == list(ends.values())
    assert found["s1"].kind == "transmission"
    np.testing.assert_allclose(found["s1"].mu, CURVES["s1"][:100])


def test_a_column_per_scan(tmp_path):
    pq.write_table(pa.table({"energy": ENERGY, **CURVES}), tmp_path / "a.parquet")
    found = dict(read_scans(tmp_path / "a.parquet", columns="s*"))
    np.testing.assert_array_equal(found["s2"].mu, CURVES["s2"])
    assert list(found) == ["s0", "s1", "s2"]
    (alone,) = read_scans(tmp_path / "a.parquet")
    assert isinstance(alone[1], UnclearSpectrum)


def test_what_is_no_table_of_scans_is_refused(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"PAR1 is not all it takes PAR1")
    with pytest.raises(UnreadableSpectrum, match="no readable Parquet table"):
        read_scans(tmp_path / "a.parquet")
    pq.write_table(pa.table({"scan": ["a", "b"]}), tmp_path / "a.parquet")
    with pytest.raises(UnreadableSpectrum, match="no numbers"):
        read_scans(tmp_path / "a.parquet")
    many = pa.table({"scan": ["a"], "energy": [np.zeros(10_000_000)], "mu": [np.zeros(1)]})
    pq.write_table(many, tmp_path / "a.parquet")
    assert (tmp_path / "a.parquet").stat().st_size < 100_000
    with pytest.raises(UnreadableSpectrum, match="unpacks to"):
        read_scans(tmp_path / "a.parquet")
