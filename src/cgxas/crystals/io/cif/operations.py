"""Symmetry operations as arrays, and what makes a list of them the group of a cell."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pymatgen.core.lattice import Lattice

from cgxas.errors import UnreadableCrystal
from cgxas.typing import FloatArray, IntArray

MOST = 192 * 4
"""Operations of a cell: 192 of a face-centred cubic one, times those of a multiple cell."""

_TERM = re.compile(r"([+-]?)(\d+\.?\d*|\.\d+)?(?:/(\d+))?\*?([xyz]?)")
# Translations are parts of 24 nearly always; 240 parts hold the others: fifths, tenths, sixteenths.
_PARTS, _FINE = 24, 240
_ROUNDED = 0.004


@dataclass(frozen=True, eq=False)
class Operations:
    """Symmetry operations x' = R x + t of fractional coordinates, the identity first.

    Attributes:
        rotations: (N, 3, 3) R.
        translations: (N, 3) t, from 0 to 1.
    """

    rotations: IntArray
    translations: FloatArray

    def __len__(self) -> int:
        return len(self.rotations)

    def keys(self) -> IntArray:
        """Return (N,) numbers, equal for equal operations."""
        return _keys(self.rotations, np.rint(self.translations * _FINE).astype(np.int64))

    def completed(self) -> "Operations | None":
        """Return the group that the operations make, or None if they make none."""
        found = self
        while True:
            rotations = np.einsum("aij,bjk->abik", found.rotations, self.rotations)
            moved = np.einsum("aij,bj->abi", found.rotations, self.translations)
            translations = moved + found.translations[:, None]
            following = _distinct(rotations.reshape(-1, 3, 3), translations.reshape(-1, 3), found)
            if len(following) == len(found):
                return found
            if len(following) > MOST or np.abs(following.rotations).max() > 3:
                return None
            found = following

    def moved(self, origin: FloatArray) -> "Operations":
        """Return the operations of the same group about an origin at (3,) fractions of the cell."""
        shifts = origin - self.rotations @ origin
        return Operations(self.rotations, np.mod(self.translations + shifts, 1.0))

    def fit(self, lattice: Lattice) -> bool:
        """Tell whether every operation leaves the shape of the cell as it is.

        Within 1 % of its lengths and 1 degree of its angles: published cells are rounded.
        """
        metric = np.asarray(lattice.metric_tensor)
        turned = np.einsum("nji,jk,nkl->nil", self.rotations, metric, self.rotations)
        lengths = np.sqrt(np.maximum(np.einsum("nii->ni", turned), 1e-12))
        cosines = turned / (lengths[:, :, None] * lengths[:, None, :])
        angles = np.degrees(np.arccos(np.clip(cosines, -1, 1)))
        own = np.degrees(np.arccos(np.clip(metric / np.outer(lattice.abc, lattice.abc), -1, 1)))
        return bool(
            np.allclose(lengths, lattice.abc, rtol=0.01, atol=0.02)
            and np.allclose(angles, own, rtol=0, atol=1.0)
        )


IDENTITY = Operations(np.eye(3, dtype=np.int64)[None], np.zeros((1, 3)))


def parsed(texts: Sequence[str], where: str) -> Operations:
    """Read operations written as x,y,z.

    Raises:
        UnreadableCrystal: one of them is none.
    """
    if len(texts) > MOST:
        raise UnreadableCrystal(
            f"{where} lists {len(texts):,} symmetry operations; no cell has more than {MOST}"
        )
    pairs = [_operation(text, where) for text in texts]
    rotations = np.array([rotation for rotation, _ in pairs], dtype=np.int64)
    translations = snapped(np.array([translation for _, translation in pairs]))
    return _distinct(rotations, translations, IDENTITY)


def products(first: Operations, second: Operations) -> Operations:
    """Return each operation of the first after each of the second."""
    rotations = np.einsum("aij,bjk->abik", first.rotations, second.rotations)
    translations = np.einsum("aij,bj->abi", first.rotations, second.translations)
    translations = translations + first.translations[:, None]
    return _distinct(rotations.reshape(-1, 3, 3), translations.reshape(-1, 3), IDENTITY)


def _operation(text: str, where: str) -> tuple[list[list[int]], list[float]]:
    parts = text.lower().replace(" ", "").strip("'\"").split(",")
    rows, translation = [], []
    # Those of magnetic groups end with the sign of time.
    if len(parts) == 3 or (len(parts) == 4 and parts[3] in {"1", "+1", "-1"}):
        for part in parts[:3]:
            found = _row(part)
            if found:
                rows.append(found[0])
                translation.append(found[1])
    if len(rows) == 3 and abs(round(float(np.linalg.det(rows)))) == 1:
        return rows, translation
    raise UnreadableCrystal(
        f"{where}: {text[:60]!r} is not a symmetry operation such as '-x,y+1/2,-z'; correct it"
    )


def _row(part: str) -> tuple[list[int], float] | None:
    """Return coefficients of x, y, z and the translation of a term such as -x+1/2."""
    row, translation, at = [0, 0, 0], 0.0, 0
    while at < len(part):
        match = _TERM.match(part, at)
        if match is None or match.end() == at or not (match[2] or match[4]) or len(match[0]) > 30:
            return None
        at = match.end()
        value = float(match[1] + (match[2] or "1")) / (float(match[3] or 1) or math.nan)
        if math.isnan(value):
            return None
        if not match[4]:
            translation += value
        elif value == int(value):
            row["xyz".index(match[4])] += int(value)
        else:
            return None
    return (row, translation) if any(row) else None


def snapped(translations: FloatArray) -> FloatArray:
    """Return translations as the fractions that were meant: 0.333 is a third."""
    coarse = np.rint(translations * _PARTS) / _PARTS
    fine = np.rint(translations * _FINE) / _FINE
    return np.where(np.abs(coarse - translations) < _ROUNDED, coarse, fine)


def _distinct(rotations: IntArray, translations: FloatArray, first: Operations) -> Operations:
    """Return the different ones among operations, those of `first` before the others."""
    rotations = np.concatenate([first.rotations, rotations])
    translations = np.concatenate([first.translations, translations])
    parts = np.mod(np.rint(translations * _FINE).astype(np.int64), _FINE)
    _, kept = np.unique(_keys(rotations, parts), return_index=True)
    kept.sort()
    return Operations(rotations[kept], parts[kept] / _FINE)


def _keys(rotations: IntArray, parts: IntArray) -> IntArray:
    digits = np.clip(rotations.reshape(-1, 9) + 4, 0, 8)
    keys = digits @ 9 ** np.arange(9, dtype=np.int64)
    shifts = np.mod(parts, _FINE) @ _FINE ** np.arange(3, dtype=np.int64)
    found: IntArray = keys * _FINE**3 + shifts
    return found
