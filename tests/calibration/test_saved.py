"""Whatever a calibration is, its model file brings it back, and a spoilt file is refused."""

import json
import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from pymatgen.core import Lattice, Structure
from safetensors import safe_open
from safetensors.torch import save_file

from cgxas.calibration.gaussian import fit_gaussian
from cgxas.calibration.measured import Compounds, read_compounds
from cgxas.calibration.paper import tune_paper
from cgxas.calibration.rigid import fit_rigid
from cgxas.errors import (
    CheckpointNotFound,
    CheckpointVersion,
    ConfigError,
    DamagedCheckpoint,
    ForeignCheckpoint,
    UnsupportedAbsorber,
)
from cgxas.model import checkpoint as room
from cgxas.model.calibration.base import Calibrated, Calibration, PerElement, Uncalibrated
from cgxas.model.calibration.curves import CurvesCalibration
from cgxas.model.checkpoint import Checkpoint, load_checkpoint
from cgxas.model.description import AbsorberCard
from cgxas.predict import Predictor, load

OF_COMPOUNDS = {"curves", "rigid over a program"}  # these answer for nothing else
WITH_SIGMA = {"gaussian", "per element"}
WITH_EDGE_SIGMA = {*WITH_SIGMA, "gaussian without shape"}
KINDS = (
    "gaussian",
    "gaussian without shape",
    "rigid",
    "rigid over a program",
    "head",
    "curves",
    "uncalibrated",
    "per element",
)
SAME = 1e-9
SAME_CURVE = 1e-7  # sums in single precision differ with where tensors lie in memory
each_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(scope="module")
def compounds(measured_folder, random_model) -> Compounds:
    return read_compounds([measured_folder], load_checkpoint(random_model))


@pytest.fixture(scope="module")
def calibrations(compounds) -> Mapping[str, Calibration]:
    iron, titanium = (np.flatnonzero(compounds.element == e) for e in ("Fe", "Ti"))
    energies = np.arange(4900.0, 7300.0, 0.5)
    program = CurvesCalibration(
        {
            element: {
                str(name): (energies, 0.5 + np.arctan(energies - edge - n / 3) / np.pi)
                for n, name in enumerate(compounds.name[compounds.element == element])
            }
            for element, edge in (("Fe", 7125.0), ("Ti", 4980.0))
        }
    )
    gaussian = fit_gaussian(compounds, np.arange(len(compounds)))
    head = tune_paper(compounds, iron[:8], iron[8:])
    return {
        "gaussian": gaussian,
        "gaussian without shape": gaussian.without_shape(),
        "rigid": fit_rigid(compounds, iron),
        "rigid over a program": fit_rigid(compounds, iron, program),
        "head": head,
        "curves": program,
        "uncalibrated": Uncalibrated(),
        "per element": PerElement(
            {"Fe": fit_gaussian(compounds, iron), "Ti": fit_gaussian(compounds, titanium)}
        ),
    }


@pytest.fixture(scope="module")
def model(compounds, calibrations) -> Callable[[str], Checkpoint]:
    """A model with a calibration of some kind."""
    parent = compounds.model.checkpoint
    cards = {
        (element, "K"): AbsorberCard(grid, 9, 8, 0.02, simulated=parent.elements[element].grid)
        for element, grid in compounds.grids.items()
    }

    def made(kind: str) -> Checkpoint:
        return replace(parent, name="mine", cards=cards, calibration=calibrations[kind])

    return made


@pytest.fixture(scope="module")
def files(model, tmp_path_factory) -> Mapping[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    paths = {kind: folder / f"{kind.replace(' ', '_')}.safetensors" for kind in KINDS}
    for kind, path in paths.items():
        model(kind).save(path)
    return paths


def answers(compounds: Compounds, calibration: Calibration) -> list[Calibrated]:
    """What a calibration says of all compounds."""
    return [calibration.spectra(s, compounds.grids[s.absorber]) for s in compounds.sites]


def same(one: Calibrated, two: Calibrated) -> bool:
    """Whether answers agree but for rounding: tensors lie in another order in memory."""
    pairs = [(getattr(one, f.name), getattr(two, f.name)) for f in fields(Calibrated)]
    if any((a is None) != (b is None) for a, b in pairs):
        return False
    return all(np.allclose(a, b, rtol=0, atol=SAME) for a, b in pairs if a is not None)


def salt(metal: str = "Fe", a: float = 4.24) -> Structure:
    return Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(a), [metal, "O"], [[0, 0, 0], [0.5, 0.5, 0.5]]
    ).get_primitive_structure()


