"""Made-up measured compounds: a small random network whose answers were shifted and broadened."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from cgxas.calibration.measured import STEP, Compounds
from cgxas.crystals.canonical import Cell
from cgxas.data.record import Records
from cgxas.elements import atomic_number
from cgxas.model.architecture import Targets
from cgxas.model.calibration.features import edge_of
from cgxas.model.cgxas.config import CGXASConfig
from cgxas.model.cgxas.network import CGXAS
from cgxas.model.checkpoint import Checkpoint
from cgxas.model.description import AbsorberCard
from cgxas.model.model import Model
from cgxas.model.sites import AbsorberSites
from cgxas.spectra.resample import broadened
from cgxas.spectra.spectrum import EnergyGrid
from cgxas.spectra.xray import WINDOWS


def small_model(elements) -> Checkpoint:
    """A model with random weights that knows two fidelities; its spectra have an edge."""
    config = CGXASConfig(hidden=12, n_modules=1, wave_numbers=0, fidelities=("one", "two"))
    network = CGXAS(config)
    random = torch.Generator().manual_seed(5)
    for name, tensor in network.state_dict().items():
        if name.endswith(("running_var", "norm.weight")):
            tensor.copy_(0.5 + torch.rand(tensor.shape, generator=random))
        elif tensor.is_floating_point():
            tensor.copy_(torch.randn(tensor.shape, generator=random) / 12**0.5)
    x = torch.linspace(-15.0, 40.0, config.n_outputs)
    mean = 0.5 + torch.atan(2 * x) / torch.pi + 0.8 * torch.exp(-((x - 4.0) ** 2) / 4.0)
    norm = mean + torch.tensor([[-0.1], [0.1]])
    network.start_from(Targets(norm, torch.ones_like(norm), torch.tensor([26, 22])))
    cards = {(each, "K"): AbsorberCard(WINDOWS[each, "K"], fidelity="two") for each in elements}
    return Checkpoint("small", config, cards, network.state_dict())


def oxide(element, random) -> Cell:
    """Three atoms of an element among as many of oxygen, none too near to another."""
    corners = np.array([[0, 0, 0], [1, 1, 0], [1, 0, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1]]) / 2
    frac = corners + random.uniform(-0.05, 0.05, size=(6, 3))
    return Cell(np.eye(3) * 4.4, frac, np.repeat([atomic_number(element), 8], 3))


def measured(energy, grid, mu, shift, width) -> np.ndarray:
    """The curve broadened and moved, constant beyond its ends, at energies of the measurement."""
    wide = np.arange(grid.e_min - 80, grid.e_max + 200, 0.25)
    curve = np.interp(wide, grid.energies, mu, right=float(mu[-5:].mean()))
    return np.interp(energy - shift, wide, broadened(wide, curve, width))


@pytest.fixture(scope="session")
def make_compounds() -> Callable[..., Compounds]:
    """Makes compounds: two of each group, one to three sites each, the last points of some unknown.

    Grids of elements in `moved` begin that many eV lower than those of the network.
    """

    def make(
        elements=("Fe", "Mn"), per_element=8, shift=2.0, width=3.0, moved=(("Mn", 6.0),)
    ) -> Compounds:
        model, random = Model(small_model(elements)), np.random.default_rng(6)
        places = np.random.default_rng(7)
        grids = {}
        for each in elements:
            own, down = WINDOWS[each, "K"], dict(moved).get(each, 0.0)
            grids[each] = EnergyGrid(own.e_min - down, own.e_max - down, own.n_points)
        rows, sites = [], []
        for element in elements:
            own, grid = WINDOWS[element, "K"], grids[element]
            for n in range(per_element):
                count, name = 1 + n % 3, f"{element}-{n}"
                vectors = torch.from_numpy(random.normal(size=(count, 12))).float()
                curves = model.network.head(vectors, torch.tensor(1)).double().numpy()
                weight = random.dirichlet(np.ones(count))
                state = np.stack([np.full(count, 2.0 + n), np.full(count, 3.4)], axis=1)
                place = np.tile(own.energies, (count, 1)), own.e_min, None
                about = state, oxide(element, places), np.arange(count), 1, name
                sites.append(AbsorberSites(element, vectors, weight, curves, *place, *about))
                energy = np.arange(own.e_min - 60, own.e_max + 160, STEP)
                mu = weight @ [measured(energy, own, each, shift, width) for each in curves]
                target = np.interp(grid.energies, energy, mu)
                edge = edge_of(grid.energies, target)
                if n % 3 == 1:
                    target[-10:] = np.nan
                group = f"{element}{n // 2}"
                rows.append((name, element, group, group, 1, energy, mu, target, edge))
        names = ("name", "element", "group", "formula", "n_scans", "energy", "norm", "target")
        return Compounds(
            **{
                name: np.array([row[n] for row in rows])
                for n, name in enumerate((*names, "half_step"))
            },
            sites=tuple(sites),
            grids=grids,
            model=model,
            data=Records((), "", ()),
            sources={},
            left_out=(),
        )

    return make
