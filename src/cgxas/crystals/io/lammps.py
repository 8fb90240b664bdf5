"""LAMMPS: data files whose types have masses or names, and dumps with a column of elements.

To LAMMPS a type is a number; which element it is stands in the masses, in their comments, or in
the labels of the types (https://docs.lammps.org/read_data.html).
"""

import re
from itertools import islice

import numpy as np
from pymatgen.core.lattice import Lattice
from pymatgen.core.periodic_table import Element
from pymatgen.core.structure import Structure

from cgxas import limits
from cgxas.crystals.io.base import CrystalFormat, Found, last_of, warn
from cgxas.crystals.io.content import Content
from cgxas.crystals.io.frames import STEP, dump_frames
from cgxas.crystals.io.numerals import is_count, number
from cgxas.crystals.io.species import elements, named_element
from cgxas.elements import SYMBOLS
from cgxas.errors import UnreadableCrystal
from cgxas.typing import FloatArray

_SECTION = re.compile(r"[A-Z][A-Za-z0-9]*(?: [A-Z][A-Za-z0-9]*)*")
_COUNTS = re.compile(r"^[ \t]*(\d+)[ \t]+atoms\b", re.MULTILINE)
_TYPES = re.compile(r"^[ \t]*\d+[ \t]+atom[ \t]+types\b|^[ \t]*Atoms\b", re.MULTILINE)
_UNITS = re.compile(r"\bunits[ \t]*=?[ \t]*(\w+)")
_IN_ANGSTROM = ("metal", "real")
_COLUMNS = {
    "atomic": (1, 2),
    "charge": (1, 3),
    "dipole": (1, 3),
    "bond": (2, 3),
    "angle": (2, 3),
    "molecular": (2, 3),
    "full": (2, 4),
    "sphere": (1, 4),
}
"""Columns of the type and of x, by the style of the atoms."""

_BOX = {"xlo xhi": 0, "ylo yhi": 1, "zlo zhi": 2}
_IMAGES = 3
_LINES_PER_ATOM = 20
"""Velocities, bonds, angles and dihedrals besides."""

_EXACT, _NEAR = 0.05, 0.3
"""How far a mass may lie from that of an element: as tables differ, and rounded by hand."""

_MASSES = {symbol: float(Element(symbol).atomic_mass) for symbol in SYMBOLS}
_FRAME = STEP.decode()


def element_of_mass(content: Content, mass: float, name: str) -> int:
    """Return the atomic number of the element that has a mass.

    Args:
        content: the file.
        mass: in g/mol.
        name: of the type, for messages.

    Raises:
        UnreadableCrystal: no element has it, or several nearly do.
    """
    nearest, second = sorted(_MASSES, key=lambda symbol: abs(_MASSES[symbol] - mass))[:2]
    away, next_away = abs(_MASSES[nearest] - mass), abs(_MASSES[second] - mass)
    if away > _EXACT and not (away < _NEAR and next_away > 2 * away):
        raise UnreadableCrystal(
            f"{content.path}: {name} has the mass {mass:g}, which is that of no element; write "
            "the symbol behind the mass, as in 1 55.845 # Fe"
        )
    if away > _EXACT:
        warn(content, f"{name} of mass {mass:g} was taken for {nearest}")
    return SYMBOLS.index(nearest) + 1


def _is_data(content: Content) -> bool:
    return bool(_COUNTS.search(content.head) and _TYPES.search(content.head))


def _read_data(content: Content) -> Structure:
    content.refuse_many_lines(_LINES_PER_ATOM)
    header, sections, styles = _sections(content)
    _refuse_other_units(content, content.first[0])
    lattice = _box(content, header)
    rows = sections.get("Atoms", [])
    if not rows:
        raise UnreadableCrystal(f"{content.path} is not a readable LAMMPS data file: no atoms")
    type_column, x_column = _columns(content, styles, rows)
    rows = sorted(rows, key=lambda row: int(row[0]))
    element = _elements(content, sections, {row[type_column] for row in rows})
    places = np.array([[number(word) for word in row[x_column : x_column + 3]] for row in rows])
    numbers = [element[row[type_column]] for row in rows]
    return Structure(Lattice(lattice), elements(numbers), places, coords_are_cartesian=True)


