"""Input of Quantum ESPRESSO's pw.x, with any ibrav of its manual."""

import re
from collections.abc import Mapping
from io import StringIO
from typing import Any

import numpy as np
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure

from cgxas import limits
from cgxas.crystals.io.base import CrystalFormat
from cgxas.crystals.io.bravais import cell_of_ibrav
from cgxas.crystals.io.content import Content
from cgxas.crystals.io.numerals import fraction
from cgxas.crystals.io.species import elements, named_element
from cgxas.errors import UnreadableCrystal
from cgxas.typing import FloatArray

_SYSTEM = re.compile(r"^[ \t]*&system\b", re.IGNORECASE | re.MULTILINE)
_CARD = re.compile(
    r"(ATOMIC_SPECIES|ATOMIC_POSITIONS|K_POINTS|CELL_PARAMETERS|CONSTRAINTS|OCCUPATIONS|"
    r"ATOMIC_VELOCITIES|ATOMIC_FORCES|ADDITIONAL_K_POINTS|SOLVENTS|HUBBARD)\b(.*)",
    re.IGNORECASE,
)
_LINES_PER_ATOM = 10


def _recognises(content: Content) -> bool:
    return bool(_SYSTEM.search(content.head))


def _read(content: Content) -> Structure:
    from ase.io.espresso import read_fortran_namelist

    content.refuse_many_lines(_LINES_PER_ATOM)
    namelists, lines = read_fortran_namelist(  # type: ignore[no-untyped-call]
        StringIO(content.text)
    )
    system = {_key(name): value for name, value in dict(namelists["system"]).items()}
    if "space_group" in system:
        raise UnreadableCrystal(
            f"{content.path} gives a space group instead of all atoms (space_group); write all of "
            "them with ibrav, or give a CIF"
        )
    cards = _cards(lines)
    alat, cell = _cell(content, system, cards)
    kind, rows = cards.get("ATOMIC_POSITIONS", ("", []))
    natoms = system.get("nat")
    limits.ATOMS.refuse_beyond(len(rows), f"{content.path} lists", UnreadableCrystal)
    if natoms is not None and natoms != len(rows):
        raise UnreadableCrystal(f"{content.path} says nat = {natoms} and lists {len(rows)} atoms")
    numbers = [named_element(content, row[0]) for row in rows]
    places = np.array([[fraction(word) for word in row[1:4]] for row in rows]).reshape(-1, 3)
    if kind == "crystal":
        return Structure(Lattice(cell), elements(numbers), places)
    scale = _unit(content, "ATOMIC_POSITIONS", kind or "alat", alat)
    return Structure(Lattice(cell), elements(numbers), places * scale, coords_are_cartesian=True)


def _key(name: str) -> str:
    return "".join(name.lower().split())


def _cards(lines: list[str]) -> dict[str, tuple[str, list[list[str]]]]:
    """Return the option and the rows of each card."""
    cards: dict[str, tuple[str, list[list[str]]]] = {}
    now: list[list[str]] = []
    for line in lines:
        text = line.split("!")[0].split("#")[0].strip()
        card = _CARD.match(text[:200])
        if card:
            option = re.sub(r"[(){}\s]", " ", card[2]).strip().lower()
            now = cards.setdefault(card[1].upper(), (option, []))[1]
        elif text:
            now.append(text.split())
    return cards


def _cell(
    content: Content, system: Mapping[str, Any], cards: Mapping[str, tuple[str, list[list[str]]]]
) -> tuple[float | None, FloatArray]:
    """Return the lattice parameter (A), if it is known, and the (3, 3) lattice, A."""
    from ase.units import Bohr

    ibrav = system.get("ibrav")
    if not isinstance(ibrav, int):
        raise UnreadableCrystal(f"{content.path} states no ibrav in &system")
    edges = [float(system.get(f"celldm({number})", 0.0)) for number in range(1, 7)]
    alat = edges[0] * Bohr
    if not alat and "a" in system:
        alat, edges = _from_abc(system)
    if ibrav:
        if not alat > 0:
            raise UnreadableCrystal(f"{content.path} states neither celldm(1) nor A in &system")
        try:
            return alat, alat * cell_of_ibrav(ibrav, edges)
        except ValueError as error:
            raise UnreadableCrystal(f"{content.path}: {error}") from error
    kind, rows = cards.get("CELL_PARAMETERS", ("", []))
    if len(rows) < 3:
        raise UnreadableCrystal(f"{content.path} has ibrav = 0 and no CELL_PARAMETERS")
    cell = np.array([[fraction(word) for word in row[:3]] for row in rows[:3]])
    cell = cell * _unit(content, "CELL_PARAMETERS", kind or ("alat" if alat else "bohr"), alat)
    return alat or float(np.linalg.norm(cell[0])), cell


def _from_abc(system: Mapping[str, Any]) -> tuple[float, list[float]]:
    """Return a (A) and celldm(1) to celldm(6) of A, B, C and the cosines."""
    a = float(system["a"])
    b, c = (float(system.get(name, 0.0)) / a for name in "bc")
    cosines = {name: float(system.get(name, 0.0)) for name in ("cosbc", "cosac", "cosab")}
    if system.get("ibrav") == 14:
        return a, [a, b, c, cosines["cosbc"], cosines["cosac"], cosines["cosab"]]
    if system.get("ibrav") in (-12, -13):
        return a, [a, b, c, 0.0, cosines["cosac"], 0.0]
    return a, [a, b, c, cosines["cosab"], 0.0, 0.0]


def _unit(content: Content, card: str, kind: str, alat: float | None) -> float:
    """Return the length (A) in which a card is given."""
    from ase.units import Bohr

    units = {"angstrom": 1.0, "bohr": Bohr, "alat": alat or 0.0}
    if not units.get(kind):
        raise UnreadableCrystal(
            f"{content.path}: {card} is in {kind[:30]!r}, which is not read; write it in angstrom"
        )
    return units[kind]


FORMAT = CrystalFormat(
    name="Quantum ESPRESSO input",
    recognises=_recognises,
    read=_read,
    names=("*.pwi", "*.pw", "*.scf.in", "*.relax.in"),
)
