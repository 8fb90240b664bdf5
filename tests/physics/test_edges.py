"""Edges without FEFF: those of FEFF's own runs, of any description of a crystal, and no jumps."""

import runpy

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

import cgxas
from cgxas.crystals.canonical import Cell
from cgxas.elements import ABSORBERS, atomic_number
from cgxas.errors import AbsorberNotInCrystal, ConfigError, CrystalError, UnsupportedAbsorber
from cgxas.physics.edges import (
    THEORIES,
    edge_energies,
    edge_energy,
    knows_edge,
    neighbour_potential,
)
from cgxas.physics.free_atoms import BOHR
from cgxas.physics.hydrogen import lengthened


def group(symbol: str, lattice: Lattice, species: str, *places) -> Structure:
    return Structure.from_spacegroup(symbol, lattice, species.split(), places)


ICE = Structure(
    Lattice.orthorhombic(4.5, 7.79, 7.33),
    ["O"] * 4 + ["H"] * 8,
    [
        *([0, 0.664, 0.063], [0.5, 0.836, 0.937], [0.5, 0.164, 0.563], [0, 0.336, 0.437]),
        *([0, 0.664, 0.1965], [0, 0.538, 0.0225], [0.5, 0.836, 0.8035], [0.5, 0.962, 0.9775]),
        *([0.5, 0.164, 0.6965], [0.5, 0.038, 0.5225], [0, 0.336, 0.3035], [0, 0.462, 0.4775]),
    ],
)
CRYSTALS = {
    "MgO": group("Fm-3m", Lattice.cubic(4.211), "Mg O", [0, 0, 0], [0.5, 0.5, 0.5]),
    "TiO2": group(
        "P4_2/mnm", Lattice.tetragonal(4.594, 2.959), "Ti O", [0, 0, 0], [0.3053, 0.3053, 0]
    ),
    "Cu": group("Fm-3m", Lattice.cubic(3.615), "Cu", [0, 0, 0]),
    "CsI": group("Pm-3m", Lattice.cubic(4.567), "Cs I", [0, 0, 0], [0.5, 0.5, 0.5]),
    "KHF2": group(
        *("I4/mcm", Lattice.tetragonal(5.67, 6.81), "K H F"),
        *([0, 0, 0.25], [0, 0.5, 0], [0.1435, 0.6435, 0]),
    ),
    "Mg(OH)2": group(
        *("P-3m1", Lattice.hexagonal(3.148, 4.779), "Mg O H"),
        *([0, 0, 0], [1 / 3, 2 / 3, 0.2203], [1 / 3, 2 / 3, 0.4227]),
    ),
    "ice": ICE,
    "LiH": group("Fm-3m", Lattice.cubic(4.08), "Li H", [0, 0, 0], [0.5, 0.5, 0.5]),
}
# Own runs of FEFF 10.0.0 (core hole FSR, no self-consistency): omega at k = 0 of xmu.dat, eV.
FEFF = [
    ("MgO", "Mg", 1305.85993),
    ("MgO", "O", 535.66640),
    ("TiO2", "Ti", 4970.03086),
    ("TiO2", "O", 535.26040),
    ("Cu", "Cu", 8988.43295),
    ("CsI", "I", 33207.10057),
    ("KHF2", "F", 680.52001),
    ("KHF2", "K", 3612.41350),
    ("Mg(OH)2", "O", 531.78551),
    ("Mg(OH)2", "Mg", 1303.98833),
    ("ice", "O", 527.94571),
    ("LiH", "Li", 58.60537),
]


def cell_of(crystal: Structure) -> Cell:
    numbers = np.array([site.specie.Z for site in crystal])
    return Cell(np.array(crystal.lattice.matrix), np.array(crystal.frac_coords), numbers)


def edges(crystal: Structure) -> np.ndarray:
    """Edges of all atoms but hydrogen."""
    cell = cell_of(crystal)
    return edge_energies(cell, np.flatnonzero(np.isin(cell.numbers, range(3, 54))))


@pytest.mark.parametrize(("name", "absorber", "energy"), FEFF)
def test_edge_is_that_of_feff(name, absorber, energy):
    # FEFF writes the edge with three decimals in Hartree above 27 keV, with four above 2.7 keV.
    rounding = 0.015 if energy > 27211 else 0.002 if energy > 2721 else 0.0005
    found = edge_energy(CRYSTALS[name], absorber)
    assert found.mean == pytest.approx(energy, abs=rounding)
    assert np.ptp(found.energies) < 1e-6  # all atoms of an element are equivalent here