def _sections(
    content: Content,
) -> tuple[dict[str, list[float]], dict[str, list[list[str]]], str]:
    """Return the numbers of the header by their names, the rows of sections, the atoms' style.

    A comment behind a row of masses is its last word.
    """
    header: dict[str, list[float]] = {}
    sections: dict[str, list[list[str]]] = {}
    style, now = "", ""
    wanted = ("Atoms", "Masses", "Atom Type Labels")
    lines = content.lines()
    for line in islice(lines, 1, None):
        text, _, comment = line.partition("#")
        text = " ".join(text[:1000].split())
        if not text:
            continue
        if _SECTION.fullmatch(text):
            now = text
            if now == "Atoms":
                style = comment.strip().split(" ")[0]
        elif not now:
            words = text.split()
            values = [word for word in words if word[-1:].isdigit() or word[-1:] == "."]
            header[" ".join(words[len(values) :])] = [number(word) for word in values]
            if words[-1] == "atoms":
                natoms = header["atoms"][0]
                limits.ATOMS.refuse_beyond(natoms, f"{content.path} lists", UnreadableCrystal)
        elif now in wanted:
            row = text.split()
            sections.setdefault(now, []).append(row)
            if now == "Masses":
                row.append(comment.strip())
            limits.ATOMS.refuse_beyond(
                len(sections[now]), f"{content.path} lists at least", UnreadableCrystal
            )
    if len(sections.get("Atoms", [])) != header.get("atoms", [0.0])[0]:
        raise UnreadableCrystal(
            f"{content.path} says {header.get('atoms', [0.0])[0]:,.0f} atoms and lists "
            f"{len(sections.get('Atoms', [])):,}"
        )
    return header, sections, style


def _refuse_other_units(content: Content, comment: str) -> None:
    stated = _UNITS.search(comment[:1000])
    if stated and stated[1] not in _IN_ANGSTROM:
        raise UnreadableCrystal(
            f"{content.path} is in units {stated[1]}; write it in units metal, with lengths in A"
        )


def _box(content: Content, header: dict[str, list[float]]) -> FloatArray:
    """Return the (3, 3) lattice, A."""
    if "avec" in header:
        return np.array([header[name] for name in ("avec", "bvec", "cvec")])
    lattice = np.zeros((3, 3))
    for name, axis in _BOX.items():
        if len(header.get(name, [])) != 2:
            raise UnreadableCrystal(f"{content.path} states no box: {name} is missing")
        lattice[axis, axis] = header[name][1] - header[name][0]
    lattice[1, 0], lattice[2, 0], lattice[2, 1] = header.get("xy xz yz", [0.0, 0.0, 0.0])
    return lattice


def _columns(content: Content, style: str, rows: list[list[str]]) -> tuple[int, int]:
    """Return the columns of the type and of x, by the style, else by what the columns hold."""
    width = {len(row) for row in rows}
    if style in _COLUMNS and min(width) >= _COLUMNS[style][1] + 3:
        return _COLUMNS[style]
    has_images = all(all(_is_whole(word) for word in row[-_IMAGES:]) for row in rows)
    columns = min(width) - (_IMAGES if has_images and min(width) > 7 else 0)
    is_molecular = all(_is_whole(row[2]) for row in rows if len(row) > 2)
    guess = {5: "atomic", 6: "molecular" if is_molecular else "charge", 7: "full"}.get(columns)
    if style or guess is None or len(width) > 1:
        raise UnreadableCrystal(
            f"{content.path}: its atoms are of a style that is not read ({style or 'unknown'}); "
            f"write them in one of {', '.join(_COLUMNS)}, as in Atoms # atomic"
        )
    return _COLUMNS[guess]


def _is_whole(word: str) -> bool:
    return is_count(word.removeprefix("-"))


def _elements(
    content: Content, sections: dict[str, list[list[str]]], types: set[str]
) -> dict[str, int]:
    """Return the element of each type of atoms that occurs."""
    labels = {row[0]: row[1] for row in sections.get("Atom Type Labels", []) if len(row) > 1}
    masses = {row[0]: row[1:] for row in sections.get("Masses", []) if len(row) > 2}
    number_of = {label: kind for kind, label in labels.items()}
    return {
        kind: _element(
            content, kind, labels.get(kind, ""), _mass_of(masses, kind, labels, number_of)
        )
        for kind in sorted(types)
    }


def _mass_of(
    masses: dict[str, list[str]], kind: str, labels: dict[str, str], number_of: dict[str, str]
) -> list[str]:
    """Return mass and comment of a type, whether the file names it by number or by label."""
    others = (kind, labels.get(kind, ""), number_of.get(kind, ""))
    return next((masses[each] for each in others if each in masses), [])


def _element(content: Content, kind: str, label: str, mass: list[str]) -> int:
    """Return the element of a type: named by its label or comment, else known by its mass."""
    names = [label, "" if is_count(kind) else kind, *(mass[1].split()[:1] if mass else [])]
    value = number(mass[0]) if mass else 0.0
    for name in names:
        try:
            found = named_element(content, name) if name else 0
        except UnreadableCrystal:
            continue  # a name of a force field, such as CT
        if found and (not _is_real(value) or abs(_MASSES[SYMBOLS[found - 1]] - value) < 1.0):
            return found
    if not _is_real(value):
        raise UnreadableCrystal(
            f"{content.path}: its atoms are of numbered types, and nothing names the element of "
            f"type {kind[:20]}; write the masses with the symbols, as in 1 55.845 # Fe"
        )
    return element_of_mass(content, value, f"type {kind[:20]}")


