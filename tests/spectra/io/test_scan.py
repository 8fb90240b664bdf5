import numpy as np
import pytest

from cgxas.errors import BadMeasurement
from cgxas.spectra.io.scan import Scan, listed, tidy


def scan(energy, mu, kind: str = "mu") -> Scan:
    return Scan(np.array(energy, dtype=float), np.array(mu, dtype=float), kind, "columns", "a.dat")


ENERGY = np.arange(7100.0, 7140.0)
MU = np.arctan(ENERGY - 7120.0)


def test_sound_points_stay_as_they_are():
    found = tidy(scan(ENERGY, MU))
    np.testing.assert_array_equal(found.energy, ENERGY)
    np.testing.assert_array_equal(found.mu, MU)
    assert found.done == ()


def test_many_names_are_cut_short():
    assert listed(["a", "b"]) == "a, b"
    assert listed([str(n) for n in range(55)]).endswith("18, 19 and 35 more")


def test_descending_scan_is_turned_round():
    found = tidy(scan(ENERGY[::-1], MU[::-1]))
    np.testing.assert_array_equal(found.energy, ENERGY)
    np.testing.assert_array_equal(found.mu, MU)
    assert found.done == ("turned round: the energies descended",)


def test_points_of_equal_energy_are_averaged():
    energy, mu = np.insert(ENERGY, 10, ENERGY[10]), np.insert(MU, 10, MU[10] + 1.0)
    found = tidy(scan(energy, mu))
    np.testing.assert_array_equal(found.energy, ENERGY)
    assert found.mu[10] == pytest.approx(MU[10] + 0.5)
    assert "averaged" in found.done[0]


def test_jitter_of_the_encoder_is_sorted():
    energy = ENERGY.copy()
    energy[20] = energy[19] - 0.05
    found = tidy(scan(energy, MU))
    assert (np.diff(found.energy) > 0).all()
    assert found.mu[19] == MU[20]
    assert "sorted" in found.done[0]


@pytest.mark.parametrize(
    ("energy", "mu", "words"),
    [
        (ENERGY[:5], MU[:5], "only 5 points"),
        (ENERGY, np.where(ENERGY == 7110, np.nan, MU), "not finite at 1 of 40"),
        (np.where(ENERGY == 7110, np.inf, ENERGY), MU, "not finite at 1 of 40"),
        (ENERGY / 1000, MU, "neither eV nor keV"),
        (ENERGY * 1000, MU, "neither eV nor keV"),
        (np.concatenate([ENERGY, ENERGY]), np.concatenate([MU, MU]), "go back from 7139 to 7100"),
        (ENERGY, np.minimum(MU, 1.0), "saturated"),
        (ENERGY, np.ones(40), "the same everywhere"),
        (np.repeat(ENERGY[:12], 4), np.repeat(MU[:12], 4), "only 12 different energies"),
    ],
)
def test_bad_points_are_refused_in_a_sentence(energy, mu, words):
    with pytest.raises(BadMeasurement, match=words) as error:
        tidy(scan(energy, mu))
    assert str(error.value).startswith("a.dat")


def test_a_flat_simulation_is_not_called_saturated():
    mu = np.minimum(MU, 1.0)
    assert tidy(scan(ENERGY, mu, "simulated")).mu.max() == 1.0
