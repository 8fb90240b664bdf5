"""Spectra of disordered crystals: what answers for them, and what their band is."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from pymatgen.core import Lattice, Structure

import cgxas
from cgxas.crystals.disorder.order import Disorder, arrangements
from cgxas.errors import (
    AbsorberNotInCrystal,
    ConfigError,
    DisorderedCrystal,
    InvalidSites,
    OverlappingAtoms,
    ReadingWarning,
)
from cgxas.model.calibration.base import Calibrated
from cgxas.model.model import Model
from cgxas.predict import Failure, Predictor, load


@pytest.fixture(scope="module")
def predictor(random_model) -> Predictor:
    return load(random_model)


@pytest.fixture(scope="module")
def trained() -> Predictor:
    """A model whose spectra depend on the neighbours as they should, and without a band."""
    predictor = load("cgxas-paper")
    assert not predictor.checkpoint.is_calibrated
    assert predictor.checkpoint.trust is None
    return predictor


@pytest.fixture
def cathode() -> Structure:
    """Li0.5Co0.9Ni0.1O2: a place half full, another shared."""
    return Structure.from_spacegroup(
        "R-3m",
        Lattice.hexagonal(2.816, 14.05),
        [{"Li": 0.5}, {"Co": 0.9, "Ni": 0.1}, "O"],
        [[0, 0, 0.5], [0, 0, 0], [0, 0, 0.26]],
    )


@pytest.fixture
def spinel() -> Structure:
    """(Fe0.7Mg0.3)[Fe1.6Mg0.4]O4: the absorber on two places, unlike shares of each."""
    return Structure.from_spacegroup(
        "Fd-3m",
        Lattice.cubic(8.39),
        [{"Fe": 0.7, "Mg": 0.3}, {"Fe": 0.8, "Mg": 0.2}, "O"],
        [[0] * 3, [0.625] * 3, [0.3799] * 3],
    )


def test_disorder_is_refused_unless_told_otherwise(predictor, cathode):
    for ask in (
        lambda: predictor.predict(cathode, "Co"),
        lambda: predictor.predict([cathode], "Co"),
        lambda: predictor.predict_each([cathode], ["Co"]),
        lambda: list(predictor.predict_iter([cathode], ["Co"])),
    ):
        with pytest.raises(DisorderedCrystal, match=r"Li 0\.5, a vacancy 0.5.*--disorder sample"):
            ask()
    (failure,) = predictor.predict_iter([cathode], "Co", errors="yield")
    assert isinstance(failure, Failure)


def test_words_that_are_none_are_refused(predictor, cathode):
    with pytest.raises(ConfigError, match="not 'often'"):
        predictor.predict(cathode, "Co", disorder="often")


def test_an_ordered_crystal_is_answered_as_ever(predictor, cathode):
    cathode.replace_species({"Li": {"Li": 2.0}, "Ni": "Co"})
    plain = predictor.predict(cathode, "Co")
    sampled = predictor.predict(cathode, "Co", disorder="sample:3")
    np.testing.assert_array_equal(plain.norm, sampled.norm)
    assert sampled.disorder == ""
    assert sampled.sigma is None


def test_the_majority_is_the_spectrum_of_the_ordered_crystal(predictor, cathode):
    ordered = cathode.copy()
    ordered.replace_species({"Li": {"Li": 2.0}, "Ni": "Co"})
    with pytest.warns(ReadingWarning, match="LiCoO2 for Li0.5Co0.9Ni0.1O2"):
        found = predictor.predict(cathode, "Co", disorder="majority")
    np.testing.assert_allclose(found.norm, predictor.predict(ordered, "Co").norm, rtol=0, atol=2e-5)
    assert (found.disorder, found.sigma) == ("majority", None)
    assert found.structure is cathode
    assert found.formula == "Li0.5Co0.9Ni0.1O2"
    assert found.sites[0].sites == (3, 4, 5)
    assert found.n_atoms == 3


def test_a_sample_is_the_mean_of_its_members_and_sigma_their_spread(trained, cathode):
    how = Disorder("sample", 4, seed=3)
    with pytest.warns(ReadingWarning, match="4 random arrangements"):
        found = trained.predict(cathode, "Co", disorder=how)
    with pytest.warns(ReadingWarning):
        members = arrangements(cathode, how, trained.checkpoint.config.graph.symprec).members
    each = np.array([trained.predict(member.structure, "Co").norm for member in members])
    np.testing.assert_allclose(found.norm, each.mean(axis=0), rtol=0, atol=1e-6)
    np.testing.assert_allclose(found.sigma, each.std(axis=0, ddof=1), rtol=0, atol=1e-6)
    assert found.sigma.max() > 1e-3
    assert found.disorder == "sample of 4, seed 3"
    assert found.sites[0].occupancy == pytest.approx(0.9, abs=0.02)
    assert found.n_atoms == pytest.approx(2.7, abs=0.06)


def test_the_same_seed_gives_the_same_answer(trained, cathode):
    def ask(seed):
        with pytest.warns(ReadingWarning):
            return trained.predict(cathode, "Co", disorder=Disorder("sample", 2, seed)).norm

    np.testing.assert_array_equal(ask(1), ask(1))
    assert np.abs(ask(1) - ask(2)).max() > 1e-4


def test_a_sample_of_one_has_no_spread(predictor, cathode):
    with pytest.warns(ReadingWarning):
        assert predictor.predict(cathode, "Co", disorder="sample:1").sigma is None


def test_what_the_model_does_not_know_and_the_spread_add_up(trained, cathode, monkeypatch):
    """The variance is the mean of the models' own plus that between the arrangements."""
    with pytest.warns(ReadingWarning):
        spread = trained.predict(cathode, "Co", disorder="sample").sigma
    answers = Model.answers

    def surely(self, several) -> list[Calibrated]:
        return [
            replace(each, sigma=np.full_like(each.mean, 0.02)) for each in answers(self, several)
        ]

    monkeypatch.setattr(Model, "answers", surely)
    with pytest.warns(ReadingWarning):
        both = trained.predict(cathode, "Co", disorder="sample").sigma
        one = trained.predict(cathode, "Co", disorder="sample:1").sigma
    assert spread.max() > 1e-3
    np.testing.assert_allclose(both**2, spread**2 + 0.02**2, rtol=1e-6)
    np.testing.assert_allclose(one, 0.02)


