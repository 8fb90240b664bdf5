"""Curves of a program are looked up by compound."""

import numpy as np
import pytest
import torch

from cgxas.errors import UnsupportedAbsorber
from cgxas.model.calibration.curves import CurvesCalibration

ENERGY = np.arange(7100.0, 7180.0, 0.4)


@pytest.fixture
def curves() -> CurvesCalibration:
    iron = {"FeO": (ENERGY, np.linspace(0, 1, 200)), "FeS": (ENERGY[:50], np.linspace(0, 2, 50))}
    return CurvesCalibration({"Fe": iron, "O": {"FeO": (ENERGY - 6580, np.ones(200))}})


def test_a_compound_has_its_curve_whatever_its_sites(curves, make_sites, grid):
    found = curves.spectra(make_sites(name="FeS"), grid)
    expected = np.interp(grid.energies, *curves.curves["Fe"]["FeS"])
    np.testing.assert_array_equal(found.mean, expected)
    np.testing.assert_array_equal(found.sites, [expected, expected])
    assert (found.sigma, found.edge_sigma) == (None, None)
    other = curves.spectra(make_sites(name="FeO"), grid)
    assert np.abs(other.mean - found.mean).max() > 0.1
    oxygen = curves.spectra(make_sites("O", "FeO"), grid)
    np.testing.assert_array_equal(oxygen.mean, 1.0)


@pytest.mark.parametrize(
    ("absorber", "name", "message"),
    [
        ("Fe", "FeSe", "there is no curve of Fe in FeSe"),
        ("Cu", "FeO", "there is no curve of Cu in FeO"),
        ("Fe", "", "there is no curve of Fe in this compound"),
    ],
)
def test_compounds_without_a_curve_are_refused(curves, make_sites, grid, absorber, name, message):
    with pytest.raises(UnsupportedAbsorber, match=message):
        curves.spectra(make_sites(absorber, name), grid)


def test_they_survive_their_file(curves):
    assert {n: tuple(t.shape) for n, t in curves.tensors.items()} == {
        "Fe.0": (2, 200),
        "Fe.1": (2, 50),
        "O.0": (2, 200),
    }
    found = CurvesCalibration.restore(curves.tensors, curves.values, None)
    assert found.values == curves.values == {"names": {"Fe": ["FeO", "FeS"], "O": ["FeO"]}}
    for absorber, named in curves.curves.items():
        for name, curve in named.items():
            for one, two in zip(found.curves[absorber][name], curve, strict=True):
                np.testing.assert_array_equal(one, two)


FOLDED = torch.tensor([[1.0, 3.0, 2.0], [0.0, 0.5, 1.0]]).double()


@pytest.mark.parametrize(
    "tensor", [FOLDED, FOLDED.sort().values[0], FOLDED[None], torch.zeros(3, 5), torch.zeros(())]
)
def test_tensors_that_are_no_curves_are_refused(curves, tensor):
    with pytest.raises((TypeError, ValueError)):
        CurvesCalibration.restore({**curves.tensors, "Fe.1": tensor}, curves.values, None)


def test_names_and_tensors_must_agree(curves):
    with pytest.raises(ValueError, match="curves without names"):
        CurvesCalibration.restore({**curves.tensors, "S.0": FOLDED}, curves.values, None)
    with pytest.raises(ValueError, match="curves without names"):
        names = {"Fe": ["FeO", "FeO"], "O": ["FeO"]}
        CurvesCalibration.restore(curves.tensors, {"names": names}, None)
    with pytest.raises(KeyError, match=r"Fe\.2"):
        names = {"Fe": ["FeO", "FeS", "FeTe"], "O": ["FeO"]}
        CurvesCalibration.restore(curves.tensors, {"names": names}, None)
