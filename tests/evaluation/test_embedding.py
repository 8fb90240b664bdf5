from pathlib import Path

import numpy as np
import pytest
import torch
from ase.build import molecule
from pymatgen.core import Lattice, Structure

from cgxas.crystals.batch import collate
from cgxas.crystals.canonical import Cell, settled_cell
from cgxas.crystals.graph import crystal_graph, graph_of
from cgxas.crystals.spec import GraphSpec
from cgxas.crystals.structure import standardise
from cgxas.errors import DatasetError, UnknownElement, UnreadableCrystal
from cgxas.evaluation.embedding import embed_crystals, neighbour, read_crystals
from cgxas.model.checkpoint import Checkpoint, load_checkpoint


@pytest.fixture
def checkpoint(random_model) -> Checkpoint:
    return load_checkpoint(random_model)


@pytest.fixture
def spinel(tmp_path) -> Path:
    """A file with Fe3O4: 8 tetrahedral and 16 octahedral iron atoms, 32 oxygen atoms."""
    structure = Structure.from_spacegroup(
        "Fd-3m",
        Lattice.cubic(8.39),
        ["Fe", "Fe", "O"],
        [[0, 0, 0], [0.625, 0.625, 0.625], [0.3799, 0.3799, 0.3799]],
    )
    structure.to(filename=str(tmp_path / "Fe3O4.cif"))
    return tmp_path / "Fe3O4.cif"


def test_one_row_per_distinct_site(checkpoint, spinel):
    sites = embed_crystals(checkpoint, read_crystals([spinel], GraphSpec()))
    assert sites.source.tolist() == ["Fe3O4.cif"] * 3
    assert sites.formula.tolist() == ["Fe3O4"] * 3
    rows = {
        (e, int(m), n)
        for e, m, n in zip(sites.element, sites.multiplicity, sites.neighbour, strict=True)
    }
    assert rows == {("Fe", 8, "O"), ("Fe", 16, "O"), ("O", 32, "Fe")}
    structure = Structure.from_file(spinel)
    assert [structure[int(n)].specie.symbol for n in sites.site] == sites.element.tolist()
    assert sites.vector.shape == (3, 16)
    assert sites.vector.dtype == np.float32
    assert sites.model == "random"


def test_vectors_are_what_the_network_embeds(checkpoint, oxides):
    crystals = read_crystals([oxides], GraphSpec())
    sites = embed_crystals(checkpoint, crystals)
    assert len(sites) == 18
    crystal = crystals["oxides/m4"]
    spec = checkpoint.config.graph
    found = graph_of(settled_cell(crystal.cell, spec), spec)
    graph, nodes = found.graph, found.nodes_of_site
    with torch.no_grad():
        vectors = checkpoint.network().embed(collate([graph])).numpy()
    for site in (0, 7):
        wanted = vectors[nodes[site]].mean(axis=0)
        row = (sites.source == "oxides/m4") & (sites.site == 4 * (site // 4))
        np.testing.assert_allclose(sites.vector[row][0], wanted, rtol=1e-5, atol=1e-6)


def test_a_file_and_a_data_set_give_one_crystal_the_same_vectors(checkpoint, oxides, tmp_path):
    cell = read_crystals([oxides], GraphSpec())["oxides/m1"].cell
    Structure(Lattice(cell.lattice), cell.numbers, cell.frac).to(filename=str(tmp_path / "m.cif"))
    crystals = read_crystals([tmp_path / "m.cif", oxides], GraphSpec())
    sites = embed_crystals(checkpoint, crystals, ["O"])
    from_data = sites.vector[sites.source == "oxides/m1"]
    np.testing.assert_allclose(sites.vector[:1], from_data, rtol=1e-4, atol=1e-5)


def test_only_wanted_elements_and_sites(checkpoint, oxides):
    crystals = read_crystals([oxides], GraphSpec())
    assert set(embed_crystals(checkpoint, crystals, ["Fe", "Ni"]).element) == {"Fe", "Ni"}
    wanted = {name: {6} if name == "oxides/m2" else set() for name in crystals}
    (row,) = embed_crystals(checkpoint, crystals, sites=wanted).source.tolist()
    assert row == "oxides/m2"
    seen: list[None] = []
    with pytest.raises(DatasetError, match="no site of Xe"):
        embed_crystals(checkpoint, crystals, ["Xe"], on_crystal=lambda: seen.append(None))
    assert len(seen) == 9
    with pytest.raises(UnknownElement):
        embed_crystals(checkpoint, crystals, ["Qq"])


def test_atoms_of_a_molecule_are_sites(checkpoint):
    sites = embed_crystals(checkpoint, {"water": standardise(molecule("H2O"))})
    assert sites.element.tolist() == ["O", "H"]
    assert sites.multiplicity.tolist() == [1, 2]
    assert sites.neighbour.tolist() == ["H", "O"]


def test_sources_that_cannot_be_read_are_named(oxides, tmp_path):
    (tmp_path / "text.cif").write_text("Dear editor")
    with pytest.raises(UnreadableCrystal, match=r"text\.cif"):
        read_crystals([tmp_path / "text.cif"], GraphSpec())
    with pytest.raises(DatasetError, match=r"materials\.parquet is missing"):
        read_crystals([tmp_path], GraphSpec())
    with pytest.raises(DatasetError, match="two crystals are called oxides/m0"):
        read_crystals([oxides, oxides], GraphSpec())


def around_iron(*atoms: tuple[int, float]) -> str:
    """The neighbour of an iron atom in a large box with these atoms (number, distance)."""
    directions = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [-1, 0, 0]])[: len(atoms)]
    shift = [d * v for (_, d), v in zip(atoms, directions, strict=True)]
    cart = 15.0 + np.array([np.zeros(3), *shift])
    numbers = np.array([26, *(number for number, _ in atoms)])
    return neighbour(crystal_graph(Cell(np.eye(3) * 30, cart / 30, numbers), GraphSpec()), 0)


def test_neighbour_is_the_most_common_in_the_first_shell():
    assert around_iron((8, 2.0), (16, 2.2), (16, 2.3)) == "S"
    assert around_iron((8, 2.0), (16, 2.6), (16, 2.6)) == "O", "sulphur is beyond the shell"


def test_the_nearer_of_equally_common_neighbours_counts():
    assert around_iron((16, 2.2), (8, 2.0)) == "O"
    assert around_iron((16, 2.0), (8, 2.2)) == "S"


def test_own_element_counts_only_where_there_is_no_other():
    assert around_iron((26, 2.0), (26, 2.0), (26, 2.1), (8, 2.3)) == "O"
    assert around_iron((26, 2.4), (8, 3.5)) == "Fe"
    assert around_iron() == ""
