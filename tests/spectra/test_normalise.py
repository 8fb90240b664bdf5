import numpy as np
import pytest

from cgxas.errors import BadMeasurement, UnclearSpectrum, UnknownElement, WrongEdge
from cgxas.spectra.edge import e0, half_step
from cgxas.spectra.io.read import read_spectrum
from cgxas.spectra.io.scan import Scan
from cgxas.spectra.measurement import Measurement
from cgxas.spectra.normalise import normalise

pytest.importorskip("larch")


def scan(curve, **about) -> Scan:
    return Scan(*curve, **{"kind": "mu", "format": "columns", "source": "a.dat", **about})


def test_a_scan_is_normalised_to_its_step(scanned):
    found = normalise(scan(scanned()), "Fe")
    assert found.edge_step == pytest.approx(0.8, rel=0.02)
    assert found.e0 == pytest.approx(7120.0, abs=1.0)
    above = found.energy > 7250.0
    assert found.norm[found.energy < 7080.0] == pytest.approx(0.0, abs=0.02)
    assert found.norm[above].mean() == pytest.approx(1.0, abs=0.03)
    assert (found.element, found.edge, found.kind) == ("Fe", "K", "mu")
    np.testing.assert_array_equal(found.mu, scanned()[1])


def test_flattening_makes_the_end_level(scanned):
    energy, mu = scanned()
    bent = mu + 3e-6 * np.clip(energy - 7120.0, 0, None) ** 2
    end = energy > 7300.0
    found = normalise(scan((energy, bent)), "Fe")
    assert found.flat is not None
    assert np.ptp(found.norm[end]) > 0.1
    assert np.ptp(found.flat[end]) < 0.03
    assert found.flat[end].mean() == pytest.approx(1.0, abs=0.01)
    np.testing.assert_array_equal(found.flat[energy < 7110], found.norm[energy < 7110])
    level = found.flattened()
    np.testing.assert_array_equal(level.norm, found.flat)
    np.testing.assert_array_equal(level.mu, found.mu)
    np.testing.assert_array_equal(found.to_larch().flat, found.flat)


def test_the_ranges_are_counted_from_the_e0_of_the_normalised_curve(scanned):
    energy, mu = scanned()
    found = normalise(scan((energy, mu)), "Fe")
    assert found.e0 == e0(found.energy, found.norm)
    assert found.half_step == half_step(found.energy, found.norm)
    assert found.ranges is not None
    assert found.ranges.pre1 == pytest.approx(energy[0] - found.e0, abs=1e-3)


def test_a_pre_edge_peak_is_neither_the_edge_nor_in_the_pre_edge(scanned):
    """As of a chromate, 15 eV below the edge, in a scan that begins 15 eV before it."""
    energy, mu = scanned(6009.0, before=30.0)
    peak = 0.72 * np.exp(-0.5 * ((energy - 5994.0) / 0.8) ** 2)
    found = normalise(scan((energy, mu + peak)), "Cr")
    assert found.e0 == pytest.approx(normalise(scan((energy, mu)), "Cr").e0, abs=0.1)
    assert found.ranges is not None
    assert found.e0 + found.ranges.pre2 < 5991.0
    assert found.norm[energy < 5988.0] == pytest.approx(0.0, abs=0.02)
    assert found.edge_step == pytest.approx(0.8, rel=0.05)


def test_the_element_is_guessed_from_the_edge(scanned):
    assert normalise(scan(scanned(8985.0))).element == "Cu"
    assert normalise(scan(scanned(), element="Fe", edge="K")).element == "Fe"


def test_a_noisy_negative_pre_edge_is_accepted(scanned):
    energy, mu = scanned(noise=0.01)
    found = normalise(scan((energy, mu - 0.5)), "Fe")
    assert found.mu.min() < -0.1
    assert found.norm.min() < 0
    assert found.edge_step == pytest.approx(0.8, rel=0.05)


