"""Two dull answers that a model must beat."""

import numpy as np
from numpy.typing import NDArray

from cgxas.typing import FloatArray


def mean_spectrum(train: FloatArray, n_test: int) -> FloatArray:
    """Return the mean training spectrum for every test spectrum: (n_test, P).

    Args:
        train: (T, P) training spectra of one absorber; NaN where they have no value.
        n_test: number of test spectra.
    """
    known = np.isfinite(train)
    total = np.where(known, train, 0.0).sum(axis=0)
    return np.tile(total / np.maximum(known.sum(axis=0), 1), (n_test, 1))


def nearest_by_composition(
    train: FloatArray, train_composition: FloatArray, test_composition: FloatArray
) -> FloatArray:
    """Return the spectrum of the training site with the nearest composition: (U, P).

    Args:
        train: (T, P) training spectra of one absorber; NaN where they have no value.
        train_composition: (T, E) atomic fractions of the crystals.
        test_composition: (U, E) those of the test crystals.

    Distance is the sum of absolute differences of the fractions. Where the nearest spectrum has
    no value, the mean training spectrum stands in.
    """
    # Row by row: all pairs at once do not fit in memory.
    rows = [np.abs(row - train_composition).sum(axis=1).argmin() for row in test_composition]
    nearest = train[rows]
    return np.where(np.isfinite(nearest), nearest, mean_spectrum(train, len(nearest)))


def compositions(numbers: list[NDArray[np.int64]]) -> FloatArray:
    """Return (T, 104) atomic fractions by atomic number."""
    rows = [np.bincount(each, minlength=104) / len(each) for each in numbers]
    return np.array(rows, dtype=np.float64).reshape(len(rows), 104)
