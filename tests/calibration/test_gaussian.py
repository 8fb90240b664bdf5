"""Offsets and corrections are learnt from what is known of a site, and know how sure they are."""

import json
from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from cgxas.calibration.calibrators import Answers, answers
from cgxas.calibration.gaussian import OFFSET_TERMS, SHAPE_TERMS, fit_gaussian
from cgxas.calibration.measured import Compounds, read_compounds
from cgxas.calibration.rigid import fit_rigid
from cgxas.model.architecture import Architecture
from cgxas.model.calibration.features import edge_of
from cgxas.model.calibration.gaussian import GaussianCalibration, blurred, damped
from cgxas.model.checkpoint import load_checkpoint
from cgxas.spectra.metrics import rse


@pytest.fixture(scope="module")
def compounds(measured_folder, random_model) -> Compounds:
    return read_compounds([measured_folder], load_checkpoint(random_model))


@pytest.fixture(scope="module")
def held() -> np.ndarray:
    return np.array([2, 6])


@pytest.fixture(scope="module")
def calibration(compounds, held) -> GaussianCalibration:
    return fit_gaussian(compounds, np.setdiff1d(np.arange(len(compounds)), held))


@pytest.fixture(scope="module")
def network(compounds) -> Architecture:
    return compounds.model.network


def edges(compounds, spectra):
    return np.array([edge_of(compounds.grids["Fe"].energies, norm) for norm in spectra])


def said(compounds, calibration, wanted) -> np.ndarray:
    return answers(compounds, calibration, wanted).norm


def test_training_compounds_are_met(compounds, calibration):
    iron = np.setdiff1d(np.flatnonzero(compounds.element == "Fe"), [2, 6])
    spectra = said(compounds, calibration, iron)
    assert rse(compounds.target[iron], spectra).max() < 2e-3
    assert np.abs(edges(compounds, spectra) - compounds.half_step[iron]).max() < 0.3


def test_compounds_it_never_saw_are_met_better_than_by_one_shift(compounds, calibration, held):
    spectra = said(compounds, calibration, held)
    iron = np.setdiff1d(np.flatnonzero(compounds.element == "Fe"), held)
    rigid = said(compounds, fit_rigid(compounds, iron), held)
    assert rse(compounds.target[held], spectra).mean() < rse(compounds.target[held], rigid).mean()
    near = np.abs(edges(compounds, spectra) - compounds.half_step[held]).mean()
    assert near < np.abs(edges(compounds, rigid) - compounds.half_step[held]).mean()


def test_known_parameters_give_what_their_search_gave(compounds, calibration, held):
    train = np.setdiff1d(np.arange(len(compounds)), held)
    again = fit_gaussian(compounds, train, like=calibration)
    for name, tensor in calibration.tensors.items():
        torch.testing.assert_close(again.tensors[name], tensor, rtol=1e-6, atol=1e-9)
    fewer = fit_gaussian(compounds, train[1:], like=calibration)
    assert torch.equal(fewer.shape.parameters, calibration.shape.parameters)
    assert len(fewer.share) == len(calibration.share) - 1


def test_measurements_that_are_held_back_do_not_matter(compounds, calibration, held):
    changed = compounds.norm.copy()
    changed[held] = 3.0
    blind = replace(compounds, norm=changed, target=np.where(True, 7.0, compounds.target))
    train = np.setdiff1d(np.arange(len(compounds)), held)
    again = said(compounds, fit_gaussian(blind, train), held)
    np.testing.assert_array_equal(again, said(compounds, calibration, held))


def test_the_band_is_wider_where_nothing_was_measured(compounds, calibration, held):
    seen = answers(compounds, calibration, np.array([3]))
    unseen = answers(compounds, calibration, held)
    assert (seen.sigma > 0).all()
    assert unseen.sigma.mean() > seen.sigma.mean()
    assert unseen.edge_sigma.mean() > seen.edge_sigma.mean() > 0


def test_other_elements_help_but_do_not_enter_alone(compounds):
    iron = np.flatnonzero(compounds.element == "Fe")
    own = fit_gaussian(compounds, iron)
    assert set(own.sites.element.tolist()) == {26}
    both = fit_gaussian(compounds, np.arange(len(compounds)))
    assert set(both.sites.element.tolist()) == {22, 26}


def test_without_shape_only_the_energy_moves(compounds, calibration):
    wanted = np.array([3])
    moved, full = (
        answers(compounds, each, wanted) for each in (calibration.without_shape(), calibration)
    )
    one, two = (edges(compounds, each.norm) for each in (moved, full))
    assert one == pytest.approx(two, abs=1.0)
    assert np.abs(moved.norm - full.norm).max() > 0.05
    # How far the shape is off was not learnt; how far the edge is, was.
    assert moved.sigma is None
    assert full.sigma is not None
    np.testing.assert_array_equal(moved.edge_sigma, full.edge_sigma)


