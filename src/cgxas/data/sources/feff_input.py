"""feff.inp of a run: its cards, and what stands around the absorber."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cgxas.crystals.canonical import Cell
from cgxas.crystals.io import feff_input
from cgxas.data.sources.feff_site import surroundings
from cgxas.data.sources.item import Unusable
from cgxas.errors import UnreadableCrystal
from cgxas.reading import read_bounded

_K_HOLE = "1"

Around = tuple[int, NDArray[np.int64], NDArray[np.float64]]
"""Atomic number of the absorber; numbers and relative places of the atoms around it."""


@dataclass(frozen=True, eq=False)
class FeffInput:
    """What a feff.inp says.

    Attributes:
        cards: card -> what stands behind it.
        absorber: atomic number of the absorber.
        numbers: (N,) atomic numbers of the atoms around it.
        cluster: (N, 3) places of these atoms relative to the absorber, Angstrom.
        lattice_cell: the crystal of LATTICE and ATOMS, or None.
        header_cell: the crystal in the comments pymatgen writes, or None.
    """

    cards: dict[str, str]
    absorber: int
    numbers: NDArray[np.int64]
    cluster: NDArray[np.float64]
    lattice_cell: Cell | None
    header_cell: Cell | None

    @property
    def edge(self) -> str:
        """Name of the edge; FEFF takes K if none is given."""
        if "EDGE" in self.cards:
            name = (self.cards["EDGE"].split() or ["K"])[0].upper()
            return "K" if name == _K_HOLE else name
        hole = (self.cards.get("HOLE", _K_HOLE).split() or [_K_HOLE])[0]
        return "K" if hole == _K_HOLE else f"hole {hole}"

    @property
    def is_xanes(self) -> bool:
        """Whether the run is of the near edge, not EXAFS or another spectroscopy."""
        return "XANES" in self.cards

    @property
    def is_absolute(self) -> bool:
        """Whether mu was left as a cross-section."""
        return "ABSOLUTE" in self.cards


def read_input(path: Path) -> FeffInput:
    """Read a feff.inp.

    Raises:
        Unusable: it is missing or says too little.
    """
    try:
        text = read_bounded(path, Unusable).decode("utf-8", errors="replace")
    except Unusable as error:
        raise Unusable("run has no feff.inp") from error
    try:
        found = feff_input.parse_feff_input(text)
        is_reciprocal = "RECIPROCAL" in found.cards
        around = _around_target(found) if is_reciprocal else _around_absorber(found)
    except UnreadableCrystal as error:
        raise Unusable(str(error)) from error
    except (KeyError, IndexError, ValueError, OverflowError) as error:
        raise Unusable("feff.inp is not readable") from error
    return FeffInput(found.cards, *around, found.lattice_cell, found.header_cell)


def _around_absorber(found: feff_input.FeffInput) -> Around:
    """Return what stands around the atom of potential 0."""
    others = found.potentials != 0
    return int(found.numbers[found.absorber]), found.numbers[others], found.cluster[others]


def _around_target(found: feff_input.FeffInput) -> Around:
    """Return what stands around the atom that TARGET counts to, from 1."""
    cell = found.lattice_cell or found.header_cell
    if cell is None:
        raise Unusable("reciprocal-space run whose crystal is not in feff.inp")
    target = int(found.cards["TARGET"].split()[0]) - 1
    if not 0 <= target < len(cell.numbers):
        raise Unusable("TARGET is not in the crystal")
    return int(cell.numbers[target]), *surroundings(cell, target)
