"""Crystals of many kinds and a network whose answer depends on every part of its input."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from pymatgen.core import Lattice, Structure

from cgxas.crystals.spec import GraphSpec
from cgxas.model.cgxas.config import CGXASConfig
from cgxas.model.cgxas.network import CGXAS
from cgxas.model.checkpoint import Checkpoint
from cgxas.model.description import AbsorberCard
from cgxas.predict import Predictor
from cgxas.spectra.xray import WINDOWS

# (space group, cell, species, coordinates); textbook values, some of them made up.
_SPACE_GROUPS = {
    "rutile": ("P4_2/mnm", (4.594, 4.594, 2.959, 90, 90, 90), "Ti O", "0 0 0, .3053 .3053 0"),
    "anatase": ("I4_1/amd", (3.784, 3.784, 9.515, 90, 90, 90), "Ti O", "0 0 0, 0 0 .2081"),
    # Laue class m-3: the lattice is more symmetric than the crystal.
    "pyrite": ("Pa-3", (5.418,) * 3 + (90,) * 3, "Fe S", "0 0 0, .3848 .3848 .3848"),
    "bixbyite": (
        "Ia-3",
        (9.415,) * 3 + (90,) * 3,
        "Mn Mn O",
        "1/4 1/4 1/4, -.0344 0 1/4, .39 .153 .3815",
    ),
    "FeSi": ("P2_13", (4.45,) * 3 + (90,) * 3, "Fe Si", ".137 .137 .137, .842 .842 .842"),
    "P23": ("P23", (6.0,) * 3 + (90,) * 3, "Fe O S", "0 0 0, .2 .1 .3, .5 .5 .5"),
    # Ties at the 12th neighbour: 12 of 12, and 12 of 14.
    "copper": ("Fm-3m", (3.615,) * 3 + (90,) * 3, "Cu", "0 0 0"),
    "iron": ("Im-3m", (2.866,) * 3 + (90,) * 3, "Fe", "0 0 0"),
    "cobalt": ("P6_3/mmc", (2.507, 2.507, 4.069, 90, 90, 120), "Co", "1/3 2/3 1/4"),
    "wurtzite": ("P6_3mc", (3.822, 3.822, 6.261, 90, 90, 120), "Zn S", "1/3 2/3 0, 1/3 2/3 .3748"),
    "zincblende": ("F-43m", (5.41,) * 3 + (90,) * 3, "Zn S", "0 0 0, 1/4 1/4 1/4"),
    "fluorite": ("Fm-3m", (5.463,) * 3 + (90,) * 3, "Ca F", "0 0 0, 1/4 1/4 1/4"),
    "perovskite": ("Pm-3m", (3.905,) * 3 + (90,) * 3, "Sr Ti O", "0 0 0, .5 .5 .5, .5 .5 0"),
    "spinel": ("Fd-3m", (8.083,) * 3 + (90,) * 3, "Mg Al O", "0 0 0, 5/8 5/8 5/8, .387 .387 .387"),
    "olivine": (
        "Pnma",
        (10.33, 6.01, 4.69, 90, 90, 90),
        "Li Fe P O O O",
        "0 0 0, .282 .25 .975, .095 .25 .418, .097 .25 .743, .457 .25 .206, .166 .046 .285",
    ),
    "LiCoO2": ("R-3m", (2.816, 2.816, 14.054, 90, 90, 120), "Li Co O", "0 0 0, 0 0 .5, 0 0 .2395"),
    "calcite": ("R-3c", (4.99, 4.99, 17.062, 90, 90, 120), "Ca C O", "0 0 0, 0 0 .25, .2578 0 .25"),
    "ilmenite": (
        "R-3",
        (5.088, 5.088, 14.086, 90, 90, 120),
        "Fe Ti O",
        "0 0 .3554, 0 0 .1464, .3174 .0234 .2451",
    ),
    "quartz": (
        "P3_221",
        (4.913, 4.913, 5.405, 90, 90, 120),
        "Si O",
        ".4697 0 2/3, .4135 .2669 .7858",
    ),
    "scheelite": (
        "I4_1/a",
        (5.243, 5.243, 11.376, 90, 90, 90),
        "Ca W O",
        "0 .25 .625, 0 .25 .125, .1507 .0086 .2106",
    ),
    "tenorite": ("C2/c", (4.684, 3.423, 5.129, 90, 99.54, 90), "Cu O", ".25 .25 0, 0 .4184 .25"),
    "triclinic": (
        "P-1",
        (7.126, 7.852, 5.572, 89.99, 101.11, 106.03),
        "Al Si O O",
        ".325 .704 .458, .296 .065 .707, .109 .147 .128, .123 .685 .181",
    ),
    # A crystal without symmetry on a cubic and on a hexagonal lattice.
    "P1 cubic": ("P1", (6.0,) * 3 + (90,) * 3, "Fe O S", "0 0 0, .2 .1 .3, .5 .52 .57"),
    "P1 hexagonal": ("P1", (5, 5, 6, 90, 90, 120), "Fe O S", "0 0 0, .2 .4 .3, .5 .62 .77"),
    "P1": (
        "P1",
        (5.1, 6.3, 7.7, 81, 77, 68),
        "Fe O S Ni",
        ".02 .03 .01, .54 .06 .52, .21 .3 .27, .7 .71 .77",
    ),
}


def _built(name: str) -> Structure:
    group, cell, species, places = _SPACE_GROUPS[name]
    # Thirds and eighths exactly, since 0.3333 is another place.
    numbers = [[_number(word) for word in place.split()] for place in places.split(",")]
    lattice = Lattice.from_parameters(*cell)
    built = Structure.from_spacegroup(group, lattice, species.split(), numbers)
    return built if len(built) <= 30 else built.get_primitive_structure()


def _number(word: str) -> float:
    above, _, below = word.partition("/")
    return float(above) / float(below or 1)


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    """Tensors as small as these gain nothing from threads that wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(params=list(_SPACE_GROUPS))
def crystal(request) -> Structure:
    """Crystals of many kinds, in conventional cells unless these are large."""
    return _built(request.param)


