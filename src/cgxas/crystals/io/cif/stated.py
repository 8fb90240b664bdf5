"""What a data block states of its crystal: cell, formula, density, space group, operations."""

import math
import re
import warnings
from dataclasses import dataclass

import numpy as np
from pymatgen.core.lattice import Lattice

from cgxas.crystals.io.cif.blocks import Block
from cgxas.crystals.io.cif.numbers import is_stated, number
from cgxas.crystals.io.symbols import element_of
from cgxas.errors import InvalidCell, ReadingWarning, UnreadableCrystal
from cgxas.limits import CELL_EDGE

MIN_HEIGHT = 0.5
"""Smallest distance between two faces of a cell, Angstrom: shorter than any bond."""

_ATOMS = re.compile(r"(?:([A-Z][a-z]?)|([()\[\]]))\s*(\d+(?:\.\d*)?|\.\d+)?[\s,]*")
_OPERATIONS = (
    "_space_group_symop_operation_xyz",
    "_symmetry_equiv_pos_as_xyz",
    "_space_group_symop_magn_operation_xyz",
)
_CENTRINGS = "_space_group_symop_magn_centering_xyz"
_HALL = ("_space_group_name_hall", "_symmetry_space_group_name_hall")
_SYMBOL = (
    "_space_group_name_h-m_alt",
    "_symmetry_space_group_name_h-m",
    "_space_group_name_h-m_full",
    "_space_group_name_h-m_ref",
)
_GROUP = ("_space_group_it_number", "_symmetry_int_tables_number")


@dataclass(frozen=True, eq=False)
class Stated:
    """What is said of a crystal besides its list of atoms.

    Attributes:
        where: file and block, as messages begin with them.
        lattice: of the cell, Angstrom.
        formula: atoms of each element in a formula unit; None if it is not stated.
        units: formula units in the cell; None if not stated.
        density: g/cm3; None if not stated.
        hall: Hall symbol of the space group, or empty.
        symbol: Hermann-Mauguin symbol, as it is written, or empty.
        group: number of the space group, 1 to 230, or None.
        operations: as x,y,z; empty if none are listed.
        centrings: of magnetic groups, as x,y,z; each goes with each operation.
    """

    where: str
    lattice: Lattice
    formula: dict[str, float] | None
    units: float | None
    density: float | None
    hall: str
    symbol: str
    group: int | None
    operations: tuple[str, ...]
    centrings: tuple[str, ...]

    @property
    def names_group(self) -> bool:
        """Whether a space group is named, by any of its names."""
        return bool(self.hall or self.symbol or self.group)


def stated_in(block: Block, where: str) -> Stated:
    """Collect what a block states.

    Raises:
        InvalidCell: lengths and angles that make no cell.
        UnreadableCrystal: the block describes a modulated crystal, or two crystals.
    """
    dimension = block.first("_cell_modulation_dimension")
    if dimension not in (None, "0"):
        raise UnreadableCrystal(
            f"{where} is a modulated crystal, which no single cell holds; give an approximant"
        )
    twice = [tag for tag in block.repeated if tag.startswith(("_cell_length", "_atom_site_fract"))]
    if twice:
        raise UnreadableCrystal(
            f"{where} states {twice[0]} twice, with different values; give a file for each crystal"
        )
    lattice = _lattice(block, where)
    group = _positive(block, where, *_GROUP)
    return Stated(
        where=where,
        lattice=lattice,
        formula=_formula(block.first("_chemical_formula_sum")),
        units=_positive(block, where, "_cell_formula_units_z"),
        density=_positive(block, where, "_exptl_crystal_density_diffrn"),
        hall=block.first(*_HALL) or "",
        symbol=block.first(*_SYMBOL) or "",
        group=int(group) if group and group <= 230 and group == int(group) else None,
        operations=_listed(block, *_OPERATIONS),
        centrings=_listed(block, _CENTRINGS),
    )


