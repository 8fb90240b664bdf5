from pathlib import Path

import numpy as np
import pytest

from cgxas.errors import SpectrumError
from cgxas.spectra.edge import edge_energy, edge_energy_on_grid, half_step_energy, white_line
from cgxas.spectra.resample import onto_grid, resample
from cgxas.spectra.sanity import sanity_reasons

ENERGY = np.arange(100.0, 140.0)
GOLDENS = Path(__file__).parents[1] / "golden" / "data" / "functions.npz"
RAMP = np.clip((ENERGY - 110.25) / 4.0, 0.0, 1.0)


@pytest.fixture(scope="module")
def goldens() -> dict[str, np.ndarray]:
    with np.load(GOLDENS, allow_pickle=False) as file:
        return dict(file)


def test_grid_edge_equals_the_authors(goldens):
    energy = goldens["e0_energy"]
    found = [edge_energy_on_grid(energy, mu) for mu in goldens["e0_spectra"]]
    assert found == goldens["e0"].tolist()
    assert np.searchsorted(energy, found).tolist() == goldens["e0_index"].tolist()


def test_edge_lies_within_the_step_before_the_authors(goldens):
    step = goldens["e0_energy"][1] - goldens["e0_energy"][0]
    for mu, e0 in zip(goldens["e0_spectra"], goldens["e0"], strict=True):
        assert 0 <= e0 - edge_energy(goldens["e0_energy"], mu) < step


@pytest.mark.parametrize("case", ["pad_left", "pad_right", "pad_both", "no_pad", "coincident"])
def test_gridding_equals_the_authors(goldens, case):
    x, y = goldens[f"interp_{case}_x"], goldens[f"interp_{case}_y"]
    result = onto_grid(x, y, goldens["interp_grid"])
    np.testing.assert_allclose(result, goldens[f"interp_{case}_result"], rtol=0, atol=1e-12)


@pytest.mark.parametrize("case", ["pad_left", "pad_right", "pad_both", "no_pad"])
def test_gridding_with_one_equals_the_authors(goldens, case):
    x, y = goldens[f"interp_{case}_x"], goldens[f"interp_{case}_y"]
    result = onto_grid(x, y, goldens["interp_grid"], right="one")
    expected = goldens[f"interp_{case}_result_right_pad_one"]
    np.testing.assert_allclose(result, expected, rtol=0, atol=1e-12)


def test_filters_equal_the_authors(goldens):
    dropped = [bool(sanity_reasons(mu)) for mu in goldens["filter_spectra"]]
    assert dropped == goldens["filter_drop"].tolist()


def test_edge_of_a_straight_rise_is_exact():
    assert edge_energy(ENERGY, RAMP) == pytest.approx(112.25, abs=1e-12)
    assert edge_energy_on_grid(ENERGY, RAMP) == 113.0


def test_edge_does_not_depend_on_scale_or_shift():
    assert edge_energy(ENERGY + 0.3, 7 * RAMP) == pytest.approx(112.55, abs=1e-12)


def test_pre_edge_peak_is_not_the_edge():
    mu = RAMP.copy()
    mu[3:6] = 0.8
    assert edge_energy(ENERGY, mu) == pytest.approx(112.25, abs=1e-12)


def test_dip_within_ten_points_moves_the_edge_behind_it_and_later_not():
    early, late = RAMP.copy(), RAMP.copy()
    early[13 + 10] = 0.0
    late[13 + 11] = 0.0
    assert edge_energy_on_grid(ENERGY, early) == 124.0
    assert edge_energy_on_grid(ENERGY, late) == 113.0


def test_fewer_points_follow_at_the_end():
    mu = np.zeros(30)
    mu[-4:] = 1.0
    assert edge_energy_on_grid(np.arange(30.0), mu) == 26.0


def test_edge_at_the_first_point_is_that_point():
    assert edge_energy(ENERGY, np.ones(40)) == 100.0


def test_points_without_value_are_left_out_of_the_edge():
    mu = RAMP.copy()
    mu[:4] = mu[-6:] = np.nan
    assert edge_energy(ENERGY, mu) == pytest.approx(112.25, abs=1e-12)
    mu[20] = 1.5
    assert white_line(ENERGY, mu, 112.25) == pytest.approx((120.0, 1.5))


@pytest.mark.parametrize("mu", [np.zeros(40), -np.ones(40), np.arange(40) % 5 < 4])
def test_spectrum_without_edge_is_refused(mu):
    with pytest.raises(SpectrumError, match="no edge"):
        edge_energy(ENERGY, mu)


@pytest.mark.parametrize("energy", [np.arange(8.0), np.array([0, 1, 2.5, 3, 4.2, 5, 6, 7])])
def test_white_line_of_a_parabola_is_exact_on_any_grid(energy):
    mu = 2.0 - 0.1 * (energy - 3.3) ** 2
    assert white_line(energy, mu, 0.0) == pytest.approx((3.3, 2.0), abs=1e-12)


