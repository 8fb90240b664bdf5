"""Files whole and damaged; what a format holds is tested beside the format."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from cgxas.errors import (
    MissingExtra,
    SpectrumError,
    UnclearSpectrum,
    UnreadableSpectrum,
    WrongEdge,
)
from cgxas.spectra.io.read import is_spectrum_file, read_prediction, read_scan, read_spectrum
from cgxas.spectra.io.write import write_spectra

pytest.importorskip("larch")


@pytest.fixture
def whole(tmp_path, measurement, banded):
    """Sound files of all kinds."""
    for suffix in ("csv", "json", "prj", "xdi"):
        measurement.save(tmp_path / f"measured.{suffix}")
    banded.save(tmp_path / "predicted.json", sites=True)
    with pytest.importorskip("h5py").File(tmp_path / "a.nxs", "w") as root:
        root["entry/data/energy"], root["entry/data/mu"] = measurement.energy, measurement.mu
    np.savetxt(tmp_path / "a.dat", np.transpose([measurement.energy, measurement.mu]))
    unpacked = gzip.decompress((tmp_path / "measured.prj").read_bytes())
    (tmp_path / "unpacked.prj").write_bytes(unpacked)
    return tmp_path


MEASURED = ("measured.csv", "measured.json", "measured.prj", "measured.xdi")
FILES = (*MEASURED, "predicted.json", "a.nxs", "a.dat", "unpacked.prj")


@pytest.mark.parametrize("name", FILES)
def test_files_changed_at_random_are_read_or_refused_in_a_sentence(whole, name):
    assert read_scan(whole / name).energy.size >= 100
    random = np.random.default_rng(64)
    changed = whole / f"changed_{name}"
    for _ in range(25):
        data = bytearray((whole / name).read_bytes())
        for at in random.integers(len(data), size=3):
            data[at] = random.integers(256)
        cut = random.integers(len(data), size=2)
        changed.write_bytes(data[: max(cut)] if cut[0] % 2 else data[: min(cut)] + data[max(cut) :])
        try:
            scan = read_scan(changed)
        except SpectrumError as error:
            assert "\n" not in str(error)
        else:
            assert scan.energy.shape == scan.mu.shape


BAD = {
    "empty": b"",
    "words": b"this is not a spectrum\nat all, really\n",
    "picture": b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
    "one column": b"1\n2\n3\n",
    "words between numbers": b"7100 0.1\n7101 low\n7102 high\n7103 0.3\n",
    "a cut project": b"# Athena project file -- Demeter version 0.9.20\n$old_group = 'a';\n@x = (1",
    "an empty project": b"# Athena project file -- Demeter version 0.9.20\n1;\n",
    "an empty XDI": b"# XDI/1.0\n# ///\n",
}


@pytest.mark.parametrize("case", BAD)
def test_bad_files_are_refused_in_a_sentence(tmp_path, case):
    (tmp_path / "bad.dat").write_bytes(BAD[case])
    with pytest.raises(SpectrumError) as error:
        read_scan(tmp_path / "bad.dat")
    assert "bad.dat" in str(error.value)
    assert "\n" not in str(error.value)


def test_missing_files_folders_and_wrong_options_are_refused(tmp_path, scanned, write):
    with pytest.raises(UnreadableSpectrum, match="no such file"):
        read_scan(tmp_path / "none.dat")
    with pytest.raises(UnreadableSpectrum, match="folder"):
        read_scan(tmp_path)
    path = write(tmp_path / "a.dat", "# energy mu", *scanned())
    with pytest.raises(UnclearSpectrum, match="--group"):
        read_scan(path, group="a")
    with pytest.raises(UnclearSpectrum, match="no column 'b'"):
        read_scan(path, mu="b")


def test_without_larch_the_extra_is_named(tmp_path, scanned, write, monkeypatch):
    path = write(tmp_path / "a.dat", "# energy mu", *scanned())
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"\.\[larch\]"):
        read_spectrum(path)


def test_a_measurement_is_normalised_and_a_prediction_left_as_it_is(whole, measurement, banded):
    found = read_spectrum(whole / "a.dat", "Fe")
    np.testing.assert_allclose(found.norm, measurement.norm, rtol=0, atol=1e-6)
    assert (found.element, found.edge, found.kind) == ("Fe", "K", "mu")
    found = read_spectrum(whole / "predicted.json")
    np.testing.assert_array_equal(found.norm, banded.norm)
    assert (found.element, found.kind) == ("Fe", "simulated")


@pytest.mark.parametrize("suffix", [".json", ".csv", ".xdi", ".prj"])
def test_what_is_known_to_be_predicted_is_left_as_it_is(spectrum, tmp_path, suffix):
    spectrum.save(tmp_path / f"a{suffix}")
    energy, norm = read_prediction(tmp_path / f"a{suffix}", "Fe")
    np.testing.assert_allclose(energy, spectrum.energy, atol=1e-6)
    np.testing.assert_allclose(norm, spectrum.norm, atol=1e-6)


def test_a_prediction_of_another_absorber_is_refused(spectrum, tmp_path):
    spectrum.save(tmp_path / "a.json")
    with pytest.raises(WrongEdge, match="is of Fe, the measured spectrum of Cu"):
        read_prediction(tmp_path / "a.json", "Cu")


def test_a_predicted_group_of_a_project_is_chosen(spectrum, tmp_path):
    write_spectra([spectrum, spectrum], tmp_path / "a.prj")
    energy, norm = read_prediction(tmp_path / "a.prj", "Fe", "Fe2O3, Fe K edge (2)")
    np.testing.assert_allclose(energy, spectrum.energy, atol=1e-6)
    np.testing.assert_allclose(norm, spectrum.norm, atol=1e-6)


def test_crystals_are_told_from_spectra():
    assert is_spectrum_file(Path("a.XDI"))
    assert is_spectrum_file(Path("xmu.dat"))
    assert not is_spectrum_file(Path("a.cif"))
    assert not is_spectrum_file(Path("POSCAR"))
