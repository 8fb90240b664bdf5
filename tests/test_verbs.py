"""What the command line can do, as Python calls, one after the other."""

from pathlib import Path

import numpy as np
import pytest

import cgxas
from cgxas.errors import ConfigError, OutputError, UnsupportedAbsorber
from cgxas.model.cgxas.config import CGXASConfig
from cgxas.training.settings import TrainingSettings
from cgxas.verbs import finetune_settings

SMALL = cgxas.RunSettings(
    "small",
    CGXASConfig(hidden=8, n_modules=1, n_head_layers=1),
    TrainingSettings(epochs=2, batch_crystals=3),
)

pytestmark = pytest.mark.filterwarnings("ignore::cgxas.errors.FewTrainingSpectraWarning")


@pytest.fixture(scope="module")
def trained(salts, tmp_path_factory):
    return cgxas.train(SMALL, [salts], tmp_path_factory.mktemp("runs") / "small")


def test_training_gives_a_model_its_scores_and_its_folder(trained):
    assert trained.model.name == "small"
    assert trained.evaluation.overall.n > 0
    assert (trained.folder / "small.safetensors").is_file()
    again = cgxas.load_checkpoint(trained.folder / "small.safetensors")
    assert again.sha256 == trained.model.sha256
    card = again.elements["Fe"]
    assert card.test_half_step_error is not None
    assert card.test_rse == trained.evaluation.elements["Fe"].rse.mean


def test_settings_may_be_a_file_and_a_run_is_not_overwritten(trained, salts, tmp_path):
    (tmp_path / "a.toml").write_text(SMALL.to_toml(), encoding="utf-8")
    again = cgxas.train(tmp_path / "a.toml", [salts], tmp_path / "run")
    assert again.model.config == trained.model.config
    for name, tensor in again.model.state.items():
        np.testing.assert_array_equal(tensor.numpy(), trained.model.state[name].numpy())
    with pytest.raises(OutputError, match="holds a run"):
        cgxas.train(SMALL, [salts], tmp_path / "run")


def test_a_run_that_is_only_prepared_gives_nothing_yet(salts, tmp_path):
    assert cgxas.train(SMALL, [salts], tmp_path / "run", prepare_only=True) is None
    assert (tmp_path / "run" / "data").is_dir()


def test_scores_can_be_had_again_by_name_file_or_checkpoint(trained, salts):
    for model in (trained.model, trained.folder / "small.safetensors"):
        found = cgxas.evaluate(model, [salts])
        assert found.overall == trained.evaluation.overall
    everything = cgxas.evaluate(trained.model, [salts], part="all")
    assert everything.overall.n == 20
    with pytest.raises(ConfigError, match="leave out the split"):
        cgxas.evaluate(trained.model, [salts], part="all", split=Path("a.json"))
    with pytest.raises(ConfigError, match="data are folders, in a list"):
        cgxas.evaluate(trained.model, str(salts))


def test_a_model_is_tuned_to_one_absorber(trained, salts, tmp_path):
    found = cgxas.finetune(trained.model, [salts], tmp_path / "ft", "Fe")
    assert (found.model.name, list(found.model.elements)) == ("ft_Fe", ["Fe"])
    usual = finetune_settings(trained.model, "Fe")
    other = usual.changed(["model.hidden=4"])
    with pytest.raises(ConfigError, match="keeps the network and the split of small"):
        cgxas.finetune(trained.model, [salts], tmp_path / "x", "Fe", settings=other)
    with pytest.raises(UnsupportedAbsorber, match="no answer for Ti"):
        cgxas.finetune(trained.model, [salts], tmp_path / "x", "Ti")


def test_a_calibrated_model_is_scored_with_its_band(random_model, measured_folder, tmp_path):
    found = cgxas.calibrate(random_model, [measured_folder], tmp_path / "mine", repeats=1)
    assert found.model.name == "mine"
    assert {trial.method for trial in found.trials} == {"uncalibrated", "gaussian", "rigid"}
    assert all(file.is_file() for file in found.files)
    with pytest.raises(ConfigError, match="does not tell how its data were split"):
        cgxas.evaluate(found.model, [measured_folder])
    scores = cgxas.evaluate(found.model, [measured_folder], part="all").overall
    assert scores.rse.mean < 0.05
    assert 0 <= scores.within_1 <= scores.within_2 <= 1
    assert np.isfinite(scores.nll)
    plain = cgxas.evaluate(random_model, [measured_folder], part="all").overall
    assert (plain.within_1, plain.nll) == (None, None)
    assert plain.rse.mean > scores.rse.mean


def test_a_spectrum_draws_and_saves_itself(spectrum, tmp_path):
    ax = spectrum.plot()
    assert len(ax.lines) >= 1
    assert spectrum.plot(ax) is ax
    spectrum.save(tmp_path / "a.csv")
    np.testing.assert_allclose(
        cgxas.read_spectrum(tmp_path / "a.csv", "Fe").norm, spectrum.norm, atol=1e-9
    )
