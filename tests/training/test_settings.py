"""What a run is told: read from files and words, written, and good for a run that loads again."""

from dataclasses import fields, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_type_hints

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter
from pymatgen.core import Lattice, Structure

from cgxas.crystals.spec import GraphSpec
from cgxas.data.split import SplitSettings
from cgxas.errors import ConfigError
from cgxas.model.cgxas import config as models
from cgxas.model.cgxas.config import CGXASConfig
from cgxas.model.checkpoint import load_checkpoint
from cgxas.predict import Predictor
from cgxas.settings import Settings
from cgxas.training.processes import ALONE
from cgxas.training.run import Run, carry_out, read_data
from cgxas.training.settings import (
    FINETUNE,
    PAPER,
    REFERENCE,
    RunSettings,
    TrainingSettings,
)

CONFIGS = Path(__file__).parents[2] / "configs"


def values_of(hint: object) -> st.SearchStrategy[Any]:
    """Any value the type of a field allows, read off its JSON schema as pydantic tells it."""
    schema = TypeAdapter(hint).json_schema()
    least = schema.get("minimum", schema.get("exclusiveMinimum"))
    most = schema.get("maximum", schema.get("exclusiveMaximum"))
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if schema["type"] == "number":
        ends = ["exclusiveMinimum" in schema, "exclusiveMaximum" in schema]
        return st.floats(least, most, exclude_min=ends[0], exclude_max=ends[1])
    return {"integer": st.integers(least, most), "boolean": st.booleans()}[schema["type"]]


