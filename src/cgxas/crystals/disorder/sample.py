"""Random ordered supercells of a disordered crystal, of its composition.

pymatgen draws: it puts the right number of atoms of each element on random places of each kind.
What it does not know, that two places can be too near for two atoms, is put right here: an atom
without room moves to an empty place of its kind.
"""

from dataclasses import dataclass

import numpy as np
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure

from cgxas.crystals.disorder.occupancy import Occupancy
from cgxas.crystals.disorder.partial import Crowding, PartialCell, crowding
from cgxas.elements import SYMBOLS
from cgxas.typing import FloatArray, IntArray

MAX_PLACES = 400
"""Places in a supercell; where the primitive cell has more, it is taken as it is."""

MIN_WIDTH = 7.0
"""Least distance of opposite faces of a supercell, Angstrom: fewer places show little disorder."""

TOLERANCE = 0.02
"""How far the occupancies of a supercell may be from those stated."""

MIN_ATOMS = 3
"""Least atoms of an element in a supercell: with one, it would never neighbour its own kind."""

_MOVES_PER_PLACE, _MOST_MOVES = 20, 5_000  # before atoms that find no room are given up
_EMPTY = "X"


@dataclass(frozen=True, eq=False)
class Supercell:
    """The places of a supercell and what is to be put on them.

    Attributes:
        lattice: (3, 3) cell vectors as rows, Angstrom.
        frac: (S, 3) fractional coordinates of the places.
        place: (S,) which place of the primitive cell each is an image of.
        counts: of each kind, atomic number -> atoms; 0 -> empty places.
        error: largest difference of an occupancy from the one stated.
    """

    lattice: FloatArray
    frac: FloatArray
    place: IntArray
    counts: tuple[dict[int, int], ...]
    error: float


