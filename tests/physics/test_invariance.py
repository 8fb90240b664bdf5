"""One crystal, one answer: whatever its cell, orientation, origin and order of atoms."""

import numpy as np
import pyarrow.parquet
import pytest
from pymatgen.core import Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from cgxas.crystals.batch import collate
from cgxas.crystals.graph import crystal_graph
from cgxas.crystals.spec import GraphSpec
from cgxas.crystals.structure import standardise

SAME = 1e-5
SHEAR = [[1, 1, 0], [0, 1, 1], [1, 0, 2]]


def tracked(crystal: Structure) -> Structure:
    """Let every atom carry its index, which pymatgen keeps through all changes."""
    return crystal.copy(site_properties={"was": list(range(len(crystal)))})


def supercell(crystal: Structure, matrix) -> Structure:
    return crystal.copy().make_supercell(matrix, to_unit_cell=False)


def turned(crystal: Structure, matrix: np.ndarray) -> Structure:
    lattice = crystal.lattice.matrix @ matrix.T
    return Structure(
        lattice, crystal.species, crystal.frac_coords, site_properties=crystal.site_properties
    )


def rotated(crystal: Structure) -> Structure:
    matrix, _ = np.linalg.qr(np.random.default_rng(1).standard_normal((3, 3)))
    return turned(crystal, matrix * np.linalg.det(matrix))


def translated(crystal: Structure) -> Structure:
    moved = crystal.copy()
    moved.translate_sites(range(len(moved)), [0.313, -0.871, 1.459], to_unit_cell=False)
    return moved


def shuffled(crystal: Structure) -> Structure:
    order = np.random.default_rng(2).permutation(len(crystal))
    return Structure.from_sites([crystal[int(n)] for n in order])


CHANGES = {
    "2x1x1": lambda crystal: supercell(crystal, [2, 1, 1]),
    "another basis": lambda crystal: supercell(crystal, [[1, 1, 0], [0, 1, 0], [0, -1, 1]]),
    "sheared supercell": lambda crystal: supercell(crystal, SHEAR),
    "rotated": rotated,
    "translated": translated,
    "shuffled": shuffled,
    "mirror image": lambda crystal: turned(crystal, -np.eye(3)),
    "all together": lambda crystal: shuffled(translated(rotated(supercell(crystal, SHEAR)))),
}


def largest_difference(found: dict, expected: dict, changed: Structure) -> float:
    """Compare site by site; a site may have moved to another index."""
    was = changed.site_properties["was"]
    return max(float(np.abs(mu - expected[was[site]]).max()) for site, mu in found.items())


def test_every_description_gives_the_same_spectra(crystal, predictor, spectra_of_sites):
    crystal = tracked(crystal)
    expected = spectra_of_sites(predictor, crystal)
    apart = {}
    for name, change in CHANGES.items():
        changed = change(crystal)
        found = spectra_of_sites(predictor, changed)
        assert len(found) * len(crystal) == len(expected) * len(changed)
        apart[name] = largest_difference(found, expected, changed)
    assert {name: value for name, value in apart.items() if value > SAME} == {}


def test_standard_cells_give_the_same_spectra(crystal, predictor):
    analyser = SpacegroupAnalyzer(crystal, 0.01)
    cells = [
        crystal,
        analyser.get_primitive_standard_structure(),
        analyser.get_conventional_standard_structure(),
        crystal.get_reduced_structure(),
    ]
    first, *others = predictor.predict_each(cells, ["all"])
    for spectra in others:
        for expected, found in zip(first, spectra, strict=True):
            np.testing.assert_allclose(found.norm, expected.norm, rtol=0, atol=SAME)


def test_rounded_coordinates_hardly_matter(crystal, predictor, spectra_of_sites):
    # Coordinates of 5 digits are 5e-6 of some 10 A off. The answer changes with the distances,
    # which is physics; a jump to another cell or other neighbours would show as 1e-2.
    crystal = tracked(crystal)
    changed = translated(crystal)
    rounded = Structure(
        changed.lattice,
        changed.species,
        np.round(changed.frac_coords, 5),
        site_properties=changed.site_properties,
    )
    expected = spectra_of_sites(predictor, crystal)
    assert largest_difference(spectra_of_sites(predictor, rounded), expected, rounded) < 5e-4


def test_different_crystals_have_different_spectra(crystals, predictor):
    names = ["rutile", "anatase", "calcite", "quartz", "tenorite", "perovskite", "P1 cubic"]
    mu = [predictor.predict(crystals[name], "O").norm for name in names]
    for n, one in enumerate(mu):
        assert all(np.abs(one - other).max() > 100 * SAME for other in mu[:n])


