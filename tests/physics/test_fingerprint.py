"""Chemistry and lengths of sites, told apart."""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from cgxas.crystals.canonical import Cell
from cgxas.elements import SYMBOLS
from cgxas.physics.fingerprint import CHEMISTRY_SIZE, Fingerprints, fingerprints, joined


def cell_of(structure: Structure, scale: float = 1.0) -> Cell:
    numbers = np.array([site.specie.Z for site in structure])
    lattice = np.array(structure.lattice.matrix) * scale
    return Cell(lattice, np.array(structure.frac_coords), numbers)


def salt(metal: str = "Fe", other: str = "O", a: float = 4.3) -> Structure:
    places = [[0, 0, 0], [0.5, 0.5, 0.5]]
    return Structure.from_spacegroup("Fm-3m", Lattice.cubic(a), [metal, other], places)


def prints(structure: Structure, symbol: str, scale: float = 1.0) -> Fingerprints:
    cell = cell_of(structure, scale)
    return fingerprints(cell, np.flatnonzero(cell.numbers == SYMBOLS.index(symbol) + 1))


def test_a_stretched_lattice_has_the_same_chemistry_and_weaker_bonds():
    here, there = prints(salt(), "Fe"), prints(salt(), "Fe", 1.12)
    np.testing.assert_allclose(there.chemistry, here.chemistry, rtol=0, atol=2e-3)
    np.testing.assert_allclose(there.coordination, here.coordination, rtol=0, atol=1e-2)
    # The bonds of 2.15 A weaken by exp(-0.12 * 2.15 / 0.37), those to the metals beyond by more.
    weaker = here.strength - there.strength
    np.testing.assert_allclose(weaker, 0.12 * 2.15 / 0.37, rtol=0.25)


@pytest.mark.parametrize(
    ("structure", "symbol", "count"),
    [
        (salt(), "Fe", 6.7),
        (Structure(Lattice.cubic(2.87), ["Fe"] * 2, [[0, 0, 0], [0.5, 0.5, 0.5]]), "Fe", 8.9),
        (
            Structure.from_spacegroup(
                "F-43m", Lattice.cubic(5.41), ["Zn", "S"], [[0, 0, 0], [0.25, 0.25, 0.25]]
            ),
            "S",
            4.0,
        ),
    ],
)
def test_the_first_shell_is_counted(structure, symbol, count):
    np.testing.assert_allclose(prints(structure, symbol).coordination, count, atol=0.35)


def test_elements_of_shell_and_crystal_are_told():
    perovskite = Structure.from_spacegroup(
        "Pm-3m", Lattice.cubic(4.0), ["Ba", "Ti", "O"], [[0, 0, 0], [0.5] * 3, [0.5, 0.5, 0]]
    )
    found = prints(perovskite, "Ti")
    names = {SYMBOLS[z] for z in np.flatnonzero(found.present[0])}
    assert names == {"O", "Ti", "Ba"}
    assert [SYMBOLS[z] for z in np.flatnonzero(found.bonded[0])] == ["O"]


def test_an_atom_alone_has_no_coordination():
    lonely = Structure(Lattice.cubic(15.0), ["Fe"], [[0, 0, 0]])
    found = prints(lonely, "Fe")
    assert found.coordination == [0.0]
    assert np.isfinite(found.chemistry).all()
    assert np.isfinite(found.strength).all()
    assert not found.bonded.any()


def test_they_depend_on_neither_cell_nor_order_nor_orientation():
    crystal = salt("Zn", "S")
    larger = crystal.copy().make_supercell([[1, 1, 0], [0, 1, 1], [1, 0, 1]])
    turn, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))
    order = np.random.default_rng(1).permutation(len(larger))
    other = Structure(
        larger.lattice.matrix @ turn.T,
        [larger[int(n)].specie for n in order],
        [larger[int(n)].frac_coords for n in order],
    )
    here, there = prints(crystal, "S"), prints(other, "S")
    for name in ("around", "chemistry", "coordination", "strength"):
        first = getattr(there, name)[0]
        np.testing.assert_allclose(getattr(here, name)[0], first, rtol=0, atol=1e-7)


def test_several_are_joined_and_taken():
    one, other = prints(salt(), "Fe"), prints(salt("Ni"), "Ni")
    both = joined([one, other])
    assert len(both) == len(one) + len(other) == 8
    assert both.chemistry.shape == (8, CHEMISTRY_SIZE)
    nickel = both.take(both.element == 28)
    np.testing.assert_array_equal(nickel.around, other.around)
