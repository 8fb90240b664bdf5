"""Names of atoms in a file -> atomic numbers; what names no element is refused, never guessed."""

from collections.abc import Iterable

from pymatgen.core.periodic_table import Element

from cgxas.crystals.io.content import Content
from cgxas.crystals.io.symbols import element_of
from cgxas.elements import MAX_ATOMIC_NUMBER, SYMBOLS, atomic_number
from cgxas.errors import UnreadableCrystal

_KNOWN = frozenset(SYMBOLS)


def named_element(content: Content, name: str) -> int:
    """Return the atomic number of an atom by its name, such as Fe, FE, Fe3+ or Fe_pv.

    Raises:
        UnreadableCrystal: no element has that name.
    """
    return atomic_number(element_of(name, f"{content.path}: an atom"))


def numbered_element(content: Content, word: str) -> int:
    """Return the atomic number that a file states in digits.

    Raises:
        UnreadableCrystal: it is that of no element.
    """
    if (
        word.isascii()
        and word.isdecimal()
        and len(word) < 4
        and 1 <= int(word) <= MAX_ATOMIC_NUMBER
    ):
        return int(word)
    raise UnreadableCrystal(
        f"{content.path}: {word[:20]!r} is not the atomic number of an element; write 1 to "
        f"{MAX_ATOMIC_NUMBER}"
    )


def symbols_only(words: Iterable[str]) -> list[int] | None:
    """Return the atomic numbers of words that are all plain symbols, else None."""
    found = list(words)
    return [atomic_number(word) for word in found] if found and set(found) <= _KNOWN else None


def elements(numbers: Iterable[int]) -> list[Element]:
    """Return pymatgen's elements of atomic numbers."""
    return [Element.from_Z(int(number)) for number in numbers]
