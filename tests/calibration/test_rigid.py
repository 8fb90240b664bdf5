"""The baseline finds the shift and the broadening that were put in, and nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from cgxas.calibration.calibrators import answers
from cgxas.calibration.rigid import FARTHEST, WIDEST, fit_rigid
from cgxas.model.calibration.curves import CurvesCalibration
from cgxas.model.calibration.features import edge_of
from cgxas.model.calibration.rigid import REACH
from cgxas.spectra.metrics import rse
from cgxas.spectra.xray import WINDOWS

TRAIN = np.arange(6)


def said(compounds, calibration, wanted) -> np.ndarray:
    return answers(compounds, calibration, np.asarray(wanted)).norm


@pytest.mark.parametrize(("shift", "width"), [(2.0, 3.0), (-6.3, 0.0), (0.0, 5.2)])
def test_shift_and_width_are_recovered(make_compounds, shift, width):
    compounds = make_compounds(shift=shift, width=width)
    fitted = fit_rigid(compounds, TRAIN)
    assert fitted.shift == pytest.approx(shift, abs=0.05)
    assert fitted.width == pytest.approx(width, abs=0.3)  # half a step of the grid
    assert fitted.program is None
    test = np.array([7, 6])
    assert rse(compounds.target[test], said(compounds, fitted, test)).max() < 1e-4


def test_answers_come_in_the_order_they_are_wanted(make_compounds):
    compounds = make_compounds()
    fitted = fit_rigid(compounds, TRAIN)
    one, two = said(compounds, fitted, [7, 2]), said(compounds, fitted, [2, 7])
    np.testing.assert_array_equal(one, two[::-1])
    assert np.abs(np.subtract(*two)).max() > 0.01


def test_answers_stand_on_the_moved_grid(make_compounds):
    compounds = make_compounds(shift=-5.0)
    fitted = fit_rigid(compounds, TRAIN + 8)
    assert compounds.grids["Mn"] != WINDOWS["Mn", "K"]
    assert fitted.shift == pytest.approx(-5.0, abs=0.05)
    found = said(compounds, fitted, np.arange(8, 16))
    assert rse(compounds.target[8:], found).max() < 1e-4


def test_only_the_training_measurements_matter(make_compounds):
    compounds = make_compounds()
    target, half_step = compounds.target.copy(), compounds.half_step.copy()
    target[6:], half_step[6:] = 5.0, 7.0
    changed = replace(compounds, target=target, half_step=half_step)
    one, two = (fit_rigid(each, TRAIN) for each in (compounds, changed))
    assert (one.shift, one.width) == (two.shift, two.width)


def test_shift_and_width_have_bounds(make_compounds):
    compounds = make_compounds()
    flat = replace(compounds, target=np.ones_like(compounds.target))
    fitted = fit_rigid(flat, TRAIN)
    own = [compounds.sites[n] for n in TRAIN]
    lags = compounds.half_step[TRAIN] - [edge_of(*each.mean) for each in own]
    assert fitted.shift == pytest.approx(np.median(lags) - FARTHEST)  # as much of 1 as there is
    assert fitted.width <= WIDEST
    assert REACH == FARTHEST + WIDEST


def test_curves_of_a_program_go_through_the_same(make_compounds):
    compounds = make_compounds()
    curves = {}
    for sites in compounds.sites[:8]:
        energy, mean = sites.mean
        uneven = np.sort(np.concatenate([energy, energy[20:40] + 0.2]))  # steps of its own
        curves[sites.name] = uneven + 7.0, np.interp(uneven, energy, mean)
    program = CurvesCalibration({"Fe": curves})
    fitted = fit_rigid(compounds, TRAIN, program)
    assert fitted.program is program
    assert fitted.shift == pytest.approx(2.0 - 7.0, abs=0.05)
    assert rse(compounds.target[[6]], said(compounds, fitted, [6])).max() < 1e-4
