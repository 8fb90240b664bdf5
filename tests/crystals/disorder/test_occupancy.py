"""What a site holds, and what is refused."""

import numpy as np
import pytest
from pymatgen.core import DummySpecies, Lattice, Structure

from cgxas.crystals.disorder.occupancy import Occupancy, formula, is_disordered, occupancies, whole
from cgxas.errors import CrystalError, DisorderedCrystal


def one_site(*species) -> Structure:
    return Structure(
        Lattice.cubic(3.0), list(species), [[0.5 * n, 0, 0] for n in range(len(species))]
    )


@pytest.mark.parametrize(
    "species", [{"Fe2+": 0.5, "Fe3+": 0.5}, {"H": 0.3, "D": 0.7}, {"Fe": 0.999}, {"Fe": 1.0}, "Fe"]
)
def test_one_element_in_several_guises_is_whole(species):
    structure = one_site(species)
    assert not is_disordered(structure)
    found = whole(structure)
    assert found.is_ordered
    assert found[0].specie.symbol in ("Fe", "H", "D")


def test_the_callers_structure_is_left_alone():
    structure = one_site({"Fe2+": 0.5, "Fe3+": 0.5}, "O")
    whole(structure)
    assert not structure.is_ordered
    ordered = one_site("Fe", "O")
    assert whole(ordered) is ordered


@pytest.mark.parametrize(
    ("species", "words"),
    [
        ({"Fe": 0.922, "Mn": 0.037, "Mg": 0.041}, "Mg 0.041, Mn 0.037, Fe 0.922"),
        ({"Li": 0.5}, "Li 0.5, a vacancy 0.5"),
        ({"Li": 0.5, DummySpecies("X"): 0.5}, "Li 0.5, a vacancy 0.5"),
        ({"Fe": 0.98}, "Fe 0.98, a vacancy 0.02"),
    ],
)
def test_the_refusal_tells_what_shares_a_site_and_what_goes_on(species, words):
    structure = one_site("O", species)
    assert is_disordered(structure)
    with pytest.raises(DisorderedCrystal) as refused:
        whole(structure)
    text = str(refused.value)
    assert f"of site 1 {words}" in text
    assert "--disorder majority or --disorder sample" in text
    assert "disorder='sample'" in text


def test_many_sites_are_told_in_short():
    sites = [{"Fe": 0.5 + n / 100} for n in range(6)]
    with pytest.raises(DisorderedCrystal, match="and 3 more kinds"):
        whole(Structure(Lattice.cubic(9.0), sites, [[n / 6, 0, 0] for n in range(6)]))


def test_what_is_no_element_is_refused_by_name():
    with pytest.raises(CrystalError, match="site 0 holds Qq, which is no element"):
        occupancies(one_site({"Fe": 0.5, DummySpecies("Qq"): 0.5}))


def test_an_empty_site_holds_nothing():
    (found,) = occupancies(one_site({DummySpecies("X"): 0.5}))
    assert found == Occupancy((), ())
    assert found.vacancy == 1.0


@pytest.mark.parametrize(
    ("amounts", "places", "text"),
    [
        ({3: 1.5, 27: 3, 8: 6}, [3, 3, 6], "Li0.5CoO2"),
        ({26: 3.688, 12: 0.312, 8: 4}, [4, 4], "Mg0.078Fe0.922O"),
        ({26: 0.5, 28: 0.5}, [1], "Fe0.5Ni0.5"),
        ({3: 11, 8: 1}, [11, 1], "Li11O"),
    ],
)
def test_formulas_hold_occupancies(amounts, places, text):
    assert formula(amounts, np.array(places)) == text
