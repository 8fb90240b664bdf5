"""cgxas evaluate: a model on a part of a data set, beside its baselines."""

import json
from pathlib import Path

import numpy as np
import pytest

from cgxas.data.folder import read_records
from cgxas.data.split import Split, write_split
from cgxas.model.checkpoint import load_checkpoint

CONFIG = """
name = "tiny"
[model]
hidden = 8
n_modules = 1
n_head_layers = 1
wave_numbers = 0
[training]
epochs = 2
batch_crystals = 3
[split]
train = 0.6
validation = 0.2
"""


@pytest.fixture(scope="module")
def run(salts, tmp_path_factory) -> Path:
    """A run folder."""
    from cgxas.cli import main

    folder = tmp_path_factory.mktemp("run")
    (folder / "tiny.toml").write_text(CONFIG)
    words = ["train", folder / "tiny.toml", "--data", salts, "-o", folder / "run"]
    with pytest.raises(SystemExit) as end:
        main([str(word) for word in words])
    assert end.value.code == 0
    return folder / "run"


@pytest.fixture
def model(run) -> Path:
    return run / "tiny.safetensors"


def rows(out: str) -> dict[str, list[str]]:
    return {line.split()[0]: line.split()[1:] for line in out.splitlines()[1:] if line.strip()}


def test_figures_are_those_of_the_training_run(cgxas, run, model, salts, tmp_path):
    out = tmp_path / "figures.json"
    answer = cgxas("evaluate", model, salts, "--json", out)
    assert answer.code == 0
    assert answer.err == f"wrote {out}\n"
    found = json.loads(out.read_text())
    assert found == json.loads((run / "evaluation.json").read_text())
    mean = found["elements"]["Fe"]["rse"]["mean"]
    assert mean == load_checkpoint(model).elements["Fe"].test_rse
    told = rows(answer.out)
    assert list(told)[-3:] == ["O", "Fe", "all"]
    iron = found["elements"]["Fe"]
    assert told["Fe"] == [
        "6",
        "2",
        *(f"{iron['rse'][name]:.4f}" for name in ("mean", "median", "q90")),
        f"{iron['pcc']['mean']:.4f}",
        f"{iron['half_step_error']['mean']:.4f}",
        f"{iron['rse_mean_spectrum']:.4f}",
        f"{iron['rse_nearest']:.4f}",
    ]


def test_json_holds_quantiles_and_the_worst_answers(cgxas, model, salts, tmp_path):
    out = tmp_path / "figures.json"
    cgxas("evaluate", model, salts, "--part", "all", "--json", out)
    found = json.loads(out.read_text())
    assert set(found) == {"overall", "elements", "worst"}
    rse = found["overall"]["rse"]
    assert set(rse) == {"mean", "q10", "median", "q90", "q99"}
    assert 0 < rse["q10"] < rse["median"] < rse["q90"] < rse["q99"]
    keys = {record.key: record.element for record in read_records([salts]).records}
    assert len(found["worst"]) == 10
    for key, element, _ in found["worst"]:
        assert keys[key] == element
    errors = [error for _, _, error in found["worst"]]
    assert errors == sorted(errors, reverse=True)
    assert errors[0] >= rse["q99"]


def test_other_parts_of_the_data(cgxas, model, salts):
    counts = {}
    for part in ("train", "validation", "test", "all"):
        counts[part] = rows(cgxas("evaluate", model, salts, "--part", part).out)["all"][:2]
    assert counts["train"] == ["12", "12"]
    assert counts["validation"] == counts["test"] == ["12", "4"]
    assert counts["all"] == ["0", "20"]


def test_new_data_have_no_baselines(cgxas, model, write_salts, tmp_path):
    data = write_salts(tmp_path / "new", range(3))
    answer = cgxas("evaluate", model, data, "--part", "all")
    assert answer.code == 0
    for told in rows(answer.out).values():
        assert told[0] == "0"
        assert told[-2:] == ["-", "-"]
        assert "-" not in told[:-2]


def test_parts_of_a_split_of_its_own(cgxas, model, salts, tmp_path):
    own = Split(np.arange(8), np.arange(8, 10), np.arange(10, 20))
    path = tmp_path / "own.json"
    write_split(path, own, read_records([salts]), "material", (0.4, 0.1), 7)
    told = rows(cgxas("evaluate", model, salts, "--split", path).out)
    assert told["all"][:2] == ["8", "10"]
    told = rows(cgxas("evaluate", model, salts, "--split", path, "--part", "validation").out)
    assert told["all"][:2] == ["8", "2"]


def test_what_cannot_be_tested_is_refused(
    refused, model, random_model, salts, write_salts, tmp_path
):
    other = write_salts(tmp_path / "other", range(3))
    path = tmp_path / "own.json"
    parts = Split(np.arange(8), np.arange(8, 10), np.arange(10, 20))
    write_split(path, parts, read_records([salts]), "material", (0.4, 0.1), 7)
    cases = {
        "not the data tiny was trained with (salts); name a split": (model, other),
        "does not tell how its data were split": (random_model, salts),
        "more spectra that the data lack": (model, other, "--split", path),
        "leave out --split": (model, salts, "--split", path, "--part", "all"),
        "is missing; a data set has one": (model, tmp_path),
        "not a file, nor bundled": ("none", salts),
        ".json": (model, salts, "--json", "figures.txt"),
        "none": (model, salts, "--json", "none/figures.json"),
    }
    for says, words in cases.items():
        assert says in refused("evaluate", *words)


def test_data_without_any_known_absorber_are_refused(refused, cgxas, run, salts, tmp_path):
    folder = tmp_path / "spec"
    words = ("train", run.with_name("tiny.toml"), "--data", salts, "-o", folder, "--element", "Fe")
    assert cgxas(*words).code == 0
    records = read_records([salts])
    oxygen = np.array([n for n, r in enumerate(records.records) if r.element == "O"])
    parts = Split(oxygen[:6], oxygen[6:8], oxygen[8:])
    write_split(tmp_path / "oxygen.json", parts, records, "material", (0.6, 0.2), 7)
    words = (folder / "spec_Fe.safetensors", salts, "--split", tmp_path / "oxygen.json")
    assert "there is no spectrum to test" in refused("evaluate", *words)
