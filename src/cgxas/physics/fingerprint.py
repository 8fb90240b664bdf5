"""What tells the sites of crystals apart: surroundings, first shell, bond lengths, elements.

Chemistry and lengths are kept apart. Which elements stand in the first shell, how many atoms, and
of which elements the crystal is, does not change if a lattice is stretched; the strength of the
bonds does. So one can be told from the other, and a lattice that is too tight is noticed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

import numpy as np

from cgxas.crystals.neighbours import Neighbours, neighbours
from cgxas.elements import MAX_ATOMIC_NUMBER
from cgxas.physics.properties import RADIUS
from cgxas.physics.surroundings import AROUND, PROPERTIES, surroundings
from cgxas.typing import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from cgxas.crystals.canonical import Cell

FIRST_REACH: Final = 6.0
"""An atom with no other within so many Angstrom is alone."""

CHEMISTRY_SIZE: Final = 4 * PROPERTIES.shape[1] + 1
"""Numbers in which the chemistry of a site is told."""

# A neighbour counts as bonded the less, the farther it is than the nearest one, both in units of
# the root of the sum of covalent radii: large atoms may be farther away, but not in proportion, or
# the second shell of a small cation would be its first. Hydrogen is nearer than any other atom.
_SPREAD: Final = 0.08
_HYDROGEN: Final = 0.5
_BONDED: Final = 0.3  # who counts as much is a neighbour in the first shell
_STRENGTH: Final = 0.37  # Angstrom, by which a bond weakens to 1/e (Brown & Altermatt 1985)
_NONE: Final = -20.0  # the logarithm of no strength


@dataclass(frozen=True, eq=False)
class Fingerprints:
    """The fingerprints of S sites.

    Attributes:
        element: (S,) atomic numbers of the sites.
        around: (S, D) their surroundings, without their own elements.
        chemistry: (S, 17) properties of the own element, their mean and spread in the first shell,
            the logarithm of the number of atoms there, the mean properties of the elements of the
            crystal. Lengths are not in it.
        coordination: (S,) atoms in the first shell, counted smoothly; 0: the atom is alone.
        strength: (S,) logarithm of the sum of the strengths of all bonds: the shorter, the more.
        bonded: (S, 103) which elements stand in the first shell.
        present: (S, 103) which elements are in the crystal.
    """

    element: IntArray
    around: FloatArray
    chemistry: FloatArray
    coordination: FloatArray
    strength: FloatArray
    bonded: BoolArray
    present: BoolArray

    def __len__(self) -> int:
        return len(self.element)

    def take(self, wanted: IntArray | BoolArray) -> "Fingerprints":
        """Return those of some sites."""
        return Fingerprints(**{field.name: getattr(self, field.name)[wanted] for field in _FIELDS})


_FIELDS: Final = fields(Fingerprints)


def joined(several: Sequence[Fingerprints]) -> Fingerprints:
    """Return the fingerprints of several crystals, at least one, as one."""
    names = [field.name for field in _FIELDS]
    return Fingerprints(
        **{name: np.concatenate([getattr(each, name) for each in several]) for name in names}
    )


def fingerprints(
    cell: "Cell", atoms: IntArray, described: FloatArray | None = None
) -> Fingerprints:
    """Return the fingerprints of some sites of a crystal.

    Args:
        cell: the crystal.
        atoms: (S,) numbers of the sites.
        described: (S, D) their `surroundings`, where they are known already.
    """
    element = np.asarray(cell.numbers[atoms], dtype=np.int64)
    near = neighbours(cell, atoms, FIRST_REACH)
    other = np.asarray(cell.numbers[near.atom], dtype=np.int64)
    radii = RADIUS[element[near.centre] - 1] + RADIUS[other - 1]
    has_hydrogen = (element[near.centre] == 1) | (other == 1)
    counted = _counted(near, np.where(has_hydrogen, _HYDROGEN, 1.0) * radii, len(atoms))
    coordination: FloatArray = np.bincount(near.centre, counted, len(atoms)).astype(np.float64)
    share = counted / coordination[near.centre]
    strength = np.exp((radii - near.distance) / _STRENGTH)
    total = np.bincount(near.centre, strength, len(atoms))
    bonded = np.zeros((len(atoms), MAX_ATOMIC_NUMBER), dtype=np.bool_)
    bonded[near.centre[counted > _BONDED], other[counted > _BONDED] - 1] = True
    elements = np.bincount(cell.numbers - 1, minlength=MAX_ATOMIC_NUMBER) > 0
    mean = _means(near, share, PROPERTIES[other - 1], len(atoms))
    squares = _means(near, share, (PROPERTIES[other - 1] - mean[near.centre]) ** 2, len(atoms))
    crystal = np.tile(PROPERTIES[elements].mean(axis=0), (len(atoms), 1))
    count = np.log(np.maximum(coordination, 1.0))[:, None]
    return Fingerprints(
        element=element,
        around=(surroundings(cell, atoms) if described is None else described)[:, AROUND],
        chemistry=np.hstack([PROPERTIES[element - 1], mean, np.sqrt(squares), count, crystal]),
        coordination=coordination,
        strength=np.log(np.maximum(total, np.exp(_NONE))),
        bonded=bonded,
        present=np.tile(elements, (len(atoms), 1)),
    )


def _counted(near: Neighbours, radii: FloatArray, n_sites: int) -> FloatArray:
    """Return (E,) how much each neighbour counts as bonded; the nearest of each site counts 1."""
    relative = near.distance / np.sqrt(radii)
    nearest = np.full(n_sites, np.inf)
    np.minimum.at(nearest, near.centre, relative)
    return np.asarray(np.exp((1 - relative / nearest[near.centre]) / _SPREAD))


def _means(near: Neighbours, share: FloatArray, values: FloatArray, n_sites: int) -> FloatArray:
    """Return (S, K) means of the (E, K) values of the neighbours of each site; 0 of none."""
    columns = [np.bincount(near.centre, share * column, n_sites) for column in values.T]
    return np.stack(columns, axis=1)
