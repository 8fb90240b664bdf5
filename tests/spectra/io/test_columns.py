import numpy as np
import pytest

from cgxas.errors import BadMeasurement, UnclearSpectrum, UnreadableSpectrum
from cgxas.spectra.io.columns import Columns, columns_of

ENERGY = np.linspace(7000.0, 7400.0, 30)
I0, IT, IF, IR = (np.linspace(a, b, 30) for a, b in ((9, 8), (5, 3), (1, 2), (2, 1)))


def table(names: str, *rows: np.ndarray, units: str = "") -> Columns:
    return columns_of(names.split(), np.array([ENERGY, *rows]), units.split(), "a.dat")


@pytest.mark.parametrize("name", ["energy", "Energy", "e", "eV", "omega", "mono_energy"])
def test_energy_is_found_by_its_usual_names(name):
    values, at, done = table(f"{name} mu", IT).energy()
    np.testing.assert_array_equal(values, ENERGY)
    assert (at, done) == (0, [])


def test_energy_is_the_first_column_where_nothing_has_a_name():
    assert columns_of([], np.array([ENERGY, IT]), [], "a").energy()[1] == 0


def test_energy_in_kev_is_recognised_by_unit_name_and_range():
    data = np.array([ENERGY / 1000, IT])
    for names, units in ((["energy", "mu"], ["keV", ""]), (["energy_keV", "mu"], []), ([], [])):
        values, _, done = columns_of(names, data, units, "a").energy()
        np.testing.assert_allclose(values, ENERGY)
        assert done == ["energies converted from keV"]


def test_a_soft_scan_in_ev_is_not_taken_for_kev():
    soft = np.linspace(50.0, 90.0, 30)
    values, _, done = columns_of([], np.array([soft, IT]), [], "a").energy()
    np.testing.assert_array_equal(values, soft)
    assert done == []


def test_energy_in_other_units_or_missing_is_refused():
    with pytest.raises(BadMeasurement, match="deg"):
        table("energy mu", IT, units="deg none").energy()
    with pytest.raises(UnclearSpectrum, match="--energy"):
        table("angle mu", IT).energy()


@pytest.mark.parametrize(
    ("names", "rows", "kind", "expected"),
    [
        ("energy i0 it", (I0, IT), "transmission", np.log(I0 / IT)),
        ("energy I0 I1 I2", (I0, IT, IR), "transmission", np.log(I0 / IT)),
        ("energy i0 ifluor", (I0, IF), "fluorescence", IF / I0),
        ("energy i0 mutrans", (I0, IF), "transmission", IF),
        ("energy xmu i0", (IT, I0), "mu", IT),
        ("energy norm flat", (IF, IT), "normalised", IF),
        ("energy whatever", (IT,), "mu", IT),
        ("omega e k mu mu0 chi", (I0, IR, IT, IF, IF), "simulated", IT),
    ],
)
def test_mu_is_found_by_the_names_of_beamlines(names, rows, kind, expected):
    mu, found, _ = table(names, *rows).mu(0)
    assert found == kind
    np.testing.assert_allclose(mu, expected)


def test_a_column_of_the_wrong_sign_is_left_for_the_counters():
    columns = table("energy xmu i0 it", -np.log(I0 / IT), I0, IT)
    mu, kind, done = columns.mu(0)
    np.testing.assert_allclose(mu, np.log(I0 / IT))
    assert (kind, done) == ("transmission", ["mu is ln(i0/it)"])


def test_energies_are_computed_from_the_angle_and_the_other_columns_keep_their_numbers():
    angle = np.degrees(np.arcsin(12398.419843 / (2 * 3.13551 * ENERGY)))
    columns = columns_of(["angle", "mu"], np.array([angle, IT]), [], "a.dat")
    found = columns.with_energy(0, 3.13551)
    np.testing.assert_allclose(found.energy()[0], ENERGY)
    np.testing.assert_array_equal(found.mu(2, "2")[0], IT)
    assert found.told == "angle, mu, energy"


def test_other_measurements_in_the_file_are_told():
    columns = table("energy i0 it if ir", I0, IT, IF, IR)
    _, kind, done = columns.mu(0)
    assert kind == "transmission"
    assert "--mu fluorescence" in done[1]
    assert "--mu reference" in done[1]
    np.testing.assert_allclose(columns.mu(0, "fluorescence")[0], IF / I0)
    np.testing.assert_allclose(columns.mu(0, "reference")[0], np.log(IT / IR))


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("it", IT),
        ("3", IT),
        ("ln(i0/it)", np.log(I0 / IT)),
        ("-ln(it/i0)", np.log(I0 / IT)),
        ("if/i0", IF / I0),
        ("2/3", I0 / IT),
    ],
)
def test_mu_is_what_is_asked_for(wanted, expected):
    np.testing.assert_allclose(table("energy i0 it if", I0, IT, IF).mu(0, wanted)[0], expected)


@pytest.mark.parametrize("wanted", ["nothing", "9", "0", "ln(i0/nothing)", "reference"])
def test_what_is_not_there_is_refused_with_what_is(wanted):
    with pytest.raises(UnclearSpectrum, match="energy, i0, it"):
        table("energy i0 it", I0, IT).mu(0, wanted)


def test_several_columns_without_known_names_are_refused():
    with pytest.raises(UnclearSpectrum, match="--mu"):
        table("energy a b", I0, IT).mu(0)


def test_an_empty_counter_gives_points_that_are_not_finite():
    empty = np.where(np.arange(30) == 3, 0.0, IT)
    mu = table("energy i0 it", I0, empty).mu(0)[0]
    assert np.isfinite(mu).sum() == 29


@pytest.mark.parametrize("data", [np.empty((0, 0)), np.ones((1, 9)), np.ones((2, 0)), np.ones(9)])
def test_no_table_is_refused(data):
    with pytest.raises(UnreadableSpectrum, match=r"a\.dat"):
        columns_of([], data, [], "a.dat")
