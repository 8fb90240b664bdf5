"""SHELX .res and .ins files, and those of AIRSS: cell, lattice, operations and distinct atoms."""

import re
from collections.abc import Iterator

import numpy as np
from pymatgen.core.lattice import Lattice
from pymatgen.core.operations import SymmOp
from pymatgen.core.structure import IStructure

from cgxas import limits
from cgxas.crystals.io.base import CrystalFormat
from cgxas.crystals.io.cif.read import crystal_of
from cgxas.crystals.io.cif_text import Site, cif_text
from cgxas.crystals.io.content import Content
from cgxas.crystals.io.numerals import are_numbers, is_number, number
from cgxas.crystals.io.species import named_element
from cgxas.elements import SYMBOLS
from cgxas.errors import UnreadableCrystal

_CELL = re.compile(r"^CELL[ \t]+[\d.]+(?:[ \t]+[\d.]+){6}", re.IGNORECASE | re.MULTILINE)
_SFAC = re.compile(r"^SFAC[ \t]", re.IGNORECASE | re.MULTILINE)
_CENTRING = {
    1: ["0 0 0"],
    2: ["0 0 0", "1/2 1/2 1/2"],
    3: ["0 0 0", "2/3 1/3 1/3", "1/3 2/3 2/3"],
    4: ["0 0 0", "0 1/2 1/2", "1/2 0 1/2", "1/2 1/2 0"],
    5: ["0 0 0", "0 1/2 1/2"],
    6: ["0 0 0", "1/2 0 1/2"],
    7: ["0 0 0", "1/2 1/2 0"],
}
"""Translations by the number of LATT."""

_INSTRUCTIONS = """
TITL CELL ZERR LATT SYMM SFAC UNIT DISP NEUT ABIN ACTA AFIX ANIS ANSC ANSR BASF BIND BLOC
BOND BUMP CGLS CHIV CONF CONN DAMP DANG DEFS DELU DFIX EADP END EQIV EXTI EXYZ FEND FLAT
FMAP FRAG FREE FVAR GRID HFIX HKLF HTAB ISOR L.S. LAUE LIST MERG MORE MOVE MPLA NCSY OMIT
PART PLAN PRIG REM RESI RIGU RTAB SADI SAME SHEL SIMU SIZE SPEC STIR SUMP SWAT TEMP TIME
TWIN TWST WGHT WIGL WPDB XNPD
"""
"""Words that begin a line which is no atom."""

_FIXED = 10.0
"""Added to a number that is not refined."""

_SAME_PLACE = 0.1


def _recognises(content: Content) -> bool:
    return bool(_CELL.search(content.head) and _SFAC.search(content.head))


def _read(content: Content) -> IStructure:
    cell, kind, operations, elements = list[float](), 1, ["x,y,z"], list[str]()
    rows, instructions = [], set(_INSTRUCTIONS.split())
    for words in _instructions(content):
        name = words[0][:4].upper()
        if name == "CELL":
            cell = [number(word) for word in words[2:8]]
        elif name == "LATT":
            kind = int(words[1])
        elif name == "SYMM":
            operations.append("".join(words[1:]).lower())
        elif name == "SFAC":
            # Either symbols, or one symbol with the numbers of its scattering factor.
            elements += words[1:2] if len(words) > 2 and is_number(words[2]) else words[1:]
        elif name not in instructions and not re.fullmatch(r"Q\d+", name):
            rows.append(words)
            limits.ATOMS.refuse_beyond(
                len(rows), f"{content.path} lists at least", UnreadableCrystal
            )
    symmetry = _all_operations(content, kind, operations)
    lattice = Lattice.from_parameters(*cell)
    sites = [_site(content, row, elements, symmetry, lattice) for row in rows]
    text = cif_text(cell, sites, operations=[each.as_xyz_str() for each in symmetry])
    return crystal_of(text, str(content.path))


def _instructions(content: Content) -> Iterator[list[str]]:
    """Yield the words of each line up to the end, lines that go on (=) put together."""
    before = ""
    for line in content.lines():
        text = before + line[:1000].split("!")[0].rstrip()
        if text.endswith("=") and len(text) < 10_000:
            before = text[:-1] + " "
            continue
        before = ""
        words = text.split()
        if words and words[0][:4].upper() in ("END", "HKLF"):
            return
        if words and words[0].upper() != "REM":
            yield words


def _all_operations(content: Content, kind: int, operations: list[str]) -> list[SymmOp]:
    """Return every operation of the group: those listed, inversion, and centring."""
    if abs(kind) not in _CENTRING:
        raise UnreadableCrystal(f"{content.path}: LATT {kind} is none of SHELX's lattices")
    signs = (1, -1) if kind > 0 else (1,)
    found = []
    for text in operations:
        base = SymmOp.from_xyz_str(text)
        for sign in signs:
            for words in _CENTRING[abs(kind)]:
                shift = np.array([_quotient(word) for word in words.split()])
                turn, move = sign * base.rotation_matrix, sign * base.translation_vector
                found.append(SymmOp.from_rotation_and_translation(turn, (move + shift) % 1.0))
    return found


def _quotient(word: str) -> float:
    over, _, under = word.partition("/")
    return int(over) / int(under or 1)


def _site(
    content: Content, row: list[str], elements: list[str], symmetry: list[SymmOp], lattice: Lattice
) -> Site:
    """Return an atom; its share is stated times the number of atoms that fall together with it."""
    is_atom = len(row) >= 5 and row[1].isdecimal() and are_numbers(" ".join(row[2:5]), 3)
    if not (is_atom and 1 <= int(row[1][:4]) <= len(elements)):
        raise UnreadableCrystal(
            f"{content.path} is not a readable SHELX file: {' '.join(row)[:40]!r} is not an atom"
        )
    element = SYMBOLS[named_element(content, elements[int(row[1]) - 1]) - 1]
    x, y, z = (_free(content, number(word)) for word in row[2:5])
    share = abs(_free(content, number(row[5]))) if len(row) > 5 else 1.0
    images = np.array([each.operate([x, y, z]) for each in symmetry])
    away = images - (x, y, z)
    distance = np.linalg.norm((away - np.round(away)) @ lattice.matrix, axis=1)
    multiple = int((distance < _SAME_PLACE).sum())
    # AIRSS, and others that list all atoms, write 1 for a full site wherever it lies.
    full = 1.0 if abs(share - 1.0) < 1e-3 else share * multiple
    return Site(row[0], element, (x, y, z), round(full, 3))


def _free(content: Content, value: float) -> float:
    """Return a number without the sign that it is fixed; free variables are not read."""
    if abs(value) < 5:
        return value
    if 5 <= value < 15:
        return value - _FIXED
    raise UnreadableCrystal(
        f"{content.path} ties numbers of its atoms to free variables ({value:g}); give the CIF "
        "that SHELXL writes"
    )


FORMAT = CrystalFormat(
    name="SHELX file", recognises=_recognises, read=_read, names=("*.res", "*.ins", "*.shx")
)
