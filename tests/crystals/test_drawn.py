import numpy as np
from pymatgen.core import Lattice, Structure

from cgxas.crystals.drawn import MOST_ATOMS, drawn

CUBE = Lattice.cubic(4.2)


def rock_salt() -> Structure:
    return Structure.from_spacegroup("Fm-3m", CUBE, ["Mg", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]])


def test_faces_carry_copies_of_their_atoms():
    """Of rock salt a picture shows 14 of one kind and 13 of the other."""
    found = drawn(rock_salt())
    assert sorted(found.symbols.count(each) for each in ("Mg", "O")) == [13, 14]
    assert {found.symbols[n] for n, site in enumerate(found.sites) if site < 4} == {"Mg"}


def test_bonds_are_those_between_neighbours():
    found = drawn(rock_salt())
    lengths = [np.linalg.norm(found.positions[a] - found.positions[b]) for a, b in found.bonds]
    np.testing.assert_allclose(lengths, 2.1)
    assert len(found.bonds) == 54  # all edges of a 3 x 3 x 3 lattice of points


def test_metals_are_bonded_where_nothing_else_is():
    iron = Structure(Lattice.cubic(2.87), ["Fe", "Fe"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    assert len(drawn(iron).bonds) >= 8


def test_huge_crystals_are_not_drawn():
    points = np.random.default_rng(64).random((MOST_ATOMS + 1, 3))
    assert drawn(Structure(Lattice.cubic(99), ["Fe"] * len(points), points)) is None
