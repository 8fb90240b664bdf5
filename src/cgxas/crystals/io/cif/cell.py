"""Listed atoms and symmetry operations -> all atoms of the cell."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure
from pymatgen.optimization.neighbors import find_points_in_spheres

from cgxas.crystals.io.cif.atoms import FULL, ListedAtoms
from cgxas.crystals.io.cif.operations import Operations
from cgxas.errors import InvalidCell, OverlappingAtoms, UnreadableCrystal
from cgxas.limits import ATOMS
from cgxas.typing import FloatArray, IntArray

SAME = 0.1
"""Images of an atom nearer to each other than this (Angstrom) are one atom: .333 is a third."""

_EXACT = 0.05
_MOST_ON_SITE = 1.005
_MOST_VOLUME = 8_000.0
"""A^3 for each atom: as much as a uranium atom has at the lowest density that is taken."""

_GRID = 3.0
"""Boxes in which neighbours are looked for, Angstrom: many small ones would fill the memory."""

_MOST_CROWDED = 40
"""Atoms within a cubic Angstrom: far more than any crystal has, disordered ones included."""


@dataclass(frozen=True, eq=False)
class FilledCell:
    """The atoms of a cell, before elements that share a site are put together.

    Attributes:
        lattice: Angstrom.
        listed: (N,) index of the listed atom that each is an image of.
        frac: (N, 3) fractional coordinates, from 0 to 1.
        site: (N,) number of the site that each stands on; atoms of one site share it.
        moved: largest way from a listed place to the special position it was taken for, Angstrom.
        has_copies: whether an atom that is always there is listed twice, as its own image.
    """

    lattice: Lattice
    listed: IntArray
    frac: FloatArray
    site: IntArray
    moved: float
    has_copies: bool

    def __len__(self) -> int:
        return len(self.listed)


def filled_cell(
    atoms: ListedAtoms,
    operations: Operations,
    lattice: Lattice,
    where: str,
    same: float = SAME,
) -> FilledCell:
    """Return the images of all atoms under all operations, each place once.

    Args:
        atoms: of the block.
        operations: of its space group, a whole group.
        lattice: of the cell.
        where: file and block, for messages.
        same: images of a full atom nearer to each other than this are one, Angstrom.

    Raises:
        InvalidCell: a cell that is next to empty.
        UnreadableCrystal: more atoms than `limits.ATOMS`.
        OverlappingAtoms: many atoms within an Angstrom.
    """
    matrix = np.asarray(lattice.matrix)
    images: list[FloatArray] = []
    total, moved = 0, 0.0
    if len(operations) == 1:
        images = list(np.mod(atoms.frac, 1.0)[:, None])
    else:
        for place, share in zip(atoms.frac, atoms.occupancies, strict=True):
            special = _special_position(place, operations, matrix, share, same)
            moved = max(moved, float(np.linalg.norm((special - place) @ matrix)))
            images.append(_distinct_images(special, operations, matrix))
            total += len(images[-1])
            ATOMS.refuse_beyond(total, f"{where}: the cell holds at least", UnreadableCrystal)
    listed = np.repeat(np.arange(len(atoms)), [len(each) for each in images])
    frac = np.concatenate(images)
    if lattice.volume > _MOST_VOLUME * len(frac):
        raise InvalidCell(
            f"{where}: {len(frac)} atoms in a cell of {lattice.volume:.4g} A^3 leave it empty; "
            "lengths must be in Angstrom"
        )
    _refuse_crowds(frac, matrix, where)
    site = _sites(atoms, listed, frac, matrix)
    copies = listed[site != np.arange(len(site))]
    has_copies = bool((atoms.occupancies[copies] >= FULL).any())
    return FilledCell(lattice, listed, frac, site, moved, has_copies)


def structure_of(
    cell: FilledCell, atoms: ListedAtoms, elements: Sequence[str], adds: bool
) -> Structure:
    """Return the cell as pymatgen has it, sorted by electronegativity as its own reader does.

    Args:
        cell: filled.
        atoms: that fill it.
        elements: (N,) what each listed atom is.
        adds: as for `shares_of`.
    """
    kept = np.flatnonzero(cell.site == np.arange(len(cell)))
    shares = shares_of(cell, atoms, elements, adds)
    structure = Structure(
        cell.lattice,
        [_species(shares[int(index)]) for index in kept],
        cell.frac[kept],
        labels=[atoms.labels[cell.listed[index]] for index in kept],
    )
    return structure.get_sorted_structure()


def shares_of(
    cell: FilledCell, atoms: ListedAtoms, elements: Sequence[str], adds: bool
) -> dict[int, dict[str, float]]:
    """Return how often each element stands on each site.

    One element listed twice for a site, at places that only symmetry makes equal, is counted once:
    some files list every atom of the cell, and the space group besides.

    Args:
        cell: filled.
        atoms: that fill it.
        elements: (N,) what each listed atom is.
        adds: whether such atoms are added where together they fill the site at most, as in files
            that split a site into two rows.

    Returns:
        Number of the site -> element -> occupancy.
    """
    found: dict[int, dict[str, float]] = {}
    for site, listed in zip(cell.site.tolist(), cell.listed.tolist(), strict=True):
        shares = found.setdefault(site, {})
        element, share = elements[listed], float(atoms.occupancies[listed])
        before = shares.get(element, 0.0)
        if before:
            given = atoms.frac[listed], atoms.frac[cell.listed[site]]
            is_same = bool(np.allclose(*given, rtol=0, atol=1e-3))
            is_added = is_same or (adds and before + share <= _MOST_ON_SITE)
            share = before + share if is_added else max(before, share)
        shares[element] = share
    return found


def _species(shares: dict[str, float]) -> str | dict[str, float]:
    """Return the one element of a site, or the shares of several, at most 1 in sum."""
    total = sum(shares.values())
    if len(shares) == 1 and total >= FULL:
        return next(iter(shares))
    return {element: share / max(total, 1.0) for element, share in shares.items()}


def _special_position(
    place: FloatArray, operations: Operations, matrix: FloatArray, share: float, same: float
) -> FloatArray:
    """Return the place that those operations leave which nearly leave the given one.

    A partly occupied atom is moved only by what rounding explains: near a mirror plane it may
    really stand on either side.
    """
    special = place
    for _ in range(3):
        offsets = operations.rotations @ special + operations.translations - special
        offsets -= np.rint(offsets)
        squared = ((offsets @ matrix) ** 2).sum(axis=1)
        near = squared < same**2
        if share < FULL and near.sum() * share <= 1.001:
            near = squared < _EXACT**2
        shift = offsets[near].mean(axis=0)
        special = special + shift
        if np.abs(shift).max() < 1e-9:
            break
    return special


def _distinct_images(place: FloatArray, operations: Operations, matrix: FloatArray) -> FloatArray:
    """Return (M, 3) the different images of a place, in the order of the operations."""
    images = np.mod(operations.rotations @ place + operations.translations, 1.0)
    images[images > 1 - 1e-9] = 0.0
    if len(images) == 1:
        return images
    offsets = images[:, None] - images[None]
    offsets -= np.rint(offsets)
    near = ((offsets @ matrix) ** 2).sum(axis=2) < _EXACT**2
    kept = np.argmax(near, axis=1) == np.arange(len(images))
    distinct: FloatArray = images[kept]
    return distinct


def _refuse_crowds(frac: FloatArray, matrix: FloatArray, where: str) -> None:
    """Refuse crowds, before the search for neighbours has to list all their pairs."""
    if len(frac) <= _MOST_CROWDED:
        return
    boxes = np.floor(frac * np.linalg.norm(matrix, axis=1)).astype(np.int64)
    _, counts = np.unique(boxes, axis=0, return_counts=True)
    if counts.max() > _MOST_CROWDED:
        raise OverlappingAtoms(
            f"{where}: {counts.max():,} atoms stand within 1 A; correct the coordinates or the cell"
        )


def _sites(atoms: ListedAtoms, listed: IntArray, frac: FloatArray, matrix: FloatArray) -> IntArray:
    """Return for each atom the first that stands at its place, or itself."""
    cart = np.ascontiguousarray(frac @ matrix)
    periodic = np.ones(3, dtype=np.int64)
    pairs = find_points_in_spheres(
        cart, cart, SAME, periodic, np.ascontiguousarray(matrix), min_r=_GRID
    )
    first, second = pairs[0], pairs[1]
    other = listed[first] != listed[second]
    sites = np.arange(len(frac))
    if other.any():
        # Whole orbits are put together, so that no atom is told apart from its images.
        for high, low in sorted(
            {
                (int(listed[a]), int(listed[b]))
                for a, b in zip(first[other], second[other], strict=True)
            }
        ):
            if low >= high:
                continue
            mine = np.flatnonzero(listed == high)
            of_pair = other & (listed[first] == high) & (listed[second] == low)
            partner = dict(zip(first[of_pair], second[of_pair], strict=True))
            if len(partner) == len(mine):
                sites[mine] = [sites[partner[each]] for each in mine]
    return sites
