"""The command line as tests see it: words in; exit code, stdout and stderr out."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from pymatgen.core import Lattice, Structure

from cgxas.cli import main


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str


@pytest.fixture
def cgxas(capsys) -> Callable[..., Answer]:
    """Run ``cgxas`` with these words."""

    def run(*words: object) -> Answer:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main([str(word) for word in words])
        captured = capsys.readouterr()
        return Answer(end.value.code, captured.out, captured.err)

    return run


@pytest.fixture
def predict(cgxas, random_model, tmp_path, monkeypatch) -> Callable[..., Answer]:
    """Run ``cgxas predict`` in an empty folder, and expect it to succeed."""
    monkeypatch.chdir(tmp_path)

    def run(*words: object) -> Answer:
        answer = cgxas("predict", *words, "--model", random_model)
        assert answer.code == 0, answer.err
        return answer

    return run


@pytest.fixture
def predict_some(cgxas, random_model, tmp_path, monkeypatch) -> Callable[..., Answer]:
    """Run ``cgxas predict`` in an empty folder, and expect that something is left out."""
    folder = tmp_path / "out"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def run(*words: object) -> Answer:
        answer = cgxas("predict", *words, "--model", random_model)
        assert answer.code == 3, answer
        return answer

    return run


@pytest.fixture(scope="session")
def crystals(tmp_path_factory) -> Path:
    """A folder with LiFePO4.cif (28 atoms), rutile.cif (6) and iron.cif (2)."""
    folder = tmp_path_factory.mktemp("crystals")
    olivine = Structure.from_spacegroup(
        "Pnma",
        Lattice.orthorhombic(10.334, 6.010, 4.693),
        ["Li", "Fe", "P", "O", "O", "O"],
        [
            [0, 0, 0],
            [0.2822, 0.25, 0.9747],
            [0.0948, 0.25, 0.4182],
            [0.0967, 0.25, 0.7428],
            [0.4571, 0.25, 0.2060],
            [0.1656, 0.0465, 0.2848],
        ],
    )
    rutile = Structure.from_spacegroup(
        "P4_2/mnm", Lattice.tetragonal(4.594, 2.959), ["Ti", "O"], [[0, 0, 0], [0.305, 0.305, 0]]
    )
    iron = Structure(Lattice.cubic(2.87), ["Fe", "Fe"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    for name, structure in {"LiFePO4": olivine, "rutile": rutile, "iron": iron}.items():
        structure.to(filename=str(folder / f"{name}.cif"))
    return folder


@pytest.fixture(scope="session")
def authors_state() -> Callable[..., dict[str, torch.Tensor]]:
    """Make a state dictionary with the authors' names: 2 modules and 2 head layers of width 8."""

    def linear(name: str, n_in: int, n_out: int) -> dict[str, torch.Tensor]:
        return {f"{name}.weight": torch.ones(n_out, n_in) / n_in, f"{name}.bias": torch.ones(n_out)}

    def norm(name: str, n: int) -> dict[str, torch.Tensor]:
        parts = {part: torch.ones(n) for part in ("weight", "bias", "running_mean", "running_var")}
        parts["num_batches_tracked"] = torch.tensor(7)
        return {f"{name}.0.{part}": tensor for part, tensor in parts.items()}

    def state(hidden: int = 8, outputs: int = 100) -> dict[str, torch.Tensor]:
        tensors = {"embedding.linear.weight": torch.ones(hidden, 146) / 146}
        for module in ("GNN.0", "GNN.1"):
            for name, n_in, n_out in (
                ("conv.linear1_vector", 64, hidden),
                ("conv.linear1_vector_gate", 64, hidden),
                ("conv.linear2_vector", 64, hidden),
                ("conv.linear2_vector_gate", 64, 64),
                ("conv.linear_gate", 3 * hidden, hidden),
                ("conv.linear_MLP", 3 * hidden, hidden),
                ("olp.linear", hidden, hidden),
            ):
                tensors |= linear(f"{module}.{name}", n_in, n_out)
            for name, width in (
                ("conv.activation1_vector_gate", hidden),
                ("conv.activation2_vector_gate", 64),
                ("conv.activation_gate", hidden),
                ("conv.activation_MLP", hidden),
                ("olp.activation", hidden),
            ):
                tensors |= norm(f"{module}.{name}", width)
        for layer, width in (("MLP.0", hidden), ("MLP.1", outputs)):
            tensors |= linear(f"{layer}.linear", hidden, width)
            tensors |= norm(f"{layer}.activation", width)
        return tensors

    return state


@pytest.fixture
def refused(cgxas, tmp_path, monkeypatch) -> Callable[..., str]:
    """Run ``cgxas`` in a folder with an older result; return the one line it refuses with."""
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "old.xdi").write_text("an older result")
    (folder / "a_folder.xdi").mkdir()
    monkeypatch.chdir(folder)

    def run(*words: object) -> str:
        before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
        answer = cgxas(*words)
        assert answer.code == 2, answer
        assert answer.out == ""
        lines = [line for line in answer.err.splitlines() if line.strip()]
        assert len(lines) == 1, answer.err
        assert lines[0].startswith("cgxas: ")
        assert len(_without(lines[0], [tmp_path, *words])) <= 300
        assert "Traceback" not in lines[0]
        assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
        return lines[0]

    return run


def _without(line: str, words: list[object]) -> str:
    """The line without the names it was given, which may be long."""
    for word in filter(None, map(str, words)):
        line = line.replace(word, "")
    return line
