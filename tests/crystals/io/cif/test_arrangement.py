"""Cells of known compounds, written in the ways that leave their symmetry to be found out."""

import warnings
from collections.abc import Sequence

import pytest

from cgxas.crystals.io.cif.read import crystal_of
from cgxas.errors import (
    CrystalError,
    InvalidCell,
    OverlappingAtoms,
    ReadingWarning,
    UnreadableCrystal,
)

TAGS = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")


def cubic(a: float) -> tuple[float, ...]:
    return (a, a, a, 90, 90, 90)


def tetragonal(a: float, c: float) -> tuple[float, ...]:
    return (a, a, c, 90, 90, 90)


def hexagonal(a: float, c: float) -> tuple[float, ...]:
    return (a, a, c, 90, 90, 120)


def rhombohedral(a: float, alpha: float) -> tuple[float, ...]:
    return (a, a, a, alpha, alpha, alpha)


def cif(
    cell: Sequence[float],
    atoms: str,
    symbol: str = "",
    number: int = 0,
    *,
    formula: str = "",
    units: float = 0,
    operations: Sequence[str] = (),
    more: str = "",
    columns: str = "",
) -> str:
    """Return a CIF; atoms as `Ti1 0 0 0; O1 .3 .3 0`, their element before the number."""
    lines = ["data_test", *(f"_cell_{tag} {x}" for tag, x in zip(TAGS, cell, strict=True)), more]
    lines += [f"_symmetry_space_group_name_H-M '{symbol}'"] if symbol else []
    lines += [f"_symmetry_Int_Tables_number {number}"] if number else []
    lines += [f"_chemical_formula_sum '{formula}'"] if formula else []
    lines += [f"_cell_formula_units_Z {units}"] if units else []
    if operations:
        lines += ["loop_", "_symmetry_equiv_pos_as_xyz", *(f"'{each}'" for each in operations)]
    lines += ["loop_", "_atom_site_label", "_atom_site_type_symbol"]
    lines += [f"_atom_site_{name}" for name in ("fract_x", "fract_y", "fract_z", *columns.split())]
    for atom in atoms.split(";"):
        label, *rest = atom.split()
        lines.append(" ".join([label, label.rstrip("0123456789"), *rest]))
    return "\n".join(lines) + "\n"


