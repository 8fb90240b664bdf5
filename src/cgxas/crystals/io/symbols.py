"""Words for atoms in crystal files -> element symbols; nothing that is no element becomes one."""

import re
from dataclasses import dataclass

from cgxas.elements import SYMBOLS
from cgxas.errors import UnreadableCrystal

_ELEMENTS = frozenset(SYMBOLS)
# Fe, FE, fe, Fe3+, O-2, Fe1, Fe_pv and Fe/1a2b (VASP), Fe(III), Fe-up (Quantum ESPRESSO); not
# H2O and not Mn,Fe.
_SYMBOL = re.compile(
    r"([A-Za-z]{1,3})[0-9.]*[+-]{0,2}[0-9.]*"
    r"(?:\([IVX]+\)|\([0-9]+[+-]?\)|/[0-9a-f]{4,}|_[A-Za-z0-9_]*|-[A-Za-z0-9_]+)?"
)
# Upper case, these are more often groups of atoms (NO3) and labels than elements.
_RARE = frozenset({"Es", "Fm", "Md", "No", "Lr"})
# Names of groups of atoms, of which only the oxygen has a place, and of empty places.
_WATER = re.compile(r"(?:H2O|OH2|O-?H|OW|Ow|W(?:at|AT)(?:er|ER)?[a-z]?|wat)(?![a-z])")
_EMPTY = re.compile(r"(?:va|vac|vacancy|void|dummy|dum|du)(?![a-z])", re.IGNORECASE)


def element_of(text: str, where: str) -> str:
    """Return the element that a type of atoms names: Fe for Fe, FE, Fe3+, Fe1 and Fe_pv.

    Deuterium is hydrogen.

    Args:
        text: as the file writes it.
        where: what the message begins with, such as "a.cif: atom Fe1".

    Returns:
        A symbol of `elements.SYMBOLS`.

    Raises:
        UnreadableCrystal: the text names no element, or several.
    """
    found = _stated_element(text.strip())
    if found is None:
        raise UnreadableCrystal(
            f"{where} is of type {text.strip()[:40]!r}, which is not the symbol of an element; "
            "write a symbol such as Fe"
        )
    return found


def _stated_element(text: str) -> str | None:
    match = _SYMBOL.fullmatch(text)
    if match is None or re.split("[-_]", text)[-1] in _ELEMENTS.difference({text}):  # O-H
        return None
    letters = match[1]
    symbol = letters.capitalize()
    if symbol in _RARE and letters != symbol:
        return None
    if symbol == "D":
        return "H"
    return symbol if symbol in _ELEMENTS else None


@dataclass(frozen=True)
class Meaning:
    """What the label of an atom can mean, where the file states no type.

    Attributes:
        elements: the likeliest first; empty if no element can be meant.
        certainty: "sure"; "likely", to be told; "open", to be settled by a formula only.
    """

    elements: tuple[str, ...]
    certainty: str


def meaning_of_label(label: str) -> Meaning:
    """Tell which elements a label such as Fe1, CU2, OW1, FeM or T1 can stand for."""
    match = re.match(r"[A-Za-z]+", label)
    if match is None or _EMPTY.match(label):
        return Meaning((), "open")
    if _WATER.match(label):
        return Meaning(("O", "H") if label.startswith("H") else ("O",), "open")
    letters, rest = match[0], label[match.end() :]
    if len(letters) == 1:
        symbol = "H" if letters.upper() == "D" else letters.upper()
        known = (symbol,) if symbol in _ELEMENTS else ()
        return Meaning(known, "open" if _names_another(rest) else "sure")
    if letters[1].islower() and letters[0].isupper():
        return _meaning_of_mixed_case(letters, rest)
    return _meaning_of_one_case(letters)


def _meaning_of_mixed_case(letters: str, rest: str) -> Meaning:
    one, two = letters[0], letters[:2]
    first = (one,) if one in _ELEMENTS else ()
    if two not in _ELEMENTS:  # Uue, Oh, Hw
        return Meaning(first, "open")
    others = _named_in(letters[2:])
    # FeM is iron on a site M, and FeY most likely on a site Y, but FeMg may be both.
    certainty = "likely" if others else "sure"
    if _names_another(rest) or any(len(each) > 1 for each in others):
        certainty = "open"
    return Meaning((two, *others, *first), certainty)


def _meaning_of_one_case(letters: str) -> Meaning:
    one, two = letters[0].upper(), letters[:2].capitalize()
    known = tuple(symbol for symbol in (two, one) if symbol in _ELEMENTS)
    if two in _RARE or (len(known) == 2 and one == "H"):  # NO3, HO1
        return Meaning(known[::-1], "open")
    others = tuple(each for each in _named_in(letters[1:]) if each not in known)
    return Meaning((*known, *others), "sure" if len(known) + len(others) == 1 else "likely")


def _named_in(letters: str) -> tuple[str, ...]:
    """Return the element whose symbol a label goes on with, if there is one."""
    match = re.match(r"[A-Z][a-z]?", letters)
    return (match[0],) if match and match[0] in _ELEMENTS else ()


def _names_another(rest: str) -> bool:
    """Tell Mn,Fe and Mn/Fe from Mn1 and Mn1A."""
    return any(word in _ELEMENTS for word in re.findall(r"[,/;+&]\s*([A-Z][a-z]?)", rest))
