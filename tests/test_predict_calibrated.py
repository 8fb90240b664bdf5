"""Calibrated models answer with a band, and for a crystal in whatever description the same."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from pymatgen.core import Lattice, Structure

from cgxas.calibration.gaussian import fit_gaussian
from cgxas.calibration.measured import read_compounds
from cgxas.crystals.spec import GraphSpec
from cgxas.errors import (
    AbsorberNotInCrystal,
    CgxasWarning,
    ConfigError,
    FarFromMeasuredWarning,
    UnsupportedAbsorber,
)
from cgxas.evaluation.embedding import embed_crystals, read_crystals
from cgxas.model.architecture import Targets
from cgxas.model.cgxas.config import CGXASConfig
from cgxas.model.cgxas.network import CGXAS
from cgxas.model.checkpoint import Checkpoint, load_checkpoint
from cgxas.model.description import AbsorberCard
from cgxas.predict import Predictor, load
from cgxas.spectra.xray import WINDOWS

SAME = 1e-5


def salt(metal: str = "Fe", a: float = 4.24) -> Structure:
    return Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(a), [metal, "O"], [[0, 0, 0], [0.5, 0.5, 0.5]]
    ).get_primitive_structure()


def iron_oxide(u: float) -> Structure:
    """Fe3O4: two iron atoms of one kind and four of another; u is where the oxygen lies."""
    return Structure.from_spacegroup(
        "Fd-3m", Lattice.cubic(8.396), ["Fe", "Fe", "O"], [[0] * 3, [0.625] * 3, [u] * 3]
    ).get_primitive_structure()


@pytest.fixture(scope="module")
def spinel() -> Structure:
    return iron_oxide(0.3799)


@pytest.fixture(scope="module")
def predictor(calibrated_model) -> Predictor:
    return load(calibrated_model)


@pytest.fixture(scope="module")
def blind(measured_folder) -> Predictor:
    """A network that sees distances only, which answers for sets of equivalent atoms at once."""
    torch.manual_seed(3)
    graph = GraphSpec(per_orbit=True)
    config = CGXASConfig(graph=graph, hidden=8, n_modules=1, n_head_layers=1, wave_numbers=0)
    network = CGXAS(config)
    x = torch.linspace(-15.0, 40.0, config.n_outputs)
    norm = 0.5 + torch.atan(x) / torch.pi + torch.tensor([[-0.05], [0.05]])
    network.start_from(Targets(norm, torch.ones_like(norm), torch.tensor([26, 22])))
    cards = {(element, "K"): AbsorberCard(WINDOWS[element, "K"]) for element in ("Fe", "Ti")}
    plain = Checkpoint("blind", config, cards, network.eval().state_dict())
    compounds = read_compounds([measured_folder], plain)
    calibration = fit_gaussian(compounds, np.arange(len(compounds)))
    return Predictor(replace(plain, calibration=calibration))


def rotated(crystal: Structure) -> Structure:
    matrix, _ = np.linalg.qr(np.random.default_rng(1).standard_normal((3, 3)))
    matrix *= np.linalg.det(matrix)
    return Structure(crystal.lattice.matrix @ matrix.T, crystal.species, crystal.frac_coords)


def translated(crystal: Structure) -> Structure:
    return crystal.copy().translate_sites(range(len(crystal)), [0.313, -0.871, 1.459])


def shuffled(crystal: Structure) -> Structure:
    order = np.random.default_rng(2).permutation(len(crystal))
    return Structure.from_sites([crystal[int(n)] for n in order])


def supercell(crystal: Structure) -> Structure:
    return crystal.copy().make_supercell([[1, 1, 0], [0, 1, 1], [1, 0, 1]])


@pytest.mark.parametrize("change", [rotated, translated, shuffled, supercell])
@pytest.mark.parametrize("kind", ["predictor", "blind"])
def test_every_description_gives_the_same_spectrum_and_band(request, spinel, kind, change):
    model = request.getfixturevalue(kind)
    expected, found = model.predict(spinel, "Fe"), model.predict(change(spinel), "Fe")
    np.testing.assert_allclose(found.norm, expected.norm, rtol=0, atol=SAME)
    np.testing.assert_allclose(found.sigma, expected.sigma, rtol=0, atol=SAME)


def test_a_spectrum_has_a_band(predictor, spinel):
    spectrum = predictor.predict(spinel, "Fe")
    assert spectrum.sigma.shape == spectrum.norm.shape == (100,)
    assert (spectrum.sigma > 0).all()
    assert spectrum.sigma.argmax() == pytest.approx(np.gradient(spectrum.norm).argmax(), abs=8)
    assert spectrum.model == "measured"


def test_the_mean_is_that_of_the_sites(predictor):
    # With the oxygen of magnetite, this model happens to put the edges of both sites together.
    spectrum = predictor.predict(iron_oxide(0.39), "Fe")
    assert sorted(site.multiplicity for site in spectrum.sites) == [2, 4]
    assert np.abs(spectrum.sites[0].norm - spectrum.sites[1].norm).max() > 0.05
    weighted = sum(site.multiplicity * site.norm for site in spectrum.sites) / 6
    np.testing.assert_allclose(spectrum.norm, weighted, rtol=0, atol=1e-12)


def test_wanted_sites_have_spectrum_and_band_of_their_own(predictor, spinel):
    whole = predictor.predict(spinel, "Fe")
    single = [predictor.predict(spinel, "Fe", sites=[site.site]) for site in whole.sites]
    for one, site in zip(single, whole.sites, strict=True):
        np.testing.assert_allclose(one.norm, site.norm, rtol=0, atol=SAME)
    assert np.abs(single[0].sigma - single[1].sigma).max() > 1e-4
    every = [n for site in whole.sites for n in site.sites]
    again = predictor.predict(spinel, "Fe", sites=every)
    np.testing.assert_allclose(again.sigma, whole.sigma, rtol=0, atol=SAME)


def test_a_batch_equals_one_by_one(predictor, spinel):
    # The sites of a random network hardly differ, so that its rounding errors count a hundredfold;
    # tests/test_bundled.py holds the bundled model to 1e-5.
    rounding = 2e-4
    crystals = [spinel, salt(), salt(a=4.1)]
    for crystal, found in zip(crystals, predictor.predict(crystals, "Fe"), strict=True):
        alone = predictor.predict(crystal, "Fe")
        np.testing.assert_allclose(found.norm, alone.norm, rtol=0, atol=rounding)
        np.testing.assert_allclose(found.sigma, alone.sigma, rtol=0, atol=rounding)
        assert found.edge_sigma == pytest.approx(alone.edge_sigma, abs=10 * rounding)
        assert found.trust == alone.trust


def test_calibration_changes_the_answer(predictor, random_model):
    calibrated, plain = predictor.predict(salt(), "Fe"), load(random_model).predict(salt(), "Fe")
    assert plain.sigma is None
    assert np.abs(calibrated.norm - plain.norm).max() > 0.05


def test_a_moved_window_shows_the_same_curve(predictor):
    moved = predictor.predict(salt("Ti"), "Ti")
    card = predictor.checkpoint.elements["Ti"]
    assert (moved.energy[0], moved.energy[-1]) == (card.simulated.e_min - 8, card.grid.e_max)
    own = {("Ti", "K"): replace(card, grid=card.simulated)}
    unmoved = Predictor(replace(predictor.checkpoint, cards=own)).predict(salt("Ti"), "Ti")
    assert unmoved.energy[0] == card.simulated.e_min
    assert moved.e0 == pytest.approx(unmoved.e0, abs=0.1)
    both = slice(np.searchsorted(unmoved.energy, moved.energy[-1]))
    for name in ("norm", "sigma"):
        curve = np.interp(unmoved.energy[both], moved.energy, getattr(moved, name))
        np.testing.assert_allclose(curve, getattr(unmoved, name)[both], atol=0.02)


def test_saved_and_loaded_it_answers_the_same(predictor, spinel, tmp_path):
    predictor.checkpoint.save(tmp_path / "again.safetensors")
    found, expected = (
        p.predict(spinel, "Fe") for p in (load(tmp_path / "again.safetensors"), predictor)
    )
    np.testing.assert_array_equal(found.norm, expected.norm)
    np.testing.assert_array_equal(found.sigma, expected.sigma)


def test_other_elements_have_no_calibration(predictor, spinel):
    assert predictor.absorbers == ("Fe", "Ti")
    for absorber in ("O", "Cu"):
        message = f"no calibration for {absorber} in measured, which covers Fe, Ti; predict it as"
        with pytest.raises(UnsupportedAbsorber, match=message):
            predictor.predict(spinel, absorber)
    (spectra,) = predictor.predict_each([spinel], ["all"])
    assert [spectrum.absorber for spectrum in spectra] == ["Fe"]
    with pytest.raises(AbsorberNotInCrystal):
        predictor.predict(spinel, "Ti")


def test_a_fidelity_is_refused(calibrated_model):
    with pytest.raises(ConfigError, match="measured answers as measured, not as a simulation"):
        load(calibrated_model, fidelity="FEFF10")


def test_crystals_unlike_all_measured_are_warned_of(scattered):
    predictor = load(scattered)
    lonely = Structure(Lattice.cubic(12.0), ["Fe"], [[0, 0, 0]])
    with pytest.warns(
        FarFromMeasuredWarning, match=r"Fe: nothing much like its Fe .* by \d\.\d eV"
    ):
        strange = predictor.predict(lonely, "Fe")
    with warnings.catch_warnings():
        warnings.simplefilter("error", CgxasWarning)
        known = predictor.predict(salt(a=4.0), "Fe")  # the first of the measured ones
    assert strange.sigma.mean() > 2 * known.sigma.mean()


def test_sites_can_still_be_embedded(predictor, random_model, salts):
    crystals = read_crystals([salts], predictor.checkpoint.config.graph)
    found = embed_crystals(predictor.checkpoint, crystals, ["Fe"])
    expected = embed_crystals(load_checkpoint(random_model), crystals, ["Fe"])
    assert len(found) == len(expected) == 10
    np.testing.assert_array_equal(found.vector, expected.vector)