def test_every_edge_of_feff10_is_met(shared):
    import pyarrow.parquet as pq

    columns = ["material_id", "site_index", "element", "e_edge"]
    spectra = pq.read_table(shared / "data/sim_feff10/spectra.parquet", columns=columns).to_pylist()
    materials = pq.read_table(shared / "data/sim_feff10/materials.parquet").to_pylist()
    cells = {row["material_id"]: stored(row) for row in materials}
    off = [
        edge_energies(cells[row["material_id"]], np.array([row["site_index"]]))[0] - row["e_edge"]
        for row in spectra
    ]
    assert np.mean(np.abs(off) < 0.02) > 0.995
    assert np.abs(off).max() < 0.02
    assert np.abs(off).mean() < 0.001


def test_sum_is_that_of_the_reference(shared):
    """The reference interpolates r V, not r^2 V, and follows hydrogen but once."""
    import pyarrow.parquet as pq

    folder = shared / "reference" / "scattering"
    if not folder.is_dir():
        pytest.skip(f"no reference at {folder}")
    reference = runpy.run_path(str(folder / "edge.py"))
    rows = pq.read_table(shared / "data/sim_feff10/materials.parquet").to_pylist()
    for row in [row for row in rows if "H" not in row["species"]][::50]:
        cell = stored(row)
        site = int(np.argmax(cell.numbers))
        expected = reference["neighbour_potential"](
            Structure(cell.lattice, row["species"], cell.frac), site
        )
        assert neighbour_potential(cell, np.array([site]))[0] == pytest.approx(expected, abs=0.02)


def stored(row: dict) -> Cell:
    numbers = np.array([atomic_number(symbol) for symbol in row["species"]])
    return Cell(
        np.reshape(row["lattice"], (3, 3)), np.reshape(row["frac_coords"], (-1, 3)), numbers
    )


@pytest.mark.parametrize("name", CRYSTALS)
def test_any_description_has_the_same_edges(name):
    crystal = CRYSTALS[name]
    expected = edges(crystal)
    turn, _ = np.linalg.qr(np.random.default_rng(1).standard_normal((3, 3)))
    turned = Structure(crystal.lattice.matrix @ turn, crystal.species, crystal.frac_coords)
    moved = crystal.copy()
    moved.translate_sites(range(len(moved)), [0.313, -0.871, 1.459], to_unit_cell=False)
    assert edges(turned) == pytest.approx(expected, abs=1e-6)
    assert edges(moved) == pytest.approx(expected, abs=1e-6)
    assert edges(Structure.from_sites(crystal[::-1])) == pytest.approx(expected[::-1], abs=1e-6)
    matrix = np.array([[1, 1, 0], [0, 1, 1], [1, 0, 2]])
    larger = crystal.copy().make_supercell(matrix, to_unit_cell=False)
    copies = round(abs(np.linalg.det(matrix)))
    assert edges(larger) == pytest.approx(np.repeat(expected, copies), abs=1e-6)


def pair(distance: float, other: str = "Cs") -> Structure:
    """An oxygen and one atom far from all others."""
    box = Lattice.cubic(40.0)
    return Structure(box, ["O", other], [[0, 0, 0], [0, 0, distance / 40.0]])


def test_an_atom_that_leaves_the_reach_of_feff_makes_no_jump():
    distances = 12 * BOHR + np.arange(-0.05, 0.05, 1e-4)
    found = np.array([edges(pair(distance))[0] for distance in distances])
    assert found[0] - found[-1] == pytest.approx(0.003, abs=0.001)  # what FEFF cuts at once
    assert np.abs(np.diff(found)).max() < 2e-5


@pytest.mark.parametrize("name", ["KHF2", "Mg(OH)2", "ice"])
def test_small_steps_make_small_changes(name):
    cell = cell_of(CRYSTALS[name])
    atoms = np.flatnonzero(cell.numbers > 1)
    expected = edge_energies(cell, atoms)
    random = np.random.default_rng(5)
    for step in (1e-6, 1e-4, 1e-2):
        direction = random.standard_normal(cell.frac.shape)
        direction /= np.linalg.norm(direction, axis=1)[:, None]
        frac = cell.frac + step * direction @ np.linalg.inv(cell.lattice)
        found = edge_energies(Cell(cell.lattice, frac, cell.numbers), atoms)
        assert np.abs(found - expected).max() < 40 * step  # eV, of A


