"""A calibration goes on where it was stopped, and never mixes with another one."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cgxas.calibration.calibrators import (
    CALIBRATORS,
    PROGRAM,
    PROGRAM_RIGID,
    UNCALIBRATED,
    PlainCalibrator,
)
from cgxas.calibration.measured import Compounds, read_compounds
from cgxas.calibration.repeats import draw_repeats
from cgxas.calibration.run import (
    ABOUT,
    TRIALS,
    CalibrationSettings,
    prepare,
    read_about,
    told,
    trials,
)
from cgxas.calibration.trials import FIGURES, Trial, read_trials
from cgxas.errors import ConfigError, DatasetError, OutputError
from cgxas.model.calibration.curves import CurvesCalibration
from cgxas.model.checkpoint import load_checkpoint
from cgxas.model.model import Model

CONFIG = CalibrationSettings("run", ("Fe", "Ti"), ("gaussian", "rigid"), repeats=2)


class Stop(Exception):
    """What ends a run in the middle."""


@pytest.fixture(scope="module")
def compounds(measured_folder, random_model) -> Compounds:
    return read_compounds([measured_folder], load_checkpoint(random_model))


@pytest.fixture(scope="module")
def whole_file(compounds, tmp_path_factory) -> Path:
    """The trials of a run that nothing stopped."""
    folder = tmp_path_factory.mktemp("whole")
    trials(CONFIG, compounds, folder)
    return folder / TRIALS


@pytest.fixture(scope="module")
def whole(whole_file) -> list[Trial]:
    return read_trials(whole_file)


@pytest.fixture(autouse=True)
def _folders(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()


def test_every_method_is_tried_on_every_repeat(compounds, whole):
    found = [(trial.element, trial.repeat, trial.method) for trial in whole]
    methods = (UNCALIBRATED, "gaussian", "rigid")
    assert found == [(e, n, m) for e in ("Fe", "Ti") for n in range(2) for m in methods]
    for trial in whole:
        repeats = list(draw_repeats(compounds, trial.element, count=2))
        assert trial.parts["test"] == compounds.name[repeats[trial.repeat].test].tolist()


def test_an_interrupted_run_ends_as_if_nothing_had_happened(compounds, whole, tmp_path):
    def stop(done: int, total: int) -> None:
        assert total == len(whole)
        if done == 5:
            raise Stop

    with pytest.raises(Stop):
        trials(CONFIG, compounds, tmp_path, on_trial=stop)
    assert read_trials(tmp_path / TRIALS) == whole[:5]
    told: list[int] = []
    found = trials(CONFIG, compounds, tmp_path, on_trial=lambda done, _: told.append(done))
    assert found == whole
    assert read_trials(tmp_path / TRIALS) == whole
    assert told == list(range(5, len(whole) + 1))


def test_a_line_cut_short_is_done_again(compounds, whole, whole_file, tmp_path):
    content = whole_file.read_bytes()
    (tmp_path / TRIALS).write_bytes(content[:-1000])
    told: list[int] = []
    found = trials(CONFIG, compounds, tmp_path, on_trial=lambda done, _: told.append(done))
    assert (found, told) == (whole, [len(whole) - 1, len(whole)])
    assert (tmp_path / TRIALS).read_bytes() == content


def test_a_finished_run_calls_no_method(compounds, whole, whole_file, tmp_path, monkeypatch):
    (tmp_path / TRIALS).write_bytes(whole_file.read_bytes())
    monkeypatch.setattr(PlainCalibrator, "fit", None)
    assert trials(CONFIG, compounds, tmp_path) == whole
    assert (tmp_path / TRIALS).read_bytes() == whole_file.read_bytes()


def test_the_uncalibrated_is_tried_once_even_if_it_is_asked_for(compounds, tmp_path):
    methods = ("rigid", UNCALIBRATED)
    config = replace(CONFIG, methods=methods, elements=("Ti",), repeats=1)
    told: list[tuple[int, int]] = []
    found = trials(config, compounds, tmp_path, on_trial=lambda *counts: told.append(counts))
    assert [trial.method for trial in found] == [UNCALIBRATED, "rigid"]
    assert told == [(0, 2), (1, 2), (2, 2)]


def test_bands_are_scored_where_there_are_any(whole):
    for trial in whole:
        known = set(trial.rse) if trial.method == "gaussian" else set()
        assert all(set(getattr(trial, figure)) == known for figure in FIGURES[2:])
        for one, two, nll in (FIGURES[2:5], FIGURES[5:]):
            one, two, nll = (getattr(trial, name) for name in (one, two, nll))  # noqa: PLW2901
            assert all(0 <= one[n] <= two[n] <= 1 for n in known)
            assert np.isfinite(list(nll.values())).all()


def test_a_program_is_tried_where_all_parts_have_curves(compounds, tmp_path):
    config = replace(CONFIG, methods=("gaussian",), elements=("Fe",), repeats=1)
    repeat = next(draw_repeats(compounds, "Fe"))
    energy = np.arange(7100.0, 7180.0, 0.5)
    mu = 0.5 + np.arctan((energy - 7130) / 2) / np.pi

    def program(numbers) -> CurvesCalibration:
        return CurvesCalibration({"Fe": dict.fromkeys(compounds.name[numbers], (energy, mu))})

    known = [*repeat.train.tolist()[:3], *repeat.validation.tolist(), *repeat.test.tolist()]
    found = trials(config, compounds, tmp_path / "a", program(known))
    by_name = {trial.method: trial for trial in found}
    assert list(by_name) == [UNCALIBRATED, "gaussian", PROGRAM, PROGRAM_RIGID]
    plain, rigid = by_name[PROGRAM], by_name[PROGRAM_RIGID]
    assert plain.parts["train"] == rigid.parts["train"] == compounds.name[known[:3]].tolist()
    expected = np.interp(compounds.grids["Fe"].energies, energy, mu)
    for curve in plain.curves.values():
        np.testing.assert_allclose(curve, expected, atol=0.01)
    assert rigid.mean("rse", "train") < plain.mean("rse", "train")
    found = trials(config, compounds, tmp_path / "b", program(repeat.train.tolist()))
    assert [trial.method for trial in found] == [UNCALIBRATED, "gaussian"]


def test_a_run_tells_what_it_is_of(compounds, tmp_path, random_model):
    prepare(CONFIG, compounds, tmp_path / "new" / "run", "cgxas calibrate ...")
    about = read_about(tmp_path / "new" / "run")
    assert about["command"] == "cgxas calibrate ..."
    assert about["elements"] == ["Fe", "Ti"]
    assert about["data"] == ["measured"]
    assert about["model"] == {"name": "random", "sha256": load_checkpoint(random_model).sha256}
    assert {**told(CONFIG, compounds), "command": about["command"]} == about


def test_the_same_calibration_may_go_on(compounds, tmp_path):
    prepare(CONFIG, compounds, tmp_path / "a", "first")
    before = (tmp_path / "a" / ABOUT).read_bytes()
    prepare(CONFIG, compounds, tmp_path / "a", "second")
    assert (tmp_path / "a" / ABOUT).read_bytes() == before


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"methods": ("gaussian",)}, "methods"),
        ({"elements": ("Ti",)}, "elements"),
        ({"repeats": 3}, "repeats"),
        ({"seed": 65}, "seed"),
        ({"split_by": "spectrum"}, "split_by"),
        ({"name": "another"}, "name"),
    ],
)
def test_another_calibration_in_the_folder_is_refused(compounds, tmp_path, change, name):
    prepare(CONFIG, compounds, tmp_path / "a", "first")
    before = (tmp_path / "a" / ABOUT).read_bytes()
    with pytest.raises(ConfigError, match=f"another calibration: its {name} is .*another folder"):
        prepare(replace(CONFIG, **change), compounds, tmp_path / "a", "second")
    assert (tmp_path / "a" / ABOUT).read_bytes() == before


def test_other_data_and_models_are_refused(compounds, tmp_path):
    prepare(CONFIG, compounds, tmp_path / "a", "first")
    data = replace(compounds.data, sha256="0" * 64)
    with pytest.raises(ConfigError, match="its data_sha256 is"):
        prepare(CONFIG, replace(compounds, data=data), tmp_path / "a", "second")
    own = compounds.model.checkpoint
    state = {name: tensor.clone() for name, tensor in own.state.items()}
    next(t for t in state.values() if t.is_floating_point()).view(-1)[0] += 1
    longer = replace(own.config, graph=replace(own.config.graph, cutoff=7.0))
    for other in (replace(own, state=state), replace(own, config=longer)):
        with pytest.raises(ConfigError, match="its model is"):
            prepare(CONFIG, replace(compounds, model=Model(other)), tmp_path / "a", "second")


def test_an_element_with_too_few_compounds_leaves_no_folder(compounds, tmp_path):
    few = replace(compounds, group=np.full(len(compounds), "FeO"))
    with pytest.raises(DatasetError, match="spectra of 1 compounds"):
        prepare(CONFIG, few, tmp_path / "new", "command")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("content", ["", "{", "7", '"text"'])
def test_a_damaged_folder_is_refused(compounds, tmp_path, content):
    (tmp_path / "a" / ABOUT).write_text(content)
    with pytest.raises(ConfigError, match=f"{ABOUT} is (not a readable calibration|empty)"):
        prepare(CONFIG, compounds, tmp_path / "a", "command")


def test_a_file_is_no_folder(compounds, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError, match="not a folder"):
        prepare(CONFIG, compounds, tmp_path / "file", "command")
    assert (tmp_path / "file").read_text() == "mine"


def test_configurations_that_make_no_sense():
    with pytest.raises(ConfigError, match="no method 'magic'"):
        CalibrationSettings("a", ("Fe",), ("gaussian", "magic"))
    for name in CALIBRATORS:  # any of them may make the model
        assert CalibrationSettings("a", ("Fe",), (name, "gaussian")).methods[0] == name
    with pytest.raises(
        ConfigError, match=r"calibration\.repeats = 0; it must be a whole number from 1 to 10000"
    ):
        CalibrationSettings("a", ("Fe",), repeats=0)


def test_the_default_is_compared_with_the_dull_baseline():
    config = CalibrationSettings("a", ("Fe",))
    assert (config.methods, config.repeats, config.split_by) == (
        ("gaussian", "rigid"),
        20,
        "formula",
    )
    assert json.loads(json.dumps(config.methods)) == ["gaussian", "rigid"]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"elements": "Fe"}, "calibration.elements = 'Fe'; it must be a list of names, at least"),
        ({"elements": ()}, "calibration.elements = []; it must be a list of names, at least one"),
        ({"methods": ()}, "calibration.methods = []; it must be a list of names, at least one"),
        ({"split_by": "colour"}, "calibration.split_by = 'colour'; it must be formula, spectrum"),
        ({"repeats": True}, "calibration.repeats = true; it must be a whole number"),
        ({"seed": -1}, "calibration.seed = -1; it must be a whole number from 0"),
        ({"name": "a/b"}, "calibration.name = 'a/b'; it must be a name for a file"),
    ],
)
def test_values_that_are_not_allowed(values, sentence):
    with pytest.raises(ConfigError) as refused:
        replace(CONFIG, **values)
    assert sentence in str(refused.value)
