"""Scattering: special functions, known limits, symmetry, smoothness, and FEFF itself."""

import runpy

import numpy as np
import pytest
import torch
from scipy.special import spherical_jn, spherical_yn

from cgxas.crystals.canonical import Cell
from cgxas.physics.free_atoms import BOHR
from cgxas.physics.scattering.absorption import absorption, absorption_of
from cgxas.physics.scattering.cluster import Cluster, cluster
from cgxas.physics.scattering.fermi import fermi_cut
from cgxas.physics.scattering.harmonics import degrees, gaunt, harmonics
from cgxas.physics.scattering.potentials import NODES, Potentials
from cgxas.physics.scattering.propagator import outgoing
from cgxas.physics.scattering.solve import scattering_trace

CORNERS = [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]
CENTRES = [[0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5], [0.5, 0.5, 0.5]]
ROCK_SALT = Cell(np.eye(3) * 5.64, np.array(CORNERS + CENTRES), np.array([11] * 4 + [17] * 4))


def rotation() -> np.ndarray:
    axes, _ = np.linalg.qr(np.random.default_rng(5).normal(size=(3, 3)))
    return axes * np.sign(np.linalg.det(axes))


def displaced(cell: Cell, by: float, seed: int = 3) -> Cell:
    moved = np.random.default_rng(seed).normal(size=cell.frac.shape) * by
    return Cell(cell.lattice, cell.frac + moved @ np.linalg.inv(cell.lattice), cell.numbers)


def made_up(around: Cluster, numbers: np.ndarray) -> Potentials:
    """Smooth curves of the size that FEFF finds, those of sodium unlike those of chlorine."""
    light = (numbers[around.atom] == 11)[:, None, None]
    degree = np.arange(3)[None, :, None]
    strength = np.where(light, 0.7, 1.6) / (1 + degree) ** 2
    phases = strength * (1 - 0.3 * NODES + 0.02j * NODES)
    rise = 1 - np.exp(-(NODES + 0.3))
    return Potentials(
        half_width=0.01,
        depth=0.35,
        self_energy=(-0.02 - 0.05j) * NODES + 0j,
        phases=phases,
        own=(0.1 + 1j) * rise,
        dipole=0.8 * rise + 0.1j,
    )


@pytest.fixture
def small() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    random = np.random.default_rng(1)
    positions = torch.from_numpy(random.normal(size=(6, 3)) * 4)
    k = torch.tensor([0.8 + 0.02j, 1.4 + 0.05j], dtype=DOUBLE)
    phases = torch.from_numpy(random.normal(size=(6, 3, 2)) * 0.7 + 0.02j)
    return positions, k, phases, torch.from_numpy(random.uniform(0.2, 1, size=6))


DOUBLE = torch.complex128


def test_harmonics_are_orthonormal_and_gaunt_integrates_them():
    # Y00 is constant, so that with it the integral of three is that of two.
    table = gaunt(2)
    np.testing.assert_allclose(table[:, :, 0] * np.sqrt(4 * np.pi), np.eye(9), atol=1e-13)
    np.testing.assert_allclose(table, table.transpose(1, 0, 2), atol=1e-14)
    # Unsoeld: the squares of each l sum to (2 l + 1) / 4 pi in every direction, the poles too.
    unit = torch.tensor([[0.0, 0.0, 1.0], [0.6, 0.0, -0.8], [0.48, 0.64, 0.6]], dtype=torch.float64)
    squares = harmonics(unit, 4) ** 2
    degree = torch.tensor(degrees(4))
    for each in range(5):
        total = squares[:, degree == each].sum(dim=1)
        assert total == pytest.approx([(2 * each + 1) / (4 * np.pi)] * 3)


def test_outgoing_waves_are_hankel_functions():
    x = 2.3
    waves = outgoing(torch.tensor([x], dtype=DOUBLE), 6)
    for degree, wave in enumerate(waves):
        hankel = spherical_jn(degree, x) + 1j * spherical_yn(degree, x)
        assert complex(wave[0]) == pytest.approx(1j * (-1j) ** degree * hankel, rel=1e-10)


def test_one_neighbour_that_scatters_s_waves_once():
    """Out as a p wave along the bond, an s wave on the neighbour, and back."""
    distance, k, delta = 4.0, 1.1 + 0.05j, 0.8
    phases = torch.zeros((2, 3, 1), dtype=DOUBLE)
    phases[1, 0] = delta
    positions = torch.tensor([[0.0, 0, 0], [0, 0.6, 0.8]], dtype=torch.float64) * distance
    found = scattering_trace(
        positions, torch.tensor([k], dtype=DOUBLE), phases, torch.ones(2, dtype=torch.float64)
    )
    x = k * distance
    wave = np.exp(1j * x) * (x + 1j) / x**2
    t = np.exp(1j * delta) * np.sin(delta)
    assert complex(found[0]) == pytest.approx(3 * wave**2 * t / 9, rel=1e-10)


def test_atoms_that_do_not_scatter_do_not_matter(small):
    positions, k, phases, fade = small
    silent = fade.clone()
    silent[3:] = 0
    some = scattering_trace(positions[:3], k, phases[:3], fade[:3])
    torch.testing.assert_close(scattering_trace(positions, k, phases, silent), some)
    assert not torch.allclose(scattering_trace(positions, k, phases, fade), some, rtol=1e-2)


