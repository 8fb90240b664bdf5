"""Random supercells: their composition, their room, their seed."""

from collections import Counter

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from cgxas.crystals.disorder.order import Disorder, arrangements
from cgxas.crystals.disorder.partial import least_distances, partial_cell
from cgxas.crystals.disorder.sample import MAX_PLACES, MIN_WIDTH, TOLERANCE, draw, supercell
from cgxas.errors import ReadingWarning


def sample(structure: Structure, n: int = 5, seed: int = 0) -> list[Structure]:
    with pytest.warns(ReadingWarning):
        found = arrangements(structure, Disorder("sample", n, seed), 0.01)
    return [each.structure for each in found.members]


def test_each_member_has_the_composition_within_the_tolerance(crystal):
    cell = partial_cell(crystal, 0.01)
    big = supercell(cell)
    assert big.error <= TOLERANCE
    assert len(big.place) <= MAX_PLACES
    n_cells = len(big.place) // len(cell)
    for n in range(3):
        numbers = draw(cell, big, (0, n))
        for kind, held in enumerate(cell.kinds):
            there = numbers[cell.kind_of_place[big.place] == kind]
            for z, share in zip(held.elements, held.shares, strict=True):
                assert np.mean(there == z) == pytest.approx(share, abs=TOLERANCE + 1e-9)
        total = sum(np.count_nonzero(numbers == z) / n_cells for z in cell.amounts)
        assert total == pytest.approx(sum(cell.amounts.values()), abs=0.06 * len(cell))


def test_a_supercell_is_wide_and_holds_several_atoms_of_each_element(crystal):
    cell = partial_cell(crystal, 0.01)
    big = supercell(cell)
    faces = 1 / np.linalg.norm(np.linalg.inv(big.lattice), axis=0)
    assert faces.min() >= MIN_WIDTH
    atoms = Counter(draw(cell, big, (0, 0)).tolist())
    assert min(atoms[z] for z in cell.amounts) >= 3


def test_no_two_atoms_are_nearer_than_they_can_be(disordered):
    for name in ("ice", "split"):
        for member in sample(disordered[name], 3):
            numbers = np.array([site.specie.Z for site in member])
            least = least_distances()[np.ix_(numbers, numbers)]
            np.fill_diagonal(least, 0.0)
            assert (member.distance_matrix >= least - 1e-6).all()
            assert len(member) == len(sample(disordered[name], 1)[0])


def test_the_same_seed_gives_the_same_sample_and_another_another(disordered):
    one, same, other = (sample(disordered["alloy"], 2, seed) for seed in (7, 7, 8))
    assert one == same
    assert one[0] != one[1]
    assert one != other


def test_a_longer_sample_goes_on_where_the_shorter_ended(disordered):
    assert sample(disordered["alloy"], 5)[:2] == sample(disordered["alloy"], 2)


def test_every_place_is_filled_as_often_as_it_should_be(disordered):
    """Over many draws each place of a kind has the stated share, none is favoured."""
    cell = partial_cell(disordered["magnesiowustite"], 0.01)
    big = supercell(cell)
    drawn = np.array([draw(cell, big, (0, n)) for n in range(60)])
    metal = cell.kind_of_place[big.place] != cell.kind_of_place[big.place[drawn[0] == 8][0]]
    counts = (drawn[:, metal] != 12).sum(axis=0)
    mean = counts.mean()
    # Poisson: the spread of the counts is the root of their mean
    assert counts.var() == pytest.approx(mean, rel=0.6)


def test_rounding_is_told():
    """A supercell of 400 places cannot hold 0.5 and 0.33 of one place each."""
    n = 210
    frac = np.random.default_rng(0).uniform(size=(n, 3))
    species = ["O"] * (n - 1) + [{"Fe": 0.37}]
    with pytest.warns(ReadingWarning, match=r"occupancies are rounded by up to 0\.37"):
        arrangements(
            Structure(Lattice.cubic(40.0), species, frac), Disorder("sample", 1), 0.01, "a.cif"
        )
