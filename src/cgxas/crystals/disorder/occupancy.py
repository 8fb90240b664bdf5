"""What each site of a crystal holds, by element, and whether that is one whole atom."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pymatgen.core.composition import Composition
from pymatgen.core.periodic_table import DummySpecies
from pymatgen.core.sites import PeriodicSite
from pymatgen.core.structure import Structure

from cgxas.elements import MAX_ATOMIC_NUMBER, SYMBOLS
from cgxas.errors import CrystalError, DisorderedCrystal
from cgxas.typing import IntArray

FULL = 0.995
"""A site this full of one element is taken as whole: 0.999 is a rounded 1."""

EMPTY = "a vacancy"
"""How a vacancy is called in a sentence."""

_VACANCY = "X"  # pymatgen's dummy; SHRY and others write vacancies so
_IS_ONE = re.compile(r"[A-Za-z]+1")
_DIGITS = 3  # occupancies that agree in these are the same


@dataclass(frozen=True)
class Occupancy:
    """What one site holds on average over the crystal.

    Attributes:
        elements: atomic numbers, ascending.
        shares: how much of the site each of them takes, 0 to 1, in units of 0.001.
    """

    elements: tuple[int, ...]
    shares: tuple[float, ...]

    @property
    def total(self) -> float:
        """How much of the site is taken, 0 to 1."""
        return min(sum(self.shares), 1.0)

    @property
    def vacancy(self) -> float:
        """How much of the site is empty, 0 to 1."""
        return round(1.0 - self.total, _DIGITS)

    @property
    def is_whole(self) -> bool:
        """Whether one element takes all of the site."""
        return len(self.elements) == 1 and self.shares[0] >= FULL

    def __str__(self) -> str:
        words = [
            f"{SYMBOLS[z - 1]} {share:.3g}"
            for z, share in zip(self.elements, self.shares, strict=True)
        ]
        if self.vacancy > 1.0 - FULL:
            words.append(f"{EMPTY} {self.vacancy:.3g}")
        return ", ".join(words)


def occupancies(structure: Structure) -> list[Occupancy]:
    """Return what each site holds; isotopes and oxidation states of an element are one.

    Raises:
        CrystalError: a site is shared by something that is neither an element nor a vacancy.
    """
    return [_occupancy(index, site) for index, site in enumerate(structure)]


def _occupancy(index: int, site: PeriodicSite) -> Occupancy:
    found: dict[int, float] = {}
    for species, amount in site.species.items():
        if isinstance(species, DummySpecies):
            if species.symbol == _VACANCY:
                continue
            raise CrystalError(f"site {index} holds {species.symbol}, which is no element; name it")
        if species.Z > MAX_ATOMIC_NUMBER:
            raise CrystalError(
                f"site {index} holds {species.symbol}, which is not among the elements H to "
                f"{SYMBOLS[-1]} (1 to {MAX_ATOMIC_NUMBER})"
            )
        found[species.Z] = found.get(species.Z, 0.0) + float(amount)
    kept = {z: round(found[z], _DIGITS) for z in sorted(found)}
    kept = {z: share for z, share in kept.items() if share > 0}
    return Occupancy(tuple(kept), tuple(kept.values()))


def is_disordered(structure: Structure) -> bool:
    """Tell whether a site is shared by several elements, or partly empty."""
    if structure.is_ordered:
        return False
    return not all(each.is_whole for each in occupancies(structure))


def whole(structure: Structure) -> Structure:
    """Return the structure with its only element on each site that is shared in name alone.

    Such are Fe2+ and Fe3+, H and D, or an occupancy of 0.999.

    Raises:
        DisorderedCrystal: a site is shared by several elements, or partly empty.
    """
    if structure.is_ordered:
        return structure
    found = occupancies(structure)
    refuse_disorder(found)
    copy = structure.copy()
    for index, (site, each) in enumerate(zip(structure, found, strict=True)):
        if not site.is_ordered:
            copy.replace(index, SYMBOLS[each.elements[0] - 1])
    return copy


def refuse_disorder(found: Sequence[Occupancy]) -> None:
    """Refuse sites that are shared or partly empty, saying what shares them and what goes on.

    Raises:
        DisorderedCrystal: there are such sites.
    """
    shared: dict[Occupancy, list[int]] = {}
    for index, each in enumerate(found):
        if not each.is_whole:
            shared.setdefault(each, []).append(index)
    if not shared:
        return
    words = [f"{_places(sites)} {each}" for each, sites in shared.items()]
    told = "; ".join(words[:3]) + (f"; and {len(words) - 3} more kinds" if len(words) > 3 else "")
    raise DisorderedCrystal(
        f"the crystal is disordered, with the occupancies {told}: predict it with --disorder "
        "majority or --disorder sample (in Python disorder='sample'), or choose one ordered "
        "arrangement"
    )


def _places(sites: list[int]) -> str:
    if len(sites) == 1:
        return f"of site {sites[0]}"
    if sites[-1] - sites[0] == len(sites) - 1:
        return f"of sites {sites[0]}-{sites[-1]}"
    return f"of sites {', '.join(map(str, sites[:3]))}{', ...' if len(sites) > 3 else ''}"


def formula(amounts: dict[int, float], places: IntArray) -> str:
    """Return a formula with occupancies, such as Li0.5CoO2.

    Args:
        amounts: atomic number -> atoms in a cell.
        places: numbers of places of each kind in the cell; the formula is of the cell divided by
            what they have in common.
    """
    unit = float(np.gcd.reduce(places))
    per_unit = {SYMBOLS[z - 1]: round(n / unit, _DIGITS) for z, n in amounts.items()}
    words = Composition(per_unit).formula.split()
    return "".join(word[:-1] if _IS_ONE.fullmatch(word) else word for word in words)