def content(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return tensors, json.loads(file.metadata()["cgxas"])


@pytest.fixture
def rewritten(rewrite_model, tmp_path):
    """Copies a model with other tensors or another description, its hashes being right."""

    def copy(model: Path, change: Callable[[dict, dict], object]) -> Path:
        path = tmp_path / "a.safetensors"
        rewrite_model(model, path, lambda description, tensors: change(tensors, description))
        return path

    return copy


@each_kind
def test_it_comes_back_and_answers_the_same(compounds, model, files, kind):
    kept, found = model(kind), load_checkpoint(files[kind])
    assert found.is_calibrated
    assert type(found.calibration) is type(kept.calibration)
    assert found.calibration.kind == kept.calibration.kind
    assert json.dumps(found.calibration.values) == json.dumps(kept.calibration.values)
    assert found.calibration.tensors.keys() == kept.calibration.tensors.keys()
    assert found.cards == kept.cards
    assert found.sha256 == kept.sha256
    pairs = zip(*(answers(compounds, m.calibration) for m in (kept, found)), strict=True)
    assert all(same(one, two) for one, two in pairs)


@each_kind
def test_a_band_is_told_only_where_it_was_learnt(compounds, files, kind):
    for answer in answers(compounds, load_checkpoint(files[kind]).calibration):
        assert (answer.sigma is not None) == (kind in WITH_SIGMA)
        assert (answer.edge_sigma is not None) == (kind in WITH_EDGE_SIGMA)
        assert answer.mean.shape == (100,)
        assert answer.sites.shape[1:] == (100,)


@each_kind
def test_saved_again_it_is_the_same_file(files, tmp_path, kind):
    load_checkpoint(files[kind]).save(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == files[kind].read_bytes()


@pytest.mark.filterwarnings("ignore::cgxas.errors.FarFromMeasuredWarning")
@each_kind
def test_it_answers_for_crystals(model, files, kind):
    kept, found = Predictor(model(kind)), load(files[kind])
    if kind in OF_COMPOUNDS:
        with pytest.raises(UnsupportedAbsorber, match="there is no curve of Fe in this compound"):
            found.predict(salt(), "Fe")
        return
    one, two = (each.predict(salt(), "Fe") for each in (kept, found))
    np.testing.assert_allclose(one.norm, two.norm, rtol=0, atol=SAME_CURVE)
    assert (two.sigma is not None) == (kind in WITH_SIGMA)
    if two.sigma is not None:
        np.testing.assert_allclose(one.sigma, two.sigma, rtol=0, atol=SAME_CURVE)


def test_all_kinds_have_hashes_of_their_own(model, random_model):
    hashes = {model(kind).sha256 for kind in KINDS}
    assert len(hashes | {load_checkpoint(random_model).sha256}) == len(KINDS) + 1


@each_kind
def test_whatever_decides_an_answer_is_hashed(model, kind):
    kept = model(kind)

    def changed(**told: Any) -> Checkpoint:
        own = kept.calibration
        usual = {"kind": own.kind, "values": own.values, "tensors": own.tensors}
        return replace(kept, calibration=SimpleNamespace(**usual | told))

    assert changed().sha256 == kept.sha256
    others = [changed(kind="another"), changed(values={**kept.calibration.values, "more": 1})]
    others.append(changed(tensors={**kept.calibration.tensors, "more": torch.zeros(1)}))
    assert len({each.sha256 for each in (kept, *others)}) == 4


@each_kind
def test_an_unchanged_copy_loads(files, rewritten, kind):
    path = rewritten(files[kind], lambda *_: None)
    assert path.read_bytes() == files[kind].read_bytes()


def refused(path: Path) -> bool:
    try:
        load_checkpoint(path)
    except DamagedCheckpoint as error:
        assert str(error).startswith(f"{path}: the description of the model is damaged")
        return True
    return False


@each_kind
def test_tensors_that_are_missing_foreign_or_do_not_fit(files, rewritten, kind):
    names = [name for name in content(files[kind])[0] if name.startswith("calibration.")]
    assert bool(names) == (kind not in ("rigid", "uncalibrated"))
    names = names[:: 1 if kind == "gaussian" else 5]

    def refuses(change: Callable[[dict, dict], object]) -> bool:
        return refused(rewritten(files[kind], change))

    assert refuses(lambda t, _: t.update({"calibration.colour": torch.zeros(3).double()}))
    assert refuses(lambda t, _: t.update({"calibration.Cu.0": torch.zeros(2, 3).double()}))
    for name in names:
        assert refuses(lambda t, _: t.pop(name)), f"without {name}"  # noqa: B023
        assert refuses(lambda t, _: t.update({name: t[name][None]})), f"{name} with one more axis"  # noqa: B023
        assert refuses(lambda t, _: t.update({name: t[name].view(-1)[:1][0].clone()})) or (  # noqa: B023
            content(files[kind])[0][name].ndim == 0
        ), f"{name} as one number"


@each_kind
def test_numbers_that_are_not_finite(files, rewritten, kind):
    tensors, _ = content(files[kind])
    names = [n for n, t in tensors.items() if "calibration." in n and t.is_floating_point()]
    for name in names:

        def spoil(tensors: dict, _: dict) -> None:
            tensors[name].view(-1)[0] = torch.inf  # noqa: B023

        with pytest.raises(DamagedCheckpoint, match="some weights are not finite"):
            load_checkpoint(rewritten(files[kind], spoil))


def values(**changed: Any) -> Callable[[dict, dict], object]:
    return lambda _, told: told["calibration"]["values"].update(changed)


def inner(absorber: str, **changed: Any) -> Callable[[dict, dict], object]:
    return lambda _, told: told["calibration"]["values"][absorber].update(changed)


def features(**changed: Any) -> Callable[[dict, dict], object]:
    return lambda _, told: told["calibration"]["values"]["features"].update(changed)


@each_kind
@pytest.mark.parametrize(
    "change",
    [
        lambda _, told: told["calibration"].pop("kind"),
        lambda _, told: told["calibration"].pop("values"),
        lambda _, told: told["calibration"].update(values=[1, 2]),
        lambda _, told: told["calibration"].update(values=7),
        lambda _, told: told.update(calibration="gaussian"),
    ],
    ids=range(5),
)
def test_descriptions_that_are_damaged(files, rewritten, kind, change):
    assert refused(rewritten(files[kind], change))


@pytest.mark.parametrize("name", ["magic", None, ["gaussian"]], ids=str)
def test_kinds_of_a_package_that_was_not_imported(files, rewritten, name):
    message = f"a.safetensors: there is no calibration of the kind {name!r}; import the package"
    for kind, about in (
        ("gaussian", lambda told: told["calibration"]),
        ("per element", lambda told: told["calibration"]["values"]["Ti"]),
    ):
        path = rewritten(files[kind], lambda _, told: about(told).update(kind=name))  # noqa: B023
        with pytest.raises(ForeignCheckpoint, match=re.escape(message)):
            load_checkpoint(path)


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("gaussian", values(terms=None)),
        ("gaussian", values(terms={"offset": [{"feature": "colour"}], "shape": []})),
        ("gaussian", values(features=None)),
        ("gaussian", features(broadening=-1.0)),
        ("gaussian", features(broadening="wide")),
        ("gaussian", features(step=0.0)),
        ("gaussian", features(step=-1.0)),
        ("gaussian", features(step=1e-12)),
        ("gaussian", features(first=60.0)),
        ("gaussian", features(last=float("inf"))),
        ("gaussian", features(colour="red")),
        ("rigid", values(shift=float("nan"))),
        ("rigid", values(shift="far")),
        ("rigid", values(shift=None)),
        ("rigid", values(width=-0.5)),
        ("rigid", values(width=float("inf"))),
        ("rigid", values(program={"names": {"Fe": ["FeO0"]}})),
        ("rigid over a program", values(program=None)),
        ("rigid over a program", values(program={})),
        ("rigid over a program", values(program={"names": {}})),
        ("curves", values(names={"Fe": []})),
        ("curves", values(names=["Fe"])),
        ("curves", values(names={"Fe": ["twice"] * 10, "Ti": ["a", "b", "c", "d"] * 2})),
        ("head", values(further=1)),
        ("uncalibrated", values(further=1)),
        ("per element", values(Fe=None)),
        ("per element", inner("Fe", kind="rigid")),
        ("per element", inner("Ti", values={})),
        ("per element", lambda _, told: told["calibration"]["values"].pop("Ti")),
    ],
)
def test_values_that_are_wrong(files, rewritten, kind, change):
    assert refused(rewritten(files[kind], change))


