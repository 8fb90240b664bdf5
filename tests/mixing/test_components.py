"""How many components a series carries, and which."""

import numpy as np
import pytest

from cgxas.errors import SpectrumError
from cgxas.mixing.components import components_of
from cgxas.mixing.subsets import best_subset
from cgxas.mixing.unmix import unmixed

from .conftest import ENERGY, phase


@pytest.mark.parametrize("n_phases", [1, 2, 3])
@pytest.mark.parametrize("n_scans", [8, 100])
@pytest.mark.parametrize("noise", [0.002, 0.01])
def test_components_are_counted(mixed, n_phases, n_scans, noise):
    shares = np.random.default_rng(n_scans).dirichlet(np.ones(n_phases), n_scans)
    assert components_of(mixed(shares, noise)).count == n_phases


def test_drifting_backgrounds_are_no_components(mixed):
    """They are smooth, above the noise, and each scan has its own."""
    random = np.random.default_rng(7)
    shares = random.dirichlet(np.ones(2), 60)
    x = np.linspace(-1, 1, ENERGY.size)
    drift = sum(3e-3 * random.normal(size=(60, 1)) * x**n for n in range(1, 4))
    found = components_of(mixed(shares, 0.0005) + drift)
    assert found.count == 2 < found.above_noise


def test_components_with_pure_scans_are_found(mixed):
    pytest.importorskip("pymcr")
    shares = np.array([[1 - t, t] for t in np.linspace(0, 1, 30)])
    found = unmixed(mixed(shares, 0.002), 2)
    for curve, name in zip(found, "ab", strict=True):
        assert np.sqrt(np.mean((curve - phase(name)) ** 2)) < 0.01


def test_one_component_is_not_parted(mixed):
    with pytest.raises(SpectrumError, match="only one component"):
        unmixed(mixed([[1.0]] * 10), 1)


def test_the_right_references_are_chosen(references, mixed):
    curves = np.array([each.norm for each in references])
    for shares, expected in (
        ([0.5, 0.0, 0.5], (0, 2)),
        ([0, 1.0, 0], (1,)),
        ([0.3, 0.3, 0.4], (0, 1, 2)),
    ):
        chosen, _ = best_subset(mixed([shares], 0.003)[0], curves, 3)
        assert chosen == expected


def test_choices_that_tie_are_counted(references, mixed):
    curves = np.array([each.norm for each in references])
    twice = np.vstack([curves, curves[1] + 1e-4])
    chosen, as_good = best_subset(mixed([[0.5, 0.5, 0.0]], 0.003)[0], twice, 2)
    assert len(chosen) == 2 and as_good == 1


def test_too_many_choices_are_refused(mixed):
    curves = np.tile(phase("a"), (60, 1))
    with pytest.raises(SpectrumError, match="--most"):
        best_subset(phase("a"), curves, 6)
