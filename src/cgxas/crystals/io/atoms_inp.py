"""atoms.inp of Atoms and Artemis: a space group, a cell and the distinct atoms."""

import re
from itertools import islice

from pymatgen.core.structure import IStructure

from cgxas import limits
from cgxas.crystals.io.base import CrystalFormat, warn
from cgxas.crystals.io.cif.read import crystal_of
from cgxas.crystals.io.cif_text import Site, cif_text
from cgxas.crystals.io.content import Content
from cgxas.crystals.io.numerals import fraction, is_number
from cgxas.crystals.io.species import named_element
from cgxas.elements import SYMBOLS
from cgxas.errors import UnreadableCrystal

_SPACE = re.compile(r"^[ \t]*space[ \t]*[ \t=:]", re.IGNORECASE | re.MULTILINE)
_ATOMS = re.compile(r"^[ \t]*(?:atoms?|basis)\b", re.IGNORECASE | re.MULTILINE)
_COMMENT = re.compile(r"[!%#]|^[ \t]*\*")
_VALUE = re.compile(
    r"\b(a|b|c|alpha|beta|gamma)[ \t]*[ \t=:][ \t]*([-+]?[\d.]+(?:/[\d.]+)?)", re.IGNORECASE
)
_SHIFT = re.compile(r"\bshift[ \t=:]+([^ \t]+)[ \t,]+([^ \t]+)[ \t,]+([^ \t]+)", re.IGNORECASE)
_KEYWORD = re.compile(r"[ \t]+(?:a|b|c|alpha|beta|gamma|rmax|rpath|core|edge|shift)[ \t]*=.*", re.I)
_LONG_TITLES = ("title", "comment", "ref", "reference")
_ALIASES = {
    "fcc": "F m -3 m",
    "salt": "F m -3 m",
    "nacl": "F m -3 m",
    "fluorite": "F m -3 m",
    "caf2": "F m -3 m",
    "bcc": "I m -3 m",
    "hcp": "P 63/m m c",
    "hex": "P 63/m m c",
    "diamond": "F d -3 m",
    "zns": "F -4 3 m",
    "zincblende": "F -4 3 m",
    "cubic": "P m -3 m",
    "cscl": "P m -3 m",
    "perov": "P m -3 m",
    "perovskite": "P m -3 m",
    "graphite": "P 63 m c",
    "gra": "P 63 m c",
}
"""Names of common crystals that Atoms takes for a space group."""

_HEXAGONAL = re.compile(r"P-?[36]|R")
_OLD_CUBIC = re.compile(r"^([PFI] ?(?:[mnad]|21/a)) ?3\b")
"""Before 1983 Fm-3m was written Fm3m."""


def _recognises(content: Content) -> bool:
    return bool(_SPACE.search(content.head) and _ATOMS.search(content.head))


def _read(content: Content) -> IStructure:
    group, cell, shift, rows = _parsed(content)
    sites = []
    for number, row in enumerate(rows, start=1):
        element = SYMBOLS[named_element(content, row[0]) - 1]
        x, y, z = (fraction(word) + moved for word, moved in zip(row[1:4], shift, strict=True))
        share = next((float(word) for word in reversed(row[4:]) if is_number(word)), 1.0)
        sites.append(Site(f"{element}{number}", element, (x, y, z), share))
    if any(shift):
        warn(content, "its atoms were shifted as the file says (shift)")
    return crystal_of(cif_text(_full(content, cell, group), sites, group), str(content.path))


def _parsed(
    content: Content,
) -> tuple[str, dict[str, float], tuple[float, float, float], list[list[str]]]:
    """Return the space group, what is stated of the cell, the shift, and the rows of atoms."""
    group, cell, shift = "", dict[str, float](), (0.0, 0.0, 0.0)
    lines = content.lines()
    for line in lines:
        text = _COMMENT.split(line[:1000], maxsplit=1)[0].strip()
        first = text.split(None, 1)[0].lower().rstrip("=:") if text else ""
        if not text or first in _LONG_TITLES:
            continue
        if first in ("atoms", "atom", "basis"):
            break
        if first.startswith("space"):
            group = _group(_KEYWORD.sub("", text[len("space") :]))
            text = text[len("space") :]
        for name, value in _VALUE.findall(text):
            cell[name.lower()] = fraction(value)
        if found := _SHIFT.search(text):
            x, y, z = (fraction(word.strip(",")) for word in found.groups())
            shift = (x, y, z)
    rows = []
    for line in islice(lines, limits.ATOMS.value + 1):
        words = _COMMENT.split(line[:1000], maxsplit=1)[0].replace(",", " ").split()
        if words and words[0].lower() == "end":
            break
        if len(words) >= 4:
            rows.append(words)
    limits.ATOMS.refuse_beyond(len(rows), f"{content.path} lists at least", UnreadableCrystal)
    if not group or "a" not in cell or not rows:
        raise UnreadableCrystal(
            f"{content.path} is not a readable atoms.inp: it needs space, a, and a list of atoms"
        )
    return group, cell, shift, rows


def _group(text: str) -> str:
    symbol = " ".join(text.strip(" \t=:\"'").split())
    known = _ALIASES.get(symbol.lower())
    return known or _OLD_CUBIC.sub(r"\1 -3", symbol[:1].upper() + symbol[1:])


def _full(content: Content, cell: dict[str, float], group: str) -> list[float]:
    """Return all six numbers of the cell; those left out are as the space group asks."""
    a = cell["a"]
    edges = [a, cell.get("b", a), cell.get("c", a)]
    letters = group.replace(" ", "")
    if letters.startswith("R") and "alpha" in cell and "c" not in cell:  # rhombohedral axes
        return [a, a, a, *[cell["alpha"]] * 3]
    gamma = 120.0 if _HEXAGONAL.match(letters) else 90.0
    is_cubic = "3" in letters[2:] and not _HEXAGONAL.match(letters)
    if not is_cubic and "c" not in cell:
        warn(content, "it states no c, which was taken to be a")
    return [*edges, cell.get("alpha", 90.0), cell.get("beta", 90.0), cell.get("gamma", gamma)]


FORMAT = CrystalFormat(name="atoms.inp", recognises=_recognises, read=_read, names=("atoms*.inp",))
