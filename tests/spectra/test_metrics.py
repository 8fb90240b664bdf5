import numpy as np
import pytest

from cgxas.spectra.metrics import pcc, rse

GAP = np.nan


def test_rse_leaves_out_points_without_a_target():
    target, predicted = np.array([[3.0, 4.0, GAP]]), np.array([[3.0, 5.0, 100.0]])
    assert rse(target, predicted) == pytest.approx([1 / 25])


def test_pcc_is_the_pearson_correlation_of_the_known_points():
    rng = np.random.default_rng(0)
    target, predicted = rng.random((3, 40)), rng.random((3, 40))
    holes = target.copy()
    holes[:, 30:] = GAP
    expected = [np.corrcoef(t[:30], p[:30])[0, 1] for t, p in zip(target, predicted, strict=True)]
    assert pcc(holes, predicted) == pytest.approx(expected)


def test_pcc_ignores_scale_and_offset_and_a_flat_curve_has_none():
    curve = np.arange(10.0)[None]
    assert pcc(curve, 3 * curve + 2) == pytest.approx([1.0])
    assert pcc(curve, -curve) == pytest.approx([-1.0])
    assert pcc(curve, np.ones((1, 10))) == pytest.approx([0.0])
