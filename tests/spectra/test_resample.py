from pathlib import Path

import numpy as np
import pytest

from cgxas.errors import SpectrumError
from cgxas.spectra.resample import broadened, onto_grid, resample

GRID = np.linspace(7100.0, 7155.0, 100)


@pytest.fixture(scope="module")
def goldens(reference: Path) -> dict[str, np.ndarray]:
    with np.load(reference / "functions.npz", allow_pickle=False) as file:
        return dict(file)


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


def test_resampling_says_where_nothing_is_known():
    result = resample([1.0, 2.0, 3.0], [0.0, 1.0, 0.0], [0.9, 1.0, 1.5, 3.0, 3.1])
    np.testing.assert_array_equal(result, [np.nan, 0.0, 0.5, 0.0, np.nan])


def test_impossible_grids_and_paddings_are_refused():
    with pytest.raises(SpectrumError, match="not finite"):
        onto_grid([1, 2], [0, 1], [1.0, np.nan])
    with pytest.raises(SpectrumError, match="'zero'"):
        onto_grid([1, 2], [0, 1], [1.0, 2.0], right="zero")  # type: ignore[arg-type]


def test_broadening_keeps_a_constant_and_the_area_of_a_peak():
    assert broadened(GRID, np.full(100, 0.7), 3.0, 2.0) == pytest.approx(0.7)
    x = np.arange(0.0, 200.0, 0.5)
    peak = np.exp(-((x - 100.0) ** 2) / 8.0)
    wider = broadened(x, peak, 4.0)
    assert wider.sum() == pytest.approx(peak.sum(), rel=1e-3)
    second = np.sqrt(((x - 100.0) ** 2 * wider).sum() / wider.sum())
    assert second == pytest.approx(np.hypot(2.0, 4.0 / 2.3548), rel=0.01)


def test_a_lorentzian_broadens_a_step_to_an_arc_tangent():
    x = np.arange(-100.0, 100.0, 0.25)
    step = np.where(x < 0, 0.0, 1.0)
    found = broadened(x, step, 0.0, 2.0)
    near = np.abs(x) < 20
    # Between its points the step is a ramp, whose middle lies at -0.125 eV.
    assert found[near] == pytest.approx((0.5 + np.arctan(x + 0.125) / np.pi)[near], abs=0.01)


def test_no_broadening_is_an_equal_copy_and_a_negative_one_is_refused():
    mu = 0.5 + np.arctan(GRID - 7115.0) / np.pi
    same = broadened(GRID, mu, 0.0)
    np.testing.assert_array_equal(same, mu)
    assert same is not mu
    with pytest.raises(SpectrumError, match="negative"):
        broadened(GRID, mu, -1.0)
