"""Expected errors and bands, on made-up curves of which all is known."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from cgxas.model.trust.band import Band
from cgxas.model.trust.error import ExpectedError

P = 60
RELATIVE = np.linspace(0.0, 55.0, P)


def made_up(n: int, seed: int, two: bool = True):
    """Errors that follow from element, distance and chance; the other predictor feels them too."""
    draw = np.random.default_rng(seed)
    element = draw.choice([3, 8, 14, 16, 26, 29, 40, 50], n)
    new = np.stack([draw.uniform(0.02, 2, n), draw.uniform(0, 1, n), draw.uniform(0, 1, n)], axis=1)
    chance = 0.6 * draw.standard_normal(n)
    log = -4 - 1.2 * np.log(element / 8) + 0.9 * np.log(new[:, 0]) + 0.5 * np.log1p(new[:, 1])
    log = log + chance
    other = np.exp(log - 1 + 0.5 * draw.standard_normal(n)) if two else None
    return element, new, np.exp(log), other


def test_errors_are_ranked_better_by_two_predictors_than_by_one():
    found = []
    for two in (False, True):
        element, new, rse, other = made_up(300, 1, two)
        fitted = ExpectedError.fit(rse, element, new, other)
        element, new, rse, other = made_up(300, 2, two)
        found.append(spearmanr(fitted.log(element, new, other), rse)[0])
        expected = fitted.rse(fitted.log(element, new, other))
        np.testing.assert_allclose(expected.mean(), rse.mean(), rtol=0.25)
        assert fitted.needs_two is two
    assert found[1] > found[0] > 0.8


def test_an_absorber_that_was_never_kept_back_has_the_error_of_its_neighbours():
    element, new, rse, _ = made_up(400, 3, two=False)
    fitted = ExpectedError.fit(rse, element, new)
    near = np.array([[0.5, 0.0, 0.0]])
    logs = [float(fitted.log(np.array([z]), near)[0]) for z in (26, 27, 29)]
    assert logs[1] == pytest.approx(np.mean([logs[0], logs[2]]), abs=0.5)


def test_farther_is_never_expected_to_be_better():
    element, new, rse, _ = made_up(200, 4, two=False)
    fitted = ExpectedError.fit(rse[::-1].copy(), element, new)  # all is mixed up
    assert (fitted.slopes >= 0).all()


def curves(n: int, seed: int, unknown: bool = False):
    """Curves with errors of heavy tails, three times as large at the edge as behind it."""
    draw = np.random.default_rng(seed)
    element = draw.choice([8, 16, 26, 47], n)
    log = -6 + draw.uniform(-1, 1, n)
    true = np.tile(1 - np.exp(-RELATIVE / 3), (n, 1))
    shape = 1 + 2 * np.exp(-RELATIVE / 8)
    size = np.exp((log + 0.8 * draw.standard_normal(n)) / 2)[:, None]
    predicted = true + size * shape * draw.standard_normal((n, P))
    if unknown:
        true[: n // 2, 40:] = np.nan
    return element, log, true, predicted


@pytest.mark.parametrize("unknown", [False, True])
def test_bands_hold_what_they_should_on_other_curves(unknown):
    element, log, true, predicted = curves(400, 1, unknown)
    band = Band.fit(RELATIVE, true, predicted, log, element)
    element, log, true, predicted = curves(400, 2)
    rows = zip(predicted, log, element, strict=True)
    sigma = np.array([band.sigma(RELATIVE, c, each, int(z)) for c, each, z in rows])
    apart = np.abs(true - predicted) / sigma
    for z in np.unique(element):
        assert 0.60 <= (apart[element == z] < 1).mean() <= 0.76
        assert 0.91 <= (apart[element == z] < 2).mean() <= 0.98
    assert sigma[:, 0].mean() == pytest.approx(3 * sigma[:, -1].mean(), rel=0.35)


def test_a_band_goes_on_as_it_ends_and_fades_below_its_first_point():
    element, log, true, predicted = curves(100, 1)
    band = Band.fit(RELATIVE, true, predicted, log, element)
    wide = np.linspace(-20.0, 75.0, 96)
    found = band.sigma(wide, np.clip(1 - np.exp(-wide / 3), 0, None), -6.0, 26)
    assert (np.diff(found[wide < 0]) > 0).all()
    assert np.ptp(found[wide > 55]) < 1e-9


def test_elements_without_any_curve_have_the_band_of_all():
    element, log, true, predicted = curves(100, 1)
    light = element == 8
    band = Band.fit(RELATIVE, true[light], predicted[light], log[light], element[light])
    assert (band.shape > 0).all()
    np.testing.assert_allclose(band.shape[3], band.shape[2])


def test_what_does_not_fit_together_is_refused():
    element, log, true, predicted = curves(50, 1)
    band = Band.fit(RELATIVE, true, predicted, log, element)
    again = Band.restore(band.tensors)
    np.testing.assert_array_equal(again.shape, band.shape)
    with pytest.raises(ValueError, match="does not fit together"):
        Band.restore({**band.tensors, "relative": band.relative[:-1]})
    with pytest.raises(TypeError):
        Band.restore({"relative": band.relative})
    fitted = ExpectedError.fit(*made_up(30, 1)[2::-2], made_up(30, 1)[1])
    with pytest.raises(ValueError, match="does not fit together"):
        ExpectedError.restore({**fitted.tensors, "own": fitted.own[:4]})
