"""Scattering beside a network: it counts as much as it is right, where it was learnt and tried."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from cgxas.crystals.canonical import Cell
from cgxas.data.record import Material, Record
from cgxas.data.split import Split
from cgxas.errors import CgxasError, ConfigError
from cgxas.model.checkpoint import load_checkpoint
from cgxas.model.scattering.known import KnownPotentials
from cgxas.model.scattering.phases import PhaseModel
from cgxas.physics.scattering.potentials import NODES
from cgxas.spectra.axis import FEFF_POINTS
from cgxas.training import scattering
from cgxas.training.scattering import fitted_scattering, with_scattering

PLACES = np.array([[0, 0, 0], [0.5, 0.5, 0.5]])
LEARNT = [3.4, 3.6, 3.8]
TRIED = [3.5, 3.7]
SODIUM, CHLORINE = 11, 17


def salt(edge: float) -> Cell:
    return Cell(np.eye(3) * edge, PLACES, np.array([SODIUM, CHLORINE]))


def potentials(edge: float) -> KnownPotentials:
    """Curves of sodium that change with the lattice constant."""
    tight = 3.6 / edge
    phases = np.stack([tight * 0.8**m * (1 - 0.2 * NODES + 0.02j * NODES) for m in range(3)])
    rise = 1 - np.exp(-(NODES + 0.3))
    return KnownPotentials(
        cell=salt(edge),
        atom=0,
        half_width=0.008,
        depth=0.3 * tight,
        self_energy=(-0.02 - 0.05j) * NODES + 0j,
        own=(0.1 + 1j) * rise,
        dipole=0.8 * rise * tight + 0.1j,
        absorber=phases + 0.3,
        scatterers=np.array([0, 1]),
        phases=np.stack([phases, 1.4 * phases]),
    )


@pytest.fixture(scope="module")
def truth() -> dict[float, np.ndarray]:
    """What scattering gives for the crystals of the validation part."""
    phases = PhaseModel.fitted([potentials(edge) for edge in LEARNT])
    return {edge: phases.mu(salt(edge), 0) for edge in TRIED}


def record(edge: float, norm: np.ndarray, fidelity: str = "FEFF10", site: int = 0) -> Record:
    name = f"{edge} {fidelity} {site}"
    element = ("Na", "Cl")[site]
    material = Material(name, "NaCl", salt(edge))
    return Record(
        name, material, element, np.array([site]), True, FEFF_POINTS, norm, fidelity, fidelity, "m"
    )  # fmt: skip


@pytest.fixture
def fitted(truth, monkeypatch):
    """Learn where the network answers what is given, and scattering is off by something."""

    def fit(answers, off=0.0):
        tried = [record(edge, truth[edge] + off) for edge in TRIED]
        other = [
            record(TRIED[0], truth[TRIED[0]], "FEFF9"),
            record(TRIED[0], truth[TRIED[0]], site=1),
        ]
        records = [*tried, *other]
        norm = torch.from_numpy(np.array([each.norm for each in records]))
        dataset = SimpleNamespace(norm=norm, weights=lambda n: (torch.ones(len(n), 100), None))
        data = SimpleNamespace(records=SimpleNamespace(records=records), dataset=dataset)
        none = np.zeros(0, np.int64)
        split = Split(none, np.arange(len(records)), none)
        monkeypatch.setattr(
            scattering,
            "averaged",
            lambda network, kernel, data, wanted: answers(norm.numpy()[wanted]),
        )
        return fitted_scattering(None, None, data, split, ([potentials(e) for e in LEARNT], []))

    return fit


def test_it_counts_all_where_it_is_right_and_the_network_wrong(fitted, truth):
    found, scattered = fitted(lambda true: true + 0.3)
    assert float(found.share[SODIUM]) == pytest.approx(1.0, abs=1e-3)
    others = np.array([truth[edge] + 0.3 for edge in TRIED] * 2)
    mixed = scattered(np.arange(4), others)
    np.testing.assert_allclose(mixed[:2], others[:2] - 0.3, atol=1e-3)
    np.testing.assert_array_equal(mixed[2:], others[2:])  # another theory, another absorber


def test_it_counts_nothing_where_the_network_is_right(fitted):
    found, _ = fitted(lambda true: true, off=0.3)
    assert float(found.share[SODIUM]) == pytest.approx(0.0, abs=1e-3)


def test_it_counts_half_where_both_are_off_by_as_much(fitted):
    found, _ = fitted(lambda true: true + 0.1, off=0.1)
    assert float(found.share[SODIUM]) == pytest.approx(0.5, abs=0.01)


def test_absorbers_that_were_not_learnt_count_nothing(fitted):
    found, _ = fitted(lambda true: true + 0.3)
    assert np.flatnonzero(found.share.numpy()).tolist() == [SODIUM]
    cell, others = salt(3.5), np.ones((1, 100))
    assert found.averaged(others, cell, np.array([1]), "FEFF10") is others
    assert found.averaged(others, cell, np.array([0]), "FEFF9") is others


def test_a_model_that_does_not_answer_as_feff10_is_refused():
    with pytest.raises(CgxasError, match="scattering goes with simulations"):
        with_scattering(load_checkpoint("calibrated"), None, None, ([], []))
    with pytest.raises(ConfigError, match="does not answer as FEFF10 about the computed edge"):
        with_scattering(load_checkpoint("cgxas-paper"), None, None, ([], []))
