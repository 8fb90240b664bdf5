"""Whole runs: data-set folders and a configuration in, a run folder with a tested model out."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
import torch

from cgxas.crystals.spec import GraphSpec
from cgxas.data.dataset import Dataset
from cgxas.data.split import Split, SplitSettings, read_saved_split, read_split, write_split
from cgxas.errors import ConfigError, Interrupted, OutputError
from cgxas.evaluation.testing import curves, retest, split_of, test_network
from cgxas.model.cgxas.config import CGXASConfig
from cgxas.model.checkpoint import Checkpoint, load_checkpoint
from cgxas.training.fit import BEST, site_vectors
from cgxas.training.folder import open_run
from cgxas.training.processes import ALONE
from cgxas.training.run import Run, carry_out, prepare, read_data
from cgxas.training.settings import RunSettings, TrainingSettings

MODEL = CGXASConfig(
    hidden=8,
    n_modules=1,
    n_head_layers=1,
    wave_numbers=0,
    graph=GraphSpec(per_orbit=True),
    dropout=0.1,
)
TINY = RunSettings(
    "tiny", MODEL, TrainingSettings(epochs=3, batch_crystals=3), SplitSettings("formula", 0.6, 0.2)
)


@pytest.fixture
def run_of(salts, tmp_path) -> Callable[..., Run]:
    """Makes a run on the ten salts, in a folder of its own name."""

    def make(name: str = "run", config: RunSettings = TINY, folder: Path = salts, **others) -> Run:
        data = read_data([folder], config.model, ALONE)
        split = others.pop("split", None) or data.divide(config.split)
        return Run(config, data, split, tmp_path / name, "told", **others)

    return make


@pytest.fixture(scope="module")
def parent(salts, tmp_path_factory) -> Checkpoint:
    """A model of both elements."""
    data = read_data([salts], MODEL, ALONE)
    folder = tmp_path_factory.mktemp("parent")
    return carry_out(Run(TINY, data, data.divide(TINY.split), folder, "told"))[0]


def assert_same_state(one: Checkpoint, other: Checkpoint) -> None:
    assert one.state.keys() == other.state.keys()
    for name, tensor in one.state.items():
        assert torch.equal(tensor, other.state[name]), name


def test_a_run_ends_in_a_model_that_tells_where_it_comes_from(run_of, salts):
    run = run_of()
    checkpoint, evaluation = carry_out(run)
    folder = open_run(run.path)
    loaded = folder.checkpoint()
    assert_same_state(loaded, checkpoint)
    assert set(loaded.elements) == {"Fe", "O"}
    card = loaded.elements["Fe"]
    assert (card.n_train, card.n_test, card.fidelity) == (6, 2, None)
    assert card.test_rse == evaluation.elements["Fe"].rse.mean
    told = loaded.provenance
    assert told["command"] == "told"
    assert told["data"] == ["salts"]
    assert told["theories"] == {"FEFF 9.9.1": 20}
    assert told["spectra"] == {"train": 12, "validation": 4, "test": 4}
    assert told["metrics"] == asdict(evaluation.overall)
    assert told["configuration"] == json.loads(json.dumps(TINY.tables))
    assert told["data_sha256"] == run.data.records.sha256
    assert told["split_sha256"] == run.split.sha256
    assert "parent" not in told


def test_a_run_folder_tells_all_about_its_run(run_of, salts):
    run = run_of()
    _, evaluation = carry_out(run)
    folder = open_run(run.path)
    assert (folder.name, folder.kind, folder.element) == ("tiny", "universal", None)
    assert folder.data == (salts,)
    assert folder.environment["processes"] == "1"
    assert RunSettings.from_toml(run.path / "config.toml") == TINY
    found = read_split(run.path / "split.json", run.data.records)
    assert found.sha256 == run.split.sha256
    assert read_saved_split(run.path / "split.json").by == "formula"
    assert folder.log()["epoch"].tolist() == [1, 2, 3]
    written = json.loads((run.path / "evaluation.json").read_text())
    assert written == json.loads(json.dumps(evaluation.to_json()))
    keys = [run.data.records.records[n].key for n in run.split.test]
    assert folder.tested().key.tolist() == keys
    assert not (run.path / "data").exists()
    assert not [path.name for path in run.path.rglob(".*")]


def test_a_broken_run_goes_on_as_if_unbroken(run_of, watcher):
    whole, evaluation = carry_out(run_of("whole"))
    with pytest.raises(Interrupted):
        carry_out(run_of("parts", watcher=watcher(stop_after=3)))
    assert not list(run_of("parts").path.glob("*.safetensors"))
    resumed, again = carry_out(run_of("parts", resume=True))
    for name, tensor in whole.state.items():
        torch.testing.assert_close(resumed.state[name], tensor, rtol=0, atol=1e-6)
    assert again.overall.rse.mean == pytest.approx(evaluation.overall.rse.mean, rel=1e-5)
    logs = [open_run(run_of(name).path).log()["train_loss"] for name in ("whole", "parts")]
    np.testing.assert_allclose(logs[0], logs[1], rtol=1e-5)


def test_a_folder_with_a_run_is_not_overwritten(run_of):
    carry_out(run_of())
    before = {path: path.read_bytes() for path in run_of().path.rglob("*") if path.is_file()}
    with pytest.raises(OutputError, match="go on with --resume"):
        carry_out(run_of())
    others = {
        "settings": {"config": replace(TINY, training=replace(TINY.training, epochs=9))},
        "name": {"config": replace(TINY, name="other")},
        "kind": {"element": "Fe"},
        "split_sha256": {"split": Split(*np.split(np.arange(20), (12, 16)))},
    }
    for what, other in others.items():
        with pytest.raises(ConfigError, match=what):
            carry_out(run_of(resume=True, **other))
    assert {p: p.read_bytes() for p in run_of().path.rglob("*") if p.is_file()} == before


def test_a_run_does_not_go_on_with_other_data(run_of, write_salts, tmp_path):
    data = write_salts(tmp_path / "mine")
    prepare(run_of(folder=data))
    changed = pyarrow.parquet.read_table(data / "spectra.parquet").to_pylist()
    changed[0]["mu"][3] += 1e-6
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(changed), data / "spectra.parquet")
    with pytest.raises(ConfigError, match="data_sha256"):
        carry_out(run_of(folder=data, resume=True))


def test_a_prepared_run_holds_its_data(run_of):
    run = run_of()
    prepare(run, with_data=True)
    names = {path.name for path in run.path.iterdir()}
    assert names == {"config.toml", "split.json", "run.json", "data"}
    found = Dataset.load(run.path / "data")
    for name, tensor in run.data.dataset.tensors.items():
        assert torch.equal(found.tensors[name], tensor)


def test_one_element_alone(run_of):
    run = run_of(element="O")
    checkpoint, evaluation = carry_out(run)
    assert run.kind == open_run(run.path).kind == "element"
    assert set(checkpoint.elements) == set(evaluation.elements) == {"O"}
    assert checkpoint.provenance["spectra"] == {"train": 6, "validation": 2, "test": 2}
    assert set(evaluation.tested.element) == {"O"}
    mu = run.data.dataset.norm.clone()
    mu[run.data.dataset.absorber.numpy() == 26] = 0.5  # what iron says cannot matter
    data = replace(run.data, dataset=replace(run.data.dataset, norm=mu))
    again, _ = carry_out(replace(run, data=data, path=run.path.with_name("again")))
    assert_same_state(again, checkpoint)


def test_a_part_without_spectra_is_refused(run_of):
    with pytest.raises(ConfigError, match="leaves a part without spectra of Co"):
        carry_out(run_of(element="Co"))
    none = np.zeros(0, dtype=np.int64)
    with pytest.raises(ConfigError, match="leaves a part without spectra of any element"):
        carry_out(run_of(split=Split(np.arange(8), np.arange(8, 20), none)))


def tuned(run_of, parent: Checkpoint, **settings) -> Run:
    training = replace(TINY.training, **settings)
    config = RunSettings("ft_Fe", parent.config, training, TINY.split)
    return run_of(f"tuned {settings}", config, element="Fe", parent=parent)


def test_tuning_moves_the_head_alone(run_of, parent):
    run = tuned(run_of, parent, epochs=4, learning_rate=1e-3)
    checkpoint, evaluation = carry_out(run)
    assert run.kind == open_run(run.path).kind == "finetune"
    moved = set()
    for name, tensor in parent.state.items():
        if not torch.equal(tensor, checkpoint.state[name]):
            moved.add(name)
    heads = {name for name in parent.state if name.startswith("head_layers")}
    assert moved <= heads
    assert {name for name in heads if name.endswith("weight")} <= moved
    assert set(checkpoint.elements) == set(evaluation.elements) == {"Fe"}
    vectors = [
        site_vectors(c.network(), run.data.dataset, np.arange(len(run.data.dataset)))
        for c in (parent, checkpoint)
    ]
    assert torch.equal(*vectors)


def test_tuning_leaves_the_parent_as_it_was(run_of, parent):
    before = {name: tensor.clone() for name, tensor in parent.state.items()}
    carry_out(tuned(run_of, parent, epochs=1))
    assert all(torch.equal(tensor, parent.state[name]) for name, tensor in before.items())


def test_a_tuned_model_names_its_parent(run_of, parent):
    checkpoint, _ = carry_out(tuned(run_of, parent, epochs=1))
    assert checkpoint.provenance["parent"] == {
        "name": "tiny",
        "tensors_sha256": parent.sha256,
    }
    assert checkpoint.sha256 != parent.sha256 or checkpoint.state == parent.state


@pytest.mark.parametrize("learning_rate", [1e-3, 1.0])
def test_a_tuned_model_is_never_worse_on_validation_than_its_parent(run_of, parent, learning_rate):
    run = tuned(run_of, parent, epochs=3, learning_rate=learning_rate, schedule="constant")
    checkpoint, _ = carry_out(run)
    of_both = [
        test_network(c.network(), run.data, run.split, "validation", "Fe").overall.rse.mean
        for c in (parent, checkpoint)
    ]
    assert of_both[1] <= of_both[0] * (1 + 1e-6)
    if learning_rate == 1:  # so large a step spoils it
        assert torch.load(run.path / BEST, weights_only=True)["epoch"] == 0
        assert_same_state(checkpoint, parent)


def test_retest_repeats_the_figures_and_refuses_other_data(run_of, write_salts, tmp_path):
    run = run_of()
    checkpoint, evaluation = carry_out(run)
    data = run.data
    again = retest(load_checkpoint(open_run(run.path).model), data, split_of(checkpoint, data))
    assert again.overall == evaluation.overall
    assert again.elements == evaluation.elements
    assert retest(checkpoint, data, run.split, "train").overall.n == 12
    other = read_data([write_salts(tmp_path / "salts", range(9))], MODEL, ALONE)
    with pytest.raises(ConfigError, match=r"not the data tiny was trained with \(salts\)"):
        split_of(checkpoint, other)
    assert retest(checkpoint, other, other.everything).overall.n == 18


def test_a_split_of_its_own_must_be_named_again(run_of, tmp_path):
    own = Split(np.arange(10), np.arange(10, 14), np.arange(14, 20))
    run = run_of(split=own)
    checkpoint, evaluation = carry_out(run)
    with pytest.raises(ConfigError, match="trained with a split of its own; name its file"):
        split_of(checkpoint, run.data)
    write_split(tmp_path / "own.json", own, run.data.records, "formula", (0.5, 0.2), 1)
    found = retest(checkpoint, run.data, read_split(tmp_path / "own.json", run.data.records))
    assert found.overall == evaluation.overall


def test_a_model_that_tells_nothing_has_no_split(run_of, parent):
    with pytest.raises(ConfigError, match="does not tell how its data were split"):
        split_of(replace(parent, provenance={}), run_of().data)


def test_uncertain_sites_are_not_tested(run_of, parent):
    run = run_of()
    certain = torch.ones(20, dtype=torch.bool)
    certain[run.split.test[0]] = False
    data = replace(run.data, dataset=replace(run.data.dataset, certain=certain))
    assert retest(parent, data, run.split).overall.n == 3


def test_curves_are_empty_where_nothing_was_computed(run_of):
    dataset = run_of().data.dataset
    computed = dataset.computed.clone()
    computed[3] = torch.tensor([10, 40])
    found = curves(replace(dataset, computed=computed), np.array([3, 4]))
    assert np.flatnonzero(np.isfinite(found[0])).tolist() == list(range(10, 40))
    np.testing.assert_array_equal(found[0, 10:40], dataset.norm[3, 10:40].double())


@pytest.fixture(scope="module")
def two_theories(write_salts, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "two"
    return write_salts(folder, range(8), ("FEFF 9.9.1", "VASP 6.4"))


def knowing(*fidelities: str) -> RunSettings:
    return replace(TINY, model=replace(MODEL, fidelities=fidelities))


def test_a_model_of_two_theories_tells_the_usual_one_of_each_element(run_of, two_theories):
    run = run_of(config=knowing("VASP6", "FEFF9"), folder=two_theories)
    rows = run.split.train
    fidelity = np.array([record.fidelity for record in run.data.records.records])
    element = np.array([record.element for record in run.data.records.records])
    # Of iron only the VASP spectra are learnt from, of oxygen both.
    kept = rows[(element[rows] == "O") | (fidelity[rows] == "VASP6")]
    split = Split(kept, run.split.validation, run.split.test)
    checkpoint, _ = carry_out(replace(run, split=split))
    assert checkpoint.elements["Fe"].fidelity == "VASP6"
    assert checkpoint.elements["O"].fidelity == "FEFF9"
    assert checkpoint.network().fidelity_vectors.shape == (2, 8)


def test_a_theory_the_network_does_not_know_cannot_be_learnt(run_of, two_theories):
    with pytest.raises(ConfigError, match="the data hold VASP6 spectra"):
        carry_out(run_of(config=knowing("FEFF9"), folder=two_theories))


def test_a_theory_the_model_does_not_know_is_tested_against_the_usual_one(
    run_of, two_theories, write_salts, tmp_path
):
    run = run_of(config=knowing("VASP6", "FEFF9"), folder=two_theories, element="Fe")
    checkpoint, _ = carry_out(run)
    assert checkpoint.elements["Fe"].fidelity == "FEFF9"
    other = write_salts(tmp_path / "other", range(3), ("FDMNES",))
    data = read_data([other], checkpoint.config, ALONE)
    found = retest(checkpoint, data, data.everything)
    assert set(found.elements) == {"Fe"}  # the oxygen spectra are left out
    same = write_salts(tmp_path / "same", range(3), ("FEFF 9.9.1",))
    data = read_data([same], checkpoint.config, ALONE)
    np.testing.assert_array_equal(
        found.tested.predicted, retest(checkpoint, data, data.everything).tested.predicted
    )