def any_of(kind: type[Settings], **chosen: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Any valid settings of a kind; some of the fields as chosen."""
    hints = get_type_hints(kind, include_extras=True)
    names = [field.name for field in fields(kind)]
    return st.builds(kind, **{n: chosen[n] if n in chosen else values_of(hints[n]) for n in names})


NAMES = st.text("aB9-_.é\"'\\\x7f 😀=[#", min_size=1, max_size=20)
ANY_RUN = st.builds(
    RunSettings,
    name=NAMES.filter(lambda name: name.isprintable() and name[0] not in ". " and name[-1] != " "),
    model=any_of(
        CGXASConfig,
        graph=any_of(GraphSpec, per_orbit=st.just(False), neighbours=st.integers(1, 256)),
        axis=st.just("window"),
        fidelities=st.lists(NAMES.filter(str.isprintable), max_size=4, unique=True).map(tuple),
    ),
    training=any_of(TrainingSettings),
    split=any_of(SplitSettings, train=st.floats(1e-9, 0.5), validation=st.floats(1e-9, 0.4)),
)


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


@given(ANY_RUN)
def test_all_settings_come_back_from_their_file(run):
    with TemporaryDirectory() as folder:
        path = Path(folder, "config.toml")
        path.write_text(run.to_toml(), encoding="utf-8")
        assert RunSettings.from_toml(path) == run


@given(any_of(GraphSpec, per_orbit=st.just(False)))
def test_all_graphs_come_back_from_plain_values(spec):
    assert GraphSpec.from_dict(spec.to_dict()) == spec


@pytest.fixture
def usual(tmp_path) -> Path:
    """A file with a name, and a table."""
    path = tmp_path / "usual.toml"
    path.write_text("name = 'a'\n[training]\nepochs = 9")
    return path


@pytest.mark.parametrize(
    ("words", "key", "value"),
    [
        (["training.epochs=5"], "training.epochs", 5),
        (["training.epochs=5", "training.epochs=6"], "training.epochs", 6),
        (["training.epochs = 5 "], "training.epochs", 5),
        (["training.learning_rate=1e-4"], "training.learning_rate", 1e-4),
        (["training.learning_rate=1"], "training.learning_rate", 1.0),
        (["training.compile=true"], "training.compile", True),
        (["split.by=spectrum"], "split.by", "spectrum"),
        (['split.by="spectrum"'], "split.by", "spectrum"),
        (["split={train=0.5}"], "split.train", 0.5),
        (['model.fidelities=["FEFF9", "VASP"]'], "model.fidelities", ("FEFF9", "VASP")),
        (["name=mine"], "name", "mine"),
        (["name='2026'"], "name", "2026"),
        (["name=a=b"], "name", "a=b"),
    ],
)
def test_words_change_what_a_file_says(usual, words, key, value):
    found = RunSettings.from_toml(usual, words)
    assert RunSettings.from_toml(usual).changed(words) == found
    for name in key.split("."):
        found = getattr(found, name)
    assert (found, type(found)) == (value, type(value))


def test_words_leave_the_rest_as_it_is(usual):
    assert RunSettings.from_toml(usual, ["training.seed=3"]) == RunSettings(
        "a", training=TrainingSettings(epochs=9, seed=3)
    )


def test_a_word_may_give_what_the_file_lacks(tmp_path):
    (tmp_path / "empty.toml").touch()
    assert RunSettings.from_toml(tmp_path / "empty.toml", ["name=a"]) == RunSettings("a")


words = st.text("[]{}=.\"'#\nae1-_ ") | st.text()


@given(st.sampled_from(["name", "training.epochs", "model.fidelities", "split", "x"]), words)
@example("name", "[" * 100_000)
@example("training.epochs", "9" * 5000)
@example("training.epochs", "0x" + "f" * 5000)
@example("name", "1\n[model]\nhidden=8")
def test_junk_words_are_refused_in_a_sentence_or_taken_as_they_are(key, value):
    try:
        found = RunSettings("a").changed([f"{key}={value}"])
    except ConfigError as error:
        assert "\n" not in str(error)
        assert "pydantic" not in str(error)
    else:
        assert key == "name" or found == replace(found, name="a")
        assert found.model.hidden == CGXASConfig().hidden


SMALL = {
    "hidden": st.integers(4, 16),
    "n_modules": st.integers(1, 2),
    "n_head_layers": st.integers(1, 2),
    "n_outputs": st.integers(2, 130),
    "n_gaussians": st.integers(1, 16),
    "wave_numbers": st.integers(0, 2),
}
TRAINED = st.builds(
    RunSettings,
    name=st.just("random"),
    model=any_of(
        CGXASConfig,
        **SMALL,
        axis=st.just("window"),  # the other one has points of its own (tests/test_edge_axis.py)
        graph=any_of(
            GraphSpec,
            neighbours=st.integers(1, 16),
            cutoff=st.floats(3, 8),
            per_orbit=st.just(False),
        ),
        fidelities=st.sampled_from([(), ("made",), ("VASP", "made", "é 😀")]),
    ),
    training=any_of(TrainingSettings, epochs=st.just(1), compile=st.just(False)),
    split=any_of(
        SplitSettings,
        by=st.sampled_from(["material", "spectrum"]),
        train=st.floats(0.35, 0.45),
        validation=st.floats(0.2, 0.3),
    ),
)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(TRAINED)
@example(
    RunSettings(
        "random",
        CGXASConfig(hidden=4, n_outputs=128),
        TrainingSettings(epochs=1),
        SplitSettings("spectrum", 0.4, 0.25),
    )
)
@pytest.mark.filterwarnings("ignore::cgxas.errors.FewTrainingSpectraWarning")
@pytest.mark.filterwarnings("ignore::cgxas.errors.FarFromTrainingWarning")
def test_whatever_is_trained_loads_again_and_answers(oxides, run):
    data = read_data([oxides], run.model, ALONE)
    with TemporaryDirectory() as folder:
        carry_out(Run(run, data, data.divide(run.split), Path(folder, "run"), "told"))
        predictor = Predictor(load_checkpoint(Path(folder, "run", "random.safetensors")))
    assert predictor.checkpoint.config == run.model
    absorber = predictor.absorbers[-1]
    elements = ["Fe" if absorber == "O" else absorber, "O"]
    places = [[0, 0, 0], [0.5, 0.5, 0.5]]
    crystal = Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.3), elements, places)
    spectrum = predictor.predict(crystal, absorber)
    assert spectrum.norm.shape == (run.model.n_outputs,)
    assert np.isfinite(spectrum.norm).all()
