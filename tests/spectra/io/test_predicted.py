import json
from pathlib import Path

import numpy as np
import pytest

from cgxas.errors import SpectrumError, UnreadableSpectrum, WrongEdge
from cgxas.spectra.io.predicted import is_spectrum_file, read_prediction
from cgxas.spectra.io.write import write_spectrum


@pytest.mark.parametrize("suffix", [".json", ".csv", ".xdi"])
def test_what_predict_writes_is_read_back(spectrum, tmp_path, suffix):
    if suffix != ".json":
        pytest.importorskip("larch")
    path = tmp_path / f"a{suffix}"
    write_spectrum(spectrum, path)
    energy, mu = read_prediction(path, "Fe")
    np.testing.assert_allclose(energy, spectrum.energy, atol=1e-6)
    np.testing.assert_allclose(mu, spectrum.norm, atol=1e-6)


def test_another_absorber_is_refused(spectrum, tmp_path):
    write_spectrum(spectrum, tmp_path / "a.json")
    with pytest.raises(WrongEdge, match="is of Fe, the measured spectrum of Cu"):
        read_prediction(tmp_path / "a.json", "Cu")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"energy": [1], "norm": "a"}', "not json"])
def test_foreign_json_is_refused(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(UnreadableSpectrum, match=r"a\.json"):
        read_prediction(tmp_path / "a.json", "Fe")


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    for name in ("a.json", "a.csv"):
        with pytest.raises(UnreadableSpectrum, match="no such file"):
            read_prediction(tmp_path / name, "Fe")


def test_a_group_of_a_project_is_chosen(spectrum, tmp_path):
    pytest.importorskip("larch")
    from cgxas.spectra.io.measurements import write_athena

    write_athena([spectrum, spectrum], tmp_path / "a.prj")
    energy, mu = read_prediction(tmp_path / "a.prj", "Fe", "Fe2O3, Fe K edge (2)")
    np.testing.assert_allclose(energy, spectrum.energy, atol=1e-6)
    np.testing.assert_allclose(mu, spectrum.norm, atol=1e-6)


def test_json_that_is_no_curve_is_refused(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({"energy": [2, 1], "norm": [0, 1]}))
    with pytest.raises(SpectrumError, match="increase"):
        read_prediction(tmp_path / "a.json", "Fe")


def test_crystals_are_told_from_spectra():
    assert is_spectrum_file(Path("a.XDI"))
    assert not is_spectrum_file(Path("a.cif"))
    assert not is_spectrum_file(Path("POSCAR"))
