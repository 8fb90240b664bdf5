"""A network that learns relative to computed edges, from spectra to absolute answers.

The spectra are made up: a curve on FEFF's points, put where FEFF puts the edge of each site.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
import torch
from pymatgen.core import Lattice, Structure

from cgxas.crystals.canonical import Cell
from cgxas.data.compile import CompiledData, build_dataset
from cgxas.errors import ConfigError, DamagedCheckpoint, DatasetError
from cgxas.evaluation.testing import retest
from cgxas.model import architecture
from cgxas.model.checkpoint import Checkpoint, load_checkpoint
from cgxas.model.kernel import KernelSettings
from cgxas.model.model import Model
from cgxas.physics.edges import edge_energies
from cgxas.predict import Predictor
from cgxas.spectra.axis import FEFF_POINTS, trapezoid_widths
from cgxas.spectra.edge import half_step
from cgxas.spectra.metrics import rse
from cgxas.spectra.spectrum import Spectrum
from cgxas.training.kernel import averaged
from cgxas.training.processes import ALONE
from cgxas.training.run import Run, carry_out, read_data
from cgxas.training.settings import RunSettings

pytestmark = pytest.mark.filterwarnings("ignore::cgxas.errors.FewTrainingSpectraWarning")
FAR = pytest.mark.filterwarnings("ignore::cgxas.errors.FarFromTrainingWarning")  # wide cells
TOML = """
name = "edges"

[model]
architecture = "tiny"
size = 6
axis = "edge"
fidelities = ["FEFF10", "VASP"]
graph = { per_orbit = true, cutoff = 6.0 }

[training]
epochs = 100
batch_crystals = 4
learning_rate = 0.01
schedule = "cosine"

[split]
by = "formula"
"""
VASP = 7118.0  # eV, half step of all spectra of that theory
VASP_POINTS = np.arange(-9.0, 30.0, 0.1)  # eV from where the edge of its curves would be
EARLIER = 5.0  # eV below that one edge is taken for all of them
REACH = int(np.searchsorted(FEFF_POINTS, VASP_POINTS[-1] + EARLIER))


def curve(relative: np.ndarray) -> np.ndarray:
    x = relative - 6.0
    return 0.5 + np.arctan(x / 1.2) / np.pi + 0.3 * np.exp(-((x - 4) ** 2) / 8)


def salt(a: float) -> Structure:
    places = [[0, 0, 0], [0.5, 0.5, 0.5]]
    return Structure.from_spacegroup("Fm-3m", Lattice.cubic(a), ["Fe", "O"], places)


def two_sites() -> Structure:
    """Iron in two surroundings, whose edges differ."""
    places = [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0.37], [0.5, 0.22, 0.5]]
    return Structure(Lattice.orthorhombic(5.6, 5.8, 13.0), ["Fe", "Fe", "O", "O"], places)


def edges(crystal: Structure, symbol: str) -> list[float]:
    """The edge of each atom of an element."""
    numbers = np.array(crystal.atomic_numbers)
    cell = Cell(crystal.lattice.matrix, crystal.frac_coords, numbers)
    atoms = np.array([n for n, site in enumerate(crystal) if site.specie.symbol == symbol])
    return edge_energies(cell, atoms, "FEFF10").tolist()


@pytest.fixture(scope="module", autouse=True)
def _plugged() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parent / "plug"))
        patch.setattr(architecture, "_HOMES", dict(architecture._HOMES))
        architecture.register("tiny", "tiny_network:Tiny")
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Twenty rock salts; iron and oxygen of FEFF10, and some iron of VASP that ends early."""
    materials, spectra = [], []
    for n in range(20):
        crystal = salt(4.0 + 0.03 * n)
        materials.append(
            {
                "material_id": f"m{n}",
                "formula": f"X{n}",
                "lattice": crystal.lattice.matrix.ravel().tolist(),
                "species": [site.specie.symbol for site in crystal],
                "frac_coords": crystal.frac_coords.ravel().tolist(),
            }
        )
        for element, site, theory in (
            ("Fe", 0, "FEFF10 (made up)"),
            ("O", 4, "FEFF10 (made up)"),
            ("Fe", 0, "VASP"),
        ):
            relative, edge = FEFF_POINTS, edges(crystal, element)[0]
            if theory == "VASP":
                relative, edge = VASP_POINTS, VASP - half_step(FEFF_POINTS, CURVE)
            spectra.append(
                {
                    "spectrum_id": f"m{n}-{element}-{theory}",
                    "material_id": f"m{n}",
                    "element": element,
                    "site_index": site,
                    "site_certain": True,
                    "energy": (edge + relative).tolist(),
                    "mu": curve(relative).tolist(),
                    "theory": theory,
                }
            )
    path = tmp_path_factory.mktemp("data") / "edges"
    path.mkdir()
    for name, rows in (("materials", materials), ("spectra", spectra)):
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path / f"{name}.parquet")
    return path


