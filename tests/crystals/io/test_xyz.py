"""XYZ and extended XYZ."""

import numpy as np
import pytest

from cgxas.crystals.io.read import read_crystal
from cgxas.errors import CrystalError, ReadingWarning, UnreadableCrystal

LATTICE = 'Lattice="4.2 0 0 0 4.2 0 0 0 4.2"'
HEADER = f"{LATTICE} Properties=species:S:1:pos:R:3"
CSCL = f"2\n{HEADER}\nCs 0 0 0\nCl 2.1 2.1 2.1\n"
PEROVSKITE = f"""5
Properties=id:I:1:species:S:1:pos:R:3:forces:R:3 {LATTICE} energy=-3.2 note="a b" pbc="T T T"
1 Sr 0 0 0 0 0 0
2 Ti 2.1 2.1 2.1 0 0 0
3 O  2.1 2.1 0 0 0 0
4 O  2.1 0 2.1 0 0 0
5 O  0 2.1 2.1 0 0 0
"""
BY_NUMBER = f"2\n{LATTICE} Properties=Z:I:1:pos:R:3\n12 0 0 0\n8 2.1 2.1 2.1\n"
UPPER = CSCL.replace("Cs ", "CS ").replace("Cl ", "CL ")
LOWER_KEY = CSCL.replace("Lattice", "lattice")
NO_PROPERTIES = CSCL.replace(" Properties=species:S:1:pos:R:3", "")
WITH_CHARGES = CSCL.replace("Cs ", "Cs+ ").replace("Cl ", "Cl1- ")
FORTRAN = CSCL.replace("2.1 2.1 2.1", "2.1D+00 2.1d0 0.21E1")


@pytest.mark.parametrize("name", ["a.xyz", "a.extxyz", "a", "a.txt", "a.dat", "POSCAR"])
def test_a_lattice_makes_a_crystal_whatever_the_name(counted, name):
    assert counted(CSCL, name) == {"Cs": 1, "Cl": 1}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (PEROVSKITE, {"Sr": 1, "Ti": 1, "O": 3}),
        (BY_NUMBER, {"Mg": 1, "O": 1}),
        (UPPER, {"Cs": 1, "Cl": 1}),
        (LOWER_KEY, {"Cs": 1, "Cl": 1}),
        (NO_PROPERTIES, {"Cs": 1, "Cl": 1}),
        (WITH_CHARGES, {"Cs": 1, "Cl": 1}),
        (FORTRAN, {"Cs": 1, "Cl": 1}),
        (CSCL.replace("\n", "\r\n"), {"Cs": 1, "Cl": 1}),
    ],
)
def test_crystals(write, counted, text, expected):
    assert counted(text) == expected
    assert read_crystal(write(text)).volume == pytest.approx(4.2**3)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2\n\nC 0 0 0\nO 1.13 0 0\n", {"C": 1, "O": 1}),
        ("3\nwater\nO 0 0 0\nH 0.96 0 0\nH -0.24 0.93 0\n", {"O": 1, "H": 2}),
        ("2\nby number\n28 0 0 0\n8 0 0 1.6\n", {"Ni": 1, "O": 1}),
        ("2\nwith charges\nNa 0 0 0 0.9\nCl 0 0 2.36 -0.9\n", {"Na": 1, "Cl": 1}),
        ("1\nan energy = 3\nFe 0 0 0\n", {"Fe": 1}),
    ],
)
def test_molecules(write, counted, text, expected):
    assert counted(text, "a.xyz") == expected
    assert read_crystal(write(text)).properties["boxed"] is True


def test_last_frame_is_taken_and_told(write):
    later = CSCL.replace("4.2 ", "4.4 ").replace('4.2"', '4.4"')
    with pytest.warns(ReadingWarning, match="the last of its 2 frames"):
        found = read_crystal(write(CSCL + later, "a.xyz"))
    assert found.volume == pytest.approx(4.4**3)


def test_open_sides(write):
    slab = CSCL.replace("Properties", 'pbc="T T F" Properties')
    found = read_crystal(write(slab))
    assert found.lattice.abc == pytest.approx((4.2, 4.2, 2.1 + 16))
    alone = CSCL.replace("Properties", 'pbc="F F F" Properties')
    with pytest.warns(ReadingWarning, match="periodic along none"):
        assert read_crystal(write(alone)).properties["boxed"] is True


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Cs 0", "T1 0", "'T1'"),
        ("Cs 0", "H2O 0", "'H2O'"),
        ("Cs 0", "Va 0", "'Va'"),
        ("Cs 0", "Uue 0", "'Uue'"),
        ("Cs 0", "Mn,Fe 0", "'Mn,Fe'"),
        ("Cs 0", "0 0", "'0' is not the atomic number"),
        ("Cs 0", "126 0", "'126' is not the atomic number"),
        ("Cs 0 0 0", "Cs 0 0", "is not an atom"),
        ("Cs 0 0 0", "Cs 0 0 x", "is not an atom"),
        ("Cs 0 0 0", "Cs 0 0 1_0", "is not an atom"),
        ("Cs 0 0 0", "Cs 0 0 1e400", "finite"),
        ("2\n", "3\n", "says 3 atoms and lists 2"),
        ("4.2 0 0 0", "4.2 0 0", "not that of an extended XYZ"),
        ("Properties=species:S:1", "Properties=name:S:1", "names no element"),
        (LATTICE, f'{LATTICE} pbc="T T"', "pbc must be"),
    ],
)
def test_bad_files(write, old, new, message):
    assert old in CSCL
    with pytest.raises(CrystalError, match=message):
        read_crystal(write(CSCL.replace(old, new, 1), "a.xyz"))


def test_vectors_below_the_atoms_are_not_lost(write):
    with pytest.raises(UnreadableCrystal, match="lattice vectors below"):
        read_crystal(write("1\n\nFe 0 0 0\nVEC1 3 0 0\nVEC2 0 3 0\nVEC3 0 0 3\n", "a.xyz"))


def test_order_of_atoms_is_kept(write):
    found = read_crystal(write(PEROVSKITE))
    assert list(found.atomic_numbers) == [38, 22, 8, 8, 8]
    np.testing.assert_allclose(found.cart_coords[1], [2.1, 2.1, 2.1])
