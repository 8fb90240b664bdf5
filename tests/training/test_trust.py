"""A trained model tells how far its answers can be trusted, and says so where they are guesses."""

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from cgxas.cli import main
from cgxas.crystals.spec import GraphSpec
from cgxas.data.split import SplitSettings
from cgxas.errors import CgxasWarning, FarFromTrainingWarning, FewTrainingSpectraWarning
from cgxas.model.cgxas.config import CGXASConfig
from cgxas.model.checkpoint import load_checkpoint
from cgxas.predict import Predictor
from cgxas.training.folder import open_run
from cgxas.training.run import Run, carry_out, read_data
from cgxas.training.settings import RunSettings, TrainingSettings

MODEL = CGXASConfig(
    hidden=8, n_modules=1, n_head_layers=1, wave_numbers=0, graph=GraphSpec(per_orbit=True)
)
TINY = RunSettings(
    "tiny", MODEL, TrainingSettings(epochs=2, batch_crystals=3), SplitSettings("formula", 0.6, 0.2)
)


@pytest.fixture(scope="module")
def run(salts, tmp_path_factory) -> Run:
    """A model of iron and oxygen in rock salts of edges from 4.0 to 4.9 A."""
    data = read_data([salts], MODEL)
    found = Run(TINY, data, data.divide(TINY.split), tmp_path_factory.mktemp("run"), "told")
    carry_out(found)
    return found


@pytest.fixture(scope="module")
def file(run) -> Path:
    return open_run(run.path).model


@pytest.fixture(scope="module")
def predictor(file) -> Predictor:
    return Predictor.load(file)


def salt(a: float, metal: str = "Fe") -> Structure:
    places = [[0, 0, 0], [0.5, 0.5, 0.5]]
    return Structure.from_spacegroup("Fm-3m", Lattice.cubic(a), [metal, "O"], places)


def test_what_was_learnt_from_stands_in_the_file(run, file):
    reference = load_checkpoint(file).trust
    assert reference.simulated.absorbers == ("O", "Fe")
    assert reference.simulated.compounds("Fe") == ("FeO",)
    assert len(reference.simulated.element) == 12  # two sites of each crystal of the training part
    assert reference.measured is None
    assert reference.band.relative.shape == (MODEL.n_outputs,)


def test_answers_have_trust_band_and_expected_error(run, predictor):
    learnt = run.data.records.records[int(run.split.train[0])].material.cell
    crystal = Structure(learnt.lattice, [int(z) for z in learnt.numbers], learnt.frac)
    with warnings.catch_warnings():
        warnings.simplefilter("error", CgxasWarning)
        (spectra,) = predictor.predict_each([crystal], ["all"])
    for spectrum in spectra:
        assert (spectrum.trust.word, spectrum.trust.nearest) == ("seen", "FeO")
        assert spectrum.trust.expected_rse > 0
        assert spectrum.sigma.shape == spectrum.norm.shape
        assert (spectrum.sigma > 0).all()


def test_a_guess_is_warned_of(predictor):
    with pytest.warns(
        FarFromTrainingWarning, match="MgO: O is far from FeO .*never met Mg"
    ) as all_:
        spectrum = predictor.predict(salt(4.2, "Mg"), "O")
    assert not [each for each in all_ if each.category is FewTrainingSpectraWarning]
    assert spectrum.trust.word == "far"
    near = predictor.predict(salt(4.45), "O")
    assert spectrum.trust.expected_rse > near.trust.expected_rse


@pytest.mark.filterwarnings("ignore::cgxas.errors.ReadingWarning")
def test_a_disordered_crystal_is_as_far_as_its_worst_part(predictor):
    mixed = salt(4.4)
    mixed[0] = {"Fe": 0.5, "Mg": 0.5}
    with pytest.warns(FarFromTrainingWarning, match="never met Mg beside O|never met Mg bonded"):
        spectrum = predictor.predict(mixed, "O", disorder="sample:2")
    assert spectrum.trust.word == "far"


def test_a_model_without_trust_tells_none(file):
    plain = Predictor(replace(load_checkpoint(file), trust=None))
    with pytest.warns(FewTrainingSpectraWarning, match="saw few"):
        spectrum = plain.predict(salt(4.2, "Mg"), "O")
    assert spectrum.trust is None
    assert spectrum.sigma is None


def test_altered_trust_is_noticed(file, rewrite_model, tmp_path):
    from cgxas.errors import DamagedCheckpoint

    def move_border(description, tensors):
        tensors["trust.simulated.border"] = tensors["trust.simulated.border"] * 2

    rewrite_model(file, tmp_path / "a.safetensors", move_border, rehash=False)
    with pytest.raises(DamagedCheckpoint, match="altered"):
        load_checkpoint(tmp_path / "a.safetensors")
    rewrite_model(file, tmp_path / "b.safetensors", move_border)
    found, before = load_checkpoint(tmp_path / "b.safetensors"), load_checkpoint(file)
    np.testing.assert_allclose(found.trust.simulated.border, 2 * before.trust.simulated.border)

    def shorten(description, tensors):
        tensors["trust.simulated.border"] = tensors["trust.simulated.border"][:5].clone()

    rewrite_model(file, tmp_path / "c.safetensors", shorten)
    with pytest.raises(DamagedCheckpoint, match="do not fit together"):
        load_checkpoint(tmp_path / "c.safetensors")


def told(capsys, *words: object) -> tuple[int, str, str]:
    capsys.readouterr()
    with pytest.raises(SystemExit) as end:
        main([str(word) for word in words])
    captured = capsys.readouterr()
    return end.value.code, captured.out, captured.err


def test_the_command_line_tells_it(file, tmp_path, capsys):
    salt(4.2, "Mg").to(filename=str(tmp_path / "periclase.cif"))
    words = "predict", tmp_path / "periclase.cif", "-a", "O", "-m", file
    code, out, err = told(capsys, *words)
    assert code == 0
    heading, row = out.splitlines()
    assert heading.rstrip().endswith("Trust  Nearest  Distance  Expected RSE  Because")
    assert row.split()[9:11] == ["far", "FeO"]
    (line,) = err.splitlines()
    assert line.startswith("cgxas: warning: ")
    assert "periclase.cif: O is far from FeO (" in line
    assert line.endswith("; take its spectrum as a guess")


def test_models_info_lists_what_was_learnt_from(file, random_model, capsys):
    _, out, _ = told(capsys, "models", "info", file)
    assert "Learnt from simulated compounds: O 1, Fe 1." in out
    assert told(capsys, "models", "info", file, "--learnt-from", "Fe")[:2] == (0, "FeO\n")
    code, _, err = told(capsys, "models", "info", file, "--learnt-from", "Ti")
    assert (code, err) == (2, "cgxas: tiny learnt from no compound of Ti\n")
    code, _, err = told(capsys, "models", "info", random_model, "--learnt-from", "Ti")
    assert code == 2
    assert "does not tell which compounds it learnt from" in err