CURVE = curve(FEFF_POINTS)


@pytest.fixture(scope="module")
def settings(tmp_path_factory) -> RunSettings:
    path = tmp_path_factory.mktemp("settings") / "edges.toml"
    path.write_text(TOML)
    return RunSettings.from_toml(path)


@pytest.fixture(scope="module")
def data(settings, folder) -> CompiledData:
    return read_data([folder], settings.model, ALONE)


@pytest.fixture(scope="module")
def run(settings, data, tmp_path_factory) -> Run:
    path = tmp_path_factory.mktemp("runs") / "edges"
    return Run(settings, data, data.divide(settings.split), path, "cgxas train edges.toml")


@pytest.fixture(scope="module")
def trained(run) -> Checkpoint:
    carry_out(run)
    return load_checkpoint(run.path / "edges.safetensors")


@pytest.fixture(scope="module")
def predictor(trained) -> Predictor:
    return Predictor(trained)


def test_targets_are_the_spectra_as_they_are_on_points_relative_to_their_edges(data):
    dataset = data.dataset
    assert dataset.edge is not None
    assert dataset.points is not None
    assert dataset.edge.dtype == torch.float64
    np.testing.assert_array_equal(dataset.points.numpy(), FEFF_POINTS)
    for n, record in enumerate(data.records.records):
        points, own = 100, CURVE
        if record.fidelity == "VASP":
            points, own = REACH, curve(FEFF_POINTS - EARLIER)
        assert dataset.computed[n].tolist() == [0, points]
        found = dataset.norm[n, :points].double().numpy()
        np.testing.assert_allclose(found, own[:points], atol=5e-3)
        known, weight = dataset.weights(torch.tensor([n]))
        assert torch.equal(known, weight)
        assert not weight[0, points:].any()
        assert weight.sum() == pytest.approx(FEFF_POINTS[points - 1] - FEFF_POINTS[0], rel=1e-5)
        slopes = dataset.slope_weights(weight)[0].numpy()
        assert slopes[: points - 1] == pytest.approx(1 / np.diff(FEFF_POINTS[:points]), rel=1e-5)
        assert not slopes[points - 1 :].any()


def test_edges_are_computed_or_one_for_all(data):
    for edge, record in zip(data.dataset.edge.tolist(), data.records.records, strict=True):
        if record.fidelity == "VASP":
            usual = VASP - half_step(FEFF_POINTS, CURVE)
            assert edge == pytest.approx(usual - EARLIER, abs=0.02)
        else:
            crystal = salt(float(record.material.cell.lattice[0, 0]))
            assert edge == pytest.approx(edges(crystal, record.element)[0], abs=1e-6)


def test_a_spectrum_that_lies_elsewhere_is_refused(data, settings):
    record = data.records.records[0]
    far = replace(record, energy=record.energy + 400)
    with pytest.raises(DatasetError, match="hardly a point near the Fe edge at 71"):
        build_dataset([far], {}, settings.model)


def test_a_card_says_how_outputs_become_energies(trained):
    iron, oxygen = trained.elements["Fe"], trained.elements["O"]
    assert (iron.fidelity, oxygen.fidelity) == ("FEFF10", "FEFF10")
    assert iron.edge_axis is not None
    assert iron.edge_axis.origins.keys() == {"VASP"}
    reach = {"FEFF10": FEFF_POINTS[-1], "VASP": FEFF_POINTS[REACH - 1]}
    assert iron.edge_axis.reach == pytest.approx(reach)
    assert oxygen.edge_axis.origins == {}
    assert iron.test_rse < 2e-3
    assert iron.test_half_step_error < 0.1


def checked(spectrum: Spectrum) -> None:
    """Windows, pre-edge level, no kink where the points end."""
    energy, norm = spectrum.energy, spectrum.norm
    assert energy[0] < spectrum.half_step - 15
    assert energy[-1] > spectrum.half_step + 50
    assert norm[0] < 0.02
    assert norm.min() > -0.01
    bend = np.abs(np.diff(norm, 2))
    start, end = spectrum.half_step - 6 + FEFF_POINTS[0], spectrum.half_step - 6 + FEFF_POINTS[-1]
    for place in (start, end):
        near = np.abs(energy[1:-1] - place) < 3
        assert bend[near].max() < 0.01


