"""Steepest rise, half step, white line, and the rule of the authors."""

from pathlib import Path

import numpy as np
import pytest

from cgxas.errors import SpectrumError
from cgxas.spectra.edge import authors_e0, e0, half_step, white_line

ENERGY = np.arange(100.0, 140.0)
GOLDENS = Path(__file__).parents[1] / "golden" / "data" / "functions.npz"
RAMP = np.clip((ENERGY - 110.25) / 4.0, 0.0, 1.0)
FINE = np.arange(7080.0, 7200.0, 0.25)


def arc(energy: np.ndarray, centre: float, width: float = 1.0) -> np.ndarray:
    """A step of 1, steepest at its centre, where it is one half."""
    return 0.5 + np.arctan((energy - centre) / width) / np.pi


def peak(energy: np.ndarray, centre: float, height: float, sigma: float) -> np.ndarray:
    return height * np.exp(-0.5 * ((energy - centre) / sigma) ** 2)


def steepest(curve, low: float, high: float) -> float:
    """Where a function is steepest, by points so fine that they do not matter."""
    x = np.linspace(low, high, 200_001)
    return float(x[np.argmax(np.gradient(curve(x), x))])


@pytest.mark.parametrize("step", [0.05, 0.25, 0.5, 55 / 99])
@pytest.mark.parametrize("width", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("offset", [0.0, 0.3, 0.7])
def test_e0_of_a_step_is_its_centre_wherever_the_points_lie(step, width, offset):
    energy = 7080.0 + offset * step + step * np.arange(int(100 / step))
    assert e0(energy, arc(energy, 7110.1, width)) == pytest.approx(7110.1, abs=0.05 * step)


@pytest.mark.parametrize("step", [0.1, 0.25, 0.5])
def test_e0_of_an_edge_with_a_white_line_is_where_its_slope_is_largest(step):
    def curve(energy):
        return arc(energy, 7110.0) + peak(energy, 7114.0, 0.6, 2.0)

    energy = np.arange(7080.0, 7200.0, step)
    expected = steepest(curve, 7105.0, 7118.0)
    assert e0(energy, curve(energy)) == pytest.approx(expected, abs=0.06 + 0.2 * step)


def test_e0_moves_with_the_energies_and_not_with_the_rest():
    mu = arc(FINE, 7110.1) + peak(FINE, 7114.0, 0.6, 2.0)
    found = e0(FINE, mu)
    assert e0(FINE + 3.21, mu) == pytest.approx(found + 3.21, abs=1e-6)
    assert e0(FINE[FINE < 7140], mu[FINE < 7140]) == pytest.approx(found, abs=1e-6)
    holes = np.where(np.arange(FINE.size) % 7 == 3, np.nan, mu)
    assert e0(FINE, holes) == pytest.approx(found, abs=0.05)


def test_e0_of_a_metal_is_its_first_inflection_point_although_half_the_step_comes_later():
    """As a foil of iron: a shoulder of 0.4, then a slower rise."""
    mu = 0.4 * arc(FINE, 7112.0, 0.8) + 0.6 * arc(FINE, 7119.0, 3.0)
    assert e0(FINE, mu) == pytest.approx(7112.0, abs=0.1)
    assert 7115.0 < half_step(FINE, mu) < 7119.0


@pytest.mark.parametrize("height", [0.3, 0.6, 0.9])
def test_neither_is_on_a_pre_edge_peak_however_steep(height):
    main = arc(FINE, 7124.0, 2.0)
    mu = main + peak(FINE, 7109.0, height, 0.7)
    assert np.gradient(mu, FINE)[FINE < 7112].max() > np.gradient(main, FINE).max()
    assert e0(FINE, mu) == pytest.approx(7124.0, abs=0.1)
    assert half_step(FINE, mu) == pytest.approx(7124.0, abs=0.1)


@pytest.mark.parametrize("left", [0.7, 0.5])
def test_a_peak_counts_as_a_shoulder_until_the_curve_falls_back_by_two_fifths(left):
    """0.4 high, then back to a share of it, then the main rise, which is less steep."""
    points = [[7080, 7110, 7112, 7116, 7126, 7200], [0, 0, 0.4, 0.4 * left, 1, 1]]
    found = e0(FINE, np.interp(FINE, *points))
    assert 7110 < found < 7112 if left > 0.6 else 7116 < found < 7126


def test_a_narrow_white_line_with_a_deep_dip_is_the_edge():
    """As S in a sulfide: the first rise is the edge, not the one behind the dip."""
    energy = np.linspace(7090.0, 7145.0, 100)
    mu = arc(energy, 7110.0, 0.6) + peak(energy, 7111.5, 1.8, 0.9)
    mu -= peak(energy, 7115.0, 0.75, 1.5)
    assert mu[(energy > 7112) & (energy < 7118)].min() < 0.5
    assert 7109.5 < half_step(energy, mu) < 7110.5
    assert 7109.5 < e0(energy, mu) < 7111.5
    assert authors_e0(energy, mu) > 7115.0


def test_e0_is_not_beyond_the_top_of_the_white_line():
    """The second peak rises far steeper than the edge."""
    mu = arc(FINE, 7110.0, 3.0) + peak(FINE, 7116.0, 0.3, 2.5) + peak(FINE, 7150.0, 0.5, 0.5)
    assert e0(FINE, mu) == pytest.approx(7111.5, abs=2.0)


def test_e0_is_not_another_edge_under_the_pre_edge_line():
    mu = arc(FINE, 7130.0, 2.0) - 1.5 * (1 - arc(FINE, 7105.0, 0.3))
    assert e0(FINE, mu) == pytest.approx(7130.0, abs=0.1)


@pytest.mark.parametrize(("noise", "near"), [(0.005, 0.3), (0.02, 0.7), (0.05, 1.2)])
@pytest.mark.parametrize("step", [0.1, 0.4])
def test_noise_moves_e0_by_little(noise, near, step):
    energy = np.arange(7050.0, 7250.0, step)
    mu = arc(energy, 7110.0) + peak(energy, 7115.0, 0.5, 1.6)
    rng = np.random.default_rng(5)
    found = [e0(energy, mu + noise * rng.normal(size=energy.size)) for _ in range(20)]
    assert np.abs(np.array(found) - e0(energy, mu)).max() < near


def test_half_step_of_a_straight_rise_is_exact():
    assert half_step(ENERGY, RAMP) == pytest.approx(112.25, abs=1e-12)
    assert half_step(ENERGY + 0.3, RAMP) == pytest.approx(112.55, abs=1e-12)
    assert authors_e0(ENERGY, RAMP) == 113.0


def test_half_step_of_a_curve_that_stays_low_is_that_of_its_own_height():
    assert half_step(ENERGY, 0.4 * RAMP) == pytest.approx(112.25, abs=1e-12)
    assert half_step(ENERGY, 0.8 * RAMP) == pytest.approx(110.25 + 4 * 0.5 / 0.8, abs=1e-12)


def test_a_crossing_counts_if_1_is_reached_before_the_curve_falls_back():
    line, dipped = np.zeros(40), np.zeros(40)
    line[10:14], line[20:] = [0.6, 0.9, 0.6, 0.3], 1.0
    assert half_step(ENERGY, line) == pytest.approx(119.5)
    dipped[10:14], dipped[20:] = [0.6, 1.0, 0.6, 0.3], 1.0
    assert half_step(ENERGY, dipped) == pytest.approx(110 - 0.1 / 0.6)


def test_half_step_is_that_of_the_network_curves_the_calibration_rests_on():
    """The one place where this rule may not move: the constants are what 0.1.0 answered."""
    energy = np.linspace(7105.0, 7160.0, 100)
    plain = arc(energy, 7119.3, 0.7) + peak(energy, 7126.0, 0.5, 2.0)
    assert half_step(energy, plain) == pytest.approx(7119.285978726197, abs=1e-9)
    damped = 0.42 * arc(energy, 7119.3, 0.7)
    assert half_step(energy, damped) == pytest.approx(7119.283591522989, abs=1e-9)


def test_a_curve_that_begins_above_its_half_step_has_it_at_its_first_energy():
    falling = np.linspace(1.4, 1.0, 40)
    assert half_step(ENERGY, falling) == 100.0
    with pytest.raises(SpectrumError, match="does not rise"):
        e0(ENERGY, falling)


def test_points_without_value_are_left_out():
    mu = RAMP.copy()
    mu[:4] = mu[-6:] = np.nan
    assert half_step(ENERGY, mu) == pytest.approx(112.25, abs=1e-12)
    assert authors_e0(ENERGY, mu) == 113.0
    mu[20] = 1.5
    assert white_line(ENERGY, mu) == pytest.approx((120.0, 1.5))


@pytest.mark.parametrize("mu", [np.zeros(40), -np.ones(40), np.sin(ENERGY) / 4])
@pytest.mark.parametrize("rule", [e0, half_step, white_line])
def test_a_curve_without_an_edge_is_refused(rule, mu):
    with pytest.raises(SpectrumError, match="no edge"):
        rule(ENERGY, mu)


@pytest.mark.parametrize("rule", [e0, half_step, white_line, authors_e0])
def test_what_is_no_curve_is_refused(rule):
    with pytest.raises(SpectrumError, match="increase strictly"):
        rule([1, 1, 2], [0, 1, 1])
    with pytest.raises(SpectrumError, match="not finite at 2 of 2"):
        rule([1, 2], [np.nan, np.nan])


def test_few_points_are_enough_for_both():
    assert half_step([1.0, 2.0], [0.0, 1.0]) == 1.5
    assert 1.0 <= e0([1.0, 2.0], [0.0, 1.0]) <= 2.0
    assert half_step([1.0], [1.0]) == 1.0
    with pytest.raises(SpectrumError, match="no edge"):
        e0([1.0], [1.0])


@pytest.fixture(scope="module")
def goldens() -> dict[str, np.ndarray]:
    with np.load(GOLDENS, allow_pickle=False) as file:
        return dict(file)


def test_the_authors_e0_equals_theirs(goldens):
    energy = goldens["e0_energy"]
    found = [authors_e0(energy, mu) for mu in goldens["e0_spectra"]]
    assert found == goldens["e0"].tolist()
    assert np.searchsorted(energy, found).tolist() == goldens["e0_index"].tolist()


def test_the_authors_e0_waits_ten_points():
    early, late = RAMP.copy(), RAMP.copy()
    early[13 + 10] = 0.0
    late[13 + 11] = 0.0
    assert authors_e0(ENERGY, early) == 124.0
    assert authors_e0(ENERGY, late) == 113.0
    mu = np.zeros(30)
    mu[-4:] = 1.0
    assert authors_e0(np.arange(30.0), mu) == 26.0


@pytest.mark.parametrize("mu", [np.zeros(40), -np.ones(40), np.arange(40) % 5 < 4])
def test_the_authors_refuse_what_has_no_edge(mu):
    with pytest.raises(SpectrumError, match="no edge"):
        authors_e0(ENERGY, mu)


@pytest.mark.parametrize("energy", [np.arange(8.0), np.array([0, 1, 2.5, 3, 4.2, 5, 6, 7])])
def test_white_line_of_a_parabola_is_exact_on_any_grid(energy):
    mu = 2.0 - 0.1 * (energy - 3.3) ** 2
    assert white_line(energy, mu) == pytest.approx((3.3, 2.0), abs=1e-12)


def test_white_line_ignores_what_is_before_the_half_step():
    mu = RAMP.copy()
    mu[5], mu[20] = 0.9, 1.5
    assert white_line(ENERGY, mu) == pytest.approx((120.0, 1.5))


def test_white_line_at_an_end_is_not_refined():
    assert white_line(np.arange(5.0), np.arange(5.0)) == (4.0, 4.0)
    assert white_line(np.arange(5.0), np.arange(5.0, 0.0, -1.0)) == (0.0, 5.0)


def test_white_line_of_a_flat_top_is_its_first_point():
    assert white_line(np.arange(5.0), [1, 1, 1, 1, 1]) == (0.0, 1.0)
