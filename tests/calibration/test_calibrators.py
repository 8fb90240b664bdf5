"""All methods answer for what they did not learn from, and leave everything as it was."""

import hashlib
from collections.abc import Iterator
from dataclasses import fields, replace
from functools import cache

import numpy as np
import pytest

from cgxas.calibration.calibrators import (
    CALIBRATORS,
    DEFAULT,
    PROGRAM,
    PROGRAM_RIGID,
    UNCALIBRATED,
    Answers,
    PlainCalibrator,
    answers,
    calibrator,
    of_program,
)
from cgxas.calibration.measured import Compounds, read_compounds
from cgxas.calibration.repeats import Repeat, draw_repeats
from cgxas.data.split import PARTS
from cgxas.errors import ConfigError, UnsupportedAbsorber
from cgxas.model.calibration.base import Calibrated, Calibration, Uncalibrated
from cgxas.model.calibration.curves import CurvesCalibration
from cgxas.model.checkpoint import load_checkpoint
from cgxas.spectra.metrics import rse

METHODS = [name for name in CALIBRATORS if name != UNCALIBRATED]
WITH_SIGMA = {"gaussian", "alone"}
WITH_EDGE_SIGMA = {"gaussian", "alone", "offset"}
NEVER_CHOOSE = {"gaussian", "alone", "offset", "rigid"}
each_method = pytest.mark.parametrize("name", METHODS)


@pytest.fixture(scope="module")
def compounds(measured_folder, random_model) -> Compounds:
    return read_compounds([measured_folder], load_checkpoint(random_model))


@pytest.fixture(scope="module")
def repeat(compounds) -> Repeat:
    return next(draw_repeats(compounds, "Fe"))


@pytest.fixture(scope="module")
def numbers(repeat) -> np.ndarray:
    return np.concatenate([getattr(repeat, part) for part in PARTS])


def asked(compounds: Compounds, name: str, repeat: Repeat, wanted: np.ndarray) -> Answers:
    return answers(compounds, calibrator(name).fit(compounds, repeat), wanted)


@pytest.fixture(scope="module")
def answered(compounds, repeat, numbers):
    """What each method says, asked only once, and a hash of everything before and after."""

    @cache
    def answer(name: str):
        before = digest(compounds)
        return asked(compounds, name, repeat, numbers), before, digest(compounds)

    return answer


def arrays(compounds: Compounds) -> Iterator[np.ndarray]:
    for owner in (compounds, *compounds.sites):
        values = [getattr(owner, field.name) for field in fields(owner)]
        yield from (value for value in values if isinstance(value, np.ndarray))
    yield from (sites.vectors.numpy() for sites in compounds.sites)
    model = compounds.model
    states = compounds.features.tensors, model.network.state_dict(), model.checkpoint.state
    yield from (tensor.numpy() for state in states for tensor in state.values())


def digest(compounds: Compounds) -> str:
    """A hash of everything a method could spoil."""
    found = hashlib.sha256()
    for array in arrays(compounds):
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


def spoilt(compounds: Compounds, wrong: np.ndarray) -> Compounds:
    """The same with wrong measurements of some compounds."""
    target, norm = compounds.target.copy(), compounds.norm.copy()
    half_step = compounds.half_step.copy()
    target[wrong], norm[wrong], half_step[wrong] = 1.5 - target[wrong], 0.3, half_step[wrong] - 9
    return replace(compounds, target=target, norm=norm, half_step=half_step)


@each_method
def test_a_method_answers_and_spoils_nothing(compounds, repeat, numbers, answered, name):
    found, before, after = answered(name)
    assert found.norm.shape == (10, 100)
    assert np.isfinite(found.norm).all()
    assert (found.sigma is not None) == (name in WITH_SIGMA)
    if found.sigma is not None:
        assert found.sigma.shape == found.norm.shape
        assert (found.sigma > 0).all()
    assert (found.edge_sigma is not None) == (name in WITH_EDGE_SIGMA)
    if found.edge_sigma is not None:
        assert found.edge_sigma.shape == (10,)
        assert (found.edge_sigma > 0).all()
    assert after == before
    network = compounds.model.network
    assert not any(each.requires_grad for each in network.parameters())
    assert not network.training
    plain = answers(compounds, Uncalibrated(), numbers).norm
    learnt = slice(0, len(repeat.train))
    target = compounds.target[repeat.train]
    assert rse(target, found.norm[learnt]).mean() < rse(target, plain[learnt]).mean()


