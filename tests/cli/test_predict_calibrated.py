"""Calibrated models at the command line: bands in files, and what makes no sense with them."""

import csv
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from cgxas.predict import load
from cgxas.spectra.spectrum import Spectrum

pytestmark = pytest.mark.filterwarnings("ignore::cgxas.errors.FarFromMeasuredWarning")


@pytest.fixture(scope="module")
def rutile(crystals) -> Path:
    return crystals / "rutile.cif"


@pytest.fixture(scope="module")
def expected(calibrated_model, rutile) -> Spectrum:
    return load(calibrated_model).predict(rutile, "Ti")


@pytest.fixture
def written(cgxas, calibrated_model, rutile, tmp_path):
    def write(suffix: str) -> Path:
        out = tmp_path / f"out{suffix}"
        answer = cgxas("predict", rutile, "-a", "Ti", "--model", calibrated_model, "-o", out)
        assert answer.code == 0, answer.err
        assert "Traceback" not in answer.err
        return out

    return write


def test_csv_has_a_column_of_the_band(written, expected):
    with written(".csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["energy", "norm", "sigma"]
    for name in ("energy", "norm", "sigma"):
        np.testing.assert_allclose([float(r[name]) for r in rows], getattr(expected, name), 1e-8)


def test_json_has_the_band(written, expected):
    assert json.loads(written(".json").read_text())["sigma"] == expected.sigma.tolist()


@pytest.mark.parametrize("in_python", [True, False], ids=["python", "libxdifile"])
def test_larch_reads_the_band_of_an_xdi_file(written, expected, in_python):
    xdi = pytest.importorskip("larch.io.xdi")
    group = xdi.read_xdi(str(written(".xdi")), use_pyxdi=in_python)
    assert group.array_labels == ["energy", "norm", "sigma"]
    np.testing.assert_allclose(group.energy, expected.energy, rtol=0, atol=1e-6)
    np.testing.assert_allclose(group.norm, expected.norm, rtol=0, atol=1e-6)
    np.testing.assert_allclose(group.sigma, expected.sigma, rtol=0, atol=1e-6)


def test_tables_have_the_band(written, expected):
    (row,) = pq.read_table(written(".parquet")).to_pylist()
    assert row["sigma"] == expected.sigma.tolist()


def test_a_figure_is_drawn(cgxas, calibrated_model, rutile, tmp_path):
    words = ("predict", rutile, "-a", "Ti", "--model", calibrated_model)
    answer = cgxas(*words, "--plot", tmp_path / "a.png")
    assert answer.code == 0
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_a_guess_is_told_in_one_line(cgxas, scattered, tmp_path):
    poscar = "Fe\n1.0\n12 0 0\n0 12 0\n0 0 12\nFe\n1\ndirect\n0 0 0\n"
    (tmp_path / "lonely.vasp").write_text(poscar)
    answer = cgxas("predict", tmp_path / "lonely.vasp", "-a", "Fe", "--model", scattered)
    assert answer.code == 0
    (line,) = answer.err.splitlines()
    assert line.startswith("cgxas: warning: ")
    assert "lonely.vasp: nothing much like its Fe was measured" in line


def test_elements_without_a_calibration(refused, calibrated_model, rutile):
    line = refused("predict", rutile, "-a", "O", "--model", calibrated_model, "-o", "a.csv")
    assert "there is no calibration for O in measured, which covers Fe, Ti" in line


def test_fidelities_make_no_sense(refused, calibrated_model, rutile):
    words = ("predict", rutile, "-a", "Ti", "--model", calibrated_model, "--fidelity", "FEFF10")
    assert "answers as measured, not as a simulation" in refused(*words)


def test_a_calibrated_model_is_tested_on_measured_spectra(cgxas, calibrated_model, measured_folder):
    answer = cgxas("evaluate", calibrated_model, measured_folder, "--part", "all")
    assert answer.code == 0, answer.err
    heading, *rows = answer.out.splitlines()
    assert heading.split("  ")[-1].strip() == "NLL"
    figures = {row.split()[0]: row.split()[1:] for row in rows}
    for element, n_scans in (("Fe", 15), ("Ti", 12)):
        assert int(figures[element][1]) == n_scans
        assert float(figures[element][2]) < 0.05  # it has learnt from them
        one, two, likelihood = map(float, figures[element][-3:])
        assert 0.6 < one <= two <= 1
        assert np.isfinite(likelihood)


def test_a_calibrated_model_is_not_tuned(refused, calibrated_model, salts):
    line = refused("finetune", calibrated_model, "--data", salts, "--element", "Fe", "-o", "run")
    assert "measured is calibrated to measured spectra; tune the model it came from" in line


def test_its_sites_are_embedded(cgxas, calibrated_model, salts, tmp_path):
    answer = cgxas(
        "embed", calibrated_model, salts, "--element", "Fe", "-o", tmp_path / "s.parquet"
    )
    assert answer.code == 0
    assert pq.read_metadata(tmp_path / "s.parquet").num_rows == 10
