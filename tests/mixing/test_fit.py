"""Fractions are right, and so are their errors."""

from dataclasses import replace

import numpy as np
import pytest

from cgxas.mixing.fit import fit_all, nnls_all
from cgxas.mixing.references import Reference, of_spectrum
from cgxas.mixing.shifting import fitted_shifts
from cgxas.mixing.shifts import Shifts
from cgxas.spectra.spectrum import Spectrum

from .conftest import ENERGY, phase


def none(n: int) -> Shifts:
    return Shifts(0.0, np.zeros(n))


@pytest.mark.parametrize("n_phases", [2, 3])
def test_fractions_are_recovered_and_their_errors_cover(references, mixed, n_phases):
    truth = np.random.default_rng(1).dirichlet(np.ones(n_phases), 200)
    fits = fit_all(mixed(truth), ENERGY, references[:n_phases], none(n_phases))
    apart = np.abs(fits.fractions - truth)
    assert apart.max() < 0.03
    assert 0.6 < (apart < fits.errors).mean() < 0.8
    assert np.allclose(fits.fractions.sum(axis=1), 1)


def test_correlated_noise_is_not_taken_for_certainty(references, mixed):
    truth = np.random.default_rng(2).dirichlet(np.ones(2), 200)
    noise = np.random.default_rng(3).normal(size=(200, ENERGY.size + 8))
    smooth = np.array([np.convolve(each, np.ones(9) / 3, "valid") for each in noise])
    fits = fit_all(mixed(truth, 0.0) + 0.01 * smooth, ENERGY, references[:2], none(2))
    assert 0.55 < (np.abs(fits.fractions - truth) < fits.errors).mean() < 0.85


def test_the_normalisation_of_a_scan_is_no_fraction(references, mixed):
    truth = np.array([[0.3, 0.7]])
    fits = fit_all(1.1 * mixed(truth, 0.0), ENERGY, references[:2], none(2))
    assert np.allclose(fits.fractions, truth, atol=1e-6)
    assert np.isclose(fits.weights.sum(), 1.1)


def test_a_shared_shift_is_found(references, mixed):
    truth = np.random.default_rng(4).dirichlet(np.ones(2), 20)
    norm = mixed(truth, 0.005, shift=-1.3)
    shifts = fitted_shifts(norm, ENERGY, references[:2], is_common=True)
    assert abs(shifts.common + 1.3) < 0.03
    fits = fit_all(norm, ENERGY, references[:2], shifts)
    assert np.abs(fits.fractions - truth).max() < 0.03


def test_free_shifts_are_found_for_each_scan(references, mixed):
    truth, moved = np.array([[0.2, 0.8], [0.6, 0.4]]), (0.7, -0.4)
    norm = np.array([mixed([w], 0.003, shift=s)[0] for w, s in zip(truth, moved, strict=True)])
    fits = fit_all(norm, ENERGY, references[:2], none(2), is_free=True)
    assert np.allclose(fits.shift, moved, atol=0.1)
    assert (np.abs(fits.shift - moved) < 3 * fits.shift_error).all()
    assert (np.abs(fits.fractions - truth) < 3 * fits.errors).all()


def test_a_shift_beyond_its_bound_is_told(references, mixed):
    fits = fit_all(mixed([[0.5, 0.5]], 0.001, shift=9.0), ENERGY, references[:2], none(2), True)
    assert fits.on_bound.all()
    shifts = fitted_shifts(mixed([[0.5, 0.5]], 0.001, shift=9.0), ENERGY, references[:2], True)
    assert "shared shift" in shifts.on_bound


