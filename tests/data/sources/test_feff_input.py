import numpy as np
import pytest

from cgxas.data.sources.feff_input import read_input
from cgxas.data.sources.item import Unusable

TEXT = """\
* made by hand
TITLE two atoms
EDGE      K   1.0   ! a remark
CORE RPA
xanes 4.0 0.05
FMS 6.0 0

POTENTIAL
*  ipot  z  tag
   0  26  Fe
   1   8  O  -1 -1 1.0 0
ATOMS
  1.0  0.0  0.0  0  Fe  0.0
* a remark
  3.0  0.0  0.0  1  O   2.0
  1.0 -2.5  .5   1
END
  9.0  9.0  9.0  1
"""


@pytest.fixture
def read(tmp_path):
    def read_text(text: str):
        (tmp_path / "feff.inp").write_text(text)
        return read_input(tmp_path / "feff.inp")

    return read_text


def test_cards_and_cluster(read):
    found = read(TEXT)
    assert found.cards == {"EDGE": "K 1.0", "COREHOLE": "RPA", "XANES": "4.0 0.05", "FMS": "6.0 0"}
    assert (found.edge, found.is_xanes, found.is_absolute) == ("K", True, False)
    assert found.absorber == 26
    assert found.numbers.tolist() == [8, 8]
    np.testing.assert_allclose(found.cluster, [[2, 0, 0], [0, -2.5, 0.5]])
    assert found.lattice_cell is None
    assert found.header_cell is None


def test_multiplier_scales_the_cluster(read):
    found = read(TEXT.replace("FMS", "RMULTIPLIER 1.5\nFMS"))
    np.testing.assert_allclose(found.cluster, [[3, 0, 0], [0, -3.75, 0.75]])


@pytest.mark.parametrize(
    ("card", "edge"),
    [("EDGE L3", "L3"), ("EDGE 1", "K"), ("HOLE 1 1.0", "K"), ("HOLE 4 1.0", "hole 4"), ("", "K")],
)
def test_edges(read, card, edge):
    assert read(TEXT.replace("EDGE      K   1.0", card)).edge == edge


def test_absolute(read):
    assert read("ABSOLUTE\n" + TEXT).is_absolute


RECIPROCAL = TEXT.replace("FMS 6.0 0", "RECIPROCAL\nTARGET 2\nLATTICE P 4\n1 0 0\n0 1 0\n0 0 1")


def test_target_in_a_lattice(read):
    found = read(RECIPROCAL)
    assert found.absorber == 8
    np.testing.assert_allclose(found.lattice_cell.lattice, 4 * np.eye(3))
    np.testing.assert_allclose(found.lattice_cell.frac, [[1, 0, 0], [3, 0, 0], [1, -2.5, 0.5]])
    nearest = np.linalg.norm(found.cluster, axis=1).min()
    assert nearest == pytest.approx(4 * np.sqrt(0.5))


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("LATTICE P", "LATTICE F", "of a kind that is not read"),
        ("TARGET", "COORDINATES 2\nTARGET", "of a kind that is not read"),
        ("0 0 1\n", "0 1 0\n", "no volume"),
        ("0 0 1\n", "\n", "no volume"),
        ("TARGET 2", "TARGET 4", "TARGET is not in the crystal"),
        ("TARGET 2", "TARGET x", "not readable"),
        ("TARGET 2", "", "not readable"),
        ("LATTICE P 4\n1 0 0\n0 1 0\n0 0 1", "CIF a.cif", "whose crystal is not in feff.inp"),
    ],
)
def test_reciprocal_runs_that_are_not_understood(read, old, new, reason):
    assert old in RECIPROCAL
    with pytest.raises(Unusable, match=reason):
        read(RECIPROCAL.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("   0  26  Fe", "   0  x"),
        ("   0  26  Fe", "   0  126"),
        ("   1   8  O  -1 -1 1.0 0", ""),
        ("3.0  0.0  0.0  1", "3.0  0.0"),
        ("3.0  0.0  0.0", "3.0  0.0  a"),
    ],
)
def test_damaged_input(read, old, new):
    with pytest.raises(Unusable, match=r"feff\.inp is not readable"):
        read(TEXT.replace(old, new))


def test_no_absorber_or_two(read, tmp_path):
    for new in ("1.0  0.0  0.0  1", "1.0 0 0 0\n 1.0 1 1 0"):
        with pytest.raises(Unusable, match="not exactly one absorber"):
            read(TEXT.replace("1.0  0.0  0.0  0", new))
    with pytest.raises(Unusable, match=r"has no feff\.inp"):
        read_input(tmp_path / "nowhere")


def test_crystal_in_the_comments_of_pymatgen(make_run, rutile):
    found = read_input(make_run("a", rutile, 0) / "feff.inp")
    np.testing.assert_allclose(found.header_cell.frac, rutile.frac_coords, atol=1e-6)
    np.testing.assert_allclose(found.header_cell.volume, rutile.volume, rtol=1e-5)
    assert found.header_cell.numbers.tolist() == [22, 22, 8, 8, 8, 8]