def supercell(cell: PartialCell) -> Supercell:
    """Return the smallest supercell that holds the composition, or the best up to `MAX_PLACES`."""
    best: tuple[tuple[bool, float, int], tuple[int, int, int], tuple[dict[int, int], ...]] | None
    best = None
    for n in range(1, max(1, MAX_PLACES // len(cell)) + 1):
        repeats = _most_compact(cell.lattice, n)
        counts = _counts(cell, n)
        is_narrow = _width(cell.lattice, repeats) < MIN_WIDTH
        few = max(0, MIN_ATOMS - min(_atoms(counts).values()))
        rank = is_narrow, max(_error(cell, counts, n), TOLERANCE), few
        if best is None or rank < best[0]:
            best = rank, repeats, counts
        if rank == (False, TOLERANCE, 0):
            break
    assert best is not None  # n = 1 is always tried
    _, repeats, counts = best
    shift = np.stack(np.meshgrid(*map(np.arange, repeats), indexing="ij"), axis=-1).reshape(-1, 3)
    frac = (cell.frac[:, None] + shift) / repeats
    return Supercell(
        lattice=cell.lattice * np.array(repeats)[:, None],
        frac=frac.reshape(-1, 3),
        place=np.repeat(np.arange(len(cell)), len(shift)),
        counts=counts,
        error=_error(cell, counts, len(shift)),
    )


def draw(cell: PartialCell, big: Supercell, seed: tuple[int, int]) -> IntArray:
    """Return what stands on each place of the supercell: (S,) atomic numbers, or 0.

    Args:
        cell: the primitive cell.
        big: its supercell.
        seed: of the random numbers.
    """
    kind_of_place = cell.kind_of_place[big.place]
    first, manipulations = {}, []
    for kind, counts in enumerate(big.counts):
        places = np.flatnonzero(kind_of_place == kind).tolist()
        most, *others = sorted(counts, key=lambda z: -counts[z])
        first[kind] = most
        manipulations += [[0, counts[z], places, _symbol(z)] for z in others if counts[z]]
    start = [_symbol(first[kind]) for kind in kind_of_place]
    structure = Structure(Lattice(big.lattice), start, big.frac)
    # Imported here: it brings half of pymatgen and sympy along.
    from pymatgen.transformations.standard_transformations import (
        get_randomly_manipulated_structures,
    )

    (drawn,) = get_randomly_manipulated_structures(structure, manipulations, seed)
    numbers = np.array(
        [0 if site.specie.symbol == _EMPTY else site.specie.Z for site in drawn], dtype=np.int64
    )
    crowd = crowding(big.lattice, big.frac, kind_of_place, cell.kinds)
    _make_room(numbers, kind_of_place, crowd, np.random.default_rng((*seed, 1)))
    return numbers


def _make_room(
    numbers: IntArray, kind_of_place: IntArray, crowd: Crowding, rng: np.random.Generator
) -> None:
    """Move atoms that are too near to others to empty places of their kind, in place.

    An atom goes where the fewest others are too near, any of the equally good places. Atoms that
    find no room in the end are left out.
    """
    for _ in range(min(_MOVES_PER_PLACE * len(numbers), _MOST_MOVES)):
        crowded = _movable(numbers, kind_of_place, crowd)
        if not len(crowded):
            return
        place = rng.choice(crowded)
        number, numbers[place] = numbers[place], 0
        free = np.flatnonzero((kind_of_place == kind_of_place[place]) & (numbers == 0))
        rivals = crowd.rivals(number, numbers)[free]
        numbers[rng.choice(free[rivals == rivals.min()])] = number
    while len(crowded := _movable(numbers, kind_of_place, crowd)):
        numbers[crowded[0]] = 0


def _movable(numbers: IntArray, kind_of_place: IntArray, crowd: Crowding) -> IntArray:
    """Return the places whose atoms are too near to others and which their kind may leave empty."""
    crowded = crowd.crowded(numbers)
    return crowded[np.isin(kind_of_place[crowded], kind_of_place[numbers == 0])]


def _counts(cell: PartialCell, n: int) -> tuple[dict[int, int], ...]:
    """Return how many atoms of each element, and empty places (0), each kind gets in n cells.

    The numbers are rounded so that they fill the places. An element that would be left out stands
    at one place of the kind that holds most of it, as long as another can spare it.
    """
    found = [
        _rounded(kind, int(places) * n)
        for kind, places in zip(cell.kinds, cell.places_of_kinds, strict=True)
    ]
    for z in cell.amounts:
        if any(counts.get(z) for counts in found):
            continue
        wanted = [
            dict(zip(kind.elements, kind.shares, strict=True)).get(z, 0.0) * places
            for kind, places in zip(cell.kinds, cell.places_of_kinds, strict=True)
        ]
        counts = found[int(np.argmax(wanted))]
        most = max(counts, key=lambda each: counts[each])
        if counts[most] > 1:
            counts[most] -= 1
            counts[z] = 1
    return tuple(found)


def _atoms(counts: tuple[dict[int, int], ...]) -> dict[int, int]:
    """Return atomic number -> atoms in all, of the elements there are."""
    found: dict[int, int] = {}
    for each in counts:
        for z, n in each.items():
            found[z] = found.get(z, 0) + n
    return {z: n for z, n in found.items() if z and n}


def _rounded(kind: Occupancy, places: int) -> dict[int, int]:
    """Share out the places by largest remainders; a vacancy is number 0."""
    numbers = np.array([*kind.elements, 0])
    shares = np.array([*kind.shares, kind.vacancy])
    if kind.is_whole:
        return {kind.elements[0]: places}
    exact = places * shares / shares.sum()
    whole = np.floor(exact + 1e-6).astype(int)
    order = np.argsort(-(exact - whole), kind="stable")
    whole[order[: places - whole.sum()]] += 1
    return {int(z): int(n) for z, n in zip(numbers, whole, strict=True)}


def _error(cell: PartialCell, counts: tuple[dict[int, int], ...], n: int) -> float:
    worst = 0.0
    for kind, places, found in zip(cell.kinds, cell.places_of_kinds, counts, strict=True):
        if not kind.is_whole:
            stated = {**dict(zip(kind.elements, kind.shares, strict=True)), 0: kind.vacancy}
            worst = max(worst, *(abs(found.get(z, 0) / (places * n) - stated[z]) for z in stated))
    return worst


def _most_compact(lattice: FloatArray, n: int) -> tuple[int, int, int]:
    """Return the repeats along the cell vectors, n cells in all, with the faces farthest apart."""
    ways = [
        (a, b, n // (a * b))
        for a in range(1, n + 1)
        if n % a == 0
        for b in range(1, n // a + 1)
        if n // a % b == 0
    ]
    return max(ways, key=lambda way: round(_width(lattice, way), 6))


def _width(lattice: FloatArray, repeats: tuple[int, int, int]) -> float:
    """Return the least distance of opposite faces of a supercell, Angstrom."""
    faces = 1.0 / np.linalg.norm(np.linalg.inv(lattice), axis=0)
    return float((faces * repeats).min())


def _symbol(number: int) -> str:
    return SYMBOLS[number - 1] if number else _EMPTY