@pytest.mark.parametrize("symbol", ["Fe", "O"])
def test_answers_stand_where_the_edge_is(predictor, symbol):
    crystal = salt(4.275)
    spectrum = predictor.predict(crystal, symbol)
    checked(spectrum)
    expected = edges(crystal, symbol)[0] + half_step(FEFF_POINTS, CURVE)
    assert spectrum.half_step == pytest.approx(expected, abs=0.1)
    # The axis itself is exact: what the network says, at the edge it was put to.
    model = predictor.model
    crystal_sites = _sites(model, crystal, symbol)
    edge = crystal_sites.energies[0, 10]
    assert FEFF_POINTS[10] == 0
    assert edge == pytest.approx(edges(crystal, symbol)[0], abs=1e-3)
    assert half_step(crystal_sites.energies[0], crystal_sites.simulated[0]) == pytest.approx(
        spectrum.half_step, abs=0.01
    )


def _sites(model: Model, crystal: Structure, symbol: str):
    from cgxas.crystals.structure import standardise

    settled = standardise(crystal, model.checkpoint.config.graph)
    (embedded,) = model.sites([settled])
    return model.absorber_sites(embedded, symbol, settled.checked_sites(symbol, None))[0]


@FAR
def test_all_crystals_of_an_absorber_are_answered_on_the_same_energies(predictor):
    one, two = predictor.predict([salt(4.0), two_sites()], "Fe")
    np.testing.assert_array_equal(one.energy, two.energy)


@FAR
def test_every_site_has_the_edge_of_its_own(predictor):
    crystal = two_sites()
    spectrum = predictor.predict(crystal, "Fe")
    first, second = edges(crystal, "Fe")
    assert abs(first - second) > 0.15
    sites = _sites(predictor.model, crystal, "Fe")
    assert sorted(sites.energies[:, 10]) == pytest.approx(sorted([first, second]), abs=1e-3)
    for site in spectrum.sites:
        alone = predictor.predict(crystal, "Fe", sites=list(site.sites))
        np.testing.assert_allclose(alone.norm, site.norm, atol=1e-5)
    mean = np.mean([site.norm for site in spectrum.sites], axis=0)
    np.testing.assert_allclose(spectrum.norm, mean, atol=1e-9)


@FAR
def test_any_description_of_a_crystal_gives_the_same_answer(predictor):
    crystal = two_sites()
    expected = predictor.predict(crystal, "Fe")
    turn, _ = np.linalg.qr(np.random.default_rng(3).standard_normal((3, 3)))
    turned = Structure(crystal.lattice.matrix @ turn, crystal.species, crystal.frac_coords)
    larger = crystal.copy().make_supercell([2, 1, 1])
    for other in (turned, larger):
        found = predictor.predict(other, "Fe")
        np.testing.assert_allclose(found.norm, expected.norm, atol=1e-5)


def test_another_theory_has_its_own_edge_and_ends_where_the_absorber_does(trained):
    spectrum = Predictor(trained, fidelity="VASP").predict(salt(4.3), "Fe")
    assert spectrum.half_step == pytest.approx(VASP, abs=0.3)
    # Oxygen was never seen so: what the theory does to iron is put on the edge that is known.
    oxygen = Predictor(trained, fidelity="VASP").predict(salt(4.3), "O")
    assert oxygen.half_step == pytest.approx(edges(salt(4.3), "O")[0] + 6, abs=7)


def test_outputs_that_were_never_learnt_are_not_answered(trained):
    """Where all spectra of an absorber end early, curves go on smoothly from there."""
    card = trained.elements["Fe"]
    axis = replace(card.edge_axis, reach={"FEFF10": float(FEFF_POINTS[70])})
    short = replace(card, edge_axis=axis)
    model = Model(replace(trained, cards={("Fe", "K"): short}))
    sites = _sites(model, salt(4.2), "Fe")
    assert sites.energies.shape == sites.simulated.shape == (1, 71)
    energies = model.card("Fe").grid.energies
    beyond = energies > sites.energies[0, -1]
    answer = model.answer(sites).mean
    assert np.abs(answer[beyond] - 1).max() < 0.1
    assert np.abs(np.diff(answer, 2))[beyond[1:-1]].max() < 0.01


