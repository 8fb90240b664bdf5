"""Measured data sets become compounds: one curve each, on one scale, beside the model's answer."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from cgxas.calibration.measured import read_compounds
from cgxas.crystals.spec import GraphSpec
from cgxas.errors import DatasetError
from cgxas.model.cgxas.config import CGXASConfig
from cgxas.model.cgxas.network import CGXAS
from cgxas.model.checkpoint import Checkpoint, load_checkpoint
from cgxas.model.description import AbsorberCard
from cgxas.spectra.xray import AFTER, BEFORE, WINDOWS

ENERGY = np.arange(7000.0, 7400.0, 0.4)
ROCK_SALT = {
    "lattice": [0, 2.16, 2.16, 2.16, 0, 2.16, 2.16, 2.16, 0],
    "species": ["Fe", "O"],
    "frac_coords": [0, 0, 0, 0.5, 0.5, 0.5],
}
# A chain in which the end iron atoms are alike and the middle one is another.
CHAIN = {
    "lattice": [4, 0, 0, 0, 4, 0, 0, 0, 12],
    "species": ["Fe", "Fe", "Fe", "O", "O"],
    "frac_coords": [0, 0, 0.25, 0, 0, 0.5, 0, 0, 0.75, 0.5, 0.5, 0.5, 0, 0.5, 0],
}


def curve(e0: float, energy=ENERGY) -> list[float]:
    return (0.5 + np.arctan((energy - e0) / 1.0) / np.pi).tolist()


def write(folder, rows, materials=None) -> None:
    folder.mkdir()
    materials = materials or {"FeO": ("FeO", ROCK_SALT), "Fe3O2": ("Fe3O2", CHAIN)}
    crystals = [{"material_id": n, "formula": f, **c} for n, (f, c) in materials.items()]
    pq.write_table(pa.Table.from_pylist(crystals), folder / "materials.parquet")
    usual = {
        "material_id": "FeO",
        "element": "Fe",
        "site_index": None,
        "site_certain": True,
        "energy": ENERGY.tolist(),
        "mu": curve(7120.0),
        "theory": "experiment",
        "compound": None,
        "formula_group": None,
        "source": "one",
        "technique": "XAS",
        "energy_shift": None,
        "weight": None,
        "quality_flags": [],
    }
    table = [{"spectrum_id": f"s{n}", **usual, **row} for n, row in enumerate(rows)]
    pq.write_table(pa.Table.from_pylist(table), folder / "spectra.parquet")


@pytest.fixture(scope="module")
def model() -> Checkpoint:
    torch.manual_seed(0)
    one_node_per_orbit = GraphSpec(per_orbit=True)
    config = CGXASConfig(
        graph=one_node_per_orbit, hidden=8, n_modules=2, n_head_layers=2, wave_numbers=0
    )
    cards = {(element, "K"): AbsorberCard(WINDOWS[element, "K"]) for element in ("Fe", "O")}
    return Checkpoint("small", config, cards, CGXAS(config).eval().state_dict())


@pytest.fixture
def read(tmp_path, model):
    def found(*rows, **wishes):
        write(tmp_path / "measured", rows)
        return read_compounds([tmp_path / "measured"], model, **wishes)

    return found


def test_scans_of_a_source_are_averaged_and_sources_have_one_vote(read):
    rows = [
        {"mu": curve(7118.0), "source": "one"},
        {"mu": curve(7122.0), "source": "one"},
        {"mu": curve(7126.0), "source": "two"},
        {"mu": curve(7127.0), "source": "three"},
    ]
    compounds = read(*rows)
    energies = WINDOWS["Fe", "K"].energies
    one = (np.array(curve(7118.0, energies)) + curve(7122.0, energies)) / 2
    expected = np.median([one, curve(7126.0, energies), curve(7127.0, energies)], axis=0)
    np.testing.assert_allclose(compounds.target[0], expected, atol=2e-2)
    assert compounds.n_scans.tolist() == [4]
    assert compounds.sources == {"Fe": {"one": 2, "three": 1, "two": 1}}


def test_weights_count_within_a_source(read):
    compounds = read({"mu": curve(7118.0), "weight": 3.0}, {"mu": curve(7122.0), "weight": 1.0})
    energies = WINDOWS["Fe", "K"].energies
    expected = 0.75 * np.array(curve(7118.0, energies)) + 0.25 * np.array(curve(7122.0, energies))
    np.testing.assert_allclose(compounds.target[0], expected, atol=1e-2)


def test_shifts_bring_sources_onto_one_scale(read):
    compounds = read({"mu": curve(7118.0), "energy_shift": 3.5})
    assert compounds.half_step[0] == pytest.approx(7121.5, abs=0.05)


def test_doubtful_scans_count_only_where_there_is_no_other(read):
    doubtful = {"quality_flags": ["low_white_line"], "mu": curve(7130.0)}
    compounds = read(doubtful, {}, {**doubtful, "material_id": "Fe3O2"})
    assert compounds.half_step == pytest.approx([7130.0, 7120.0], abs=0.05)


def test_herfd_and_unknown_elements_are_left_out_with_a_reason(read):
    far = (ENERGY + 500).tolist()
    compounds = read({"technique": "HERFD-XANES"}, {}, {"energy": far, "mu": curve(7120.0)})
    assert [key for key, _ in compounds.left_out] == ["measured/s0", "measured/s2"]
    assert "HERFD" in compounds.left_out[0][1]
    assert "hardly overlap" in compounds.left_out[1][1]
    assert len(compounds) == 1


def test_each_scan_can_be_a_compound_of_its_own(read):
    compounds = read({}, {}, {"material_id": "Fe3O2"}, each_scan=True)
    assert compounds.name.tolist() == ["s0", "s1", "s2"]
    assert compounds.group.tolist() == ["FeO", "FeO", "Fe3O2"]


def test_sites_stand_for_their_share(read):
    compounds = read({"material_id": "Fe3O2"})
    (sites,) = compounds.sites
    assert sorted(sites.share) == pytest.approx([1 / 3, 2 / 3])
    rows, share = compounds.sharing(np.array([0]))
    assert rows.tolist() == [0, 1]
    assert share[0].tolist() == sites.share.tolist()
    assert share.sum(1).tolist() == pytest.approx([1.0])


def test_sites_are_what_the_model_says_of_the_first_crystal(read, model):
    compounds = read({"material_id": "Fe3O2"}, {})
    assert [each.name for each in compounds.sites] == compounds.name.tolist() == ["Fe3O2", "FeO"]
    assert [len(each) for each in compounds.sites] == [2, 1]
    network = model.network()
    for sites in compounds.sites:
        assert (sites.absorber, sites.start, sites.fidelity) == ("Fe", 7112.0, None)
        assert sites.vectors.shape == (len(sites), 8)
        expected = network.head(sites.vectors).double().numpy()
        np.testing.assert_allclose(sites.simulated, expected, atol=1e-6)
        np.testing.assert_allclose(sites.mean[1], sites.share @ expected, atol=1e-6)
        assert sites.state.shape == (len(sites), 2)
    # Rock salt: six oxygens around the iron; Fe-O bonds make it positive, and oxygen is 3.44.
    np.testing.assert_allclose(compounds.sites[1].state[0], [2.0, 3.44], atol=0.5)


def test_rows_and_shares_follow_the_compounds(read):
    compounds = read({"material_id": "Fe3O2"}, {})
    assert compounds.owner.tolist() == [0, 0, 1]
    assert compounds.rows_of(0).tolist() == [0, 1]
    assert compounds.rows_of(1).tolist() == [2]
    rows, share = compounds.sharing(np.array([1, 0]))
    assert rows.tolist() == [0, 1, 2]
    assert share[0].tolist() == [0, 0, 1]
    assert share[1, :2].tolist() == compounds.sites[0].share.tolist()
    features = compounds.features
    assert features.element.tolist() == [26, 26, 26]
    vectors = torch.cat([each.vectors for each in compounds.sites])
    torch.testing.assert_close(features.vector, vectors.double(), rtol=0, atol=0)


def test_the_window_moves_down_to_hold_the_lowest_edge(read):
    inside = read({"mu": curve(7114.0)})
    assert inside.grids["Fe"] == WINDOWS["Fe", "K"]


def test_a_moved_window_begins_before_the_lowest_edge(read):
    moved = read({"mu": curve(7099.3)}, {"material_id": "Fe3O2"})
    grid = moved.grids["Fe"]
    assert (grid.e_min, grid.e_max, grid.n_points) == (7094.0, 7149.0, 100)
    assert moved.sites[0].energies[0].tolist() == WINDOWS["Fe", "K"].energies.tolist()


def test_points_that_were_not_measured_are_nan(read):
    short = ENERGY[ENERGY < 7150]
    compounds = read({"energy": short.tolist(), "mu": curve(7120.0, short)})
    beyond = WINDOWS["Fe", "K"].energies > short[-1]
    assert np.isnan(compounds.target[0][beyond]).all()
    assert np.isfinite(compounds.target[0][~beyond][:-1]).all()
    assert np.isfinite(compounds.norm).all()


def test_wanted_elements_must_be_there(tmp_path, model):
    write(tmp_path / "measured", [{}])
    with pytest.raises(DatasetError, match="no usable spectrum of O; there are spectra of Fe"):
        read_compounds([tmp_path / "measured"], model, ["O"])


@pytest.mark.parametrize("mu", [curve(7300.0), np.zeros(ENERGY.size).tolist()])
def test_curves_without_an_edge_in_the_window_are_left_out(read, mu):
    compounds = read({"mu": mu, "material_id": "Fe3O2"}, {})
    assert compounds.left_out == (("measured/s0", "it has no edge below 7167 eV"),)
    assert compounds.name.tolist() == ["FeO"]


def test_nothing_to_learn_from_is_refused_with_a_reason(tmp_path, model):
    write(tmp_path / "measured", [{"technique": "HERFD-XANES"}])
    with pytest.raises(DatasetError, match=r"measured: no usable spectrum; measured/s0: .*HERFD"):
        read_compounds([tmp_path / "measured"], model)
    with pytest.raises(DatasetError, match=r"no usable spectrum of Fe; measured/s0: .*HERFD"):
        read_compounds([tmp_path / "measured"], model, ["Fe"])


def test_the_measured_references_are_read(shared):
    model = load_checkpoint("universal")
    compounds = read_compounds([shared / "data" / "exp"], model)
    for element, grid in compounds.grids.items():
        assert grid.n_points == 551
        mine = compounds.half_step[compounds.element == element]
        assert grid.e_min + BEFORE <= mine.min(), element
        assert mine.max() <= grid.e_max - AFTER, element
    many = ("S", "Ti", "Cr", "Mn", "Fe", "Cu", "Zn", "Se")
    assert all((compounds.element == element).sum() > 4 for element in many)
    assert compounds.n_scans.sum() + len(compounds.left_out) == len(compounds.data)
