"""FEFF's points, weights of uneven points, and how curves go on beyond their ends."""

import numpy as np
import pytest

from cgxas.elements import SYMBOLS
from cgxas.spectra.axis import FEFF_POINTS, continued, trapezoid_widths
from cgxas.spectra.metrics import pcc, rse
from cgxas.spectra.xray import AFTER, BEFORE, answer_grid, core_hole_width, k_hole_width

WIDTH = 1.25
WANTED = np.arange(-60.0, 120.0, 0.2)
BELOW = WANTED[np.less(WANTED, FEFF_POINTS[0])]
ABOVE = WANTED[np.greater(WANTED, FEFF_POINTS[-1])]
INSIDE = WANTED[len(BELOW) : -len(ABOVE)]


def step(x: np.ndarray, centre: float = 4.0, width: float = WIDTH) -> np.ndarray:
    return 0.5 + np.arctan((x - centre) / (width / 2)) / np.pi


def wave(x: np.ndarray) -> np.ndarray:
    return step(x) * (1 + 0.15 * np.cos(2 * np.pi * (x - 14) / 40) * np.exp(-((x - 14) ** 2) / 3e3))


def carried(norm: np.ndarray, wanted: np.ndarray = WANTED) -> np.ndarray:
    return continued(FEFF_POINTS, norm[None], wanted[None], WIDTH)[0]


def test_points_are_those_of_feff():
    assert FEFF_POINTS.shape == (100,)
    assert (np.diff(FEFF_POINTS) > 0).all()
    # Printed by FEFF10 for XANES 3.7 0.04 0.1, less the edge.
    told = {0: -2.4384, 1: -1.9751, 7: -0.2195, 8: -0.2, 10: 0.0, 14: 0.4, 15: 0.4937, 99: 52.724}
    assert FEFF_POINTS[list(told)] == pytest.approx(list(told.values()), abs=1e-4)
    with pytest.raises(ValueError, match="read-only"):
        FEFF_POINTS[0] = 0.0


def test_widths_make_uneven_points_count_as_a_fine_even_grid():
    fine = np.arange(FEFF_POINTS[0], FEFF_POINTS[70], 0.001)
    target, predicted = (lambda x: step(x, 0.2)[None]), (lambda x: step(x, 0.8)[None])
    known = (np.arange(100) <= 70)[None]
    weight = trapezoid_widths(FEFF_POINTS, known)
    assert weight.sum() == pytest.approx(FEFF_POINTS[70] - FEFF_POINTS[0])
    assert not weight[:, 71:].any()
    curves = target(FEFF_POINTS), predicted(FEFF_POINTS)
    for figure, close in ((rse, 0.02), (pcc, 1e-4)):
        expected = figure(target(fine), predicted(fine))
        assert figure(*curves, weight) == pytest.approx(expected, rel=close)
    plain = rse(*curves)
    assert plain > 1.2 * rse(*curves, weight)


def test_curves_are_their_own_between_their_points():
    norm = wave(FEFF_POINTS)
    np.testing.assert_allclose(carried(norm, FEFF_POINTS), norm, atol=1e-12)
    np.testing.assert_allclose(carried(norm, INSIDE), wave(INSIDE), atol=2e-3)


def test_below_a_curve_falls_off_as_the_tail_of_the_core_hole():
    norm = step(FEFF_POINTS)
    np.testing.assert_allclose(carried(norm, BELOW), step(BELOW), atol=4e-3)
    assert carried(norm)[0] < 0.005


def test_above_a_curve_swings_once_more_and_settles():
    found, expected = carried(wave(FEFF_POINTS), ABOVE), wave(ABOVE)
    assert np.abs(found - expected).max() < 0.08
    assert np.abs(found - expected).mean() < np.abs(1 - expected).mean()
    assert carried(wave(FEFF_POINTS), np.array([400.0]))[0] == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("curve", [step, wave])
def test_there_is_no_kink_at_the_ends(curve):
    found = carried(curve(FEFF_POINTS))
    bend = np.abs(np.diff(found, 2))
    for end in (FEFF_POINTS[0], FEFF_POINTS[-1]):
        near = np.abs(WANTED[1:-1] - end) < 1.0
        assert bend[near].max() < 0.002
    # As it was: held at both ends.
    held = np.interp(WANTED, FEFF_POINTS, curve(FEFF_POINTS) + 0.004 * FEFF_POINTS)
    near = np.abs(WANTED[1:-1] - FEFF_POINTS[0]) < 1.0
    assert np.abs(np.diff(held, 2))[near].max() > np.abs(bend[near]).max()


@pytest.mark.parametrize(
    "change",
    {
        "falling before the edge": lambda x: 0.2 - 0.05 * x,
        "flat before the edge": lambda x: 0.3 + 0 * x,
        "steep before the edge": lambda x: np.maximum(0.05 + 0.02 * x, 1e-3) * 10,
        "nothing before the edge": lambda x: 0 * x,
    }.values(),
)
def test_whatever_stands_at_the_start_nothing_becomes_negative_or_grows(change):
    norm = np.where(FEFF_POINTS < 0, change(FEFF_POINTS).clip(0), wave(FEFF_POINTS))
    found = carried(norm, BELOW)
    assert found.min() >= 0
    assert (np.diff(found) >= 0).all()
    assert found[-1] == pytest.approx(norm[0], abs=0.05)


def test_every_curve_has_its_own_energies():
    norm = np.stack([wave(FEFF_POINTS), step(FEFF_POINTS)])
    wanted = np.stack([WANTED, WANTED + 3.3])
    found = continued(FEFF_POINTS, norm, wanted, WIDTH)
    for row in range(2):
        np.testing.assert_allclose(found[row], carried(norm[row], wanted[row]), atol=1e-12)


@pytest.mark.parametrize("half_steps", [[7120.0], [7110.0, 7131.5], [55.3, 62.0], [14.0]])
def test_the_energies_of_an_absorber_hold_all_its_edges(half_steps):
    grid = answer_grid(np.array(half_steps))
    assert grid.n_points == 551
    assert np.diff(grid.energies) == pytest.approx(0.2)
    assert grid.e_min > 0
    assert max(half_steps) + AFTER + 10 < grid.e_max
    assert min(half_steps) - BEFORE - 10 > grid.e_min or grid.e_min == 1.0


def test_widths_of_core_holes_are_tabulated():
    pytest.importorskip("xraydb")
    for z in (3, 8, 26, 47, 94):
        assert k_hole_width(z) == pytest.approx(core_hole_width(SYMBOLS[z - 1]), rel=0.02)
    assert k_hole_width(103) == k_hole_width(98)
