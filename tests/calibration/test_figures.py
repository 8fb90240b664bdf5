"""Figures of a calibration: errors, the worst compounds, and where the measured ones lie."""

import numpy as np
import pytest

from cgxas.calibration.figures import draw_figures, draw_maps, worst_compounds
from cgxas.calibration.measured import Compounds, read_compounds
from cgxas.calibration.run import CalibrationSettings, trials
from cgxas.calibration.trials import Trial
from cgxas.model.checkpoint import load_checkpoint

CONFIG = CalibrationSettings("mine", ("Fe", "Ti"), ("gaussian", "rigid"), repeats=2)
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def compounds(measured_folder, random_model) -> Compounds:
    return read_compounds([measured_folder], load_checkpoint(random_model))


@pytest.fixture(scope="module")
def found(compounds, tmp_path_factory) -> list[Trial]:
    return trials(CONFIG, compounds, tmp_path_factory.mktemp("run"))


def test_a_figure_of_errors_and_one_of_each_element(compounds, found, tmp_path):
    files = draw_figures(CONFIG, compounds, found, tmp_path)
    assert [file.name for file in files] == ["errors.png", "worst_Fe.png", "worst_Ti.png"]
    assert sorted(tmp_path.iterdir()) == sorted(files)
    for file in files:
        assert file.read_bytes().startswith(PNG)
        assert file.stat().st_size > 5000


@pytest.mark.parametrize("method", ["gaussian", "rigid"])
def test_the_worst_test_compounds_come_first(compounds, found, method):
    mine = [t for t in found if (t.element, t.method) == ("Fe", method)]
    tested = {name for trial in mine for name in trial.parts["test"]}
    worst = worst_compounds(compounds, found, "Fe", method)
    assert 1 < len(worst) == len(tested) < 10
    errors = []
    for overlay in worst:
        name = overlay.title.removesuffix(", Fe")
        assert name in tested
        errors.append(np.mean([t.rse[name] for t in mine if name in t.curves]))
    assert errors == sorted(errors, reverse=True)
    assert len(set(errors)) == len(errors)


def test_an_overlay_holds_the_curves_of_the_first_test_of_its_compound(compounds, found):
    for overlay in worst_compounds(compounds, found, "Fe", "gaussian"):
        name = overlay.title.removesuffix(", Fe")
        number = int(np.flatnonzero(compounds.name == name)[0])
        trial = next(t for t in found if t.method == "gaussian" and name in t.curves)
        plain = next(t for t in found if t.method == "uncalibrated" and name in t.curves)
        np.testing.assert_array_equal(overlay.measured, compounds.target[number])
        np.testing.assert_array_equal(overlay.energy, compounds.grids["Fe"].energies)
        np.testing.assert_array_equal(overlay.calibrated, trial.curves[name])
        np.testing.assert_array_equal(overlay.uncalibrated, plain.curves[name])
        np.testing.assert_array_equal(overlay.sigma, trial.sigma[name])
        assert (overlay.rse, overlay.edge_error) == (trial.rse[name], trial.half_step[name])


def test_methods_without_a_band_draw_none(compounds, found):
    assert {each.sigma for each in worst_compounds(compounds, found, "Ti", "rigid")} == {None}


def test_a_map_of_measured_compounds_among_simulated_sites(compounds, salts, tmp_path):
    pytest.importorskip("sklearn")
    (file,) = draw_maps(["Fe"], compounds, [salts], tmp_path)
    assert file == tmp_path / "map_Fe.png"
    assert file.read_bytes().startswith(PNG)
