import os
from pathlib import Path

import numpy as np
import pytest

from cgxas.errors import MissingExtra, OutputError
from cgxas.spectra.io.formats import readable_suffixes, table_suffixes, writable_suffixes
from cgxas.spectra.io.read import read_spectrum
from cgxas.spectra.io.write import (
    check_output,
    check_spectrum_output,
    write_spectra,
    write_spectrum,
)

ROUND = [suffix for suffix in writable_suffixes() if suffix in readable_suffixes()]
ONE = [suffix for suffix in writable_suffixes() if suffix not in table_suffixes()]


@pytest.mark.parametrize("suffix", ROUND)
def test_a_prediction_with_sites_and_band_makes_the_round_trip(banded, tmp_path, suffix):
    pytest.importorskip("larch")
    path = tmp_path / f"a{suffix}"
    banded.save(path, sites=True)
    group = banded.label if suffix == ".prj" else None
    again = read_spectrum(path, "Fe", group)
    np.testing.assert_allclose(again.energy, banded.energy, rtol=0, atol=1e-6)
    np.testing.assert_allclose(again.norm, banded.norm, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(again.mu, again.norm)
    assert (again.element, again.edge, again.source) == ("Fe", "K", path.name)
    assert again.kind == ("normalised" if suffix == ".csv" else "simulated")


@pytest.mark.parametrize("suffix", [each for each in ROUND if each != ".parquet"])
def test_a_measurement_makes_the_round_trip(measurement, tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    measurement.save(path)
    again = read_spectrum(path, "Fe")
    np.testing.assert_allclose(again.energy, measurement.energy, rtol=0, atol=1e-6)
    np.testing.assert_allclose(again.mu, measurement.mu, rtol=0, atol=1e-9)
    np.testing.assert_allclose(again.norm, measurement.norm, rtol=0, atol=1e-6)
    assert again.edge_step == pytest.approx(measurement.edge_step, rel=1e-6)
    if suffix != ".csv":
        assert (again.element, again.edge, again.label) == ("Fe", "K", "hematite")
        assert (again.energy_shift, again.kind) == (0.75, "transmission")


def test_save_and_the_functions_write_the_same(spectrum, tmp_path):
    spectrum.save(tmp_path / "a.json")
    write_spectrum(spectrum, tmp_path / "b.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    spectrum.save(tmp_path / "a.parquet", sites=True)
    write_spectra([spectrum], tmp_path / "b.parquet", sites=True)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


@pytest.mark.parametrize("suffix", ONE)
def test_a_curve_without_an_edge_is_written(flat, tmp_path, suffix):
    flat.save(tmp_path / f"a{suffix}")
    assert (tmp_path / f"a{suffix}").read_text().count("\n") > 40


@pytest.mark.parametrize("suffix", ONE)
def test_many_spectra_go_into_one_file_only_where_it_holds_many(spectrum, tmp_path, suffix):
    with pytest.raises(OutputError, match=r"use \.prj, \.parquet"):
        write_spectra([spectrum], tmp_path / f"a{suffix}")
    assert list(tmp_path.iterdir()) == []


def test_failure_among_many_spectra_leaves_no_file(flat, tmp_path):
    def failing():
        yield flat
        raise RuntimeError("the second spectrum fails")

    with pytest.raises(RuntimeError, match="second"):
        write_spectra(failing(), tmp_path / "a.parquet")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_library_is_refused_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"\.\[larch\]"):
        check_spectrum_output(tmp_path / "a.prj")
    assert check_spectrum_output(tmp_path / "a.xdi") == tmp_path / "a.xdi"


def test_impossible_outputs_are_refused(tmp_path: Path):
    (tmp_path / "folder.csv").mkdir()
    for name, message in [
        ("a.txt", r"use \.csv, \.json"),
        ("a", "no known file type"),
        ("folder.csv", "is a folder"),
        ("missing/a.csv", "does not exist"),
    ]:
        with pytest.raises(OutputError, match=message):
            check_output(tmp_path / name, (".csv", ".json"))
    with pytest.raises(OutputError, match=r"use \.parquet"):
        check_output(tmp_path / "a.csv", (".parquet",))


def test_possible_output_is_returned_and_not_touched(tmp_path: Path):
    assert check_output(tmp_path / "a.CSV", (".csv",)) == tmp_path / "a.CSV"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("protected", ["file", "folder"])
def test_write_protection_is_respected(tmp_path: Path, monkeypatch, protected):
    target = tmp_path / "a.csv"
    target.write_text("mine")
    locked = target if protected == "file" else tmp_path
    # Not by chmod, which does not stop an administrator.
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != locked)
    with pytest.raises(OutputError, match="permission denied"):
        check_output(target, (".csv", ".json"))
