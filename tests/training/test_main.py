"""python -m cgxas.training: a prepared run where only torch, numpy and pydantic are installed."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from cgxas import training
from cgxas.cli import main as cgxas
from cgxas.model.checkpoint import load_checkpoint
from cgxas.training.__main__ import main

CONFIG = """
name = "tiny"
[model]
hidden = 8
n_modules = 1
n_head_layers = 1
wave_numbers = 2
dropout = 0.1
[training]
epochs = 3
batch_crystals = 3
"""
ABSENT = (
    *("ase", "matplotlib", "monty", "pandas", "pyarrow", "pymatgen", "rich", "safetensors"),
    *("scipy", "sklearn", "spglib", "tomli_w", "typer"),
)
"""What only the first machine has."""
ALONE = f"""
import runpy, sys
sys.modules.update(dict.fromkeys({ABSENT}))
for name in {ABSENT}:
    try:
        __import__(name)
    except ModuleNotFoundError:
        continue
    raise SystemExit(f'{{name}} can be imported')
sys.argv = ['cgxas.training', *sys.argv[1:]]
runpy.run_module('cgxas.training', run_name='__main__')
"""


def words(salts: Path, folder: Path, *others: str) -> list[str]:
    config = folder / "tiny.toml"
    config.write_text(CONFIG)
    return ["train", str(config), "--data", str(salts), *others]


def code_of(words: list[str]) -> int:
    with pytest.raises(SystemExit) as end:
        cgxas(words)
    return end.value.code


@pytest.fixture
def prepared(salts, tmp_path) -> Path:
    path = tmp_path / "run"
    assert code_of(words(salts, tmp_path, "-o", str(path), "--prepare")) == 0
    return path


def test_a_run_is_trained_elsewhere_and_finished_here(prepared, salts, tmp_path, capsys):
    assert not (prepared / "state").exists()
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(prepared)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={
            "PATH": "",
            "PYTHONPATH": str(Path(str(training.__file__)).parents[2]),
            "OMP_NUM_THREADS": "1",
            "HOME": str(tmp_path),
        },
    )
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    assert [line.split(":")[0] for line in lines] == ["epoch 1", "epoch 2", "epoch 3"]
    assert (prepared / "state" / "last.pt").exists()
    assert not list(prepared.glob("*.safetensors"))

    again = words(salts, tmp_path, "-o", str(prepared))
    assert code_of(again) == 2
    assert "--resume" in capsys.readouterr().err
    assert code_of([*again, "--resume"]) == 0
    told = capsys.readouterr()
    assert "epoch" not in told.err
    assert told.out.split()[:2] == ["Absorber", "Train"]
    assert len((prepared / "log.csv").read_text().splitlines()) == 4

    assert code_of(words(salts, tmp_path, "-o", str(tmp_path / "here"))) == 0
    here, there = (load_checkpoint(p / "tiny.safetensors") for p in (tmp_path / "here", prepared))
    for name, tensor in here.state.items():
        torch.testing.assert_close(there.state[name], tensor, rtol=0, atol=1e-5)


def test_one_element_of_a_prepared_run(salts, tmp_path, capsys):
    path = tmp_path / "run"
    order = words(salts, tmp_path, "-o", str(path), "--element", "Fe")
    assert code_of([*order, "--prepare"]) == 0
    assert main([str(path)]) == 0
    assert code_of([*order, "--resume"]) == 0
    assert set(load_checkpoint(path / "spec_Fe.safetensors").elements) == {"Fe"}
    assert main([str(path)]) == 0  # nothing is left to do
    capsys.readouterr()


CASES = {
    "no run": lambda path: path.rename(path.with_name("elsewhere")),
    "no run.json": lambda path: (path / "run.json").unlink(),
    "damaged run.json": lambda path: (path / "run.json").write_text("{"),
    "no data": lambda path: (path / "data" / "norm.npy").unlink(),
    "no split": lambda path: (path / "split.json").unlink(),
    "other split": lambda path: (path / "split.json").write_text("{}"),
    "no config": lambda path: (path / "config.toml").unlink(),
}


@pytest.mark.parametrize("case", CASES)
def test_what_cannot_be_trained_is_refused_in_one_line(prepared, capsys, case):
    CASES[case](prepared)
    capsys.readouterr()
    assert main([str(prepared)]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("cgxas: ")
    assert told.err.count("\n") == 1
    assert not (prepared / "state").exists()