def test_rotation_order_and_inversion_change_nothing(small):
    positions, k, phases, fade = small
    expected = scattering_trace(positions, k, phases, fade)
    order = torch.tensor([0, 4, 2, 5, 1, 3])
    for turned in (positions @ torch.from_numpy(rotation()), -positions):
        found = scattering_trace(turned[order], k, phases[order], fade[order])
        torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-12)


def test_slopes_are_those_of_differences(small):
    positions, k, phases, fade = small

    def answer(*varied: torch.Tensor) -> torch.Tensor:
        where, kept, real = varied
        return torch.view_as_real(scattering_trace(where, k, real + 0.02j, kept))

    varied = (positions, fade, phases.real)
    assert torch.autograd.gradcheck(answer, [each.clone().requires_grad_() for each in varied])


def test_fermi_cut_of_a_constant_is_an_arctangent():
    """A level cross-section, broadened and filled up to the Fermi level."""
    omega = torch.linspace(-0.5, 3, 60, dtype=torch.float64)
    width = 0.05
    up = 1j * torch.linspace(1e-4, width, 200, dtype=torch.float64)[:-1]
    along = torch.linspace(0, 400, 4000, dtype=torch.float64) + 1j * width
    path = torch.cat([up, along])
    one = torch.full((len(path),), 1j, dtype=DOUBLE)
    cut = fermi_cut(omega, width, path, one, torch.full((60,), 1j, dtype=DOUBLE)).imag
    torch.testing.assert_close(cut, 0.5 + torch.atan(omega / width) / torch.pi)


def test_a_cluster_has_the_wanted_size_and_fades_out():
    around = cluster(ROCK_SALT, 0, 45)
    assert around.fade.sum() == pytest.approx(45)
    distance = np.linalg.norm(around.positions, axis=1) * BOHR
    order = np.argsort(distance)
    assert (np.diff(around.fade[order]) <= 1e-12).all()
    assert around.fade[0] == 1
    assert around.fade.min() > 0


def test_a_lonely_atom_has_no_cluster_but_itself():
    alone = Cell(np.eye(3) * 30.0, np.zeros((1, 3)), np.array([11]))
    around = cluster(alone, 0)
    assert around.atom.tolist() == [0]
    assert around.fade.tolist() == [1.0]
    mu = absorption(around, made_up(around, alone.numbers))
    assert np.isfinite(mu).all()
    assert abs(np.diff(mu)).max() < 0.2


def test_the_spectrum_does_not_depend_on_cell_rotation_or_order():
    def mu(cell: Cell, atom: int) -> np.ndarray:
        around = cluster(cell, atom, 30)
        return absorption(around, made_up(around, cell.numbers))

    cell = displaced(ROCK_SALT, 0.05)
    expected = mu(cell, 2)
    turned = Cell(cell.lattice @ rotation(), cell.frac[::-1], cell.numbers[::-1])
    np.testing.assert_allclose(mu(turned, 5), expected, atol=2e-5)
    double = Cell(
        cell.lattice * [[1], [2], [1]],
        np.concatenate([cell.frac, cell.frac + np.array([0, 1, 0])]) / [1, 2, 1],
        np.tile(cell.numbers, 2),
    )
    np.testing.assert_allclose(mu(double, 10), expected, atol=2e-5)


def test_the_spectrum_is_continuous_in_the_positions():
    """In rock salt whole shells lie at one distance: a count of atoms would cut through them."""

    def mu(cell: Cell) -> np.ndarray:
        around = cluster(cell, 0, 30)
        potentials = made_up(around, cell.numbers)
        exact = (around.positions, around.fade, np.array(potentials.depth))
        curves = (potentials.self_energy, potentials.phases, potentials.own, potentials.dipole)
        tensors = [torch.from_numpy(each) for each in (*exact, *curves)]
        return absorption_of(*tensors, half_width=potentials.half_width).numpy()

    # Where all is symmetric a small step changes nothing in first order.
    for crystal in (ROCK_SALT, displaced(ROCK_SALT, 1e-3, seed=4), displaced(ROCK_SALT, 0.1, 4)):
        still = mu(crystal)
        steps = [abs(mu(displaced(crystal, by)) - still).max() for by in (1e-2, 1e-3, 1e-4)]
        assert 1e-5 < steps[0] < 0.02
        assert steps[1] < 0.2 * steps[0]
        assert steps[2] < 0.2 * steps[1]


def test_single_precision_is_enough():
    around = cluster(ROCK_SALT, 0, 30)
    potentials = made_up(around, ROCK_SALT.numbers)
    double = absorption_of(
        torch.from_numpy(around.positions),
        torch.from_numpy(around.fade),
        torch.tensor(potentials.depth),
        *(
            torch.from_numpy(np.asarray(each))
            for each in (
                potentials.self_energy,
                potentials.phases,
                potentials.own,
                potentials.dipole,
            )
        ),
        half_width=potentials.half_width,
    )
    np.testing.assert_allclose(absorption(around, potentials), double.numpy(), atol=1e-4)


def test_traces_are_those_of_an_independent_program(shared, small):
    folder = shared / "reference" / "scattering"
    if not (folder / "scattering.py").is_file():
        pytest.skip(f"no reference at {folder}")
    reference = runpy.run_path(str(folder / "scattering.py"))
    positions, k, phases, _ = small
    expected = reference["scattering_trace"](
        positions.numpy(),
        np.arange(6),
        (k.numpy() ** 2) / 2,
        np.zeros(2),
        phases.numpy(),
        np.ones(2),
        2,
    )
    found = scattering_trace(positions, k, phases, torch.ones(6, dtype=torch.float64))
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-6)
