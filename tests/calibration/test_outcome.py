"""Scores are summed up, and models are learnt from all compounds."""

import json
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from pymatgen.core import Lattice, Structure

from cgxas.calibration.calibrators import CALIBRATORS, UNCALIBRATED, answers, calibrator
from cgxas.calibration.measured import Compounds, read_compounds
from cgxas.calibration.outcome import SCORES, finish, summaries
from cgxas.calibration.paper import tune_paper
from cgxas.calibration.repeats import Repeat, draw_repeats
from cgxas.calibration.run import CalibrationSettings, trials
from cgxas.calibration.trials import FIGURES, Summary, Trial
from cgxas.data.split import PARTS
from cgxas.errors import OutputError
from cgxas.model.calibration.base import PerElement
from cgxas.model.checkpoint import Checkpoint, load_checkpoint
from cgxas.predict import Predictor
from cgxas.spectra.metrics import rse
from cgxas.spectra.xray import WINDOWS

DEFAULT = CalibrationSettings("mine", ("Fe", "Ti"), ("gaussian", "rigid"), repeats=2)
PAPER = CalibrationSettings("mine", ("Fe", "Ti"), ("paper",), repeats=1)
TOGETHER = {"gaussian", "offset", UNCALIBRATED}


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
    file = finish(DEFAULT, compounds, found, folder, "cgxas calibrate it")
    return folder, load_checkpoint(file)


@pytest.fixture(scope="module")
def tuned(compounds, tmp_path_factory) -> Checkpoint:
    folder = tmp_path_factory.mktemp("paper")
    tried = trials(PAPER, compounds, folder)
    return load_checkpoint(finish(PAPER, compounds, tried, folder, "paper"))


def crystal(measured_folder, name: str) -> Structure:
    rows = pq.read_table(measured_folder / "materials.parquet").to_pylist()
    row = next(row for row in rows if row["material_id"] == name)
    lattice, places = (np.reshape(row[key], (-1, 3)) for key in ("lattice", "frac_coords"))
    return Structure(Lattice(lattice), row["species"], places)


def number(compounds, name: str) -> int:
    return int(np.flatnonzero(compounds.name == name)[0])


def test_scores_are_summaries_of_the_trials(found):
    scores = summaries(found)
    assert list(scores) == ["Fe", "Ti"]
    for element, methods in scores.items():
        assert list(methods) == ["uncalibrated", "gaussian", "rigid"]
        for name, parts in methods.items():
            mine = [t for t in found if (t.element, t.method) == (element, name)]
            assert len(mine) == 2
            assert list(parts) == list(PARTS)
            for part in PARTS:
                assert list(parts[part]) == list(FIGURES if name == "gaussian" else FIGURES[:2])
                for figure, summary in parts[part].items():
                    assert summary == vars(Summary.of(mine, figure, part))
    assert scores["Fe"]["gaussian"]["test"]["rse"]["mean"] > 0
    assert scores["Fe"]["gaussian"]["test"]["rse"]["deviation"] > 0


def test_the_scores_are_written(made, found):
    folder, _ = made
    assert json.loads((folder / SCORES).read_text()) == summaries(found)


def test_a_model_tells_how_it_was_tested(made, compounds, found):
    folder, model = made
    assert model.name == "mine"
    assert [f.name for f in folder.glob("*.safetensors")] == ["mine.safetensors"]
    scores = summaries(found)
    # It answers for all elements of the network, also for those that nobody has measured.
    assert model.cards.keys() == compounds.model.checkpoint.cards.keys()
    for element, n_compounds, n_scans in (("Fe", 10, 15), ("Ti", 8, 12)):
        card, test = model.elements[element], scores[element]["gaussian"]["test"]
        assert (card.test_rse, card.test_half_step_error) == (
            test["rse"]["mean"],
            test["half_step"]["mean"],
        )
        assert (card.n_test, card.n_train) == (n_compounds, n_scans)
        assert (card.grid, card.simulated) == (compounds.grids[element], WINDOWS[element, "K"])
    told, parent = model.provenance, compounds.model.checkpoint
    assert told["command"] == "cgxas calibrate it"
    assert told["parent"] == {"name": "random", "sha256": parent.sha256}
    assert told["data_sha256"] == compounds.data.sha256
    assert (told["compounds"], told["sources"]) == ({"Fe": 10, "Ti": 8}, {"bench": 27})
    assert told["configuration"]["repeats"] == 2
    assert told["metrics"]["Fe"] == scores["Fe"]["gaussian"]["test"]


