"""The constant of each element between FEFF's scale and the measured one, where there is any sign.

What theory leaves of an offset (cgxas.model.calibration.gaussian) is mostly a number of the
element: how far the total energies of its free atom are off. It changes smoothly with the atomic
number. Measured compounds tell it best; the tabulated edge of the elemental solid, which lies at
its Fermi level, tells it to some eV, worse where FEFF counts electrons of a shallow core level on
the wrong side, which shows as a charge that an elemental solid cannot have.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from cgxas.elements import MAX_ATOMIC_NUMBER, atomic_number
from cgxas.typing import FloatArray, IntArray

# Variances in eV^2, of greatest evidence over all measured compounds and elemental solids.
_ANYTHING: Final = 100.0
_TREND: Final = 1200.0  # of the fourth power of Z / 50: relativity that free atoms lack
_SMOOTH, _REACH = 2.0, 3.0  # what neighbours in the periodic table share, and how far
_OWN: Final = 2.0
_COMPOUND: Final = 1.0
_SOLID, _ALL_SOLIDS, _CHARGE = 7.2, 0.3, 28.0  # the last per squared electron
_LIGHT, _LIGHTEST = 25.0, 11  # that of elements before this one: open shells weigh more
_ENOUGH: Final = 5  # compounds; with fewer, the constant is doubtful still
_FILE: Final = Path(__file__).with_name("solids.json")


@dataclass(frozen=True)
class Solid:
    """An elemental solid.

    Attributes:
        edge: its tabulated edge less that of FEFF10, eV.
        fermi: Fermi level, eV.
        level: 1s level, beyond the median site of the element, eV.
        charge: of its atoms, which ought to be 0.
    """

    edge: float
    fermi: float
    level: float
    charge: float


@cache
def solids() -> dict[str, Solid]:
    """Return the elemental solids by symbol; benchmarks/potentials.py makes their file."""
    table = json.loads(_FILE.read_text(encoding="utf-8"))["solids"]
    return {symbol: Solid(**values) for symbol, values in table.items()}


def constants(
    number: IntArray, left: FloatArray, slopes: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return (103,) constants of all elements and their variances, 0 where 5 compounds tell them.

    Args:
        number: (C,) atomic numbers of measured absorbers.
        left: (C,) what theory leaves of their offsets, eV.
        slopes: (2,) by how much offsets follow the Fermi level and the 1s level.
    """
    known = solids()
    z = np.array([atomic_number(symbol) for symbol in known])
    of_solids = np.array([s.edge - slopes @ (s.fermi, s.level) for s in known.values()])
    charge = np.concatenate([np.zeros(len(left)), [s.charge for s in known.values()]])
    solid = np.arange(len(charge)) >= len(left)
    every, value = np.concatenate([number, z]), np.concatenate([left, of_solids])
    noise = np.where(solid, _SOLID, _COMPOUND)
    covariance = _alike(every, every) + np.diag(noise)
    covariance += _ALL_SOLIDS * np.outer(solid, solid) + _CHARGE * np.outer(charge, charge)
    wanted = np.arange(1, MAX_ATOMIC_NUMBER + 1)
    kernel = _alike(wanted, every)
    found = kernel @ np.linalg.solve(covariance, value)
    variance = np.diag(_alike(wanted, wanted) - kernel @ np.linalg.solve(covariance, kernel.T))
    measured = np.bincount(number, minlength=MAX_ATOMIC_NUMBER + 1)[1:]
    return found, np.where(measured < _ENOUGH, variance, 0.0)


def _alike(one: IntArray, other: IntArray) -> FloatArray:
    """Return (A, B) covariances of the constants of elements, eV^2."""
    apart = one[:, None] - other[None]
    trend = np.outer((one / 50) ** 4, (other / 50) ** 4)
    smooth = np.exp(-0.5 * (apart / _REACH) ** 2)
    own = (apart == 0) * np.where(one < _LIGHTEST, _OWN + _LIGHT, _OWN)[:, None]
    return np.asarray(_ANYTHING + _TREND * trend + _SMOOTH * smooth + own)
