"""cgxas calibrate: measured spectra and their crystals in, a tested model out."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cgxas.model.checkpoint import load_checkpoint
from cgxas.model.container import tensors_hash
from cgxas.spectra.xray import tabulated_edge

PNG = b"\x89PNG\r\n\x1a\n"
FILES = ["calibration.json", "errors.png", "mine.safetensors", "scores.json", "trials.jsonl"]


@pytest.fixture(scope="module")
def words(measured_folder, random_model) -> list[object]:
    return ["calibrate", random_model, measured_folder, "--repeats", 2]


@pytest.fixture(scope="module")
def made(words, tmp_path_factory) -> Path:
    """The folder of a whole run."""
    from cgxas.cli import main

    folder = tmp_path_factory.mktemp("calibrated") / "mine"
    told = [str(word) for word in (*words, "-o", folder)]
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as end:
        patch.setattr(sys, "argv", ["/somewhere/bin/cgxas", *told])
        main(told)
    assert end.value.code == 0
    return folder


def some_of(folder: Path, target: Path, keep: Callable[[dict], bool]) -> Path:
    """Copy a data set with some of its spectra."""
    target.mkdir()
    (target / "materials.parquet").write_bytes((folder / "materials.parquet").read_bytes())
    table = pq.read_table(folder / "spectra.parquet")
    kept = [keep(row) for row in table.to_pylist()]
    pq.write_table(table.filter(pa.array(kept, pa.bool_())), target / "spectra.parquet")
    return target


def test_a_run_writes_table_figures_and_model(cgxas, words, made, tmp_path):
    answer = cgxas(*words, "-o", tmp_path / "mine")
    assert answer.code == 0
    assert sorted(f.name for f in (tmp_path / "mine").iterdir()) == [
        *FILES,
        "worst_Fe.png",
        "worst_Ti.png",
    ]
    for name in ("errors.png", "worst_Fe.png"):
        assert (tmp_path / "mine" / name).read_bytes().startswith(PNG)
    assert answer.err == f"wrote {tmp_path}/mine/mine.safetensors and 3 figures beside it\n"
    scores = json.loads((tmp_path / "mine" / "scores.json").read_text())
    assert scores == json.loads((made / "scores.json").read_text())
    heading, *rows = answer.out.splitlines()
    assert heading.split() == ["Absorber", "Method", "Mean", "Train", "Validation", "Test"]
    assert len(rows) == 2 * (2 + 8 + 2)  # of what tells how sure it is, there is more to tell
    test = scores["Fe"]["gaussian"]["test"]
    rows = [row for row in rows if row.startswith("Fe")]
    row = next(row.split() for row in rows if "gaussian" in row and "RSE" in row)
    assert row[-3:] == [f"{test['rse']['mean']:.4f}", "±", f"{test['rse']['deviation']:.4f}"]
    told = {
        "half_step": "half step error (eV)",
        "within_1": "within 1 sigma",
        "within_2": "within 2 sigma",
        "nll": "NLL per point",
        "half_step_within_1": "half step within 1 sigma",
        "half_step_within_2": "half step within 2 sigma",
        "half_step_nll": "NLL of the half step",
    }
    own = {" ".join(row.split()[2:-9]): row for row in rows if row.split()[1] == "gaussian"}
    assert list(own) == ["RSE", *told.values()]
    for figure, name in told.items():
        row = own[name]
        mean, deviation = test[figure]["mean"], test[figure]["deviation"]
        assert row.split()[-3:] == [f"{mean:.2f}", "±", f"{deviation:.2f}"]
    for method in ("uncalibrated", "rigid"):
        assert sum(row.split()[1] == method for row in rows) == 2
        other = scores["Fe"][method]["test"]
        assert list(other) == ["rse", "half_step"]
        assert test["half_step"]["mean"] < other["half_step"]["mean"]


def test_the_model_is_named_after_its_folder_and_told_about(cgxas, made, random_model):
    model = load_checkpoint(made / "mine.safetensors")
    assert model.name == "mine"
    assert list(model.elements) == list(load_checkpoint(random_model).elements)
    tested = [element for element, card in model.elements.items() if card.n_test]
    assert tested == ["Ti", "Fe"]
    assert len({card.grid.n_points for card in model.elements.values()}) == 1
    for element, card in model.elements.items():
        inside = card.grid.e_min < tabulated_edge(element) < card.grid.e_max
        assert inside or element in tested, element  # these are where they were made up
    answer = cgxas("models", "info", made / "mine.safetensors")
    assert answer.code == 0
    assert "random" in answer.out
    command = json.loads((made / "calibration.json").read_text())["command"]
    assert command.startswith("cgxas calibrate /")
    assert command.endswith(f"--repeats 2 -o {made}")
    assert model.provenance["command"] == command


@pytest.mark.usefixtures("without_figures")
def test_the_same_command_goes_on(cgxas, words, made, monkeypatch):
    before = {f.name: f.read_bytes() for f in made.iterdir()}
    nothing_fits = SimpleNamespace(fit=None)  # what is tried once more, fails
    monkeypatch.setattr("cgxas.calibration.run.calibrator", lambda _: nothing_fits)
    answer = cgxas(*words, "-o", made)
    assert answer.code == 0
    after = {f.name: f.read_bytes() for f in made.iterdir()}
    for name in ("trials.jsonl", "scores.json", "calibration.json"):
        assert after[name] == before[name]


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (("--repeats", 3), "repeats"),
        (("--element", "Ti"), "elements"),
        (("--method", "paper"), "m"),
    ],
)
def test_another_run_in_the_folder_is_refused(cgxas, words, made, change, name):
    before = {f: f.read_bytes() for f in made.iterdir()}
    answer = cgxas(*words, *change, "-o", made)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.count("\n") == 1
    assert f"holds another calibration: its {name}" in answer.err
    assert {f: f.read_bytes() for f in made.iterdir()} == before


@pytest.fixture
def without_figures(monkeypatch):
    """Drawing takes longest, and others look at that."""
    monkeypatch.setattr("cgxas.calibration.figures.draw_figures", lambda *_: [])


@pytest.mark.usefixtures("without_figures")
def test_the_papers_method_and_several_elements(cgxas, words, tmp_path):
    wishes = ["--method", "paper", "--element", "Ti", "--element", "Fe", "--repeats", 1]
    answer = cgxas(*words, *wishes, "-o", tmp_path / "mine")
    assert answer.code == 0
    model = load_checkpoint(tmp_path / "mine" / "mine.safetensors")
    assert list(model.elements) == ["Ti", "Fe"]
    kinds = {element: part.kind for element, part in model.calibration.parts.items()}
    assert kinds == {"Ti": "head", "Fe": "head"}
    assert [file.name for file in (tmp_path / "mine").glob("*.safetensors")] == ["mine.safetensors"]
    assert [row.split()[:2] for row in answer.out.splitlines()[1::2]] == [
        [element, method] for element in ("Ti", "Fe") for method in ("uncalibrated", "paper")
    ]


@pytest.mark.usefixtures("without_figures")
@pytest.mark.parametrize("method", ["rigid", "alone", "offset", "uncalibrated"])
def test_any_method_makes_a_model(cgxas, words, crystals, tmp_path, method):
    wishes = ["--method", method, "--element", "Ti", "--repeats", 1]
    answer = cgxas(*words, *wishes, "-o", tmp_path / "mine")
    assert answer.code == 0, answer.err
    tried = [row.split()[1] for row in answer.out.splitlines()[1:]]
    assert list(dict.fromkeys(tried)) == list(dict.fromkeys(["uncalibrated", method]))
    further = {"alone": 6, "offset": 3}.get(method, 0)
    assert len(tried) == 2 * len(set(tried)) + further
    model = tmp_path / "mine" / "mine.safetensors"
    words = ("predict", crystals / "rutile.cif", "-a", "Ti", "--model", model)
    answer = cgxas(*words, "-o", tmp_path / "out.csv")
    assert answer.code == 0, answer.err
    heading = (tmp_path / "out.csv").read_text().splitlines()[0]
    assert heading == ("energy,norm,sigma" if method == "alone" else "energy,norm")


@pytest.mark.usefixtures("without_figures")
@pytest.mark.parametrize(("split", "repeats"), [("leave-one-out", 8), ("spectrum", 2)])
def test_other_ways_to_divide(cgxas, words, tmp_path, split, repeats):
    wishes = ["--split", split, "--element", "Ti", "--method", "gaussian"]
    answer = cgxas(*words, *wishes, "-o", tmp_path / "mine")
    assert answer.code == 0, answer.err
    lines = (tmp_path / "mine" / "trials.jsonl").read_text().splitlines()
    assert len(lines) == 2 * repeats
    model = load_checkpoint(tmp_path / "mine" / "mine.safetensors")
    assert model.provenance["compounds"]["Ti"] == (12 if split == "spectrum" else 8)
    assert model.provenance["configuration"]["split_by"] == split


@pytest.mark.usefixtures("without_figures")
def test_simulations_are_compared_with_and_mapped(cgxas, words, measured_folder, tmp_path):
    pytest.importorskip("sklearn")
    wishes = ["--element", "Ti", "--method", "gaussian", "--simulated", measured_folder]
    answer = cgxas(*words, *wishes, "--repeats", 1, "-o", tmp_path / "mine")
    assert answer.code == 0, answer.err
    assert (tmp_path / "mine" / "map_Ti.png").read_bytes().startswith(PNG)
    scores = json.loads((tmp_path / "mine" / "scores.json").read_text())
    assert list(scores["Ti"]) == ["uncalibrated", "gaussian", "program", "program rigid"]
    assert scores["Ti"]["program"]["test"]["rse"]["mean"] < 1e-4  # here they are the measured ones


@pytest.mark.usefixtures("without_figures")
def test_what_is_left_out_is_told(cgxas, words, measured_folder, tmp_path):
    table = pq.read_table(measured_folder / "spectra.parquet")
    rows = table.to_pylist()
    for row in rows[:2]:
        row["energy"] = (np.array(row["energy"]) + 500).tolist()
    folder = tmp_path / "strange"
    folder.mkdir()
    (folder / "materials.parquet").write_bytes((measured_folder / "materials.parquet").read_bytes())
    pq.write_table(table.from_pylist(rows), folder / "spectra.parquet")
    wishes = ["--element", "Ti", "--method", "gaussian", "--repeats", 1, "-o", tmp_path / "mine"]
    answer = cgxas("calibrate", words[1], folder, *wishes)
    assert answer.code == 0
    first, _ = answer.err.splitlines()
    assert first.startswith(f"left out strange/{rows[0]['spectrum_id']}")
    assert "hardly overlap the window of Fe" in first


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        (("--element", "Xx"), "Xx"),
        (("--element", "Cu"), "measured: no usable spectrum of Cu; there are spectra of Fe, Ti"),
        (("--method", "magic"), "there is no method 'magic'; there are gaussian, "),
        (("--repeats", "0"), "see 'cgxas calibrate --help'"),
        (("--split", "size"), "see 'cgxas calibrate --help'"),
    ],
)
def test_impossible_wishes(refused, words, wishes, message):
    assert message in refused(*words, *wishes, "-o", "run")


def test_impossible_outputs(refused, words):
    assert "old.xdi is not a folder" in refused(*words, "-o", "old.xdi")


def test_too_few_compounds(refused, words, measured_folder, tmp_path):
    few = some_of(measured_folder, tmp_path / "few", lambda row: row["material_id"] < "FeG")
    model = words[1]
    line = refused("calibrate", model, few, "-o", "run")
    assert "no element has measured spectra of 5 compounds; name one with --element" in line
    line = refused("calibrate", model, few, "--element", "Fe", "-o", "run")
    assert "Fe has measured spectra of 4 compounds; a calibration needs 5 or more" in line


def test_data_without_measured_spectra(refused, words, measured_folder, tmp_path):
    none = some_of(measured_folder, tmp_path / "none", lambda _: False)
    assert "no usable spectrum; there is none" in refused("calibrate", words[1], none, "-o", "run")
    line = refused("calibrate", words[1], tmp_path / "nowhere", "-o", "run")
    assert "materials.parquet is missing" in line


def test_models_that_cannot_be_calibrated(refused, words, made, measured_folder):
    line = refused("calibrate", made / "mine.safetensors", measured_folder, "-o", "run")
    assert "mine is calibrated to measured spectra; calibrate the model it came from" in line
    assert "no model 'nothing'" in refused("calibrate", "nothing", measured_folder, "-o", "run")


def test_simulations_that_are_not_there(refused, words):
    assert "is missing" in refused(*words, "--simulated", "nowhere", "-o", "run")


DYING = """
import os, signal, sys
from cgxas.calibration import run
from cgxas.cli import main

