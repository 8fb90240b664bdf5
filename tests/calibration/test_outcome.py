"""Scores are summed up, and models are learnt from all compounds."""

import json
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from pymatgen.core import Lattice, Structure

from cgxas.calibration.calibrators import calibrated
from cgxas.calibration.measured import Compounds, read_compounds
from cgxas.calibration.outcome import SCORES, finish, summaries
from cgxas.calibration.paper import tune_paper
from cgxas.calibration.repeats import draw_repeats
from cgxas.calibration.run import CalibrationSettings, trials
from cgxas.calibration.trials import Summary, Trial
from cgxas.data.split import PARTS
from cgxas.errors import OutputError
from cgxas.model.checkpoint import Checkpoint, load_checkpoint
from cgxas.predict import Predictor
from cgxas.spectra.metrics import rse
from cgxas.spectra.xray import WINDOWS

DEFAULT = CalibrationSettings("mine", ("Fe", "Ti"), ("gaussian", "rigid"), repeats=2)
PAPER = CalibrationSettings("mine", ("Fe", "Ti"), ("paper",), repeats=1)


@pytest.fixture(scope="module")
def compounds(measured_folder, random_model) -> Compounds:
    return read_compounds([measured_folder], load_checkpoint(random_model))


@pytest.fixture(scope="module")
def found(compounds, tmp_path_factory) -> list[Trial]:
    return trials(DEFAULT, compounds, tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def made(compounds, found, tmp_path_factory):
    """A folder that was finished, and its model."""
    folder = tmp_path_factory.mktemp("mine")
    (file,) = finish(DEFAULT, compounds, found, folder, "cgxas calibrate it")
    return folder, load_checkpoint(file)


@pytest.fixture(scope="module")
def tuned(compounds, tmp_path_factory) -> dict[str, Checkpoint]:
    folder = tmp_path_factory.mktemp("paper")
    tried = trials(PAPER, compounds, folder)
    return {f.name: load_checkpoint(f) for f in finish(PAPER, compounds, tried, folder, "paper")}


def crystal(measured_folder, name: str) -> Structure:
    rows = pq.read_table(measured_folder / "materials.parquet").to_pylist()
    row = next(row for row in rows if row["material_id"] == name)
    lattice, places = (np.reshape(row[key], (-1, 3)) for key in ("lattice", "frac_coords"))
    return Structure(Lattice(lattice), row["species"], places)


def test_scores_are_summaries_of_the_trials(found):
    scores = summaries(found)
    assert list(scores) == ["Fe", "Ti"]
    for element, methods in scores.items():
        assert list(methods) == ["uncalibrated", "gaussian", "rigid"]
        for name, parts in methods.items():
            mine = [t for t in found if (t.element, t.method) == (element, name)]
            assert len(mine) == 2
            for part in PARTS:
                for quantity in ("rse", "edge"):
                    assert parts[part][quantity] == vars(Summary.of(mine, quantity, part))
    assert scores["Fe"]["gaussian"]["test"]["rse"]["mean"] > 0
    assert scores["Fe"]["gaussian"]["test"]["rse"]["deviation"] > 0


def test_the_scores_are_written(made, found):
    folder, _ = made
    assert json.loads((folder / SCORES).read_text()) == summaries(found)


def test_a_model_tells_how_it_was_tested(made, compounds, found):
    folder, model = made
    assert model.name == "mine"
    assert (folder / "mine.safetensors").exists()
    scores = summaries(found)
    assert list(model.elements) == ["Fe", "Ti"]
    for element, n_compounds, n_scans in (("Fe", 10, 15), ("Ti", 8, 12)):
        card, test = model.elements[element], scores[element]["gaussian"]["test"]
        assert (card.test_rse, card.test_e0) == (test["rse"]["mean"], test["edge"]["mean"])
        assert (card.n_test, card.n_train) == (n_compounds, n_scans)
        assert (card.grid, card.simulated) == (compounds.grids[element], WINDOWS[element])
    told = model.provenance
    assert told["command"] == "cgxas calibrate it"
    assert told["parent"] == {"name": "random", "tensors_sha256": compounds.model.sha256}
    assert told["data_sha256"] == compounds.data.sha256
    assert (told["compounds"], told["sources"]) == ({"Fe": 10, "Ti": 8}, {"bench": 27})
    assert told["configuration"]["repeats"] == 2
    assert told["metrics"]["Fe"] == scores["Fe"]["gaussian"]["test"]


def test_the_model_has_learnt_from_all_and_kept_its_network(made, compounds):
    _, model = made
    assert model.calibration is not None
    assert len(model.calibration.share) == len(compounds) == 18
    assert model.state.keys() == compounds.model.state.keys()
    assert all(torch.equal(t, compounds.model.state[n]) for n, t in model.state.items())
    everything = np.flatnonzero(compounds.element == "Fe")
    spectra, _ = calibrated(compounds, model.calibration, everything)
    assert rse(compounds.target[everything], spectra).max() < 2e-3


def test_the_model_answers_for_a_crystal_as_it_did_for_its_compound(
    made, compounds, measured_folder
):
    _, model = made
    number = int(np.flatnonzero(compounds.name == "FeS6")[0])
    ((mu,), (sigma,)) = calibrated(compounds, model.calibration, np.array([number]))
    spectrum = Predictor(model).predict(crystal(measured_folder, "FeS6"), "Fe")
    np.testing.assert_allclose(spectrum.norm, mu, atol=1e-5)
    np.testing.assert_allclose(spectrum.sigma, sigma, atol=1e-5)


def test_the_papers_way_makes_a_model_of_each_element(tuned, compounds, random_model):
    parent = load_checkpoint(random_model)
    assert list(tuned) == ["mine_Fe.safetensors", "mine_Ti.safetensors"]
    for element, model in zip(("Fe", "Ti"), tuned.values(), strict=True):
        assert (model.name, list(model.elements)) == (f"mine_{element}", [element])
        assert model.calibration is None
        assert model.elements[element].grid == model.elements[element].network_grid
        changed = [n for n, t in model.state.items() if not torch.equal(t, parent.state[n])]
        assert changed
        assert all(name.startswith("head_layers.") for name in changed)
        assert model.state.keys() == parent.state.keys()


def test_the_papers_model_answers_as_the_tuned_head(tuned, compounds, measured_folder):
    repeat = next(draw_repeats(compounds, "Fe", count=1))
    train = np.concatenate([repeat.train, repeat.test])
    number = int(np.flatnonzero(compounds.name == "FeN2")[0])
    (expected,) = tune_paper(compounds, "Fe", train, repeat.validation)(np.array([number]))
    predictor = Predictor(tuned["mine_Fe.safetensors"])
    spectrum = predictor.predict(crystal(measured_folder, "FeN2"), "Fe")
    np.testing.assert_allclose(spectrum.norm, expected, atol=1e-5)
    assert spectrum.sigma is None


def test_nothing_is_written_where_there_is_no_folder(compounds, found, tmp_path):
    with pytest.raises(OutputError):
        finish(replace(DEFAULT, name="a"), compounds, found, tmp_path / "none", "command")
    assert list(tmp_path.iterdir()) == []
