import numpy as np
import pytest

from cgxas.crystals.canonical import Cell
from cgxas.data.folder import read_records
from cgxas.data.sources.feff_site import matching_sites, single_orbit, surroundings


def cell_of(structure) -> Cell:
    return Cell(
        np.array(structure.lattice.matrix),
        np.array(structure.frac_coords),
        np.array([site.specie.Z for site in structure]),
    )


@pytest.fixture
def cell(two_sites) -> Cell:
    return cell_of(two_sites)


def test_surroundings_of_rutile(rutile):
    numbers, places = surroundings(cell_of(rutile), 0, 2.5)
    assert numbers.tolist() == [8] * 6
    distances = np.sort(np.linalg.norm(places, axis=1))
    np.testing.assert_allclose(distances, [1.9478] * 4 + [1.98155] * 2, atol=1e-3)


@pytest.mark.parametrize("site", range(5))
def test_sites_are_found_again_however_the_cluster_is_turned(cell, site):
    numbers, places = surroundings(cell, site, 8.0)
    turned, _ = np.linalg.qr(np.random.default_rng(site).normal(size=(3, 3)))
    mixed = np.random.default_rng(site).permutation(len(numbers))
    absorber = int(cell.numbers[site])
    found = matching_sites(cell, absorber, numbers[mixed], (places @ turned)[mixed])
    assert found.tolist() == [site]


def test_equivalent_sites_are_one_orbit_and_others_are_not(cell, rutile):
    numbers, places = surroundings(cell_of(rutile), 3, 8.0)
    found = matching_sites(cell_of(rutile), 8, numbers, places)
    assert found.tolist() == [2, 3, 4, 5]
    assert single_orbit(cell_of(rutile), found)
    assert not single_orbit(cell, np.array([1, 3]))
    assert single_orbit(cell, np.array([3]))


def test_nearest_agreement_wins():
    """Two sites that differ by 0.02 A are told apart, though both are near enough."""
    frac = np.array([[0, 0, 0], [0.5, 0, 0], [0.2, 0, 0], [0.702, 0, 0]])
    near = Cell(np.diag([10.0, 4.0, 4.0]), frac, np.array([26, 26, 8, 8]))
    for site in (0, 1):
        assert matching_sites(near, 26, *surroundings(near, site, 5.0)).tolist() == [site]


def test_other_crystal_element_or_distance_does_not_fit(cell, rutile):
    numbers, places = surroundings(cell, 1, 8.0)
    assert not len(matching_sites(cell_of(rutile), 22, numbers, places))
    assert not len(matching_sites(cell, 22, np.where(numbers == 8, 16, numbers), places))
    assert not len(matching_sites(cell, 22, numbers, 1.03 * places))
    without = np.argsort(np.linalg.norm(places, axis=1))[1:]
    assert not len(matching_sites(cell, 22, numbers[without], places[without]))
    assert matching_sites(cell, 22, numbers, 1.003 * places).tolist() == [1]


def test_outermost_shell_may_be_cut(cell):
    numbers, places = surroundings(cell, 1, 5.5)
    order = np.argsort(np.linalg.norm(places, axis=1))
    assert matching_sites(cell, 22, numbers[order[:-1]], places[order[:-1]]).tolist() == [1]


def test_real_crystals(shared):
    """What docs/howto/datasets.md says."""
    records = read_records([shared / "data" / "sim_feff10"]).records
    found = 0
    random = np.random.default_rng(0)
    for record in records:
        cell, (site,) = record.material.cell, record.sites
        numbers, places = surroundings(cell, site, 8.0)
        turned, _ = np.linalg.qr(random.normal(size=(3, 3)))
        cluster = np.round(places @ turned, 5)
        found += site in matching_sites(cell, int(cell.numbers[site]), numbers, cluster)
    assert found == len(records)