def test_curves_whose_energies_do_not_increase(files, rewritten):
    def fold(tensors: dict, _: dict) -> None:
        tensors["calibration.Fe.0"][0, 10] = tensors["calibration.Fe.0"][0, 9]

    assert refused(rewritten(files["curves"], fold))


@each_kind
def test_what_was_altered_afterwards_is_noticed(files, tmp_path, kind):
    tensors, told = content(files[kind])
    told["absorbers"]["Fe K"]["grid"]["e_min"] += 1
    save_file(tensors, tmp_path / "a.safetensors", metadata={"cgxas": json.dumps(told)})
    with pytest.raises(DamagedCheckpoint, match="altered after it was written"):
        load_checkpoint(tmp_path / "a.safetensors")
    told["absorbers"]["Fe K"]["grid"]["e_min"] -= 1
    names = [n for n, t in tensors.items() if "calibration." in n and t.is_floating_point()]
    for name in names[:1]:
        tensors[name].view(-1)[0] += 1e-3
        save_file(tensors, tmp_path / "a.safetensors", metadata={"cgxas": json.dumps(told)})
        with pytest.raises(DamagedCheckpoint, match="altered after it was written"):
            load_checkpoint(tmp_path / "a.safetensors")


def test_a_header_may_be_as_long_as_the_name_of_zip_files(model, tmp_path):
    """Its length stands first in the file; 19280 reads PK, as a zip file begins."""
    path, kept = tmp_path / "a.safetensors", model("rigid")
    kept.save(path)
    length = struct.unpack("<Q", path.read_bytes()[:8])[0]
    replace(kept, name="m" * (len(kept.name) + 19280 - length)).save(path)
    assert path.read_bytes()[:2] == b"PK"
    assert load_checkpoint(path).calibration.shift == kept.calibration.shift


