import hashlib
import json
import pickle
import struct
from dataclasses import replace

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from cgxas.errors import (
    CheckpointNotFound,
    CheckpointVersion,
    ConfigError,
    DamagedCheckpoint,
    ForeignCheckpoint,
    OutputError,
)
from cgxas.model.cgxas.config import CGXASConfig
from cgxas.model.cgxas.network import CGXAS
from cgxas.model.checkpoint import FORMAT, Checkpoint, ElementCard, bundled, load_checkpoint
from cgxas.spectra.xray import WINDOWS


@pytest.fixture
def checkpoint() -> Checkpoint:
    torch.manual_seed(0)
    config = CGXASConfig(hidden=4, n_modules=1, n_head_layers=1)
    cards = {"Fe": ElementCard(WINDOWS["Fe"], 100, 10, 0.01, 0.99), "O": ElementCard(WINDOWS["O"])}
    state = CGXAS(config).state_dict()
    return Checkpoint("small", config, cards, state, {"data": ["folder"], "n": 3})


@pytest.fixture
def path(checkpoint, tmp_path):
    checkpoint.save(tmp_path / "small.safetensors")
    return tmp_path / "small.safetensors"


def altered(path, change) -> None:
    """Rewrite the description in the header of a model file."""
    content = path.read_bytes()
    size = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8 : 8 + size])
    description = json.loads(header["__metadata__"]["cgxas"])
    change(description)
    header["__metadata__"]["cgxas"] = json.dumps(description)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + content[8 + size :])


def test_everything_comes_back(checkpoint, path):
    found = load_checkpoint(path)
    assert (found.name, found.config, found.elements) == (
        "small",
        checkpoint.config,
        checkpoint.elements,
    )
    assert found.provenance == checkpoint.provenance
    assert found.state.keys() == checkpoint.state.keys()
    assert all(torch.equal(tensor, found.state[name]) for name, tensor in checkpoint.state.items())


def test_network_is_ready_to_answer(path, batch):
    network = load_checkpoint(path).network()
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())
    single = batch.to("cpu")
    assert network.double()(single).shape == (5, 100)


def test_saving_twice_gives_the_same_file(checkpoint, path, tmp_path):
    checkpoint.save(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()


def test_saving_where_there_is_no_folder(checkpoint, tmp_path):
    with pytest.raises(OutputError):
        checkpoint.save(tmp_path / "none" / "a.safetensors")


def test_missing_models(tmp_path):
    with pytest.raises(CheckpointNotFound, match="not a file, nor bundled"):
        load_checkpoint("no-such-model")
    with pytest.raises(CheckpointNotFound, match="is a folder"):
        load_checkpoint(tmp_path)


def test_bundled_models_load():
    for name in bundled():
        assert load_checkpoint(name).name == name


@pytest.mark.parametrize("size", [0, 4, 100, -1])
def test_cut_short(path, size):
    content = path.read_bytes()
    path.write_bytes(content[:size])
    with pytest.raises(DamagedCheckpoint, match="cut short"):
        load_checkpoint(path)


def test_altered_weights(path):
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    with pytest.raises(DamagedCheckpoint, match="altered"):
        load_checkpoint(path)


def test_weights_that_are_not_finite(checkpoint, tmp_path):
    state = {name: tensor.clone() for name, tensor in checkpoint.state.items()}
    state["embedding.linear.weight"][0, 0] = torch.nan
    broken = Checkpoint("broken", checkpoint.config, checkpoint.elements, state)
    broken.save(tmp_path / "a.safetensors")
    with pytest.raises(DamagedCheckpoint, match="not finite"):
        load_checkpoint(tmp_path / "a.safetensors")


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.pop("config"),
        lambda d: d.pop("tensors_sha256"),
        lambda d: d["config"].update(hidden="many"),
        lambda d: d["config"].update(colour="red"),
        lambda d: d["elements"]["Fe"].pop("grid"),
        lambda d: d.update(format="one"),
        lambda d: d.update(elements=None),
    ],
)
def test_damaged_description(path, change):
    altered(path, change)
    with pytest.raises(DamagedCheckpoint, match="description"):
        load_checkpoint(path)


