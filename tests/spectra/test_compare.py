import numpy as np
import pytest

from cgxas.errors import SpectrumError
from cgxas.spectra.compare import MAX_SHIFT, Curves
from cgxas.spectra.resample import broadened

GRID = np.linspace(7100.0, 7155.0, 100)
WIDE = np.arange(7050.0, 7300.0, 0.4)


def curve(energy: np.ndarray, e0: float = 7115.0) -> np.ndarray:
    step = 0.5 + np.arctan((energy - e0) / 0.5) / np.pi
    return step + 0.8 * np.exp(-((energy - e0 - 4.0) ** 2) / 5.0)


def test_equal_curves_have_no_error():
    overlay = Curves(GRID, curve(GRID), WIDE, curve(WIDE)).overlay()
    assert overlay.rse < 1e-4
    assert overlay.pcc > 0.9999
    assert overlay.e0_error == pytest.approx(0.0, abs=0.05)


def test_errors_are_those_of_their_definition():
    p, m = curve(GRID, 7117.0), curve(GRID)
    overlay = Curves(GRID, p, GRID, m).overlay()
    assert overlay.rse == pytest.approx(((m - p) ** 2).sum() / (m**2).sum())
    assert overlay.pcc == pytest.approx(np.corrcoef(m, p)[0, 1])
    assert overlay.e0_error == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize("shift", [-17.3, -4.2, 0.0, 3.21, 12.6])
def test_a_rigid_shift_is_found(shift):
    found = Curves(GRID, curve(GRID), WIDE + shift, curve(WIDE)).best(gaussian=0.0)
    assert found.shift == pytest.approx(shift, abs=0.02)
    assert found.rse < 1e-4
    assert found.e0_error == pytest.approx(0.0, abs=0.1)


@pytest.mark.parametrize("width", [1.5, 3.0, 5.0])
def test_a_broadening_and_a_shift_are_found_together(width):
    fine = np.arange(7040.0, 7310.0, 0.05)
    measured = np.interp(WIDE, fine, broadened(fine, curve(fine), width))
    found = Curves(GRID, curve(GRID), WIDE + 2.5, measured).best()
    assert found.shift == pytest.approx(2.5, abs=0.05)
    assert found.gaussian == pytest.approx(width, abs=0.25)
    assert found.rse < 1e-3


def test_the_core_hole_is_taken_only_if_it_helps():
    fine = np.arange(6950.0, 7400.0, 0.05)
    lorentzian = np.interp(WIDE, fine, broadened(fine, curve(fine), 0.0, 3.0))
    with_hole = Curves(GRID, curve(GRID), WIDE, lorentzian).best(lorentzians=(0.0, 3.0))
    assert with_hole.lorentzian == 3.0
    assert with_hole.gaussian < 1.0
    without = Curves(GRID, curve(GRID), WIDE, curve(WIDE)).best(lorentzians=(0.0, 3.0))
    assert without.lorentzian == 0.0


def test_given_numbers_are_not_fitted():
    found = Curves(GRID, curve(GRID), WIDE + 3.0, curve(WIDE)).best(shift=1.0, gaussian=2.0)
    assert (found.shift, found.gaussian, found.lorentzian) == (1.0, 2.0, 0.0)
    np.testing.assert_allclose(found.energy, GRID + 1.0)


def test_the_edge_is_not_laid_on_another_feature():
    """Far above the edge stands the predicted curve once more: only the bound keeps it away."""
    far = np.clip(curve(WIDE, 7175.0), 0.0, None) * (WIDE > 7150.0)
    measured = np.where(WIDE > 7150.0, far, np.clip(curve(WIDE), 0.0, 1.05))
    found = Curves(GRID, curve(GRID), WIDE, measured).best()
    assert abs(found.shift) <= MAX_SHIFT


def test_a_large_offset_is_found_from_the_edges():
    found = Curves(GRID, curve(GRID), WIDE - 34.0, curve(WIDE)).best(gaussian=0.0)
    assert found.shift == pytest.approx(-34.0, abs=0.05)


def test_a_narrow_white_line_with_a_deep_dip_has_the_same_edge_in_both_curves():
    def dipped(energy):
        return (
            curve(energy)
            + np.exp(-((energy - 7118.0) ** 2) / 4.0)
            - 0.8 * np.exp(-((energy - 7124.0) ** 2) / 8.0)
        )

    overlay = Curves(GRID, dipped(GRID), WIDE + 1.0, dipped(WIDE)).overlay()
    assert overlay.e0_error == pytest.approx(-1.0, abs=0.15)


def test_curves_that_hardly_overlap_are_refused():
    with pytest.raises(SpectrumError, match="hardly overlap"):
        Curves(GRID, curve(GRID), WIDE + 1000.0, curve(WIDE)).overlay()
    with pytest.raises(SpectrumError, match="no edge"):
        Curves(GRID, np.zeros(100), WIDE, curve(WIDE)).best()


def test_a_curve_without_edge_still_has_an_error():
    overlay = Curves(GRID, np.full(100, 0.3), WIDE, 0.2 * curve(WIDE)).overlay()
    assert np.isnan(overlay.e0_error)
    assert overlay.rse > 0


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
    mu = curve(GRID)
    same = broadened(GRID, mu, 0.0)
    np.testing.assert_array_equal(same, mu)
    assert same is not mu
    with pytest.raises(SpectrumError, match="negative"):
        broadened(GRID, mu, -1.0)
