"""Two processes train as one does."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from cgxas.data.split import SplitSettings
from cgxas.training.processes import ALONE, Processes, processes
from cgxas.training.settings import RunSettings

WORKER = Path(__file__).with_name("two_worker.py")
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


@pytest.fixture(scope="module")
def results(dataset, split, model, training, tmp_path_factory) -> dict[str, Path]:
    """The folders of the same training by one process and by two: 20 steps of 3 crystals."""
    folder = tmp_path_factory.mktemp("shared")
    dataset.save(folder / "data")
    config = RunSettings(
        "two",
        replace(model, dropout=0.0),  # every process draws its own
        replace(training, epochs=10, uncertain_weight=0.5, balance=0.5),
        SplitSettings(),
    )
    (folder / "config.toml").write_text(config.to_toml())
    parts = [part.tolist() for part in (split.train, split.validation, split.test)]
    (folder / "split.json").write_text(json.dumps(parts))
    found = {}
    for name, words in (("one", ()), ("two", TORCHRUN)):
        found[name] = folder / name
        command = [sys.executable, *words, str(WORKER), str(folder), str(found[name])]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, done.stderr
    return found


def told(folder: Path) -> dict:
    return json.loads((folder / "told.json").read_text())


def weights(folder: Path, name: str = "last.pt") -> dict[str, torch.Tensor]:
    return torch.load(folder / "state" / name, weights_only=True)["network"]


@pytest.mark.parametrize("state", ["last.pt", "best.pt"])
def test_two_processes_give_the_weights_of_one(results, state):
    one, two = (weights(results[name] / "float64", state) for name in ("one", "two"))
    assert told(results["two"])["processes"] == 2
    assert one.keys() == two.keys()
    for name, tensor in one.items():
        torch.testing.assert_close(two[name], tensor, rtol=0, atol=1e-5, msg=name)


@pytest.mark.parametrize(("precision", "within"), [("float64", 1e-8), ("float32", 1e-3)])
def test_two_processes_give_the_losses_of_one(results, precision, within):
    one, two = (told(results[name])[precision] for name in ("one", "two"))
    assert len(one) == len(two) == 10
    for a, b in zip(one, two, strict=True):
        assert b["train_loss"] == pytest.approx(a["train_loss"], rel=within)
        assert b["validation_rse"] == pytest.approx(a["validation_rse"], rel=within)
    assert len({epoch["train_loss"] for epoch in one}) == 10


def test_all_processes_stop_when_one_is_told_to_and_go_on_together(results):
    for name in ("one", "two"):
        assert told(results[name])["steps after the stop"] == 15
        whole, parts = (weights(results[name] / run) for run in ("float64", "stopped"))
        for tensor, found in zip(whole.values(), parts.values(), strict=True):
            torch.testing.assert_close(found, tensor, rtol=0, atol=1e-6)


def test_one_log_is_written(results):
    lines = (results["two"] / "float64" / "log.csv").read_text().splitlines()
    assert len(lines) == 11


def test_without_torchrun_there_is_one_process(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with processes() as group:
        assert (group.rank, group.count, group.is_first) == (0, 1, True)
        assert group.device.type == ("cuda" if torch.cuda.is_available() else "cpu")
        assert not torch.distributed.is_initialized()
        group.wait()


def test_alone_a_sum_is_the_value_without_its_gradient():
    value = torch.ones(2, requires_grad=True)
    total = ALONE.sum(value)
    assert total.tolist() == [1, 1]
    assert not total.requires_grad
    total += 1
    assert value.tolist() == [1, 1]
    module = torch.nn.Linear(2, 2)
    assert ALONE.shared(module) is module


def test_only_the_first_writes():
    assert ALONE.is_first
    assert not Processes(1, 2, torch.device("cpu")).is_first
