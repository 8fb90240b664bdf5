"""POSCAR and CONTCAR of all versions of VASP."""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from cgxas.crystals.io.read import read_crystal
from cgxas.errors import CrystalError, InvalidCell, ReadingWarning, UnreadableCrystal


def poscar(
    title="x", scale="1.0", symbols="Cs Cl\n", counts="1 1", mode="Direct", atoms="", edge="4.12"
) -> str:
    atoms = atoms or "0 0 0\n0.5 0.5 0.5\n"
    cell = f"{edge} 0 0\n0 {edge} 0\n0 0 {edge}\n"
    return f"{title}\n{scale}\n{cell}{symbols}{counts}\n{mode}\n{atoms}"


@pytest.mark.parametrize("name", ["POSCAR", "CONTCAR", "a.vasp", "a", "a.txt", "a.xyz", "a.cif"])
def test_any_name(counted, name):
    assert counted(poscar(), name) == {"Cs": 1, "Cl": 1}


@pytest.mark.parametrize(
    ("symbols", "expected"),
    [
        ("Fe_pv O_s\n", {"Fe": 1, "O": 1}),
        ("Mg/f474ac0d Si/79d9987ad87\n", {"Mg": 1, "Si": 1}),
        ("Mg_pv/f474ac0d O/79d9987ad87\n", {"Mg": 1, "O": 1}),
        ("Fe3+ Se2-\n", {"Fe": 1, "Se": 1}),
        ("NI O\n", {"Ni": 1, "O": 1}),
        ("Li_sv_GW H.5\n", {"Li": 1, "H": 1}),
    ],
)
def test_symbols_of_vasp(counted, symbols, expected):
    assert counted(poscar(symbols=symbols)) == expected


@pytest.mark.parametrize(
    ("title", "counts", "atoms", "expected"),
    [
        ("Ni Al", "1 1", "", {"Ni": 1, "Al": 1}),
        ("NiAl", "1 1", "", {"Ni": 1, "Al": 1}),
        ("Cu2O", "4 2", "0 0 0\n" * 0 + "".join(f"0 0 0.{n}\n" for n in range(6)), None),
        ("Ti O2", "1 2", "0 0 0\n.3 .3 0\n.7 .7 0\n", {"Ti": 1, "O": 2}),
        ("SrTiO3", "1 1 3", "0 0 0\n.5 .5 .5\n.5 .5 0\n.5 0 .5\n0 .5 .5\n", None),
    ],
)
def test_vasp_4_with_elements_in_line_1(write, title, counts, atoms, expected):
    text = poscar(title=title, symbols="", counts=counts, atoms=atoms)
    with pytest.warns(ReadingWarning, match="taken from line 1"):
        found = read_crystal(write(text))
    if expected:
        assert found.composition.as_dict() == expected
    assert (
        found.composition.reduced_formula
        == Structure(
            Lattice.cubic(4), list(found.species), found.frac_coords
        ).composition.reduced_formula
    )
    assert "He" not in found.symbol_set


@pytest.mark.parametrize(
    ("title", "counts"),
    [
        ("test", "1 1"),
        ("Co Ti O", "1 1"),
        ("CoTi2", "1 1"),
        ("unknown system 7", "1 1"),
        ("", "1 1"),
        ("2 phases", "1 1"),
        ("POSCAR of H2O", "1 1"),
    ],
)
def test_vasp_4_without_elements_is_refused(write, title, counts):
    with pytest.raises(UnreadableCrystal, match=r"no element symbols, as VASP 4 .* 2 symbols"):
        read_crystal(write(poscar(title=title, symbols="", counts=counts)))


def test_symbols_behind_the_coordinates(counted):
    atoms = "0 0 0 Ga\n0.5 0.5 0.5 As\n"
    assert counted(poscar(symbols="", atoms=atoms)) == {"Ga": 1, "As": 1}
    moving = "0 0 0 T F F Ga\n0.5 0.5 0.5 F F F F\n"
    text = poscar(symbols="", mode="Selective dynamics\nDirect", atoms=moving)
    assert counted(text) == {"Ga": 1, "F": 1}


def test_flags_are_no_fluorine(write):
    moving = "0 0 0 F F F\n0.5 0.5 0.5 F F F\n"
    text = poscar(symbols="", mode="Selective dynamics\nDirect", atoms=moving)
    with pytest.raises(UnreadableCrystal, match="no element symbols"):
        read_crystal(write(text))


@pytest.mark.parametrize("mode", ["Cartesian", "cart", "K", "c"])
@pytest.mark.parametrize(
    ("scale", "edge", "place"), [("2.0", "2.06", "1.03"), ("-69.934528", "1", ".5")]
)
def test_scaled_cartesian_coordinates(write, mode, scale, edge, place):
    text = poscar(scale=scale, edge=edge, mode=mode, atoms=f"0 0 0\n{place} {place} {place}\n")
    found = read_crystal(write(text))
    assert found.volume == pytest.approx(4.12**3)
    np.testing.assert_allclose(found.frac_coords[1], 0.5)


def test_three_factors_and_symbols_over_several_lines(write, counted):
    found = read_crystal(write(poscar(scale="1 2 3", edge="2")))
    assert found.lattice.abc == pytest.approx((2, 4, 6))
    text = poscar(
        symbols="Fe Cr\nFe Ni\n", counts="1 1\n1 1", atoms="0 0 0\n.5 .5 0\n.5 0 .5\n0 .5 .5\n"
    )
    assert counted(text) == {"Fe": 2, "Cr": 1, "Ni": 1}


def test_velocities_and_grids_behind_the_atoms_are_left_alone(counted):
    assert counted(poscar() + "\n0 0 0\n0 0 0\n") == {"Cs": 1, "Cl": 1}
    assert counted(poscar() + "\n2 2 2\n1 2 3 4 5\n6 7 8\n", "CHGCAR") == {"Cs": 1, "Cl": 1}


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"symbols": "T1 O\n"}, CrystalError, "'T1'"),
        ({"symbols": "Va O\n"}, CrystalError, "'Va'"),
        ({"symbols": "Cs Cl O\n"}, UnreadableCrystal, "3 symbols and 2 counts"),
        ({"counts": "1 2"}, UnreadableCrystal, "says 3 atoms and lists 2"),
        ({"counts": "1 999999999"}, UnreadableCrystal, "CGXAS_MAX_ATOMS"),
        ({"mode": ""}, UnreadableCrystal, "Direct or Cartesian"),
        ({"scale": "0"}, InvalidCell, "factors"),
        ({"scale": "1 2"}, InvalidCell, "factors"),
        ({"scale": "-3", "edge": "0"}, InvalidCell, "no volume"),
        ({"edge": "0"}, InvalidCell, "volume"),
        ({"edge": "5000"}, InvalidCell, "CGXAS_MAX_CELL_EDGE"),
        ({"atoms": "0 0 0\n0.5 0.5 x\n"}, UnreadableCrystal, "is not a number"),
        ({"atoms": "0 0 0\n0.5 0.5\n"}, UnreadableCrystal, "POSCAR"),
    ],
)
def test_bad_files(write, change, error, message):
    with pytest.raises(error, match=message):
        read_crystal(write(poscar(**change), "POSCAR"))
