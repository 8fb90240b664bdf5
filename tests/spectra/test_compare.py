import numpy as np
import pytest

from cgxas.errors import SpectrumError, WrongEdge
from cgxas.spectra.compare import MAX_SHIFT, Curves, compare
from cgxas.spectra.measurement import Measurement
from cgxas.spectra.metrics import half_step_or_nan
from cgxas.spectra.resample import broadened
from cgxas.spectra.spectrum import Spectrum

GRID = np.linspace(7100.0, 7155.0, 100)
WIDE = np.arange(7050.0, 7300.0, 0.4)


def curve(energy: np.ndarray, e0: float = 7115.0) -> np.ndarray:
    step = 0.5 + np.arctan((energy - e0) / 0.5) / np.pi
    return step + 0.8 * np.exp(-((energy - e0 - 4.0) ** 2) / 5.0)


def curves(energy, predicted, measured_energy, measured) -> Curves:
    edge = half_step_or_nan(measured_energy, measured)
    return Curves(energy, predicted, measured_energy, measured, edge)


def measurement(energy, norm, **about) -> Measurement:
    fixed = {"mu": norm, "element": "Fe", "edge": "K", "kind": "mu", "format": "x", "source": "x"}
    return Measurement(energy, norm=norm, label="", edge_step=1.0, **{**fixed, **about})


def test_equal_curves_have_no_error():
    overlay = curves(GRID, curve(GRID), WIDE, curve(WIDE)).overlay()
    assert overlay.rse < 1e-4
    assert overlay.pcc > 0.9999
    assert overlay.half_step_error == pytest.approx(0.0, abs=0.05)


def test_errors_are_those_of_their_definition():
    p, m = curve(GRID, 7117.0), curve(GRID)
    overlay = curves(GRID, p, GRID, m).overlay()
    assert overlay.rse == pytest.approx(((m - p) ** 2).sum() / (m**2).sum())
    assert overlay.pcc == pytest.approx(np.corrcoef(m, p)[0, 1])
    assert overlay.half_step_error == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize("shift", [-17.3, -4.2, 0.0, 3.21, 12.6])
def test_a_rigid_shift_is_found(shift):
    found = curves(GRID, curve(GRID), WIDE + shift, curve(WIDE)).best(gaussian=0.0)
    assert found.shift == pytest.approx(shift, abs=0.02)
    assert found.rse < 1e-4
    assert found.half_step_error == pytest.approx(0.0, abs=0.1)


@pytest.mark.parametrize("width", [1.5, 3.0, 5.0])
def test_a_broadening_and_a_shift_are_found_together(width):
    fine = np.arange(7040.0, 7310.0, 0.05)
    measured = np.interp(WIDE, fine, broadened(fine, curve(fine), width))
    found = curves(GRID, curve(GRID), WIDE + 2.5, measured).best()
    assert found.shift == pytest.approx(2.5, abs=0.05)
    assert found.gaussian == pytest.approx(width, abs=0.25)
    assert found.rse < 1e-3


def test_the_core_hole_is_taken_only_if_it_helps():
    fine = np.arange(6950.0, 7400.0, 0.05)
    lorentzian = np.interp(WIDE, fine, broadened(fine, curve(fine), 0.0, 3.0))
    with_hole = curves(GRID, curve(GRID), WIDE, lorentzian).best(lorentzians=(0.0, 3.0))
    assert with_hole.lorentzian == 3.0
    assert with_hole.gaussian < 1.0
    without = curves(GRID, curve(GRID), WIDE, curve(WIDE)).best(lorentzians=(0.0, 3.0))
    assert without.lorentzian == 0.0


def test_given_numbers_are_not_fitted():
    found = curves(GRID, curve(GRID), WIDE + 3.0, curve(WIDE)).best(shift=1.0, gaussian=2.0)
    assert (found.shift, found.gaussian, found.lorentzian) == (1.0, 2.0, 0.0)
    np.testing.assert_allclose(found.energy, GRID + 1.0)


def test_the_edge_is_not_laid_on_another_feature():
    """Far above the edge stands the predicted curve once more: only the bound keeps it away."""
    far = np.clip(curve(WIDE, 7175.0), 0.0, None) * (WIDE > 7150.0)
    measured = np.where(WIDE > 7150.0, far, np.clip(curve(WIDE), 0.0, 1.05))
    found = curves(GRID, curve(GRID), WIDE, measured).best()
    assert abs(found.shift) <= MAX_SHIFT


