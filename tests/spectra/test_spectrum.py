import dataclasses
import sys

import numpy as np
import pytest

from cgxas.errors import MissingExtra, SpectrumError
from cgxas.spectra.edge import e0, half_step
from cgxas.spectra.spectrum import EnergyGrid, SiteSpectrum, Spectrum

ENERGY = np.linspace(0.0, 10.0, 11)


def test_grid_holds_both_ends():
    energies = EnergyGrid(100.0, 155.0, 100).energies
    assert energies.shape == (100,)
    assert (energies[0], energies[-1]) == (100.0, 155.0)
    assert np.ptp(np.diff(energies)) < 1e-12


@pytest.mark.parametrize("values", [(2.0, 1.0, 10), (1.0, 2.0, 1), (0.0, float("nan"), 10)])
def test_impossible_grid_is_refused(values):
    with pytest.raises(SpectrumError, match="energy grid"):
        EnergyGrid(*values)


def test_edge_and_white_line_of_mean_and_sites(spectrum):
    assert spectrum.sites[0].e0 == pytest.approx(7120.0, abs=0.1)
    assert spectrum.sites[1].e0 == pytest.approx(7122.0, abs=0.1)
    assert spectrum.sites[0].e0 < spectrum.e0 < spectrum.sites[1].e0
    for each in (spectrum, *spectrum.sites):
        assert each.e0 == e0(each.energy, each.norm) == each.e0_or_none()
        assert each.half_step == half_step(each.energy, each.norm) == each.half_step_or_none()
        assert each.e0 != each.half_step
    energy, height = spectrum.sites[1].white_line
    assert energy == pytest.approx(7128.0, abs=0.3)
    assert height == pytest.approx(1.57, abs=0.03)


def test_site_names_its_first_atom_and_counts_all(spectrum):
    assert (spectrum.sites[0].site, spectrum.sites[0].multiplicity) == (4, 4)
    assert repr(spectrum.sites[1]) == "SiteSpectrum(site 9, x1, 100 points)"


