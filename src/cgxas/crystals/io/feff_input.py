"""feff.inp: its cards, its cluster, and a crystal where it holds one."""

from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cgxas import limits
from cgxas.crystals.canonical import Cell
from cgxas.crystals.io.content import LONGEST_LINE
from cgxas.crystals.io.numerals import number
from cgxas.elements import MAX_ATOMIC_NUMBER
from cgxas.errors import UnreadableCrystal

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
    "CIF": "CIF",
}
"""Cards that matter here, by the first four letters, which are all that FEFF reads."""

_BLOCKS = {"POTE": "POTENTIALS", "ATOM": "ATOMS", "LATT": "LATTICE"}
_CARTESIAN, _SCALED, _FRACTIONAL = 1, 3, 4
_HEADER_LINES = 9
"""Of the comments of pymatgen, above those of the atoms."""


@dataclass(frozen=True, eq=False)
class FeffInput:
    """What a feff.inp says of atoms.

    Attributes:
        cards: card -> what stands behind it.
        potentials: (N,) unique potentials of the atoms; 0 is the absorber.
        numbers: (N,) atomic numbers.
        places: (N, 3) as the file has them: Angstrom, or units of the lattice.
        lattice_cell: the crystal of LATTICE and ATOMS, or None.
        header_cell: the crystal in the comments pymatgen writes, or None.
    """

    cards: dict[str, str]
    potentials: NDArray[np.int64]
    numbers: NDArray[np.int64]
    places: NDArray[np.float64]
    lattice_cell: Cell | None
    header_cell: Cell | None

    @property
    def absorber(self) -> int:
        """Index of the one atom of potential 0.

        Raises:
            UnreadableCrystal: there is none, or several.
        """
        absorbers = np.flatnonzero(self.potentials == 0)
        if len(absorbers) != 1:
            raise UnreadableCrystal("feff.inp has not exactly one absorber")
        return int(absorbers[0])

    @property
    def cluster(self) -> NDArray[np.float64]:
        """(N, 3) places of the atoms relative to the absorber, Angstrom."""
        scale = number((self.cards.get("RMULTIPLIER") or "1").split()[0])
        relative: NDArray[np.float64] = scale * (self.places - self.places[self.absorber])
        return relative


def parse_feff_input(text: str) -> FeffInput:
    """Read the text of a feff.inp.

    Raises:
        UnreadableCrystal: it says too little; the text is the reason.
    """
    cards, blocks = _parsed(text)
    try:
        number_of = {int(row[0]): int(row[1]) for row in blocks["POTENTIALS"]}
        if not all(1 <= each <= MAX_ATOMIC_NUMBER for each in number_of.values()):
            raise ValueError("a potential is of no element")
        atoms = blocks["ATOMS"]
        places = np.array([[number(word) for word in row[:3]] for row in atoms]).reshape(-1, 3)
        potentials = np.array([int(row[3]) for row in atoms], dtype=np.int64)
        numbers = np.array([number_of[each] for each in potentials], dtype=np.int64)
        lattice_cell = _lattice_cell(cards, blocks["LATTICE"], places, numbers)
    except (KeyError, IndexError, ValueError) as error:
        if isinstance(error, UnreadableCrystal):
            raise
        raise UnreadableCrystal("feff.inp is not readable") from error
    return FeffInput(cards, potentials, numbers, places, lattice_cell, _header_cell(text))


def _parsed(text: str) -> tuple[dict[str, str], dict[str, list[list[str]]]]:
    """Return the cards, and the rows of numbers below the cards that have some."""
    cards: dict[str, str] = {}
    blocks: dict[str, list[list[str]]] = {name: [] for name in _BLOCKS.values()}
    block, start = "", 0
    while start <= len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        words = text[start : min(end, start + LONGEST_LINE)].split("!", 1)[0].split()
        start = end + 1
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
            limits.ATOMS.refuse_beyond(
                len(blocks[block]), "feff.inp lists at least", UnreadableCrystal
            )
    return cards, blocks


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
        raise UnreadableCrystal("LATTICE or COORDINATES of feff.inp of a kind that is not read")
    lattice = float(scale) * np.array([row[:3] for row in rows[:3]], dtype=np.float64)
    if lattice.shape != (3, 3) or abs(np.linalg.det(lattice)) < np.finfo(float).eps:
        raise UnreadableCrystal("cell has no volume, or is not finite")
    if units != _FRACTIONAL:
        cart = places * (np.linalg.norm(lattice[0]) if units == _SCALED else 1.0)
        places = cart @ np.linalg.inv(lattice)
    return Cell(lattice, places, numbers)


def _header_cell(text: str) -> Cell | None:
    """Return the crystal pymatgen wrote into the comments, read by pymatgen."""
    if "pymatgen" not in text[:LONGEST_LINE].split("\n", 1)[0]:
        return None
    from pymatgen.io.feff.inputs import Header

    comments = [line.strip() for line in text[: 100 * LONGEST_LINE].split("\n")]
    try:
        n_atoms = int(comments[_HEADER_LINES - 1].split()[2])
        head = "\n".join(islice(comments, _HEADER_LINES + n_atoms))
        structure: Any = Header.from_str(head).struct
        numbers = np.array([site.specie.Z for site in structure], dtype=np.int64)
        return Cell(np.array(structure.lattice.matrix), np.array(structure.frac_coords), numbers)
    except Exception:  # comments of another pymatgen, or of a molecule: then there is no crystal
        return None