def test_a_large_offset_is_found_from_the_edges():
    found = curves(GRID, curve(GRID), WIDE - 34.0, curve(WIDE)).best(gaussian=0.0)
    assert found.shift == pytest.approx(-34.0, abs=0.05)


def test_a_narrow_white_line_with_a_deep_dip_has_the_same_edge_in_both_curves():
    def dipped(energy):
        return (
            curve(energy)
            + np.exp(-((energy - 7118.0) ** 2) / 4.0)
            - 0.8 * np.exp(-((energy - 7124.0) ** 2) / 8.0)
        )

    overlay = curves(GRID, dipped(GRID), WIDE + 1.0, dipped(WIDE)).overlay()
    assert overlay.half_step_error == pytest.approx(-1.0, abs=0.15)


def test_curves_that_hardly_overlap_are_refused():
    with pytest.raises(SpectrumError, match="hardly overlap"):
        curves(GRID, curve(GRID), WIDE + 1000.0, curve(WIDE)).overlay()
    with pytest.raises(SpectrumError, match="no edge"):
        curves(GRID, np.zeros(100), WIDE, curve(WIDE)).best()


def test_a_curve_without_edge_still_has_an_error():
    overlay = curves(GRID, np.zeros(100), WIDE, 0.2 * curve(WIDE)).overlay()
    assert np.isnan(overlay.half_step_error)
    assert overlay.rse > 0


def test_each_edge_is_found_on_all_points_of_its_own_curve():
    """The measured curve never stays above one half on the few points that both share."""
    wide = curve(WIDE) - 0.65 * np.exp(-((WIDE - 7122.0) ** 2) / 3.0)
    short = WIDE[WIDE < 7123.0]
    overlay = curves(GRID, curve(GRID), WIDE, wide).overlay()
    assert overlay.half_step_error == half_step_or_nan(GRID, curve(GRID)) - half_step_or_nan(
        WIDE, wide
    )
    found = compare(Spectrum(short, curve(short), "Fe"), measurement(WIDE, wide), 0.0, 0.0)
    assert found.predicted.half_step - found.measured.half_step == found.before.half_step_error


def test_what_was_decided_is_told():
    pytest.importorskip("xraydb")
    predicted = Spectrum(GRID, curve(GRID), "Fe")
    bent = curve(WIDE) * np.where(WIDE > 7130.0, 1.2, 1.0)
    measured = measurement(WIDE - 1.5, bent, flat=curve(WIDE), energy_shift=1.5)
    found = compare(predicted, measured)
    assert found.flattened
    assert found.energy_shift == 1.5
    assert found.core_hole == pytest.approx(1.2, abs=0.2)
    assert (found.predicted, found.measured) == (predicted, measured)
    assert found.before.rse < 1e-4
    assert found.before.half_step_error == pytest.approx(0.0, abs=0.05)
    given = compare(predicted, measurement(WIDE, curve(WIDE)), shift=0.5, broaden=1.0)
    assert (given.after.shift, given.after.gaussian) == (0.5, 1.0)
    assert (given.core_hole, given.flattened, given.energy_shift) == (None, False, 0.0)


def test_a_curve_is_at_no_distance_from_itself():
    pytest.importorskip("xraydb")
    found = compare(Spectrum(GRID, curve(GRID), "Fe"), measurement(GRID, curve(GRID)))
    for overlay in (found.before, found.after):
        assert (overlay.rse, overlay.half_step_error, overlay.shift) == (0.0, 0.0, 0.0)


def test_what_cannot_be_compared_is_refused():
    predicted, measured = Spectrum(GRID, curve(GRID), "Fe"), measurement(WIDE, curve(WIDE))
    with pytest.raises(WrongEdge, match="is of Fe K, the measured one of Co K"):
        compare(predicted, measurement(WIDE, curve(WIDE), element="Co"))
    with pytest.raises(WrongEdge, match="of Fe L3: compare the same edge"):
        compare(predicted, measurement(WIDE, curve(WIDE), edge="L3"))
    with pytest.raises(SpectrumError, match="shift is 'fit' or a number of eV, not 'much'"):
        compare(predicted, measured, shift="much")
    with pytest.raises(SpectrumError, match="broadening is 'fit' or a number"):
        compare(predicted, measured, broaden=float("nan"))
    with pytest.raises(SpectrumError, match="broadening cannot be negative"):
        compare(predicted, measured, 0.0, -1.0)
    with pytest.raises(SpectrumError, match="no edge: give a shift"):
        compare(predicted, measurement(WIDE, -curve(WIDE)), broaden=0.0)
