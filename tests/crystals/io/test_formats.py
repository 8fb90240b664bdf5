"""All formats: the same answer by any name, and only files of the table."""

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule

from cgxas.crystals.io.formats import FORMATS
from cgxas.crystals.io.read import read_crystal
from cgxas.errors import (
    CgxasError,
    CrystalError,
    DisorderedCrystal,
    ReadingWarning,
    UnreadableCrystal,
)

RUTILE = Atoms(
    "Ti2O4",
    scaled_positions=[
        [0, 0, 0], [0.5, 0.5, 0.5], [0.305, 0.305, 0], [0.695, 0.695, 0], [0.195, 0.805, 0.5],
        [0.805, 0.195, 0.5],
    ],
    cell=[4.594, 4.594, 2.959],
    pbc=True,
)  # fmt: skip
WURTZITE = bulk("ZnS", "wurtzite", a=3.82, c=6.26)
ROCKSALT = bulk("NiO", "rocksalt", a=4.17)
CRYSTALS = {"TiO2": RUTILE, "ZnS": WURTZITE, "NiO": ROCKSALT}
WRITTEN = {
    "a.cif": "cif",
    "a.xsf": "xsf",
    "a.gen": "gen",
    "a.cfg": "cfg",
    "a.pdb": "proteindatabank",
    "XDATCAR": "vasp-xdatcar",
    "a.cube": "cube",
    "geometry.in": "aims",
    "a.abi": "abinit-in",
    "a.traj": "traj",
    "a.db": "db",
    "a.json": "json",
    "a.extxyz": "extxyz",
    "POSCAR": "vasp",
    "a.res": "res",
    "a.pwi": "espresso-in",
    "a.lmp": "lammps-data",
}
"""What ASE writes, by the name of the file."""

MOLECULES = {"a.xyz": "xyz", "b.xsf": "xsf", "coord": "turbomole", "b.gen": "gen", "a.mol": "mol"}
OPTIONS = {
    "espresso-in": {"pseudopotentials": dict.fromkeys(("Ti", "O", "Zn", "S", "Ni"), "x.upf")},
    "lammps-data": {"masses": True},
}


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize("formula", CRYSTALS)
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_crystals_by_any_name(tmp_path, formula, name):
    crystal, kind = CRYSTALS[formula], WRITTEN[name]
    path = tmp_path / name
    ase.io.write(path, crystal, format=kind, **OPTIONS.get(kind, {}))
    for other in ("noname", "a.xyz", "a.in", "a.dat"):
        (tmp_path / other).write_bytes(path.read_bytes())
    for given in ("noname", "a.xyz", "a.in", "a.dat", name):
        if kind == "cube":
            with pytest.warns(ReadingWarning, match="grid was taken to be the unit cell"):
                found = read_crystal(tmp_path / given)
        else:
            found = read_crystal(tmp_path / given)
        assert found.composition.reduced_formula == formula
        assert len(found) == len(crystal)
        assert found.volume == pytest.approx(crystal.get_volume(), rel=1e-3)
        np.testing.assert_allclose(
            np.sort(found.distance_matrix, axis=None),
            np.sort(crystal.get_all_distances(mic=True), axis=None),
            atol=0.01,
        )


@pytest.mark.parametrize("name", MOLECULES)
@pytest.mark.parametrize("formula", ["CH3CH2OH", "SO2", "NH3"])
def test_molecules_by_any_name(tmp_path, formula, name):
    given = molecule(formula)
    ase.io.write(tmp_path / name, given, format=MOLECULES[name])
    (tmp_path / "noname").write_bytes((tmp_path / name).read_bytes())
    for each in (name, "noname"):
        found = read_crystal(tmp_path / each)
        assert sorted(found.atomic_numbers) == sorted(given.numbers)
        assert found.properties["boxed"] is True


CELL = """\
%BLOCK LATTICE_ABC
 {unit}
 {a} {a} {a}
 90 90 90
%ENDBLOCK LATTICE_ABC
%block positions_frac
{first} 0 0 0   ! a remark
O:1 1/2 1/2 1/2 SPIN=1
%endblock positions_frac
SYMMETRY_GENERATE
"""


@pytest.mark.parametrize(
    ("unit", "a"), [("ang", 4.2), ("bohr", 4.2 / 0.529177210903), ("nm", 0.42)]
)
@pytest.mark.parametrize("first", ["Mg", "12", "MG:ext"])
def test_castep_cells(write, unit, a, first):
    found = read_crystal(write(CELL.format(unit=unit, a=a, first=first)))
    assert found.composition.as_dict() == {"Mg": 1, "O": 1}
    assert found.lattice.a == pytest.approx(4.2)


def test_bad_castep_cells(write):
    text = CELL.format(unit="ang", a=4.2, first="Mg")
    for old, new, message in [
        ("Mg", "T1", "'T1'"),
        ("Mg", "MIXTURE:(1 0.5)", "mixed sites"),
        (" ang", " furlong", "not a unit"),
        ("LATTICE_ABC", "LATTICE", "no block LATTICE_CART"),
    ]:
        with pytest.raises(CrystalError, match=message):
            read_crystal(write(text.replace(old, new), "a.cell"))


