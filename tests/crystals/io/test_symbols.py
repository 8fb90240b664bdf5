import pytest

from cgxas.crystals.io.symbols import element_of, meaning_of_label
from cgxas.errors import UnreadableCrystal


@pytest.mark.parametrize(
    ("text", "element"),
    [
        *((text, "Fe") for text in ("Fe", "FE", "fe", " Fe ", "Fe3+", "Fe+3", "Fe2.5+", "Fe1")),
        *((text, "Fe") for text in ("Fe_pv", "Fe/1a2b3c", "Fe(III)", "Fe-up", "Fe_1")),
        ("O2-", "O"),
        ("O-2", "O"),
        ("D", "H"),
        ("D1+", "H"),
        ("Sn1", "Sn"),
        ("Va_sv", None),
        *((text, None) for text in ("T1", "H2O", "OH", "O-H", "Wat", "OW", "Va", "Uue", "M1", "X")),
        *((text, None) for text in ("Mn,Fe", "Mn/Fe", "Mn_Fe", "Fe(Mg)", "26", "", "?", "NO3")),
    ],
)
def test_element_of_a_type(text, element):
    if element:
        assert element_of(text, "a.cif: atom A1") == element
    else:
        with pytest.raises(UnreadableCrystal, match=r"a\.cif: atom A1 is of type"):
            element_of(text, "a.cif: atom A1")


@pytest.mark.parametrize(
    ("label", "elements", "certainty"),
    [
        ("Fe1", ("Fe", "F"), "sure"),
        ("Sn1", ("Sn", "S"), "sure"),
        ("V1", ("V",), "sure"),
        ("FeM", ("Fe", "F"), "sure"),
        ("Ca_ae", ("Ca", "C"), "sure"),
        ("AL1", ("Al",), "sure"),
        ("D3", ("H",), "sure"),
        ("CO1", ("Co", "C", "O"), "likely"),
        ("HO1", ("H", "Ho"), "open"),
        ("FeMg1", ("Fe", "Mg", "F"), "open"),
        ("FeY", ("Fe", "Y", "F"), "likely"),
        ("Mn,Fe", ("Mn",), "open"),
        ("OW1", ("O",), "open"),
        ("O-H", ("O",), "open"),
        ("Wat", ("O",), "open"),
        ("H2O", ("O", "H"), "open"),
        ("Uue", ("U",), "open"),
        ("Va", (), "open"),
        ("1", (), "open"),
    ],
)
def test_meaning_of_a_label(label, elements, certainty):
    meaning = meaning_of_label(label)
    assert (meaning.elements, meaning.certainty) == (elements, certainty)


@pytest.mark.parametrize("label", ["T1", "M1", "X", "A2"])
def test_sites_without_an_element(label):
    assert meaning_of_label(label).elements == ()