@pytest.mark.parametrize("with_shape", [True, False])
def test_it_survives_its_file(compounds, calibration, network, held, with_shape):
    kept = calibration if with_shape else calibration.without_shape()
    values = json.loads(json.dumps(kept.values))
    found = GaussianCalibration.restore(kept.tensors, values, network)
    one, two = (answers(compounds, each, held) for each in (kept, found))
    for field in fields(Answers):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(two, field.name))
    assert found.values == kept.values
    assert (found.offset.terms, found.shape.terms) == (OFFSET_TERMS, SHAPE_TERMS)


@pytest.mark.parametrize("lost", ["share", "offset.weights", "scale.zero.edge", "sites.curve"])
def test_parts_that_are_missing_are_noticed(calibration, network, lost):
    tensors = {name: t for name, t in calibration.tensors.items() if name != lost}
    with pytest.raises((KeyError, TypeError, ValueError)):
        GaussianCalibration.restore(tensors, calibration.values, network)


@pytest.mark.parametrize("lost", ["terms", "features"])
def test_values_that_are_missing_are_noticed(calibration, network, lost):
    values = {name: value for name, value in calibration.values.items() if name != lost}
    with pytest.raises(KeyError, match=lost):
        GaussianCalibration.restore(calibration.tensors, values, network)


def test_parts_that_do_not_fit_are_refused(calibration, network):
    tensors = {**calibration.tensors, "basis": torch.zeros(2, 3, dtype=torch.float64)}
    with pytest.raises(ValueError, match="does not fit"):
        GaussianCalibration.restore(tensors, calibration.values, network)


def test_another_way_to_look_at_curves_does_not_fit(calibration, network):
    features = {**calibration.values["features"], "last": 40.0}
    with pytest.raises(ValueError, match="does not fit"):
        GaussianCalibration.restore(
            calibration.tensors, {**calibration.values, "features": features}, network
        )


def test_terms_are_what_the_guide_says():
    looked_at = {"none", "vector", "edge", "curve", "state", "around", "potential"}
    assert {term.feature for term in OFFSET_TERMS} == looked_at
    assert {term.feature for term in SHAPE_TERMS} == {"none", "vector", "curve", "around"}


def test_elements_that_nobody_measured_are_answered_with_a_wider_band(compounds, calibration):
    """Iron learnt from titanium alone: the constant is interpolated, and the band says so."""
    iron = np.flatnonzero(compounds.element == "Fe")
    titanium = np.flatnonzero(compounds.element == "Ti")
    found = answers(compounds, fit_gaussian(compounds, titanium), iron)
    own = answers(compounds, calibration, iron)
    assert np.isfinite(found.norm).all()
    assert found.edge_sigma.min() > 1.0
    assert found.edge_sigma.mean() > own.edge_sigma.mean()


def test_a_measurement_on_a_scale_of_its_own_is_not_learnt_from(compounds):
    train = np.flatnonzero(compounds.element == "Fe")
    late = compounds.energy.copy()
    late[train[3]] += 40
    half_step = compounds.half_step.copy()
    half_step[train[3]] += 40
    moved = replace(compounds, energy=late, half_step=half_step)
    assert len(fit_gaussian(moved, train).share) == len(train) - 1


def test_slopes_move_edges_with_the_potential(compounds, calibration):
    """An offset follows the Fermi level and, less, the 1s level."""
    assert calibration.slopes.tolist() == [1.0, 0.65]
    sites = calibration.sites
    raised = replace(sites, potential=sites.potential + torch.tensor([1.0, 2.0, 0.0]))
    apart = calibration.theory(raised) - calibration.theory(sites)
    np.testing.assert_allclose(apart.numpy(), 1.0 + 2 * 0.65)


def test_white_lines_are_damped_and_the_step_is_kept():
    curves = torch.tensor([[0.0, 0.5, 1.0, 7.0], [0.0, 0.5, 1.0, 7.0]], dtype=torch.float64)
    found = damped(curves, torch.tensor([0.0, 0.4], dtype=torch.float64))
    np.testing.assert_array_equal(found[0], curves[0])
    assert found[1, [0, 2]].tolist() == [0.0, 1.0]
    assert 2 < found[1, 3] < 3


def test_no_correction_is_sharper_than_the_core_hole():
    line = torch.zeros(2, 201, dtype=torch.float64)
    line[0, 100], line[1] = 1.0, 0.3
    assert blurred(line, 0.5, 0.0) is line
    found = blurred(line, 0.5, 6.0).numpy()
    assert found[0].sum() == pytest.approx(1.0)
    above = np.flatnonzero(found[0] > 0.499 * found[0].max())
    assert 0.5 * (above[-1] - above[0]) == pytest.approx(6.0, abs=0.5)
    np.testing.assert_allclose(found[1], 0.3)


def test_what_is_left_out_widens_the_band(compounds):
    """Edges that nothing explains: the band holds two thirds of them."""
    rng = np.random.default_rng(8)
    iron = np.flatnonzero(compounds.element == "Fe")
    away = rng.normal(scale=2.0, size=len(compounds))
    moved = replace(
        compounds,
        energy=compounds.energy + away[:, None],
        half_step=compounds.half_step + away,
        target=compounds.target.copy(),
    )
    found = fit_gaussian(moved, iron)
    assert (found.widening >= 1).all()
    assert found.widening[25, 0] < 3