@pytest.mark.parametrize(("name", "element"), [("perovskite", "Ti"), ("LiCoO2", "Co")])
def test_a_small_displacement_is_seen(built, predictor, name, element):
    crystal = built(name)
    moved = crystal.copy()
    moved.translate_sites([len(moved) - 1], [0.05, 0.0, 0.0], frac_coords=False)
    difference = predictor.predict(crystal, element).norm - predictor.predict(moved, element).norm
    assert np.abs(difference).max() > 100 * SAME


def test_equivalent_sites_share_one_spectrum(built, predictor):
    (spectra,) = predictor.predict_each([built("olivine")], ["all"])
    groups = {spectrum.absorber: [s.sites for s in spectrum.sites] for spectrum in spectra}
    assert groups == {
        "Li": [(0, 1, 2, 3)],
        "Fe": [(4, 5, 6, 7)],
        "P": [(8, 9, 10, 11)],
        "O": [(12, 13, 14, 15), (16, 17, 18, 19), tuple(range(20, 28))],
    }


def test_batch_equals_one_by_one(crystals, predictor):
    many = [translated(crystal) for crystal in crystals.values()] * 2
    assert len(many) == 50
    together = predictor.predict_each(many, ["all"])
    for crystal, spectra in zip(many, together, strict=True):
        (alone,) = predictor.predict_each([crystal], ["all"])
        for expected, found in zip(alone, spectra, strict=True):
            np.testing.assert_allclose(found.norm, expected.norm, rtol=0, atol=SAME)


def test_a_node_per_orbit_suffices_without_waves(crystal, predictor_without_waves):
    network = predictor_without_waves.model.network
    standard = standardise(crystal)
    full = network(collate([crystal_graph(standard.cell, GraphSpec())])).numpy()
    graph = crystal_graph(standard.cell, GraphSpec(), standard.orbit_of_atom)
    short = network(collate([graph])).numpy()
    assert len(short) == standard.orbit_of_atom.max() + 1
    assert graph.multiplicity.tolist() == np.bincount(standard.orbit_of_atom).tolist()
    np.testing.assert_allclose(short[standard.orbit_of_atom], full, rtol=0, atol=SAME)


def test_sites_are_followed_without_waves(crystal, predictor_without_waves, spectra_of_sites):
    changed = shuffled(tracked(crystal))
    expected = spectra_of_sites(predictor_without_waves, crystal)
    found = spectra_of_sites(predictor_without_waves, changed)
    assert largest_difference(found, expected, changed) < SAME
    standard = standardise(crystal)
    graph = crystal_graph(standard.cell, GraphSpec())
    full = predictor_without_waves.model.network(collate([graph])).numpy()
    for site, mu in expected.items():
        atom = np.flatnonzero(standard.orbit_of_atom == standard.orbit_of_site[site])[0]
        np.testing.assert_allclose(mu, full[atom], rtol=0, atol=SAME)


@pytest.mark.parametrize("name", ["iron", "P23", "perovskite"])
def test_ties_are_settled_alike_in_every_order_and_cell(built, name):
    crystal = tracked(built(name))
    graphs = [
        crystal_graph(standardise(each).cell, GraphSpec())
        for each in (crystal, *(change(crystal) for change in CHANGES.values()))
    ]

    def seen(graph) -> list:
        """What each node sees: species, distances and, up to sign, plane-wave phases."""
        fractional = graph.neighbour_vector @ np.linalg.inv(graph.lattice)
        kinds = graph.numbers[graph.neighbour_index]
        even = np.abs(np.cos(2 * np.pi * fractional / 8)).prod(axis=2)
        rows = [
            (
                int(z),
                *sorted(zip(k.tolist(), d.round(5).tolist(), e.round(5).tolist(), strict=True)),
            )
            for z, k, d, e in zip(graph.numbers, kinds, graph.distance, even, strict=True)
        ]
        return sorted(rows)

    for graph in graphs[1:]:
        assert seen(graph) == seen(graphs[0])


def test_crystals_of_the_data(shared, predictor, spectra_of_sites):
    table = pyarrow.parquet.read_table(
        shared / "data" / "sim_feff9" / "materials.parquet",
        columns=["material_id", "lattice", "species", "frac_coords"],
    )
    small = [row for row in table.to_pylist() if len(row["species"]) <= 16]
    failures = {}
    for n in np.random.default_rng(40).permutation(len(small))[:40]:
        row = small[n]
        lattice, places = (np.reshape(row[key], (-1, 3)) for key in ("lattice", "frac_coords"))
        crystal = tracked(Structure(lattice, row["species"], places))
        expected = spectra_of_sites(predictor, crystal)
        for name in ("2x1x1", "rotated", "shuffled", "all together"):
            changed = CHANGES[name](crystal)
            found = spectra_of_sites(predictor, changed)
            apart = largest_difference(found, expected, changed)
            if apart > SAME:
                failures[row["material_id"], name] = apart
    assert failures == {}
