"""XYZ and extended XYZ: with a lattice a crystal, without one a molecule, whatever the name."""

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from cgxas import limits
from cgxas.crystals.io.base import CrystalFormat, last_of, warn
from cgxas.crystals.io.content import LONGEST_LINE, Content
from cgxas.crystals.io.frames import xyz_frames
from cgxas.crystals.io.numerals import is_number, number
from cgxas.crystals.io.species import named_element, numbered_element
from cgxas.errors import UnreadableCrystal
from cgxas.typing import FloatArray

if TYPE_CHECKING:
    from ase import Atoms

_PLAIN = "species:S:1:pos:R:3"
_SPECIES = ("species", "symbols", "symbol", "element", "elements")
_NUMBERS = ("z", "numbers", "atomic_numbers")
_PLACES = ("pos", "positions")
_LATTICE_KEY = re.compile(r"\blattice[ \t]*=", re.IGNORECASE)
_VECTOR = re.compile(r"(?:VEC|TV|A)[1-3]?", re.IGNORECASE)
_COUNT = re.compile(r"[ \t]*\d{1,18}[ \t]*")


@dataclass(frozen=True)
class _Frame:
    """One arrangement: its comment line, and a line for each atom."""

    comment: str
    atoms: list[str]


def _recognises(content: Content) -> bool:
    lines = content.first
    if len(lines) < 3 or not _COUNT.fullmatch(lines[0]) or int(lines[0]) < 1:
        return False
    words = lines[2].split()
    return len(words) >= 4 and (
        "properties=" in lines[1].lower()
        or ((not is_number(words[0]) or words[0].isdecimal()) and all(map(is_number, words[1:4])))
    )


def _read(content: Content) -> "Atoms":
    from ase import Atoms

    frame, count = _last_frame(content)
    last_of(content, count, "frames")
    header = _header(content, frame.comment)
    lattice, pbc = _lattice(content, header)
    numbers, places = _atoms(content, str(header.get("Properties", _PLAIN)), frame.atoms)
    atoms: Atoms = Atoms(numbers=numbers, positions=places, cell=lattice, pbc=pbc)
    return atoms


def _last_frame(content: Content) -> tuple[_Frame, int]:
    """Return the last arrangement, and how many there are."""
    text, start, last, count = content.text, 0, 0, 0
    before, behind = "", re.compile("")
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        line = text[start : min(end, start + LONGEST_LINE)]
        if not line or line.isspace():
            start = end + 1
            continue
        if line != before:  # frames by the million have the same first line
            lines_behind = _natoms(content, line, count) + 1
            before, behind = line, re.compile(rf"(?:[^\n]*\n){{{lines_behind}}}")
        last, count = start, count + 1
        found = behind.match(text, end + 1)
        start = found.end() if found else len(text)
    if not count:
        raise UnreadableCrystal(f"{content.path} is not a readable XYZ file: it holds no atoms")
    lines = content.lines(last)
    natoms, comment = int(next(lines)), next(lines, "")
    if len(comment) > LONGEST_LINE:
        raise UnreadableCrystal(
            f"{content.path} is not a readable XYZ file: its second line is too long"
        )
    atoms = list(islice(lines, natoms))
    if len(atoms) < natoms:
        raise UnreadableCrystal(
            f"{content.path} says {natoms:,} atoms and lists {len(atoms):,}: it is cut short"
        )
    return _Frame(comment, atoms), count


def _natoms(content: Content, line: str, count: int) -> int:
    """Return the number of atoms that the first line of an arrangement states."""
    if _COUNT.fullmatch(line):
        limits.ATOMS.refuse_beyond(int(line), f"{content.path} lists", UnreadableCrystal)
        return int(line)
    if count and _VECTOR.fullmatch(line.split(None, 1)[0]):
        raise UnreadableCrystal(
            f"{content.path} has lattice vectors below its atoms: write them into the second line, "
            'as Lattice="ax ay az bx by bz cx cy cz"'
        )
    raise UnreadableCrystal(
        f"{content.path} is not a readable XYZ file: {line[:40]!r} stands where the number of "
        "atoms should"
    )


def _header(content: Content, comment: str) -> dict[str, Any]:
    """Return what the second line says, if it is that of an extended XYZ file."""
    from ase.io.extxyz import key_val_str_to_dict

    has_lattice = bool(_LATTICE_KEY.search(comment))
    if not has_lattice and "properties=" not in comment.lower():
        return {}
    try:
        found = key_val_str_to_dict(  # type: ignore[no-untyped-call]
            _LATTICE_KEY.sub("Lattice=", comment)
        )
    except Exception as error:  # other people's parser
        raise UnreadableCrystal(
            f"{content.path}: its second line is not that of an extended XYZ file; write "
            'Lattice="ax ay az bx by bz cx cy cz" Properties=species:S:1:pos:R:3'
        ) from error
    names = {"lattice": "Lattice", "properties": "Properties", "pbc": "pbc"}
    return {names.get(key.lower(), key): value for key, value in found.items()}


def _lattice(content: Content, header: dict[str, Any]) -> tuple[FloatArray | None, Any]:
    """Return the (3, 3) lattice, A, and along which of its vectors the crystal goes on."""
    if "Lattice" not in header:
        return None, False
    lattice = np.asarray(header["Lattice"], dtype=np.float64).T  # ASE gives the columns
    pbc = np.asarray(header.get("pbc", True))
    if pbc.dtype != bool or pbc.shape not in ((), (3,)):
        raise UnreadableCrystal(f'{content.path}: pbc must be three of T and F, such as "T T F"')
    if not pbc.any():
        warn(content, "it has a lattice but is periodic along none of its vectors: a molecule")
    return lattice, pbc


def _atoms(
    content: Content, properties: str, lines: list[str]
) -> tuple[list[int], list[list[float]]]:
    """Return atomic numbers and places (A)."""
    species, by_number, place, width = _columns(content, properties)
    numbers, places = [], []
    for line in lines:
        words = line.split()
        try:
            if len(words) < width:
                raise ValueError("columns are missing")
            places.append([number(word) for word in words[place : place + 3]])
        except ValueError as error:
            raise UnreadableCrystal(
                f"{content.path} is not a readable XYZ file: {line[:60]!r} is not an atom"
            ) from error
        name = words[species]
        is_digits = by_number or name.isdecimal()
        numbers.append(
            numbered_element(content, name) if is_digits else named_element(content, name)
        )
    return numbers, places


def _columns(content: Content, properties: str) -> tuple[int, bool, int, int]:
    """Return the columns of the element and of x, whether the first is a number, and their end."""
    words = properties.split(":")
    at, species, numbers, place = 0, None, None, None
    for name, columns in zip(words[::3], words[2::3], strict=False):
        if name.lower() in _SPECIES:
            species = at
        elif name.lower() in _NUMBERS:
            numbers = at
        elif name.lower() in _PLACES and columns == "3":
            place = at
        at += int(columns) if columns.isdecimal() and len(columns) < 4 else 0
    found = species if species is not None else numbers
    if found is None or place is None or len(words) % 3:
        raise UnreadableCrystal(
            f"{content.path}: Properties={properties[:60]} names no element and place; it "
            "should hold species:S:1 and pos:R:3"
        )
    return found, species is None, place, max(found + 1, place + 3)


FORMAT = CrystalFormat(
    name="XYZ file",
    recognises=_recognises,
    read=_read,
    names=("*.xyz", "*.extxyz", "*.exyz"),
    frames=xyz_frames,
)
