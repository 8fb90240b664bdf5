"""The phase model: what it learns, keeps, refuses, and that its answers are smooth."""

import numpy as np
import pytest

from cgxas.crystals.canonical import Cell
from cgxas.errors import CrystalError, UnsupportedAbsorber
from cgxas.model.scattering.described import described
from cgxas.model.scattering.kernel import ANY_ELEMENT, CurveKernel, Likeness
from cgxas.model.scattering.known import KnownDepth, KnownPotentials, on_nodes
from cgxas.model.scattering.phases import PhaseModel
from cgxas.physics.scattering.potentials import NODES
from cgxas.spectra.axis import FEFF_POINTS

CORNERS = [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]
CENTRES = [[0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5], [0.5, 0.5, 0.5]]
HALF_WIDTH = 0.008


def rock_salt(edge: float, cation: int = 11, anion: int = 17) -> Cell:
    return Cell(np.eye(3) * edge, np.array(CORNERS + CENTRES), np.array([cation] * 4 + [anion] * 4))


def run(edge: float, cation: int = 11, anion: int = 17) -> KnownPotentials:
    """Curves that depend on the lattice constant, as those of a compressed crystal do."""
    tight = 5.6 / edge
    phases = np.stack([tight * 0.8**m * (1 - 0.2 * NODES + 0.02j * NODES) for m in range(3)])
    rise = 1 - np.exp(-(NODES + 0.3))
    return KnownPotentials(
        cell=rock_salt(edge, cation, anion),
        atom=0,
        half_width=HALF_WIDTH,
        depth=0.3 * tight,
        self_energy=(-0.02 - 0.05j) * NODES + 0j,
        own=(0.1 + 1j) * rise,
        dipole=0.8 * rise * tight + 0.1j,
        absorber=phases + 0.3,
        scatterers=np.array([1, 4]),
        # Phases are known up to multiples of pi: another one in every run.
        phases=np.stack([phases, 1.4 * phases]) + np.pi * round(edge * 10),
    )


@pytest.fixture(scope="module")
def model() -> PhaseModel:
    edges = np.linspace(5.2, 6.2, 9)
    depths = [KnownDepth(rock_salt(edge), 0, 0.3 * 5.6 / edge) for edge in edges + 0.05]
    return PhaseModel.fitted([run(edge) for edge in edges], depths)


def test_what_lies_between_known_crystals_is_learnt(model):
    truth = run(5.67)
    found = model.potentials(*at(model, truth.cell))
    assert found.half_width == HALF_WIDTH
    assert found.depth == pytest.approx(truth.depth, abs=2e-3)
    np.testing.assert_allclose(found.own, truth.own, atol=5e-3)
    np.testing.assert_allclose(found.dipole, truth.dipole, atol=5e-3)
    np.testing.assert_allclose(found.phases[0], truth.absorber, atol=5e-3)


def test_phases_are_those_of_each_atom_up_to_pi(model):
    from cgxas.physics.scattering.cluster import cluster

    truth = run(5.67)
    around = cluster(truth.cell, 0)
    found = model.potentials(truth.cell, around)
    for place in range(1, len(around.atom)):
        expected = truth.phases[int(truth.cell.numbers[around.atom[place]] == 17)]
        apart = np.exp(2j * found.phases[place]) - np.exp(2j * expected)
        assert abs(apart).max() < 0.02


def at(model: PhaseModel, cell: Cell):
    from cgxas.physics.scattering.cluster import cluster

    return cell, cluster(cell, 0, 20)


def test_restored_models_answer_alike(model):
    tensors = {name: each.clone() for name, each in model.tensors().items()}
    again = PhaseModel.of(tensors)
    cell = rock_salt(5.5)
    np.testing.assert_array_equal(again.mu(cell, 0, 20), model.mu(cell, 0, 20))


def test_spectra_are_smooth_in_the_lattice_constant(model):
    still = model.mu(rock_salt(5.5), 0, 20)
    assert still.shape == FEFF_POINTS.shape
    steps = [abs(model.mu(rock_salt(5.5 + by), 0, 20) - still).max() for by in (1e-2, 1e-3)]
    assert 1e-4 < steps[0] < 0.1
    assert steps[1] < 0.2 * steps[0]


def test_what_was_never_met_is_refused(model):
    assert model.answers(rock_salt(5.5), 0)
    assert not model.answers(rock_salt(5.5), 4)
    with pytest.raises(UnsupportedAbsorber, match=r"no potentials of Cl .* take a network"):
        model.mu(rock_salt(5.5), 4)
    assert not model.answers(rock_salt(6.0, anion=35), 0)
    with pytest.raises(CrystalError, match=r"no phase shifts of Br were learnt; take a network"):
        model.mu(rock_salt(6.0, anion=35), 0)


def test_elements_lend_each_other_their_curves():
    """An element met once in a crystal like none of the others' still knows how they change."""
    cells = [rock_salt(edge, anion=z) for edge in np.linspace(5.2, 6.2, 6) for z in (9, 17)]
    kept = [cell for cell in cells if not (cell.numbers[4] == 9 and cell.lattice[0, 0] > 5.3)]
    parts = tuple(
        np.concatenate(part)
        for part in zip(*(described(cell, np.array([4])) for cell in kept), strict=True)
    )
    element = np.array([cell.numbers[4] for cell in kept])
    curve = np.array([[cell.lattice[0, 0]] for cell in kept]) + (element == 9)[:, None]
    likeness = Likeness((1.0, 1.0, 0.5, 0.5), length=4.0, element_length=10.0, noise=1e-4)
    kernel = CurveKernel.fitted(parts, element, curve, likeness)
    far = rock_salt(5.8, anion=9)
    found = kernel(described(far, np.array([4])), np.array([9]))[0, 0]
    assert abs(found - 6.8) < abs(kernel.usual[9, 0] - 6.8) / 2
    assert not kernel.knows(35)
    assert not kernel.knows(ANY_ELEMENT)


def test_curves_are_brought_to_real_energies():
    width = 0.01
    energy = FEFF_POINTS / 27.211386245988 + 1j * width
    np.testing.assert_allclose(
        on_nodes(np.exp(-0.4 * energy), width), np.exp(-0.4 * NODES), atol=1e-5
    )
    np.testing.assert_allclose(on_nodes(energy)[3], energy[19])
