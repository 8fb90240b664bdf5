"""feff.inp: the cards, the cluster, and a crystal where the file holds one."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cgxas.crystals.canonical import Cell
from cgxas.data.sources.feff_site import surroundings
from cgxas.data.sources.item import Unusable
from cgxas.elements import MAX_ATOMIC_NUMBER
from cgxas.reading import read_bounded

_CARDS = {
    "EDGE": "EDGE",
    "HOLE": "HOLE",
    "XANE": "XANES",
    "ABSO": "ABSOLUTE",
    "CORE": "COREHOLE",
    "SCF": "SCF",
    "FMS": "FMS",
    "TARG": "TARGET",
    "LATT": "LATTICE",
    "COOR": "COORDINATES",
    "RMUL": "RMULTIPLIER",
    "RECI": "RECIPROCAL",
}
"""Cards that matter here, by the first four letters, which are all that FEFF reads."""

_BLOCKS = {"POTE": "POTENTIALS", "ATOM": "ATOMS", "LATT": "LATTICE"}
_CARTESIAN, _SCALED, _FRACTIONAL = 1, 3, 4
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
    cards, blocks = _parsed(text)
    header_cell = _header_cell(path, text)
    try:
        number_of = {int(row[0]): int(row[1]) for row in blocks["POTENTIALS"]}
        if not all(1 <= number <= MAX_ATOMIC_NUMBER for number in number_of.values()):
            raise ValueError(number_of)
        places = np.array([row[:3] for row in blocks["ATOMS"]], dtype=np.float64).reshape(-1, 3)
        ipots = np.array([int(row[3]) for row in blocks["ATOMS"]], dtype=np.int64)
        numbers = np.array([number_of[ipot] for ipot in ipots], dtype=np.int64)
        lattice_cell = _lattice_cell(cards, blocks["LATTICE"], places, numbers)
        if "RECIPROCAL" in cards:
            around = _around_target(cards, lattice_cell or header_cell)
        else:
            around = _around_absorber(cards, places, numbers, ipots)
    except (KeyError, IndexError, ValueError, OverflowError) as error:
        raise Unusable("feff.inp is not readable") from error
    return FeffInput(cards, *around, lattice_cell, header_cell)


def _parsed(text: str) -> tuple[dict[str, str], dict[str, list[list[str]]]]:
    """Return the cards, and the rows of numbers below the cards that have some."""
    cards: dict[str, str] = {}
    blocks: dict[str, list[list[str]]] = {name: [] for name in _BLOCKS.values()}
    block = ""
    for line in text.splitlines():
        words = line.split("!")[0].split()
        if not words or words[0].startswith(("*", "#")):
            continue
        short = words[0].upper()[:4]
        if short == "END":
            break
        if short[0].isalpha():
            block = _BLOCKS.get(short, "")
            if short in _CARDS:
                cards[_CARDS[short]] = " ".join(words[1:])
        elif block:
            blocks[block].append(words)
    return cards, blocks


def _around_absorber(
    cards: dict[str, str],
    places: NDArray[np.float64],
    numbers: NDArray[np.int64],
    ipots: NDArray[np.int64],
) -> Around:
    """Return what stands around the atom of potential 0."""
    absorbers = np.flatnonzero(ipots == 0)
    if len(absorbers) != 1:
        raise Unusable("feff.inp has not exactly one absorber")
    (absorber,) = absorbers
    others = ipots != 0
    scale = float((cards.get("RMULTIPLIER") or "1").split()[0])
    return int(numbers[absorber]), numbers[others], scale * (places[others] - places[absorber])


def _around_target(cards: dict[str, str], cell: Cell | None) -> Around:
    """Return what stands around the atom that TARGET counts to, from 1."""
    if cell is None:
        raise Unusable("reciprocal-space run whose crystal is not in feff.inp")
    target = int(cards["TARGET"].split()[0]) - 1
    if not 0 <= target < len(cell.numbers):
        raise Unusable("TARGET is not in the crystal")
    return int(cell.numbers[target]), *surroundings(cell, target)


def _lattice_cell(
    cards: dict[str, str],
    rows: list[list[str]],
    places: NDArray[np.float64],
    numbers: NDArray[np.int64],
) -> Cell | None:
    """Return the crystal of LATTICE and ATOMS.

    Units of the atoms as in FEFF's manual, card COORDINATES: 1 Angstrom, 3 (the default) lengths
    of the first lattice vector, 4 fractions of the lattice vectors.
    """
    if not rows:
        return None
    kind, scale = [*cards["LATTICE"].split(), "1"][:2]
    units = int((cards.get("COORDINATES") or str(_SCALED)).split()[0])
    if kind.upper() != "P" or units not in (_CARTESIAN, _SCALED, _FRACTIONAL):
        raise Unusable("LATTICE or COORDINATES of feff.inp of a kind that is not read")
    lattice = float(scale) * np.array([row[:3] for row in rows[:3]], dtype=np.float64)
    if lattice.shape != (3, 3) or abs(np.linalg.det(lattice)) < np.finfo(float).eps:
        raise Unusable("cell has no volume, or is not finite")
    if units != _FRACTIONAL:
        cart = places * (np.linalg.norm(lattice[0]) if units == _SCALED else 1.0)
        places = cart @ np.linalg.inv(lattice)
    return Cell(lattice, places, numbers)


def _header_cell(path: Path, text: str) -> Cell | None:
    """Return the crystal pymatgen wrote into the comments, read by pymatgen."""
    if "pymatgen" not in text.split("\n", 1)[0]:
        return None
    from pymatgen.io.feff.inputs import Header

    try:
        structure: Any = Header.from_file(str(path)).struct
        numbers = np.array([site.specie.Z for site in structure], dtype=np.int64)
        return Cell(np.array(structure.lattice.matrix), np.array(structure.frac_coords), numbers)
    except Exception:  # comments of another pymatgen, or of a molecule: then there is no crystal
        return None
