"""The majority of each site, and of places that exclude each other."""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from cgxas.crystals.disorder.order import Disorder, arrangements
from cgxas.errors import CrystalError, ReadingWarning

MAJORITY = Disorder("majority")


def majority_of(structure: Structure) -> tuple[Structure, str]:
    with pytest.warns(ReadingWarning) as told:
        found = arrangements(structure, MAJORITY, 0.01, "a.cif")
    (member,) = found.members
    assert found.told == "majority"
    (text,) = [str(each.message) for each in told if each.category is ReadingWarning]
    return member.structure, text


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("Li0.5CoO2", "LiCoO2"),
        ("NMC811", "LiNiO2"),
        ("magnesiowustite", "MgO"),
        ("alloy", "Fe"),
        ("perovskite", "SrFeO3"),
        ("ice", "H2O"),
        ("split", "FeS"),
    ],
)
def test_each_site_takes_its_most_abundant_species(disordered, name, formula):
    found, told = majority_of(disordered[name])
    assert found.composition.reduced_formula == formula
    assert "a.cif is disordered and was answered by the majority of each site" in told


def test_the_composition_is_told_against_the_file(disordered):
    _, told = majority_of(disordered["NMC811"])
    assert told.endswith("LiNiO2 for LiMn0.1Co0.1Ni0.8O2")


def test_ties_are_named(disordered):
    assert "by atomic number: Fe of Fe and Ni" in majority_of(disordered["alloy"])[1]
    assert "Li of Li and a vacancy" in majority_of(disordered["Li0.5CoO2"])[1]


def test_less_than_half_is_empty(disordered):
    structure = disordered["Li0.5CoO2"]
    structure.replace_species({"Li": {"Li": 0.49 / 0.5}})
    found, _ = majority_of(structure)
    assert found.composition.reduced_formula == "CoO2"


def test_of_two_places_too_near_the_fuller_is_filled(disordered):
    found, _ = majority_of(disordered["split"])
    sulfur = next(site for site in found if site.specie.symbol == "S")
    iron = next(site for site in found if site.specie.symbol == "Fe")
    # the middle of the cell: 0.5, 0.5, 0.5 from iron
    assert sulfur.distance(iron) == pytest.approx(np.sqrt(2 * 2.0**2 + 2.5**2), abs=1e-6)


def test_places_that_are_full_only_together_are_filled_once():
    """Four places of a quarter each, 0.7 A apart, hold one atom."""
    frac = [
        [0, 0, 0],
        *([0.5 + x, 0.5 + y, 0.5] for x, y in [(0.1, 0), (-0.1, 0), (0, 0.1), (0, -0.1)]),
    ]
    quarter = Structure(Lattice.cubic(5.0), ["Fe", *[{"O": 0.25}] * 4], frac)
    assert majority_of(quarter)[0].composition.reduced_formula == "FeO"


def test_a_crystal_of_which_nothing_is_left_is_refused():
    with pytest.raises(CrystalError, match=r"the majority of every site of Fe0\.3 is empty"):
        arrangements(Structure(Lattice.cubic(3.0), [{"Fe": 0.3}], [[0, 0, 0]]), MAJORITY, 0.01)
