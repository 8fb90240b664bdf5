import numpy as np
import pytest

from cgxas.errors import BadMeasurement, ReadingWarning
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


@pytest.mark.parametrize("back", [0.05, 0.4, 2.5])
def test_steps_back_of_an_encoder_a_hand_or_the_overlap_of_regions_are_sorted(back):
    energy = ENERGY.copy()
    energy[20:] -= 1.0 + back
    found = tidy(scan(energy, MU))
    assert (np.diff(found.energy) > 0).all()
    assert "sorted: the energies went back at 1 points" in found.done[0]
    kept = np.isin(found.energy, energy[:15])
    np.testing.assert_array_equal(found.mu[kept], MU[:15])


def test_many_small_steps_back_of_a_digitised_curve_are_sorted():
    energy = np.arange(7100.0, 7140.0, 0.25) + 0.2 * np.sin(np.arange(160) * 2.0)
    assert (np.diff(energy) < 0).sum() > 10
    found = tidy(scan(energy, np.arctan(energy - 7120.0)))
    np.testing.assert_allclose(found.mu, np.arctan(found.energy - 7120.0))


ABSURD = {
    "at 0 eV": (0.0, None),
    "negative energy": (-7110.0, None),
    "a point forgotten": (71100.0, None),
    "energy not finite": (np.inf, None),
    "out of order": (7135.5, None),
    "mu of 1e30": (None, 1e30),
    "mu of -1e6": (None, -1e6),
    "mu not finite": (None, np.nan),
}


@pytest.mark.parametrize("at", [5, 20])
@pytest.mark.parametrize("case", ABSURD)
def test_one_absurd_point_is_left_out_and_named(case, at):
    energy, mu = ENERGY.copy(), MU.copy()
    wrong_energy, wrong_mu = ABSURD[case]
    energy[at] = energy[at] if wrong_energy is None else wrong_energy
    mu[at] = mu[at] if wrong_mu is None else wrong_mu
    with pytest.warns(ReadingWarning, match=f"a.dat: left out point {at + 1} of 40"):
        found = tidy(scan(energy, mu))
    np.testing.assert_array_equal(found.energy, np.delete(ENERGY, at))
    np.testing.assert_array_equal(found.mu, np.delete(MU, at))
    assert f"point {at + 1} " in found.done[0]


@pytest.mark.parametrize("at", [0, -1])
def test_an_absurd_point_at_either_end_is_left_out(at):
    energy = ENERGY.copy()
    energy[at] = 0.0
    with pytest.warns(ReadingWarning):
        np.testing.assert_array_equal(tidy(scan(energy, MU)).energy, np.delete(ENERGY, at))


def test_a_glitch_of_the_monochromator_is_not_touched():
    mu = MU.copy()
    mu[30] += 5.0
    np.testing.assert_array_equal(tidy(scan(ENERGY, mu)).mu, mu)


@pytest.mark.parametrize(
    ("energy", "mu", "words"),
    [
        (ENERGY[:5], MU[:5], "only 5 points"),
        (ENERGY, np.where(ENERGY < 7103, np.nan, MU), "not finite at 3 of 40 points .point 1 has"),
        (np.where(ENERGY > 7136, np.inf, ENERGY), MU, "not finite at 3 of 40"),
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
