"""A network and a calibration of another package, from training to a calibrated prediction.

They stand in tests/plug, and nothing of the package knows them: what works here works for
everybody who brings a network or a calibration of their own.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from pymatgen.core import Lattice, Structure

from cgxas.calibration import calibrators
from cgxas.calibration.calibrators import answers
from cgxas.calibration.measured import read_compounds
from cgxas.calibration.outcome import finish
from cgxas.calibration.run import CalibrationSettings, prepare, trials
from cgxas.cli import main
from cgxas.crystals.spec import GraphSpec
from cgxas.data.compile import CompiledData
from cgxas.errors import ConfigError, ForeignCheckpoint, Interrupted
from cgxas.evaluation.embedding import embed_crystals, read_crystals
from cgxas.evaluation.testing import retest, split_of
from cgxas.model import architecture
from cgxas.model.architecture import ArchitectureSettings
from cgxas.model.calibration import base
from cgxas.model.checkpoint import Checkpoint, load_checkpoint
from cgxas.predict import Predictor, load
from cgxas.training.fit import Silent
from cgxas.training.processes import ALONE
from cgxas.training.run import Run, carry_out, read_data
from cgxas.training.settings import RunSettings, SplitSettings, TrainingSettings

pytestmark = [
    pytest.mark.filterwarnings("ignore::cgxas.errors.FewTrainingSpectraWarning"),
    pytest.mark.filterwarnings("ignore::cgxas.errors.FarFromMeasuredWarning"),
]
PLUG = Path(__file__).parents[1] / "plug"
NAME = "median shift"
TOML = """
name = "small"

[model]
architecture = "tiny"
size = 6
n_outputs = 80
graph = { per_orbit = true, cutoff = 6.0 }

[training]
epochs = 60
batch_crystals = 2
learning_rate = 0.03
schedule = "constant"

[split]
by = "formula"
"""


@pytest.fixture(scope="module", autouse=True)
def _plugged() -> Iterator[None]:
    """What a package does when it is imported: it tells where its classes are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PLUG))
        patch.setattr(architecture, "_HOMES", dict(architecture._HOMES))
        patch.setattr(base, "_HOMES", dict(base._HOMES))
        architecture.register("tiny", "tiny_network:Tiny")
        base.register(NAME, "median_shift:MedianShift")
        from median_shift import MedianShiftCalibrator

        patch.setitem(calibrators.CALIBRATORS, NAME, MedianShiftCalibrator())
        yield


@pytest.fixture(scope="module")
def settings(tmp_path_factory) -> RunSettings:
    path = tmp_path_factory.mktemp("settings") / "small.toml"
    path.write_text(TOML)
    return RunSettings.from_toml(path)


@pytest.fixture(scope="module")
def data(settings, salts) -> CompiledData:
    return read_data([salts], settings.model, ALONE)


@pytest.fixture(scope="module")
def run(settings, data, tmp_path_factory) -> Run:
    path = tmp_path_factory.mktemp("runs") / "small"
    return Run(settings, data, data.divide(settings.split), path, "cgxas train small.toml")


@pytest.fixture(scope="module")
def trained(run) -> Path:
    carry_out(run)
    return run.path / "small.safetensors"


@pytest.fixture(scope="module")
def tuned(run, data, tmp_path_factory) -> tuple[Checkpoint, Checkpoint]:
    """A model that was not trained to the end, and the same with a tuned head."""
    folder = tmp_path_factory.mktemp("runs")
    early = run.config.changed(["training.epochs=10"])
    parent, _ = carry_out(replace(run, config=early, path=folder / "small"))
    config = RunSettings("ft_Fe", parent.config, run.config.training, run.config.split)
    split, command = split_of(parent, data), "cgxas finetune"
    carry_out(Run(config, data, split, folder / "ft", command, element="Fe", parent=parent))
    return parent, load_checkpoint(folder / "ft" / "ft_Fe.safetensors")