def test_arrays_are_copies_nobody_can_change():
    mu = np.ones(11)
    spectrum = Spectrum(ENERGY, mu, "Fe")
    mu[0] = 5.0
    assert spectrum.norm[0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        spectrum.norm[0] = 2.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        spectrum.norm = mu  # type: ignore[misc]


def test_measured_spectrum_may_be_negative():
    assert Spectrum(ENERGY, np.linspace(-0.2, 1.0, 11), "Fe").norm.min() == -0.2


@pytest.mark.parametrize("mu", [np.ones(10), np.full(11, np.nan), np.ones((11, 1))])
def test_impossible_arrays_are_refused(mu):
    with pytest.raises(SpectrumError):
        Spectrum(ENERGY, mu, "Fe")
    with pytest.raises(SpectrumError):
        SiteSpectrum((0,), mu, ENERGY)


def test_a_band_is_a_copy_nobody_can_change():
    sigma = np.linspace(0.0, 0.1, 11)
    spectrum = Spectrum(ENERGY, np.ones(11), "Fe", sigma=sigma)
    sigma[0] = 5.0
    assert spectrum.sigma[0] == 0.0
    with pytest.raises(ValueError, match="read-only"):
        spectrum.sigma[0] = 2.0
    assert Spectrum(ENERGY, np.ones(11), "Fe").sigma is None


@pytest.mark.parametrize("sigma", [np.ones(10), np.full(11, np.nan), np.full(11, np.inf), 0.1])
def test_impossible_bands_are_refused(sigma):
    with pytest.raises(SpectrumError):
        Spectrum(ENERGY, np.ones(11), "Fe", sigma=sigma)


def test_negative_deviations_are_refused():
    sigma = np.where(ENERGY == 3, -1e-9, 0.1)
    with pytest.raises(SpectrumError, match="standard deviation cannot be negative"):
        Spectrum(ENERGY, np.ones(11), "Fe", sigma=sigma)


@pytest.mark.parametrize("sites", [(), (1, 1)])
def test_impossible_site_indices_are_refused(sites):
    with pytest.raises(SpectrumError, match="distinct site indices"):
        SiteSpectrum(sites, np.ones(11), ENERGY)


def test_sites_must_fit_to_the_mean():
    other = SiteSpectrum((0,), np.ones(11), ENERGY + 1)
    twice = SiteSpectrum((0, 1), np.ones(11), ENERGY), SiteSpectrum((1,), np.ones(11), ENERGY)
    with pytest.raises(SpectrumError, match="same energies"):
        Spectrum(ENERGY, np.ones(11), "Fe", sites=(other,))
    with pytest.raises(SpectrumError, match="belongs to two"):
        Spectrum(ENERGY, np.ones(11), "Fe", sites=twice)


def test_repr_is_one_line_without_the_structure(spectrum):
    text = repr(dataclasses.replace(spectrum, structure="a very long crystal"))
    assert text == str(spectrum)
    assert text.startswith("Spectrum(Fe2O3, Fe K edge; 100 points 7100.00 to 7155.00 eV; E0 7120.")
    assert text.endswith("distinct sites: 2; model m1; from a.cif)")


def test_spectrum_without_edge_can_be_shown():
    flat = Spectrum(ENERGY, np.zeros(11), "Fe")
    assert repr(flat) == "Spectrum(Fe K edge; 11 points 0.00 to 10.00 eV; no edge)"
    assert flat.e0_or_none() is None
    assert flat.half_step_or_none() is None
    with pytest.raises(SpectrumError, match="no edge"):
        _ = flat.e0
    with pytest.raises(SpectrumError, match="no edge"):
        _ = flat.half_step


def test_larch_group_carries_the_normalised_curve(spectrum):
    pytest.importorskip("larch")
    group = spectrum.to_larch()
    np.testing.assert_array_equal(group.norm, spectrum.norm)
    np.testing.assert_array_equal(group.energy, spectrum.energy)
    assert group.e0 == spectrum.e0
    assert (group.atsym, group.edge, group.label) == ("Fe", "K", "Fe2O3, Fe K edge")
    group.norm[0] = 9.0  # Larch works in place; the spectrum and mu stay
    assert group.mu[0] == spectrum.norm[0] != 9.0


def test_larch_group_carries_the_band(spectrum):
    pytest.importorskip("larch")
    assert spectrum.to_larch().sigma is None
    banded = dataclasses.replace(spectrum, sigma=np.full(100, 0.02))
    group = banded.to_larch()
    group.sigma[0] = 9.0
    np.testing.assert_array_equal(group.sigma[1:], banded.sigma[1:])
    assert banded.sigma[0] == 0.02


def test_missing_larch_tells_the_cure(spectrum, monkeypatch):
    monkeypatch.setitem(sys.modules, "larch", None)
    with pytest.raises(MissingExtra, match=r'pip install .*"\.\[larch\]"'):
        spectrum.to_larch()


@pytest.fixture
def structure():
    pymatgen = pytest.importorskip("pymatgen.core")
    return pymatgen.Structure(pymatgen.Lattice.cubic(2.87), ["Fe"], [[0, 0, 0]])


def test_pymatgen_spectrum_carries_the_curve(spectrum, structure):
    xas = pytest.importorskip("pymatgen.analysis.xas.spectrum")
    converted = dataclasses.replace(spectrum, structure=structure).to_pymatgen()
    assert isinstance(converted, xas.XAS)
    np.testing.assert_array_equal(converted.x, spectrum.energy)
    np.testing.assert_array_equal(converted.y, spectrum.norm)
    assert (converted.absorbing_element.symbol, converted.edge) == ("Fe", "K")
    assert (converted.spectrum_type, converted.absorbing_index) == ("XANES", None)
    assert converted.structure is structure


def test_pymatgen_refusals_are_ours(spectrum, structure, monkeypatch):
    with pytest.raises(SpectrumError, match="needs a crystal"):
        spectrum.to_pymatgen()
    pytest.importorskip("pymatgen.analysis.xas.spectrum")
    with pytest.raises(SpectrumError, match="pymatgen refuses"):
        dataclasses.replace(spectrum, absorber="Xx", structure=structure).to_pymatgen()
    monkeypatch.setitem(sys.modules, "pymatgen.analysis.xas.spectrum", None)
    with pytest.raises(MissingExtra, match="pymatgen is missing"):
        dataclasses.replace(spectrum, structure=structure).to_pymatgen()