# Models that leave their network to a bundled one.


@pytest.fixture
def bundle(tmp_path, monkeypatch) -> Path:
    """A folder whose models are the bundled ones."""
    folder = tmp_path / "bundle"
    folder.mkdir()
    real = room.located
    monkeypatch.setattr(room, "bundled", lambda: tuple(p.stem for p in folder.iterdir()))
    monkeypatch.setattr(
        room,
        "located",
        lambda m: folder / f"{m}.safetensors" if m in room.bundled() else real(m),
    )
    return folder


@pytest.fixture
def parent(bundle, compounds) -> Checkpoint:
    found = compounds.model.checkpoint
    found.save(bundle / "random.safetensors")
    return found


@each_kind
def test_a_thin_model_is_the_same_model(compounds, model, files, parent, tmp_path, kind):
    kept, path = model(kind), tmp_path / "thin.safetensors"
    kept.save(path, parent=parent)
    tensors, told = content(path)
    assert all(name.startswith("calibration.") for name in tensors)
    assert told["parent"] == {"name": "random", "sha256": parent.sha256}
    assert path.stat().st_size < files[kind].stat().st_size - 4 * sum(
        tensor.numel() for tensor in parent.state.values()
    )
    found = load_checkpoint(path)
    assert found.sha256 == kept.sha256
    assert all(torch.equal(t, parent.state[n]) for n, t in found.state.items())
    pairs = zip(*(answers(compounds, m.calibration) for m in (kept, found)), strict=True)
    assert all(same(one, two) for one, two in pairs)
    found.save(tmp_path / "whole.safetensors")  # it can stand alone again
    assert (tmp_path / "whole.safetensors").read_bytes() == files[kind].read_bytes()