def test_no_reader_starts_a_process(write, monkeypatch):
    import subprocess

    def refuse(*args, **kwargs):
        raise AssertionError("a process was started")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    monkeypatch.setattr("os.system", refuse)
    read_crystal(write(CELL.format(unit="ang", a=4.2, first="Mg"), "a.cell"))


SHELX = """\
TITL rutile
CELL 0.71073 4.594 4.594 2.959 90 90 90
ZERR 2 0.001 0.001 0.001 0 0 0
LATT 1
SYMM -X, -Y, Z
SYMM 0.5-Y, 0.5+X, 0.5+Z
SYMM 0.5+Y, 0.5-X, 0.5+Z
SYMM 1/2-X, 1/2+Y, 1/2-Z
SYMM 0.5+X, 0.5-Y, 0.5-Z
SYMM Y, X, -Z
SYMM -Y, -X, -Z
SFAC {first} O
UNIT 2 4
FVAR 1.2
A1   1 10.0 10.0 10.0 10.125 0.01 0.01 =
     0.02 0 0 0
O1   2 0.305 0.305 10.0 {share} 0.02
HKLF 4
Q1   1 0.1 0.1 0.1 11.0 0.05 1.2
"""


@pytest.mark.parametrize("first", ["TI", "Sn", "MN"])
def test_symmetry_of_shelx(counted, first):
    text = SHELX.format(first=first, share="10.25")
    assert counted(text) == {first.capitalize(): 2, "O": 4}


def test_bad_shelx(write):
    with pytest.raises(DisorderedCrystal):
        read_crystal(write(SHELX.format(first="TI", share="10.125")))
    with pytest.raises(UnreadableCrystal, match="free variables"):
        read_crystal(write(SHELX.format(first="TI", share="21.0")))
    with pytest.raises(UnreadableCrystal, match="'T1'"):
        read_crystal(write(SHELX.format(first="T1", share="10.25")))


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        (f"CRYST1{3:9.3f}{3:9.3f}{3:9.3f}  90.00  90.00  90.00 P 21/c\n", "a.pdb", "P 21/c"),
        ("$coord\n 0 0 0 fe\n$periodic 3\n$end\n", "coord", "periodic"),
        ("acell 3*5\nznucl 26\ntypat 1\nspgroup 229\n", "a.abi", "spgroup"),
        ('<!DOCTYPE a [<!ENTITY b "c">]>\n<modeling>&b;</modeling>', "vasprun.xml", "entities"),
        ("c\n4 4 4 90 90 90\n", "a.cssr", "not a readable CSSR"),
        ("4 4 4\n90 90 90 SPGR = 225 F m -3 m\n1 0\n0 x\n1 Fe 0 0 0\n", "a.cssr", "group 225"),
        ("not a crystal\n", "a.txt", "no crystal file that can be read; those are: CIF"),
        ("not a crystal\n", "POSCAR", "not a readable POSCAR"),
        ("x = 1\nimport os\n", "a.py", "no crystal file"),
    ],
)  # fmt: skip
def test_what_would_be_read_wrong_is_refused(write, text, name, message):
    with pytest.raises(CgxasError, match=message):
        read_crystal(write(text, name))


def test_several_rows_of_a_database_and_foreign_ones(tmp_path):
    import sqlite3

    ase.io.write(tmp_path / "two.db", [ROCKSALT, RUTILE])
    with pytest.raises(UnreadableCrystal, match="database of several rows"):
        read_crystal(tmp_path / "two.db")
    with sqlite3.connect(tmp_path / "view.db") as other:
        other.execute(
            "CREATE VIEW systems AS WITH RECURSIVE a(numbers, positions, cell, pbc) AS "
            "(SELECT 1, 1, 1, 1 UNION ALL SELECT numbers, 1, 1, 1 FROM a) SELECT * FROM a"
        )
    with pytest.raises(UnreadableCrystal, match="no database of ASE"):
        read_crystal(tmp_path / "view.db")
    (tmp_path / "cut.db").write_bytes((tmp_path / "two.db").read_bytes()[:2000])
    with pytest.raises(UnreadableCrystal):
        read_crystal(tmp_path / "cut.db")


@pytest.mark.parametrize("kind", FORMATS, ids=lambda each: each.name)
def test_every_reader_refuses_text_of_another_kind(write, kind):
    """By name alone a file comes to a reader that must say no in one sentence."""
    for pattern in kind.names:
        name = pattern.replace("*", "a")
        for text in ("words\n", "1\n2\n3\n", "\n\n\n", "{", "a b c d\n" * 20, "\0\1\2\3" * 50):
            with pytest.raises(CgxasError) as told:
                read_crystal(write("x" + text, name))
            assert "\n" not in str(told.value)
            assert name in str(told.value)