@each_method
def test_what_is_tested_is_not_learnt_from(compounds, repeat, numbers, answered, name):
    held = repeat.test
    if name in NEVER_CHOOSE:
        held = np.concatenate([repeat.test, repeat.validation])
    expected, _, _ = answered(name)
    found = asked(spoilt(compounds, held), name, repeat, numbers)
    for field in fields(Answers):
        one, two = getattr(found, field.name), getattr(expected, field.name)
        assert (one is None) == (two is None)
        if two is not None:
            np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("name", CALIBRATORS)
def test_a_method_tells_whether_it_chooses(name):
    assert calibrator(name).chooses == (name not in NEVER_CHOOSE | {UNCALIBRATED})


@each_method
def test_what_is_learnt_from_matters(compounds, repeat, numbers, answered, name):
    expected = answered(name)[0].norm
    found = asked(spoilt(compounds, repeat.train), name, repeat, numbers).norm
    assert np.abs(found - expected)[-len(repeat.test) :].max() > 0.01


@pytest.mark.parametrize(
    ("name", "helps"), [("gaussian", True), ("offset", True), ("alone", False)]
)
def test_other_elements_help_where_they_are_meant_to(compounds, repeat, name, helps):
    assert (compounds.element[repeat.support] == "Ti").all()
    expected = asked(compounds, name, repeat, repeat.test).norm
    without = replace(repeat, support=repeat.support[:0])
    found = asked(compounds, name, without, repeat.test).norm
    assert (np.abs(found - expected).max() > 1e-6) == helps
    assert calibrator(name).together == helps


def test_uncalibrated_spectra_are_those_of_the_network(compounds, repeat):
    found = asked(compounds, UNCALIBRATED, repeat, repeat.test)
    assert found.sigma is None
    assert found.edge_sigma is None
    for compound, norm in zip(repeat.test.tolist(), found.norm, strict=True):
        (simulated,) = compounds.sites[compound].simulated
        np.testing.assert_allclose(norm, simulated, atol=1e-6)


def test_methods_by_name():
    assert next(iter(CALIBRATORS)) == DEFAULT
    assert set(METHODS) == {"gaussian", "alone", "offset", "paper", "rigid"}
    assert calibrator("paper") is CALIBRATORS["paper"]
    with pytest.raises(ConfigError, match="no method 'magic'; there are gaussian, alone"):
        calibrator("magic")


def test_curves_of_a_program_answer_as_they_are_and_moved(compounds, repeat):
    energy = np.arange(7080.0, 7200.0, 0.5)
    curve = 0.5 + np.arctan((energy - 7150) / 2) / np.pi  # far from where it was measured
    names = [str(name) for name in compounds.name[compounds.element == "Fe"]]
    program = CurvesCalibration({"Fe": dict.fromkeys(names, (energy, curve))})
    made = of_program(program)
    assert list(made) == [PROGRAM, PROGRAM_RIGID]
    plain, moved = (each.fit(compounds, repeat) for each in made.values())
    assert plain is program
    target = compounds.target[repeat.train]
    one, two = (answers(compounds, each, repeat.train).norm for each in (plain, moved))
    np.testing.assert_array_equal(one[0], np.interp(compounds.grids["Fe"].energies, energy, curve))
    assert rse(target, two).mean() < 0.2 * rse(target, one).mean()
    with pytest.raises(UnsupportedAbsorber, match="no curve of Ti in Ti"):
        answers(compounds, plain, np.flatnonzero(compounds.element == "Ti"))


def test_a_band_is_told_only_where_every_compound_has_one(compounds, repeat):
    class Sometimes(Uncalibrated):
        def spectra(self, sites, grid) -> Calibrated:
            found = super().spectra(sites, grid)
            if sites.name == compounds.name[repeat.train[0]]:
                return found
            return replace(found, sigma=np.ones(grid.n_points), edge_sigma=0.5)

    all_but_one = answers(compounds, Sometimes(), repeat.train[1:])
    assert all_but_one.sigma.shape == (len(repeat.train) - 1, 100)
    np.testing.assert_array_equal(all_but_one.edge_sigma, 0.5)
    everyone = answers(compounds, Sometimes(), repeat.train)
    assert everyone.sigma is None
    assert everyone.edge_sigma is None


def test_a_plain_calibrator_is_its_function(compounds, repeat):
    told = []

    def function(compounds: Compounds, parts: Repeat) -> Calibration:
        told.append((compounds, parts))
        return Uncalibrated()

    made = PlainCalibrator(function)
    assert (made.together, made.chooses) == (False, False)
    assert isinstance(made.fit(compounds, repeat), Uncalibrated)
    assert told == [(compounds, repeat)]
