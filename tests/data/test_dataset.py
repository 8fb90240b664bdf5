import dataclasses

import numpy as np
import pytest
import torch

from cgxas.data.dataset import LEFT_WEIGHT, build_dataset, pool, site_graph
from cgxas.data.records import read_records
from cgxas.errors import DatasetError
from cgxas.model.config import ModelConfig
from cgxas.spectra.windows import WINDOWS

CONFIG = ModelConfig(hidden=4, n_modules=1)


@pytest.fixture
def records(folder):
    return read_records([folder]).records


@pytest.fixture
def dataset(records):
    return build_dataset(records, WINDOWS, CONFIG)


def shifted(record, first: float, last: float):
    """The record's spectrum over other energies, relative to the grid's first one."""
    start = WINDOWS[record.element].e_min
    energy = np.linspace(start + first, start + last, 40)
    return dataclasses.replace(record, energy=energy, mu=np.linspace(0.5, 1.5, 40))


def test_one_graph_per_crystal_and_one_target_per_record(dataset):
    assert len(dataset) == 3
    assert len(dataset.graphs) == 2
    assert dataset.targets.crystal.tolist() == [0, 0, 1]
    assert dataset.targets.numbers.tolist() == [22, 8, 26]
    assert dataset.targets.certain.tolist() == [True, False, True]


def test_spectra_lie_on_the_grid(dataset, records):
    expected = np.interp(WINDOWS["Ti"].energies, records[0].energy, records[0].mu)
    np.testing.assert_allclose(dataset.targets.mu[0], expected, rtol=1e-6)
    assert (dataset.targets.computed == 1).all()
    assert (dataset.targets.weight == 1).all()


def test_what_was_not_computed_has_no_weight(records):
    targets = build_dataset([shifted(records[2], 10.0, 35.0)], WINDOWS, CONFIG).targets
    energy = WINDOWS["Fe"].energies - WINDOWS["Fe"].e_min
    before, after = energy < 10, energy > 35
    assert before.sum() > 10
    assert after.sum() > 10
    assert (targets.computed[0] == ~(before | after)).all()
    assert targets.weight[0, before] == pytest.approx(LEFT_WEIGHT)
    assert (targets.weight[0, after] == 0).all()
    assert (targets.weight[0, ~(before | after)] == 1).all()
    first = targets.mu[0][~before][0]
    assert (targets.mu[0, before] == first).all()
    assert np.isfinite(targets.mu).all()


def test_spectrum_outside_the_window_is_refused(records):
    with pytest.raises(DatasetError, match="c has no point between the energies of the Fe grid"):
        build_dataset([shifted(records[2], 100.0, 150.0)], WINDOWS, CONFIG)


def test_nodes_of_a_site_are_its_orbit(records):
    rutile = records[0].material
    graph, nodes = site_graph(rutile, CONFIG)
    for site, of_site in enumerate(nodes):
        assert (graph.numbers[of_site] == rutile.cell.numbers[site]).all()
    assert sorted(nodes[2]) == sorted(nodes[5])
    assert [len(of_site) for of_site in nodes] == [2, 2, 4, 4, 4, 4]


def test_nodes_without_waves_and_in_the_cell_as_given(records):
    rutile = records[0].material
    graph, nodes = site_graph(rutile, dataclasses.replace(CONFIG, wave_numbers=0))
    assert len(graph.numbers) == 2
    assert [graph.numbers[n].tolist() for n in nodes] == [[22], [22], [8], [8], [8], [8]]
    graph, nodes = site_graph(rutile, dataclasses.replace(CONFIG, cell="as_given"))
    assert [n.tolist() for n in nodes] == [[0], [1], [2], [3], [4], [5]]
    np.testing.assert_array_equal(graph.lattice, rutile.cell.lattice)


def test_batch_joins_each_crystal_once(dataset):
    batch = dataset.batch(np.array([2, 1, 0]))
    assert batch.graphs.offsets == (0, 6, 7)
    numbers = batch.graphs.numbers[batch.nodes]
    for target, expected in enumerate((26, 8, 22)):
        assert set(numbers[batch.target_of_node == target].tolist()) == {expected}
    assert torch.bincount(batch.target_of_node).tolist() == [1, 4, 2]
    np.testing.assert_array_equal(batch.mu.numpy(), dataset.targets.mu[[2, 1, 0]])


def test_pooling_is_the_mean():
    spectra = torch.tensor([[1.0, 2.0], [3.0, 4.0], [10.0, 20.0]])
    found = pool(spectra, torch.tensor([1, 1, 0]), 2)
    assert found.tolist() == [[10.0, 20.0], [2.0, 3.0]]
