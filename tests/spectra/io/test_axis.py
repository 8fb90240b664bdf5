import numpy as np
import pytest

from cgxas.spectra.io.table.axis import (
    angle_to_energy,
    has_clear_edge,
    is_count,
    looks_kev,
    looks_like_energies,
)


def test_the_energy_of_an_angle_is_that_of_bragg():
    assert angle_to_energy(np.array([30.0]), 3.13551)[0] == pytest.approx(12398.419843 / 3.13551)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.linspace(7000.0, 7400.0, 50), True),
        (np.linspace(7.0, 7.4, 50), True),
        (np.linspace(7400.0, 7000.0, 50), True),
        (np.full(50, 7000.0), False),
        (1e5 + 1e3 * np.cos(np.arange(50.0)), False),
        (np.linspace(-1.0, 1.0, 50), False),
        (np.full(50, np.nan), False),
    ],
)
def test_energies_run_one_way_where_edges_lie(values, expected):
    assert looks_like_energies(values) is expected


def test_counts_kev_and_clear_edges():
    assert is_count(np.arange(9.0))
    assert is_count(np.arange(1.0, 9.0))
    assert not is_count(np.arange(2.0, 9.0))
    assert looks_kev(np.array([7.0, 7.4]))
    assert not looks_kev(np.array([50.0, 90.0]))
    assert has_clear_edge(np.repeat([1.0, 2.0], 20))
    assert not has_clear_edge(np.repeat([1.0, 1.2], 20))
