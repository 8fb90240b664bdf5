"""From records to flat arrays: orbits, grids, and the folder of compiled data sets."""

import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch

from cgxas.crystals.canonical import Cell, settled_cell
from cgxas.crystals.graph import CrystalGraph, graph_of
from cgxas.crystals.spec import GraphSpec
from cgxas.data import compile as compiling
from cgxas.data.compile import build_dataset, compiled, content_hash, on_grids
from cgxas.data.dataset import LEFT_WEIGHT, Dataset
from cgxas.data.folder import read_records
from cgxas.data.record import Material
from cgxas.errors import DatasetError
from cgxas.model.cgxas.config import CGXASConfig
from cgxas.spectra.xray import WINDOWS, windows

CONFIG = CGXASConfig(hidden=4, n_modules=1)
DISTANCES = replace(CONFIG, wave_numbers=0, graph=GraphSpec(per_orbit=True))


def site_graph(cell: Cell, config: CGXASConfig) -> tuple[CrystalGraph, Sequence[np.ndarray]]:
    found = graph_of(settled_cell(cell, config.graph), config.graph)
    return found.graph, found.nodes_of_site


@pytest.fixture
def records(folder):
    return read_records([folder]).records


def shifted(record, first: float, last: float):
    """The record's spectrum over other energies, relative to the grid's first one."""
    start = WINDOWS[record.element, "K"].e_min
    energy = np.linspace(start + first, start + last, 40)
    return replace(record, energy=energy, norm=np.linspace(0.5, 1.5, 40))


def molecule_of_iron() -> Material:
    """Four iron atoms on two orbits, three and one, of a cell with a threefold axis."""
    lattice = np.array([[6.0, 0, 0], [-3, 27**0.5, 0], [0, 0, 9]])
    places = [[0.2, 0, 0], [0, 0.2, 0], [-0.2, -0.2, 0], [0, 0, 0.15], [0, 0, 0.5]]
    return Material("m", "Fe4O", Cell(lattice, np.array(places), np.array([26] * 4 + [8])))


def test_one_graph_per_crystal_and_one_target_per_record(records):
    dataset = build_dataset(records, windows(), CONFIG)
    assert (len(dataset), dataset.n_crystals) == (4, 2)
    assert dataset.crystal.tolist() == [0, 0, 1, 1]
    assert dataset.absorber.tolist() == [22, 8, 26, 26]
    assert dataset.certain.tolist() == [True, False, True, True]
    assert dataset.key.tolist() == [record.key for record in records]
    assert dataset.formula.tolist() == ["TiO2", "Fe"]
    assert dataset.node_start.tolist() == [0, 6, 7]
    assert dataset.sha256 == content_hash(records, windows(), CONFIG)


def test_crystals_stay_apart_whatever_the_order_of_records(records):
    found = build_dataset([records[n] for n in (2, 0, 3, 1)], windows(), DISTANCES)
    assert found.crystal.tolist() == [0, 1, 0, 1]
    assert found.formula.tolist() == ["Fe", "TiO2"]
    assert [found.numbers[:1].tolist(), sorted(found.numbers[1:].tolist())] == [[26], [8, 22]]


def test_spectra_lie_on_the_grid(records):
    mu, computed = on_grids(records, windows(), 100)
    assert mu.dtype == np.float32
    expected = np.interp(WINDOWS["Ti", "K"].energies, records[0].energy, records[0].norm)
    np.testing.assert_allclose(mu[0], expected, rtol=1e-6)
    assert computed.tolist() == [[0, 100]] * 4


def test_what_was_not_computed_has_no_weight(records):
    one = shifted(records[2], 10.0, 35.0)
    energy = WINDOWS["Fe", "K"].energies - WINDOWS["Fe", "K"].e_min
    before, after = energy < 10, energy > 35
    mu, computed = on_grids([one], windows(), 100)
    assert computed.tolist() == [[before.sum(), 100 - after.sum()]]
    assert before.sum() > 10
    assert after.sum() > 10
    assert (mu[0, before] == mu[0][~before][0]).all()
    assert (mu[0, after] == 0).all()
    known, weight = build_dataset([one], windows(), CONFIG).weights(torch.tensor([0]))
    assert known[0].numpy().astype(bool).tolist() == (~(before | after)).tolist()
    assert weight[0, before].numpy() == pytest.approx(LEFT_WEIGHT)
    assert (weight[0, after] == 0).all()


