import numpy as np
import pytest

from cgxas.crystals.batch import collate
from cgxas.crystals.graph import _pairs
from cgxas.model.cgxas.basis import gaussian_basis, plane_waves
from cgxas.model.cgxas.layers import node_features

BASIS = {"f64": 1e-10, "f32": 2e-6}


@pytest.fixture
def expected(goldens, structure) -> dict[str, np.ndarray]:
    return goldens.arrays(f"graph_{structure}")


@pytest.fixture
def graph(goldens, structure):
    return goldens.graph(structure)


def test_one_hot_of_all_elements(goldens, report):
    expected = goldens.arrays("node_onehot")
    assert expected["atomic_number"].tolist() == list(range(1, 104))
    table = node_features().numpy()
    assert (table.sum(axis=1) == 6).all()
    hot = np.nonzero(table)[1].reshape(103, 6)
    report.compare("one-hot, 103 elements", hot, expected["hot_index"], 0)


def test_one_hot_of_the_atoms(graph, expected, report):
    found = node_features().numpy()[graph.numbers - 1]
    report.compare("one-hot, atoms", found, expected["node_features"], 0)


def test_count_within_the_cutoff(goldens, structure, expected, report):
    cell = goldens.cell(structure)
    centre, *_ = _pairs(cell, np.arange(len(cell.numbers)), 8.0)
    count = np.bincount(centre, minlength=len(cell.numbers))
    report.compare("neighbours within 8 A", count, expected["n_neighbours_within_cutoff"], 0)


def test_neighbours(graph, expected, report):
    report.compare("neighbour index", graph.neighbour_index, expected["neighbour_index"], 0)
    # Two images of the atom itself at +v and -v are equally far: either may come first.
    own = graph.neighbour_index == np.arange(len(graph.numbers))[:, None]
    own &= expected["edge_mask"]
    against = own & (graph.neighbour_image != expected["neighbour_image"]).any(axis=2)
    sign = np.where(against, -1, 1)[..., None]
    report.compare("neighbour image", sign * graph.neighbour_image, expected["neighbour_image"], 0)
    vector = expected["neighbour_vector"]
    report.compare("neighbour vector", sign * graph.neighbour_vector, vector, 1e-10)


def test_distances_and_mask(graph, expected, precision, dtype, report):
    batch = collate([graph], dtype)
    assert np.array_equal(batch.mask.numpy(), expected["edge_mask"])
    allowed = {"f64": 1e-14, "f32": 1e-7}[precision]
    distance = expected[f"distance_{precision}"]
    report.compare("distance (relative)", batch.distance.numpy(), distance, allowed, relative=True)


def test_bases(graph, expected, precision, dtype, report):
    batch = collate([graph], dtype)
    gaussians = gaussian_basis(batch.distance, 64, 8.0).numpy()
    report.compare("Gaussians", gaussians, expected[f"gaussian_{precision}"], BASIS[precision])
    volume = batch.volume[:, None].expand_as(batch.distance)
    waves = plane_waves(batch.fractional, volume, 4).numpy()
    report.compare("plane waves", waves, expected[f"plane_wave_{precision}"], BASIS[precision])
