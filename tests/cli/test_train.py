"""cgxas train and cgxas finetune: what they write, what they refuse, and how they survive."""

import csv
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cgxas.data.folder import read_records
from cgxas.data.split import Split, write_split
from cgxas.model.checkpoint import load_checkpoint
from cgxas.spectra.xray import WINDOWS
from cgxas.training.folder import open_run
from cgxas.training.settings import FINETUNE, RunSettings

CONFIG = """
name = "tiny"
[model]
hidden = 8
n_modules = 1
n_head_layers = 1
wave_numbers = 0
dropout = 0.1
[training]
epochs = {epochs}
batch_crystals = 2
[split]
train = 0.6
validation = 0.2
"""
EPOCHS = 40


@pytest.fixture(scope="module")
def config(tmp_path_factory) -> Callable[..., Path]:
    """Writes a configuration."""
    folder = tmp_path_factory.mktemp("configs")

    def write(epochs: int = 2, more: str = "") -> Path:
        path = folder / f"{epochs}.toml"
        path.write_text(CONFIG.format(epochs=epochs) + more)
        return path

    return write


@pytest.fixture
def refused_run(cgxas, tmp_path, monkeypatch) -> Callable[..., str]:
    """Run ``cgxas`` in a folder; return the one line it refuses with once it has read the data."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    def run(*words: object) -> str:
        answer = cgxas(*words)
        assert (answer.code, answer.out) == (2, ""), answer
        lines = [line for line in answer.err.splitlines() if not told_of_data(line)]
        assert len(lines) == 1, answer.err
        assert lines[0].startswith("cgxas: ")
        assert not list((tmp_path / "here").rglob("*"))
        return lines[0]

    return run


def told_of_data(line: str) -> bool:
    """Whether it is the line that tells the size of the data."""
    return "bytes per spectrum" in line


@pytest.fixture
def trained(cgxas, config, salts, tmp_path) -> Path:
    """The folder of a short run."""
    answer = cgxas("train", config(), "--data", salts, "-o", tmp_path / "run")
    assert answer.code == 0, answer.err
    return tmp_path / "run"


def epochs_of(run: Path) -> list[int]:
    with (run / "log.csv").open(newline="") as file:
        return [int(row["epoch"]) for row in csv.DictReader(file)]


def test_train_tells_of_each_epoch_and_shows_the_scores(
    cgxas, config, salts, tmp_path, monkeypatch
):
    monkeypatch.setattr("sys.argv", ["/somewhere/cgxas", "train", "my run.toml"])
    run = tmp_path / "runs" / "one"
    answer = cgxas("train", config(), "--data", salts, "-o", run)
    assert answer.code == 0
    said = answer.err.splitlines()
    assert "epoch 1: training loss 0." in answer.err
    assert sum(line.startswith("epoch ") for line in said) == 2
    assert said[-1] == f"wrote {run / 'tiny.safetensors'}"
    rows = [line.split() for line in answer.out.splitlines()]
    assert rows[0][:3] == ["Absorber", "Train", "Tested"]
    assert [row[0] for row in rows[-3:]] == ["O", "Fe", "all"]
    assert rows[-1][1:3] == ["12", "4"]
    told = load_checkpoint(run / "tiny.safetensors").provenance
    assert told["command"] == "cgxas train 'my run.toml'"
    assert epochs_of(run) == [1, 2]


def test_train_one_element(cgxas, config, salts, tmp_path):
    answer = cgxas("train", config(), "--data", salts, "-o", tmp_path, "--element", "Fe")
    assert answer.code == 0
    assert "\nO " not in answer.out
    assert set(load_checkpoint(tmp_path / "spec_Fe.safetensors").elements) == {"Fe"}
    assert open_run(tmp_path).kind == "element"


def test_words_change_what_the_file_says(cgxas, config, salts, tmp_path, monkeypatch):
    run = tmp_path / "run"
    words = ["training.epochs=1", "model.hidden=4", "name=mine", "split.by=material"]
    order = ["train", str(config()), *words, "--data", str(salts), "-o", str(run)]
    monkeypatch.setattr("sys.argv", ["cgxas", *order])
    assert cgxas(*order).code == 0
    assert epochs_of(run) == [1]
    model = load_checkpoint(run / "mine.safetensors")
    assert model.config.hidden == 4
    assert "training.epochs=1 model.hidden=4 name=mine" in model.provenance["command"]
    written = RunSettings.from_toml(run / "config.toml")
    assert written == RunSettings.from_toml(config()).changed(words)
    assert (written.name, written.split.by, written.training.batch_crystals) == (
        "mine",
        "material",
        2,
    )
    assert "other settings" in cgxas(*order, "--resume", "model.graph.cell=as_given").err


def test_a_model_of_one_element_is_named_after_it_unless_a_word_names_it(
    cgxas, config, salts, tmp_path
):
    order = ("train", config(1), "--data", salts, "--element", "Fe", "-o")
    assert cgxas(*order, tmp_path / "a").code == 0
    assert cgxas(*order, tmp_path / "b", "name=mine").code == 0
    assert [open_run(tmp_path / run).name for run in "ab"] == ["spec_Fe", "mine"]


def test_a_model_may_answer_on_as_many_energies_as_wanted(cgxas, config, salts, tmp_path):
    order = ("train", config(1), "--data", salts, "-o", tmp_path / "run", "model.n_outputs=128")
    assert cgxas(*order).code == 0
    model = load_checkpoint(tmp_path / "run" / "tiny.safetensors")
    grid = model.elements["Fe"].grid
    assert grid == replace(WINDOWS["Fe", "K"], n_points=128)
    assert cgxas("evaluate", tmp_path / "run" / "tiny.safetensors", salts).code == 0


def test_train_with_a_split_of_its_own(cgxas, config, salts, tmp_path):
    records = read_records([salts])
    own = Split(np.arange(8), np.arange(8, 16), np.arange(16, 20))
    write_split(tmp_path / "own.json", own, records, "material", (0.4, 0.4), 7)
    run = tmp_path / "run"
    words = ("train", config(), "--data", salts, "-o", run, "--split", tmp_path / "own.json")
    assert cgxas(*words).code == 0
    told = load_checkpoint(run / "tiny.safetensors").provenance
    assert told["spectra"] == {"train": 8, "validation": 8, "test": 4}
    assert told["split_sha256"] == own.sha256
    assert told["configuration"]["split"] == {
        "by": "material",
        "train": 0.4,
        "validation": 0.4,
        "seed": 7,
    }


def test_finetune_a_model_to_one_element(cgxas, trained, salts, tmp_path):
    parent = trained / "tiny.safetensors"
    run = tmp_path / "tuned"
    settings = tmp_path / "tuning.toml"
    settings.write_text("name = 'any'\n[training]\nepochs = 2\nlearning_rate = 1e-2")
    words = ("finetune", parent, "--data", salts, "-o", run, "--element", "Fe")
    answer = cgxas(*words, "--config", settings)
    assert answer.code == 0, answer.err
    one, other = load_checkpoint(parent), load_checkpoint(run / "ft_Fe.safetensors")
    assert other.provenance["parent"] == {"name": "tiny", "tensors_sha256": one.sha256}
    assert other.provenance["split_sha256"] == one.provenance["split_sha256"]
    assert other.provenance["configuration"]["training"]["epochs"] == 2
    for name, tensor in one.state.items():
        assert name.startswith("head_layers") or torch.equal(tensor, other.state[name])
    assert open_run(run).kind == "finetune"
    assert "holds a run" in cgxas(*words, "--config", settings).err


def test_words_change_how_a_model_is_tuned(cgxas, trained, salts, tmp_path):
    parent, run = trained / "tiny.safetensors", tmp_path / "tuned"
    order = ("finetune", parent, "--data", salts, "-o", run, "--element", "Fe")
    line = cgxas(*order, "model.hidden=4").err
    assert "keeps the network and the split of tiny" in line
    assert not run.exists()
    assert cgxas(*order, "training.epochs=1", "name=mine").code == 0
    assert load_checkpoint(run / "mine.safetensors").provenance["configuration"]["training"] == {
        **FINETUNE.to_dict(),
        "epochs": 1,
    }


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["model.fidelities=['VASP6']"], "hold FEFF9 spectra"),
        (["split.train=0.5", "split.validation=0.49"], "a part without spectra of any element"),
    ],
)
@pytest.mark.parametrize("prepare", [[], ["--prepare"]])
def test_settings_that_do_not_fit_the_data_are_refused(
    refused_run, config, salts, words, says, prepare
):
    order = ("train", config(), *words, "--data", salts, "-o", "run", *prepare)
    assert says in refused_run(*order)


def test_bad_words_are_refused_in_one_line(refused_run, config, salts, tmp_path):
    (tmp_path / "a_file").write_text("a text")
    good = ("train", config(), "--data", salts)
    cases = {
        "is not a chemical element": (*good, "-o", "run", "--element", "Xx"),
        "without spectra of Co": (*good, "-o", "run", "--element", "Co"),
        "not a folder": (*good, "-o", tmp_path / "a_file"),
        "is missing; a data set has one": ("train", config(), "--data", tmp_path, "-o", "run"),
        "none.toml: no such file": ("train", "none.toml", "--data", salts, "-o", "run"),
        "not a readable split": (*good, "-o", "run", "--split", tmp_path / "a_file"),
        "missing option": ("train", config(), "--data", salts),
    }
    for says, words in cases.items():
        assert says in refused_run(*words)


def test_finetune_refuses_what_the_model_does_not_know(refused, trained, random_model, salts):
    parent = trained / "tiny.safetensors"
    rest = ("--data", salts, "-o", "run", "--element")
    assert "tiny has no answer for Co" in refused("finetune", parent, *rest, "Co")
    assert "does not tell how its data" in refused("finetune", random_model, *rest, "Fe")
    assert "not a file, nor bundled" in refused("finetune", "none", *rest, "Fe")


def test_a_run_is_neither_overwritten_nor_mixed_with_another(
    refused_run, trained, config, salts, write_salts, tmp_path
):
    order = ("--data", salts, "-o", trained)
    before = {p: p.read_bytes() for p in trained.rglob("*") if p.is_file()}
    assert "holds a run; go on with --resume" in refused_run("train", config(), *order)
    assert "other settings" in refused_run("train", config(3), *order, "--resume")
    assert "holds another run" in refused_run(
        "train", config(), *order, "--resume", "--element", "Fe"
    )
    data = write_salts(tmp_path / "salts", range(12))
    words = ("--data", data, "-o", trained, "--resume")
    assert "holds another run" in refused_run("train", config(), *words)
    assert {p: p.read_bytes() for p in trained.rglob("*") if p.is_file()} == before


def test_resuming_a_finished_run_writes_the_same_again(cgxas, trained, config, salts):
    model = load_checkpoint(trained / "tiny.safetensors")
    (trained / "tiny.safetensors").unlink()
    order = ("train", config(), "--data", salts, "-o", trained, "--resume")
    assert cgxas(*order).code == 0
    assert epochs_of(trained) == [1, 2]
    assert load_checkpoint(trained / "tiny.safetensors").sha256 == model.sha256


class Process:
    """A run of its own, ended by signals."""

    def __init__(self, words: list[str], run: Path) -> None:
        command = [sys.executable, "-m", "cgxas", *words, "-o", str(run)]
        command += ["--resume"] if (run / "run.json").exists() else []
        self.log = run / "log.csv"
        self._before = self._changed()
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        self._popen = subprocess.Popen(
            command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        )

    def _changed(self) -> int:
        return self.log.stat().st_mtime_ns if self.log.exists() else 0

    def wait_until_it_trains(self) -> None:
        """Wait until an epoch is done."""
        for _ in range(10_000):
            if self._changed() != self._before:
                return
            assert self._popen.poll() is None, self._popen.stderr.read()
            time.sleep(0.01)
        raise AssertionError("no epoch was done")

    def send(self, number: signal.Signals) -> None:
        self._popen.send_signal(number)

    def end(self) -> tuple[int, str]:
        """Wait for the end; return exit code and stderr."""
        _, told = self._popen.communicate(timeout=300)
        return self._popen.returncode, told


@pytest.fixture(scope="module")
def words(config, salts) -> list[str]:
    return ["train", str(config(EPOCHS)), "--data", str(salts)]


@pytest.fixture(scope="module")
def unbroken(words, tmp_path_factory) -> Path:
    """The folder of the run that nothing stops."""
    run = tmp_path_factory.mktemp("unbroken") / "run"
    code, told = Process(words, run).end()
    assert code == 0, told
    return run


def seconds_of(run: Path) -> float:
    with (run / "log.csv").open(newline="") as file:
        return sum(float(row["seconds"]) for row in csv.DictReader(file))


def assert_same_model(one: Path, other: Path) -> None:
    states = [load_checkpoint(run / "tiny.safetensors").state for run in (one, other)]
    assert states[0].keys() == states[1].keys()
    for name, tensor in states[0].items():
        torch.testing.assert_close(states[1][name], tensor, rtol=0, atol=1e-6, msg=name)
    assert epochs_of(one) == epochs_of(other) == list(range(1, EPOCHS + 1))


def test_killed_runs_end_in_the_weights_of_the_unbroken_one(words, unbroken, tmp_path):
    run, seed = tmp_path / "run", time.time_ns()
    moments = random.Random(seed)
    for _ in range(3):
        process = Process(words, run)
        process.wait_until_it_trains()
        time.sleep(moments.uniform(0, seconds_of(unbroken) / 8))
        process.send(signal.SIGKILL)
        assert process.end()[0] == -signal.SIGKILL, f"it had ended already, seed {seed}"
        assert 0 < len(epochs_of(run)) < EPOCHS
        assert not (run / "tiny.safetensors").exists()
    code, told = Process(words, run).end()
    assert code == 0, told
    assert_same_model(unbroken, run)


def test_terminated_run_saves_its_state_and_goes_on(words, unbroken, tmp_path):
    run = tmp_path / "run"
    process = Process(words, run)
    process.wait_until_it_trains()
    process.send(signal.SIGTERM)
    code, told = process.end()
    assert code == 128 + signal.SIGTERM
    lines = [n for n in told.splitlines() if not (n.startswith("epoch ") or told_of_data(n))]
    assert len(lines) == 1, told
    assert lines[0].startswith("cgxas: stopped in epoch ")
    assert lines[0].endswith("resume the run to go on")
    state = torch.load(run / "state" / "last.pt", weights_only=True)
    assert state["step"] > 0
    assert len(state["losses"]) == state["step"]
    assert not [path.name for path in run.rglob(".*")]
    code, told = Process(words, run).end()
    assert code == 0, told
    assert_same_model(unbroken, run)
