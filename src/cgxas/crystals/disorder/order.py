"""A disordered crystal -> ordered ones, as asked for, and what was done in a sentence."""

import warnings
from dataclasses import dataclass, field
from typing import Literal, Self

import numpy as np
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure

from cgxas.crystals.disorder.majority import majority, ties
from cgxas.crystals.disorder.occupancy import formula, occupancies, refuse_disorder
from cgxas.crystals.disorder.partial import PartialCell, partial_cell
from cgxas.crystals.disorder.sample import TOLERANCE, draw, supercell
from cgxas.elements import SYMBOLS
from cgxas.errors import ConfigError, CrystalError, ReadingWarning
from cgxas.typing import FloatArray, IntArray

SAMPLES = 5
"""Arrangements in a sample unless another number is asked for."""

MAX_SAMPLES = 100
"""Arrangements in a sample at most."""

_MAX_SEED = 2**32 - 1
_SYNTAX = "refuse, majority, sample or sample:N"


@dataclass(frozen=True)
class Disorder:
    """What is done with a crystal whose sites are shared or partly empty.

    Attributes:
        how: refuse it; take the majority of each site; or average over a sample of random ordered
            supercells of its composition.
        samples: supercells in a sample, 1 to 100.
        seed: of the sample, 0 to 2^32 - 1; the same crystal and seed give the same sample.

    Raises:
        ConfigError: a value is out of range.
    """

    how: Literal["refuse", "majority", "sample"] = "refuse"
    samples: int = SAMPLES
    seed: int = 0

    def __post_init__(self) -> None:
        if self.how not in ("refuse", "majority", "sample"):
            raise ConfigError(f"disorder is {_SYNTAX}, not {self.how!r}")
        for name, least, most in (("samples", 1, MAX_SAMPLES), ("seed", 0, _MAX_SEED)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
                raise ConfigError(
                    f"the {name} of a disordered crystal: a whole number of {least} to {most}, "
                    f"not {value!r}"
                )

    @classmethod
    def of(cls, wish: "str | Disorder", seed: int = 0) -> "Self | Disorder":
        """Return the wish as it is, or what its words say: ``majority``, ``sample:10``.

        Raises:
            ConfigError: the words are not understood.
        """
        if isinstance(wish, Disorder):
            return wish
        how, colon, number = wish.partition(":") if isinstance(wish, str) else (wish, "", "")
        if how == "sample" and colon:
            if not (number.isascii() and number.isdecimal() and 1 <= len(number) <= 6):
                raise ConfigError(
                    f"disorder {wish!r}: the N of sample:N is a whole number of 1 to {MAX_SAMPLES}"
                )
            return cls("sample", int(number), seed)
        if how not in ("refuse", "majority", "sample") or colon:
            raise ConfigError(f"disorder is {_SYNTAX}, not {wish!r}")
        return cls(how, SAMPLES, seed)  # type: ignore[arg-type]  # it is one of the three


@dataclass(frozen=True, eq=False)
class Arrangement:
    """One ordered crystal out of a disordered one.

    Attributes:
        structure: the ordered crystal, N atoms.
        orbit_of_atom: (N,) orbit number of the place of the disordered crystal it stands on.
    """

    structure: Structure = field(repr=False)
    orbit_of_atom: IntArray = field(repr=False)


@dataclass(frozen=True, eq=False)
class Arrangements:
    """The ordered crystals that stand for a disordered one.

    Attributes:
        members: the ordered crystals.
        orbit_of_site: (M,) orbit number, 0 to K - 1, of each of the caller's sites.
        places: (K,) places of each orbit in each of the members, filled or not.
        formula: what the file states, such as Li0.5CoO2.
        told: what they are, in a few words: "majority", "sample of 5".
    """

    members: tuple[Arrangement, ...]
    orbit_of_site: IntArray
    places: IntArray
    formula: str
    told: str


def arrangements(
    structure: Structure, wish: Disorder, symprec: float, name: str = ""
) -> Arrangements:
    """Return ordered crystals for a disordered one, and warn of what they hold.

    They are made from the canonical primitive cell, so that the same crystal gives the same ones
    however it is described.

    Args:
        structure: the disordered crystal.
        wish: what is to be done.
        symprec: distance in Angstrom below which sites count as symmetry-equivalent.
        name: what a warning calls the crystal; its formula if empty.

    Raises:
        DisorderedCrystal: it is to be refused.
        CrystalError: the majority of all sites is empty.
    """
    if wish.how == "refuse":
        refuse_disorder(occupancies(structure))
    cell = partial_cell(structure, symprec)
    stated = formula(cell.amounts, cell.places_of_kinds)
    if wish.how == "majority":
        return _majority(cell, stated, name or stated)
    return _sample(cell, stated, name or stated, wish)


def _majority(cell: PartialCell, stated: str, name: str) -> Arrangements:
    numbers = majority(cell)
    if not numbers.any():
        raise CrystalError(
            f"the majority of every site of {stated} is empty; --disorder sample keeps its atoms"
        )
    told = (
        f"{name} is disordered and was answered by the majority of each site, "
        f"{_formula(cell, numbers, 1)} for {stated}"
    )
    if draws := list(ties(cell)):
        told += f"; equally abundant, taken by atomic number: {', '.join(draws)}"
    warnings.warn(told, ReadingWarning, stacklevel=3)
    member = _arrangement(cell.lattice, cell.frac, numbers, cell.orbit_of_place)
    places = np.bincount(cell.orbit_of_place)
    return Arrangements((member,), cell.orbit_of_site, places, stated, "majority")


def _sample(cell: PartialCell, stated: str, name: str, wish: Disorder) -> Arrangements:
    big = supercell(cell)
    orbits = cell.orbit_of_place[big.place]
    drawn = [draw(cell, big, (wish.seed, n)) for n in range(wish.samples)]
    n_cells = len(big.place) // len(cell)
    made = sorted({_formula(cell, numbers, n_cells) for numbers in drawn})
    atoms = sorted({int(np.count_nonzero(numbers)) for numbers in drawn})
    told = (
        f"{name} is disordered and was answered by {wish.samples} random arrangements of "
        f"{atoms[0]} atoms, {' to '.join(made[:: max(1, len(made) - 1)])} for {stated}"
    )
    if big.error > TOLERANCE:
        told += f"; occupancies are rounded by up to {big.error:.2f}"
    wanted = sum(n for counts in big.counts for z, n in counts.items() if z)
    if atoms[0] < wanted:
        told += f"; {wanted - atoms[0]} atoms found no room beside others"
    warnings.warn(told, ReadingWarning, stacklevel=3)
    members = tuple(_arrangement(big.lattice, big.frac, each, orbits) for each in drawn)
    words = f"sample of {wish.samples}" + (f", seed {wish.seed}" if wish.seed else "")
    return Arrangements(members, cell.orbit_of_site, np.bincount(orbits), stated, words)


def _arrangement(
    lattice: FloatArray, frac: FloatArray, numbers: IntArray, orbits: IntArray
) -> Arrangement:
    filled = np.flatnonzero(numbers)
    symbols = [SYMBOLS[z - 1] for z in numbers[filled]]
    return Arrangement(Structure(Lattice(lattice), symbols, frac[filled]), orbits[filled])


def _formula(cell: PartialCell, numbers: IntArray, n_cells: int) -> str:
    found, counts = np.unique(numbers[numbers > 0], return_counts=True)
    amounts = {int(z): float(n) / n_cells for z, n in zip(found, counts, strict=True)}
    return formula(amounts, cell.places_of_kinds)