@pytest.fixture(scope="module")
def calibrated(trained, measured_folder, tmp_path_factory) -> Path:
    """What the second calibrator makes of the second network."""
    compounds = read_compounds([measured_folder], load_checkpoint(trained), ["Fe"])
    folder = tmp_path_factory.mktemp("runs") / "beamtime"
    config = CalibrationSettings("beamtime", ("Fe",), (NAME, "gaussian", "paper"), repeats=2)
    prepare(config, compounds, folder, "cgxas calibrate")
    found = trials(config, compounds, folder)
    return finish(config, compounds, found, folder, "cgxas calibrate")


def salt(a: float = 4.35) -> Structure:
    return Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(a), ["Fe", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]]
    )


def cgxas(*words: object) -> int:
    with pytest.raises(SystemExit) as end:
        main([str(word) for word in words])
    return int(end.value.code or 0)


def losses(folder: Path) -> list[float]:
    lines = (folder / "log.csv").read_text().splitlines()
    return [float(line.split(",")[2]) for line in lines[1:]]


def test_settings_of_another_network_are_read_and_checked(settings, tmp_path):
    from tiny_network import TinySettings

    assert type(settings.model) is TinySettings
    assert settings.model == TinySettings(
        size=6, n_outputs=80, graph=GraphSpec(per_orbit=True, cutoff=6.0)
    )
    (tmp_path / "again.toml").write_text(settings.to_toml())
    assert RunSettings.from_toml(tmp_path / "again.toml") == settings
    assert settings.changed(["model.shells=3"]).model.shells == 3
    for word, message in {
        "model.size=0": r"model\.size = 0; it must be a whole number from 1 to 64",
        "model.hidden=8": r"no key 'hidden' in \[model\]",
        "model.architecture=huge": "no architecture 'huge'; there are cgxas, smooth, tiny",
    }.items():
        with pytest.raises(ConfigError, match=message):
            settings.changed([word])
    assert ArchitectureSettings.from_dict(settings.model.to_dict()) == settings.model


def test_it_is_trained(run, trained):
    errors = losses(run.path)
    assert len(errors) == 60
    assert errors[-1] < 0.2 * errors[0]
    found = load_checkpoint(trained)
    assert (found.name, found.config) == ("small", run.config.model)
    assert list(found.elements) == ["O", "Fe"]
    assert found.elements["Fe"].test_rse < 0.01
    told = found.provenance["configuration"]["model"]
    assert ArchitectureSettings.from_dict(told) == found.config
    assert found.provenance["references"] == ["doi:10.0000/tiny"]


def test_a_stopped_training_ends_as_if_nothing_had_happened(run, trained, tmp_path):
    class Impatient(Silent):
        steps = 0

        def on_step(self, n_spectra: int) -> None:
            self.steps += 1

        def wants_to_stop(self) -> bool:
            return self.steps == 50

    again = replace(run, path=tmp_path / "small", watcher=Impatient())
    with pytest.raises(Interrupted):
        carry_out(again)
    carry_out(replace(again, resume=True, watcher=Silent()))
    found, expected = load_checkpoint(again.path / "small.safetensors"), load_checkpoint(trained)
    assert all(torch.equal(t, expected.state[n]) for n, t in found.state.items())


