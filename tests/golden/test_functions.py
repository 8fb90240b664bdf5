import numpy as np
import pytest
import torch

from cgxas.data.split import split_by_spectrum
from cgxas.elements import ABSORBERS
from cgxas.spectra.edge import authors_e0
from cgxas.spectra.metrics import rse
from cgxas.spectra.resample import onto_grid
from cgxas.spectra.sanity import sanity_reasons
from cgxas.spectra.xray import WINDOWS
from cgxas.training.fit import rse_loss, slope_rse


@pytest.fixture
def expected(goldens) -> dict[str, np.ndarray]:
    return goldens.arrays("functions")


def test_rse(expected, report):
    target, predicted = expected["loss_target"], expected["loss_prediction"]
    t, p = torch.from_numpy(target), torch.from_numpy(predicted)
    in_training = rse_loss(p, t, torch.ones_like(t)).numpy()
    report.compare("RSE, metric", rse(target, predicted), expected["rse_per_spectrum"], 1e-12)
    report.compare("RSE, loss", in_training, expected["rse_per_spectrum"], 1e-12)
    with_slopes = in_training + slope_rse(p, t, torch.ones_like(t[:, 1:])).numpy()
    report.compare("RSE with slopes", with_slopes, expected["rse2_per_spectrum"], 1e-12)
    report.compare("RSE, loss", in_training.sum(), expected["rse_sum_over_batch"], 1e-12)


def test_the_e0_of_the_authors(expected, report):
    energy = expected["e0_energy"]
    found = np.array([authors_e0(energy, mu) for mu in expected["e0_spectra"]])
    report.compare("E0 on the grid", found, expected["e0"], 1e-12)
    assert np.searchsorted(energy, found).tolist() == expected["e0_index"].tolist()
    # Two of the three mislead the naive rule, so the agreement says something.
    naive = expected["e0_first_crossing_index"] != expected["e0_index"]
    assert naive.tolist() == [False, True, True]


@pytest.mark.parametrize("case", ["pad_left", "pad_right", "pad_both", "no_pad", "coincident"])
def test_onto_grid(expected, report, case):
    x, y, grid = expected[f"interp_{case}_x"], expected[f"interp_{case}_y"], expected["interp_grid"]
    found = onto_grid(x, y, grid)
    report.compare("onto the grid", found, expected[f"interp_{case}_result"], 1e-12)
    if case != "coincident":
        one = expected[f"interp_{case}_result_right_pad_one"]
        report.compare("onto the grid, 1 above", onto_grid(x, y, grid, right="one"), one, 1e-12)


def test_sanity_filter(expected, report):
    found = [bool(sanity_reasons(mu)) for mu in expected["filter_spectra"]]
    report.compare("sanity filter", found, expected["filter_drop"], 0)


@pytest.mark.parametrize("n", [10, 37, 128])
def test_split(expected, report, n):
    split = split_by_spectrum(n)
    for part, name in [("train", "train"), ("validation", "val"), ("test", "test")]:
        wanted = expected[f"split_{n}_{name}"]
        report.compare("split by spectrum", getattr(split, part), wanted, 0)


def test_energy_windows(goldens, report):
    wanted = goldens.json("energy_windows")
    assert tuple(WINDOWS) == tuple((symbol, "K") for symbol in ABSORBERS)
    ends = [(grid.e_min, grid.e_max) for grid in WINDOWS.values()]
    report.compare("energy windows", ends, [wanted[symbol] for symbol, _ in WINDOWS], 0)
    assert {grid.n_points for grid in WINDOWS.values()} == {100}
