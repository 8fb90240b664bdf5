"""POSCAR and CONTCAR of VASP 4, 5 and 6, by whatever name.

The file states its elements in a line above the counts (VASP 5 and later), behind the coordinates,
or, in files of VASP 4, only in the title line, or not at all.
"""

import re
from dataclasses import dataclass
from itertools import islice

import numpy as np
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure

from cgxas import limits
from cgxas.crystals.io.base import CrystalFormat, warn
from cgxas.crystals.io.content import LONGEST_LINE, Content
from cgxas.crystals.io.numerals import are_numbers, is_count, number
from cgxas.crystals.io.species import elements, named_element, symbols_only
from cgxas.elements import SYMBOLS
from cgxas.errors import InvalidCell, UnreadableCrystal
from cgxas.typing import FloatArray

_LATTICE = slice(2, 5)
_FORMULA = re.compile(r"(?:[A-Z][a-z]?\d*)+")
_TERM = re.compile(r"([A-Z][a-z]?)(\d*)")
_MOST_LINES = 400
"""Of symbols, and of counts: VASP breaks them after 20 words."""


@dataclass(frozen=True)
class Header:
    """What stands above the coordinates.

    Attributes:
        title: first line.
        scale: the one or three factors of the lattice; a negative one is a volume, A^3.
        lattice: (3, 3) before it is scaled.
        symbols: of the types; none in files of VASP 4.
        counts: atoms of each type.
        is_selective: whether flags stand behind the coordinates.
        is_cartesian: whether the coordinates are not fractions.
        n_lines: of the header.
    """

    title: str
    scale: FloatArray
    lattice: FloatArray
    symbols: list[str]
    counts: list[int]
    is_selective: bool
    is_cartesian: bool
    n_lines: int


def _recognises(content: Content) -> bool:
    lines = content.first
    if len(lines) < 7 or not are_numbers(lines[1], 1) or len(lines[1].split("!")[0].split()) > 3:
        return False
    return all(are_numbers(line, 3) for line in lines[_LATTICE]) and (
        is_count(_first_word(lines[5])) or is_count(_first_word(lines[6])) or _is_name(lines[5])
    )


def _read(content: Content) -> Structure:
    header = header_of(content)
    n_atoms = sum(header.counts)
    limits.ATOMS.refuse_beyond(n_atoms, f"{content.path} lists", UnreadableCrystal)
    lines = list(islice(content.lines(), header.n_lines, header.n_lines + n_atoms))
    if len(lines) < n_atoms:
        raise UnreadableCrystal(
            f"{content.path} says {n_atoms:,} atoms and lists {len(lines):,}: it is cut short"
        )
    words = [line[:LONGEST_LINE].split() for line in lines]
    places = np.array([[number(each) for each in row[:3]] for row in words]).reshape(-1, 3)
    factor = _factor(content, header)
    lattice = header.lattice * factor
    numbers = _numbers(content, header, words)
    return Structure(
        Lattice(lattice),
        elements(numbers),
        places * factor if header.is_cartesian else places,
        coords_are_cartesian=header.is_cartesian,
    )


def header_of(content: Content) -> Header:
    """Return what stands above the coordinates of a POSCAR.

    Raises:
        UnreadableCrystal: it is not complete.
    """
    lines = [line[:LONGEST_LINE].split("!")[0].split("#")[0] for line in _some(content)]
    title = content.first[0].strip()
    at = 5
    symbols: list[str] = []
    while not is_count(_first_word(lines[at])):
        symbols += lines[at].split()
        at += 1
    counts: list[int] = []
    while is_count(_first_word(lines[at])):
        counts += [int(word) for word in lines[at].split() if is_count(word)]
        at += 1
    is_selective = lines[at].strip()[:1] in ("s", "S")
    at += is_selective
    mode = lines[at].strip()[:1].upper()
    if not mode or mode not in "DCKF":  # VASP takes any other letter for fractions
        mode = "D" if mode.isalpha() else ""
    if not mode or not counts:
        raise UnreadableCrystal(
            f"{content.path} is not a readable POSCAR: below the counts of the atoms a line must "
            "say Direct or Cartesian"
        )
    return Header(
        title=title,
        scale=np.array([number(word) for word in lines[1].split()[:3]]),
        lattice=np.array([[number(word) for word in line.split()[:3]] for line in lines[_LATTICE]]),
        symbols=symbols,
        counts=counts,
        is_selective=is_selective,
        is_cartesian=mode in "CK",
        n_lines=at + 1,
    )


