import numpy as np
import pytest

from cgxas.errors import SpectrumError
from cgxas.spectra.curve import checked_curve


@pytest.mark.parametrize(
    ("energy", "mu", "message"),
    [
        ([1, 2, 3], [0, 1], "3 energies but 2"),
        ([1, 2, np.inf], [0, 1, 1], "energy of a spectrum is not finite"),
        ([1, 2, 3], [0, np.nan, 1], "mu is not finite at 1 of 3"),
        ([1, 3, 2], [0, 1, 1], "2 eV follows 3 eV"),
        ([1, 1, 2], [0, 1, 1], "increase strictly"),
        ([], [], "one row of numbers"),
        ([[1, 2]], [[1, 2]], "one row of numbers"),
        (["a", "b"], [1, 2], "real numbers"),
    ],
)
def test_impossible_arrays_are_refused(energy, mu, message):
    with pytest.raises(SpectrumError, match=message):
        checked_curve(energy, mu)


def test_gaps_are_left_out_only_where_that_is_asked_for():
    x, y = checked_curve([1, 2, 3], [0, np.nan, 1], gaps=True)
    assert (x.tolist(), y.tolist()) == ([1, 3], [0, 1])
    with pytest.raises(SpectrumError, match="not finite at 2 of 2"):
        checked_curve([1, 2], [np.nan, np.nan], gaps=True)
