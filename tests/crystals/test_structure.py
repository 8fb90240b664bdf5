import numpy as np
import pytest
from ase.build import bulk, molecule
from pymatgen.core import DummySpecies, Lattice, Structure

from cgxas.crystals.spec import GraphSpec
from cgxas.crystals.structure import standardise
from cgxas.errors import (
    AbsorberNotInCrystal,
    CrystalError,
    InvalidSites,
    OverlappingAtoms,
    UnknownElement,
)


@pytest.fixture
def rutile() -> Structure:
    return Structure.from_spacegroup(
        "P4_2/mnm", Lattice.tetragonal(4.594, 2.958), ["Ti", "O"], [[0, 0, 0], [0.305, 0.305, 0]]
    )


def test_canonical_cell_and_the_way_back(rutile):
    crystal = standardise(rutile.copy().make_supercell([1, 1, 3]))
    assert len(crystal.cell.numbers) == 6
    assert len(crystal.orbit_of_site) == len(crystal.numbers) == 18
    assert crystal.formula == "TiO2"
    assert crystal.elements == ("O", "Ti")
    assert crystal.sites_of("Ti").tolist() == [0, 1, 2, 3, 4, 5]
    assert len(set(crystal.orbit_of_site[crystal.sites_of("O")])) == 1


def test_cell_as_given(rutile):
    given = rutile.copy().make_supercell([1, 1, 2])
    crystal = standardise(given, GraphSpec(cell="as_given"))
    np.testing.assert_array_equal(crystal.cell.frac, given.frac_coords)
    np.testing.assert_array_equal(crystal.cell.lattice, given.lattice.matrix)
    assert crystal.orbit_of_site.tolist() == crystal.orbit_of_atom.tolist() == list(range(12))


def test_given_structure_is_not_changed(rutile):
    before = rutile.copy()
    crystal = standardise(rutile)
    assert crystal.structure == before
    assert rutile == before


def test_molecule_keeps_its_box_and_its_equivalent_atoms():
    crystal = standardise(molecule("H2O"))
    assert len(crystal.cell.numbers) == 3
    assert crystal.orbit_of_site.tolist() == [0, 1, 1]
    apart = standardise(molecule("H2O"), GraphSpec(cell="as_given"))
    assert apart.orbit_of_site.tolist() == [0, 1, 2]


def test_absent_and_unknown_elements(rutile):
    crystal = standardise(rutile)
    with pytest.raises(AbsorberNotInCrystal, match="TiO2 holds no Fe; it holds O, Ti"):
        crystal.sites_of("Fe")
    with pytest.raises(UnknownElement):
        crystal.sites_of("Xx")


def test_sites_are_checked(rutile):
    crystal = standardise(rutile)
    assert crystal.checked_sites("O", None).tolist() == [2, 3, 4, 5]
    assert crystal.checked_sites("O", [4, 2]).tolist() == [4, 2]
    for sites, message in [
        ([], "at least one"),
        ([2, 2], "none of them twice"),
        ([0], "site 0 of TiO2 is not O; its O sites are 2-5"),
        ([6], "site 6"),
        ([-1], "at least 0, not -1"),
    ]:
        with pytest.raises(InvalidSites, match=message):
            crystal.checked_sites("O", sites)


def test_two_atoms_at_one_place_are_refused():
    iron = Structure(Lattice.cubic(2.87), ["Fe", "Fe"], [[0, 0, 0], [0, 0, 0.05]])
    with pytest.raises(OverlappingAtoms, match=r"sites [01] and [01] are 0.14 A apart"):
        standardise(iron)
    across = Structure(Lattice.cubic(2.87), ["Fe", "Fe"], [[0, 0, 0.01], [0, 0, 0.99]])
    with pytest.raises(OverlappingAtoms):
        standardise(across)


@pytest.mark.parametrize("species", [DummySpecies("X"), "Rf"])
def test_elements_without_features_are_refused(species):
    with pytest.raises(CrystalError, match="site 0 is"):
        standardise(Structure(Lattice.cubic(4), [species], [[0, 0, 0]]))


def test_source_is_the_path(tmp_path):
    path = tmp_path / "POSCAR"
    Structure(Lattice.cubic(2.87), ["Fe"], [[0, 0, 0]]).to(str(path), fmt="poscar")
    assert standardise(path).source == str(path)
    assert standardise(bulk("Fe")).source == ""
