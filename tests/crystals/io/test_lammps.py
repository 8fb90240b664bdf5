"""Data files and dumps of LAMMPS."""

import numpy as np
import pytest

from cgxas.crystals.io.read import read_crystal
from cgxas.errors import ReadingWarning, UnreadableCrystal

DATA = """\
LAMMPS data file via write_data, version 29 Aug 2024, units = metal

4 atoms
2 atom types

0.0 4.26 xlo xhi
0.0 4.26 ylo yhi
0.0 4.26 zlo zhi

Masses

1 58.933 {first}
2 15.999 {second}

Atoms # {style}

{atoms}

Velocities

1 0 0 0
2 0 0 0
3 0 0 0
4 0 0 0
"""
PLACES = [(0, 0, 0), (2.13, 2.13, 0), (2.13, 0, 0), (0, 2.13, 0)]
COLUMNS = {
    "atomic": "{n} {t} {x}",
    "charge": "{n} {t} {q} {x}",
    "molecular": "{n} 1 {t} {x}",
    "full": "{n} 1 {t} {q} {x}",
}


def data(style="atomic", shown=None, images="", first="", second="", order=(3, 0, 1, 2)) -> str:
    rows = []
    for n in order:
        place = " ".join(f"{value:.4f}" for value in PLACES[n])
        kind, charge = (1, 2.0) if n < 2 else (2, -2.0)
        rows.append(COLUMNS[style].format(n=n + 1, t=kind, q=charge, x=place) + images)
    shown = style if shown is None else shown
    text = DATA.format(style=shown, atoms="\n".join(rows), first=first, second=second)
    return text if shown else text.replace("Atoms # ", "Atoms")


@pytest.mark.parametrize("images", ["", " 0 0 0", " -1 0 2"])
@pytest.mark.parametrize("style", COLUMNS)
@pytest.mark.parametrize("is_shown", [True, False])
def test_styles(write, style, is_shown, images):
    text = data(style, None if is_shown else "", images)
    found = read_crystal(write(text, "data.lmp"))
    assert list(found.atomic_numbers) == [27, 27, 8, 8]  # by their ids
    np.testing.assert_allclose(found.cart_coords[1], PLACES[1])


@pytest.mark.parametrize("name", ["a.data", "a", "a.lmp", "data.CoO", "a.txt"])
def test_any_name(counted, name):
    assert counted(data(), name) == {"Co": 2, "O": 2}


@pytest.mark.parametrize(
    ("masses", "expected"),
    [
        ("1 1.0 # Ni\n2 1.0 # S", {"Ni": 2, "S": 2}),
        ("1 58.693\n2 32.06", {"Ni": 2, "S": 2}),
        ("1 63.546 # Cu\n2 78.971 # Se", {"Cu": 2, "Se": 2}),
        ("1 12.011 # CA\n2 15.9994 # OW", {"C": 2, "O": 2}),
        ("1 40.078 # Ca\n2 18.998403 # F-", {"Ca": 2, "F": 2}),
    ],
)
def test_masses_or_names(counted, masses, expected):
    assert counted(data().replace("1 58.933 \n2 15.999 ", masses)) == expected


def test_rounded_masses_are_told(write):
    text = data().replace("1 58.933 \n2 15.999 ", "1 56\n2 16")
    with pytest.warns(ReadingWarning, match="type 1 of mass 56 was taken for Fe"):
        found = read_crystal(write(text))
    assert found.composition.as_dict() == {"Fe": 2, "O": 2}


def test_labels_of_types(counted):
    masses = "Masses\n\n1 58.933 \n2 15.999 "
    labels = "Atom Type Labels\n\n1 Mn\n2 O"
    assert counted(data().replace(masses, labels)) == {"Mn": 2, "O": 2}


def test_tilted_box(write):
    text = data().replace("zlo zhi\n", "zlo zhi\n1.0 0.5 -0.25 xy xz yz\n")
    np.testing.assert_allclose(
        read_crystal(write(text)).lattice.matrix, [[4.26, 0, 0], [1, 4.26, 0], [0.5, -0.25, 4.26]]
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("1 58.933 \n2 15.999 ", "1 1.0\n2 1.0", "nothing names the element of type 1"),
        ("1 58.933 \n2 15.999 ", "1 300\n2 400", "mass 300.*no element"),
        ("Masses\n\n1 58.933 \n2 15.999 \n", "", "nothing names the element of type 1"),
        ("4 atoms", "5 atoms", "says 5 atoms and lists 4"),
        ("4 atoms", "999999999 atoms", "CGXAS_MAX_ATOMS"),
        ("units = metal", "units = lj", "units lj"),
        ("# atomic", "# hybrid", "style that is not read"),
        ("xlo xhi", "xlo", "xlo xhi is missing|not a readable"),
        ("3 2 2.1300", "3 2 x", "not a number|not a readable"),
    ],
)
def test_bad_data(write, old, new, message):
    assert old in data()
    with pytest.raises(UnreadableCrystal, match=message):
        read_crystal(write(data().replace(old, new, 1), "a.lmp"))


STEP = """\
ITEM: TIMESTEP
{step}
ITEM: NUMBER OF ATOMS
2
ITEM: BOX BOUNDS {flags}
1.0 {high}
1.0 {high}
1.0 {high}
ITEM: ATOMS {columns}
{atoms}
"""


def step(
    columns="id element xs ys zs",
    atoms="2 Cl .5 .5 .5\n1 Cs 0 0 0",
    flags="pp pp pp",
    high=5.12,
    n=0,
) -> str:
    return STEP.format(step=n, flags=flags, high=high, columns=columns, atoms=atoms)


@pytest.mark.parametrize(
    ("columns", "atoms"),
    [
        ("id element xs ys zs", "2 Cl .5 .5 .5\n1 Cs 0 0 0"),
        ("id type element x y z", "1 1 Cs 1 1 1\n2 2 Cl 3.06 3.06 3.06"),
        ("element xu yu zu vx", "Cs 1 1 1 0\nCl 3.06 3.06 3.06 0"),
        ("id mass x y z", "1 132.905 1 1 1\n2 35.45 3.06 3.06 3.06"),
    ],
)
def test_dumps(write, columns, atoms):
    found = read_crystal(write(step(columns, atoms)))
    assert list(found.atomic_numbers) == [55, 17]
    np.testing.assert_allclose(found.frac_coords % 1, [[0] * 3, [0.5] * 3], atol=1e-9)


def test_last_step_open_sides_and_missing_flags(write):
    with pytest.warns(ReadingWarning, match="last of its 2 time steps"):
        found = read_crystal(write(step() + step(high=6.0, n=10)))
    assert found.volume == pytest.approx(125)
    assert read_crystal(write(step(flags="pp pp ff"))).lattice.c == pytest.approx(2.06 + 16)
    with pytest.warns(ReadingWarning, match="which sides of the box"):
        assert read_crystal(write(step(flags=""))).volume == pytest.approx(4.12**3)


@pytest.mark.parametrize(
    ("columns", "atoms", "message"),
    [
        ("id type x y z", "1 1 0 0 0\n2 2 1 1 1", "nothing names their elements"),
        ("id element x y z", "1 T1 0 0 0\n2 Cl 1 1 1", "'T1'"),
        ("id element vx vy vz", "1 Cs 0 0 0\n2 Cl 1 1 1", "no columns x y z"),
        ("id element x y z", "1 Cs 0 0 0", "cut short"),
    ],
)
def test_bad_dumps(write, columns, atoms, message):
    with pytest.raises(UnreadableCrystal, match=message):
        read_crystal(write(step(columns, atoms)))