def _lattice(block: Block, where: str) -> Lattice:
    cell = []
    for tag in ("_cell_length_a", "_cell_length_b", "_cell_length_c"):
        text = block.first(tag)
        if text is None:
            raise InvalidCell(f"{where} states no {tag}; give the lengths and angles of the cell")
        length = number(text, f"{where}: {tag}")
        if length <= 0:
            raise InvalidCell(f"{where}: {tag} is {text}, which is no length; correct it")
        CELL_EDGE.refuse_beyond(length, f"{where}: {tag} is", InvalidCell)
        if "," in text.rstrip(","):
            tell(where, f"{tag} {text} was read as {length:g}, with a decimal comma")
        cell.append(length)
    absent = []
    for name in ("alpha", "beta", "gamma"):
        text = block.first(f"_cell_angle_{name}")
        if text is None:
            absent.append(name)
        angle = number(text or "90", f"{where}: _cell_angle_{name}")
        if not 0 < angle < 180:
            raise InvalidCell(
                f"{where}: _cell_angle_{name} is {text}, which is no angle of a cell; correct it"
            )
        cell.append(angle)
    if absent:
        tell(where, f"the cell's {' and '.join(absent)} is not stated; 90 degrees was taken")
    cosines = np.cos(np.radians(cell[3:]))
    squared = 1 - float(cosines @ cosines) + 2 * float(np.prod(cosines))
    if squared <= 0:
        raise InvalidCell(f"{where}: the angles {_joined(cell[3:])} close no cell; correct them")
    volume = math.prod(cell[:3]) * math.sqrt(squared)
    sines = np.sin(np.radians(cell[3:]))
    heights = volume * np.array(cell[:3]) / (math.prod(cell[:3]) * sines)
    if heights.min() < MIN_HEIGHT:
        raise InvalidCell(
            f"{where}: the cell is only {heights.min():.3g} A thick; "
            "its lengths must be in Angstrom"
        )
    _compare_volume(block, where, volume)
    return Lattice.from_parameters(*cell)


def _compare_volume(block: Block, where: str, volume: float) -> None:
    stated = _positive(block, where, "_cell_volume")
    if stated and not 0.95 < stated / volume < 1.05:
        tell(
            where,
            f"lengths and angles make a cell of {volume:.1f} A^3, but _cell_volume is {stated:g}; "
            "the lengths and angles were taken",
        )


def _positive(block: Block, where: str, *tags: str) -> float | None:
    """Return a stated number above 0; what is none says nothing."""
    text = block.first(*tags)
    try:
        found = number(text, where) if text else 0.0
    except InvalidCell:
        return None
    return found if found > 0 else None


def _formula(text: str | None) -> dict[str, float] | None:
    """Return the elements and numbers of a formula such as 'Ca (O H)2', or None if it is none."""
    if text is None or len(text) > 1000:
        return None
    if text.upper() == text:  # FE2 O3
        text = re.sub("[A-Z]{2}", lambda pair: pair[0].capitalize(), text)
    groups: list[dict[str, float]] = [{}]
    at = 0
    while at < len(text):
        match = _ATOMS.match(text, at)
        if match is None:
            return None
        at = match.end()
        symbol, bracket, times = match[1], match[2], float(match[3] or 1)
        if bracket and bracket in "([":
            groups.append({})
            continue
        try:
            inside = groups.pop() if bracket else {element_of(symbol, ""): 1.0}
        except UnreadableCrystal:
            return None
        if not groups:
            return None
        for element, count in inside.items():
            groups[-1][element] = groups[-1].get(element, 0.0) + count * times
    formula = {element: count for element, count in groups[0].items() if count > 0}
    return formula if len(groups) == 1 and formula else None


def _listed(block: Block, *tags: str) -> tuple[str, ...]:
    """Return the listed operations, also where blanks within them are not quoted."""
    for tag in tags:
        loop = block.loops.get(tag)
        if loop is None:
            continue
        if len(loop.values) % len(loop.tags) == 0:
            column = loop.values[loop.tags.index(tag) :: len(loop.tags)]
            if all("," in value for value in column if is_stated(value)):
                return tuple(value for value in column if is_stated(value))
        joined: list[str] = []
        for value in loop.values:
            if joined and (joined[-1].count(",") < 2 or joined[-1].endswith(",")):
                joined[-1] += value
            elif not value.strip().isdigit():  # the number of the operation
                joined.append(value)
        return tuple(joined)
    return ()


def tell(where: str, text: str) -> None:
    """Warn of what was mended, guessed or is missing."""
    warnings.warn(f"{where}: {text}", ReadingWarning, stacklevel=2)


def _joined(values: list[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)
