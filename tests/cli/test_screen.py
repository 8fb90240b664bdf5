"""cgxas screen and cgxas average as words: what is told, and how they end."""

import ase.io
import numpy as np
import pytest
from ase.build import bulk

from cgxas.screening import answers, run, trajectory


@pytest.fixture(autouse=True)
def here(monkeypatch, tmp_path):
    """Answer in this process, in an empty folder."""

    def answered(tasks, asked, count):
        for task in tasks:
            yield task, answers(task.crystals, asked)

    monkeypatch.setattr(run, "answered_here", answered)
    monkeypatch.setattr(trajectory, "answered_here", answered)
    monkeypatch.chdir(tmp_path)


def test_what_a_screening_tells(cgxas, crystals, random_model, tmp_path):
    words = ("screen", crystals, "-a", "Fe", "-o", "out", "-m", random_model)
    answer = cgxas(*words)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out == "2 spectra of 3 crystals in out; 1 hold no such absorber\n"
    (tmp_path / "bad.cif").write_text("data_x\n")
    answer = cgxas(*words[:1], tmp_path / "bad.cif", *words[1:5], "both", *words[6:])
    assert answer.code == 3
    assert "1 failed: see failures.parquet" in answer.out


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--shard", "x"), "give it as I/N"),
        (("--shard", "4/3"), "counted from 1"),
        (("--device", "abacus"), "cannot be used here"),
        (("-a", "Xx"), "Xx"),
    ],
)
def test_a_screening_that_cannot_be(cgxas, crystals, random_model, tmp_path, words, reason):
    answer = cgxas("screen", crystals, "-a", "Fe", "-o", "out", "-m", random_model, *words)
    assert answer.code == 2
    assert reason in answer.err
    assert answer.err.count("\n") == 1
    assert not list(tmp_path.glob("out/part-*"))


def test_what_an_average_tells(cgxas, random_model, tmp_path):
    random, frames = np.random.default_rng(64), []
    for _ in range(9):
        frames.append(bulk("FeO", "rocksalt", a=4.3))
        frames[-1].positions += random.normal(scale=0.05, size=(2, 3))
    ase.io.write("md.xyz", frames)
    answer = cgxas(
        "average", "md.xyz", "-a", "Fe", "-m", random_model, "-o", "m.csv", "--plot", "m.png"
    )
    assert answer.code == 0
    assert "FeO, Fe K edge, random" in answer.out
    assert "too short to tell" in answer.err
    assert (tmp_path / "m.csv").read_text().startswith("energy,norm,standard_error,spread\n")
    assert (tmp_path / "m.png").stat().st_size > 10_000
    assert cgxas("average", "md.xyz", "-a", "Fe", "-o", "m.xdi").code == 2