def test_spectra_that_fit_no_grid_are_refused(records):
    with pytest.raises(DatasetError, match="c has no point between the energies of the Fe grid"):
        build_dataset([shifted(records[2], 100.0, 150.0)], windows(), CONFIG)
    with pytest.raises(DatasetError, match="c is of Au, for which there is no energy grid"):
        build_dataset([replace(records[2], element="Au")], windows(), CONFIG)
    with pytest.raises(DatasetError, match="holds no spectra"):
        build_dataset([], windows(), CONFIG)


def test_nodes_of_a_site_are_its_orbit(records):
    rutile = records[0].material.cell
    graph, nodes = site_graph(rutile, CONFIG)
    for site, of_site in enumerate(nodes):
        assert (graph.numbers[of_site] == rutile.numbers[site]).all()
    assert sorted(nodes[2]) == sorted(nodes[5])
    assert [len(of_site) for of_site in nodes] == [2, 2, 4, 4, 4, 4]


def test_nodes_without_waves_and_in_the_cell_as_given(records):
    rutile = records[0].material.cell
    graph, nodes = site_graph(rutile, DISTANCES)
    assert len(graph.numbers) == 2
    assert [graph.numbers[n].tolist() for n in nodes] == [[22], [22], [8], [8], [8], [8]]
    graph, nodes = site_graph(rutile, replace(CONFIG, graph=GraphSpec(cell="as_given")))
    assert [n.tolist() for n in nodes] == [[0], [1], [2], [3], [4], [5]]
    np.testing.assert_array_equal(graph.lattice, rutile.lattice)


@pytest.mark.parametrize("waves", [0, 4])
def test_averaged_spectrum_weighs_orbits_by_their_atoms(records, waves):
    averaged = replace(records[3], material=molecule_of_iron(), sites=np.arange(4))
    dataset = build_dataset([averaged], windows(), CONFIG if waves else DISTANCES)
    shares = sorted(dataset.share.tolist())
    assert shares == pytest.approx([0.25] * 4 if waves else [0.25, 0.75])
    assert len(set(dataset.member.tolist())) == len(shares)


def test_a_mean_over_some_sites_counts_each_as_often_as_it_stands(records):
    some = replace(records[3], material=molecule_of_iron(), sites=np.array([0, 2, 3]))
    dataset = build_dataset([some], windows(), DISTANCES)
    assert sorted(dataset.share.tolist()) == pytest.approx([1 / 3, 2 / 3])


def counted(monkeypatch) -> list[int]:
    """Remember the size of every data set that is really compiled."""
    sizes: list[int] = []
    build = compiling._build

    def watched(records, *others):
        sizes.append(len(records))
        return build(records, *others)

    monkeypatch.setattr(compiling, "_build", watched)
    return sizes


def test_same_content_is_compiled_once(records, folder, tmp_path, monkeypatch):
    built, cache = counted(monkeypatch), tmp_path / "cache"
    first = compiled(records, windows(), CONFIG, cache)
    again = compiled(read_records([folder]).records, windows(), replace(CONFIG, hidden=8), cache)
    assert built == [4]
    assert [path.name for path in cache.iterdir()] == [first.sha256]
    expected = build_dataset(records, windows(), CONFIG)
    for name, tensor in expected.tensors.items():
        assert torch.equal(first.tensors[name], tensor)
        assert torch.equal(again.tensors[name], tensor)