def test_errors_hold_the_bands_of_predicted_references():
    """References drawn from their bands: an edge that may lie elsewhere, and a smooth error."""
    random = np.random.default_rng(5)
    energy = np.linspace(7100.0, 7180.0, 80)
    alike = np.exp(-0.5 * ((energy[:, None] - energy) / 4.0) ** 2)
    root = np.linalg.cholesky(alike + 1e-8 * np.eye(energy.size))
    apart, told = [], []
    for _ in range(24):
        share = random.uniform(0.15, 0.85)
        true, said = [], []
        for name in "ab":
            curve = phase(name, energy)
            said.append(Reference(name, energy, curve, np.full(80, 0.03), 1.0))
            by = random.normal()
            true.append(phase(name, energy, by) + 0.03 * root @ random.normal(size=energy.size))
        scan = share * true[0] + (1 - share) * true[1] + 0.003 * random.normal(size=energy.size)
        shifts = fitted_shifts(scan[None], energy, said, is_common=False)
        fits = fit_all(scan[None], energy, said, shifts)
        apart.append(fits.fractions[0, 0] - share)
        told.append(fits.errors[0, 0])
    ratio = np.abs(np.array(apart) / np.array(told))
    assert 0.5 < (ratio < 1).mean() < 0.86
    assert (ratio < 2).mean() > 0.86
    assert np.median(told) > 0.008  # the noise alone would tell less


def test_edges_that_may_change_places_leave_the_fractions_open():
    """Where either reference may lie where the other does, no fit of one scan is sure."""
    band = np.full(ENERGY.size, 0.02)
    said = [Reference(n, ENERGY, phase("a", shift=s), band, 1.5) for n, s in (("a", 0), ("b", 1.0))]
    scan = 0.8 * said[0].norm + 0.2 * said[1].norm
    scan = scan + 0.01 * np.random.default_rng(0).normal(size=ENERGY.size)
    shifts = fitted_shifts(scan[None], ENERGY, said, is_common=False)
    assert fit_all(scan[None], ENERGY, said, shifts).errors[0, 0] > 0.1


def test_shifts_are_drawn_the_same_every_time(references, mixed):
    said = [replace(each, sigma=np.full(ENERGY.size, 0.02), edge_sigma=0.5) for each in references]
    norm = mixed([[0.2, 0.3, 0.5]])
    found = [fitted_shifts(norm, ENERGY, said, is_common=True) for _ in range(2)]
    assert np.array_equal(found[0].drawn, found[1].drawn)
    near = np.abs(found[0].drawn.mean(axis=0) - found[0].each)
    assert (near < 3 * found[0].drawn.std(axis=0)).all()


def test_the_band_is_told_apart_into_shift_and_shape():
    curve = phase("a")
    sigma = np.hypot(0.02, 0.9 * np.gradient(curve, ENERGY))
    found = of_spectrum("a", Spectrum(ENERGY, curve, "Fe", sigma=sigma))
    assert abs(found.edge_sigma - 0.9) < 0.05
    assert abs(np.median(found.sigma) - 0.02) < 0.003


def test_a_prediction_tells_how_sure_its_edge_is():
    """A shift of many eV adds less to the band than the slope times it: the curve has a range."""
    curve = phase("a")
    away = [phase("a", shift=4.0 * z) for z in np.random.default_rng(0).normal(size=2000)]
    sigma = np.hypot(0.02, np.sqrt(np.mean((np.array(away) - curve) ** 2, axis=0)))
    found = of_spectrum("a", Spectrum(ENERGY, curve, "Fe", sigma=sigma, edge_sigma=4.0))
    assert found.edge_sigma == 4.0
    assert abs(np.median(found.sigma) - 0.02) < 0.005


def test_moved_references_keep_their_shape():
    found = Reference("a", ENERGY, phase("a"))
    inside = ENERGY[20:-20]
    assert np.abs(found.on(inside, 0.8) - phase("a", inside, 0.8)).max() < 2e-3


def test_weights_are_never_negative(references, mixed):
    curves = np.array([each.norm for each in references])
    weights = nnls_all(curves, mixed([[1.0, 0.0, 0.0]] * 50, 0.02))
    assert weights.min() >= 0
