"""The atoms of a cell, held against what the file states and against what matter is like."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from pymatgen.core.periodic_table import Element
from pymatgen.optimization.neighbors import find_points_in_spheres

from cgxas.crystals.io.cif.atoms import ListedAtoms
from cgxas.crystals.io.cif.cell import FilledCell, shares_of
from cgxas.crystals.io.cif.stated import Stated
from cgxas.errors import CrystalError, InvalidCell, OverlappingAtoms, UnreadableCrystal

DENSITIES = (0.05, 30.0)
"""Densities of matter, g/cm3, from frameworks of large pores to compressed osmium."""

TOO_SHORT, SHORT = 0.5, 0.62
"""Contacts, in sums of two atomic radii: below the first no two atoms are, below the second few."""

_UNKNOWN_RADIUS = 0.9
_LONGEST = 3.3
"""Contacts are looked for up to here, Angstrom."""
_SPARSE = 15.0
"""A^3 for each atom, below which no atom can be alone."""

_LONELY, _FURTHEST = 1.5, 5.0
"""An atom is alone if no other is as near: in sums of two atomic radii, and in Angstrom."""

_NOBLE_GASES = frozenset({"He", "Ne", "Ar", "Kr", "Xe", "Rn"})
_LIGHT = frozenset({"H", "Li"})
"""Elements that X-rays see badly, so that their atoms are often left out."""
_MOST_ABSENT = 0.34
_MOST_WRONG = 0.03
_WORTH_TELLING = 0.02
_MOST_WRONG_DISORDERED = 0.3
_DALTON = 1.66053907
_CHUNK = 500
_NAMES = {"H": "hydrogen", "Li": "lithium", "O": "oxygen"}


@dataclass(eq=False)
class Findings:
    """What speaks against a filled cell.

    Attributes:
        refusals: errors, worst first; with one of them the cell cannot be meant.
        doubts: what does not fit, and may be the file's mistake as well.
        notes: what the user must know of a cell that is taken.
        counts: atoms of each element in the cell.
        shortest: contact in the cell, in sums of two radii, at most 1.
        misfit: share of the atoms of the formula that are missing or too many.
    """

    refusals: list[CrystalError] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    counts: dict[str, float] = field(default_factory=dict)
    shortest: float = 1.0
    misfit: float = 0.0

    @property
    def rank(self) -> tuple[int, int]:
        """Order among cells made of the same file: the fewer the better."""
        return len(self.refusals), len(self.doubts)


def findings_of(
    cell: FilledCell, atoms: ListedAtoms, elements: Sequence[str], adds: bool, stated: Stated
) -> Findings:
    """Hold a cell against formula, number of formula units, density, and shortest contacts.

    Args:
        cell: filled with all atoms.
        atoms: that the block lists.
        elements: (N,) what each of them is.
        adds: as for `shares_of`.
        stated: of the block.
    """
    shares = shares_of(cell, atoms, elements, adds)
    counts: dict[str, float] = {}
    for each in shares.values():
        for element, share in each.items():
            counts[element] = counts.get(element, 0.0) + share
    found = Findings(counts=dict(sorted(counts.items())))
    _check_density(found, stated)
    _check_sites(found, shares, cell, atoms, stated.where)
    if not any(isinstance(each, InvalidCell) for each in found.refusals):
        _check_contacts(found, shares, cell, atoms, stated.where)
        _note_lonely(found, shares, cell, atoms)
    if stated.formula:
        _check_formula(found, stated, atoms.is_ordered)
    return found


def written(counts: Mapping[str, float]) -> str:
    """Return counts as a formula: Fe4 O6."""
    return " ".join(
        element + (f"{count:.4g}" if abs(count - 1) > 1e-3 else "")
        for element, count in counts.items()
    )


def _check_density(found: Findings, stated: Stated) -> None:
    volume = stated.lattice.volume
    mass = sum(float(Element(each).atomic_mass) * n for each, n in found.counts.items())
    density = mass / volume * _DALTON
    low, high = DENSITIES
    if not low <= density <= high:
        found.refusals.append(
            InvalidCell(
                f"{stated.where}: {written(found.counts)} in a cell of {volume:.4g} A^3 has a "
                f"density of {density:.3g} g/cm3, outside {low} to {high:g}, in which all crystals "
                "lie; lengths must be in Angstrom"
            )
        )
    elif stated.density and not 0.75 < density / stated.density < 1.33:
        found.doubts.append(
            f"the cell has a density of {density:.3g} g/cm3, but "
            f"_exptl_crystal_density_diffrn is {stated.density:g}"
        )


def _check_sites(
    found: Findings,
    shares: Mapping[int, Mapping[str, float]],
    cell: FilledCell,
    atoms: ListedAtoms,
    where: str,
) -> None:
    """Find sites that more than one atom claims."""
    for site, each in shares.items():
        total = sum(each.values())
        if total > 1.05:
            label = atoms.labels[cell.listed[site]]
            found.refusals.append(
                OverlappingAtoms(
                    f"{where}: the occupancies of a site add up to more than 1: {written(each)} at "
                    f"the place of {label}; two atoms stand at one place, or a number is wrong"
                )
            )
            return
    most = max(sum(each.values()) for each in shares.values())
    if most > 1.002:
        found.notes.append(
            f"occupancies of a site add up to {most:.3g}; they were scaled to 1, as rounding"
        )


def _check_contacts(
    found: Findings,
    shares: Mapping[int, Mapping[str, float]],
    cell: FilledCell,
    atoms: ListedAtoms,
    where: str,
) -> None:
    """Find pairs of atoms that are nearer than two atoms can be."""
    kept = np.flatnonzero(cell.site == np.arange(len(cell)))
    on_sites = [shares[index] for index in kept.tolist()]
    radii = np.array([_radius(max(each, key=each.__getitem__)) for each in on_sites])
    total = np.array([sum(each.values()) for each in on_sites])
    matrix = np.ascontiguousarray(cell.lattice.matrix)
    cart = np.ascontiguousarray(cell.frac[kept] @ matrix)
    worst: tuple[float, float, int, int] = (1.0, 0.0, 0, 0)
    for start in range(0, len(kept), _CHUNK):
        first, second, image, distance = find_points_in_spheres(
            cart,
            cart[start : start + _CHUNK],
            min(2 * float(radii.max()), _LONGEST),
            np.ones(3, dtype=np.int64),
            matrix,
        )
        first = first + start
        # Of two atoms that are each there for half of the time, one may stand in for the other.
        real = ((first != second) | (image != 0).any(axis=1)) & (
            total[first] + total[second] > 1.05
        )
        ratio = np.where(real, distance / (radii[first] + radii[second]), np.inf)
        if len(ratio) and ratio.min() < worst[0]:
            at = int(np.argmin(ratio))
            worst = (float(ratio[at]), float(distance[at]), int(first[at]), int(second[at]))
        if worst[0] < TOO_SHORT:
            break
    found.shortest = worst[0]
    if worst[0] >= SHORT:
        return
    names = " and ".join(atoms.labels[cell.listed[kept[index]]] for index in worst[2:])
    text = f"{names} are only {worst[1]:.2f} A apart"
    if worst[0] < TOO_SHORT:
        cure = "correct the coordinates, the cell or the space group"
        found.refusals.append(OverlappingAtoms(f"{where}: {text}; {cure}"))
    else:
        found.doubts.append(text)


def _note_lonely(
    found: Findings, shares: Mapping[int, Mapping[str, float]], cell: FilledCell, atoms: ListedAtoms
) -> None:
    """Note an atom that has no neighbour as near as atoms of crystals have."""
    if cell.lattice.volume < _SPARSE * len(cell):
        return
    sites = np.fromiter(shares, dtype=np.int64)
    kinds = [max(each, key=each.__getitem__) for each in shares.values()]
    radii = np.array([_radius(each) for each in kinds])
    matrix = np.ascontiguousarray(cell.lattice.matrix)
    cart = np.ascontiguousarray(cell.frac[sites] @ matrix)
    first, second, image, distance = find_points_in_spheres(
        cart, cart, _FURTHEST, np.ones(3, dtype=np.int64), matrix
    )
    is_near = ((first != second) | (image != 0).any(axis=1)) & (
        distance < _LONELY * (radii[first] + radii[second])
    )
    has_neighbour = np.isin(np.arange(len(sites)), first[is_near])
    has_neighbour |= np.isin(kinds, list(_NOBLE_GASES))
    if not has_neighbour.all():
        at = int(np.argmin(has_neighbour))
        found.notes.append(
            f"{atoms.labels[cell.listed[sites[at]]]} ({kinds[at]}) has no neighbour within "
            f"{_LONELY:g} times the sum of their radii; atoms or symmetry operations may be missing"
        )


@cache
def _radius(element: str) -> float:
    return float(Element(element).atomic_radius or _UNKNOWN_RADIUS)


def _check_formula(found: Findings, stated: Stated, is_ordered: bool) -> None:
    """Compare the elements and their ratios, then the number of formula units."""
    formula = stated.formula or {}
    heavy = {each: count for each, count in formula.items() if each not in _LIGHT} or formula
    here = {each: found.counts.get(each, 0.0) for each in heavy}
    units = _units(here, heavy, stated.units)
    misfits = [abs(here[each] - units * heavy[each]) for each in heavy]
    found.misfit = round(sum(misfits) / (units * sum(heavy.values()) or 1.0), 3)
    wrong, absent = 0.0, {}
    has_water = "H" in formula
    for element in {**heavy, **found.counts}:
        if element in _LIGHT and element not in heavy:
            continue
        expected, count = units * heavy.get(element, 0.0), found.counts.get(element, 0.0)
        if count == 0 or (has_water and element == "O" and count < expected - 0.4):
            absent[element] = expected - count
        else:
            wrong += max(abs(count - expected) - 0.05 * expected - 0.02, 0.0)
    all_heavy = units * sum(heavy.values()) or 1.0
    is_wrong = wrong / all_heavy > (_MOST_WRONG if is_ordered else _MOST_WRONG_DISORDERED)
    if is_wrong or sum(absent.values()) / all_heavy > _MOST_ABSENT:
        found.refusals.append(
            UnreadableCrystal(
                f"{stated.where}: the listed atoms and their symmetry make "
                f"{written(found.counts)}, but _chemical_formula_sum states {written(formula)}; "
                "correct the atoms, the space group or the formula"
            )
        )
        return
    for element in _LIGHT & formula.keys() - heavy.keys():
        short = units * formula[element] - found.counts.get(element, 0.0)
        if short > 0.05 * units * formula[element] + 0.02:
            absent[element] = short
    if wrong / all_heavy > _WORTH_TELLING:
        found.notes.append(
            f"the cell holds {written(found.counts)}, which does not quite fit the formula "
            f"{written(formula)}"
        )
    _note_absent(found, absent, units, formula)
    _check_units(found, stated, units)


def _units(here: Mapping[str, float], heavy: Mapping[str, float], stated: float | None) -> float:
    """Return how many formula units the atoms make: what most of them agree on."""
    ratios = [here[each] / heavy[each] for each in heavy if here[each] > 0]
    if not ratios:
        return stated or 1.0

    def order(units: float) -> tuple[int, bool, float]:
        misfits = [abs(here[each] / units - heavy[each]) for each in heavy]
        agree = sum(
            misfit < 0.03 * heavy[each] for misfit, each in zip(misfits, heavy, strict=True)
        )
        return -agree, abs(units - round(units)) > 0.02, round(sum(misfits), 6)

    return min([*([stated] if stated else []), *ratios], key=order)


def _note_absent(
    found: Findings, absent: Mapping[str, float], units: float, formula: Mapping[str, float]
) -> None:
    if not absent:
        return
    words = [
        f"{short:.3g} of {units * formula[each]:.3g} {_NAMES.get(each, each)} atoms"
        + (f" ({each})" if each in _NAMES else "")
        for each, short in sorted(absent.items())
    ]
    found.notes.append(
        f"the formula {written(formula)} has atoms that are not listed: {', '.join(words)} are "
        "missing from the cell, and the answer is without them"
    )


def _check_units(found: Findings, stated: Stated, units: float) -> None:
    formula = stated.formula or {}
    if not stated.units:
        return
    divisor = float(np.gcd.reduce([round(count) for count in formula.values()])) or 1.0
    if any(abs(count - round(count)) > 1e-3 for count in formula.values()):
        divisor = 1.0
    if all(abs(each / stated.units - 1) > 0.02 for each in (units, units * divisor)):
        found.doubts.append(
            f"the cell holds {units:.4g} formula units {written(formula)}, but "
            f"_cell_formula_units_Z is {stated.units:g}"
        )
