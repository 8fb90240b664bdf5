"""The list of atoms of a data block: what each is, where it stands, how often it is there."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pymatgen.core.lattice import Lattice

from cgxas.crystals.io.cif.blocks import Block
from cgxas.crystals.io.cif.numbers import is_stated, number
from cgxas.crystals.io.cif.stated import tell
from cgxas.crystals.io.symbols import Meaning, element_of, meaning_of_label
from cgxas.errors import OverlappingAtoms, UnreadableCrystal
from cgxas.typing import FloatArray

FULL = 0.999
"""Occupancy from which on an atom is always there."""

_MOST_OCCUPANCY = 1.05
_FRACTIONAL = ("_atom_site_fract_x", "_atom_site_fract_y", "_atom_site_fract_z")
_CARTESIAN = ("_atom_site_cartn_x", "_atom_site_cartn_y", "_atom_site_cartn_z")
_MOST_AMBIGUOUS = 4


@dataclass(frozen=True, eq=False)
class ListedAtoms:
    """The atoms that a block lists.

    Attributes:
        labels: (N,) as the file writes them, or made of element and number.
        elements: (N,) symbols each can stand for, the likeliest first; mostly one.
        plain: (N,) the symbol that the file gives each by itself, before the formula is asked.
        frac: (N, 3) fractional coordinates.
        occupancies: (N,) above 0, at most 1.
    """

    labels: tuple[str, ...]
    elements: tuple[tuple[str, ...], ...]
    plain: tuple[str, ...]
    frac: FloatArray
    occupancies: FloatArray

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def is_ordered(self) -> bool:
        """Whether every atom is always there."""
        return bool((self.occupancies >= FULL).all())

    def readings(self) -> Iterator[tuple[str, ...]]:
        """Yield the (N,) elements in each way that the labels can be read, the likeliest first."""
        open_sets = list(dict.fromkeys(each for each in self.elements if len(each) > 1))
        for chosen in itertools.product(*open_sets[:_MOST_AMBIGUOUS]):
            meant = dict(zip(open_sets, chosen, strict=False))
            yield tuple(meant.get(each, each[0]) for each in self.elements)


def lists_atoms(block: Block) -> bool:
    """Tell whether a block lists at least one atom with a place."""
    for tags in (_FRACTIONAL, _CARTESIAN):
        loop = block.loops.get(tags[0])
        if loop is not None:
            if len(loop.values) % len(loop.tags):
                return True  # to be refused by name
            return any(map(is_stated, loop.values[loop.tags.index(tags[0]) :: len(loop.tags)]))
    return False


def listed_atoms(
    block: Block, where: str, lattice: Lattice, formula: Mapping[str, float] | None
) -> ListedAtoms:
    """Collect the atoms of a block.

    Atoms without a place, of occupancy 0, and dummies are left out.

    Args:
        block: of the CIF.
        where: file and block, for messages.
        lattice: of the cell, for Cartesian coordinates.
        formula: that the block states, by which labels without types are read.

    Raises:
        UnreadableCrystal: an atom is of no element, or columns are missing.
        InvalidCell: a coordinate is no number.
        OverlappingAtoms: an occupancy above 1.
    """
    tags = _FRACTIONAL if _FRACTIONAL[0] in block.loops else _CARTESIAN
    columns = [_column(block, where, tag) for tag in tags]
    types = block.column(where, "_atom_site_type_symbol") or ["?"] * len(columns[0])
    labels = block.column(where, "_atom_site_label", "_atom_site_id") or types
    occupancies = block.column(where, "_atom_site_occupancy") or ["1"] * len(labels)
    flags = block.column(where, "_atom_site_calc_flag") or ["."] * len(labels)
    if {len(labels), len(types), len(occupancies), len(flags)} != {len(columns[0])}:
        raise UnreadableCrystal(f"{where}: the columns of _atom_site are of different lengths")
    kept, frac, shares, placeless = [], [], [], []
    for index, label in enumerate(labels):
        texts = [column[index] for column in columns]
        share = _occupancy(occupancies[index], f"{where}: the occupancy of atom {label}")
        if share == 0 or flags[index].lower() == "dum":
            continue
        if not all(map(is_stated, texts)):
            _refuse_placeless(label, types[index], where)
            placeless.append(label)
            continue
        frac.append([number(text, f"{where}: a coordinate of atom {label}") for text in texts])
        shares.append(share)
        kept.append(index)
    if placeless:
        shown = ", ".join(placeless[:4]) + (", ..." if len(placeless) > 4 else "")
        tell(where, f"{shown} have no coordinates and are left out")
    if not kept:
        raise UnreadableCrystal(f"{where} lists no atoms that have a place and are there")
    positions = np.array(frac, dtype=np.float64)
    if tags is _CARTESIAN:
        # The usual frame of CIF and PDB: a along x, b in the plane of x and y.
        usual = Lattice.from_parameters(*lattice.parameters, vesta=True)
        positions = usual.get_fractional_coords(positions)
    meant = list(_elements(where, labels, types, kept, formula))
    return ListedAtoms(
        labels=tuple(labels[index] for index in kept),
        elements=tuple(elements for elements, _ in meant),
        plain=tuple(plain for _, plain in meant),
        frac=positions,
        occupancies=np.array(shares),
    )


def _refuse_placeless(label: str, kind: str, where: str) -> None:
    """Refuse an atom without a place, unless it is a hydrogen atom."""
    kind = kind if is_stated(kind) else label
    if kind[:1] not in {"H", "D"} or kind[:2] in {"Hf", "Hg", "Ho", "Dy"}:
        raise UnreadableCrystal(
            f"{where}: atom {label} has no coordinates; add them, or remove the atom"
        )


def _column(block: Block, where: str, tag: str) -> list[str]:
    found = block.column(where, tag)
    if found is None:
        raise UnreadableCrystal(f"{where} lists atoms without {tag}; add that column")
    return found


def _occupancy(text: str, what: str) -> float:
    if not is_stated(text):
        return 1.0
    share = number(text, what)
    if not 0 <= share <= _MOST_OCCUPANCY:
        raise OverlappingAtoms(f"{what} is {text}, but must lie between 0 and 1; correct it")
    return 1.0 if share >= FULL else share


def _elements(
    where: str,
    labels: Sequence[str],
    types: Sequence[str],
    kept: Sequence[int],
    formula: Mapping[str, float] | None,
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield what each atom can be, and what it is called, by its type or else by its label."""
    known: dict[tuple[str, str], tuple[tuple[str, ...], str]] = {}
    guessed: dict[str, str] = {}
    for index in kept:
        label, kind = labels[index], types[index]
        key = (label.rstrip("0123456789"), kind)
        if key not in known:
            if is_stated(kind):
                known[key] = _of_type(kind, label, formula, f"{where}: atom {label}")
            else:
                meaning = meaning_of_label(label)
                meant = _of_label(meaning, label, formula, where)
                known[key] = meant, meaning.elements[0]
                if formula is None and meaning.certainty != "sure":
                    guessed[label] = meant[0]
        yield known[key]
    if guessed:
        shown = ", ".join(f"{label} as {element}" for label, element in list(guessed.items())[:4])
        tell(where, f"elements were guessed from the labels of atoms: {shown}")


def _of_type(
    kind: str, label: str, formula: Mapping[str, float] | None, where: str
) -> tuple[tuple[str, ...], str]:
    try:
        element = element_of(kind, where)
        return (element,), element
    except UnreadableCrystal:
        # Labels stand in the column of types, or types are names of sites.
        for text in (kind, label):
            elements = meaning_of_label(text).elements
            meant = tuple(each for each in elements if each in (formula or ()))
            if meant:
                return meant, elements[0]
        raise


def _of_label(
    meaning: Meaning, label: str, formula: Mapping[str, float] | None, where: str
) -> tuple[str, ...]:
    if formula is not None:
        stated = tuple(each for each in meaning.elements if each in formula)
        if meaning.certainty == "sure" and meaning.elements[:1] == stated[:1] != ():
            return stated[:1]
        if stated:
            return stated
    if meaning.elements and (meaning.certainty != "open"):
        return meaning.elements[:1]
    raise UnreadableCrystal(
        f"{where}: the label {label!r} names no element; add a column _atom_site_type_symbol"
        + (" or correct _chemical_formula_sum" if formula else "")
    )
