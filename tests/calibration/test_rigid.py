"""The baseline finds the shift and the broadening that were put in, and nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from cgxas.calibration.rigid import FARTHEST, WIDEST, fit_rigid, fit_rigid_curves
from cgxas.model.calibration.gaussian import simulated_edge
from cgxas.spectra.metrics import rse
from cgxas.spectra.resample import resample
from cgxas.spectra.spectrum import EnergyGrid

TRAIN = np.arange(6)


def own_curves(compounds) -> dict:
    return fit_rigid(compounds, "Fe", TRAIN).curves


@pytest.mark.parametrize(("shift", "width"), [(2.0, 3.0), (-6.3, 0.0), (0.0, 5.2)])
def test_shift_and_width_are_recovered(make_compounds, shift, width):
    compounds = make_compounds(shift=shift, width=width)
    fitted = fit_rigid(compounds, "Fe", TRAIN)
    assert fitted.shift == pytest.approx(shift, abs=0.05)
    assert fitted.width == pytest.approx(width, abs=0.3)  # half a step of the grid
    test = np.array([7, 6])
    assert rse(compounds.target[test], fitted(test)).max() < 1e-4


def test_answers_come_in_the_order_they_are_wanted(make_compounds):
    fitted = fit_rigid(make_compounds(), "Fe", TRAIN)
    np.testing.assert_array_equal(fitted(np.array([7, 2])), fitted(np.array([2, 7]))[::-1])
    assert np.abs(np.subtract(*fitted(np.array([2, 7])))).max() > 0.01


def test_answers_stand_on_the_moved_grid(make_compounds):
    compounds = make_compounds(shift=-5.0)
    fitted = fit_rigid(compounds, "Mn", TRAIN + 8)
    assert fitted.grid == compounds.grids["Mn"] != compounds.simulated_grid(8)
    assert fitted.shift == pytest.approx(-5.0, abs=0.05)
    assert rse(compounds.target[8:], fitted(np.arange(8, 16))).max() < 1e-4


def test_only_the_training_measurements_matter(make_compounds):
    compounds = make_compounds()
    target, e0 = compounds.target.copy(), compounds.e0.copy()
    target[6:], e0[6:] = 5.0, 7.0
    changed = replace(compounds, target=target, e0=e0)
    one, two = (fit_rigid(each, "Fe", TRAIN) for each in (compounds, changed))
    assert (one.shift, one.width) == (two.shift, two.width)


def test_shift_and_width_have_bounds(make_compounds):
    compounds = make_compounds()
    flat = replace(compounds, target=np.ones_like(compounds.target))
    fitted = fit_rigid(flat, "Fe", TRAIN)
    lags = [compounds.e0[n] - simulated_edge(*fitted.curves[n]) for n in TRAIN]
    assert fitted.shift == pytest.approx(np.median(lags) - FARTHEST)  # as much of 1 as there is
    assert fitted.width <= WIDEST


def test_curves_of_a_program_go_through_the_same(make_compounds):
    compounds = make_compounds()
    curves = {}
    for n, (energy, mu) in own_curves(compounds).items():
        uneven = np.sort(np.concatenate([energy, energy[20:40] + 0.2]))  # steps of its own
        curves[n] = uneven + 7.0, np.interp(uneven, energy, mu)
    fitted = fit_rigid_curves(compounds, curves, "Fe", TRAIN)
    assert fitted.shift == pytest.approx(2.0 - 7.0, abs=0.05)
    assert rse(compounds.target[[6]], fitted(np.array([6]))).max() < 1e-4


def test_beyond_the_simulated_range_the_ends_are_held(make_compounds):
    compounds = make_compounds()
    energy, mu = own_curves(compounds)[3]
    grid = EnergyGrid(energy[0] - 20, energy[-1] + 20, 200)
    fitted = replace(fit_rigid(compounds, "Fe", TRAIN), grid=grid, shift=0.0, width=0.0)
    answer = fitted(np.array([3]))[0]
    below, above = grid.energies < energy[0], grid.energies > energy[-1] + 0.5
    np.testing.assert_allclose(answer[below], mu[0])
    np.testing.assert_allclose(answer[above], mu[-5:].mean())
    inside = ~below & (grid.energies <= energy[-1])
    np.testing.assert_allclose(answer[inside], resample(energy, mu, grid.energies[inside]))


def test_it_is_a_linear_map(make_compounds):
    fitted = fit_rigid(make_compounds(), "Mn", TRAIN + 8)
    energy, mu = fitted.curves[10]
    operator = fitted.operator(EnergyGrid(energy[0], energy[-1], energy.size))
    np.testing.assert_allclose(operator @ mu, fitted(np.array([10]))[0], atol=1e-12)