def test_cache_lies_where_the_environment_says(records, tmp_path, monkeypatch):
    monkeypatch.setenv("CGXAS_CACHE", str(tmp_path / "there"))
    found = compiled(records, windows(), CONFIG)
    assert [path.name for path in (tmp_path / "there").iterdir()] == [found.sha256]
    monkeypatch.delenv("CGXAS_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    compiled(records, windows(), CONFIG)
    assert (tmp_path / "home" / ".cache" / "cgxas" / found.sha256).is_dir()


def test_damaged_cache_is_told_and_not_used(records, tmp_path):
    found = compiled(records, windows(), CONFIG, tmp_path / "cache")
    (tmp_path / "cache" / found.sha256 / "norm.npy").unlink()
    with pytest.raises(DatasetError, match="damaged"):
        compiled(records, windows(), CONFIG, tmp_path / "cache")


def changed_mu(records):
    mu = records[1].norm.copy()
    mu[17] += 1e-9
    return [records[0], replace(records[1], norm=mu), *records[2:]]


def moved_atom(records):
    cell = records[0].material.cell
    frac = cell.frac.copy()
    frac[3, 0] += 1e-9
    rutile = replace(records[0].material, cell=Cell(cell.lattice, frac, cell.numbers))
    return [replace(record, material=rutile) for record in records[:2]] + list(records[2:])


def of_another_polymorph(records):
    """The last spectrum is of the first crystal, which has the formula of the second."""
    other = replace(records[3], material=records[0].material)
    return [*records[:3], other]


CONTENTS = {
    "mu": lambda r: (changed_mu(r), windows(), CONFIG),
    "energy": lambda r: ([*r[:3], replace(r[3], energy=r[3].energy + 1e-6)], windows(), CONFIG),
    "atom": lambda r: (moved_atom(r), windows(), CONFIG),
    "crystal of a spectrum": lambda r: (of_another_polymorph(r), windows(), CONFIG),
    "site": lambda r: ([*r[:3], replace(r[3], sites=np.array([0]))], windows(), CONFIG),
    "certainty": lambda r: ([*r[:3], replace(r[3], site_certain=False)], windows(), CONFIG),
    "fidelity": lambda r: ([*r[:3], replace(r[3], fidelity="VASP")], windows(), CONFIG),
    "name": lambda r: ([*r[:3], replace(r[3], spectrum_id="other")], windows(), CONFIG),
    "fewer": lambda r: (r[:3], windows(), CONFIG),
    "order": lambda r: (r[::-1], windows(), CONFIG),
    "grid": lambda r: (r, {**windows(), "Fe": replace(WINDOWS["Fe", "K"], e_min=7110.0)}, CONFIG),
    "waves": lambda r: (r, windows(), DISTANCES),
    "cell": lambda r: (r, windows(), replace(CONFIG, graph=GraphSpec(cell="as_given"))),
    "outputs": lambda r: (r, windows(), replace(CONFIG, n_outputs=50)),
}


def test_whatever_decides_the_arrays_decides_the_hash(records):
    same = replace(records[0].material, formula="Fe")
    records = [*(replace(record, material=same) for record in records[:2]), *records[2:]]
    hashes = {name: content_hash(*change(records)) for name, change in CONTENTS.items()}
    hashes["as it is"] = content_hash(records, windows(), CONFIG)
    for (one, a), (other, b) in itertools.combinations(hashes.items(), 2):
        assert a != b, f"{one} and {other}"


def test_cutoff_and_code_decide_too(records, tmp_path, monkeypatch):
    before = content_hash(records, windows(), CONFIG)
    for graph in (GraphSpec(cutoff=6.0), GraphSpec(neighbours=11), GraphSpec(symprec=0.1)):
        assert content_hash(records, windows(), replace(CONFIG, graph=graph)) != before
    (tmp_path / "graph.py").write_text("other code")
    monkeypatch.setattr(compiling.graph, "__file__", str(tmp_path / "graph.py"))
    assert content_hash(records, windows(), CONFIG) != before


def test_many_crystals_are_compiled_by_several_processes(records, monkeypatch):
    alone = build_dataset(records, windows(), CONFIG)
    monkeypatch.setattr(compiling, "_WORTH_PROCESSES", 2)
    together: Dataset = build_dataset(records, windows(), CONFIG)
    for name, tensor in alone.tensors.items():
        assert torch.equal(together.tensors[name], tensor)
