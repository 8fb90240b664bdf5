"""cgxas models: list, info, import."""

import hashlib
from importlib import resources

import pytest
import torch

from cgxas.model.checkpoint import load_checkpoint
from cgxas.model.location import bundled
from cgxas.spectra.xray import WINDOWS


def test_models_alone_shows_help(cgxas):
    answer = cgxas("models")
    assert answer.code == 0
    assert "list" in answer.out
    assert "import" in answer.out


def test_list_of_bundled_models(cgxas, random_model, tmp_path, monkeypatch):
    (tmp_path / "model" / "weights").mkdir(parents=True)
    (tmp_path / "model" / "weights" / "small.safetensors").write_bytes(random_model.read_bytes())
    monkeypatch.setattr(resources, "files", lambda package: tmp_path)
    assert bundled() == ("small",)
    heading, line = cgxas("models", "list").out.splitlines()
    assert heading.split() == ["Model", "Elements", "Training", "spectra"]
    assert line.split() == ["small", "48", "47,357"]


def test_list_without_bundled_models(cgxas, tmp_path, monkeypatch):
    monkeypatch.setattr(resources, "files", lambda package: tmp_path)
    answer = cgxas("models", "list")
    assert answer.code == 0
    assert answer.err == "no model is bundled; name a model file with --model\n"


def test_info(cgxas, random_model):
    lines = cgxas("models", "info", random_model).out.splitlines()
    facts = dict(line.split("  ", 1) for line in lines[: lines.index("")])
    facts = {name: text.strip() for name, text in facts.items()}
    assert facts["name"] == "random"
    assert facts["cell"] == "canonical primitive cell, symmetry within 0.01 A"
    assert facts["data"] == f"folder: made up; sha256: {'0' * 64}"
    table = [line.split() for line in lines[lines.index("") + 2 :]]
    iron = next(row for row in table if row[0] == "Fe")
    assert iron == ["Fe", "7112.0", "to", "7167.0", "2345", "321", "0.0123", "0.9870"]
    lithium = next(row for row in table if row[0] == "Li")
    assert lithium == ["Li", "55.0", "to", "110.0", "1000", "-", "-", "-"]
    assert lines[-2] == "Rough, with fewer than 100 training spectra: Tc."
    assert lines[-1] == "Never seen, not answered: I."


@pytest.mark.parametrize("words", [(), ("--activation", "silu")])
def test_import(cgxas, authors_state, tmp_path, monkeypatch, words, crystals):
    monkeypatch.chdir(tmp_path)
    torch.save(authors_state(), "published.pt")
    answer = cgxas("models", "import", "published.pt", "-o", "mine.safetensors", *words)
    assert (answer.code, answer.out, answer.err) == (0, "", "wrote mine.safetensors\n")
    checkpoint = load_checkpoint("mine.safetensors")
    wanted = words[-1] if words else "elu"
    assert checkpoint.name == "mine"
    assert checkpoint.config.hidden == 8
    assert checkpoint.config.graph.cell == "as_given"
    assert checkpoint.config.head_activation == checkpoint.config.message_activation == wanted
    assert list(checkpoint.cards) == list(WINDOWS)
    told = checkpoint.provenance
    assert told["imported_from"] == "published.pt"
    assert told["sha256"] == hashlib.sha256((tmp_path / "published.pt").read_bytes()).hexdigest()
    assert told["activation"].startswith(wanted)
    info = cgxas("models", "info", "mine.safetensors").out
    assert "arXiv:2512.23449" in info
    assert "as given" in info
    assert info.endswith("How many spectra this model was trained on is not known.\n")
    assert cgxas("predict", crystals / "iron.cif", "-a", "Fe", "-m", "mine.safetensors").code == 0


def test_import_of_double_precision(cgxas, authors_state, tmp_path, monkeypatch, crystals):
    monkeypatch.chdir(tmp_path)
    state = {n: t.double() if t.is_floating_point() else t for n, t in authors_state().items()}
    torch.save(state, "published.pt")
    assert cgxas("models", "import", "published.pt", "-o", "mine.safetensors").code == 0
    assert cgxas("predict", crystals / "iron.cif", "-a", "Fe", "-m", "mine.safetensors").code == 0