append, done = run.append_trial, []

def dying(path, trial):
    append(path, trial)
    done.append(trial)
    if len(done) == 3:
        with path.open("ab", buffering=0) as file:
            file.write(b'{"method": "gauss')
        os.kill(os.getpid(), signal.SIGKILL)

run.append_trial = dying
main(sys.argv[1:])
"""


@pytest.mark.usefixtures("without_figures")
def test_a_killed_run_ends_as_if_nothing_had_happened(cgxas, words, made, tmp_path):
    folder = tmp_path / "mine"
    command = [sys.executable, "-c", DYING, *map(str, words), "-o", str(folder)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    assert subprocess.run(command, env=environment, check=False).returncode == -signal.SIGKILL
    path = folder / "trials.jsonl"
    whole = (made / "trials.jsonl").read_text().splitlines()
    assert path.read_text().splitlines() == [*whole[:3], '{"method": "gauss']
    assert sorted(f.name for f in folder.iterdir()) == ["calibration.json", "trials.jsonl"]
    assert cgxas(*words, "-o", folder).code == 0
    assert path.read_text().splitlines() == whole
    assert (folder / "scores.json").read_bytes() == (made / "scores.json").read_bytes()
    model, expected = (load_checkpoint(f / "mine.safetensors") for f in (folder, made))
    assert tensors_hash(model.tensors) == tensors_hash(expected.tensors)
    assert (model.cards, model.calibration.values) == (expected.cards, expected.calibration.values)