@pytest.mark.parametrize(("before", "after"), [(8.0, 400.0), (15.0, 60.0), (30.0, 40.0)])
def test_short_scans_are_normalised_roughly(scanned, before, after):
    found = normalise(scan(scanned(before=before, after=after)), "Fe")
    assert found.edge_step == pytest.approx(0.8, rel=0.12)
    assert any("short" in words for words in found.done)


def test_normalised_data_are_left_as_they_are(scanned):
    energy, mu = scanned()
    norm = (mu - 0.3 + 2e-4 * (energy - 7120.0)) / 0.8
    for kind in ("mu", "normalised"):
        found = normalise(scan((energy, norm), kind=kind), "Fe")
        np.testing.assert_array_equal(found.norm, norm)
        assert found.kind == "normalised"
        assert found.done[-1] == "left as it is: normalised already"
        assert found.ranges is None
        assert found.flat is None
        assert found.flattened() is found


def test_a_simulation_is_left_as_it_is_and_its_energies_are_not_judged(scanned):
    energy, mu = scanned(7150.0)
    norm = (mu - 0.3 + 2e-4 * (energy - 7150.0)) / 0.8
    found = normalise(scan((energy + 10.0, norm), kind="simulated"), "Fe")
    np.testing.assert_array_equal(found.norm, norm)
    assert found.kind == "simulated"


def test_the_energy_shift_is_kept_beside(scanned):
    found = normalise(scan(scanned(), energy_shift=1.5), "Fe")
    np.testing.assert_array_equal(found.energy, scanned()[0])
    assert found.energy_shift == 1.5
    assert found.to_larch().energy_shift == 1.5
    np.testing.assert_array_equal(found.to_spectrum().energy, scanned()[0])


def test_the_arrays_cannot_be_changed(scanned):
    found = normalise(scan(scanned()), "Fe")
    with pytest.raises(ValueError, match="read-only"):
        found.norm[0] = 1.0


@pytest.mark.parametrize("element", ["Cu", "Sn", "S"])
def test_the_wrong_element_is_refused(scanned, element):
    with pytest.raises(WrongEdge, match=f"{element} K edge"):
        normalise(scan(scanned()), element)


def test_no_element_is_refused(scanned):
    with pytest.raises(UnknownElement):
        normalise(scan(scanned()), "iron")


def test_a_file_that_states_no_real_edge_is_refused_until_the_element_is_chosen(scanned):
    for about in ({"element": "Xx"}, {"element": "Fe", "edge": "Q"}):
        with pytest.raises(UnclearSpectrum, match=r"a\.dat states an edge that there is not"):
            normalise(scan(scanned(), **about))
    assert normalise(scan(scanned(), element="Xx", edge="Q"), "Fe").edge == "K"


def test_an_element_whose_edge_is_only_near_is_refused(scanned):
    energy, mu = scanned(7200.0, before=200.0)
    with pytest.raises(WrongEdge):
        normalise(scan((energy, mu)), "Fe")


def test_what_has_no_edge_is_refused(scanned):
    energy, mu = scanned()
    with pytest.raises(BadMeasurement, match="no pre-edge"):
        normalise(scan((energy[energy > 7117.0], mu[energy > 7117.0])), "Fe")
    with pytest.raises(BadMeasurement, match="no edge"):
        normalise(scan((energy, np.random.default_rng(1).normal(size=energy.size))), "Fe")
    with pytest.raises(BadMeasurement, match=r"no edge: mu falls by 0\.79"):
        normalise(scan((energy, -mu)), "Fe")
    with pytest.raises(BadMeasurement, match="does not reach 1"):
        normalise(scan((energy, 0.2 * mu), kind="normalised"), "Fe")


def test_energy_step_is_that_near_the_edge(scanned):
    found: Measurement = normalise(scan(scanned()), "Fe")
    assert found.energy_step == pytest.approx(0.5)


def test_a_file_is_read_and_normalised_at_once(tmp_path, scanned):
    np.savetxt(tmp_path / "a.dat", np.transpose(scanned()), header="energy mu")
    found = read_spectrum(tmp_path / "a.dat")
    assert (found.element, found.source) == ("Fe", "a.dat")
    assert found.edge_step == pytest.approx(0.8, rel=0.02)