def test_newer_format(path):
    altered(path, lambda d: d.update(format=FORMAT + 1))
    with pytest.raises(CheckpointVersion, match="update cgxas"):
        load_checkpoint(path)


def test_configuration_of_another_network(path):
    altered(path, lambda d: d["config"].update(hidden=8))
    with pytest.raises(ForeignCheckpoint, match="where the configuration asks for"):
        load_checkpoint(path).network()


def test_other_safetensors(tmp_path):
    save_file({"a": torch.zeros(3)}, tmp_path / "a.safetensors")
    with pytest.raises(ForeignCheckpoint, match="no cgxas model"):
        load_checkpoint(tmp_path / "a.safetensors")


class Bomb:
    """Runs code when it is unpickled."""

    def __reduce__(self):
        return (exec, ("raise SystemExit('unpickled')",))


@pytest.mark.parametrize("content", [pickle.dumps(Bomb()), None])
def test_pickles_are_never_opened(tmp_path, content):
    path = tmp_path / "a.pt"
    if content:
        path.write_bytes(content)
    else:
        torch.save({"a": torch.zeros(2)}, path)
    with pytest.raises(ForeignCheckpoint, match="cgxas models import"):
        load_checkpoint(path)


def test_theories_come_back(checkpoint, tmp_path):
    config = replace(checkpoint.config, fidelities=("FEFF9", "VASP"))
    cards = {"Fe": ElementCard(WINDOWS["Fe"], fidelity="VASP"), "O": ElementCard(WINDOWS["O"])}
    state = CGXAS(config).state_dict()
    Checkpoint("two", config, cards, state).save(tmp_path / "a.safetensors")
    found = load_checkpoint(tmp_path / "a.safetensors")
    assert found.config.fidelities == ("FEFF9", "VASP")
    assert [found.elements[symbol].fidelity for symbol in ("Fe", "O")] == ["VASP", None]
    assert found.network().fidelity_vectors.shape == (2, 4)


def as_format_2(description: dict) -> None:
    """Take away what came with calibrations."""
    assert description["format"] == FORMAT == 3
    description["format"] = 2
    assert description.pop("calibration") is None
    for card in description["elements"].values():
        del card["test_e0"], card["simulated"]


def test_models_written_before_there_were_calibrations_load(checkpoint, path):
    altered(path, as_format_2)
    found = load_checkpoint(path)
    assert (found.config, found.elements) == (checkpoint.config, checkpoint.elements)
    assert (found.calibration, found.elements["Fe"].simulated) == (None, None)
    assert found.sha256 == checkpoint.sha256


def test_models_written_before_there_were_theories_load(checkpoint, path):
    def as_format_1(description: dict) -> None:
        as_format_2(description)
        description["format"] = 1
        del description["config"]["fidelities"]
        for card in description["elements"].values():
            del card["fidelity"]

    altered(path, as_format_1)
    found = load_checkpoint(path)
    assert found.config == checkpoint.config
    assert found.elements == checkpoint.elements
    assert found.config.fidelities == ()


def test_hash_is_that_of_the_weights_alone(checkpoint, path):
    found = load_checkpoint(path)
    assert len(found.sha256) == 64
    assert found.sha256 == checkpoint.sha256
    assert replace(checkpoint, name="other", provenance={}).sha256 == checkpoint.sha256
    state = {name: tensor.clone() for name, tensor in checkpoint.state.items()}
    state["embedding.linear.weight"][0, 0] += 1e-6
    assert replace(checkpoint, state=state).sha256 != checkpoint.sha256


