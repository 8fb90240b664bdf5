"""Bad files for ``cgxas models import``: one sentence, exit 2, nothing written, no code run."""

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

EMBEDDING = "embedding.linear.weight"
HALF = "GNN.0.conv.linear_MLP.bias"


class Trap:
    """Unpickling it would create a file."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return open, (str(self.marker), "w")


def saved(change: Callable[[dict], object]) -> Callable[[Path, dict], object]:
    """A case: the authors' state dictionary with a change."""

    def make(target: Path, state: dict) -> None:
        change(state)
        torch.save(state, target)

    return make


def instead(value: object) -> Callable[[Path, dict], object]:
    """A case: a torch file of something else."""
    return lambda target, _: torch.save(value, target)


def cut_short(target: Path, state: dict) -> None:
    torch.save(state, target)
    target.write_bytes(target.read_bytes()[:3000])


def bare_pickle(target: Path, _: dict) -> None:
    target.write_bytes(pickle.dumps(Trap(target.parent / "marker")))


def torch_pickle(target: Path, _: dict) -> None:
    torch.save({"a": Trap(target.parent / "marker")}, target)


IMPORTS: dict[str, tuple[Callable[[Path, dict], object], str]] = {
    "a text": (lambda t, _: t.write_text("not a model"), "not a PyTorch file"),
    "a picture": (lambda t, _: t.write_bytes(b"\x89PNG\r\n\x1a\n"), "not a PyTorch file"),
    "empty": (lambda t, _: t.write_bytes(b""), "is empty"),
    "a folder": (lambda t, _: t.mkdir(), "is a folder"),
    "missing": (lambda t, _: None, "no such file"),
    "cut short": (cut_short, "not a PyTorch file"),
    "code in a torch file": (torch_pickle, "can run code"),
    "code in a bare pickle": (bare_pickle, "can run code"),
    "not a dictionary": (instead([1, 2]), "plain dictionary"),
    "a whole training state": (instead({"model": {}}), "plain dictionary"),
    "numbers as names": (instead({1: torch.ones(2)}), "plain dictionary"),
    "empty dictionary": (instead({}), "not those of a CGXAS network"),
    "foreign names": (instead({"conv1.weight": torch.ones(2, 2)}), "not those of a CGXAS network"),
    "one name too many": (saved(lambda s: s.update(extra=torch.ones(2))), "'extra' is no part"),
    "half a map": (saved(lambda s: s.pop(HALF)), "half of"),
    "missing tensor": (saved(lambda s: s.pop("GNN.1.olp.linear.bias")), "missing"),
    "missing module": (
        saved(lambda s: [s.pop(name) for name in [*s] if name.startswith("GNN.0.")]),
        "not those of a CGXAS network",
    ),
    "wrong shape": (
        saved(lambda s: s.update({EMBEDDING: torch.ones(8, 5)})),
        "where the configuration asks for",
    ),
    "no shape": (
        saved(lambda s: s.update({EMBEDDING: torch.tensor(1.0)})),
        "not those of a CGXAS network",
    ),
    "half too short": (
        saved(lambda s: s.update({HALF: torch.ones(3)})),
        "do not fit",
    ),
    "halves of different rank": (saved(lambda s: s.update({HALF: torch.ones(3, 3)})), "fit"),
    "NaN": (saved(lambda s: s[EMBEDDING].fill_(float("nan"))), "not finite"),
    "whole numbers": (
        saved(lambda s: s.update({EMBEDDING: s[EMBEDDING].int()})),
        "int32",
    ),
}


@pytest.mark.parametrize("case", IMPORTS)
def test_bad_import(case, refused, authors_state, tmp_path):
    make, says = IMPORTS[case]
    path = tmp_path / "published.pt"
    make(path, authors_state())
    line = refused("models", "import", path, "-o", "new.safetensors")
    assert says in line
    assert str(path) in line
    assert not (tmp_path / "marker").exists()


def test_energies_of_another_grid_are_not_known(refused, authors_state, tmp_path):
    path = tmp_path / "published.pt"
    torch.save(authors_state(outputs=20), path)
    assert "20 points" in refused("models", "import", path, "-o", "new.safetensors")


def test_bad_target_of_an_import(refused, authors_state, tmp_path):
    path = tmp_path / "published.pt"
    torch.save(authors_state(), path)
    assert "use .safetensors" in refused("models", "import", path, "-o", "new.pt")
    assert "does not exist" in refused("models", "import", path, "-o", "no/new.safetensors")
    assert "missing option '--output'" in refused("models", "import", path)
