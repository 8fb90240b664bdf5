"""The flat arrays: what a batch holds, how they go to disk and come back."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cgxas.crystals.batch import collate
from cgxas.crystals.canonical import settled_cell
from cgxas.crystals.graph import graph_of
from cgxas.crystals.spec import GraphSpec
from cgxas.data.compile import build_dataset
from cgxas.data.dataset import FORMAT, LEFT_WEIGHT, Batch, Dataset
from cgxas.data.folder import read_records
from cgxas.data.split import Split
from cgxas.errors import ConfigError, DatasetError
from cgxas.model.cgxas.config import CGXASConfig
from cgxas.spectra.xray import windows

CONFIGS = {
    "plane waves": CGXASConfig(hidden=4, n_modules=1),
    "distances": CGXASConfig(
        hidden=4, n_modules=1, wave_numbers=0, graph=GraphSpec(per_orbit=True)
    ),
    "as given": CGXASConfig(hidden=4, n_modules=1, graph=GraphSpec(cell="as_given")),
}


@pytest.fixture
def records(folder):
    return read_records([folder]).records


@pytest.fixture
def dataset(records) -> Dataset:
    return build_dataset(records, windows(), CONFIGS["plane waves"])


@pytest.fixture
def two_theories(records) -> Dataset:
    """Ti and one Fe of FEFF9, O and the other Fe of VASP."""
    names = ("FEFF9", "VASP", "FEFF9", "VASP")
    told = [replace(r, fidelity=name) for r, name in zip(records, names, strict=True)]
    return build_dataset(told, windows(), CONFIGS["distances"])


def assert_same(one: Dataset, other: Dataset) -> None:
    assert one.tensors.keys() == other.tensors.keys()
    for name, tensor in one.tensors.items():
        assert tensor.dtype == other.tensors[name].dtype, name
        assert torch.equal(tensor, other.tensors[name]), name
    for name in ("key", "formula"):
        assert getattr(one, name).tolist() == getattr(other, name).tolist()
    assert (one.fidelities, one.sha256) == (other.fidelities, other.sha256)


@pytest.mark.parametrize("kind", CONFIGS)
def test_batch_is_what_collating_the_graphs_gives(records, kind):
    config = CONFIGS[kind]
    found = build_dataset(records, windows(), config).batch(np.array([3, 1, 0, 2])).graphs
    cells = [records[0].material.cell, records[2].material.cell]
    expected = collate(
        [graph_of(settled_cell(cell, config.graph), config.graph).graph for cell in cells]
    )
    assert found.offsets == expected.offsets
    for name in ("numbers", "neighbour_index", "distance", "mask"):
        assert getattr(found, name).dtype == getattr(expected, name).dtype, name
        assert torch.equal(getattr(found, name), getattr(expected, name)), name
    for name in ("fractional", "volume"):
        if config.wave_numbers:
            assert torch.equal(getattr(found, name), getattr(expected, name)), name
        else:
            assert getattr(found, name) is None


def test_batch_joins_only_the_wanted_crystals_each_once(dataset):
    iron = dataset.batch(np.array([2, 3]))
    assert iron.graphs.offsets == (0, 1)
    assert iron.graphs.numbers.tolist() == [26]
    both = dataset.batch(np.array([2, 1, 0]))
    assert both.graphs.offsets == (0, 6, 7)
    numbers = both.graphs.numbers[both.nodes]
    for target, expected in enumerate((26, 8, 22)):
        assert set(numbers[both.target_of_node == target].tolist()) == {expected}
    assert torch.bincount(both.target_of_node).tolist() == [1, 4, 2]
    assert torch.equal(both.norm, dataset.norm[[2, 1, 0]])
    assert len(both) == 3


@pytest.mark.parametrize("kind", CONFIGS)
def test_shares_of_a_target_add_up_to_one(records, kind):
    dataset = build_dataset(records, windows(), CONFIGS[kind])
    batch = dataset.batch(np.arange(4))
    total = torch.zeros(4).index_add_(0, batch.target_of_node, batch.share)
    torch.testing.assert_close(total, torch.ones(4))
    assert torch.equal(dataset.share[batch.members], batch.share)


def test_pooling_is_the_weighted_mean(dataset):
    batch = dataset.batch(np.array([0, 1]))
    batch = replace(batch, share=torch.tensor([0.75, 0.25, 0.1, 0.2, 0.3, 0.4]))
    spectra = torch.tensor([[4.0], [8.0], [1.0], [10.0], [100.0], [1000.0]])
    torch.testing.assert_close(batch.pool(spectra), torch.tensor([[5.0], [432.1]]))


def test_types_are_the_small_ones(dataset):
    kinds = {name: str(t.dtype).removeprefix("torch.") for name, t in dataset.tensors.items()}
    assert kinds == {
        "node_start": "int64",
        "numbers": "uint8",
        "neighbour": "int32",
        "distance": "float32",
        "fractional": "float32",
        "volume": "float32",
        "crystal": "int32",
        "member_start": "int64",
        "member": "int32",
        "share": "float32",
        "norm": "float32",
        "computed": "int16",
        "absorber": "uint8",
        "fidelity": "uint8",
        "certain": "bool",
    }


def test_bytes_are_counted(dataset, records):
    per_node = 1 + 12 * 4 + 12 * 4 + 12 * 3 * 4
    assert dataset.bytes_per_node == per_node
    small = build_dataset(records, windows(), CONFIGS["distances"])
    assert small.bytes_per_node == per_node - 12 * 3 * 4
    members = 2 + 4 + 1 + 1
    targets = 4 * (4 + 100 * 4 + 2 * 2 + 1 + 1 + 1) + 5 * 8 + members * (4 + 4)
    assert dataset.bytes_per_spectrum == targets / 4


def test_weights_of_points(dataset):
    computed = torch.tensor([[0, 100], [30, 60]], dtype=torch.int16)
    changed = replace(dataset, computed=computed)
    known, weight = changed.weights(torch.tensor([1, 0]))
    assert known[1].tolist() == weight[1].tolist() == [1.0] * 100
    assert known[0].nonzero().flatten().tolist() == list(range(30, 60))
    expected = [LEFT_WEIGHT] * 30 + [1.0] * 30 + [0.0] * 40
    assert weight[0].tolist() == pytest.approx(expected)
    slopes = changed.slope_weights(weight)
    assert slopes[0].tolist() == (weight[0, 1:] * weight[0, :-1]).tolist()


def test_folder_gives_everything_back(dataset, tmp_path):
    dataset.save(tmp_path / "compiled")
    found = Dataset.load(tmp_path / "compiled")
    assert_same(found, dataset)
    with pytest.raises(AttributeError):
        found.norm = dataset.norm  # type: ignore[misc]
    assert_same(build_none(tmp_path, dataset), replace(dataset, fractional=None, volume=None))


def build_none(folder, dataset: Dataset) -> Dataset:
    """The data set without plane waves, once through a folder."""
    replace(dataset, fractional=None, volume=None).save(folder / "none")
    return Dataset.load(folder / "none")


def test_folder_is_mapped_into_memory_and_never_written_to(dataset, tmp_path):
    dataset.save(tmp_path / "compiled")
    before = (tmp_path / "compiled" / "norm.npy").read_bytes()
    found = Dataset.load(tmp_path / "compiled")
    mapped = str((tmp_path / "compiled" / "norm.npy").resolve())
    assert mapped in Path("/proc/self/maps").read_text()
    found.norm[0] = 7
    assert (found.norm[0] == 7).all()
    assert (tmp_path / "compiled" / "norm.npy").read_bytes() == before


def test_names_of_any_script_come_back(dataset, tmp_path):
    keys = np.array(["a/Größe", "b/铁", "c/x", "d/" + "y" * 90])
    replace(dataset, key=keys).save(tmp_path / "compiled")
    assert Dataset.load(tmp_path / "compiled").key.tolist() == keys.tolist()


def rewritten(folder, change) -> None:
    meta = json.loads((folder / "dataset.json").read_text())
    change(meta)
    (folder / "dataset.json").write_text(json.dumps(meta))


DAMAGE = {
    "no folder": lambda f: f.rename(f.with_name("elsewhere")),
    "no description": lambda f: (f / "dataset.json").unlink(),
    "description cut short": lambda f: (f / "dataset.json").write_text('{"format": 1,'),
    "description of something else": lambda f: (f / "dataset.json").write_text("[1]"),
    "description without hash": lambda f: rewritten(f, lambda meta: meta.pop("sha256")),
    "no spectra": lambda f: (f / "norm.npy").unlink(),
    "spectra cut short": lambda f: (f / "norm.npy").write_bytes((f / "norm.npy").read_bytes()[:-9]),
    "empty array": lambda f: (f / "norm.npy").write_bytes(b""),
    "an array too many": lambda f: np.save(f / "colour.npy", np.zeros(3)),
    "pickled names": lambda f: np.save(f / "key.npy", np.array([{}, None])),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_damaged_folder_is_refused(dataset, tmp_path, case):
    dataset.save(tmp_path / "compiled")
    DAMAGE[case](tmp_path / "compiled")
    with pytest.raises(DatasetError, match=r"compiled data set, or is damaged|compile it again"):
        Dataset.load(tmp_path / "compiled")


def test_other_format_is_refused(dataset, tmp_path):
    dataset.save(tmp_path / "compiled")
    rewritten(tmp_path / "compiled", lambda meta: meta.update(format=FORMAT + 1))
    with pytest.raises(DatasetError, match="of another version of cgxas; compile it again"):
        Dataset.load(tmp_path / "compiled")


def test_only_one_absorber(dataset):
    split = Split(np.array([3, 0, 2]), np.array([1]), np.array([], dtype=np.int64))
    assert dataset.only(split, None) is split
    iron = dataset.only(split, "Fe")
    assert [part.tolist() for part in (iron.train, iron.validation, iron.test)] == [[3, 2], [], []]


def test_theories_are_counted_as_the_network_counts_them(two_theories):
    assert two_theories.fidelities == ("FEFF9", "VASP")
    assert two_theories.fidelity.tolist() == [0, 1, 0, 1]
    found = two_theories.renumbered(("VASP", "FEFF10", "FEFF9"))
    assert found.fidelity.tolist() == [2, 0, 2, 0]
    assert found.fidelities == ("VASP", "FEFF10", "FEFF9")
    assert found.batch(np.array([1, 2])).fidelity.tolist() == [0, 2]
    assert two_theories.renumbered(()) is two_theories


def test_a_theory_the_network_does_not_know_is_refused(two_theories):
    with pytest.raises(ConfigError, match="the data hold VASP spectra; the network tells FEFF9"):
        two_theories.renumbered(("FEFF9",))
    with pytest.raises(ConfigError, match="the data hold VASP spectra"):
        two_theories.renumbered(("FEFF9",), {8: "FEFF9"})  # iron has no stand-in


def test_another_theory_stands_in_for_each_element(two_theories):
    found = two_theories.renumbered(("FEFF10", "FEFF9"), {8: "FEFF9", 26: "FEFF10"})
    assert found.fidelity.tolist() == [1, 1, 1, 0]


def test_data_set_and_batch_move_as_a_whole(dataset):
    assert {t.device.type for t in dataset.to("meta").tensors.values()} == {"meta"}
    batch: Batch = dataset.batch(np.array([0, 2])).to("meta")
    tensors = [v for v in vars(batch).values() if isinstance(v, torch.Tensor)]
    assert len(tensors) == 9
    assert {t.device.type for t in (*tensors, batch.graphs.distance)} == {"meta"}
