"""Two sequences into the arrays of a curve, or a refusal."""

import numpy as np
import numpy.typing as npt

from cgxas.errors import SpectrumError
from cgxas.typing import FloatArray


def checked_curve(
    energy: npt.ArrayLike, mu: npt.ArrayLike, gaps: bool = False
) -> tuple[FloatArray, FloatArray]:
    """Turn two sequences into the arrays of a spectrum, or refuse them.

    Args:
        energy: Energies in eV, (P,), strictly increasing.
        mu: Absorption, (P,).
        gaps: Leave out points where ``mu`` is not finite instead of refusing them.

    Returns:
        New float64 arrays energy and mu, each (P,), or fewer where gaps were left out.

    Raises:
        SpectrumError: The arrays are empty, of unequal length, not finite or not increasing.
    """
    x, y = finite_numbers(energy, "energy"), _numbers(mu, "mu")
    if x.size != y.size:
        raise SpectrumError(f"A spectrum has {x.size} energies but {y.size} values of mu.")
    if (np.diff(x) <= 0).any():
        first = int(np.argmax(np.diff(x) <= 0)) + 1
        raise SpectrumError(
            f"The energies must increase strictly, but {x[first]:g} eV follows {x[first - 1]:g} eV:"
            " sort the points and merge repeated energies."
        )
    known = np.isfinite(y)
    if not known.all() and not (gaps and known.any()):
        raise SpectrumError(
            f"mu is not finite at {y.size - known.sum()} of {y.size} points: remove those points."
        )
    return x[known], y[known]


def _numbers(values: npt.ArrayLike, name: str) -> FloatArray:
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise SpectrumError(f"The {name} of a spectrum must be real numbers.") from error
    if array.ndim != 1 or array.size == 0:
        raise SpectrumError(
            f"The {name} of a spectrum must be one row of numbers, not shape {array.shape}."
        )
    return array


def finite_numbers(values: npt.ArrayLike, name: str) -> FloatArray:
    """Return one row of finite numbers; SpectrumError otherwise, naming what they are."""
    array = _numbers(values, name)
    if not np.isfinite(array).all():
        raise SpectrumError(f"The {name} of a spectrum is not finite at some points: remove them.")
    return array
