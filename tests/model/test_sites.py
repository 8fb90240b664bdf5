"""Batches of bounded size, and which nodes a spectrum is the mean of."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from ase.build import bulk

from cgxas.crystals.graph import SiteGraph, graph_of
from cgxas.crystals.spec import GraphSpec
from cgxas.crystals.structure import standardise
from cgxas.model.sites import AbsorberSites, in_batches, shares


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([], []),
        ([1], [[1]]),
        ([2, 2, 2, 2], [[2, 2], [2, 2]]),
        ([9, 1, 1, 1], [[9], [1, 1, 1]]),
        ([1, 1, 9, 1], [[1, 1, 9], [1]]),
        ([4, 0, 0, 4], [[4], [0, 0, 4]]),
    ],
)
def test_batches_end_where_the_limit_is_reached(sizes, expected):
    assert list(in_batches(sizes, lambda size: size, 4)) == expected


def test_no_more_is_taken_than_a_batch_needs():
    taken = []

    def items() -> Iterator[int]:
        for n in range(100):
            taken.append(n)
            yield n

    batches = in_batches(items(), lambda _: 1, 3)
    assert (next(batches), taken) == ([0, 1, 2], [0, 1, 2])
    assert (next(batches), len(taken)) == ([3, 4, 5], 6)


def test_the_mean_is_weighted_by_the_shares():
    sites = AbsorberSites(
        absorber="Fe",
        vectors=torch.zeros(2, 3),
        share=np.array([0.25, 0.75]),
        simulated=np.array([[0.0, 4.0], [8.0, 0.0]]),
        energies=np.array([[0.0, 1.0], [0.0, 1.0]]),
        start=0.0,
        width=None,
        state=np.zeros((2, 2)),
        cell=None,
        atoms=np.arange(2),
    )
    assert len(sites) == 2
    np.testing.assert_array_equal(sites.mean, [[0.0, 1.0], [6.0, 1.0]])
    assert (sites.fidelity, sites.name) == (None, "")


def made(nodes_of_site: list[list[int]]) -> SiteGraph:
    return SiteGraph(None, [np.array(nodes) for nodes in nodes_of_site], None, None)


@pytest.mark.parametrize(
    ("nodes_of_site", "wanted", "nodes", "share"),
    [
        ([[0], [1]], [0, 1], [0, 1], [0.5, 0.5]),
        ([[0], [1]], [1], [1], [1.0]),
        ([[0], [0], [0], [1]], [0, 1, 2, 3], [0, 1], [0.75, 0.25]),
        ([[0, 1], [0, 1], [2]], [0, 1, 2], [0, 1, 2], [1 / 3, 1 / 3, 1 / 3]),
        ([[0, 1], [2]], [0, 1], [0, 1, 2], [0.25, 0.25, 0.5]),
        ([[5], [3]], [0, 1], [3, 5], [0.5, 0.5]),
    ],
)
def test_sites_count_alike_and_share_their_nodes(nodes_of_site, wanted, nodes, share):
    found, weight = shares(made(nodes_of_site), np.array(wanted))
    assert found.tolist() == nodes
    assert weight.tolist() == pytest.approx(share)


@pytest.mark.parametrize("per_orbit", [False, True])
def test_shares_of_a_crystal_add_up_to_one(per_orbit):
    spec = GraphSpec(per_orbit=per_orbit)
    crystal = standardise(bulk("NiO", "rocksalt", 4.17, cubic=True), spec)
    graph = graph_of(crystal, spec)
    nickel = crystal.checked_sites("Ni", None)
    assert len(nickel) == 4
    nodes, share = shares(graph, nickel)
    assert share.sum() == pytest.approx(1.0)
    assert set(graph.graph.numbers[nodes].tolist()) == {28}
