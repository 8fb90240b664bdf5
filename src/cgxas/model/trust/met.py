"""What was met: the sites of the compounds that were learnt from, and how far others are from them.

Four things can be new about a site: an element, the length of its bonds, its coordination, and its
surroundings as a whole. Each is a number that is 1 at the border between near and far; borders are
found by compounds that were not learnt from.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Final, Literal, Self

import numpy as np
import torch
from torch import Tensor

from cgxas.elements import MAX_ATOMIC_NUMBER, SYMBOLS, atomic_number
from cgxas.physics.fingerprint import Fingerprints
from cgxas.physics.surroundings import PROPERTIES
from cgxas.typing import BoolArray, FloatArray, IntArray

Verb = Literal["met", "measured"]
"""What was done with the compounds: simulated and learnt from, or measured."""

SAME: Final = 0.2
"""A compound of the same formula so near is the same, by another relaxation or temperature."""

NOTHING: Final = 2.0
"""The distance from nothing: of an absorber without any compound, of a lonely atom."""

MOST_AXES: Final = 32
_OTHER_ELEMENT: Final = 1.0  # unlikeness of an element to the likest one met, at the border
_OTHER_BONDED: Final = 1.0  # the same of one in the first shell
_OTHER_COUNT: Final = 0.2  # of the logarithm of the coordination, beyond what was met
_STRANGE: Final = 5.0  # unlikeness where no element was met
_QUANTILE: Final = {"met": 0.99, "measured": 0.9}  # of other compounds lie within the border
_FEW: Final = 5.0  # compounds of an absorber, against which those of all others count
_FEWEST: Final = 30  # other sites by which a border is found


@dataclass(frozen=True, eq=False)
class Axes:
    """The few directions in which surroundings differ most.

    Attributes:
        mean: (D,) of the sites they were found for.
        directions: (R, D) orthonormal.
    """

    mean: Tensor
    directions: Tensor

    @classmethod
    def of(cls, sites: Fingerprints) -> Self:
        """Find them for some sites, all elements counting alike."""
        counts = np.bincount(sites.element)[sites.element]
        weight = 1.0 / counts
        mean = weight @ sites.around / weight.sum()
        centred = (sites.around - mean) * np.sqrt(weight)[:, None]
        _, vectors = np.linalg.eigh(centred.T @ centred)
        directions = vectors[:, ::-1].T[:MOST_AXES].copy()
        return cls(torch.from_numpy(mean).float(), torch.from_numpy(directions).float())

    def places(self, sites: Fingerprints) -> FloatArray:
        """Return (S, R) where sites lie."""
        mean, directions = self._numbers
        return np.asarray((sites.around - mean) @ directions.T)

    @cached_property
    def _numbers(self) -> tuple[FloatArray, FloatArray]:
        return self.mean.double().numpy(), self.directions.double().numpy()

    @property
    def tensors(self) -> dict[str, Tensor]:
        """All numbers by name, for a file."""
        return {"mean": self.mean, "directions": self.directions}

    @classmethod
    def restore(cls, tensors: Mapping[str, Tensor]) -> Self:
        """Undo `tensors`; TypeError or ValueError if they do not fit."""
        found = cls(**tensors)
        if found.directions.ndim != 2 or found.directions.shape[1:] != found.mean.shape:
            raise ValueError("the axes of surroundings do not fit together")
        return found


@dataclass(frozen=True, eq=False)
class Newness:
    """What is new about the sites of one compound.

    Attributes:
        nearest: formula of the nearest compound; empty if there is none.
        distance: of that, 1 at the border.
        elements: how new the elements are, and a few words on it.
        lengths: how far the bonds are from the usual length; below 0: too long.
        coordination: how far the coordination is from what was met.
        is_same: whether the nearest compound is this one.
    """

    nearest: str
    distance: float
    elements: tuple[float, str] = (0.0, "")
    lengths: float = 0.0
    coordination: float = 0.0
    is_same: bool = False

    @property
    def numbers(self) -> FloatArray:
        """(3,) distance, newness of the elements and of the lengths: what errors grow with."""
        return np.array([self.distance, self.elements[0], abs(self.lengths)])

    @property
    def worst(self) -> tuple[float, str]:
        """The largest of the numbers, and in a few words why, as if it were beyond the border."""
        long = "bonds longer than usual" if self.lengths < 0 else "bonds shorter than usual"
        several = (
            self.elements,
            (abs(self.lengths), long),
            (self.coordination, "a coordination never met"),
            (self.distance, "surroundings unlike any met"),
        )
        return max(several, key=lambda each: each[0])  # the first of equals


@dataclass(frozen=True, eq=False)
class _OfElement:
    """What was met of one absorber, n sites of C compounds.

    Attributes:
        place: (n, R) where the sites lie.
        start: (C,) number of the first site of each compound.
        number: formula of each compound -> its number.
    """

    place: FloatArray
    start: IntArray
    number: dict[str, int]


@dataclass(frozen=True, eq=False)
class Met:
    """The compounds that were met, S sites sorted by element and compound.

    Attributes:
        names: (C,) formulas of the compounds.
        verb: what was done with them.
        element: (S,) uint8, atomic numbers of the absorbing sites.
        compound: (S,) int32, number of the compound of each.
        place: (S, R) float16, where they lie.
        present: (103, 103) uint8, of each absorber the elements of its crystals.
        bonded: (103, 103) uint8, of each absorber the elements of its first shells.
        coordination: (103, 2) least and largest logarithm of the coordination of each absorber.
        border: (103,) distance of places at the border of each absorber.
    """

    names: tuple[str, ...]
    verb: Verb
    element: Tensor
    compound: Tensor
    place: Tensor
    present: Tensor
    bonded: Tensor
    coordination: Tensor
    border: Tensor

    @classmethod
    def of(
        cls,
        sites: Fingerprints,
        formulas: Sequence[str],
        axes: Axes,
        verb: Verb = "met",
        others: tuple[Fingerprints, Sequence[str]] | None = None,
    ) -> Self:
        """Keep what was met.

        Args:
            sites: (S,) absorbing sites that were learnt from.
            formulas: (S,) of their compounds.
            axes: the directions in which surroundings differ.
            verb: what was done with them.
            others: sites of other compounds, and their formulas, by which the borders are found;
                without them each compound is left out in turn.
        """
        names, compound = np.unique(
            np.array(formulas, dtype=object).astype(str), return_inverse=True
        )
        order = np.lexsort((compound, sites.element))
        sites, compound = sites.take(order), compound[order]
        place = torch.from_numpy(axes.places(sites)).half()
        rows = sites.element - 1
        seen = np.zeros((2, MAX_ATOMIC_NUMBER, MAX_ATOMIC_NUMBER), dtype=np.uint8)
        for table, found in zip(seen, (sites.present, sites.bonded), strict=True):
            np.maximum.at(table, rows, found.astype(np.uint8))
        count = np.log(np.maximum(sites.coordination, 1.0))
        coordination = np.tile([np.inf, -np.inf], (MAX_ATOMIC_NUMBER, 1))
        np.minimum.at(coordination[:, 0], rows, count)
        np.maximum.at(coordination[:, 1], rows, count)
        coordination[~np.isfinite(coordination)] = 0.0
        own = cls(
            names=tuple(names.tolist()),
            verb=verb,
            element=torch.from_numpy(sites.element).to(torch.uint8),
            compound=torch.from_numpy(compound).to(torch.int32),
            place=place,
            present=torch.from_numpy(seen[0]),
            bonded=torch.from_numpy(seen[1]),
            coordination=torch.from_numpy(coordination).float(),
            border=torch.ones(MAX_ATOMIC_NUMBER),
        )
        border = own._borders(others, axes)
        return cls(**{**own._parts, "border": torch.from_numpy(border).float()})

    def newness(
        self, sites: Fingerprints, place: FloatArray, strain: FloatArray, share: FloatArray,
        formula: str,
    ) -> Newness:  # fmt: skip
        """Return what is new about the sites of one compound, all of one element.

        Args:
            sites: (S,) absorbing sites.
            place: (S, R) where they lie.
            strain: (S,) how far their bonds are from the usual length.
            share: (S,) weights, which add up to 1.
            formula: of the compound.
        """
        z = int(sites.element[0])
        nearest, distance, is_same = self._nearest(z, place, share, formula)
        if not nearest:
            return Newness("", NOTHING, (NOTHING, f"nothing of {SYMBOLS[z - 1]} was {self.verb}"))
        if not sites.coordination.all():
            distance = max(NOTHING, distance)
            return Newness(nearest, distance, (distance, "no other atom near"))
        low, high = self.coordination[z - 1].double().tolist()
        count = np.log(np.maximum(sites.coordination, 1.0))
        beyond = np.maximum(np.maximum(low - count, count - high), 0.0) / _OTHER_COUNT
        lengths = float(np.sqrt(share @ strain**2)) * (1.0 if share @ strain >= 0 else -1.0)
        elements = self._elements(z, sites)
        return Newness(
            nearest, distance, elements, lengths, float(np.sqrt(share @ beyond**2)), is_same
        )

    def _nearest(
        self, z: int, place: FloatArray, share: FloatArray, formula: str
    ) -> tuple[str, float, bool]:
        """Return the nearest compound of an absorber, how far it is, whether it is the same."""
        known = self._of_element.get(z)
        if known is None:
            return "", NOTHING, False
        squared = np.minimum.reduceat(_squares(place, known.place), known.start, axis=1)
        each = np.sqrt(share @ squared) / float(self.border[z - 1])
        own = known.number.get(formula)
        if own is not None and each[own] <= SAME:
            return formula, float(each[own]), True
        nearest = int(each.argmin())
        return list(known.number)[nearest], float(each[nearest]), False

    def _elements(self, z: int, sites: Fingerprints) -> tuple[float, str]:
        """Return how new the newest element near an absorber is, and a few words on it."""
        ways = (
            (sites.present, self.present, _OTHER_ELEMENT, "beside"),
            (sites.bonded, self.bonded, _OTHER_BONDED, "bonded to"),
        )
        found = [(0.0, "")]
        for own, table, border, how in ways:
            met = table[z - 1].numpy() > 0
            for new in np.flatnonzero(own.any(axis=0) & ~met):
                unlike = _unlikeness(int(new), met)
                is_strict = self.verb == "measured" or not self._anywhere[new]
                size = 1.0 + unlike if is_strict else unlike / border
                found.append((size, f"never {self.verb} {SYMBOLS[new]} {how} {SYMBOLS[z - 1]}"))
        return max(found)

    def _borders(self, others: tuple[Fingerprints, Sequence[str]] | None, axes: Axes) -> FloatArray:
        """Return (103,) distances within which most other compounds lie."""
        element = self.element.numpy()
        log = [self._left_out(z) for z in range(1, MAX_ATOMIC_NUMBER + 1)]
        known = np.concatenate(log)
        usual = float(known.mean()) if len(known) else 0.0
        centre = np.array([(each.sum() + _FEW * usual) / (len(each) + _FEW) for each in log])
        beside = np.concatenate([each - c for each, c in zip(log, centre, strict=True)])
        if others is not None:
            sites, formulas = others
            new = np.isin(sites.element, element) & ~np.isin(formulas, self.names)
            place = axes.places(sites.take(new))
            beside_others = [
                self._log_nearest(int(z), p[None]) - centre[z - 1]
                for z, p in zip(sites.element[new], place, strict=True)
            ]
            beside = np.concatenate(beside_others) if len(place) >= _FEWEST else beside
        spread = float(np.quantile(beside, _QUANTILE[self.verb])) if len(beside) else 1.0
        return np.exp(centre + max(spread, 0.1))

    def _log_nearest(self, z: int, place: FloatArray) -> FloatArray:
        nearest = _squares(place, self._of_element[z].place).min(axis=1)
        return np.asarray(0.5 * np.log(np.maximum(nearest, 1e-6)))

    def _left_out(self, z: int) -> FloatArray:
        """Return log distances of the sites of an absorber to the nearest other compound."""
        known = self._of_element.get(z)
        if known is None or len(known.number) < 2:
            return np.zeros(0)
        squared = _squares(known.place, known.place)
        compound = np.repeat(known.start, np.diff([*known.start, len(known.place)]))
        squared[compound[:, None] == compound] = np.inf
        return np.asarray(0.5 * np.log(np.maximum(squared.min(axis=1), 1e-6)))

    def compounds(self, absorber: str) -> tuple[str, ...]:
        """Return the formulas of the compounds of an absorber."""
        known = self._of_element.get(atomic_number(absorber))
        return () if known is None else tuple(known.number)

    @property
    def absorbers(self) -> tuple[str, ...]:
        """Symbols of the absorbers."""
        return tuple(SYMBOLS[z - 1] for z in self._of_element)

    @cached_property
    def _of_element(self) -> dict[int, _OfElement]:
        """Atomic number -> what was met of it, ready to be looked through."""
        place, compound = self.place.double().numpy(), self.compound.numpy()
        numbers, start = np.unique(self.element.numpy(), return_index=True)
        found = {}
        for z, first, last in zip(numbers, start, [*start[1:], len(place)], strict=True):
            kinds, at = np.unique(compound[first:last], return_index=True)
            number = {self.names[kind]: n for n, kind in enumerate(kinds)}
            found[int(z)] = _OfElement(place[first:last], at, number)
        return found

    @cached_property
    def _anywhere(self) -> BoolArray:
        """(103,) which elements were met at all."""
        return np.asarray(self.present.numpy().max(axis=0) > 0)

    @property
    def _parts(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @property
    def tensors(self) -> dict[str, Tensor]:
        """All numbers by name, for a file."""
        return {name: part for name, part in self._parts.items() if isinstance(part, Tensor)}

    @property
    def values(self) -> dict[str, Any]:
        """The names and what was done, as plain values for a file."""
        return {"names": list(self.names), "verb": self.verb}

    @classmethod
    def restore(cls, tensors: Mapping[str, Tensor], values: Mapping[str, Any]) -> Self:
        """Undo `tensors` and `values`; KeyError, TypeError or ValueError if they do not fit."""
        names = values["names"]
        if values["verb"] not in _QUANTILE or not all(isinstance(name, str) for name in names):
            raise ValueError("the compounds that were met are damaged")
        found = cls(names=tuple(names), verb=values["verb"], **tensors)
        sites, table = len(found.element), (MAX_ATOMIC_NUMBER, MAX_ATOMIC_NUMBER)
        shapes = {
            "element": (sites,),
            "compound": (sites,),
            "place": (sites, found.place.shape[-1]),
            "present": table,
            "bonded": table,
            "coordination": (MAX_ATOMIC_NUMBER, 2),
            "border": (MAX_ATOMIC_NUMBER,),
        }
        wrong = [n for n, shape in shapes.items() if tuple(getattr(found, n).shape) != shape]
        if wrong or not (sites and 0 <= found.compound.min() <= found.compound.max() < len(names)):
            raise ValueError("the sites that were met do not fit together")
        return found


def _squares(one: FloatArray, other: FloatArray) -> FloatArray:
    squared = (one**2).sum(1)[:, None] + (other**2).sum(1) - 2 * one @ other.T
    return np.asarray(np.maximum(squared, 0.0))


def _unlikeness(new: int, met: BoolArray) -> float:
    """Return how unlike an element, by its atomic number less 1, is to the likest of others."""
    if not met.any():
        return _STRANGE
    return float(np.sqrt(((PROPERTIES[new] - PROPERTIES[met]) ** 2).sum(axis=1).min()))