def test_sites_are_weighted_by_how_much_of_them_the_absorber_takes(predictor, spinel):
    with pytest.warns(ReadingWarning):
        found = predictor.predict(spinel, "Fe", disorder="sample:2")
    assert {site.multiplicity for site in found.sites} == {8, 16}
    shares = {site.multiplicity: site.occupancy for site in found.sites}
    assert shares == {8: pytest.approx(0.7, abs=0.02), 16: pytest.approx(0.8, abs=0.02)}
    weights = [site.multiplicity * site.occupancy for site in found.sites]
    mean = np.average([site.norm for site in found.sites], axis=0, weights=weights)
    np.testing.assert_allclose(found.norm, mean, rtol=0, atol=1e-12)


def test_wanted_sites_are_those_of_the_caller(predictor, spinel):
    with pytest.warns(ReadingWarning):
        found = predictor.predict(spinel, "Fe", disorder="sample:2")
        one = next(site for site in found.sites if site.multiplicity == 8)
        single = predictor.predict(spinel, "Fe", sites=[one.sites[2]], disorder="sample:2")
    np.testing.assert_allclose(single.norm, one.norm, rtol=0, atol=1e-7)  # sums of other shapes
    assert single.sites[0].sites == (one.sites[2],)
    oxygen = next(n for n, site in enumerate(spinel) if site.is_ordered)
    with (
        pytest.warns(ReadingWarning),
        pytest.raises(InvalidSites, match=f"site {oxygen} of .* is not Fe"),
    ):
        predictor.predict(spinel, "Fe", sites=[oxygen], disorder="majority")


def test_all_absorbers_are_those_of_the_file_with_their_own_sites(predictor, cathode):
    with pytest.warns(ReadingWarning):
        (found,) = predictor.predict_each([cathode], ["all"], disorder="sample:2")
    assert [each.absorber for each in found] == ["Li", "O", "Co", "Ni"]
    assert found[3].sites[0].sites == found[2].sites[0].sites


def test_an_absorber_that_the_majority_leaves_out_is_told(predictor, cathode):
    with (
        pytest.warns(ReadingWarning),
        pytest.raises(AbsorberNotInCrystal, match=r"no Ni is left in the majority.*take a sample"),
    ):
        predictor.predict(cathode, "Ni", disorder="majority")
    with (
        pytest.warns(ReadingWarning),
        pytest.raises(AbsorberNotInCrystal, match="holds no Fe; it holds Li, O, Co, Ni"),
    ):
        predictor.predict(cathode, "Fe", disorder="majority")


def test_a_rare_absorber_is_kept_in_a_sample(predictor):
    rare = Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(4.22), [{"Mg": 0.996, "Fe": 0.004}, "O"], [[0] * 3, [0.5] * 3]
    )
    with pytest.warns(ReadingWarning):
        found = predictor.predict(rare, "Fe", disorder="sample:2")
    assert 0 < found.sites[0].occupancy < 0.03


