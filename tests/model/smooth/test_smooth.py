"""The smooth network: no cell, no order, no count, no jump."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from pymatgen.core import Lattice, Structure

from cgxas.crystals.batch import collate
from cgxas.crystals.canonical import settled_cell
from cgxas.crystals.graph import SiteGraph, graph_of
from cgxas.crystals.spec import GraphSpec
from cgxas.crystals.structure import settled
from cgxas.data.dataset import Dataset
from cgxas.errors import ConfigError
from cgxas.model.architecture import Targets, build
from cgxas.model.cgxas.config import CGXASConfig
from cgxas.model.checkpoint import Checkpoint, load_checkpoint
from cgxas.model.smooth.config import GRAPH, SmoothConfig
from cgxas.model.smooth.harmonics import RadialFunctions, harmonics
from cgxas.model.smooth.network import Smooth

Spectra = Callable[[Structure], torch.Tensor]
CONFIG = SmoothConfig(
    width=12,
    n_layers=2,
    channels=8,
    products=6,
    readout_channels=8,
    readout_products=6,
    readout_width=16,
)
EACH = GraphSpec(cutoff=5.5, neighbours=0, cell="as_given")


@pytest.fixture(scope="module")
def network() -> Smooth:
    torch.manual_seed(3)
    made = Smooth(CONFIG).double().requires_grad_(False).eval()
    with torch.no_grad():
        made.typical.weight.mul_(0.2).add_(1)
        made.fidelity.weight.normal_(std=0.5)
    return made


@pytest.fixture
def rutile() -> Structure:
    lattice = Lattice.tetragonal(4.594, 2.959)
    return Structure.from_spacegroup(
        "P4_2/mnm", lattice, ["Ti", "O"], [[0, 0, 0], [0.3053, 0.3053, 0]]
    )


def graph(structure: Structure, spec: GraphSpec = EACH) -> SiteGraph:
    return graph_of(settled(structure, "", spec), spec)


@pytest.fixture(scope="module")
def spectra(network) -> Spectra:
    """The spectrum of each atom, no symmetry looked for."""

    def answer(structure: Structure, spec: GraphSpec = EACH) -> torch.Tensor:
        one = graph(structure, spec)
        each = network(collate([one.graph], torch.float64))
        return each[[int(nodes[0]) for nodes in one.nodes_of_site]]

    return answer


def test_harmonics_are_orthonormal_on_the_sphere():
    x, w = np.polynomial.legendre.leggauss(12)
    phi = np.arange(24) * np.pi / 12
    z, phi = (a.ravel() for a in np.meshgrid(x, phi, indexing="ij"))
    r = np.sqrt(1 - z**2)
    direction = torch.tensor(np.stack([r * np.cos(phi), r * np.sin(phi), z], -1))
    every = torch.cat(harmonics(direction, 3), -1)
    weight = torch.tensor(np.repeat(w, 24) / 48)
    overlap = torch.einsum("p,pi,pj->ij", weight, every, every)
    torch.testing.assert_close(overlap, torch.eye(16, dtype=torch.float64), atol=1e-12, rtol=0)


def test_radial_functions_fade_out():
    radial = RadialFunctions(8, 4.5).double()
    far = radial(torch.tensor([4.5 - 1e-4, 4.5, 4.6, 100.0], dtype=torch.float64))
    assert float(far.abs().max()) < 1e-8
    assert float(radial(torch.tensor([2.0])).max()) > 0.1


def test_it_is_told_from_which_elements_atoms_are(spectra, rutile):
    other = rutile.copy()
    other.replace_species({"Ti": "Sn"})
    assert float((spectra(rutile) - spectra(other))[2:].abs().max()) > 1e-4


def test_angles_are_seen(spectra):
    """A chain that is bent at its middle, all bonds as long as before."""

    def chain(angle: float) -> Structure:
        a = np.deg2rad(angle) / 2
        arms = 1.9 * np.array([[np.sin(a), np.cos(a), 0], [-np.sin(a), np.cos(a), 0]])
        middle = np.array([10.0, 10.0, 10.0])
        coords = [middle, *(middle + arms)]
        return Structure(Lattice.cubic(20), ["Fe", "O", "O"], coords, coords_are_cartesian=True)

    straight, bent = spectra(chain(180))[0], spectra(chain(100))[0]
    assert float((straight - bent).abs().max()) > 1e-4


@pytest.mark.parametrize("degree", [0, 3])
def test_rotation_and_shift_change_nothing(network, rutile, degree):
    rutile.perturb(0.1)
    turned = rutile.copy()
    axis, angle = np.array([0.3, 0.5, -0.8]), 1.1
    rotation = torch.matrix_exp(
        angle
        * torch.tensor([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    ).numpy()
    turned.lattice = Lattice(rutile.lattice.matrix @ rotation)
    turned.translate_sites(range(6), [0.13, 0.41, 0.77])
    one, other = (network(collate([graph(each).graph], torch.float64)) for each in (rutile, turned))
    torch.testing.assert_close(one, other, atol=1e-10, rtol=0)


def test_order_and_cell_change_nothing(spectra, rutile):
    rutile.perturb(0.1)
    expected = spectra(rutile)
    order = [4, 0, 3, 5, 1, 2]
    torch.testing.assert_close(
        spectra(Structure.from_sites([rutile[n] for n in order])),
        expected[order],
        atol=1e-10,
        rtol=0,
    )
    double = rutile * (1, 2, 1)
    found = spectra(double)
    torch.testing.assert_close(found[::2], expected, atol=1e-10, rtol=0)
    skewed = rutile.copy()
    skewed.make_supercell([[1, 1, 0], [0, 1, 0], [0, 0, 1]], to_unit_cell=True)
    torch.testing.assert_close(spectra(skewed)[0], expected[0], atol=1e-10, rtol=0)


def test_symmetry_is_speed_only(spectra, rutile):
    one = graph(rutile, GRAPH)
    assert len(one) == 2
    torch.testing.assert_close(spectra(rutile, GRAPH), spectra(rutile), atol=1e-8, rtol=0)


def test_a_batch_is_one_by_one(network, rutile):
    iron = Structure.from_spacegroup("Im-3m", Lattice.cubic(2.866), ["Fe"], [[0, 0, 0]])
    lonely = Structure(Lattice.cubic(30), ["Fe"], [[0, 0, 0]])
    graphs = [graph(each, GRAPH).graph for each in (rutile, iron, lonely)]
    together = network(collate(graphs, torch.float64))
    apart = torch.cat([network(collate([each], torch.float64)) for each in graphs])
    torch.testing.assert_close(together, apart, atol=1e-12, rtol=0)


@pytest.mark.parametrize("step", [1e-2, 1e-3, 1e-4])
def test_a_step_makes_a_change_of_its_size(spectra, rutile, step):
    rng = np.random.default_rng(0)
    moved = rutile.copy()
    for n in range(6):
        moved.translate_sites([n], rng.normal(size=3) * step, frac_coords=False)
    change = float((spectra(moved) - spectra(rutile)).abs().max())
    assert 0 < change < 2 * step


def test_a_neighbour_comes_in_without_a_jump(spectra):
    def pair(distance: float) -> torch.Tensor:
        return spectra(
            Structure(
                Lattice.cubic(20),
                ["Fe", "O"],
                [[0, 0, 0], [distance, 0, 0]],
                coords_are_cartesian=True,
            )
        )[0]

    for reach in (4.5, 5.5):
        change = pair(reach - 1e-4) - pair(reach + 1e-4)
        assert float(change.abs().max()) < 1e-6


def test_wanted_nodes_get_what_all_get(network, rutile):
    batch = collate([graph(rutile).graph], torch.float64)
    wanted = torch.tensor([5, 0])
    torch.testing.assert_close(network.embed(batch, wanted), network.embed(batch)[wanted])
    assert network.embed(batch).shape == (6, network.vector_size)


def test_theories_are_told_apart(network, rutile):
    batch = collate([graph(rutile).graph], torch.float64)
    nodes = torch.tensor([0, 0])
    one, other = network(batch, nodes, torch.tensor([0, 1]))
    assert float((one - other).abs().max()) > 1e-4
    torch.testing.assert_close(network(batch, nodes[:1]), one[None])


def test_spectra_are_positive(network, rutile):
    low = Smooth(CONFIG).double().eval()
    low.load_state_dict(network.state_dict())
    with torch.no_grad():
        low.typical.weight.fill_(-3)
    assert float(low(collate([graph(rutile).graph], torch.float64)).min()) >= 0


def test_it_begins_with_the_typical_spectrum_of_each_element(rutile):
    torch.manual_seed(0)
    norm = torch.rand(400, 100) + 0.1
    norm[:200] += 1
    absorber = torch.tensor([22] * 200 + [8] * 200)
    made = Smooth(CONFIG).eval()
    made.start_from(Targets(norm, torch.ones_like(norm), absorber))
    with torch.no_grad():
        made.answer.weight.zero_()
        titanium, *_, oxygen = made(collate([graph(rutile).graph]))
    assert float((titanium - norm[:200].mean(0)).abs().max()) < 0.05
    assert float((oxygen - norm[200:].mean(0)).abs().max()) < 0.05


def test_it_survives_its_file(network, rutile, tmp_path):
    state = {name: tensor.float() for name, tensor in network.state_dict().items()}
    Checkpoint("smooth", CONFIG, {}, state).save(tmp_path / "smooth.safetensors")
    back = load_checkpoint(tmp_path / "smooth.safetensors").network()
    batch = collate([graph(rutile).graph])
    torch.testing.assert_close(back(batch), network.float()(batch), atol=1e-6, rtol=0)
    network.double()


def test_it_takes_all_neighbours_and_no_reach_beyond():
    with pytest.raises(ConfigError, match="neighbours = 12; the smooth network takes all"):
        SmoothConfig(graph=GraphSpec(cell="as_given"))
    with pytest.raises(ConfigError, match=r"reach = 6\.0 is beyond"):
        SmoothConfig(reach=6.0)
    with pytest.raises(ConfigError, match="counts its neighbours"):
        CGXASConfig(graph=GraphSpec(neighbours=0))
    assert isinstance(build(CONFIG), Smooth)


def test_a_data_set_holds_its_graphs(oxides: Path, tmp_path: Path):
    from cgxas.data.compile import CompiledData

    config = SmoothConfig(fidelities=("FEFF9", "FEFF10", "FEFF", "VASP"))
    data = CompiledData.read([oxides], config)
    dataset = data.dataset
    assert dataset.distance is None
    everything = np.arange(len(dataset))
    batch = dataset.batch(everything).graphs
    materials = {id(r.material): r.material for r in data.records.records}
    graphs = [
        graph_of(settled_cell(each.cell, config.graph), config.graph).graph
        for each in materials.values()
    ]
    expected = collate(graphs)
    assert torch.equal(batch.mask, expected.mask)
    assert torch.equal(batch.neighbour_index[batch.mask], expected.neighbour_index[batch.mask])
    torch.testing.assert_close(batch.vector[batch.mask], expected.vector[batch.mask])
    torch.testing.assert_close(batch.distance, expected.distance)
    dataset.save(tmp_path / "set")
    again = Dataset.load(tmp_path / "set").batch(everything).graphs
    torch.testing.assert_close(again.vector, batch.vector)
