import numpy as np
import pytest

from cgxas.spectra.edge import half_step
from cgxas.spectra.metrics import (
    coverage,
    half_step_errors,
    negative_log_likelihood,
    pcc,
    rse,
)

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


def test_half_step_errors_are_signed_and_each_curve_has_all_of_its_points():
    energy = np.linspace(0.0, 55.0, 100)
    rows = np.array([0.5 + np.arctan(energy - centre) / np.pi for centre in (20.0, 21.5)])
    target = rows.copy()
    target[:, 60:] = GAP
    found = half_step_errors(energy, target, rows[::-1])
    assert found == pytest.approx([1.5, -1.5], abs=0.02)
    assert found[0] == half_step(energy, rows[1]) - half_step(energy[:60], rows[0, :60])
    assert np.isnan(half_step_errors(energy, target, np.zeros((2, 100)))).all()
    assert half_step_errors(energy, target[:0], rows[:0]).shape == (0,)


def test_coverage_is_the_share_of_known_points_inside():
    target = np.array([[0.0, 1.0, 2.5, GAP], [3.5, 0.0, 0.0, 0.0]])
    predicted, sigma = np.zeros((2, 4)), np.ones((2, 4))
    assert coverage(target, predicted, sigma, 1.0) == pytest.approx([2 / 3, 3 / 4])
    assert coverage(target, predicted, sigma, 3.0) == pytest.approx([1.0, 3 / 4])


def test_coverage_of_normal_noise_is_that_of_the_tables():
    noise = np.random.default_rng(2).normal(size=(1, 100_000))
    sigma = np.full(noise.shape, 0.3)
    for n_sigma, share in ((1.0, 0.683), (2.0, 0.954)):
        found = coverage(0.3 * noise, np.zeros(noise.shape), sigma, n_sigma)
        assert found == pytest.approx([share], abs=0.01)


def test_likelihood_is_that_of_a_normal_density_and_lowest_at_the_true_sigma():
    target, sigma = np.array([[0.1, -0.2, GAP]]), np.array([[0.1, 0.4, 1.0]])
    density = np.exp(-0.5 * np.array([1.0, 0.25])) / np.sqrt(2 * np.pi) / sigma[0, :2]
    found = negative_log_likelihood(target, np.zeros((1, 3)), sigma)
    assert found == pytest.approx([-np.log(density).mean()])
    noise = np.random.default_rng(3).normal(size=10_000)
    told = np.tile([[0.7], [1.0], [1.4]], noise.size)
    scores = negative_log_likelihood(np.tile(noise, (3, 1)), np.zeros(told.shape), told)
    assert scores.argmin() == 1
    assert scores[1] == pytest.approx(1.419, abs=0.03)
