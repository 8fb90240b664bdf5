import numpy as np
import pytest

from cgxas.errors import BadMeasurement, UnclearSpectrum, UnreadableSpectrum
from cgxas.spectra.io.table.columns import Columns, columns_of

ENERGY = np.linspace(7000.0, 7400.0, 30)
I0, IT, IF, IR = (np.linspace(a, b, 30) for a, b in ((9, 8), (5, 3), (1, 2), (2, 1)))


def table(names: str, *rows: np.ndarray, units: str = "") -> Columns:
    return columns_of(names.split(), np.array([ENERGY, *rows]), units.split(), "a.dat")


@pytest.mark.parametrize("name", ["energy", "Energy", "e", "eV", "omega", "mono_energy"])
def test_energy_is_found_by_its_usual_names(name):
    values, at, done = table(f"{name} mu", IT).energy()
    np.testing.assert_array_equal(values, ENERGY)
    assert (at, done) == (0, [f"energy is column 1, {name}"])


def test_energy_is_the_first_column_where_nothing_has_a_name():
    assert columns_of([], np.array([ENERGY, IT]), [], "a").energy()[1] == 0


def test_energy_in_kev_is_recognised_by_unit_name_and_range():
    data = np.array([ENERGY / 1000, IT])
    for names, units in ((["energy", "mu"], ["keV", ""]), (["energy_keV", "mu"], []), ([], [])):
        values, _, done = columns_of(names, data, units, "a").energy()
        np.testing.assert_allclose(values, ENERGY)
        assert done[1:] == ["energies converted from keV"]


def test_a_soft_scan_in_ev_is_not_taken_for_kev():
    soft = np.linspace(50.0, 90.0, 30)
    values, _, done = columns_of([], np.array([soft, IT]), [], "a").energy()
    np.testing.assert_array_equal(values, soft)
    assert done == ["energy is column 1"]


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


@pytest.mark.parametrize("wanted", ["nothing", "9", "0", "ln(i0/nothing)", "reference", "sum(if*)"])
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


@pytest.mark.parametrize(
    "name",
    [
        "E_eV",
        "E/eV",
        "Energie",
        "Energy_eV",
        "energy [eV]",
        "Photon energy",
        "mono",
        "Energía",
        "ee",
    ],
)
def test_energy_in_other_spellings(name):
    columns = columns_of(["x", name, "mu"], np.array([IT, ENERGY, IF]), [], "a.dat")
    assert columns.energy()[1] == 1


@pytest.mark.parametrize(
    ("wanted", "achieved"),
    [
        ("energy_requested", "energy_readback"),
        ("energy", "energy_RBV"),
        ("Energy:sp", "Energy:fbk"),
        ("requested_energy", "energy"),
        ("mono_energy_set", "mono_energy_encoder"),
    ],
)
def test_what_was_achieved_is_taken_before_what_was_asked_for(wanted, achieved):
    data = np.array([ENERGY.round(-1), ENERGY, IT])
    values, at, done = columns_of([wanted, achieved, "mu"], data, [], "a.dat").energy()
    np.testing.assert_array_equal(values, ENERGY)
    assert at == 1
    assert done[0].startswith(f"energy is column 2, {achieved} (")
    assert f"column 1, {wanted}, stands beside it" in done[0]


def test_a_name_of_several_columns_is_refused_and_a_number_is_not():
    columns = table("energy mu mu", IT, IF)
    with pytest.raises(UnclearSpectrum, match="several columns 'mu': choose by number, 2 and 3"):
        columns.mu(0)
    with pytest.raises(UnclearSpectrum, match="several columns"):
        columns.mu(0, "mu")
    np.testing.assert_array_equal(columns.mu(0, "3")[0], IF)
    np.testing.assert_array_equal(table("energy I0 i0", IT, IF).mu(0, "i0")[0], IF)


def test_without_names_only_numbers_are_answered():
    columns = columns_of([], np.array([ENERGY, I0, IT]), [], "a.dat", "its labels do not fit")
    with pytest.raises(
        UnclearSpectrum, match="its labels do not fit; choose by number, from 1 to 3"
    ):
        columns.mu(0, "i0")
    with pytest.raises(UnclearSpectrum, match="its labels do not fit"):
        columns.mu(0, "ln(i0/it)")
    np.testing.assert_allclose(columns.mu(0, "ln(2/3)")[0], np.log(I0 / IT))


def test_a_number_is_a_place_even_if_a_column_has_it_for_a_name():
    columns = columns_of(["energy", "3", "2"], np.array([ENERGY, I0, IT]), [], "a.dat")
    np.testing.assert_array_equal(columns.mu(0, "2")[0], I0)


def test_channels_of_one_detector_are_summed_and_told():
    columns = table("energy i0 sdd1 sdd2 sdd3", I0, IF, IR, IT)
    mu, kind, done = columns.mu(0)
    np.testing.assert_allclose(mu, (IF + IR + IT) / I0)
    assert (kind, done[0]) == ("fluorescence", "mu is (sdd1+sdd2+sdd3)/i0")


def test_an_index_is_neither_energy_nor_mu():
    index = np.arange(30.0)
    columns = columns_of([], np.array([index, ENERGY, IT]), [], "a.dat")
    assert columns.energy()[1] == 1
    np.testing.assert_array_equal(columns.mu(1)[0], IT)


def test_chi_of_k_is_refused_for_what_it_is():
    k = np.linspace(0.0, 12.0, 30)
    columns = columns_of(["k", "chi", "energy"], np.array([k, IT, ENERGY]), [], "a.chi")
    with pytest.raises(UnclearSpectrum, match="chi"):
        columns.mu(2)


def test_a_clear_edge_in_fluorescence_beside_a_flat_transmission_is_told():
    rise = 1.0 / (1.0 + np.exp(-np.linspace(-9, 9, 30))) + 0.1
    columns = table("energy i0 it if1 if2", I0, 0.2 * I0, I0 * rise, I0 * rise)
    assert "--mu fluorescence" in columns.clearer_than("transmission")
    assert columns.clearer_than("fluorescence") == ""
    assert table("energy i0 it if", I0, IT, 0.1 * I0).clearer_than("transmission") == ""
