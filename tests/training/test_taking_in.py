"""A kernel takes in new spectra: as fitted anew, and far from them nothing changes."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from cgxas.crystals.formula import formula_of
from cgxas.errors import ConfigError
from cgxas.model.kernel import KernelSettings, SiteKernel, _kernel
from cgxas.physics.surroundings import AROUND
from cgxas.training.taking_in import can_take_in, taken_in

SETTINGS = KernelSettings(("FEFF10",), noise=1e-2)
WHICH = np.zeros(30, np.int64)  # theory of each site


@pytest.fixture
def sites() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Descriptions, absorbers and spectra of 30 made-up sites in two families far apart."""
    random = np.random.default_rng(64)
    described = random.normal(size=(30, AROUND.start + 60)) * 0.1
    described[15:] += 5.0
    described = described.astype(np.float16).astype(np.float64)  # as a kernel keeps them
    number = np.full(30, 8)
    return described, number, random.normal(size=(30, 7)) + 3.0


def test_what_is_added_is_what_fitting_all_anew_gives(sites):
    described, number, norm = sites
    old = SiteKernel.fitted(described[:20], number[:20], WHICH[:20], norm[:20], SETTINGS)
    lacks = norm[20:] - np.array([old.spectra(d[None], 8, "FEFF10")[0] for d in described[20:]])
    new = old.with_sites(described[20:], 8, "FEFF10", lacks)
    # Fitted anew, and by hand, with the mean spectrum that the old one takes off.
    usual, around = old.usual[0, 8].double().numpy(), described[:, AROUND].astype(np.float16)
    among = _kernel(*(around.astype(np.float64), number) * 2, SETTINGS)
    weights = np.linalg.solve(among + SETTINGS.noise * np.eye(30), norm - usual)
    found = np.array([new.spectra(d[None], 8, "FEFF10")[0] for d in around_only(around)])
    np.testing.assert_allclose(found, usual + among @ weights, atol=2e-3)


def around_only(around: np.ndarray) -> np.ndarray:
    """Descriptions with these surroundings and nothing of their own."""
    own = np.zeros((len(around), AROUND.start))
    return np.concatenate([own, around.astype(np.float64)], axis=1)


def test_sites_unlike_the_new_ones_stay_as_they_were(sites):
    described, number, norm = sites
    old = SiteKernel.fitted(described[:15], number[:15], WHICH[:15], norm[:15], SETTINGS)
    far = described[:15] - 100.0
    new = old.with_sites(described[15:], 8, "FEFF10", np.ones((15, 7)))
    before, after = (each.spectra(far, 8, "FEFF10") for each in (old, new))
    np.testing.assert_allclose(after, before, atol=1e-3)
    assert len(new.around) == 30
    assert len(old.around) == 15
    assert torch.equal(new.share, old.share)
    assert SiteKernel.restore(new.tensors, new.values, 7).settings == SETTINGS


@pytest.fixture(scope="module")
def universal():
    from cgxas.model.checkpoint import load_checkpoint
    from cgxas.model.location import bundled

    if "universal" not in bundled():
        pytest.skip("no bundled model")
    return load_checkpoint("universal")


@pytest.fixture(scope="module")
def records():
    """Oxygen of two made-up rock salts that nobody has simulated, as steps."""
    from cgxas.crystals.canonical import Cell
    from cgxas.data.record import Annotation, Material, Record

    found = []
    for z, name, a in ((11, "NaO", 4.6), (19, "KO", 5.4)):
        frac = np.array([[0, 0, 0], [0.5, 0.5, 0.5]])
        lattice = np.array([[0, a / 2, a / 2], [a / 2, 0, a / 2], [a / 2, a / 2, 0]])
        material = Material(name, name, Cell(lattice, frac, np.array([z, 8])))
        energy = 530.0 + np.linspace(-15, 40, 100)
        norm = 0.5 + np.arctan(energy - 530.0) / np.pi
        found.append(
            Record(
                name, material, "O", np.array([1]), True, energy, norm, "FEFF10, made up",
                "FEFF10", "made_up", "K", Annotation(),
            )
        )  # fmt: skip
    return found


def test_a_model_knows_what_it_has_taken_in(universal, records):
    from cgxas.model.model import Model
    from cgxas.training.taking_in import answers

    before = answers(universal, records)
    wanted = before * (1.0 + 0.2 * np.sin(np.arange(100) / 10.0))
    tuned = taken_in(universal, records[:1], wanted[:1])
    after = answers(tuned, records)
    lacked, lacks = np.abs(before - wanted).max(axis=1), np.abs(after - wanted).max(axis=1)
    assert lacks[0] < 0.1 * lacked[0]
    name = formula_of(records[0].material.cell.numbers)
    assert name in tuned.trust.simulated.compounds("O")
    assert name not in universal.trust.simulated.compounds("O")
    asked = Model(tuned)
    for element in ("Fe", "Ni"):
        assert tuned.trust.simulated.compounds(element) == universal.trust.simulated.compounds(
            element
        )
    assert asked.checkpoint.state is universal.state


def test_a_tuned_model_survives_its_file(universal, records, tmp_path):
    from cgxas.model.checkpoint import load_checkpoint
    from cgxas.training.taking_in import answers

    norm = np.tile(np.linspace(0, 1, 100), (2, 1))
    tuned = replace(taken_in(universal, records, norm), name="ft_O")
    tuned.save(tmp_path / "ft_O.safetensors")
    again = load_checkpoint(tmp_path / "ft_O.safetensors")
    np.testing.assert_allclose(answers(again, records), answers(tuned, records), atol=1e-5)


def test_only_a_kernel_of_the_theory_takes_in(universal, records):
    assert can_take_in(universal, "O", "FEFF10")
    assert not can_take_in(universal, "O", "VASP")
    bare = replace(universal, kernel=None)
    assert not can_take_in(bare, "O", "FEFF10")
    with pytest.raises(ConfigError, match="has no kernel that could learn of O"):
        taken_in(bare, records, np.zeros((2, 100)))