@pytest.fixture(scope="session")
def built() -> Callable[[str], Structure]:
    """Builds one of the crystals by its name."""
    return _built


@pytest.fixture(scope="session")
def crystals() -> dict[str, Structure]:
    """All of these crystals."""
    return {name: _built(name) for name in _SPACE_GROUPS}


def _random_predictor(config: CGXASConfig) -> Predictor:
    rng = np.random.default_rng(64)
    state = {}
    for name, tensor in CGXAS(config).state_dict().items():
        shape = tuple(tensor.shape)
        if name.endswith("num_batches_tracked"):
            value = np.array(7)
        elif name.endswith(("running_var", "norm.weight")):
            value = 0.5 + rng.random(shape)
        elif name.endswith("running_mean"):
            value = 0.3 * rng.standard_normal(shape)
        elif name.endswith("bias"):
            value = 0.2 * rng.standard_normal(shape)
        else:
            # Plane waves are small (1/sqrt(V)) and normalised vectors too.
            gain = 4.0 if ".wave" in name else 1.0
            gain = np.sqrt(shape[1]) if name.endswith("dense.linear.weight") else gain
            value = gain * rng.standard_normal(shape) / np.sqrt(shape[1])
        state[name] = torch.as_tensor(value).to(tensor.dtype)
    cards = {key: AbsorberCard(grid) for key, grid in WINDOWS.items()}
    return Predictor(Checkpoint("random", config, cards, state))


@pytest.fixture(scope="session")
def predictor() -> Predictor:
    """The paper's network, narrower, with random weights."""
    return _random_predictor(CGXASConfig(hidden=32))


@pytest.fixture(scope="session")
def predictor_without_waves() -> Predictor:
    """The same without plane waves: it sees distances only."""
    return _random_predictor(
        CGXASConfig(hidden=32, wave_numbers=0, graph=GraphSpec(per_orbit=True))
    )


@pytest.fixture(scope="session")
def spectra_of_sites() -> Callable[..., dict[int, np.ndarray]]:
    """Gives the spectrum of every absorbing site of a crystal, by the caller's index."""

    def find(predictor: Predictor, crystal) -> dict[int, np.ndarray]:
        (spectra,) = predictor.predict_each([crystal], ["all"])
        groups = [group for spectrum in spectra for group in spectrum.sites]
        return {site: group.norm for group in groups for site in group.sites}

    return find