def test_a_model_is_tested_where_it_answers(trained, data, run):
    found = retest(trained, data, run.split)
    for symbol in ("Fe", "O"):
        again = found.elements[symbol]
        assert again.rse.mean == pytest.approx(
            trained.elements[symbol].test_rse, rel=0.01, abs=1e-6
        )
    first = found.tested.energy[found.tested.element == "Fe"]
    assert 7000 < first.min() < first.max() < 7300


def test_the_rse_is_that_of_a_uniform_grid(trained, data, run):
    tested = retest(trained, data, run.split).tested
    mine = np.flatnonzero(tested.fidelity == "FEFF10")
    assert mine.size
    target, predicted = tested.target[mine], tested.predicted[mine]
    widths = trapezoid_widths(FEFF_POINTS, np.ones_like(target))
    np.testing.assert_allclose(tested.rse[mine], rse(target, predicted, widths), rtol=1e-4)
    # That such sums are those of a fine grid shows where the error is more than noise.
    wrong = curve(FEFF_POINTS - 2.0)
    fine = np.arange(FEFF_POINTS[0], FEFF_POINTS[-1], 0.01)
    true, missed = (np.interp(fine, FEFF_POINTS, each) for each in (target[0], wrong))
    expected = ((true - missed) ** 2).sum() / (true**2).sum()
    assert rse(target[:1], wrong[None], widths[:1])[0] == pytest.approx(expected, rel=0.05)
    assert rse(target[:1], wrong[None])[0] > 1.5 * expected


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("model.n_outputs=80", 'model.n_outputs = 80; model.axis = "edge" needs 100'),
        ("model.fidelities=[]", 'model.fidelities is empty; model.axis = "edge" needs the names'),
        ("model.axis=absolute", "it must be window or edge"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, words, reason):
    with pytest.raises(ConfigError, match=reason):
        settings.changed([words])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda card: card.update(edge_axis=None), "another axis"),
        (lambda card: card["edge_axis"].update(reach={}), "how far the spectra of Fe reach"),
        (lambda card: card.update(fidelity="FEFF9"), "in which theory Fe is answered"),
        (lambda card: card["edge_axis"].update(width=0.0), "width"),
        (lambda card: card["edge_axis"].pop("origins"), "origins"),
    ],
)
def test_damaged_cards_are_refused(trained, rewrite_model, run, tmp_path, change, reason):
    path = tmp_path / "damaged.safetensors"
    source = run.path / "edges.safetensors"
    rewrite_model(source, path, lambda description, _: change(description["absorbers"]["Fe K"]))
    with pytest.raises(DamagedCheckpoint, match=reason):
        load_checkpoint(path)


def test_what_was_saved_answers_the_same(trained, predictor, tmp_path):
    trained.save(tmp_path / "again.safetensors")
    again = Predictor.load(tmp_path / "again.safetensors")
    one, two = (each.predict(salt(4.2), "Fe") for each in (predictor, again))
    np.testing.assert_array_equal(one.norm, two.norm)
    np.testing.assert_array_equal(one.energy, two.energy)


def test_a_kernel_is_learnt_beside_the_network_in_each_theory(settings, data, run, tmp_path):
    """It is weighed so that both together are no worse, and says nothing where runs ended."""
    wish = KernelSettings(fidelities=("FEFF10", "VASP"))
    both = replace(run, config=replace(settings, kernel=wish), path=tmp_path / "kernel")
    model, _ = carry_out(both)
    kernel, network = model.kernel, model.network()
    assert kernel is not None and network is not None
    assert kernel.theory.unique().tolist() == [0, 1]
    assert model.trust is not None
    wanted = run.split.validation
    alone, mixed = (averaged(network, one, data, wanted) for one in (None, kernel))
    weight, _ = data.dataset.weights(torch.from_numpy(wanted))
    true = data.dataset.norm[torch.from_numpy(wanted)].double().numpy()
    errors = [rse(true, found, weight.numpy()).mean() for found in (alone, mixed)]
    assert errors[1] < 0.5 * errors[0]  # a curve that all share: the kernel knows it
    ended = [data.records.records[n].fidelity == "VASP" for n in wanted]
    np.testing.assert_array_equal(mixed[ended][:, REACH:], np.maximum(alone, 0)[ended][:, REACH:])
    again = load_checkpoint(both.path / "edges.safetensors")
    assert again.kernel is not None
    assert torch.equal(again.kernel.share, kernel.share)
