"""Disordered crystals of the kinds people hold."""

import pytest
from pymatgen.core import Lattice, Structure


def _crystals() -> dict[str, Structure]:
    spacegroup = Structure.from_spacegroup
    hexagonal, cubic = Lattice.hexagonal, Lattice.cubic
    layered = [[0, 0, 0.5], [0, 0, 0], [0, 0, 0.26]]
    third = 1 / 3
    return {
        # a cathode, half delithiated
        "Li0.5CoO2": spacegroup("R-3m", hexagonal(2.816, 14.05), [{"Li": 0.5}, "Co", "O"], layered),
        # three metals on one place
        "NMC811": spacegroup(
            "R-3m",
            hexagonal(2.87, 14.2),
            ["Li", {"Ni": 0.8, "Mn": 0.1, "Co": 0.1}, "O"],
            layered,
        ),
        # traces, one of which may be the absorber
        "magnesiowustite": spacegroup(
            "Fm-3m",
            cubic(4.22),
            [{"Mg": 0.92, "Fe": 0.04, "Mn": 0.04}, "O"],
            [[0] * 3, [0.5] * 3],
        ),
        "alloy": spacegroup("Fm-3m", cubic(3.58), [{"Fe": 0.5, "Ni": 0.5}], [[0] * 3]),
        # vacancies and a shared place at once
        "perovskite": spacegroup(
            "Pm-3m",
            cubic(3.9),
            ["Sr", {"Fe": 0.6, "Co": 0.4}, {"O": 0.9}],
            [[0] * 3, [0.5] * 3, [0.5, 0.5, 0]],
        ),
        # each hydrogen has two places 0.75 and 0.9 A apart, of which one is filled
        "ice": spacegroup(
            "P6_3/mmc",
            hexagonal(4.5, 7.32),
            ["O", {"H": 0.5}, {"H": 0.5}],
            [[third, 2 * third, 0.0629], [third, 2 * third, 0.1989], [0.4551, 0.9102, 0.0182]],
        ),
        # two places of unlike shares, 0.5 A apart
        "split": spacegroup(
            "P4/mmm",
            Lattice.tetragonal(4, 5),
            ["Fe", {"S": 0.7}, {"S": 0.15}],
            [[0] * 3, [0.5] * 3, [0.5, 0.5, 0.4]],
        ),
    }


CRYSTALS = _crystals()


@pytest.fixture(params=CRYSTALS, ids=str)
def crystal(request) -> Structure:
    return CRYSTALS[request.param].copy()


@pytest.fixture
def disordered() -> dict[str, Structure]:
    return {name: each.copy() for name, each in CRYSTALS.items()}
