"""The bundled calibrated model lies on the measured spectra, as its description says."""

from pathlib import Path

import numpy as np
import pytest
import torch
from pymatgen.core import Lattice, Structure

import cgxas
from cgxas.calibration.calibrators import answers, calibrator
from cgxas.calibration.measured import Compounds, read_compounds
from cgxas.calibration.repeats import draw_repeats
from cgxas.elements import ABSORBERS
from cgxas.spectra.metrics import rse

NAME = "calibrated"
EXAMPLES = Path(__file__).parents[1] / "examples"
COVERED = ("P", "S", "Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Zn", "Se", "Zr", "Mo")

pytestmark = pytest.mark.skipif(NAME not in cgxas.bundled(), reason="no bundled model")


@pytest.fixture(scope="module")
def predictor() -> cgxas.Predictor:
    return cgxas.load(NAME)


def test_it_tells_what_it_covers_and_where_it_came_from(predictor):
    assert predictor.absorbers == ABSORBERS
    checkpoint = predictor.checkpoint
    parent = cgxas.load_checkpoint("universal")
    assert checkpoint.provenance["parent"]["name"] == parent.name
    assert all(torch.equal(tensor, parent.state[n]) for n, tensor in checkpoint.state.items())
    assert checkpoint.config == parent.config
    for symbol in COVERED:
        card = checkpoint.elements[symbol]
        assert card.n_test >= 5
        assert card.test_rse < 0.08
        assert card.test_half_step_error < 1.8


def test_it_is_what_answers_where_no_model_is_named():
    assert cgxas.load().name == NAME
    assert cgxas.load(fidelity="FEFF10").name == "universal"


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
    assert spectrum.half_step == pytest.approx(edge, abs=0.8)
    assert 0 < spectrum.sigma.mean() < 0.2


def test_elements_that_were_never_measured_are_answered_with_a_wider_band(predictor):
    known = predictor.predict(EXAMPLES / "LiCoO2.cif", "Co")
    with pytest.warns(cgxas.CgxasWarning):
        new = predictor.predict(EXAMPLES / "LiCoO2.cif", "O")
    assert new.half_step == pytest.approx(530, abs=6)
    assert new.trust.word == "far"
    assert new.trust.expected_rse is None
    assert new.sigma.max() > known.sigma.max()


@pytest.mark.filterwarnings("ignore::cgxas.errors.FarFromMeasuredWarning")
@pytest.mark.parametrize(
    ("absorber", "lattice", "width"), [("Fe", 2.866, 1.2), ("Cu", 3.615, 1.5), ("Ag", 4.085, 6.3)]
)
def test_metals_rise_without_teeth_and_from_zero(predictor, absorber, lattice, width):
    """Nothing on the way up is sharper than the core hole allows, or below zero."""
    group = "Im-3m" if absorber == "Fe" else "Fm-3m"
    metal = Structure.from_spacegroup(group, Lattice.cubic(lattice), [absorber], [[0, 0, 0]])
    spectrum = predictor.predict(metal, absorber)
    assert spectrum.norm.min() >= 0
    fine = np.arange(spectrum.half_step - 20, spectrum.half_step + 20, width / 4)
    norm = np.interp(fine, spectrum.energy, spectrum.norm)
    middle = (norm[:-4] + norm[4:]) / 2  # a tooth is a point far from the line beside it
    assert np.abs(norm[2:-2] - middle).max() < 0.1


@pytest.mark.filterwarnings("ignore::cgxas.errors.FarFromMeasuredWarning")  # few metals
def test_orders_of_textbooks(predictor):
    """Metals lie below their oxides, and sulfides below sulfates."""

    def half_step(group, cell, species, places, absorber):
        structure = Structure.from_spacegroup(group, cell, species, places)
        return predictor.predict(structure, absorber).half_step

    iron = half_step("Im-3m", Lattice.cubic(2.866), ["Fe"], [[0, 0, 0]], "Fe")
    hematite = half_step(
        "R-3c",
        Lattice.hexagonal(5.036, 13.749),
        ["Fe", "O"],
        [[0, 0, 0.3553], [0.3059, 0, 0.25]],
        "Fe",
    )
    assert iron < hematite - 3
    copper = half_step("Fm-3m", Lattice.cubic(3.615), ["Cu"], [[0, 0, 0]], "Cu")
    cuprite = half_step(
        "Pn-3m", Lattice.cubic(4.27), ["Cu", "O"], [[0, 0, 0], [0.25, 0.25, 0.25]], "Cu"
    )
    assert copper < cuprite + 1
    blende = half_step(
        "F-43m", Lattice.cubic(5.41), ["Zn", "S"], [[0, 0, 0], [0.25, 0.25, 0.25]], "S"
    )
    barite = half_step(
        "Pnma",
        Lattice.orthorhombic(8.884, 5.457, 7.157),
        ["Ba", "S", "O", "O", "O"],
        [
            [0.1845, 0.25, 0.1585],
            [0.4375, 0.75, 0.1914],
            [0.5870, 0.75, 0.1064],
            [0.3176, 0.75, 0.0495],
            [0.4194, 0.9704, 0.3118],
        ],
        "S",
    )
    assert blende + 6 < barite


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
    folders = [shared / "data" / n for n in told["data"]]
    return read_compounds(folders, cgxas.load_checkpoint("universal"))


@pytest.mark.parametrize("element", ["Ti", "Fe"])
def test_unseen_compounds_are_met_better_than_by_shift_and_broadening(compounds, element):
    errors = {"gaussian": [], "rigid": []}
    for repeat in draw_repeats(compounds, element, count=4):
        for name, found in errors.items():
            fitted = calibrator(name).fit(compounds, repeat)
            spectra = answers(compounds, fitted, repeat.test).norm
            found.append(rse(compounds.target[repeat.test], spectra).mean())
    assert np.mean(errors["gaussian"]) < 0.015
    assert np.mean(errors["gaussian"]) < 0.85 * np.mean(errors["rigid"])
