import pytest
from pymatgen.core import Element

from cgxas.elements import ABSORBERS, SYMBOLS, VALENCE, atomic_number, period
from cgxas.errors import UnknownElement


def test_symbols_and_numbers():
    assert len(SYMBOLS) == 103
    assert [atomic_number(symbol) for symbol in SYMBOLS] == list(range(1, 104))
    assert [Element.from_Z(z).symbol for z in range(1, 104)] == list(SYMBOLS)


def test_periods():
    assert [period(z) for z in range(1, 104)] == [Element.from_Z(z).row for z in range(1, 104)]


@pytest.mark.parametrize(
    ("symbol", "counts"),
    [
        ("H", (1, 0, 0, 0)),
        ("O", (2, 4, 0, 0)),
        ("Cr", (1, 0, 5, 0)),
        ("Cu", (1, 0, 10, 0)),
        ("Zn", (2, 0, 10, 0)),
        ("Ga", (2, 1, 10, 0)),
        ("Pd", (0, 0, 10, 0)),
        ("Gd", (2, 0, 1, 7)),
        ("Pb", (2, 2, 10, 14)),
    ],
)
def test_valence_electrons(symbol, counts):
    assert VALENCE[atomic_number(symbol) - 1] == counts


def test_absorbers_are_periods_two_to_five_without_noble_gases():
    assert len(ABSORBERS) == 48
    assert ABSORBERS[0] == "Li"
    assert ABSORBERS[-1] == "I"
    assert not {"H", "He", "Ne", "Ar", "Kr", "Xe", "Cs"} & set(ABSORBERS)


@pytest.mark.parametrize("text", ["", "fe", "FE", "Xx", "26", "Rf", "Fe "])
def test_other_words_are_no_elements(text):
    with pytest.raises(UnknownElement, match="not a chemical element"):
        atomic_number(text)
