import json
from dataclasses import replace

import numpy as np
import pytest

from cgxas.crystals.canonical import Cell
from cgxas.data.records import Material, Record
from cgxas.evaluation.report import Answers, evaluate
from cgxas.spectra.windows import WINDOWS


def step(element: str, shift: float) -> np.ndarray:
    energy = WINDOWS[element].energies
    return 0.5 + np.arctan(energy - energy[0] - 15 - shift) / np.pi


def record(name: str, element: str, numbers: list[int]) -> Record:
    crystal = Material(name, name, Cell(np.eye(3), np.zeros((len(numbers), 3)), np.array(numbers)))
    energy = WINDOWS[element].energies
    return Record(name, crystal, element, 0, True, energy, step(element, 0), "made up")


TRAIN = [record("a", "Fe", [26, 8]), record("b", "Fe", [26, 16]), record("c", "Ti", [22, 8])]
TRAIN_MU = np.array([step("Fe", 0), step("Fe", 4), step("Ti", 0)])
TESTED = [record("d", "Fe", [26, 8, 8]), record("e", "Ti", [22, 8, 8])]


def test_scores_are_told_per_absorber_beside_both_baselines():
    target = np.array([step("Fe", 0), step("Ti", 2)])
    predicted = np.array([step("Fe", 1.0), step("Ti", 2)])
    found = evaluate(Answers(TESTED, target, predicted), TRAIN, TRAIN_MU, WINDOWS)
    iron, titanium = found.elements["Fe"], found.elements["Ti"]
    assert (iron.n, iron.n_train, titanium.n_train) == (1, 2, 1)
    assert iron.e0_error == pytest.approx(1.0, abs=0.02)
    assert iron.rse_nearest == 0  # FeO2 is nearest to FeO, whose spectrum is the target
    assert 0 < iron.rse < iron.rse_mean_spectrum
    assert titanium.rse == 0
    assert titanium.pcc == pytest.approx(1)
    assert found.overall.rse == pytest.approx((iron.rse + titanium.rse) / 2)
    assert found.worst[0] == ("d", "Fe", iron.rse)


def test_points_that_were_not_computed_do_not_count():
    target = np.array([step("Fe", 0)])
    target[:, 70:] = np.nan
    predicted = np.where(np.isnan(target), 50.0, target)
    found = evaluate(Answers(TESTED[:1], target, predicted), TRAIN, TRAIN_MU, WINDOWS)
    assert found.overall.rse == 0
    assert found.overall.e0_error == 0


def test_a_prediction_without_an_edge_and_an_absorber_without_training_are_survived():
    target, flat = np.array([step("Ti", 0)]), np.zeros((1, 100))
    found = evaluate(Answers(TESTED[1:], target, flat), TRAIN[:2], TRAIN_MU[:2], WINDOWS)
    assert found.overall.e0_error is None
    assert found.elements["Ti"].n_train == 0
    assert np.isnan(found.overall.rse_nearest)


def test_json_holds_everything():
    target = np.array([step("Fe", 0)])
    found = evaluate(Answers([replace(TESTED[0])], target, target), TRAIN, TRAIN_MU, WINDOWS)
    values = json.loads(json.dumps(found.to_json()))
    assert values["elements"]["Fe"]["rse"] == 0
    assert values["worst"] == [["d", "Fe", 0.0]]