def test_a_thin_model_may_be_bundled_itself(model, parent, bundle):
    model("gaussian").save(bundle / "mine.safetensors", parent=parent)
    assert load_checkpoint("mine").sha256 == model("gaussian").sha256
    assert load("mine").absorbers == ("Fe", "Ti")


@each_kind
def test_a_thin_model_without_its_parent(model, parent, bundle, tmp_path, kind):
    path = tmp_path / "thin.safetensors"
    model(kind).save(path, parent=parent)
    (bundle / "random.safetensors").unlink()
    with pytest.raises(CheckpointNotFound) as refusal:
        load_checkpoint(path)
    assert str(refusal.value) == (
        f"{path} holds a calibration of random alone, which this cgxas does not have; install the "
        "cgxas it came with"
    )


def other_weights(parent: Checkpoint) -> Checkpoint:
    state = {name: tensor.clone() for name, tensor in parent.state.items()}
    state["embedding.linear.weight"][0, 0] += 1e-3
    return replace(parent, state=state)


def other_settings(parent: Checkpoint) -> Checkpoint:
    return replace(parent, config=replace(parent.config, head_activation="elu"))


def test_a_thin_model_has_settings_of_its_own(model, parent, bundle, tmp_path):
    """A later cgxas may describe the parent in other words; its network alone is lent."""
    path = tmp_path / "thin.safetensors"
    saved = model("gaussian")
    saved.save(path, parent=parent)
    other_settings(parent).save(bundle / "random.safetensors")
    found = load_checkpoint(path)
    assert found.config == parent.config
    assert found.sha256 == saved.sha256


def test_a_thin_model_of_another_parent(model, parent, bundle, tmp_path):
    path = tmp_path / "thin.safetensors"
    model("gaussian").save(path, parent=parent)
    other_weights(parent).save(bundle / "random.safetensors")
    with pytest.raises(CheckpointVersion) as refusal:
        load_checkpoint(path)
    assert str(refusal.value) == (
        f"{path} was made of another random than this cgxas has; install the cgxas it came with"
    )


def test_a_thin_model_of_a_damaged_parent(model, parent, bundle, tmp_path):
    path = tmp_path / "thin.safetensors"
    model("gaussian").save(path, parent=parent)
    whole = (bundle / "random.safetensors").read_bytes()
    (bundle / "random.safetensors").write_bytes(whole[:-1])
    with pytest.raises(DamagedCheckpoint, match=r"random\.safetensors is cut short"):
        load_checkpoint(path)


def test_only_the_network_of_the_parent_can_be_left_out(model, parent, tmp_path):
    with pytest.raises(ConfigError, match="mine does not have the network of random"):
        model("rigid").save(tmp_path / "a.safetensors", parent=other_weights(parent))
    assert not (tmp_path / "a.safetensors").exists()


def test_a_thin_model_tells_nothing_of_the_network(model, parent, rewritten, tmp_path):
    """Else a weight that no hash covers would stand in for that of the parent."""
    thin = tmp_path / "thin.safetensors"
    model("gaussian").save(thin, parent=parent)

    def smuggle(tensors: dict, _: dict) -> None:
        tensors["embedding.linear.weight"] = parent.state["embedding.linear.weight"] + 1

    assert refused(rewritten(thin, smuggle))


@pytest.mark.parametrize("told", [None, "random", {}, {"name": "random"}, {"name": "x" * 9}])
def test_a_thin_model_that_names_no_parent(model, parent, rewritten, tmp_path, told):
    thin = tmp_path / "thin.safetensors"
    model("gaussian").save(thin, parent=parent)
    assert refused(rewritten(thin, lambda _, d: d.update(parent=told)))
