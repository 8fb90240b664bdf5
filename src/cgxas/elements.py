"""Chemical elements as the network sees them: absorbers, periods, valence electrons."""

from typing import Final

from cgxas.errors import UnknownElement

MAX_ATOMIC_NUMBER: Final = 103

# Ground-state valence electrons (s, p, d, f) of the neutral atoms, one word per element in order of
# atomic number; filled d and f shells below the valence s and p are counted (SPEC: Zn d10, Pb f14).
_VALENCE: Final = """
H:1 He:2 Li:1 Be:2 B:2,1 C:2,2 N:2,3 O:2,4 F:2,5 Ne:2,6
Na:1 Mg:2 Al:2,1 Si:2,2 P:2,3 S:2,4 Cl:2,5 Ar:2,6
K:1 Ca:2 Sc:2,0,1 Ti:2,0,2 V:2,0,3 Cr:1,0,5 Mn:2,0,5 Fe:2,0,6 Co:2,0,7 Ni:2,0,8 Cu:1,0,10
Zn:2,0,10 Ga:2,1,10 Ge:2,2,10 As:2,3,10 Se:2,4,10 Br:2,5,10 Kr:2,6,10
Rb:1 Sr:2 Y:2,0,1 Zr:2,0,2 Nb:1,0,4 Mo:1,0,5 Tc:2,0,5 Ru:1,0,7 Rh:1,0,8 Pd:0,0,10 Ag:1,0,10
Cd:2,0,10 In:2,1,10 Sn:2,2,10 Sb:2,3,10 Te:2,4,10 I:2,5,10 Xe:2,6,10
Cs:1 Ba:2 La:2,0,1 Ce:2,0,1,1 Pr:2,0,0,3 Nd:2,0,0,4 Pm:2,0,0,5 Sm:2,0,0,6 Eu:2,0,0,7 Gd:2,0,1,7
Tb:2,0,0,9 Dy:2,0,0,10 Ho:2,0,0,11 Er:2,0,0,12 Tm:2,0,0,13 Yb:2,0,0,14 Lu:2,0,1,14 Hf:2,0,2,14
Ta:2,0,3,14 W:2,0,4,14 Re:2,0,5,14 Os:2,0,6,14 Ir:2,0,7,14 Pt:1,0,9,14 Au:1,0,10,14 Hg:2,0,10,14
Tl:2,1,10,14 Pb:2,2,10,14 Bi:2,3,10,14 Po:2,4,10,14 At:2,5,10,14 Rn:2,6,10,14
Fr:1 Ra:2 Ac:2,0,1 Th:2,0,2 Pa:2,0,1,2 U:2,0,1,3 Np:2,0,1,4 Pu:2,0,0,6 Am:2,0,0,7 Cm:2,0,1,7
Bk:2,0,0,9 Cf:2,0,0,10 Es:2,0,0,11 Fm:2,0,0,12 Md:2,0,0,13 No:2,0,0,14 Lr:2,1,0,14
"""

_ENTRIES: Final = [word.split(":") for word in _VALENCE.split()]
SYMBOLS: Final[tuple[str, ...]] = tuple(symbol for symbol, _ in _ENTRIES)
VALENCE: Final[tuple[tuple[int, int, int, int], ...]] = tuple(
    (*(int(n) for n in counts.split(",")), 0, 0, 0)[:4]  # type: ignore[misc]
    for _, counts in _ENTRIES
)
_NUMBER_OF: Final = {symbol: z for z, symbol in enumerate(SYMBOLS, start=1)}
_LAST_OF_PERIOD: Final = (2, 10, 18, 36, 54, 86, 118)

_NOBLE_GASES: Final = frozenset({"He", "Ne", "Ar", "Kr", "Xe", "Rn"})
ABSORBERS: Final[tuple[str, ...]] = tuple(
    symbol for symbol in SYMBOLS[2:54] if symbol not in _NOBLE_GASES
)
"""The 48 elements of periods 2 to 5 without the noble gases."""


def atomic_number(symbol: str) -> int:
    """Return the atomic number of an element symbol, 1 to 103.

    Raises:
        UnknownElement: the text is not such a symbol.
    """
    number = _NUMBER_OF.get(symbol) if isinstance(symbol, str) else None
    if number is None:
        if not isinstance(symbol, str):
            raise UnknownElement(f"an element is a symbol such as 'Fe', not {symbol!r:.40}")
        meant = symbol.strip().capitalize()
        cure = f"did you mean {meant}?" if meant in _NUMBER_OF else "write a symbol such as Fe"
        raise UnknownElement(
            f"{_shown(symbol)} is not a chemical element up to {SYMBOLS[-1]}; {cure}"
        )
    return number


def _shown(symbol: str) -> str:
    text = repr(symbol)
    return text if len(text) <= 40 else f"{text[:37]}..."


def period(number: int) -> int:
    """Return the period (row of the periodic table, 1 to 7) of an atomic number."""
    return next(row for row, last in enumerate(_LAST_OF_PERIOD, start=1) if number <= last)