def _some(content: Content) -> list[str]:
    return [*islice(content.lines(), 2 * _MOST_LINES)]


def _factor(content: Content, header: Header) -> FloatArray:
    """Return the factors of x, y and z; VASP scales Cartesian coordinates with the lattice."""
    volume = abs(float(np.linalg.det(header.lattice)))
    scale = header.scale
    if len(scale) == 2 or (len(scale) == 3 and (scale <= 0).any()) or not (scale != 0).all():
        raise InvalidCell(f"{content.path}: line 2 must be one or three factors, not zero")
    if len(scale) == 1 and scale[0] < 0:
        if not volume:
            raise InvalidCell(f"{content.path}: the cell has no volume; correct lines 3 to 5")
        scale = np.cbrt(-scale / volume)
    return scale if len(scale) == 3 else np.repeat(scale, 3)


def _numbers(content: Content, header: Header, words: list[list[str]]) -> list[int]:
    """Return the atomic number of each atom."""
    if header.symbols:
        if len(header.symbols) != len(header.counts):
            raise UnreadableCrystal(
                f"{content.path} has {len(header.symbols)} symbols and {len(header.counts)} counts "
                "of atoms; lines 6 and 7 must have as many words"
            )
        types = [named_element(content, symbol.split("/", 1)[0]) for symbol in header.symbols]
        return _each(types, header.counts)
    behind = 6 if header.is_selective else 3
    named = symbols_only(row[behind] if len(row) > behind else "" for row in words)
    if named:
        return named
    titled = _of_title(header.title, header.counts)
    if titled is None:
        raise UnreadableCrystal(
            f"{content.path} has no element symbols, as VASP 4 wrote it: put a line with the "
            f"{len(header.counts)} symbols above that of the counts ({_listed(header.counts)})"
        )
    told = " ".join(SYMBOLS[each - 1] for each in titled)
    warn(
        content, f"the elements, which a VASP 4 file does not state, were taken from line 1: {told}"
    )
    return _each(titled, header.counts)


def _of_title(title: str, counts: list[int]) -> list[int] | None:
    """Return the elements of the types, if the title is their symbols or their formula."""
    words = title.split()
    if len(words) == len(counts) and (found := symbols_only(words)):
        return found
    formula = "".join(words)
    if not words or len(formula) > 200 or not _FORMULA.fullmatch(formula):
        return None
    terms = _TERM.findall(formula)
    found = symbols_only(symbol for symbol, _ in terms)
    amounts = [int(amount[:9] or 1) for _, amount in terms]
    if found is None or len(found) != len(counts) or 0 in amounts:
        return None
    is_same = all(n * amounts[0] == a * counts[0] for n, a in zip(counts, amounts, strict=True))
    return found if is_same else None


def _each(types: list[int], counts: list[int]) -> list[int]:
    return [each for each, count in zip(types, counts, strict=True) for _ in range(count)]


def _first_word(line: str) -> str:
    return next(iter(line.split(None, 1)), "")


def _is_name(line: str) -> bool:
    return _first_word(line)[:1].isalpha()


def _listed(counts: list[int]) -> str:
    return " ".join(map(str, counts[:8])) + (" ..." if len(counts) > 8 else "")


FORMAT = CrystalFormat(
    name="POSCAR",
    recognises=_recognises,
    read=_read,
    names=("*poscar*", "*contcar*", "*.vasp", "*.poscar"),
)
