"""All methods answer for what they did not learn from, and leave everything as it was."""

import hashlib
from collections.abc import Iterator
from dataclasses import fields, replace
from functools import cache

import numpy as np
import pytest

from cgxas.calibration.calibrators import (
    DEFAULT,
    MAKERS,
    METHODS,
    UNCALIBRATED,
    method,
    uncalibrated,
)
from cgxas.calibration.measured import Compounds, read_compounds
from cgxas.calibration.repeats import Repeat, draw_repeats
from cgxas.data.split import PARTS
from cgxas.errors import ConfigError
from cgxas.model.checkpoint import load_checkpoint
from cgxas.spectra.metrics import rse

WITH_SIGMA = {"gaussian", "alone"}
NEVER_CHOOSE = {"gaussian", "alone", "offset", "rigid"}


@pytest.fixture(scope="module")
def compounds(measured_folder, random_model) -> Compounds:
    return read_compounds([measured_folder], load_checkpoint(random_model))


@pytest.fixture(scope="module")
def repeat(compounds) -> Repeat:
    return next(draw_repeats(compounds, "Fe"))


@pytest.fixture(scope="module")
def numbers(repeat) -> np.ndarray:
    return np.concatenate([getattr(repeat, part) for part in PARTS])


@pytest.fixture(scope="module")
def answers(compounds, repeat, numbers):
    """What each method says, asked only once, and a hash of everything before and after."""

    @cache
    def answer(name: str):
        before = digest(compounds)
        spectra, sigma = METHODS[name](compounds, repeat, numbers)
        return spectra, sigma, before, digest(compounds)

    return answer


def arrays(compounds: Compounds) -> Iterator[np.ndarray]:
    for field in fields(compounds):
        value = getattr(compounds, field.name)
        if isinstance(value, np.ndarray):
            yield value
    states = compounds.sites.tensors, compounds.network.state_dict(), compounds.model.state
    yield from (tensor.numpy() for state in states for tensor in state.values())


def digest(compounds: Compounds) -> str:
    """A hash of everything a method could spoil."""
    found = hashlib.sha256()
    for array in arrays(compounds):
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


def spoilt(compounds: Compounds, wrong: np.ndarray) -> Compounds:
    """The same with wrong measurements of some compounds."""
    target, mu, e0 = compounds.target.copy(), compounds.norm.copy(), compounds.e0.copy()
    target[wrong], mu[wrong], e0[wrong] = 1.5 - target[wrong], 0.3, e0[wrong] - 9.0
    return replace(compounds, target=target, norm=mu, e0=e0)


@pytest.mark.parametrize("name", METHODS)
def test_a_method_answers_and_spoils_nothing(compounds, repeat, numbers, answers, name):
    spectra, sigma, before, after = answers(name)
    assert spectra.shape == (10, 100)
    assert np.isfinite(spectra).all()
    assert (sigma is not None) == (name in WITH_SIGMA)
    if sigma is not None:
        assert sigma.shape == spectra.shape
        assert (sigma > 0).all()
    assert after == before
    assert not any(each.requires_grad for each in compounds.network.parameters())
    assert not compounds.network.training
    plain, _ = uncalibrated(compounds, repeat, numbers)
    learnt = slice(0, len(repeat.train))
    target = compounds.target[repeat.train]
    assert rse(target, spectra[learnt]).mean() < rse(target, plain[learnt]).mean()


@pytest.mark.parametrize("name", METHODS)
def test_what_is_tested_is_not_learnt_from(compounds, repeat, numbers, answers, name):
    held = repeat.test
    if name in NEVER_CHOOSE:
        held = np.concatenate([repeat.test, repeat.validation])
    expected, expected_sigma, _, _ = answers(name)
    found, sigma = METHODS[name](spoilt(compounds, held), repeat, numbers)
    np.testing.assert_array_equal(found, expected)
    if expected_sigma is not None:
        np.testing.assert_array_equal(sigma, expected_sigma)


@pytest.mark.parametrize("name", METHODS)
def test_what_is_learnt_from_matters(compounds, repeat, numbers, answers, name):
    expected = answers(name)[0]
    found, _ = METHODS[name](spoilt(compounds, repeat.train), repeat, numbers)
    assert np.abs(found - expected)[-len(repeat.test) :].max() > 0.01


@pytest.mark.parametrize(
    ("name", "helps"), [("gaussian", True), ("offset", True), ("alone", False)]
)
def test_other_elements_help_where_they_are_meant_to(compounds, repeat, name, helps):
    assert (compounds.element[repeat.support] == "Ti").all()
    answer = METHODS[name]
    expected, _ = answer(compounds, repeat, repeat.test)
    without, _ = answer(compounds, replace(repeat, support=repeat.support[:0]), repeat.test)
    assert (np.abs(without - expected).max() > 1e-6) == helps


def test_uncalibrated_spectra_are_those_of_the_network(compounds, repeat):
    found, sigma = uncalibrated(compounds, repeat, repeat.test)
    assert sigma is None
    for compound, mu in zip(repeat.test.tolist(), found, strict=True):
        (row,) = compounds.rows_of(compound)
        np.testing.assert_allclose(mu, compounds.simulated[row], atol=1e-6)


def test_methods_by_name():
    assert next(iter(METHODS)) == DEFAULT
    assert list(METHODS)[-1] == "rigid"
    assert set(MAKERS) < set(METHODS)
    assert UNCALIBRATED not in METHODS
    assert method("paper") is METHODS["paper"]
    with pytest.raises(ConfigError, match="no method 'magic'; there are gaussian, alone"):
        method("magic")
