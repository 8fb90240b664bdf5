"""What the reference values do not cover: files and names that are not the authors'."""

import pickle

import pytest
import torch

from cgxas.errors import CheckpointNotFound, DamagedCheckpoint, ForeignCheckpoint
from cgxas.model.cgxas.authors import config_from_shapes, read_state, translate


def test_plain_state_is_read(tmp_path):
    torch.save({"embedding.linear.weight": torch.ones(2, 146)}, tmp_path / "a.pt")
    state = read_state(tmp_path / "a.pt")
    assert state["embedding.linear.weight"].shape == (2, 146)


class Bomb:
    """Runs code when it is unpickled."""

    def __reduce__(self):
        return (exec, ("raise SystemExit('unpickled')",))


@pytest.mark.parametrize("content", [{"a": Bomb()}, [1, 2], {"a": 3}, torch.zeros(3)])
def test_other_contents_are_foreign(tmp_path, content):
    torch.save(content, tmp_path / "a.pt")
    with pytest.raises(ForeignCheckpoint):
        read_state(tmp_path / "a.pt")


def test_bare_pickle_runs_no_code(tmp_path):
    (tmp_path / "a.pt").write_bytes(pickle.dumps(Bomb(), protocol=2))
    with pytest.raises(ForeignCheckpoint):
        read_state(tmp_path / "a.pt")


def test_damaged_and_missing_files(tmp_path):
    torch.save({"a": torch.zeros(500)}, tmp_path / "a.pt")
    content = (tmp_path / "a.pt").read_bytes()
    (tmp_path / "a.pt").write_bytes(content[: len(content) // 2])
    with pytest.raises((DamagedCheckpoint, ForeignCheckpoint)):
        read_state(tmp_path / "a.pt")
    with pytest.raises(CheckpointNotFound):
        read_state(tmp_path / "b.pt")


def test_strange_names_are_refused():
    with pytest.raises(ForeignCheckpoint, match=r"'lstm.weight' is no part"):
        translate({"lstm.weight": torch.zeros(1)})
    with pytest.raises(ForeignCheckpoint, match="no part"):
        translate({"GNN.0.conv.linear9.weight": torch.zeros(1)})


def test_half_a_pair_is_refused():
    with pytest.raises(ForeignCheckpoint, match="half of"):
        translate({"GNN.0.conv.linear_gate.weight": torch.zeros(2, 6)})


def test_gate_stands_before_message():
    state = {
        "GNN.1.conv.linear_MLP.bias": torch.tensor([3.0, 4.0]),
        "GNN.1.conv.linear_gate.bias": torch.tensor([1.0, 2.0]),
    }
    found = translate(state)
    assert list(found) == ["graph_modules.1.convolution.pair.bias"]
    assert found["graph_modules.1.convolution.pair.bias"].tolist() == [1, 2, 3, 4]


def test_shapes_of_something_else_are_refused():
    with pytest.raises(ForeignCheckpoint, match="not those of a CGXAS network"):
        config_from_shapes({"a": torch.zeros(3)}, "elu", "elu")
    with pytest.raises(ForeignCheckpoint, match="not those of a CGXAS network"):
        config_from_shapes({"MLP.0.linear.weight": torch.zeros(3, 3)}, "elu", "elu")