def counts(text: str) -> dict[str, float]:
    """Return the atoms of the cell, whatever is warned of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ReadingWarning)
        return {
            str(element): pytest.approx(count, abs=1e-3)
            for element, count in crystal_of(text, "a.cif").composition.items()
        }


ROCK_SALT = "Na1 0 0 0; Cl1 .5 .5 .5"
ALL_ROCK_SALT = (
    "Na1 0 0 0; Na2 .5 .5 0; Na3 .5 0 .5; Na4 0 .5 .5; "
    "Cl1 .5 .5 .5; Cl2 0 0 .5; Cl3 0 .5 0; Cl4 .5 0 0"
)
ALL_RUTILE = (
    "Ti1 0 0 0; Ti2 .5 .5 .5; O1 .305 .305 0; O2 .695 .695 0; O3 .195 .805 .5; O4 .805 .195 .5"
)
ANATASE_1, ANATASE_2 = "Ti1 0 0 0; O1 0 0 .2081", "Ti1 0 .75 .125; O1 0 .75 .3336"
SPINEL_1 = "Mg1 0 0 0; Al1 .625 .625 .625; O1 .3874 .3874 .3874"
SPINEL_2 = "Mg1 .125 .125 .125; Al1 .5 .5 .5; O1 .2624 .2624 .2624"
ANATASE, SPINEL = tetragonal(3.785, 9.514), cubic(8.0806)
CORUNDUM_R = "Al1 .3522 .3522 .3522; O1 .5563 -.0563 .25"
LANTHANUM_MANGANITE = "La1 -.0063 .0435 .25; Mn1 .5 0 0; O1 .0733 .4893 .25; O2 .7257 .3014 .0385"
TENORITE = (4.6837, 3.4226, 5.1288, 90, 99.54, 90)


@pytest.mark.parametrize(
    ("text", "atoms"),
    [
        # Rhombohedral axes.
        (cif(rhombohedral(5.1284, 55.28), CORUNDUM_R, "R -3 c", 167), {"Al": 4, "O": 6}),
        (cif(rhombohedral(5.1284, 55.28), CORUNDUM_R, "R -3 c :H"), {"Al": 4, "O": 6}),
        (cif(rhombohedral(10.473, 24.17), "Bi1 .4 .4 .4; Te1 0 0 0; Te2 .788 .788 .788",
             "R -3 m :R"), {"Bi": 2, "Te": 3}),
        (cif(rhombohedral(4.131, 54.13), "As1 .227 .227 .227", "R -3 m R"), {"As": 2}),
        (cif(rhombohedral(4.131, 54.13), "As1 .227 .227 .227", "", 166), {"As": 2}),
        (cif(rhombohedral(5.4944, 55.87), "Nb1 0 0 0; Li1 .2787 .2787 .2787; "
             "O1 .1139 .3601 -.2799", "R 3 c", 161), {"Li": 2, "Nb": 2, "O": 6}),
        (cif(hexagonal(4.7589, 12.9919), "Al1 0 0 .3522; O1 .3063 0 .25", "R -3 c H"),
         {"Al": 12, "O": 18}),
        (cif(hexagonal(4.7589, 12.9919), "Al1 0 0 .3522; O1 .3063 0 .25", "R-3c:h"),
         {"Al": 12, "O": 18}),
        # Two origins, stated in all ways or not at all.
        *((cif(ANATASE, ANATASE_1, name), {"Ti": 4, "O": 8})
          for name in ("I 41/a m d :1", "I41/amd S", "I 41/a m d", "I4(1)/amd")),
        *((cif(ANATASE, ANATASE_2, name), {"Ti": 4, "O": 8})
          for name in ("I 41/a m d :2", "I41/amdZ", "I4_1/amd (origin choice 2)", "I 41/a m d")),
        *((cif(SPINEL, SPINEL_1, name), {"Mg": 8, "Al": 16, "O": 32})
          for name in ("F d -3 m S", "Fd-3m:1", "Fd3m", "F d -3 m")),
        *((cif(SPINEL, SPINEL_2, name), {"Mg": 8, "Al": 16, "O": 32})
          for name in ("F d -3 m Z", "Fd-3m:2", "F 41/d -3 2/m :2")),
        (cif(tetragonal(3.976, 5.023), "Pb1 .25 .25 .234; O1 .75 .25 0", "P4/nmmZ"),
         {"Pb": 2, "O": 2}),
        (cif(tetragonal(3.976, 5.023), "Pb1 0 .5 .234; O1 0 0 0", "P 4/n m m", 129,
             formula="O Pb", units=2), {"Pb": 2, "O": 2}),
        (cif(cubic(3.567), "C1 0 0 0", "F d -3 m", 227, formula="C", units=8), {"C": 8}),
        (cif(cubic(5.431), "Si1 0 0 0",
             more="_space_group_name_Hall 'F 4d 2 3 -1d'"), {"Si": 8}),
        # Other axes and cells.
        *((cif(TENORITE, "Cu1 .25 .25 0; O1 0 .4184 .25", name), {"Cu": 4, "O": 4})
          for name in ("C 2/c", "C2/c", "C 1 2/c 1", "C 1 2/c 1 :b1")),
        (cif((5.355, 5.401, 13.149, 90, 90, 90), "La1 0 -.0067 .3616; Cu1 0 0 0; "
             "O1 .25 .25 -.0079; O2 0 .0328 .1837", "B m a b"), {"La": 8, "Cu": 4, "O": 16}),
        *((cif((5.5367, 5.7473, 7.6929, 90, 90, 90), LANTHANUM_MANGANITE, *name),
           {"La": 4, "Mn": 4, "O": 12})
          for name in (("P b n m",), ("Pbnm", 62), ("", 62))),
    ],
)  # fmt: skip
def test_setting_follows_from_symbol_cell_and_formula(text, atoms):
    assert counts(text) == atoms


@pytest.mark.parametrize(
    ("text", "atoms"),
    [
        (cif(cubic(5.6402), ROCK_SALT, "F m -3 m", 225, operations=["x,y,z"]), {"Na": 4, "Cl": 4}),
        (cif(cubic(5.4631), "Ca1 0 0 0; F1 .25 .25 .25", "F m -3 m", 225, operations=["x,y,z"],
             formula="Ca F2", units=4), {"Ca": 4, "F": 8}),
        (cif(cubic(3.905), "Sr1 .5 .5 .5; Ti1 0 0 0; O1 .5 0 0", "P m -3 m", 221,
             operations=["x,y,z"], formula="O3 Sr Ti"), {"Sr": 1, "Ti": 1, "O": 3}),
        (cif(tetragonal(4.5937, 2.9587), "Ti1 0 0 0; O1 .305 .305 0", "P 42/m n m", 136,
             operations=["x,y,z", "-x,-y,z", "1/2-x,1/2+y,1/2-z"]), {"Ti": 2, "O": 4}),
    ],
)  # fmt: skip
def test_operations_that_are_too_few_are_completed(text, atoms):
    with pytest.warns(ReadingWarning, match="that are listed do not agree with what else is"):
        crystal_of(text, "a.cif")
    assert counts(text) == atoms


@pytest.mark.parametrize("operations", [(), ("x,y,z",)])
@pytest.mark.parametrize(
    ("cell", "listed", "group", "atoms"),
    [
        (cubic(5.6402), ALL_ROCK_SALT, ("F m -3 m", 225), {"Na": 4, "Cl": 4}),
        (tetragonal(4.5937, 2.9587), ALL_RUTILE, ("P 42/m n m", 136), {"Ti": 2, "O": 4}),
        (cubic(2.8665), "Fe1 0 0 0; Fe2 .5 .5 .5", ("I m -3 m", 229), {"Fe": 2}),
    ],
)
def test_all_atoms_and_the_group_besides(cell, listed, group, atoms, operations):
    assert counts(cif(cell, listed, *group, operations=operations)) == atoms


@pytest.mark.parametrize(
    ("text", "atoms"),
    [
        (cif(hexagonal(3.811, 6.234), "Zn1 .3333 .6667 0; S1 .3333 .6667 .375", "P 63 m c"),
         {"Zn": 2, "S": 2}),
        (cif(hexagonal(4.299, 7.010), "Cd1 .333 .667 0; Se1 .333 .667 .377", "P63mc", 186),
         {"Cd": 2, "Se": 2}),
        (cif(hexagonal(3.009, 3.262), "Al1 0 0 0; B1 .33 .67 .5", "P 6/m m m"), {"Al": 1, "B": 2}),
        (cif(hexagonal(2.504, 6.661), "B1 .333 .667 .25; N1 .333 .667 .75", "P 63/m m c"),
         {"B": 2, "N": 2}),
        (cif(hexagonal(3.937, 6.129), "La1 .333 .667 .246; O1 .333 .667 .647; O2 0 0 0",
             "P -3 m 1"), {"La": 2, "O": 3}),
        (cif(hexagonal(2.456, 6.696), "C1 0 0 .25; C2 .3333 .6667 .25", "P63/mmc"), {"C": 4}),
    ],
)  # fmt: skip
def test_rounded_special_positions(text, atoms):
    assert counts(text) == atoms


def test_rounded_positions_move_onto_the_axis():
    text = cif(hexagonal(3.25, 5.207), "Zn1 .34 .66 0; O1 .33 .67 .382", "P 63 m c", 186)
    with pytest.warns(ReadingWarning, match="moved by up to 0.04 A onto special positions"):
        crystal = crystal_of(text, "a.cif")
    assert crystal.frac_coords[0] == pytest.approx([1 / 3, 2 / 3, 0], abs=1e-6)


def test_split_positions_that_are_partly_occupied_stay_apart():
    """Off the axis by 0.15 A, one of three places taken at a time."""
    text = cif(hexagonal(4, 5), "Ag1 .3133 .6667 0 .33; S1 0 0 .3 1", "P 3", columns="occupancy")
    crystal = crystal_of(text, "a.cif")
    assert [site.species.num_atoms for site in crystal if "Ag" in site.species_string] == [0.33] * 3


def test_mixed_sites_stay_disordered():
    text = cif(cubic(4.3), "Fe1 0 0 0 .922; Mn1 0 0 0 .037; Mg1 0 0 0 .041; O1 .5 .5 .5 1",
               "F m -3 m", columns="occupancy")  # fmt: skip
    crystal = crystal_of(text, "a.cif")
    assert len(crystal) == 8
    assert crystal[0].species.as_dict() == pytest.approx({"Fe": 0.922, "Mn": 0.037, "Mg": 0.041})


def test_one_element_in_two_rows_is_one_atom():
    text = cif(cubic(4.3), "Fe1 0 0 0 .5; Fe2 0 0 0 .5; O1 .5 .5 .5 1", "F m -3 m",
               columns="occupancy")  # fmt: skip
    assert crystal_of(text, "a.cif").is_ordered


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        (cif(hexagonal(3.142, 4.766), "Mg1 0 0 0; O1 .3333 .6667 .22", "P -3 m 1",
             formula="H2 Mg O2", units=1), "2 of 2 hydrogen atoms"),
        (cif(hexagonal(3.589, 4.911), "Ca1 0 0 0; O1 .3333 .6667 .234", "P -3 m 1",
             formula="Ca (O H)2"), "2 of 2 hydrogen atoms"),
        (cif(hexagonal(2.816, 14.05), "Co1 0 0 .5; O1 0 0 .24", "R -3 m",
             formula="Co Li O2", units=3), "3 of 3 lithium atoms"),
    ],
)  # fmt: skip
def test_atoms_that_are_not_listed_are_named(text, missing):
    with pytest.warns(ReadingWarning, match=missing):
        crystal_of(text, "a.cif")


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        (cif(cubic(4.2), "Ni1 0 0 0; O1 .5 .5 .5", "F m -3 m", formula="Ni2 O3"),
         UnreadableCrystal, "make Ni4 O4, but _chemical_formula_sum states Ni2 O3"),
        (cif(cubic(4.2), "Ni1 0 0 0; O1 .5 .5 .5", "F m -3 m", formula="Fe O"),
         UnreadableCrystal, "states Fe O"),
        (cif(cubic(420), "Ni1 0 0 0; O1 .5 .5 .5", "F m -3 m"), InvalidCell, "leave it empty"),
        (cif(cubic(30), "Ni1 0 0 0; O1 .5 .5 .5", "F m -3 m"), InvalidCell, "density of"),
        (cif(cubic(0.42), "Ni1 0 0 0; O1 .5 .5 .5", "F m -3 m"), InvalidCell, "Angstrom"),
        (cif(cubic(4200), "Ni1 0 0 0; O1 .5 .5 .5", "F m -3 m"), InvalidCell, "MAX_CELL_EDGE"),
        (cif(hexagonal(5, 6), "Mn1 0 0 0", "F m -3 m"), InvalidCell, "F m -3 m fits the cell"),
        (cif(cubic(5), "Mn1 0 0 0", "P 9 9 9"), InvalidCell, "P 9 9 9"),
        (cif(cubic(4.2), "Ni1 0 0 0; O1 0 0 .02", "P 1"), OverlappingAtoms, "at one place"),
        (cif(cubic(4.2), "Ni1 0 0 0; O1 0 0 .15", "P 1"), OverlappingAtoms, "0.63 A apart"),
        (cif(cubic(4.2), "Ni1 0 0 0", operations=["x,y"]), UnreadableCrystal, "'x,y' is not a sym"),
        (cif(cubic(4.2), "Ni1 0 0 0", "P 1", columns="occupancy").replace("0 0 0", "0 0 0 2"),
         OverlappingAtoms, "between 0 and 1"),
    ],
)  # fmt: skip
def test_contradictions_are_refused_by_name(text, error, words):
    with pytest.raises(error, match=words):
        counts(text)


def test_units_that_nothing_bears_out_are_told():
    text = cif(cubic(4.2), "Ni1 0 0 0; O1 .5 .5 .5", "F m -3 m", formula="Ni O", units=2)
    with pytest.warns(ReadingWarning, match="holds 4 formula units Ni O, but"):
        assert len(crystal_of(text, "a.cif")) == 8


def test_a_crystal_that_is_too_large_is_refused_while_it_grows(monkeypatch):
    monkeypatch.setenv("CGXAS_MAX_ATOMS", "100")
    with pytest.raises(UnreadableCrystal, match=r"holds at least 192 atoms.*CGXAS_MAX_ATOMS"):
        counts(cif(cubic(20), "Ni1 .1 .2 .37", "F m -3 m"))


def test_every_refusal_names_the_file():
    with pytest.raises(CrystalError, match=r"^a\.cif"):
        counts(cif(cubic(420), "Ni1 0 0 0", "P 1"))
