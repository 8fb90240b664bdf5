import numpy as np
import pytest

from cgxas.evaluation.baselines import compositions, mean_spectrum, nearest_by_composition

TRAIN = np.array([[1.0, 2.0, 3.0], [3.0, 4.0, np.nan]])


def test_mean_counts_only_what_is_known():
    assert mean_spectrum(TRAIN, 2) == pytest.approx(np.array([[2.0, 3.0, 3.0]] * 2))


def test_compositions_are_atomic_fractions():
    (row,) = compositions([np.array([26, 8, 8, 8])])
    assert (row[26], row[8], row.sum()) == (0.25, 0.75, 1.0)


def test_nearest_takes_the_most_similar_crystal_and_fills_its_gaps_with_the_mean():
    train = compositions([np.array([26, 8]), np.array([26, 16])])
    test = compositions([np.array([26, 8, 8]), np.array([26, 16, 16])])
    found = nearest_by_composition(TRAIN, train, test)
    assert found == pytest.approx(np.array([[1.0, 2.0, 3.0], [3.0, 4.0, 3.0]]))
