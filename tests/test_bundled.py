"""The bundled model is what its description says."""

from pathlib import Path

import pytest

import cgxas
from cgxas.elements import ABSORBERS
from cgxas.spectra.xray import WINDOWS
from cgxas.training.processes import ALONE
from cgxas.training.run import Data, retest, split_of

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


@pytest.fixture(scope="module")
def data(checkpoint, shared) -> Data:
    folders = [shared / "data" / name for name in checkpoint.provenance["data"]]
    return Data.read(folders, checkpoint.config, ALONE)


def test_it_beats_both_baselines_on_formulas_it_never_saw(checkpoint, data):
    split = split_of(checkpoint, data)
    formulas = [record.material.formula for record in data.records.records]
    assert not {formulas[n] for n in split.test} & {formulas[n] for n in split.train}
    many = [s for s, card in checkpoint.elements.items() if card.n_train >= MANY]
    assert many == ["Ti", "V", "Cr", "Co", "Ni", "Cu"]
    evaluation = retest(checkpoint, data, split)
    for symbol in many:
        scores, card = evaluation.elements[symbol], checkpoint.elements[symbol]
        assert scores.rse.mean < min(scores.rse_mean_spectrum, scores.rse_nearest)
        assert scores.rse.mean == pytest.approx(card.test_rse, rel=1e-3)
        assert scores.pcc.mean == pytest.approx(card.test_pcc, rel=1e-3)


def test_it_tells_theories_apart(checkpoint):
    usual = cgxas.Predictor(checkpoint)
    assert checkpoint.elements["Ti"].fidelity == "FEFF9"
    rutile = EXAMPLES / "TiO2_rutile.cif"
    as_usual = usual.predict(rutile, "Ti").norm
    assert (cgxas.Predictor(checkpoint, "FEFF9").predict(rutile, "Ti").norm == as_usual).all()
    assert (
        abs(cgxas.Predictor(checkpoint, "VASP").predict(rutile, "Ti").norm - as_usual).max() > 0.01
    )
