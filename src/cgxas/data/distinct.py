"""Crystals told apart by their atoms, not by their names."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from cgxas.crystals.canonical import Cell
from cgxas.data.record import Material


def crystal_key(cell: Cell) -> bytes:
    """Return what two cells share if they are identical to 1e-6, atom by atom."""
    digest = hashlib.sha256(np.asarray(cell.numbers, dtype="<i8").tobytes())
    for values in (cell.lattice, cell.frac):
        digest.update((np.round(values, 6) + 0.0).tobytes())  # + 0: there is a negative zero
    return digest.digest()


class DistinctMaterials:
    """Crystals, each kept once and under a name of its own."""

    def __init__(self) -> None:
        self._of_crystal: dict[bytes, Material] = {}
        self._names: set[str] = set()

    def __iter__(self) -> Iterator[Material]:
        return iter(self._of_crystal.values())

    def kept(self, material: Material) -> Material:
        """Return the crystal, or the identical one that came first.

        A crystal whose name another one has is called name_v2, name_v3 and so on.
        """
        key = crystal_key(material.cell)
        if key not in self._of_crystal:
            number, name = 1, material.material_id
            while name in self._names:
                number += 1
                name = f"{material.material_id}_v{number}"
            self._names.add(name)
            self._of_crystal[key] = replace(material, material_id=name)
        return self._of_crystal[key]
