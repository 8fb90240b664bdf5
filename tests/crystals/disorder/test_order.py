"""The wish, and what does not change what is made of a crystal."""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure
from pymatgen.core.operations import SymmOp

from cgxas.crystals.canonical import Cell, canonical_cell
from cgxas.crystals.disorder.order import Disorder, arrangements
from cgxas.errors import ConfigError, DisorderedCrystal, ReadingWarning


def test_words_are_understood():
    assert Disorder.of("refuse") == Disorder()
    assert Disorder.of("majority").how == "majority"
    assert Disorder.of("sample", 3) == Disorder("sample", 5, 3)
    assert Disorder.of("sample:100") == Disorder("sample", 100)
    assert Disorder.of(Disorder("sample", 2, 9), 3) == Disorder("sample", 2, 9)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("often", "refuse, majority, sample or sample:N, not 'often'"),
        ("", "refuse, majority"),
        ("majority:2", "refuse, majority"),
        ("sample:0", "1 to 100, not 0"),
        ("sample:101", "1 to 100, not 101"),
        ("sample:1e9", "whole number of 1 to 100"),
        ("sample:-1", "whole number of 1 to 100"),
        ("sample:", "whole number of 1 to 100"),
        ("sample:2.5", "whole number of 1 to 100"),
        ("sample:" + "9" * 5000, "whole number of 1 to 100"),
        (3, "refuse, majority"),
        (None, "refuse, majority"),
    ],
)
def test_other_words_are_refused(words, reason):
    with pytest.raises(ConfigError, match=reason):
        Disorder.of(words)


@pytest.mark.parametrize("settings", [{"how": "x"}, {"samples": 0}, {"seed": -1}, {"seed": 0.5}])
def test_impossible_settings_are_refused(settings):
    with pytest.raises(ConfigError):
        Disorder(**settings)


def test_disorder_is_refused_by_default(crystal):
    with pytest.raises(DisorderedCrystal, match="--disorder"):
        arrangements(crystal, Disorder(), 0.01)


def described_otherwise(structure: Structure) -> Structure:
    """The same crystal: rotated, moved, shuffled, in a supercell with a skew basis."""
    other = structure.copy()
    other.make_supercell([[1, 1, 0], [0, 1, 0], [0, 0, 2]])
    other.translate_sites(range(len(other)), [0.21, 0.37, 0.13])
    other.apply_operation(SymmOp.from_axis_angle_and_translation([1, 2, 3], 40))
    order = np.random.default_rng(5).permutation(len(other))
    return Structure.from_sites([other[int(n)] for n in order])


@pytest.mark.parametrize("how", ["majority", "sample:2"])
def test_the_description_of_a_crystal_does_not_matter(crystal, how):
    """All pairs of atoms are as far apart, element by element."""
    found = []
    for each in (crystal, described_otherwise(crystal)):
        with pytest.warns(ReadingWarning):
            found.append(arrangements(each, Disorder.of(how), 0.01))
    one, other = found
    assert one.formula == other.formula
    for first, second in zip(one.members, other.members, strict=True):
        assert first.structure.composition == second.structure.composition
        np.testing.assert_allclose(_pairs(first.structure), _pairs(second.structure), atol=1e-3)


def _pairs(structure: Structure) -> np.ndarray:
    numbers = np.array([site.specie.Z for site in structure])
    weight = 100.0 * np.add.outer(numbers, numbers)
    return np.sort((structure.distance_matrix + weight).ravel())


def test_orbits_lead_back_to_the_callers_sites(disordered):
    structure = disordered["NMC811"]
    with pytest.warns(ReadingWarning):
        found = arrangements(structure, Disorder("sample", 1), 0.01)
    (member,) = found.members
    for site, orbit in zip(structure, found.orbit_of_site, strict=True):
        stands = {
            each.specie.symbol
            for each, o in zip(member.structure, member.orbit_of_atom, strict=True)
            if o == orbit
        }
        assert stands == {species.symbol for species in site.species}
    assert found.places.sum() == len(member.structure)


def test_the_majority_is_symmetric_where_all_sites_are_alike(disordered):
    """The supercell of a crystal with one element at each place is the crystal itself."""
    with pytest.warns(ReadingWarning):
        (member,) = arrangements(disordered["perovskite"], Disorder("majority"), 0.01).members
    structure = member.structure
    cell = Cell(
        np.array(structure.lattice.matrix),
        np.array(structure.frac_coords),
        np.array([site.specie.Z for site in structure]),
    )
    assert len(canonical_cell(cell, 0.01).cell.numbers) == 5
    assert structure.lattice.abc == pytest.approx(Lattice.cubic(3.9).abc)
