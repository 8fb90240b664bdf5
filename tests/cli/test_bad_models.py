"""Bad model files: one sentence, exit 2, nothing written, and no code of theirs is run."""

import pickle
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file


class Trap:
    """Unpickling it would create a file."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return open, (str(self.marker), "w")


def retensored(model: Path, change: Callable[[dict], None], target: Path) -> None:
    """Copy a model with other tensors, its hash being right."""
    from dataclasses import replace

    from cgxas.model.checkpoint import load_checkpoint

    checkpoint = load_checkpoint(model)
    state = {name: tensor.clone() for name, tensor in checkpoint.state.items()}
    change(state)
    replace(checkpoint, state=state).save(target)


def flipped(model: Path, target: Path) -> None:
    content = bytearray(model.read_bytes())
    content[-5] ^= 0x40
    target.write_bytes(content)


def traps(_: Path, target: Path) -> None:
    torch.save({"a": Trap(target.parent / "marker")}, target)


def bare_pickle(_: Path, target: Path) -> None:
    target.write_bytes(pickle.dumps(Trap(target.parent / "marker")))


def cut(length: int) -> Callable[[Path, Path], None]:
    return lambda model, target: target.write_bytes(model.read_bytes()[:length]) and None


def set_weight(value: float) -> Callable[[dict], None]:
    return lambda state: state["embedding.linear.weight"].view(-1)[3].fill_(value) and None


def description(change: Callable[[dict], object]) -> Callable[[dict], object]:
    """Mark a change of the description, for `rewrite_model`."""
    change.of_description = True  # type: ignore[attr-defined]
    return change


EMBEDDING = "embedding.linear.weight"
MODELS: dict[str, tuple[Callable[[Path, Path], object], str]] = {
    "empty": (cut(0), "is empty"),
    "5 bytes": (cut(5), "cut short"),
    "8 bytes": (cut(8), "cut short"),
    "100 bytes": (cut(100), "cut short"),
    "half": (cut(20_000), "cut short"),
    "but one byte": (cut(-1), "cut short"),
    "altered weight": (flipped, "altered"),
    "a text": (lambda _, t: t.write_text("not a model at all"), "not a safetensors file"),
    "huge header": (lambda _, t: t.write_bytes(struct.pack("<Q", 2**60)), "cut short"),
    "foreign": (lambda _, t: save_file({"w": torch.ones(3)}, t), "no cgxas model"),
    "code in a torch file": (traps, "models import"),
    "code in a bare pickle": (bare_pickle, "models import"),
    "newer format": (
        description(lambda d: d.update(format=99)),
        "has format 99, this cgxas reads up to 5; update cgxas",
    ),
    "no format": (description(lambda d: d.pop("format")), "description"),
    "format zero": (description(lambda d: d.update(format=0)), "description"),
    "format of text": (description(lambda d: d.update(format="x")), "description"),
    "description is a list": (
        lambda _, t: save_file({"w": torch.ones(3)}, t, metadata={"cgxas": "[1, 2]"}),
        "description of the model is damaged",
    ),
    "description cut short": (
        lambda _, t: save_file({"w": torch.ones(3)}, t, metadata={"cgxas": '{"format": 1, '}),
        "description of the model is damaged",
    ),
    "no absorbers": (description(lambda d: d.pop("absorbers")), "description"),
    "absorbers are a list": (
        description(lambda d: d.update(absorbers=["Fe"])),
        "description",
    ),
    "unknown element": (
        description(lambda d: d["absorbers"].update({"Xx K": d["absorbers"]["Fe K"]})),
        "description",
    ),
    "grid of another length": (
        description(lambda d: d["absorbers"]["Fe K"]["grid"].update(n_points=7)),
        "description",
    ),
    "grid backwards": (
        description(lambda d: d["absorbers"]["Fe K"]["grid"].update(e_max=0.0)),
        "description",
    ),
    "provenance is a text": (
        description(lambda d: d.update(provenance="x")),
        "description",
    ),
    "config of another network": (
        description(lambda d: d["architecture"].update(hidden=32)),
        "where the configuration asks for",
    ),
    "unknown word in config": (
        description(lambda d: d["architecture"].update(depth=3)),
        "description",
    ),
    "NaN weight": (lambda m, t: retensored(m, set_weight(float("nan")), t), "not finite"),
    "infinite weight": (lambda m, t: retensored(m, set_weight(float("inf")), t), "not finite"),
    "wrong shape": (
        lambda m, t: retensored(m, lambda s: s.update({EMBEDDING: torch.ones(16, 7)}), t),
        "tensor 'embedding.linear.weight' is (16, 7)",
    ),
    "missing tensor": (lambda m, t: retensored(m, lambda s: s.pop(EMBEDDING), t), "missing"),
    "wrong kind of number": (
        lambda m, t: retensored(m, lambda s: s.update({EMBEDDING: s[EMBEDDING].double()}), t),
        "float64",
    ),
}


@pytest.mark.parametrize("case", MODELS)
def test_bad_model(case, refused, random_model, rewrite_model, crystals, tmp_path):
    make, says = MODELS[case]
    path = tmp_path / "bad.safetensors"
    if hasattr(make, "of_description"):
        rewrite_model(random_model, path, lambda description, _: make(description))
    else:
        make(random_model, path)
    words = ["-a", "Fe", "-o", "old.xdi", "--plot", "fe.png"]
    line = refused("predict", crystals / "iron.cif", "--model", path, *words)
    assert says in line
    assert str(path) in line
    assert refused("models", "info", path) == line
    assert not (tmp_path / "marker").exists()


@pytest.mark.parametrize("words", [["predict", "iron.cif", "-a", "Fe", "-m"], ["models", "info"]])
def test_no_such_model(words, refused, crystals, monkeypatch, tmp_path):
    monkeypatch.chdir(crystals)
    assert "no model 'mine': not a file, nor bundled" in refused(*words, "mine")
    assert "is a folder; name a model file" in refused(*words, tmp_path)
    assert "is a folder" in refused(*words, "")
    assert "name too long" in refused(*words, "a" * 5000).lower()
    assert "not a regular file" in refused(*words, "/dev/zero")