def _is_real(mass: float) -> bool:
    """Whether a mass is one in g/mol: 1 is that of all atoms in reduced units."""
    return mass > 0 and mass != 1.0


def _is_dump(content: Content) -> bool:
    return content.head.lstrip().startswith(("ITEM: TIMESTEP", "ITEM: UNITS"))


def _read_dump(content: Content) -> Found:
    from ase import Atoms

    start = content.text.rfind(_FRAME)
    last_of(content, content.text.count(_FRAME), "time steps")
    units = re.search(r"ITEM: UNITS\n(\w+)", content.head)
    _refuse_other_units(content, f"units {units[1]}" if units else "")
    lines = content.lines(start)
    items: dict[str, list[str]] = {}
    flags = names = ""
    for line in lines:
        if line.startswith("ITEM: NUMBER"):
            items["N"] = [next(lines, "").strip()]
            natoms = int(items["N"][0])
            limits.ATOMS.refuse_beyond(natoms, f"{content.path} lists", UnreadableCrystal)
        elif line.startswith("ITEM: BOX BOUNDS"):
            flags = line.removeprefix("ITEM: BOX BOUNDS")
            items["BOX"] = list(islice(lines, 3))
        elif line.startswith("ITEM: ATOMS"):
            names = line.removeprefix("ITEM: ATOMS")
            items["ATOMS"] = list(islice(lines, int(items["N"][0])))
    lattice, origin, pbc = _bounds(content, flags.split(), items["BOX"])
    rows = [line.split() for line in items["ATOMS"]]
    columns = {name: at for at, name in enumerate(names.split())}
    if len(rows) < int(items["N"][0]) or any(len(row) < len(columns) for row in rows):
        raise UnreadableCrystal(f"{content.path} is cut short: atoms of the last step are missing")
    if "id" in columns:
        rows.sort(key=lambda row: int(row[columns["id"]]))
    places = _dumped_places(content, columns, rows, lattice, origin)
    numbers = [_dumped_element(content, columns, row) for row in rows]
    return Atoms(numbers=numbers, positions=places, cell=lattice, pbc=pbc)


def _bounds(
    content: Content, flags: list[str], lines: list[str]
) -> tuple[FloatArray, FloatArray, list[bool]]:
    """Return the (3, 3) lattice and the origin, A, and which sides are periodic."""
    from ase.io.lammpsrun import construct_cell

    box = np.array([[number(word) for word in line.split()] for line in lines])
    ends = [flag for flag in flags if re.fullmatch(r"[pfsm]{2}", flag)]
    pbc = [flag == "pp" for flag in ends] if len(ends) == 3 else [True] * 3
    if len(ends) != 3:
        warn(content, "it does not say which sides of the box are periodic; all were taken to be")
    if box.shape == (3, 4):
        return box[:, :3], box[:, 3], pbc
    tilt = box[:, 2] if box.shape == (3, 3) else np.zeros(3)
    lattice, origin = construct_cell(box[:, :2].flatten(), tilt)  # type: ignore[no-untyped-call]
    return lattice, origin, pbc


def _dumped_places(
    content: Content,
    columns: dict[str, int],
    rows: list[list[str]],
    lattice: FloatArray,
    origin: FloatArray,
) -> FloatArray:
    for suffix in ("", "u", "s", "su"):
        wanted = [columns.get(axis + suffix) for axis in "xyz"]
        if None not in wanted:
            found = np.array([[number(row[at]) for at in wanted if at is not None] for row in rows])
            return found @ lattice if suffix.startswith("s") else found - origin
    raise UnreadableCrystal(f"{content.path}: the dump has no columns x y z, or xs ys zs")


def _dumped_element(content: Content, columns: dict[str, int], row: list[str]) -> int:
    if "element" in columns:
        return named_element(content, row[columns["element"]])
    if "mass" in columns and _is_real(mass := number(row[columns["mass"]])):
        return element_of_mass(content, mass, "an atom")
    raise UnreadableCrystal(
        f"{content.path}: its atoms are of numbered types, and nothing names their elements; dump "
        "the column element as well, with dump_modify element Fe O"
    )


DATA = CrystalFormat(
    name="LAMMPS data file", recognises=_is_data, read=_read_data, names=("*.lmp", "*.lammps")
)
DUMP = CrystalFormat(
    name="LAMMPS dump",
    recognises=_is_dump,
    read=_read_dump,
    names=("*.lammpstrj", "*.dump"),
    frames=dump_frames,
)
