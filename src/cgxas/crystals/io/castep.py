"""CASTEP .cell files. ASE's reader of them may start CASTEP, so it is not used."""

import re
from collections.abc import Iterator

import numpy as np
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure

from cgxas import limits
from cgxas.crystals.io.base import CrystalFormat
from cgxas.crystals.io.content import Content
from cgxas.crystals.io.numerals import fraction, is_number
from cgxas.crystals.io.species import elements, named_element, numbered_element
from cgxas.errors import DisorderedCrystal, UnreadableCrystal

_BLOCK = re.compile(r"^[ \t]*%block[ \t]+(?:lattice|positions)_", re.IGNORECASE | re.MULTILINE)
_COMMENT = re.compile(r"[#!;]")
_BOHR = 0.529177210903
_UNITS = {"ang": 1.0, "bohr": _BOHR, "a0": _BOHR, "nm": 10.0, "pm": 0.01, "cm": 1e8, "m": 1e10}


def _recognises(content: Content) -> bool:
    return bool(_BLOCK.search(content.head))


def _read(content: Content) -> Structure:
    blocks = {name: (rows, unit) for name, rows, unit in _blocks(content)}
    lattice = _lattice(content, blocks)
    is_cartesian = "POSITIONS_ABS" in blocks
    rows, unit = blocks.get("POSITIONS_ABS" if is_cartesian else "POSITIONS_FRAC", ([], 1.0))
    numbers = [_element(content, row[0]) for row in rows]
    places = np.array([[fraction(word) for word in row[1:4]] for row in rows]).reshape(-1, 3)
    return Structure(lattice, elements(numbers), places * unit, coords_are_cartesian=is_cartesian)


def _blocks(content: Content) -> Iterator[tuple[str, list[list[str]], float]]:
    """Yield name, rows and unit (A) of each block of the lattice or the atoms."""
    name, rows, unit = "", list[list[str]](), 1.0
    for line in content.lines():
        words = _COMMENT.split(line[:1000], maxsplit=1)[0].replace(",", " ").split()
        if not words:
            continue
        key = words[0].lower()
        if key == "%block" and len(words) > 1:
            name, rows, unit = words[1].upper(), [], 1.0
        elif key == "%endblock":
            yield name, rows, unit
            name = ""
        elif not name.startswith(("LATTICE_", "POSITIONS_")):
            continue
        elif len(words) == 1 and not rows and not is_number(words[0]):
            if key not in _UNITS:
                raise UnreadableCrystal(f"{content.path}: {key[:20]!r} is not a unit of length")
            unit = _UNITS[key]
        else:
            rows.append(words)
            limits.ATOMS.refuse_beyond(
                len(rows), f"{content.path} lists at least", UnreadableCrystal
            )


def _lattice(content: Content, blocks: dict[str, tuple[list[list[str]], float]]) -> Lattice:
    kind = next((each for each in ("LATTICE_CART", "LATTICE_ABC") if each in blocks), None)
    if kind is None:
        raise UnreadableCrystal(f"{content.path} has no block LATTICE_CART or LATTICE_ABC")
    rows, unit = blocks[kind]
    values = np.array([[fraction(word) for word in row[:3]] for row in rows])
    if kind == "LATTICE_CART":
        return Lattice(values * unit)
    (a, b, c), (alpha, beta, gamma) = values[0] * unit, values[1]
    return Lattice.from_parameters(a, b, c, alpha, beta, gamma)


def _element(content: Content, word: str) -> int:
    if word.upper().startswith("MIXTURE"):
        raise DisorderedCrystal(f"{content.path} has mixed sites (MIXTURE); order them first")
    name = word.split(":", 1)[0]
    return numbered_element(content, name) if name.isdecimal() else named_element(content, name)


FORMAT = CrystalFormat(
    name="CASTEP cell file", recognises=_recognises, read=_read, names=("*.cell",)
)
