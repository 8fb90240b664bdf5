"""One way from crystals to site vectors, whatever the batches, and from those to answers."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from ase.build import bulk

from cgxas.crystals.bonds import chemical_state
from cgxas.crystals.structure import Crystal, standardise
from cgxas.errors import ConfigError
from cgxas.model.calibration.base import Uncalibrated
from cgxas.model.calibration.rigid import RigidCalibration
from cgxas.model.checkpoint import load_checkpoint
from cgxas.model.model import Model
from cgxas.predict import Predictor
from cgxas.spectra.spectrum import EnergyGrid

SAME = 2e-5


@pytest.fixture
def model(random_model) -> Model:
    return Model(load_checkpoint(random_model))


@pytest.fixture
def crystals(model) -> list[Crystal]:
    spec = model.checkpoint.config.graph
    cells = [bulk("NiO", "rocksalt", a) for a in (4.0, 4.17, 4.3)] + [bulk("Fe", cubic=True)]
    return [standardise(cell, spec) for cell in cells]


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_site_vectors_do_not_depend_on_the_batches(model, crystals, size):
    expected = [next(model.sites([crystal])) for crystal in crystals]
    found = list(model.sites(crystals, batch_size=size))
    assert len(found) == len(expected)
    for one, two in zip(found, expected, strict=True):
        assert one.vectors.shape == (len(one.graph), 16)
        assert not one.vectors.requires_grad
        np.testing.assert_array_equal(one.graph.graph.numbers, two.graph.graph.numbers)
        torch.testing.assert_close(one.vectors, two.vectors, rtol=0, atol=SAME)


def test_crystals_may_come_one_after_the_other(model, crystals):
    taken = []

    def each() -> Iterator[Crystal]:
        for crystal in crystals:
            taken.append(crystal)
            yield crystal

    found = model.sites(each(), batch_size=1)
    next(found)
    assert len(taken) == 1
    assert len(list(found)) == 3


def test_nothing_is_embedded_of_nothing(model):
    assert list(model.embed([])) == []
    assert list(model.sites([])) == []


def test_what_is_known_of_sites(model, crystals):
    nickel = crystals[1].checked_sites("Ni", None)
    (embedded,) = model.sites([crystals[1]])
    found, nodes = model.absorber_sites(embedded, "Ni", nickel, name="bunsenite")
    assert (found.absorber, found.name, found.fidelity) == ("Ni", "bunsenite", None)
    own = model.card("Ni").network_grid
    np.testing.assert_array_equal(found.energies, np.tile(own.energies, (len(nodes), 1)))
    assert (found.start, found.width) == (own.e_min, None)
    assert set(embedded.graph.graph.numbers[nodes].tolist()) == {28}
    assert torch.equal(found.vectors, embedded.vectors[torch.from_numpy(nodes)])
    expected = model.network.head(found.vectors).double().numpy()
    np.testing.assert_array_equal(found.simulated, expected)
    valence, ligands = chemical_state(embedded.graph.graph, model.checkpoint.bonds)
    np.testing.assert_array_equal(found.state, np.stack([valence[nodes], ligands[nodes]], axis=1))


def test_it_answers_as_the_predictor_does(model, crystals):
    (embedded,) = model.sites([crystals[1]])
    sites, _ = model.absorber_sites(embedded, "Ni", crystals[1].checked_sites("Ni", None))
    found = model.answer(sites)
    expected = Predictor(model.checkpoint).predict(bulk("NiO", "rocksalt", 4.17), "Ni")
    np.testing.assert_allclose(found.mean, expected.norm, rtol=0, atol=SAME)


def test_answers_go_through_the_calibration_onto_the_grid_of_the_card(model, crystals):
    assert isinstance(model.calibration, Uncalibrated)
    own = model.card("Ni").grid
    moved = EnergyGrid(own.e_min - 5, own.e_max - 5, own.n_points)
    card = replace(model.card("Ni"), grid=moved, simulated=own)
    rigid = RigidCalibration(2.0, 0.0)
    other = Model(replace(model.checkpoint, cards={("Ni", "K"): card}, calibration=rigid))
    assert other.calibration is rigid
    (embedded,) = other.sites([crystals[1]])
    sites, _ = other.absorber_sites(embedded, "Ni", crystals[1].checked_sites("Ni", None))
    np.testing.assert_array_equal(sites.energies[0], own.energies)
    np.testing.assert_array_equal(other.answer(sites).mean, rigid.spectra(sites, moved).mean)


def test_fidelities_have_numbers(model):
    assert model.fidelity("Fe") is None
    with pytest.raises(ConfigError, match="no fidelity 'FEFF10'; the model knows none"):
        model.fidelity("Fe", "FEFF10")
    config = replace(model.checkpoint.config, fidelities=("FEFF9", "FEFF10"))
    state = {**model.checkpoint.state, "fidelity_vectors": torch.randn(2, 16)}
    cards = {("Fe", "K"): replace(model.card("Fe"), fidelity="FEFF10")}
    other = Model(replace(model.checkpoint, config=config, state=state, cards=cards))
    assert (other.fidelity("Fe"), other.fidelity("Fe", "FEFF9")) == (1, 0)
    with pytest.raises(ConfigError, match="the model knows FEFF9, FEFF10"):
        other.fidelity("Fe", "VASP")
