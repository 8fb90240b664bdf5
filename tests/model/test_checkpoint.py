import json
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from ase.build import bulk
from safetensors import safe_open
from safetensors.torch import save_file

from cgxas.crystals.spec import GraphSpec
from cgxas.errors import (
    CheckpointNotFound,
    CheckpointVersion,
    ConfigError,
    DamagedCheckpoint,
    ForeignCheckpoint,
    OutputError,
    ReadingWarning,
)
from cgxas.model.cgxas.config import CGXASConfig
from cgxas.model.cgxas.network import CGXAS
from cgxas.model.checkpoint import Checkpoint, load_checkpoint
from cgxas.model.description import AbsorberCard
from cgxas.model.location import bundled
from cgxas.model.upgrades import FORMAT
from cgxas.predict import Predictor
from cgxas.spectra.xray import WINDOWS

OLD = Path(__file__).parent / "formats"


@pytest.fixture
def checkpoint() -> Checkpoint:
    torch.manual_seed(0)
    config = CGXASConfig(hidden=4, n_modules=1, n_head_layers=1)
    cards = {
        ("Fe", "K"): AbsorberCard(WINDOWS["Fe", "K"], 100, 10, 0.01, 0.99),
        ("O", "K"): AbsorberCard(WINDOWS["O", "K"]),
    }
    state = CGXAS(config).state_dict()
    return Checkpoint("small", config, cards, state, {"data": ["folder"], "n": 3})


@pytest.fixture
def path(checkpoint, tmp_path):
    checkpoint.save(tmp_path / "small.safetensors")
    return tmp_path / "small.safetensors"


@pytest.fixture
def altered(path, rewrite_model):
    """Changes the description in the header of the model file, its hashes being right."""

    def alter(change, rehash: bool = True) -> None:
        rewrite_model(path, path, lambda description, _: change(description), rehash)

    return alter


def test_everything_comes_back(checkpoint, path):
    found = load_checkpoint(path)
    assert (found.name, found.config, found.cards) == (
        "small",
        checkpoint.config,
        checkpoint.cards,
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
    with pytest.raises(DamagedCheckpoint, match="cut short" if size else "is empty"):
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
    broken = Checkpoint("broken", checkpoint.config, checkpoint.cards, state)
    broken.save(tmp_path / "a.safetensors")
    with pytest.raises(DamagedCheckpoint, match="not finite"):
        load_checkpoint(tmp_path / "a.safetensors")


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.pop("architecture"),
        lambda d: d.pop("bonds"),
        lambda d: d.pop("provenance"),
        lambda d: d["architecture"].update(hidden="many"),
        lambda d: d["architecture"].update(colour="red"),
        lambda d: d["architecture"].pop("architecture"),
        lambda d: d["architecture"]["graph"].update(cutoff="far"),
        lambda d: d["absorbers"]["Fe K"].pop("grid"),
        lambda d: d["absorbers"].update(Fe=d["absorbers"]["Fe K"]),
        lambda d: d["bonds"]["radius"].pop(),
        lambda d: d.update(format="one"),
        lambda d: d.update(absorbers=None),
    ],
)
def test_damaged_description(path, altered, change):
    altered(change)
    with pytest.raises(DamagedCheckpoint, match="description"):
        load_checkpoint(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["absorbers"]["Fe K"]["grid"].update(e_min=7122.0, e_max=7177.0),
        lambda d: d["architecture"]["graph"].update(cutoff=6.0),
        lambda d: d["architecture"]["graph"].update(symprec=0.1),
        lambda d: d["bonds"].update(softness=0.4),
        lambda d: d["absorbers"]["Fe K"].update(n_train=10000),
        lambda d: d.update(name="other"),
        lambda d: d["provenance"].update(n=4),
        lambda d: d.update(further="word"),
    ],
)
def test_whatever_changes_an_answer_is_covered_by_the_hash(path, altered, change):
    before = load_checkpoint(path).sha256
    altered(change, rehash=False)
    with pytest.raises(DamagedCheckpoint, match="altered after it was written"):
        load_checkpoint(path)
    altered(lambda _: None)
    if "further" not in path.read_text("latin-1"):
        assert load_checkpoint(path).sha256 != before


