import json

import numpy as np
import pytest

from cgxas.crystals.canonical import Cell
from cgxas.data.record import Material, Record
from cgxas.errors import ConfigError
from cgxas.evaluation.scores import Answers, Distribution, scored
from cgxas.spectra.xray import WINDOWS


def step(element: str, shift: float) -> np.ndarray:
    energy = WINDOWS[element, "K"].energies
    return 0.5 + np.arctan(energy - energy[0] - 15 - shift) / np.pi


def record(name: str, element: str, numbers: list[int]) -> Record:
    crystal = Material(name, name, Cell(np.eye(3), np.zeros((len(numbers), 3)), np.array(numbers)))
    energy = WINDOWS[element, "K"].energies
    about = ("FEFF 9.9.1", "FEFF9", "made")
    return Record(name, crystal, element, np.array([0]), True, energy, step(element, 0), *about)


TRAIN = [record("a", "Fe", [26, 8]), record("b", "Fe", [26, 16]), record("c", "Ti", [22, 8])]
TRAIN_MU = np.array([step("Fe", 0), step("Fe", 4), step("Ti", 0)])
TESTED = [record("d", "Fe", [26, 8, 8]), record("e", "Ti", [22, 8, 8])]


def answers(records: list[Record], target: np.ndarray, predicted: np.ndarray) -> Answers:
    energy = [WINDOWS[each.element, "K"].energies for each in records]
    return Answers(records, np.array(energy).reshape(target.shape), target, predicted)


def test_distribution_of_what_is_a_number():
    values = np.append(np.arange(101.0), [np.nan, np.inf])
    assert Distribution.of(values) == Distribution(50.0, 10.0, 50.0, 90.0, 99.0)
    assert Distribution.of(np.array([3.0])) == Distribution(3.0, 3.0, 3.0, 3.0, 3.0)
    assert Distribution.of(np.full(2, np.nan)) is None


def test_scores_are_told_per_absorber_beside_both_baselines():
    target = np.array([step("Fe", 0), step("Ti", 2)])
    predicted = np.array([step("Fe", 1.0), step("Ti", 2)])
    found = scored(answers(TESTED, target, predicted), TRAIN, TRAIN_MU)
    assert list(found.elements) == ["Ti", "Fe"]  # by atomic number
    iron, titanium = found.elements["Fe"], found.elements["Ti"]
    assert (iron.n, iron.n_train, titanium.n_train) == (1, 2, 1)
    assert (found.overall.n, found.overall.n_train) == (2, 3)
    assert iron.half_step_error is not None
    assert iron.half_step_error.mean == pytest.approx(1.0, abs=0.02)
    assert iron.rse_nearest == 0  # FeO2 is nearest to FeO, whose spectrum is the target
    assert iron.rse_mean_spectrum is not None
    assert 0 < iron.rse.mean < iron.rse_mean_spectrum
    assert titanium.rse.mean == 0
    assert titanium.pcc.mean == pytest.approx(1)
    assert found.overall.rse.mean == pytest.approx((iron.rse.mean + titanium.rse.mean) / 2)
    assert found.overall.rse.q90 == pytest.approx(0.9 * iron.rse.mean)


def test_worst_answers_are_named_worst_first():
    shifts = np.arange(12)[np.random.default_rng(3).permutation(12)]
    records = [record(f"r{shift}", "Fe", [26]) for shift in shifts]
    target = np.array([step("Fe", 0)] * 12)
    predicted = np.array([step("Fe", shift) for shift in shifts])
    found = scored(answers(records, target, predicted), TRAIN, TRAIN_MU)
    assert [key for key, _, _ in found.worst] == [f"made/r{n}" for n in range(11, 1, -1)]
    errors = [error for _, _, error in found.worst]
    assert errors == sorted(errors, reverse=True)
    assert {element for _, element, _ in found.worst} == {"Fe"}


def test_points_that_were_not_computed_do_not_count():
    target = np.array([step("Fe", 0)])
    target[:, 70:] = np.nan
    predicted = np.where(np.isnan(target), 50.0, target)
    found = scored(answers(TESTED[:1], target, predicted), TRAIN, TRAIN_MU)
    assert found.overall.rse.mean == 0
    assert found.overall.half_step_error == Distribution(0, 0, 0, 0, 0)


def test_a_prediction_without_an_edge_and_an_absorber_without_training_are_survived():
    target, flat = np.array([step("Ti", 0)]), np.zeros((1, 100))
    found = scored(answers(TESTED[1:], target, flat), TRAIN[:2], TRAIN_MU[:2])
    assert found.overall.rse.mean == 1
    assert found.overall.half_step_error is None
    assert found.elements["Ti"].n_train == 0
    assert found.overall.rse_nearest is None
    assert found.overall.rse_mean_spectrum is None


def test_nothing_to_test_is_refused():
    nothing = np.zeros((0, 100))
    with pytest.raises(ConfigError, match="no spectrum to test"):
        scored(answers([], nothing, nothing), TRAIN, TRAIN_MU)


def test_every_tested_spectrum_is_kept_with_its_answer():
    target = np.array([step("Fe", 0), step("Ti", 2)])
    target[0, 80:] = np.nan
    predicted = np.array([step("Fe", 1.0), np.zeros(100)])
    found = scored(answers(TESTED, target, predicted), TRAIN, TRAIN_MU)
    tested = found.tested
    assert tested.key.tolist() == ["made/d", "made/e"]
    assert tested.element.tolist() == ["Fe", "Ti"]
    assert tested.fidelity.tolist() == ["FEFF9", "FEFF9"]
    assert tested.formula.tolist() == ["d", "e"]
    np.testing.assert_array_equal(tested.target, target)
    np.testing.assert_array_equal(tested.predicted, predicted)
    np.testing.assert_array_equal(tested.energy[1], WINDOWS["Ti", "K"].energies)
    assert tested.rse.tolist() == [found.elements["Fe"].rse.mean, 1.0]
    assert tested.pcc[0] == found.elements["Fe"].pcc.mean
    assert np.isfinite(tested.half_step_error).tolist() == [True, False]


def test_json_holds_everything():
    target = np.array([step("Fe", 0)])
    found = scored(answers(TESTED[:1], target, target), TRAIN, TRAIN_MU)
    values = json.loads(json.dumps(found.to_json(), allow_nan=False))
    nothing = {"mean": 0, "q10": 0, "median": 0, "q90": 0, "q99": 0}
    assert values["elements"]["Fe"]["rse"] == nothing
    assert values["overall"]["half_step_error"] == nothing
    assert values["overall"]["rse_nearest"] == 0
    assert values["worst"] == [["made/d", "Fe", 0.0]]
