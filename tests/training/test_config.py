import pytest

from cgxas.errors import ConfigError
from cgxas.training.config import PAPER, REFERENCE, TrainingConfig


def test_presets_are_the_published_settings():
    paper = (PAPER.optimiser, PAPER.learning_rate, PAPER.epochs, PAPER.schedule)
    assert paper == ("adam", 1e-4, 100, "constant")
    reference = (REFERENCE.optimiser, REFERENCE.learning_rate, REFERENCE.schedule)
    assert reference == ("adamw", 1e-3, "step")
    assert REFERENCE.batch_crystals == 128


def test_plain_values_and_back():
    config = TrainingConfig(epochs=3, balance=0.5)
    assert TrainingConfig.from_dict(config.to_dict()) == config


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
        ({"momentum": 0.9}, "has no 'momentum'"),
    ],
)
def test_impossible_values_are_refused(values, message):
    with pytest.raises(ConfigError, match=message):
        TrainingConfig.from_dict(values)