@pytest.mark.parametrize(
    "graph", [{"cutoff": 4.0}, {"neighbours": 6}, {"cell": "as_given"}], ids=lambda each: str(*each)
)
def test_the_recipe_of_the_graph_comes_from_the_file(random_model, rewrite_model, tmp_path, graph):
    crystal = bulk("NiO", "rocksalt", 4.17, cubic=True)
    usual = Predictor.load(random_model).predict(crystal, "Ni").norm
    changed = tmp_path / "changed.safetensors"
    rewrite_model(random_model, changed, lambda d, _: d["architecture"]["graph"].update(graph))
    assert np.abs(Predictor.load(changed).predict(crystal, "Ni").norm - usual).max() > 1e-4


def test_newer_format(path, altered):
    altered(lambda d: d.update(format=FORMAT + 1))
    with pytest.raises(CheckpointVersion, match="update cgxas"):
        load_checkpoint(path)


def test_configuration_of_another_network(path, altered):
    altered(lambda d: d["architecture"].update(hidden=8))
    with pytest.raises(ForeignCheckpoint, match="where the configuration asks for"):
        load_checkpoint(path).network()


def test_architecture_of_a_package_that_was_not_imported(path, altered):
    altered(lambda d: d["architecture"].update(architecture="magic"))
    with pytest.raises(ForeignCheckpoint, match=r"no architecture 'magic'; import the package"):
        load_checkpoint(path)


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
    cards = {
        ("Fe", "K"): AbsorberCard(WINDOWS["Fe", "K"], fidelity="VASP"),
        ("O", "K"): AbsorberCard(WINDOWS["O", "K"]),
    }
    state = CGXAS(config).state_dict()
    Checkpoint("two", config, cards, state).save(tmp_path / "a.safetensors")
    found = load_checkpoint(tmp_path / "a.safetensors")
    assert found.config.fidelities == ("FEFF9", "VASP")
    assert [found.elements[symbol].fidelity for symbol in ("Fe", "O")] == ["VASP", None]
    assert found.network().fidelity_vectors.shape == (2, 4)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_files_of_older_formats_answer_as_they_did(number):
    """One small file per format, written by the cgxas of its time, with what it answered."""
    file = OLD / f"format{number}.safetensors"
    examples = Path(__file__).parents[2] / "examples"
    with pytest.warns(
        ReadingWarning, match=f"is of format {number}, whose hash covers the weights"
    ):
        predictor = Predictor.load(file)
    with np.load(OLD / f"format{number}.npz") as stored:
        for absorber, crystal in (("Ti", "TiO2_rutile.cif"), ("Fe", "LiFePO4.cif")):
            found = predictor.predict(examples / crystal, absorber).norm
            np.testing.assert_allclose(found, stored[absorber], rtol=0, atol=1e-6)
    card = predictor.checkpoint.elements["Fe"]
    assert (card.n_train, card.test_rse, card.grid) == (101, 0.01, WINDOWS["Fe", "K"])
    assert card.fidelity == (None if number == 1 else "FEFF10")
    assert predictor.checkpoint.config.graph == GraphSpec(per_orbit=True)
    assert not predictor.checkpoint.is_calibrated


def test_an_older_file_that_was_altered_is_refused(tmp_path):
    content = bytearray((OLD / "format3.safetensors").read_bytes())
    content[-3] ^= 1
    (tmp_path / "a.safetensors").write_bytes(content)
    with pytest.raises(DamagedCheckpoint, match="altered"):
        load_checkpoint(tmp_path / "a.safetensors")


