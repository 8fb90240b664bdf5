from collections.abc import Callable

import numpy as np
import pytest
import torch

from cgxas.crystals.canonical import Cell
from cgxas.model.sites import AbsorberSites
from cgxas.spectra.spectrum import EnergyGrid


@pytest.fixture
def grid() -> EnergyGrid:
    """Energies of a network for iron."""
    return EnergyGrid(7110.0, 7165.0, 100)


@pytest.fixture
def make_sites(grid) -> Callable[..., AbsorberSites]:
    """Makes two sites, a third and two thirds, whose edges lie at 7120 and 7124 eV."""

    def make(absorber: str = "Fe", name: str = "FeO", height: float = 1.0) -> AbsorberSites:
        curves = [0.5 + np.arctan((grid.energies - e) / 0.8) / np.pi for e in (7120.0, 7124.0)]
        return AbsorberSites(
            absorber=absorber,
            vectors=torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]),
            share=np.array([1 / 3, 2 / 3]),
            simulated=height * np.array(curves),
            energies=np.tile(grid.energies, (2, 1)),
            start=grid.e_min,
            width=None,
            state=np.array([[2.0, 3.4], [3.0, 3.4]]),
            cell=Cell(np.eye(3) * 4.3, np.array([[0, 0, 0], [0.5, 0.5, 0.45]]), np.array([26, 8])),
            atoms=np.array([0, 0]),
            name=name,
        )

    return make


@pytest.fixture
def sites(make_sites) -> AbsorberSites:
    return make_sites()
