"""feff.inp and atoms.inp as crystal files."""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from cgxas.crystals.io.read import read_crystal
from cgxas.errors import CgxasError, ReadingWarning, UnreadableCrystal

CLUSTER = """\
TITLE  a few atoms
 EDGE   K
 POTENTIALS
*  ipot  z  tag
   0  29  Cu
   1  29  Cu
   2   8  O
 ATOMS
   0.0   0.0  0.0  0  Cu  0.0
   1.85  0.0  0.0  2  O   1.85
  -1.85  0.0  0.0  2  O   1.85
   2.13  2.13 0.0  1  Cu  3.0
 END
"""
LATTICE = """\
RECIPROCAL
TARGET 1
LATTICE P 4.11
1 0 0
0 1 0
0 0 1
COORDINATES {units}
POTENTIALS
 0 55 Cs
 1 17 Cl
ATOMS
 0.0 0.0 0.0 0
 {x} {x} {x} 1
"""


@pytest.mark.parametrize("name", ["feff.inp", "a", "a.txt", "b.inp"])
def test_a_cluster_is_a_molecule_and_that_is_told(write, name):
    with pytest.warns(ReadingWarning, match=r"cluster.*surface; the absorber is Cu, site 0"):
        found = read_crystal(write(CLUSTER, name))
    assert found.composition.as_dict() == {"Cu": 2, "O": 2}
    assert found.properties["boxed"] is True
    assert found.get_distance(0, 1) == pytest.approx(1.85)


@pytest.mark.parametrize(("units", "x"), [(3, 0.5), (1, 2.055), (4, 0.5)])
def test_the_lattice_of_a_run_in_reciprocal_space(write, units, x):
    found = read_crystal(write(LATTICE.format(units=units, x=x)))
    assert found.volume == pytest.approx(4.11**3)
    np.testing.assert_allclose(found.frac_coords[1], 0.5)


def test_the_crystal_in_the_comments_of_pymatgen(write):
    from pymatgen.io.feff.sets import MPXANESSet

    crystal = Structure.from_spacegroup(
        "Pm-3m",
        Lattice.cubic(3.905),
        ["Sr", "Ti", "O"],
        [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0]],
    )
    inputs = MPXANESSet("Ti", crystal).all_input()
    text = "\n".join(str(inputs[each]) for each in ("HEADER", "PARAMETERS", "POTENTIALS", "ATOMS"))
    with pytest.warns(ReadingWarning, match="comments that pymatgen wrote"):
        found = read_crystal(write(text))
    assert found.composition.as_dict() == {"Sr": 1, "Ti": 1, "O": 3}
    np.testing.assert_allclose(found.volume, crystal.volume, rtol=1e-5)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("0  29  Cu", "0  129  Cu", "not readable"),
        ("2   8  O", "", "not readable"),
        ("-1.85  0.0", "-1.85  x", "not readable"),
        ("0.0  0  Cu", "0.0  1  Cu", "not exactly one absorber"),
        (CLUSTER[CLUSTER.index("   0.0 ") :], "END", "not exactly one absorber|no atoms"),
        ("ATOMS", "CIF NiO.cif\nEND\nATOMS", "its crystal is in NiO.cif; give that file"),
    ],
)
def test_bad_input_of_feff(write, old, new, message):
    assert old in CLUSTER
    with pytest.raises(UnreadableCrystal, match=message):
        read_crystal(write(CLUSTER.replace(old, new, 1), "feff.inp"))


WURTZITE = """\
title zinc oxide   ! a remark
comment of atoms
space = P 63 m c
a = 3.2495  c=5.2069
rmax = 6.0   core = Zn
atoms
! At.type  x   y   z   tag
  Zn   0.33333 0.66667 0.0     Zn1
  O    1/3     2/3     0.3817  O1
"""
ROCKSALT = "title cobalt oxide\nspace F m 3 m\na 4.26 core Co1\natom\nCo 0 0 0 Co1\nO .5 .5 .5 O1\n"
COPPER = "title copper\nspace = fcc\na=3.61 rmax=5 core=Cu\natoms\n Cu 0 0 0 Cu\n"
RUTILE = """\
title rutile
space P 42/m n m
a 4.594 b 4.594 c 2.959
edge K
atoms
Ti 0 0 0 Ti1 1.0
O 0.305 0.305 0.0 O1 1.0
"""
MAGNETITE = """\
title magnetite, origin at -4 3 m
space F d -3 m
a 8.394
shift = -1/8 -1/8 -1/8
atoms
Fe 0.0 0.0 0.0 tet
Fe 0.625 0.625 0.625 oct
O  0.3799 0.3799 0.3799 O
"""


@pytest.mark.parametrize("name", ["atoms.inp", "a", "crystal.inp"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (WURTZITE, {"Zn": 2, "O": 2}),
        (ROCKSALT, {"Co": 4, "O": 4}),
        (COPPER, {"Cu": 4}),
        (RUTILE, {"Ti": 2, "O": 4}),
    ],
    ids=["ZnO", "CoO", "Cu", "TiO2"],
)
def test_crystals_of_atoms_inp(counted, text, expected, name):
    assert counted(text, name) == expected


def test_the_shift_of_atoms_inp(write):
    with pytest.warns(ReadingWarning) as told:
        found = read_crystal(write(MAGNETITE, "atoms.inp"))
    assert any("shifted as the file says" in str(each.message) for each in told)
    assert found.composition.as_dict() == {"Fe": 24, "O": 32}
    shortest = found.distance_matrix[np.triu_indices(len(found), 1)].min()
    assert shortest == pytest.approx(1.88, abs=0.03)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("space = P 63 m c", "space = X 9"),
        ("a = 3.2495", ""),
        ("Zn   0.33333", "T1   0.33333"),
        ("0.33333 0.66667", "0.33333 one"),
        (WURTZITE[WURTZITE.index("  Zn ") :], ""),
    ],
)
def test_bad_atoms_inp(write, old, new):
    assert old in WURTZITE
    with pytest.raises(CgxasError):
        read_crystal(write(WURTZITE.replace(old, new, 1), "atoms.inp"))
