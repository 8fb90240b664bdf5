"""Curves are moved and broadened, and go on beyond their ends."""

from itertools import product

import numpy as np
import pytest
import torch

from cgxas.model.calibration.curves import CurvesCalibration
from cgxas.model.calibration.features import edge_of
from cgxas.model.calibration.rigid import REACH, RigidCalibration, extended
from cgxas.spectra.resample import broadened
from cgxas.spectra.spectrum import EnergyGrid

AS_IT_IS = RigidCalibration(0.0, 0.0)


@pytest.fixture
def program(grid) -> CurvesCalibration:
    energy = np.arange(7090.0, 7200.0, 0.4)
    return CurvesCalibration({"Fe": {"FeO": (energy, 0.5 + np.arctan(energy - 7130) / np.pi)}})


def test_without_shift_and_width_nothing_changes(sites, grid):
    found = AS_IT_IS.spectra(sites, grid)
    np.testing.assert_allclose(found.sites, sites.simulated, atol=1e-12)
    np.testing.assert_allclose(found.mean, sites.mean[1], atol=1e-12)
    assert (found.sigma, found.edge_sigma) == (None, None)


@pytest.mark.parametrize("shift", [-6.5, 0.3, 4.0])
def test_the_edge_moves_by_the_shift(sites, grid, shift):
    found = RigidCalibration(shift, 0.0).spectra(sites, grid)
    for moved, own in zip(found.sites, sites.simulated, strict=True):
        edges = [edge_of(grid.energies, curve) for curve in (moved, own)]
        assert edges[0] - edges[1] == pytest.approx(shift, abs=0.1)


def test_the_width_is_that_of_a_gaussian(sites, grid):
    found = RigidCalibration(0.0, 3.0).spectra(sites, grid)
    for broad, own in zip(found.sites, sites.simulated, strict=True):
        expected = broadened(grid.energies, own, 3.0)
        np.testing.assert_allclose(broad[5:-5], expected[5:-5], atol=2e-3)
        assert np.gradient(broad).max() < 0.7 * np.gradient(own).max()


@pytest.mark.parametrize(("shift", "width"), product([-3.0, 0.7], [0.0, 2.5, 11.0]))
def test_it_is_a_linear_map(sites, make_sites, grid, shift, width):
    """So the mean over sites may be moved, or moved sites averaged."""
    calibration = RigidCalibration(shift, width)
    found = calibration.spectra(sites, grid)
    np.testing.assert_allclose(sites.share @ found.sites, found.mean, atol=1e-12)
    twice = calibration.spectra(make_sites(height=2.0), grid)
    np.testing.assert_allclose(twice.sites, 2 * found.sites, atol=1e-12)


def test_beyond_the_simulated_range_the_ends_are_held(sites, grid):
    energies, mean = sites.mean
    wide = EnergyGrid(energies[0] - 20, energies[-1] + 20, 200)
    answer = AS_IT_IS.spectra(sites, wide).mean
    below, above = wide.energies < energies[0], wide.energies > energies[-1] + 0.5
    np.testing.assert_allclose(answer[below], mean[0])
    np.testing.assert_allclose(answer[above], mean[-5:].mean())
    inside = ~below & (wide.energies <= energies[-1])
    expected = np.interp(wide.energies[inside], energies, mean)
    np.testing.assert_allclose(answer[inside], expected)


def test_curves_are_continued_as_far_as_they_may_move(grid):
    energy, curve = extended(grid.energies, np.linspace(0.2, 1.3, 100))
    assert energy[0] == pytest.approx(grid.e_min - REACH)
    assert grid.e_max + REACH - 0.25 <= energy[-1] <= grid.e_max + REACH
    assert (np.diff(energy) > 0).all()
    assert energy.shape == curve.shape


def test_curves_of_a_program_are_moved_instead(sites, program, grid):
    found = RigidCalibration(-5.0, 0.0, program).spectra(sites, grid)
    energy, norm = program.curves["Fe"]["FeO"]
    np.testing.assert_allclose(found.mean, np.interp(grid.energies + 5.0, energy, norm), atol=1e-9)
    np.testing.assert_array_equal(found.sites, [found.mean] * 2)


@pytest.mark.parametrize("over", [False, True])
def test_it_survives_its_file(sites, program, grid, over):
    kept = RigidCalibration(1.25, 0.75, program if over else None)
    found = RigidCalibration.restore(kept.tensors, kept.values, None)
    assert (found.shift, found.width, found.program is None) == (1.25, 0.75, not over)
    one, two = (each.spectra(sites, grid) for each in (kept, found))
    np.testing.assert_array_equal(one.sites, two.sites)


@pytest.mark.parametrize(
    "change",
    [
        {"shift": np.nan},
        {"shift": "1"},
        {"shift": None},
        {"width": -0.1},
        {"width": np.inf},
        {"program": {"names": {"Fe": ["FeO", "FeS"]}}},
        {"program": {"names": {}}},
    ],
    ids=str,
)
def test_values_that_do_not_fit_are_refused(program, change):
    kept = RigidCalibration(1.25, 0.75, program)
    with pytest.raises((KeyError, TypeError, ValueError)):
        RigidCalibration.restore(kept.tensors, {**kept.values, **change}, None)


def test_parts_that_are_missing_or_foreign_are_refused(program):
    kept = RigidCalibration(1.25, 0.75)
    for name in kept.values:
        values = {n: v for n, v in kept.values.items() if n != name}
        with pytest.raises(KeyError, match=name):
            RigidCalibration.restore({}, values, None)
    with pytest.raises(ValueError, match="tensors"):
        RigidCalibration.restore({"a": torch.zeros(1)}, kept.values, None)
    with pytest.raises(KeyError):
        RigidCalibration.restore({}, RigidCalibration(1.0, 1.0, program).values, None)
