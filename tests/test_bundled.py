"""The bundled model is what its description says."""

from pathlib import Path

import numpy as np
import pytest

import cgxas
from cgxas.data.compile import CompiledData
from cgxas.data.split import SplitSettings
from cgxas.elements import ABSORBERS, atomic_number
from cgxas.evaluation.testing import retest
from cgxas.spectra.xray import WINDOWS

NAME = "universal"
MANY = 100
EXAMPLES = Path(__file__).parents[1] / "examples"

pytestmark = pytest.mark.skipif(NAME not in cgxas.bundled(), reason="no bundled model")


@pytest.fixture(scope="module")
def checkpoint() -> cgxas.Checkpoint:
    return cgxas.load_checkpoint(NAME)


def test_it_answers_for_all_48_absorbers_on_their_windows(checkpoint):
    assert tuple(checkpoint.elements) == ABSORBERS
    assert all(card.grid == WINDOWS[symbol, "K"] for symbol, card in checkpoint.elements.items())
    assert checkpoint.provenance["configuration"]["split"]["by"] == "formula"


def test_few_training_spectra_are_warned_of(checkpoint):
    assert checkpoint.elements["Fe"].n_train < MANY < checkpoint.elements["Ti"].n_train
    predictor = cgxas.Predictor(checkpoint)
    with pytest.warns(cgxas.FewTrainingSpectraWarning, match=r"Fe \(\d+\)"):
        predictor.predict(EXAMPLES / "FeS2_pyrite.cif", "Fe")
    assert predictor.predict(EXAMPLES / "TiO2_rutile.cif", "Ti").e0 == pytest.approx(4979, abs=3)


def test_its_scores_on_formulas_it_never_saw_beat_both_baselines(checkpoint):
    many = [s for s, card in checkpoint.elements.items() if card.n_train >= MANY]
    assert many == ["Ti", "V", "Cr", "Co", "Ni", "Cu"]
    for symbol in many:
        card = checkpoint.elements[symbol]
        assert card.n_test > 30
        assert card.test_rse < 0.017
        assert card.test_pcc > 0.97
    told = checkpoint.provenance["metrics"]
    assert told["rse"]["mean"] < min(told["rse_mean_spectrum"], told["rse_nearest"]) / 3


def test_it_is_better_than_either_baseline_on_data_that_have_grown_since(checkpoint, shared):
    """At most one in six of these spectra was there when the model was trained."""
    data = CompiledData.read([shared / "data" / "sim_feff10"], checkpoint.config)
    evaluation = retest(checkpoint, data, data.divide(SplitSettings()))
    heavy = [scores for symbol, scores in evaluation.elements.items() if atomic_number(symbol) > 20]
    count = np.array([scores.n for scores in heavy])
    names = ("rse_mean_spectrum", "rse_nearest")
    ours = np.average([scores.rse.mean for scores in heavy], weights=count)
    for name in names:
        dull = np.average([getattr(scores, name) for scores in heavy], weights=count)
        assert ours < 0.8 * dull


def test_it_tells_theories_apart(checkpoint):
    usual = cgxas.Predictor(checkpoint)
    assert checkpoint.elements["Ti"].fidelity == "FEFF9"
    rutile = EXAMPLES / "TiO2_rutile.cif"
    as_usual = usual.predict(rutile, "Ti").norm
    assert (cgxas.Predictor(checkpoint, "FEFF9").predict(rutile, "Ti").norm == as_usual).all()
    assert (
        abs(cgxas.Predictor(checkpoint, "VASP").predict(rutile, "Ti").norm - as_usual).max() > 0.01
    )
