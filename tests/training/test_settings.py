from pathlib import Path

import pytest

from cgxas.errors import ConfigError
from cgxas.model.cgxas import config as models
from cgxas.model.cgxas.config import CGXASConfig
from cgxas.training.settings import (
    FINETUNE,
    PAPER,
    REFERENCE,
    RunSettings,
    SplitSettings,
    TrainingSettings,
)

CONFIGS = Path(__file__).parents[2] / "configs"


def test_presets_are_the_published_settings():
    paper = (PAPER.optimiser, PAPER.learning_rate, PAPER.epochs, PAPER.schedule)
    assert paper == ("adam", 1e-4, 100, "constant")
    reference = (REFERENCE.optimiser, REFERENCE.learning_rate, REFERENCE.schedule)
    assert reference == ("adamw", 1e-3, "step")
    assert REFERENCE.batch_crystals == 128


def test_plain_values_and_back():
    config = TrainingSettings(epochs=3, balance=0.5)
    assert TrainingSettings.from_dict(config.to_dict()) == config


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"epochs": 0}, "epochs = 0"),
        ({"epochs": 1.5}, r"epochs = 1\.5"),
        ({"batch_crystals": 0}, "batch_crystals = 0"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"learning_rate": float("nan")}, "learning_rate"),
        ({"clip_norm": -1.0}, "clip_norm"),
        ({"uncertain_weight": -0.5}, "uncertain_weight"),
        ({"balance": -1.0}, "balance"),
        ({"optimiser": "sgd"}, "must be adam or adamw"),
        ({"schedule": "linear"}, "must be constant, step or cosine"),
        ({"momentum": 0.9}, r"no key 'momentum' in \[training\]; there are epochs"),
    ],
)
def test_impossible_values_are_refused(values, message):
    with pytest.raises(ConfigError, match=message):
        TrainingSettings.from_dict(values)


def test_only_known_ways_to_split():
    assert SplitSettings("material", 0.5, 0.25).fractions == (0.5, 0.25)
    with pytest.raises(
        ConfigError, match=r"split\.by = 'colour'; it must be formula, material or spec"
    ):
        SplitSettings("colour")  # type: ignore[arg-type]


@pytest.mark.parametrize("training", [TrainingSettings(), PAPER, REFERENCE, FINETUNE])
@pytest.mark.parametrize(
    "model",
    [models.PAPER, models.REFERENCE, CGXASConfig(fidelities=("FEFF9", 'V"ASP', "Größe 😀"))],
)
def test_configuration_comes_back_from_its_file(training, model, tmp_path):
    config = RunSettings('Größe "1" 😀\\', model, training, SplitSettings("spectrum", 0.7, 0.1, 3))
    (tmp_path / "config.toml").write_text(config.to_toml(), encoding="utf-8")
    assert RunSettings.from_toml(tmp_path / "config.toml") == config


def test_what_a_file_leaves_out_is_as_usual(tmp_path):
    (tmp_path / "config.toml").write_text('name = "a"')
    found = RunSettings.from_toml(tmp_path / "config.toml")
    assert found == RunSettings("a", CGXASConfig(), TrainingSettings(), SplitSettings())


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.toml")), ids=lambda path: path.name)
def test_configurations_of_the_repository_are_valid(path):
    assert RunSettings.from_toml(path).name


@pytest.mark.parametrize("name", ["", "a/b", "../a", "/a"])
def test_names_that_are_no_file_names_are_refused(name, tmp_path):
    (tmp_path / "config.toml").write_text(f'name = "{name}"')
    with pytest.raises(ConfigError, match="it must be a name for a file"):
        RunSettings.from_toml(tmp_path / "config.toml")