def test_calibrations_come_back(calibrated_model, random_model, tmp_path):
    found, parent = load_checkpoint(calibrated_model), load_checkpoint(random_model)
    assert found.state.keys() == parent.state.keys()
    assert found.sha256 != parent.sha256
    assert found.elements["Ti"].network_grid == WINDOWS["Ti"] != found.elements["Ti"].grid
    assert found.elements["Ti"].test_e0 == 0.9
    found.save(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == calibrated_model.read_bytes()
    with pytest.raises(ConfigError, match="measured is calibrated to measured spectra; do this"):
        found.refuse_calibrated("do this")
    parent.refuse_calibrated("do this")


def recalibrated(model, path, change) -> None:
    """Copy a calibrated model with other tensors, its hash being right."""
    with safe_open(model, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        description = json.loads(file.metadata()["cgxas"])
    change(tensors, description)
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].contiguous().numpy().data)
    description["tensors_sha256"] = digest.hexdigest()
    save_file(tensors, path, metadata={"cgxas": json.dumps(description)})


def test_an_unchanged_copy_of_a_calibrated_model_loads(calibrated_model, tmp_path):
    recalibrated(calibrated_model, tmp_path / "a.safetensors", lambda *_: None)
    assert load_checkpoint(tmp_path / "a.safetensors").calibration is not None


def cut(name):
    return lambda tensors, _: tensors.update({name: tensors[name][..., :-1].contiguous()})


@pytest.mark.parametrize(
    "change",
    [
        lambda t, _: t.pop("calibration.share"),
        lambda t, _: t.pop("calibration.scale.zero.edge"),
        lambda t, _: t.pop("calibration.sites.state"),
        lambda t, _: t.update({"calibration.colour": torch.zeros(2)}),
        lambda t, _: t.update({"calibration.sites.vector": torch.zeros(16).double()}),
        lambda t, _: t.update({"calibration.sites.curve": torch.zeros(()).double()}),
        lambda t, _: t.update({"calibration.basis": t["calibration.basis"].float()}),
        cut("calibration.offset.inverse"),
        cut("calibration.shape.inverse"),
        cut("calibration.shape.parameters"),
        cut("calibration.sites.vector"),
        cut("calibration.scale.width.vector"),
        lambda _, d: d.update(calibration=None),
        lambda _, d: d["calibration"].pop("offset"),
        lambda _, d: d["calibration"]["offset"].pop(),
        lambda _, d: d["calibration"]["shape"][0].update(feature="colour"),
        lambda _, d: d["calibration"]["shape"][0].pop("within"),
        lambda _, d: d["elements"]["Ti"]["simulated"].update(n_points=50),
    ],
)
def test_damaged_calibrations(calibrated_model, tmp_path, change):
    path = tmp_path / "a.safetensors"
    recalibrated(calibrated_model, path, change)
    with pytest.raises((DamagedCheckpoint, ForeignCheckpoint), match=r"damaged|asks for none"):
        load_checkpoint(path)


def test_a_calibration_of_another_network(calibrated_model, tmp_path):
    def narrower(tensors: dict, _: dict) -> None:
        for name in ("sites", "scale.zero", "scale.width"):
            key = f"calibration.{name}.vector"
            tensors[key] = tensors[key][..., :-1].contiguous()

    recalibrated(calibrated_model, tmp_path / "a.safetensors", narrower)
    with pytest.raises(DamagedCheckpoint, match="description of the model is damaged"):
        load_checkpoint(tmp_path / "a.safetensors")


@pytest.mark.parametrize("name", ["basis", "offset.weights", "offset.noise", "sites.state"])
def test_calibrations_that_are_not_finite(calibrated_model, tmp_path, name):
    def spoil(tensors: dict, _: dict) -> None:
        tensors[f"calibration.{name}"].view(-1)[0] = torch.nan

    recalibrated(calibrated_model, tmp_path / "a.safetensors", spoil)
    with pytest.raises(DamagedCheckpoint, match="not finite"):
        load_checkpoint(tmp_path / "a.safetensors")


def test_a_header_of_any_length_is_read(checkpoint, tmp_path):
    """The first byte of the file is the header's length modulo 256, that of a pickle among them."""
    path = tmp_path / "model.safetensors"
    first = set()
    for n in range(0, 256, 8):
        named = replace(checkpoint, name="m" * (n + 1))
        named.save(path)
        first.add(path.read_bytes()[0])
        assert load_checkpoint(path).name == named.name
    assert 0x80 in first
