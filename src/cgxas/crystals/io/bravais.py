"""The lattices of Quantum ESPRESSO's ibrav.

As in the manual of pw.x (INPUT_PW, ibrav), in units of the lattice parameter celldm(1).
"""

from collections.abc import Callable, Sequence
from math import cos, radians, sqrt

import numpy as np

from cgxas.typing import FloatArray

Vectors = list[list[float]]
_NEEDED = {
    4: (3,),
    5: (4,),
    -5: (4,),
    6: (3,),
    7: (3,),
    8: (2, 3),
    9: (2, 3),
    -9: (2, 3),
    91: (2, 3),
    10: (2, 3),
    11: (2, 3),
    12: (2, 3, 4),
    -12: (2, 3, 5),
    13: (2, 3, 4),
    -13: (2, 3, 5),
    14: (2, 3, 4, 5, 6),
}
"""Which celldm a lattice needs besides the first. Cosines (4 to 6) may be zero."""


def cell_of_ibrav(ibrav: int, celldm: Sequence[float]) -> FloatArray:
    """Return the (3, 3) vectors of a lattice as rows, in units of celldm(1).

    Args:
        ibrav: of the manual, not 0.
        celldm: the six numbers; those after the first as the manual defines them: b/a, c/a and
            three cosines.

    Raises:
        ValueError: the manual knows no such ibrav, or a number it needs is missing.
    """
    if ibrav not in _LATTICES:
        raise ValueError(f"ibrav = {ibrav} is not one of Quantum ESPRESSO's; use ibrav = 0")
    for number in _NEEDED.get(ibrav, ()):
        value = celldm[number - 1]
        if not (value > 0 if number < 4 else -1 < value < 1):
            raise ValueError(f"celldm({number}) is missing or impossible for ibrav = {ibrav}")
    return np.array(_LATTICES[ibrav](*celldm[1:]), dtype=np.float64)


def _trigonal(b: float, c: float, cosine: float, *_: float) -> Vectors:
    tx, ty, tz = sqrt((1 - cosine) / 2), sqrt((1 - cosine) / 6), sqrt((1 + 2 * cosine) / 3)
    return [[tx, -ty, tz], [0, 2 * ty, tz], [-tx, -ty, tz]]


def _trigonal_111(b: float, c: float, cosine: float, *_: float) -> Vectors:
    ty, tz = sqrt((1 - cosine) / 6), sqrt((1 + 2 * cosine) / 3)
    u, v = (tz - 2 * sqrt(2) * ty) / sqrt(3), (tz + sqrt(2) * ty) / sqrt(3)
    return [[u, v, v], [v, u, v], [v, v, u]]


def _monoclinic(b: float, c: float, ab: float, *_: float) -> Vectors:
    return [[1, 0, 0], [b * ab, b * sqrt(1 - ab**2), 0], [0, 0, c]]


def _monoclinic_b(b: float, c: float, _ab: float, ac: float, *_: float) -> Vectors:
    return [[1, 0, 0], [0, b, 0], [c * ac, 0, c * sqrt(1 - ac**2)]]


def _monoclinic_base(b: float, c: float, ab: float, *_: float) -> Vectors:
    return [[0.5, 0, -c / 2], [b * ab, b * sqrt(1 - ab**2), 0], [0.5, 0, c / 2]]


def _monoclinic_base_b(b: float, c: float, _ab: float, ac: float, *_: float) -> Vectors:
    return [[0.5, b / 2, 0], [-0.5, b / 2, 0], [c * ac, 0, c * sqrt(1 - ac**2)]]


def _triclinic(b: float, c: float, bc: float, ac: float, ab: float) -> Vectors:
    sine = sqrt(1 - ab**2)
    height = 1 + 2 * bc * ac * ab - bc**2 - ac**2 - ab**2
    if height <= 0:
        raise ValueError("celldm(4) to celldm(6) are no angles of a cell")
    return [
        [1, 0, 0],
        [b * ab, b * sine, 0],
        [c * ac, c * (bc - ac * ab) / sine, c * sqrt(height) / sine],
    ]


_H = cos(radians(30))
_LATTICES: dict[int, Callable[..., Vectors]] = {
    1: lambda *_: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    2: lambda *_: [[-0.5, 0, 0.5], [0, 0.5, 0.5], [-0.5, 0.5, 0]],
    3: lambda *_: [[0.5, 0.5, 0.5], [-0.5, 0.5, 0.5], [-0.5, -0.5, 0.5]],
    -3: lambda *_: [[-0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.5, 0.5, -0.5]],
    4: lambda b, c, *_: [[1, 0, 0], [-0.5, _H, 0], [0, 0, c]],
    5: _trigonal,
    -5: _trigonal_111,
    6: lambda b, c, *_: [[1, 0, 0], [0, 1, 0], [0, 0, c]],
    7: lambda b, c, *_: [[0.5, -0.5, c / 2], [0.5, 0.5, c / 2], [-0.5, -0.5, c / 2]],
    8: lambda b, c, *_: [[1, 0, 0], [0, b, 0], [0, 0, c]],
    9: lambda b, c, *_: [[0.5, b / 2, 0], [-0.5, b / 2, 0], [0, 0, c]],
    -9: lambda b, c, *_: [[0.5, -b / 2, 0], [0.5, b / 2, 0], [0, 0, c]],
    91: lambda b, c, *_: [[1, 0, 0], [0, b / 2, -c / 2], [0, b / 2, c / 2]],
    10: lambda b, c, *_: [[0.5, 0, c / 2], [0.5, b / 2, 0], [0, b / 2, c / 2]],
    11: lambda b, c, *_: [[0.5, b / 2, c / 2], [-0.5, b / 2, c / 2], [-0.5, -b / 2, c / 2]],
    12: _monoclinic,
    -12: _monoclinic_b,
    13: _monoclinic_base,
    -13: _monoclinic_base_b,
    14: _triclinic,
}
