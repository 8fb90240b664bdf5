"""The table of free atoms obeys the laws of electrostatics."""

import numpy as np
import pytest
from safetensors import safe_open

from cgxas.physics import free_atoms as module
from cgxas.physics.free_atoms import HEAVIEST, free_atoms

ALL = np.arange(1, HEAVIEST + 1)


def test_atoms_are_neutral():
    """At the nucleus r V is -Z, far out it is nothing, and Z electrons lie between."""
    table = free_atoms()
    assert table.r_times_v[1:, 0] == pytest.approx(-ALL, rel=0.01)
    assert np.abs(table.r_times_v[1:, -1]).max() < 1e-4
    step = np.log(table.radius[1] / table.radius[0])
    electrons = (table.density[1:] * table.radius**3).sum(axis=1) * step
    assert electrons == pytest.approx(ALL, rel=2e-3)


def test_potential_is_that_of_the_density():
    """Poisson: r V(r) = -Z + electrons within r + r times the integral of rho r beyond."""
    table = free_atoms()
    step = np.log(table.radius[1] / table.radius[0])
    for z in (1, 8, 26, 55, 92):
        shells = table.density[z] * table.radius**3 * step
        inside = np.cumsum(shells) - shells / 2
        over = shells / table.radius
        beyond = over.sum() - np.cumsum(over) + over / 2
        expected = -z + inside + table.radius * beyond
        assert table.r_times_v[z] == pytest.approx(expected, abs=2e-3 * z)


def test_values_are_those_of_the_table_on_its_radii_and_between_them_otherwise():
    table = free_atoms()
    z = np.array([8, 26, 55])
    places = np.array([150, 180, 200])
    r = table.radius[places]
    assert table.potential(z, r) == pytest.approx(table.r_times_v[z, places] / r, rel=1e-9)
    assert table.density_at(z, r) == pytest.approx(table.density[z, places], rel=1e-9)
    low, high = table.potential(z, r), table.potential(z, table.radius[places + 1])
    between = table.potential(z, r * np.exp(0.025))
    assert np.all((between > low) & (between < high))


def test_the_file_tells_where_it_comes_from():
    with safe_open(module._FILE, framework="numpy") as file:
        told = file.metadata()
    assert "FEFF10" in told["source"]
    assert "bohr" in told["what"]
    assert module._FILE.stat().st_size < 250_000
