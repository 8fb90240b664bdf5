"""The names of a space group -> its operations, in every setting that the names allow."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import spglib

from cgxas.crystals.io.cif.operations import Operations, snapped
from cgxas.crystals.io.cif.stated import Stated

_SETTINGS = 530
_CUBIC_WITH_CENTRE = frozenset((*range(200, 207), *range(221, 231)))
# An e glide of 1992 was written with one of the letters it stands for: Cmca, Bmab.
_WITH_E = frozenset((39, 41, 64, 67, 68))
# :1, :H, (origin choice 2), and what Pauling's file and ICSD append: S, Z, H, R.
_QUALIFIER = re.compile(
    r"[:(]+\s*(?:origin\s*(?:choice\s*)?)?([\w-]+)\s*\)?$|(?<=[^ ]) ([SZHRszhr])$"
)
_LETTER = re.compile(r"[szhr]$")
_CHOICE = {"s": "1", "z": "2", "h": "H", "r": "R"}


@dataclass(frozen=True, eq=False)
class Setting:
    """One of the 530 tabulated settings of the space groups.

    Attributes:
        number: of the group.
        name: as messages write it, such as "P 4/n m m :2".
        choice: origin, cell or axes, as spglib writes it.
        hall_number: of spglib's table.
    """

    number: int
    name: str
    choice: str
    hall_number: int

    def operations(self) -> Operations:
        """Return the operations of this setting, from spglib's table."""
        return _operations(self.hall_number)


def settings_of(stated: Stated) -> tuple[list[Setting], bool]:
    """Return the settings that a crystal's space group can be meant in, the likeliest first.

    What the Hall symbol names comes first, then the Hermann-Mauguin symbol, then the number. Only
    settings whose operations leave the cell's shape are returned.

    Returns:
        The settings, and whether the file means the first outright.
    """
    named = (_of_hall(stated.hall), _of_symbol(stated.symbol), _of_number(stated.group))
    fitting = [
        [each for each in settings if each.operations().fit(stated.lattice)] for settings in named
    ]
    found = {each.hall_number: each for settings in fitting for each in settings}
    first = next((settings for settings in fitting if settings), [])
    return list(found.values()), len(first) == 1


def _of_hall(hall: str) -> list[Setting]:
    key = _compact(hall)
    return [setting for each, setting in _table() if each.hall == key] if key else []


def _of_symbol(symbol: str) -> list[Setting]:
    """Return the settings of a Hermann-Mauguin symbol, whichever way it is written."""
    symbol = symbol.strip().strip("*'\"").strip()
    match = _QUALIFIER.search(symbol[:80])
    choice = ""
    if match and _known_choice(match[1] or match[2]):
        choice, symbol = _known_choice(match[1] or match[2]), symbol[: match.start()]
    key = _compact(symbol)
    found = _named(key)
    if not found and _LETTER.search(key):  # P4/nmmZ
        choice, found = _CHOICE[key[-1]], _named(key[:-1])
    chosen = [each for each in found if choice and each.choice.startswith(choice)]
    return chosen or found


def _known_choice(text: str) -> str:
    text = _CHOICE.get(text.lower(), text)
    return text if text in _choices() else ""


def _named(key: str) -> list[Setting]:
    if not key:
        return []
    exact = [setting for keys, setting in _table() if key in keys.symbols]
    if exact:
        return _second_origin_first(exact)
    return [
        setting
        for keys, setting in _table()
        if setting.number in _WITH_E and keys.old is not None and keys.old.fullmatch(key)
    ]


def _of_number(number: int | None) -> list[Setting]:
    return _second_origin_first([each for _, each in _table() if each.number == number])


def _second_origin_first(settings: list[Setting]) -> list[Setting]:
    """Put origins in a centre of symmetry first, as programs and databases have them today."""
    return sorted(settings, key=lambda each: each.choice.startswith("1"))


@dataclass(frozen=True)
class _Keys:
    symbols: frozenset[str]
    hall: str
    old: re.Pattern[str] | None


@cache
def _table() -> tuple[tuple[_Keys, Setting], ...]:
    return tuple(_entries())


@cache
def _choices() -> frozenset[str]:
    return frozenset(setting.choice for _, setting in _table()) | {"1", "2"}


def _entries() -> Iterator[tuple[_Keys, Setting]]:
    for hall_number in range(1, _SETTINGS + 1):
        kind = spglib.get_spacegroup_type(hall_number)
        assert kind is not None, "spglib knows all settings of its table"
        names = kind.international.split(" = ")
        names = names[1:] or names  # the first is the group's name in its standard setting
        symbols = {_compact(name) for name in (*names, kind.international_full)}
        if kind.number < 16:
            symbols |= {_without_ones(names[0])}
        if kind.number in _CUBIC_WITH_CENTRE:
            symbols |= {symbol.replace("-3", "3") for symbol in symbols}
        old = None
        if kind.number in _WITH_E:
            old = re.compile(_compact(names[0]).replace("e", "[abc]"))
        name = names[0].replace("_", "") + (f" :{kind.choice}" if kind.choice else "")
        keys = _Keys(frozenset(symbols), _compact(kind.hall_symbol), old)
        yield keys, Setting(kind.number, name, kind.choice, hall_number)


def _without_ones(name: str) -> str:
    """Return the short name of a monoclinic setting: P 1 21/n 1 -> p21/n."""
    return _compact(" ".join(word for word in name.split() if word != "1"))


def _compact(symbol: str) -> str:
    """Return a symbol without what people write differently: blanks, case, 2_1, 2(1), 2sub1."""
    symbol = symbol.lower().replace("sub", "").replace("=", '"')
    return re.sub(r"[\s_()\[\]{}]", "", symbol.replace("/ ", "/"))


@cache
def _operations(hall_number: int) -> Operations:
    found = spglib.get_symmetry_from_database(hall_number)
    assert found is not None, "spglib knows all settings of its table"
    rotations = np.array(found["rotations"], dtype=np.int64)
    return Operations(rotations, snapped(np.array(found["translations"], dtype=np.float64)))