def test_batches_do_not_change_the_answer(random_model, cathode, spinel):
    ordered = Structure(Lattice.cubic(2.87), ["Fe", "Co"], [[0] * 3, [0.5] * 3])
    crystals = [ordered, cathode, ordered, cathode]

    def answers(batch_size):
        with pytest.warns(ReadingWarning):
            return list(
                load(random_model, batch_size=batch_size).predict_iter(
                    crystals, ["Co"], errors="yield", disorder="sample:3"
                )
            )

    for (one,), (other,) in zip(answers(1), answers(1000), strict=True):
        np.testing.assert_allclose(one.norm, other.norm, rtol=0, atol=1e-5)


def test_bad_crystals_among_disordered_ones_are_told_in_their_place(predictor, cathode):
    flat = Structure([[3, 0, 0], [0, 3, 0], [3, 3, 1e-9]], ["Co"], [[0, 0, 0]])
    with pytest.warns(ReadingWarning):
        found = list(
            predictor.predict_iter([flat, cathode, flat], "Co", errors="yield", disorder="majority")
        )
    assert [isinstance(each, Failure) for each in found] == [True, False, True]


def test_whole_atoms_at_one_place_are_told_by_the_callers_numbers(predictor):
    twice = Structure(
        Lattice.cubic(5.0),
        ["O", {"Fe": 0.5, "Ni": 0.5}, {"Fe": 0.5, "Ni": 0.5}],
        [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0.55]],
    )
    with pytest.raises(OverlappingAtoms, match=r"sites 1 and 2 are 0\.25 A apart"):
        predictor.predict(twice, "Fe", disorder="majority")


def test_charges_and_isotopes_that_share_a_site_are_no_disorder(predictor):
    magnetite = Structure(
        Lattice.cubic(4.2), [{"Fe2+": 0.5, "Fe3+": 0.5}, "O2-"], [[0, 0, 0], [0.5] * 3]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error", ReadingWarning)
        found = predictor.predict(magnetite, "Fe")
    assert (found.formula, found.disorder) == ("FeO", "")


@pytest.fixture
def ase_alloy() -> Atoms:
    """Fe0.6Ni0.4 as ASE's reader of CIFs gives it: iron on every site, shares in info."""
    atoms = Atoms("Fe2O2", cell=[4.2, 4.2, 4.2], pbc=True)
    atoms.set_scaled_positions([[0, 0, 0], [0.5, 0.5, 0], [0.5, 0.5, 0.5], [0, 0, 0.5]])
    atoms.info["occupancy"] = {"0": {"Fe": 0.6, "Ni": 0.4}, "1": {"O": 1.0}}
    atoms.set_array("spacegroup_kinds", np.array([0, 0, 1, 1]))
    return atoms


def test_occupancies_of_ase_are_heeded(predictor, ase_alloy):
    with pytest.raises(DisorderedCrystal, match=r"of sites 0-1 Fe 0\.6, Ni 0\.4"):
        predictor.predict(ase_alloy, "Fe")
    with pytest.warns(ReadingWarning, match="for Fe0.6Ni0.4O"):
        found = predictor.predict(ase_alloy, "Ni", disorder="sample:2")
    assert found.sites[0].sites == (0, 1)


def test_occupancies_of_ase_that_do_not_fit_are_refused(predictor, ase_alloy):
    ase_alloy.symbols[0] = "Cu"
    with pytest.raises(cgxas.CgxasError, match=r"delete atoms\.info\['occupancy'\]"):
        predictor.predict(ase_alloy, "Fe")
    ase_alloy.info["occupancy"] = {"0": {"Fe": 1.0}}
    with pytest.raises(cgxas.CgxasError, match=r"delete atoms\.info\['occupancy'\]"):
        predictor.predict(ase_alloy, "Fe")
    molecule = Atoms("Fe2", positions=[[0, 0, 0], [0, 0, 2]])
    molecule.info["occupancy"] = {"0": {"Fe": 0.5}, "1": {"Fe": 0.5}}
    with pytest.raises(DisorderedCrystal, match="sites shared by several elements"):
        predictor.predict(molecule, "Fe")


def test_full_occupancies_of_ase_change_nothing(predictor, ase_alloy):
    ase_alloy.info["occupancy"]["0"] = {"Fe": 1.0}
    told = predictor.predict(ase_alloy, "Fe")
    del ase_alloy.info["occupancy"]
    np.testing.assert_array_equal(told.norm, predictor.predict(ase_alloy, "Fe").norm)


def test_a_structure_with_disorder_is_handed_to_pymatgen(predictor, cathode):
    pytest.importorskip("pymatgen.analysis.xas")
    with pytest.warns(ReadingWarning):
        found = predictor.predict(cathode, "Co", disorder="majority")
    assert found.to_pymatgen().structure is cathode