def test_white_line_ignores_what_is_before_the_edge():
    mu = RAMP.copy()
    mu[5], mu[20] = 9.0, 1.5
    assert white_line(ENERGY, mu, 112.25) == pytest.approx((120.0, 1.5))


def test_white_line_at_an_end_is_not_refined():
    rising, falling = np.arange(5.0), np.arange(5.0)[::-1]
    assert white_line(np.arange(5.0), rising, 1.0) == (4.0, 4.0)
    assert white_line(np.arange(5.0), falling, 2.0) == (2.0, 2.0)
    with pytest.raises(SpectrumError, match="below its edge"):
        white_line(np.arange(5.0), rising, 4.5)


def test_white_line_of_a_flat_top_is_its_first_point():
    assert white_line(np.arange(5.0), [1, 1, 1, 1, 1], 1.0) == (1.0, 1.0)


def test_resampling_says_where_nothing_is_known():
    result = resample([1.0, 2.0, 3.0], [0.0, 1.0, 0.0], [0.9, 1.0, 1.5, 3.0, 3.1])
    np.testing.assert_array_equal(result, [np.nan, 0.0, 0.5, 0.0, np.nan])


def test_each_filter_has_its_name():
    good = np.where(np.arange(100) < 30, 0.0, 1.1)
    assert sanity_reasons(good) == ()
    high, negative, late, dip = good.copy(), good.copy(), good.copy(), good.copy()
    high[0], negative[3], late[:80], dip[60] = 0.51, -0.051, 0.0, 0.29
    assert sanity_reasons(high) == ("starts_high",)
    assert sanity_reasons(negative) == ("negative",)
    assert sanity_reasons(late) == ("late_edge",)
    assert sanity_reasons(dip) == ("dip_after_edge",)
    assert sanity_reasons(good / 1.2) == ("no_peak",)
    late[79] = 1.0
    assert sanity_reasons(late) == ()


@pytest.mark.parametrize(
    ("energy", "mu", "message"),
    [
        ([1, 2, 3], [0, 1], "3 energies but 2"),
        ([1, 2, np.inf], [0, 1, 1], "energy of a spectrum is not finite"),
        ([1, 2, 3], [0, np.nan, 1], "mu is not finite at 1 of 3"),
        ([1, 3, 2], [0, 1, 1], "2 eV follows 3 eV"),
        ([1, 1, 2], [0, 1, 1], "increase strictly"),
        ([], [], "one row of numbers"),
        ([[1, 2]], [[1, 2]], "one row of numbers"),
        (["a", "b"], [1, 2], "real numbers"),
    ],
)
def test_impossible_arrays_are_refused(energy, mu, message):
    with pytest.raises(SpectrumError, match=message):
        resample(energy, mu, [1.5])


def test_impossible_grids_and_paddings_are_refused():
    with pytest.raises(SpectrumError, match="not finite"):
        onto_grid([1, 2], [0, 1], [1.0, np.nan])
    with pytest.raises(SpectrumError, match="'zero'"):
        onto_grid([1, 2], [0, 1], [1.0, 2.0], right="zero")  # type: ignore[arg-type]
    with pytest.raises(SpectrumError, match="not finite at 2 of 2"):
        edge_energy([1, 2], [np.nan, np.nan])


def test_half_step_is_the_edge_also_where_a_deep_dip_follows():
    energy = np.linspace(0.0, 55.0, 100)
    mu = 0.5 + np.arctan((energy - 15.0) / 0.3) / np.pi
    plain = half_step_energy(energy, mu)
    assert plain == pytest.approx(edge_energy(energy, mu), abs=1e-12)
    dipped = (
        mu + np.exp(-((energy - 17.0) ** 2) / 2.0) - 0.7 * np.exp(-((energy - 21.0) ** 2) / 4.0)
    )
    assert edge_energy(energy, dipped) > 21.0
    assert half_step_energy(energy, dipped) == pytest.approx(plain, abs=0.5)


def test_half_step_is_not_misled_by_a_pre_edge_peak():
    energy = np.linspace(0.0, 55.0, 100)
    mu = 0.5 + np.arctan((energy - 25.0) / 0.3) / np.pi + 0.8 * np.exp(-((energy - 12.0) ** 2))
    assert mu[energy < 14].max() > 0.7
    assert half_step_energy(energy, mu) == pytest.approx(25.0, abs=0.3)


def test_half_step_of_a_given_step_and_of_no_edge():
    energy = np.linspace(0.0, 10.0, 50)
    assert half_step_energy(energy, energy, step=8.0) == pytest.approx(4.0)
    assert half_step_energy(energy, np.ones(50)) == 0.0
    assert half_step_energy(energy, energy / 11.0, step=1.0) == pytest.approx(5.5)
    with pytest.raises(SpectrumError, match="does not reach"):
        half_step_energy(energy, energy, step=30.0)
    with pytest.raises(SpectrumError, match="no edge"):
        half_step_energy(energy, -np.ones(50))
