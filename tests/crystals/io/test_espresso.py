"""Input of Quantum ESPRESSO."""

import numpy as np
import pytest
from pymatgen.core import Lattice

from cgxas.crystals.io.bravais import cell_of_ibrav
from cgxas.crystals.io.read import read_crystal
from cgxas.errors import CrystalError, UnreadableCrystal

BOHR = 0.529177210903


def pwi(system: str, positions: str, cards: str = "") -> str:
    natoms = len(positions.strip().splitlines()) - 1
    return f"""&CONTROL
  calculation = 'scf', prefix = 'a/b'  ! a remark
/
&system
  {system},
  nat = {natoms}, ntyp = 2, ecutwfc = 30.0
/
&electrons
/
ATOMIC_SPECIES
 X 1.0 x.upf
ATOMIC_POSITIONS {positions}
K_POINTS automatic
 4 4 4 0 0 0
{cards}"""


PAIR = "(crystal)\nNi1 0 0 0\nO 1/2 1/2 1/2\n"


@pytest.mark.parametrize(
    ("system", "positions", "volume", "expected"),
    [
        ("ibrav = 2, celldm(1) = 7.88", PAIR, (7.88 * BOHR) ** 3 / 4, {"Ni": 1, "O": 1}),
        ("ibrav=1, A = 3.905", "alat\nSr 0 0 0\nTi .5 .5 .5\nO .5 .5 0\nO .5 0 .5\nO 0 .5 .5\n",
         3.905**3, {"Sr": 1, "Ti": 1, "O": 3}),
        ("ibrav=3, celldm(1)=5.42", "{bohr}\nFe_up 0 0 0\n", (5.42 * BOHR) ** 3 / 2, {"Fe": 1}),
        ("ibrav=4, a=3.25, c=5.2", "{crystal}\nZn 1/3 2/3 0\nZn 2/3 1/3 1/2\nO 1/3 2/3 .38\n"
         "O 2/3 1/3 .88\n", 3.25**2 * 5.2 * np.sqrt(0.75), {"Zn": 2, "O": 2}),
        ("ibrav=6, celldm(1)=8.68, celldm(3)=0.644", "crystal\nTi 0 0 0\nTi .5 .5 .5\nO .3 .3 0\n"
         "O -.3 -.3 0\nO .8 .2 .5\nO .2 .8 .5\n", (8.68 * BOHR) ** 3 * 0.644, {"Ti": 2, "O": 4}),
        ("ibrav=0, celldm(1)=10", "{angstrom}\nMg 0 0 0\nO 2.1 2.1 2.1\n", None, {"Mg": 1, "O": 1}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["scf.in", "a.pwi", "a"])
def test_lattices(write, counted, system, positions, volume, expected, name):
    cell = "CELL_PARAMETERS alat\n0.8 0 0\n0 0.8 0\n0 0 0.8\n" if "ibrav=0" in system else ""
    text = pwi(system, positions, cell)
    assert counted(text, name) == expected
    wanted = (8 * BOHR) ** 3 if volume is None else volume
    assert read_crystal(write(text)).volume == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize(
    ("ibrav", "celldm", "edges"),
    [
        (1, (), (1, 1, 1, 90, 90, 90)),
        (2, (), (0.5**0.5, 0.5**0.5, 0.5**0.5, 60, 60, 60)),
        (3, (), (0.75**0.5,) * 3 + (70.5288, 109.4712, 70.5288)),
        (-3, (), (0.75**0.5,) * 3 + (109.4712,) * 3),
        (4, (0, 1.6), (1, 1, 1.6, 90, 90, 120)),
        (5, (0, 0, 0.3), (1, 1, 1) + (72.5424,) * 3),
        (-5, (0, 0, 0.3), (1, 1, 1) + (72.5424,) * 3),
        (6, (0, 1.5), (1, 1, 1.5, 90, 90, 90)),
        (8, (1.2, 1.5), (1, 1.2, 1.5, 90, 90, 90)),
        (12, (1.2, 1.5, 0.1), (1, 1.2, 1.5, 90, 90, 84.2608)),
        (-12, (1.2, 1.5, 0, 0.1), (1, 1.2, 1.5, 90, 84.2608, 90)),
        (14, (1.2, 1.5, 0.1, -0.2, 0.3), (1, 1.2, 1.5, 84.2608, 101.537, 72.5424)),
    ],
)
def test_edges_and_angles_of_the_manual(ibrav, celldm, edges):
    numbers = (1.0, *celldm, *[0.0] * (5 - len(celldm)))
    found = Lattice(cell_of_ibrav(ibrav, numbers)).parameters
    assert found == pytest.approx(edges, abs=1e-3)


@pytest.mark.parametrize(
    ("ibrav", "parts"), [(7, 2), (9, 2), (-9, 2), (91, 2), (10, 4), (11, 2), (13, 2), (-13, 2)]
)
def test_centred_lattices_are_parts_of_their_cells(ibrav, parts):
    numbers = (1.0, 1.2, 1.5, 0.1, 0.1, 0.0)
    volume = abs(np.linalg.det(cell_of_ibrav(ibrav, numbers)))
    whole = {7: 1.5}.get(ibrav, 1.2 * 1.5 * (np.sqrt(0.99) if abs(ibrav) == 13 else 1))
    assert volume == pytest.approx(whole / parts)


@pytest.mark.parametrize(
    ("system", "positions", "cards", "message"),
    [
        ("ibrav = 17, celldm(1)=8", PAIR, "", "ibrav = 17 is not one of"),
        ("ibrav = 4, celldm(1)=8", PAIR, "", r"celldm\(3\) is missing"),
        ("ibrav = 2", PAIR, "", r"neither celldm\(1\) nor A"),
        ("celldm(1)=8", PAIR, "", "no ibrav"),
        ("ibrav = 0", PAIR, "", "no CELL_PARAMETERS"),
        ("ibrav = 1, A=4, space_group=225", PAIR, "", "space group"),
        ("ibrav = 1, A=4", PAIR.replace("Ni1", "X1"), "", "'X1'"),
        ("ibrav = 1, A=4", PAIR.replace("(crystal)", "crystal_sg"), "", "crystal_sg"),
        ("ibrav = 1, A=4", PAIR.replace("1/2 1/2 1/2", "1/0 0 0"), "", "divided by zero"),
        ("ibrav = 1, A=4", PAIR.replace("1/2", "sqrt(2)", 1), "", "not a number"),
        ("ibrav = 1, A=4, nat=3", PAIR, "", "nat = 2|nat = 3"),
    ],
)
def test_bad_input(write, system, positions, cards, message):
    text = pwi(system, positions, cards)
    if "nat=3" in system:
        text = text.replace("nat = 2, ", "")
    with pytest.raises((UnreadableCrystal, CrystalError), match=message):
        read_crystal(write(text, "scf.in"))
