"""What is no scan is named; what is one is not."""

import numpy as np
import pytest

from cgxas.mixing.faults import beam_lost, fault_of, point_noise, same_numbers
from cgxas.spectra.xray import core_hole_width

from .conftest import ENERGY, phase


def scan(noise=0.002, name="a"):
    return phase(name) + noise * np.random.default_rng(0).normal(size=ENERGY.size)


def test_a_good_scan_has_no_fault(measured):
    for name in "abc":
        assert fault_of(measured(scan(name=name))) == ""


@pytest.mark.parametrize("n_points", [1, 2, 40])
def test_a_lost_beam_is_named_with_its_energy(measured, n_points):
    norm = scan()
    norm[200 : 200 + n_points] = -0.01
    reason = fault_of(measured(norm))
    assert "beam was lost" in reason and f"{ENERGY[200]:.1f} eV" in reason


def test_a_beam_that_never_comes_back_is_named_in_raw_data():
    mu = 0.3 + 0.7 * scan()
    mu[240:] = 0.0
    assert "beam was lost" in beam_lost(ENERGY, mu)
    assert beam_lost(ENERGY, 0.3 + 0.7 * scan()) == ""


@pytest.mark.parametrize("height", [0.3, -0.3])
def test_a_glitch_is_named(measured, height):
    norm = scan()
    norm[150] += height
    reason = fault_of(measured(norm))
    assert "glitch" in reason and f"{ENERGY[150]:.1f} eV" in reason


def test_a_peak_as_wide_as_the_core_hole_is_no_glitch(measured):
    width = core_hole_width("Fe", "K")
    peak = 0.5 / (1 + ((ENERGY - 7112.0) / (width / 2)) ** 2)
    assert fault_of(measured(scan() + peak)) == ""
    coarse = slice(None, None, 4)  # 2 eV: the peak is one point
    assert fault_of(measured((scan() + peak)[coarse], energy=ENERGY[coarse])) == ""


def test_noise_that_hides_the_spectrum_is_named(measured):
    assert "noise" in fault_of(measured(scan(0.15)))


def test_noise_is_estimated_in_spite_of_the_edge():
    assert abs(point_noise(scan(0.01)) / 0.01 - 1) < 0.15


def test_copies_are_named():
    one, other = scan(), scan(0.003)
    assert same_numbers("abc", [one, other, one.copy()]) == ["", "", "the same numbers as a"]
