import csv
import errno
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from cgxas.errors import ConfigError, OutputError
from cgxas.model.cgxas.network import CGXAS
from cgxas.training.state import State, append_row


@pytest.fixture
def state(model) -> Callable[[int], State]:
    """Makes a state that has taken so many steps."""

    def make(steps: int, **settings) -> State:
        torch.manual_seed(1)
        network = CGXAS(type(model)(**{**model.to_dict(), **settings}))
        optimiser = torch.optim.AdamW(network.parameters(), 0.1)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 1 / (1 + step))
        made = State(network, optimiser, schedule)
        for _ in range(steps):
            step(made)
        return made

    return make


def step(state: State) -> None:
    """A step in any direction that the random numbers give."""
    for parameter in state.network.parameters():
        parameter.grad = torch.randn_like(parameter)
    state.optimiser.step()
    state.schedule.step()
    state.losses.append(torch.rand(()))
    state.step += 1


def test_a_loaded_state_goes_on_as_the_saved_one(state, tmp_path):
    one = state(3)
    one.epoch, one.best = 7, 0.25
    one.save(tmp_path / "a.pt")
    step(one)
    other = state(0)
    torch.manual_seed(99)  # what happened in between does not matter
    other.load(tmp_path / "a.pt")
    assert (other.epoch, other.step, other.best) == (7, 3, 0.25)
    step(other)
    assert torch.stack(other.losses).tolist() == torch.stack(one.losses).tolist()
    assert other.schedule.get_last_lr() == one.schedule.get_last_lr()
    for name, tensor in one.network.state_dict().items():
        assert torch.equal(other.network.state_dict()[name], tensor), name


def test_a_failed_save_leaves_the_older_state(state, tmp_path, monkeypatch):
    state(1).save(tmp_path / "a.pt")
    before = (tmp_path / "a.pt").read_bytes()

    def full_disk(path, _content) -> None:
        path.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full_disk)
        with pytest.raises(OutputError, match=r"a\.pt cannot be written: No space left on device"):
            state(2).save(tmp_path / "a.pt")
    assert (tmp_path / "a.pt").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a.pt"]


@pytest.mark.parametrize(
    "change",
    [
        {"epoch": "7"},
        {"epoch": None},
        {"epoch": -1},
        {"step": 1.5},
        {"losses": ["0.1"]},
        {"losses": 3},
        {"best": "low"},
        {"random": "seed"},
        {"network": []},
    ],
    ids=str,
)
def test_states_with_values_of_another_type_are_refused(state, tmp_path, change):
    path = tmp_path / "a.pt"
    state(1).save(path)
    torch.save(torch.load(path, weights_only=True) | change, path)
    with pytest.raises(ConfigError, match=r"a\.pt is damaged, or of another network; remove it"):
        state(0).load(path)


def test_a_packed_state_is_refused(state, tmp_path):
    state(1).save(tmp_path / "a.pt")
    with (
        zipfile.ZipFile(tmp_path / "a.pt") as plain,
        zipfile.ZipFile(tmp_path / "b.pt", "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for member in plain.infolist():
            packed.writestr(member.filename, plain.read(member))
    with pytest.raises(ConfigError, match=r"b\.pt unpacks to [\d,]+ bytes"):
        state(0).load(tmp_path / "b.pt")


@pytest.mark.parametrize("content", [b"", b"PK nonsense", None])
def test_damaged_states_are_refused(state, tmp_path, content):
    path = tmp_path / "a.pt"
    state(1).save(path)
    path.write_bytes(path.read_bytes()[:-2000] if content is None else content)
    with pytest.raises(ConfigError, match=r"a\.pt is (damaged, or of another network|empty)"):
        state(0).load(path)


def test_state_of_another_network_is_refused(state, tmp_path):
    state(1).save(tmp_path / "a.pt")
    with pytest.raises(ConfigError, match="of another network"):
        state(0, hidden=16).load(tmp_path / "a.pt")


class Bomb:
    """Runs code when it is unpickled."""

    def __reduce__(self):
        return (exec, ("raise SystemExit('unpickled')",))


def test_code_in_a_state_is_not_run(state, tmp_path):
    torch.save({"network": Bomb()}, tmp_path / "a.pt")
    with pytest.raises(ConfigError, match="is damaged"):
        state(0).load(tmp_path / "a.pt")


def rows(path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_rows_follow_each_other_and_are_replaced_when_done_over(tmp_path):
    path = tmp_path / "log.csv"
    for epoch in (1, 2, 3):
        append_row(path, {"epoch": epoch, "loss": epoch / 3})
    assert [row["epoch"] for row in rows(path)] == ["1", "2", "3"]
    assert rows(path)[0] == {"epoch": "1", "loss": "0.333333"}
    append_row(path, {"epoch": 2, "loss": 5.0})
    assert [(row["epoch"], row["loss"]) for row in rows(path)] == [("1", "0.333333"), ("2", "5")]