def bonds_to_hydrogen(crystal: Structure) -> np.ndarray:
    """Where hydrogen is put in a crystal with one heavy atom first: distances to it, bohr."""
    cell = lengthened(cell_of(crystal))
    apart = cell.cart[cell.numbers == 1] - cell.cart[0]
    return np.linalg.norm(apart, axis=1) / BOHR


def boxed(*atoms: tuple[str, list[float]]) -> Structure:
    species, places = zip(*atoms, strict=True)
    return Structure(Lattice.cubic(30.0), species, places, coords_are_cartesian=True)


def test_hydrogen_of_water_moves_out():
    water = boxed(("O", [0, 0, 0]), ("H", [0.757, 0.586, 0]), ("H", [-0.757, 0.586, 0]))
    r = np.hypot(0.757, 0.586) / BOHR
    assert bonds_to_hydrogen(water) == pytest.approx(r + 4 / r**2)


def test_hydrogen_stays_within_the_other_bonds_of_its_atom():
    hydroxide = boxed(("O", [0, 0, 0]), ("Be", [0, 1.4, 0]), ("H", [0, -0.96, 0]))
    r = 0.96 / BOHR
    assert bonds_to_hydrogen(hydroxide) == pytest.approx(0.95 * 1.4 / BOHR + 0.05 * r)


@pytest.mark.parametrize("off", [0.0, 0.01, 0.1, 0.2])
def test_hydrogen_between_two_atoms_stays_on_its_side(off):
    bifluoride = boxed(("F", [0, 0, 0]), ("F", [2.28, 0, 0]), ("H", [1.14 - off, 0, 0]))
    r, middle = (1.14 - off) / BOHR, 1.14 / BOHR
    assert bonds_to_hydrogen(bifluoride) == pytest.approx(0.95 * middle + 0.05 * r)


def test_hydrogen_bound_to_hydrogen_stays():
    molecule = boxed(("O", [0, 0, 0]), ("H", [3, 0, 0]), ("H", [3.74, 0, 0]))
    assert bonds_to_hydrogen(molecule) == pytest.approx(np.array([3, 3.74]) / BOHR)


def test_a_limit_on_hydrogen_makes_no_jump():
    """FEFF takes 5 % of a bond back at once when another atom comes as near as its hydrogen."""
    r = 0.96 / BOHR
    limit = (r + 4 / r**2) * BOHR
    found = np.array(
        [
            bonds_to_hydrogen(boxed(("O", [0, 0, 0]), ("Si", [0, d, 0]), ("H", [0, -0.96, 0])))[0]
            for d in limit + np.arange(-0.05, 0.05, 1e-3)
        ]
    )
    assert found[-1] == pytest.approx(r + 4 / r**2)
    assert found[0] == pytest.approx(0.95 * (limit - 0.05) / BOHR + 0.05 * r)
    assert np.abs(np.diff(found)).max() < 5e-3


def test_all_absorbers_are_known_in_both_theories():
    for theory in THEORIES:
        assert all(knows_edge(theory, atomic_number(symbol)) for symbol in ABSORBERS)
        assert not knows_edge(theory, 2)
        assert not knows_edge(theory, 92)
    assert not knows_edge("VASP", 26)


def test_what_is_not_known_is_refused_in_a_sentence():
    with pytest.raises(ConfigError, match="FEFF10 and FEFF9, not 'VASP'"):
        edge_energy(CRYSTALS["MgO"], "Mg", "VASP")
    with pytest.raises(UnsupportedAbsorber, match="the edge of Cs is not known"):
        edge_energy(CRYSTALS["CsI"], "Cs")
    with pytest.raises(AbsorberNotInCrystal, match="holds no Fe"):
        edge_energy(CRYSTALS["MgO"], "Fe")
    with pytest.raises(CrystalError, match="holds Cm; free atoms are tabulated up to Pu"):
        edge_energy(pair(3.0, "Cm"), "O")


def test_edges_of_a_file_come_by_site(tmp_path):
    path = tmp_path / "rutile.cif"
    CRYSTALS["TiO2"].to(str(path))
    found = cgxas.edge_energy(path, "O", theory="FEFF9")
    assert (found.absorber, found.theory) == ("O", "FEFF9")
    assert list(found.sites) == [2, 3, 4, 5]
    assert found.energies.shape == (4,)
    assert found.mean == pytest.approx(535.2604, abs=0.001)
