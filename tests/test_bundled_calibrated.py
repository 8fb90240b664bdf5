"""The bundled calibrated model lies on the measured spectra, as its description says."""

from pathlib import Path

import numpy as np
import pytest
from pymatgen.core import Structure

import cgxas
from cgxas.calibration.calibrators import METHODS
from cgxas.calibration.measured import Compounds, read_compounds
from cgxas.calibration.repeats import draw_repeats
from cgxas.model.calibration.gaussian import simulated_edge
from cgxas.spectra.metrics import rse
from cgxas.spectra.xray import WINDOWS

NAME = "calibrated"
EXAMPLES = Path(__file__).parents[1] / "examples"
COVERED = ("S", "Ti", "Cr", "Mn", "Fe", "Cu", "Zn", "Se")

pytestmark = pytest.mark.skipif(NAME not in cgxas.bundled(), reason="no bundled model")


@pytest.fixture(scope="module")
def predictor() -> cgxas.Predictor:
    return cgxas.load(NAME)


def test_it_tells_what_it_covers_and_where_it_came_from(predictor):
    assert predictor.absorbers == COVERED
    checkpoint = predictor.checkpoint
    parent = cgxas.load_checkpoint("universal")
    assert checkpoint.provenance["parent"]["tensors_sha256"] == parent.sha256
    for symbol, card in checkpoint.elements.items():
        assert card.n_test >= 8
        assert card.test_rse < 0.06
        assert card.test_e0 < 1.8
        assert (card.grid == WINDOWS[symbol, "K"]) == (symbol in {"S", "Ti", "Fe", "Cr"})


@pytest.mark.parametrize(
    ("name", "absorber", "edge"),
    [
        ("LiFePO4", "Fe", 7120.5),
        ("TiO2_rutile", "Ti", 4978.9),
        ("FeS2_pyrite", "S", 2469.7),
        ("FeS2_pyrite", "Fe", 7118.1),
    ],
)
def test_compounds_it_has_learnt_from_have_their_measured_edges(predictor, name, absorber, edge):
    spectrum = predictor.predict(EXAMPLES / f"{name}.cif", absorber)
    assert simulated_edge(spectrum.energy, spectrum.norm) == pytest.approx(edge, abs=0.8)
    assert 0 < spectrum.sigma.mean() < 0.2


def test_other_elements_have_no_calibration(predictor):
    with pytest.raises(cgxas.CgxasError, match="no calibration for Co in calibrated"):
        predictor.predict(EXAMPLES / "LiCoO2.cif", "Co")


def test_neither_batch_nor_cell_nor_order_matters(predictor):
    crystal = Structure.from_file(EXAMPLES / "LiFePO4.cif")
    turned = crystal.copy()
    turned.make_supercell([[1, 1, 0], [0, 1, 0], [0, 0, 2]])
    shuffled = Structure.from_sites([turned[n] for n in np.random.default_rng(0).permutation(56)])
    single = predictor.predict(crystal, "Fe")
    others = predictor.predict([shuffled, EXAMPLES / "FeS2_pyrite.cif", crystal], "Fe")
    for found in (others[0], others[2]):
        np.testing.assert_allclose(found.norm, single.norm, rtol=0, atol=1e-5)
        np.testing.assert_allclose(found.sigma, single.sigma, rtol=0, atol=1e-5)


@pytest.fixture(scope="module")
def compounds(predictor, shared) -> Compounds:
    told = predictor.checkpoint.provenance
    found = read_compounds(
        [shared / "data" / n for n in told["data"]], cgxas.load_checkpoint("universal")
    )
    assert found.data.sha256 == told["data_sha256"]
    return found


@pytest.mark.parametrize("element", ["Ti", "Fe"])
def test_unseen_compounds_are_met_better_than_by_shift_and_broadening(compounds, element):
    errors = {"gaussian": [], "rigid": []}
    for repeat in draw_repeats(compounds, element, count=4):
        for name, found in errors.items():
            spectra, _ = METHODS[name](compounds, repeat, repeat.test)
            found.append(rse(compounds.target[repeat.test], spectra).mean())
    assert np.mean(errors["gaussian"]) < 0.015
    assert np.mean(errors["gaussian"]) < 0.85 * np.mean(errors["rigid"])
