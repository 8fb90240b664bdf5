import math

import numpy as np
import pytest
import torch

from cgxas.model.cgxas.basis import envelope, gaussian_basis, plane_waves


def test_envelope_and_its_slope_vanish_at_the_cutoff():
    distance = torch.tensor([0.0, 4.0, 8.0], dtype=torch.float64, requires_grad=True)
    value = envelope(distance, 8.0)
    assert value.tolist() == pytest.approx([1.0, 0.5, 0.0], abs=1e-12)
    (slope,) = torch.autograd.grad(value.sum(), distance)
    assert slope[[0, 2]].tolist() == pytest.approx([0.0, 0.0], abs=1e-12)
    assert slope[1] < 0


def test_gaussian_peaks_at_its_centre():
    n, cutoff = 64, 8.0
    edge = math.exp(-cutoff)
    centre = edge + (1 - edge) * 20 / n
    distance = torch.tensor([-math.log(centre)], dtype=torch.float64)
    values = gaussian_basis(distance, n, cutoff)[0]
    assert int(values.argmax()) == 19
    assert values[19] == pytest.approx(float(envelope(distance, cutoff)), rel=1e-12)
    # The next centre is half a width away: beta (1/64)^2 = 1/4.
    assert values[20] / values[19] == pytest.approx(math.exp(-0.25), rel=1e-9)


def test_waves_are_those_of_the_reciprocal_cell():
    lattice = np.array([[4.0, 0, 0], [1, 5, 0], [0.3, 1, 6]])
    vector = np.array([1.0, -2.0, 3.0])
    volume = np.linalg.det(lattice)
    reciprocal = 2 * np.pi * np.linalg.inv(lattice).T
    grid = (-3 / 8, -1 / 8, 1 / 8, 3 / 8)
    expected = [
        np.cos((a * reciprocal[0] + b * reciprocal[1] + c * reciprocal[2]) @ vector)
        for a in grid
        for b in grid
        for c in grid
    ] / np.sqrt(volume)
    fractional = torch.from_numpy(vector @ np.linalg.inv(lattice))[None]
    found = plane_waves(fractional, torch.tensor([volume]), 4)[0]
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-14)


def test_waves_do_not_tell_a_direction_from_its_opposite():
    fractional = torch.rand(5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    volume = torch.full((5,), 50.0, dtype=torch.float64)
    torch.testing.assert_close(
        plane_waves(fractional, volume, 4), plane_waves(-fractional, volume, 4)
    )


@pytest.mark.parametrize("n", [1, 2, 3])
def test_number_of_waves(n):
    assert plane_waves(torch.zeros(2, 3), torch.ones(2), n).shape == (2, n**3)