def test_the_model_has_learnt_from_all_and_kept_its_network(made, compounds):
    _, model = made
    parent = compounds.model.checkpoint
    assert model.is_calibrated
    assert len(model.calibration.share) == len(compounds) == 18
    assert (model.config, model.bonds) == (parent.config, parent.bonds)
    assert model.state.keys() == parent.state.keys()
    assert all(torch.equal(t, parent.state[n]) for n, t in model.state.items())
    everything = np.flatnonzero(compounds.element == "Fe")
    spectra = answers(compounds, model.calibration, everything).norm
    assert rse(compounds.target[everything], spectra).max() < 2e-3


def test_the_model_answers_for_a_crystal_as_it_did_for_its_compound(
    made, compounds, measured_folder
):
    _, model = made
    expected = answers(compounds, model.calibration, np.array([number(compounds, "FeS6")]))
    spectrum = Predictor(model).predict(crystal(measured_folder, "FeS6"), "Fe")
    np.testing.assert_allclose(spectrum.norm, expected.norm[0], atol=1e-5)
    np.testing.assert_allclose(spectrum.sigma, expected.sigma[0], atol=1e-5)


@pytest.mark.filterwarnings("ignore::cgxas.errors.FarFromMeasuredWarning")
@pytest.mark.parametrize("name", CALIBRATORS)
def test_any_method_makes_one_model(compounds, measured_folder, tmp_path, name):
    """It answers for a crystal as what the method learns from all compounds."""
    config = replace(PAPER, methods=(name,))
    tried = trials(config, compounds, tmp_path)
    file = finish(config, compounds, tried, tmp_path, "cgxas calibrate it")
    assert file == tmp_path / "mine.safetensors"
    model = load_checkpoint(file)
    assert isinstance(model.calibration, PerElement) == (name not in TOGETHER)
    for compound in ("FeC3", "TiN2"):
        element, wanted = compound[:2], np.array([number(compounds, compound)])
        everything = of_all(compounds, None if name in TOGETHER else element)
        if calibrator(name).chooses:
            validation = next(draw_repeats(compounds, element, count=1)).validation
            train = np.setdiff1d(everything.train, validation)
            everything = replace(everything, train=train, validation=validation)
        expected = answers(compounds, calibrator(name).fit(compounds, everything), wanted)
        spectrum = Predictor(model).predict(crystal(measured_folder, compound), element)
        np.testing.assert_allclose(spectrum.norm, expected.norm[0], atol=2e-5)
        assert (spectrum.sigma is None) == (expected.sigma is None)
        if spectrum.sigma is not None:
            np.testing.assert_allclose(spectrum.sigma, expected.sigma[0], atol=2e-5)


def of_all(compounds, element: str | None) -> Repeat:
    """All compounds (of an element) to learn from."""
    mine = compounds.element == element
    everything = np.flatnonzero(mine if element else np.ones(len(compounds), bool))
    none = everything[:0]
    return Repeat(element or "Fe", 0, everything, none, none, none)


def test_the_papers_way_makes_a_head_of_each_element(tuned, compounds, random_model):
    parent = load_checkpoint(random_model)
    assert (tuned.name, list(tuned.elements)) == ("mine", ["Fe", "Ti"])
    assert isinstance(tuned.calibration, PerElement)
    assert list(tuned.calibration.parts) == ["Fe", "Ti"]
    heads = [part.network.state_dict() for part in tuned.calibration.parts.values()]
    for head in heads:
        changed = [n for n, t in head.items() if not torch.equal(t, parent.state[n])]
        assert changed
        assert all(name.startswith("head_layers.") for name in changed)
    assert any(not torch.equal(t, heads[1][n]) for n, t in heads[0].items())
    assert tuned.state.keys() == parent.state.keys()
    assert all(torch.equal(t, parent.state[n]) for n, t in tuned.state.items())
    for element, card in tuned.elements.items():
        assert (card.grid, card.network_grid) == (compounds.grids[element], WINDOWS[element, "K"])


def test_the_papers_model_answers_as_the_tuned_head(tuned, compounds, measured_folder):
    repeat = next(draw_repeats(compounds, "Fe", count=1))
    train = np.concatenate([repeat.train, repeat.test])
    head = tune_paper(compounds, train, repeat.validation)
    (expected,) = answers(compounds, head, np.array([number(compounds, "FeN2")])).norm
    spectrum = Predictor(tuned).predict(crystal(measured_folder, "FeN2"), "Fe")
    np.testing.assert_allclose(spectrum.norm, expected, atol=1e-5)
    assert spectrum.sigma is None


def test_nothing_is_written_where_there_is_no_folder(compounds, found, tmp_path):
    with pytest.raises(OutputError):
        finish(replace(DEFAULT, name="a"), compounds, found, tmp_path / "none", "command")
    assert list(tmp_path.iterdir()) == []