def test_it_is_saved_and_read(trained, tmp_path):
    from tiny_network import Tiny

    found = load_checkpoint(trained)
    network = found.network()
    assert isinstance(network, Tiny)
    assert "places" not in found.state  # constants are no part of a file, and are there again
    np.testing.assert_allclose(network.places, np.linspace(1, 6, 12), rtol=1e-6)
    found.save(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == trained.read_bytes()


def test_reading_it_leaves_random_numbers_alone(trained):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    load_checkpoint(trained).network()
    assert torch.equal(torch.rand(3), expected)


def test_it_predicts(trained):
    predictor = load(trained)
    assert predictor.absorbers == ("O", "Fe")
    found = predictor.predict(salt(), "Fe")
    assert found.sites[0].multiplicity == 4
    assert found.half_step == pytest.approx(found.energy[0] + 15, abs=6)
    smaller, wider = (predictor.predict(salt(a), "Fe").half_step for a in (4.1, 4.8))
    assert wider > smaller + 1  # as in the data it learnt from
    primitive = predictor.predict(salt().get_primitive_structure(), "Fe")
    np.testing.assert_allclose(primitive.norm, found.norm, atol=1e-5)
    (everything,) = predictor.predict_each([salt()], ["all"])
    assert {spectrum.absorber for spectrum in everything} == {"Fe", "O"}


def test_it_is_tested(trained, run, data):
    found = load_checkpoint(trained)
    evaluation = retest(found, data, split_of(found, data))
    assert evaluation.elements["Fe"].rse.mean == pytest.approx(found.elements["Fe"].test_rse)


def test_its_sites_are_embedded(trained, salts):
    found = load_checkpoint(trained)
    sites = embed_crystals(found, read_crystals([salts], found.config.graph), ["Fe"])
    assert sites.vector.shape == (10, 6 * 13)


def test_its_head_is_tuned(tuned):
    parent, found = tuned
    assert list(found.elements) == ["Fe"]
    assert found.provenance["parent"]["name"] == "small"
    changed = {n for n, t in found.state.items() if not torch.equal(t, parent.state[n])}
    assert changed == {"head_layers.0.weight", "head_layers.0.bias"}
    assert found.elements["Fe"].test_rse < parent.elements["Fe"].test_rse
    assert Predictor(found).predict(salt(), "Fe").norm.shape == (80,)


def test_it_is_calibrated_by_a_calibration_of_another_package(calibrated, trained):
    from median_shift import MedianShift

    found, parent = load_checkpoint(calibrated), load_checkpoint(trained)
    assert (found.name, list(found.elements)) == ("beamtime", ["Fe"])
    assert found.config == parent.config
    assert all(torch.equal(t, parent.state[n]) for n, t in found.state.items())
    part = found.calibration.parts["Fe"]
    assert isinstance(part, MedianShift)
    assert found.elements["Fe"].test_half_step_error < 3
    spectrum, plain = (load(path).predict(salt(4.24), "Fe") for path in (calibrated, trained))
    assert spectrum.half_step - plain.half_step == pytest.approx(part.shift, abs=0.5)
    np.testing.assert_array_equal(spectrum.sigma, part.misfit)


def test_a_calibrated_model_saved_again_answers_the_same(calibrated, tmp_path):
    found = load_checkpoint(calibrated)
    found.save(tmp_path / "again.safetensors")
    again = load_checkpoint(tmp_path / "again.safetensors")
    assert again.sha256 == found.sha256
    one, two = (load(p).predict(salt(), "Fe") for p in (calibrated, tmp_path / "again.safetensors"))
    np.testing.assert_array_equal(one.norm, two.norm)
    np.testing.assert_array_equal(one.sigma, two.sigma)


@pytest.mark.parametrize("name", ["gaussian", "alone", "offset", "paper", "rigid"])
def test_the_calibrations_of_the_package_take_any_network(trained, measured_folder, tmp_path, name):
    compounds = read_compounds([measured_folder], load_checkpoint(trained), ["Fe"])
    assert {reason for _, reason in compounds.left_out} == {"small has no answer for Ti"}
    config = CalibrationSettings("mine", ("Fe",), (name,), repeats=1)
    file = finish(config, compounds, trials(config, compounds, tmp_path), tmp_path, "")
    model = load_checkpoint(file)
    wanted = np.flatnonzero(compounds.name == "FeN2")
    expected = answers(compounds, model.calibration, wanted).norm[0]
    row = pq.read_table(measured_folder / "materials.parquet").to_pylist()[2]
    lattice, places = (np.reshape(row[key], (-1, 3)) for key in ("lattice", "frac_coords"))
    found = load(file).predict(Structure(Lattice(lattice), row["species"], places), "Fe")
    assert row["material_id"] == "FeN2"
    np.testing.assert_allclose(found.norm, expected, atol=1e-5)


def test_the_calibration_takes_the_network_of_the_package(random_model, measured_folder, tmp_path):
    compounds = read_compounds([measured_folder], load_checkpoint(random_model))
    config = CalibrationSettings("mine", ("Fe", "Ti"), (NAME,), repeats=1)
    file = finish(config, compounds, trials(config, compounds, tmp_path), tmp_path, "")
    assert {part.kind for part in load_checkpoint(file).calibration.parts.values()} == {NAME}
    assert load(file).predict(salt(), "Fe").sigma is not None


def test_the_command_line_knows_both(salts, measured_folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("small.toml").write_text(TOML)
    salt().to("salt.cif")
    assert cgxas("train", "small.toml", "training.epochs=3", "--data", salts, "-o", "run") == 0
    model = "run/small.safetensors"
    assert cgxas("predict", "salt.cif", "-a", "Fe", "--model", model, "-o", "a.csv") == 0
    assert Path("a.csv").read_text().startswith("energy,norm,sigma\n")
    words = ("--data", salts, "--element", "Fe", "-o", "ft")
    assert cgxas("finetune", model, *words) == 0
    assert load_checkpoint("ft/ft_Fe.safetensors").config.architecture == "tiny"
    assert cgxas("evaluate", model, salts) == 0
    assert cgxas("embed", model, salts, "-o", "sites.parquet") == 0
    words = ("--element", "Fe", "--method", NAME, "--repeats", "1", "-o", "mine")
    assert cgxas("calibrate", model, measured_folder, *words) == 0
    capsys.readouterr()
    assert cgxas("models", "info", "mine/mine.safetensors") == 0
    told = capsys.readouterr().out
    assert "12 shells of neighbours, 6 numbers per element" in told
    assert "12 within 6 A" in told
    words = ("--model", "mine/mine.safetensors", "-o", "b.csv")
    assert cgxas("predict", "salt.cif", "-a", "Fe", *words) == 0
    assert Path("b.csv").read_text().startswith("energy,norm,sigma\n")


def test_prepared_it_is_trained_where_there_is_only_torch(salts, tmp_path, monkeypatch):
    from cgxas.training.__main__ import main as train_prepared

    monkeypatch.chdir(tmp_path)
    Path("small.toml").write_text(TOML)
    words = ("train", "small.toml", "training.epochs=2", "--data", salts, "-o", "run")
    assert cgxas(*words, "--prepare") == 0
    assert train_prepared(["run"]) == 0
    assert len(losses(Path("run"))) == 2


def test_several_fidelities_are_told_apart(write_salts, tmp_path):
    from tiny_network import TinySettings

    folder = write_salts(tmp_path / "both", theories=("FEFF 9.9.1", "FEFF 10.0"))
    model = TinySettings(size=6, graph=GraphSpec(per_orbit=True), fidelities=("FEFF9", "FEFF10"))
    training = TrainingSettings(
        epochs=60, batch_crystals=2, learning_rate=0.03, schedule="constant"
    )
    config = RunSettings("two", model, training, SplitSettings())
    data = read_data([folder], model, ALONE)
    carry_out(Run(config, data, data.divide(config.split), tmp_path / "run", "train"))
    file = tmp_path / "run" / "two.safetensors"
    one, two = (load(file, fidelity=f).predict(salt(), "Fe") for f in ("FEFF9", "FEFF10"))
    assert two.half_step - one.half_step == pytest.approx(3, abs=1)


def test_without_their_package_they_are_refused_by_name(trained, calibrated, monkeypatch):
    def forget(room, name: str) -> None:
        monkeypatch.setattr(room, "_HOMES", {n: h for n, h in room._HOMES.items() if n != name})

    forget(base, NAME)
    with pytest.raises(ForeignCheckpoint) as refusal:
        load_checkpoint(calibrated)
    assert str(refusal.value) == (
        f"{calibrated}: there is no calibration of the kind 'median shift'; import the package "
        "that brings it"
    )
    forget(architecture, "tiny")
    with pytest.raises(ForeignCheckpoint) as refusal:
        load_checkpoint(trained)
    assert str(refusal.value) == (
        f"{trained}: there is no architecture 'tiny'; import the package that brings it"
    )


def test_both_are_whole_without_a_word_in_the_package():
    """The proof of the seam: no file of the package names them."""
    source = Path(architecture.__file__).parents[1]
    words = ("tiny", "TinySettings", "median shift", "MedianShift", "median_shift")
    for path in source.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert not any(f'"{word}"' in text or f" {word}(" in text for word in words), path


def test_a_checkpoint_of_another_network_is_built_by_hand(trained):
    """As somebody would who trained with a loop of their own."""
    found = load_checkpoint(trained)
    made = Checkpoint("mine", found.config, found.cards, found.network().state_dict())
    assert made.network().config == found.config
    assert not made.is_calibrated
