"""Offsets and corrections are learnt from what is known of a site, and know how sure they are."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from cgxas.calibration.calibrators import calibrated
from cgxas.calibration.gaussian import OFFSET_TERMS, SHAPE_TERMS, fit_calibration
from cgxas.calibration.measured import Compounds, read_compounds
from cgxas.calibration.rigid import fit_rigid
from cgxas.model.calibration.gaussian import Calibration, simulated_edge
from cgxas.model.checkpoint import load_checkpoint
from cgxas.spectra.metrics import rse


@pytest.fixture(scope="module")
def compounds(measured_folder, random_model) -> Compounds:
    return read_compounds([measured_folder], load_checkpoint(random_model))


@pytest.fixture(scope="module")
def held() -> np.ndarray:
    return np.array([2, 6])


@pytest.fixture(scope="module")
def calibration(compounds, held) -> Calibration:
    return fit_calibration(compounds, np.setdiff1d(np.arange(len(compounds)), held))


def edges(compounds, spectra):
    return np.array([simulated_edge(compounds.grids["Fe"].energies, mu) for mu in spectra])


def test_training_compounds_are_met(compounds, calibration):
    iron = np.setdiff1d(np.flatnonzero(compounds.element == "Fe"), [2, 6])
    spectra, _ = calibrated(compounds, calibration, iron)
    assert rse(compounds.target[iron], spectra).max() < 2e-3
    assert np.abs(edges(compounds, spectra) - compounds.e0[iron]).max() < 0.3


def test_compounds_it_never_saw_are_met_better_than_by_one_shift(compounds, calibration, held):
    spectra, _ = calibrated(compounds, calibration, held)
    iron = np.setdiff1d(np.flatnonzero(compounds.element == "Fe"), held)
    rigid = fit_rigid(compounds, "Fe", iron)(held)
    assert rse(compounds.target[held], spectra).mean() < rse(compounds.target[held], rigid).mean()
    near = np.abs(edges(compounds, spectra) - compounds.e0[held]).mean()
    assert near < np.abs(edges(compounds, rigid) - compounds.e0[held]).mean()


def test_measurements_that_are_held_back_do_not_matter(compounds, calibration, held):
    changed = compounds.norm.copy()
    changed[held] = 3.0
    blind = replace(compounds, norm=changed, target=np.where(True, 7.0, compounds.target))
    train = np.setdiff1d(np.arange(len(compounds)), held)
    again = calibrated(compounds, fit_calibration(blind, train), held)[0]
    np.testing.assert_array_equal(again, calibrated(compounds, calibration, held)[0])


def test_the_band_is_wider_where_nothing_was_measured(compounds, calibration, held):
    _, seen = calibrated(compounds, calibration, np.array([3]))
    _, unseen = calibrated(compounds, calibration, held)
    assert (seen > 0).all()
    assert unseen.mean() > seen.mean()


def test_other_elements_help_but_do_not_enter_alone(compounds):
    iron = np.flatnonzero(compounds.element == "Fe")
    own = fit_calibration(compounds, iron)
    assert set(own.sites.element.tolist()) == {26}
    both = fit_calibration(compounds, np.arange(len(compounds)))
    assert set(both.sites.element.tolist()) == {22, 26}


def test_without_shape_only_the_energy_moves(compounds, calibration):
    moved, _ = calibrated(compounds, calibration.without_shape(), np.array([3]))
    full, _ = calibrated(compounds, calibration, np.array([3]))
    assert edges(compounds, moved) == pytest.approx(edges(compounds, full), abs=1.0)
    assert np.abs(moved - full).max() > 0.05


def test_it_survives_its_file(compounds, calibration, held):
    found = Calibration.restore(calibration.tensors, calibration.terms)
    one, two = (calibrated(compounds, each, held) for each in (calibration, found))
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("lost", ["share", "offset.weights", "scale.zero.edge", "sites.curve"])
def test_parts_that_are_missing_are_noticed(calibration, lost):
    tensors = {name: t for name, t in calibration.tensors.items() if name != lost}
    with pytest.raises((KeyError, TypeError, ValueError)):
        Calibration.restore(tensors, calibration.terms)


def test_parts_that_do_not_fit_are_refused(calibration):
    tensors = {**calibration.tensors, "basis": torch.zeros(2, 3, dtype=torch.float64)}
    with pytest.raises(ValueError, match="does not fit"):
        Calibration.restore(tensors, calibration.terms)


def test_terms_are_what_the_guide_says():
    assert {term.feature for term in OFFSET_TERMS} == {"none", "vector", "edge", "curve", "state"}
    assert {term.feature for term in SHAPE_TERMS} == {"none", "vector", "curve"}
