"""Spectra as they are, calibrations of single elements, and kinds by name."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from cgxas.errors import ForeignCheckpoint
from cgxas.model.calibration import base
from cgxas.model.calibration.base import (
    Calibrated,
    Calibration,
    PerElement,
    Uncalibrated,
    calibration_kind,
    register,
)
from cgxas.model.calibration.curves import CurvesCalibration
from cgxas.model.calibration.gaussian import GaussianCalibration
from cgxas.model.calibration.head import HeadCalibration
from cgxas.model.calibration.rigid import RigidCalibration
from cgxas.spectra.spectrum import EnergyGrid

ENERGY = np.linspace(7000.0, 7300.0, 200)


def test_uncalibrated_spectra_are_those_of_the_network(sites, grid):
    found = Uncalibrated().spectra(sites, grid)
    np.testing.assert_array_equal(found.sites, sites.simulated)
    np.testing.assert_allclose(found.mean, sites.simulated[0] / 3 + 2 * sites.simulated[1] / 3)
    assert (found.sigma, found.edge_sigma) == (None, None)


def test_on_other_energies_they_are_interpolated_and_go_on_as_they_end(sites, grid):
    wider = EnergyGrid(grid.e_min - 11, grid.e_max + 11, 300)
    found = Uncalibrated().spectra(sites, wider)
    below, above = wider.energies < grid.e_min, wider.energies > grid.e_max
    for each, own in zip(found.sites, sites.simulated, strict=True):
        np.testing.assert_array_equal(each[below], own[0])
        np.testing.assert_array_equal(each[above], own[-1])
        expected = np.interp(wider.energies, grid.energies, own)
        np.testing.assert_array_equal(each, expected)
    np.testing.assert_allclose(found.mean, sites.share @ found.sites)


def test_nothing_is_to_be_restored_of_what_was_not_calibrated():
    assert isinstance(Uncalibrated.restore({}, {}, None), Uncalibrated)
    for tensors, values in (({"a": torch.zeros(1)}, {}), ({}, {"a": 1})):
        with pytest.raises(ValueError, match="nothing is known"):
            Uncalibrated.restore(tensors, values, None)


@pytest.fixture
def each() -> PerElement:
    curve = (ENERGY, np.linspace(0, 1, 200))
    parts = {
        "Fe": RigidCalibration(2.0, 1.0),
        "Ti": CurvesCalibration({"Ti": {"TiO": curve}}),
        "S": PerElement({"S": Uncalibrated()}),
    }
    return PerElement(parts)


def test_an_element_is_answered_by_its_own_calibration(each, make_sites, grid):
    for absorber, name in (("Fe", "FeO"), ("Ti", "TiO"), ("S", "FeS")):
        wanted = make_sites(absorber, name)
        found, expected = (c.spectra(wanted, grid) for c in (each, each.parts[absorber]))
        np.testing.assert_array_equal(found.mean, expected.mean)
    with pytest.raises(KeyError, match="Cu"):
        each.spectra(make_sites("Cu"), grid)


def test_tensors_and_values_of_elements_stay_apart(each, make_sites, grid):
    assert list(each.tensors) == ["Ti.Ti.0"]
    assert {e: about["kind"] for e, about in each.values.items()} == {
        "Fe": "rigid",
        "Ti": "curves",
        "S": "per element",
    }
    found = PerElement.restore(each.tensors, each.values, None)
    assert found.values == each.values
    for absorber, name in (("Fe", "FeO"), ("Ti", "TiO"), ("S", "FeS")):
        wanted = make_sites(absorber, name)
        one, two = (c.spectra(wanted, grid) for c in (each, found))
        np.testing.assert_array_equal(one.mean, two.mean)


def test_a_tensor_of_no_element_is_refused(each):
    for name in ("Cu.0", "Ti", "", ".Ti"):
        tensors = {**each.tensors, name: torch.zeros(2, 3)}
        with pytest.raises(ValueError, match=r"belongs to no absorber|there are curves"):
            PerElement.restore(tensors, each.values, None)


def test_kinds_by_name():
    kinds = (
        Uncalibrated,
        PerElement,
        GaussianCalibration,
        RigidCalibration,
        HeadCalibration,
        CurvesCalibration,
    )
    assert {calibration_kind(each.kind) for each in kinds} == set(kinds)
    assert set(base._HOMES) == {each.kind for each in kinds}
    for name in ("magic", None, 7, ["rigid"]):
        with pytest.raises(ForeignCheckpoint, match=r"no calibration of the kind .*import the"):
            calibration_kind(name)


def test_a_kind_of_another_package_is_known_by_its_home(monkeypatch):
    monkeypatch.setattr(base, "_HOMES", dict(base._HOMES))
    register("mine", "cgxas.model.calibration.rigid:RigidCalibration")
    assert calibration_kind("mine") is RigidCalibration


def test_a_calibration_needs_answers_and_a_way_back():
    class Half(Calibration):
        kind = "half"

        def spectra(self, sites, grid) -> Calibrated:
            raise NotImplementedError

    with pytest.raises(TypeError, match="restore"):
        Half()


def test_what_a_calibration_says_is_a_value(sites, grid):
    found = Uncalibrated().spectra(sites, grid)
    assert replace(found, edge_sigma=0.5).edge_sigma == 0.5
    with pytest.raises(AttributeError):
        found.mean = found.mean