def test_an_upgraded_file_comes_back_in_the_present_format(tmp_path):
    with pytest.warns(ReadingWarning):
        old = load_checkpoint(OLD / "format2.safetensors")
    old.save(tmp_path / "new.safetensors")
    new = load_checkpoint(tmp_path / "new.safetensors")
    assert (new.config, new.cards, new.bonds, new.sha256) == (
        old.config,
        old.cards,
        old.bonds,
        old.sha256,
    )
    with safe_open(tmp_path / "new.safetensors", framework="pt") as file:
        assert json.loads(file.metadata()["cgxas"])["format"] == FORMAT == 5


def test_hash_is_that_of_description_and_weights(checkpoint, path):
    found = load_checkpoint(path)
    assert len(found.sha256) == 64
    assert found.sha256 == checkpoint.sha256
    state = {name: tensor.clone() for name, tensor in checkpoint.state.items()}
    state["embedding.linear.weight"][0, 0] += 1e-6
    others = ({"name": "other"}, {"provenance": {}}, {"state": state}, {"cards": {}})
    hashes = {replace(checkpoint, **other).sha256 for other in others}
    assert len(hashes | {checkpoint.sha256}) == 5


def test_calibrations_come_back(calibrated_model, random_model, tmp_path):
    found, parent = load_checkpoint(calibrated_model), load_checkpoint(random_model)
    assert found.state.keys() == parent.state.keys()
    assert found.sha256 != parent.sha256
    assert found.elements["Ti"].network_grid == WINDOWS["Ti", "K"] != found.elements["Ti"].grid
    assert found.elements["Ti"].test_half_step_error == 0.9
    found.save(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == calibrated_model.read_bytes()
    with pytest.raises(ConfigError, match="measured is calibrated to measured spectra; do this"):
        found.refuse_calibrated("do this")
    parent.refuse_calibrated("do this")


@pytest.fixture
def recalibrated(rewrite_model):
    """Copies a calibrated model with other tensors, its hashes being right."""

    def copy(model, path, change) -> None:
        rewrite_model(model, path, lambda description, tensors: change(tensors, description))

    return copy


def test_an_unchanged_copy_of_a_calibrated_model_loads(calibrated_model, recalibrated, tmp_path):
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
        lambda _, d: d["calibration"].pop("kind"),
        lambda _, d: d["calibration"].update(kind="magic"),
        lambda _, d: d["calibration"]["values"].pop("features"),
        lambda _, d: d["calibration"]["values"]["features"].update(step=1.0),
        lambda _, d: d["calibration"]["values"]["terms"].pop("offset"),
        lambda _, d: d["calibration"]["values"]["terms"]["offset"].pop(),
        lambda _, d: d["calibration"]["values"]["terms"]["shape"][0].update(feature="colour"),
        lambda _, d: d["calibration"]["values"]["terms"]["shape"][0].pop("within"),
        lambda _, d: d["absorbers"]["Ti K"]["simulated"].update(n_points=50),
    ],
)
def test_damaged_calibrations(calibrated_model, recalibrated, tmp_path, change):
    path = tmp_path / "a.safetensors"
    recalibrated(calibrated_model, path, change)
    with pytest.raises((DamagedCheckpoint, ForeignCheckpoint), match=r"damaged|asks for none"):
        load_checkpoint(path)


def test_a_calibration_of_another_network(calibrated_model, recalibrated, tmp_path):
    def narrower(tensors: dict, _: dict) -> None:
        for name in ("sites", "scale.zero", "scale.width"):
            key = f"calibration.{name}.vector"
            tensors[key] = tensors[key][..., :-1].contiguous()

    recalibrated(calibrated_model, tmp_path / "a.safetensors", narrower)
    with pytest.raises(DamagedCheckpoint, match="description of the model is damaged"):
        load_checkpoint(tmp_path / "a.safetensors")


@pytest.mark.parametrize("name", ["basis", "offset.weights", "offset.noise", "sites.state"])
def test_calibrations_that_are_not_finite(calibrated_model, recalibrated, tmp_path, name):
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
