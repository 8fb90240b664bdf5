import csv
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
import torch

from cgxas.cli import main
from cgxas.errors import ConfigError
from cgxas.model.checkpoint import load_checkpoint
from cgxas.training.run import RunConfig, SplitConfig, retest, train

CONFIG = """
name = "tiny"
[model]
hidden = 8
n_modules = 1
n_head_layers = 1
wave_numbers = 0
[training]
epochs = 2
batch_crystals = 4
[split]
train = 0.6
validation = 0.2
"""


@pytest.fixture
def data(tmp_path) -> Path:
    """Ten rock salts of iron, each with an iron spectrum whose edge follows its size."""
    folder = tmp_path / "salts"
    folder.mkdir()
    places = [[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
    places += [[0.5 + x, y, z] for x, y, z in places]
    energy = np.linspace(7110.0, 7170.0, 80)
    materials = [
        {
            "material_id": f"m{n}",
            "formula": f"X{n}",
            "lattice": [[4 + 0.1 * n, 0, 0], [0, 4 + 0.1 * n, 0], [0, 0, 4 + 0.1 * n]],
            "species": ["Fe"] * 4 + ["O"] * 4,
            "frac_coords": places,
        }
        for n in range(10)
    ]
    spectra = [
        {
            "spectrum_id": f"s{n}",
            "material_id": f"m{n}",
            "element": "Fe",
            "site_index": 2,
            "site_certain": True,
            "energy": energy.tolist(),
            "mu": (0.5 + np.arctan(energy - 7125 - 0.4 * n) / np.pi).tolist(),
            "theory": "made up",
        }
        for n in range(10)
    ]
    for name, rows in (("materials", materials), ("spectra", spectra)):
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), folder / f"{name}.parquet")
    return folder


@pytest.fixture
def config(tmp_path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(CONFIG)
    return path


def test_a_run_ends_in_a_model_that_tells_where_it_comes_from(data, config, tmp_path):
    checkpoint, evaluation = train(RunConfig.from_toml(config), [data], tmp_path / "run", "told")
    loaded = load_checkpoint(tmp_path / "run" / "tiny.safetensors")
    card = loaded.elements["Fe"]
    assert (card.n_train, card.n_test) == (6, 2)
    assert card.test_rse == evaluation.elements["Fe"].rse
    assert set(loaded.elements) == {"Fe"}
    assert loaded.provenance["command"] == "told"
    assert loaded.provenance["spectra"] == {"train": 6, "validation": 2, "test": 2}
    assert loaded.provenance["metrics"] == asdict(evaluation.overall)
    assert len(loaded.provenance["data_sha256"]) == 64
    written = json.loads((tmp_path / "run" / "evaluation.json").read_text())
    assert written["overall"]["rse"] == evaluation.overall.rse
    for name, tensor in loaded.state.items():
        assert torch.equal(tensor, checkpoint.state[name])


def test_retest_repeats_the_figures_and_refuses_other_data(data, config, tmp_path):
    checkpoint, evaluation = train(RunConfig.from_toml(config), [data], tmp_path / "run", "told")
    again = retest(checkpoint, [data])
    assert again.overall.rse == pytest.approx(evaluation.overall.rse, rel=1e-6)
    assert retest(checkpoint, [data], "train").overall.n == 6
    rows = pyarrow.parquet.read_table(data / "spectra.parquet").to_pylist()[:-1]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), data / "spectra.parquet")
    with pytest.raises(ConfigError, match="not the data tiny was trained with"):
        retest(checkpoint, [data])


def test_the_commands_train_and_evaluate(data, config, tmp_path, capsys):
    run, out = tmp_path / "run", tmp_path / "figures.json"
    with pytest.raises(SystemExit) as stop:
        main(["train", str(config), "--data", str(data), "-o", str(run)])
    told = capsys.readouterr()
    assert stop.value.code == 0
    assert "epoch 2: training loss" in told.err
    assert told.out.split()[:3] == ["Absorber", "Train", "Tested"]
    model = str(run / "tiny.safetensors")
    with pytest.raises(SystemExit) as stop:
        main(["evaluate", model, "--data", str(data), "--json", str(out)])
    assert stop.value.code == 0
    assert capsys.readouterr().out == told.out
    assert json.loads(out.read_text())["overall"]["n"] == 2
    with (run / "state" / "log.csv").open() as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["1", "2"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name = [", "not a readable TOML"),
        ("[model]\nhidden = 8", "name"),
        ("name = 'x'\ncolour = 3", "'colour'"),
        ("name = 'x'\n[model]\nwidth = 3", "model configuration has no 'width'"),
        ("name = 'x'\n[training]\nepochs = 0", "epochs = 0"),
        ("name = 'x'\n[split]\nby = 'colour'", "by formula or by spectrum"),
        ("name = 'x'\n[split]\nsize = 1", "split configuration has no 'size'"),
    ],
)
def test_bad_configurations_are_refused_in_one_line(text, says, data, tmp_path, capsys):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(SystemExit) as stop:
        main(["train", str(path), "--data", str(data), "-o", str(tmp_path / "run")])
    told = capsys.readouterr().err
    assert stop.value.code == 2
    assert says in told
    assert told.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_split_by_spectrum_is_the_authors_own():
    split = SplitConfig("spectrum", 0.6, 0.2).divide([None] * 10)  # type: ignore[list-item]
    assert split.train.tolist() == [2, 0, 5, 3, 9, 1]
