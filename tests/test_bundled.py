"""The bundled model is what its description says."""

from pathlib import Path

import pytest
from pymatgen.core import Lattice, Structure

import cgxas
from cgxas.elements import ABSORBERS

NAME = "universal"
MANY = 100
EXAMPLES = Path(__file__).parents[1] / "examples"

pytestmark = pytest.mark.skipif(NAME not in cgxas.bundled(), reason="no bundled model")


@pytest.fixture(scope="module")
def checkpoint() -> cgxas.Checkpoint:
    return cgxas.load_checkpoint(NAME)


def test_it_answers_for_all_48_absorbers_about_their_edges(checkpoint):
    assert tuple(checkpoint.elements) == ABSORBERS
    assert checkpoint.config.architecture == "smooth"
    assert checkpoint.config.axis == "edge"
    assert checkpoint.provenance["configuration"]["split"]["by"] == "formula"
    assert checkpoint.kernel is not None
    assert checkpoint.trust is not None


@pytest.mark.filterwarnings("ignore::cgxas.errors.FarFromTrainingWarning")  # salts that are none
@pytest.mark.parametrize("symbol", ["Li", "O", "S", "Ti", "Fe", "Se", "Ag", "I"])
def test_windows_begin_before_the_edge_and_reach_beyond_it(checkpoint, symbol):
    grid = checkpoint.elements[symbol].grid
    structure = Structure.from_spacegroup(
        "Fm-3m",
        Lattice.cubic(5.6),
        ["K", symbol] if symbol != "I" else ["Na", "I"],
        [[0, 0, 0], [0.5, 0.5, 0.5]],
    )
    found = cgxas.Predictor(checkpoint).predict(structure, symbol)
    assert grid.e_min <= found.half_step - 15
    assert grid.e_max >= found.half_step + 50
    assert 0 <= found.norm[0] < 0.1  # the hole of iodine is 10 eV wide
    assert found.norm.min() >= 0
    assert 0.8 < found.norm[-1] < 1.2


def test_answers_tell_how_far_to_trust_them(checkpoint):
    predictor = cgxas.Predictor(checkpoint)
    found = predictor.predict(EXAMPLES / "TiO2_rutile.cif", "Ti")
    assert found.trust.word in {"seen", "near"}
    assert 0 < found.trust.expected_rse < 0.1
    assert (found.sigma > 0).any()
    lattice = Lattice.cubic(7.0)
    strange = Structure(lattice, ["Ti", "Xe"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    with pytest.warns(cgxas.FarFromTrainingWarning):
        assert predictor.predict(strange, "Ti").trust.word == "far"


def test_its_scores_on_formulas_it_never_saw_beat_both_baselines(checkpoint):
    many = [s for s, card in checkpoint.elements.items() if card.n_train >= MANY]
    assert {"Ti", "V", "Cr", "Co", "Ni", "Cu", "O", "S"} <= set(many)
    for symbol in ("Ti", "V", "Cr", "Co", "Ni", "Cu"):
        card = checkpoint.elements[symbol]
        assert card.n_test > 25
        assert card.test_rse < 0.017
        assert card.test_pcc > 0.97
    told = checkpoint.provenance["metrics"]
    assert told["rse"]["mean"] < min(told["rse_mean_spectrum"], told["rse_nearest"]) / 2


def test_it_tells_theories_apart(checkpoint):
    usual = cgxas.Predictor(checkpoint)
    assert checkpoint.elements["Ti"].fidelity == "FEFF9"
    rutile = EXAMPLES / "TiO2_rutile.cif"
    as_usual = usual.predict(rutile, "Ti").norm
    assert (cgxas.Predictor(checkpoint, "FEFF9").predict(rutile, "Ti").norm == as_usual).all()
    assert (
        abs(cgxas.Predictor(checkpoint, "VASP").predict(rutile, "Ti").norm - as_usual).max() > 0.01
    )
