"""What sites are compared by."""

from dataclasses import replace

import numpy as np
import pytest

from cgxas.errors import ConfigError, SpectrumError
from cgxas.model.calibration.features import FeatureSpec, edge_of, site_features
from cgxas.spectra.edge import half_step
from cgxas.spectra.resample import broadened

SPEC = FeatureSpec()


def test_features_are_those_of_the_sites(sites, grid):
    found = site_features([sites], SPEC)
    assert found.element.tolist() == [26, 26]
    np.testing.assert_array_equal(found.vector, sites.vectors)
    np.testing.assert_array_equal(found.state, sites.state)
    assert {str(t.dtype) for n, t in found.tensors.items() if n != "element"} == {"torch.float64"}
    for n, norm in enumerate(sites.simulated):
        broad = broadened(grid.energies, norm, 2.5)
        edge = edge_of(grid.energies, broad)
        assert float(found.edge[n, 0]) == pytest.approx(edge - grid.e_min)
        expected = np.interp(SPEC.relative, grid.energies - edge, broad)
        np.testing.assert_allclose(found.curve[n], expected)


def test_shapes_are_looked_at_relative_to_their_edge(sites):
    one, two = site_features([sites], SPEC).curve
    middle = slice(20, 60)
    np.testing.assert_allclose(one[middle], two[middle], atol=5e-3)  # of edges 4 eV apart
    place = np.abs(SPEC.relative).argmin()
    assert float(one[place]) == pytest.approx(0.5, abs=0.05)


def test_the_spec_decides_what_is_looked_at(sites):
    few = FeatureSpec(broadening=0.0, first=-5.0, last=5.0, step=0.5)
    assert few.relative.tolist() == [-5 + n / 2 for n in range(20)]
    assert site_features([sites], few).curve.shape == (2, 20)
    sharp, usual = (site_features([sites], replace(few, broadening=b)).curve for b in (0.0, 2.5))
    assert float((sharp - usual).abs().max()) > 0.02
    assert len(SPEC.relative) == 127


@pytest.mark.parametrize(
    "change",
    [
        {"broadening": -1.0},
        {"broadening": np.nan},
        {"step": 0.0},
        {"step": -0.5},
        {"step": 1e-9},
        {"first": 60.0},
        {"last": np.inf},
    ],
    ids=str,
)
def test_specs_that_make_no_sense_are_refused(change):
    with pytest.raises(ConfigError, match=rf"features\.{next(iter(change))} = .* it must be"):
        FeatureSpec(**change)


def test_specs_come_back_from_a_file():
    spec = FeatureSpec(broadening=1.0, step=0.25)
    assert FeatureSpec.from_dict(spec.to_dict()) == spec
    with pytest.raises(ConfigError, match="'colour'"):
        FeatureSpec.from_dict({**spec.to_dict(), "colour": "red"})


@pytest.mark.parametrize("height", [1.0, 0.9])
def test_the_edge_is_the_half_step(height):
    energy = np.linspace(0, 50, 201)
    norm = height * (0.5 + np.arctan((energy - 20) / 0.5) / np.pi)
    assert edge_of(energy, norm) == half_step(energy, norm) == pytest.approx(20, abs=0.5)


def test_a_curve_without_an_edge_has_its_steepest_point_for_one():
    energy = np.linspace(0, 50, 201)
    bump = -1.0 - np.exp(-((energy - 30) ** 2) / 8)
    with pytest.raises(SpectrumError):
        half_step(energy, bump)
    assert edge_of(energy, bump) == pytest.approx(32, abs=0.5)
