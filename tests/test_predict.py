import warnings
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from pymatgen.core import Lattice, Structure

from cgxas.errors import (
    AbsorberNotInCrystal,
    CgxasWarning,
    ConfigError,
    CrystalError,
    FewTrainingSpectraWarning,
    InvalidSites,
    UnknownElement,
    UnreadableCrystal,
    UnsupportedAbsorber,
)
from cgxas.predict import Failure, Predictor, load
from cgxas.spectra.xray import WINDOWS

SINGLE = 1e-7  # one row is multiplied in another order than several, in single precision


@pytest.fixture(scope="module")
def predictor(random_model: Path) -> Predictor:
    return load(random_model)


@pytest.fixture
def spinel() -> Structure:
    """Fe3O4: iron on two different places."""
    return Structure.from_spacegroup(
        "Fd-3m",
        Lattice.cubic(8.396),
        ["Fe", "Fe", "O"],
        [[0] * 3, [0.625] * 3, [0.3799] * 3],
    ).get_primitive_structure()


def test_spectrum_and_its_sites(predictor, spinel):
    spectrum = predictor.predict(spinel, absorber="Fe")
    assert (spectrum.absorber, spectrum.formula, spectrum.model) == ("Fe", "Fe3O4", "random")
    assert spectrum.structure is spinel
    np.testing.assert_array_equal(spectrum.energy, WINDOWS["Fe", "K"].energies)
    assert sorted(site.multiplicity for site in spectrum.sites) == [2, 4]
    sites = sorted(n for site in spectrum.sites for n in site.sites)
    assert sites == [n for n, atom in enumerate(spinel) if atom.specie.symbol == "Fe"]
    assert np.abs(spectrum.sites[0].norm - spectrum.sites[1].norm).max() > 1e-4
    weighted = sum(site.multiplicity * site.norm for site in spectrum.sites) / 6
    np.testing.assert_allclose(spectrum.norm, weighted, rtol=0, atol=1e-12)


def test_wanted_sites_are_averaged(predictor, spinel):
    both = predictor.predict(spinel, absorber="Fe").sites
    one, other = both[0].sites[0], both[1].sites[0]
    single = predictor.predict(spinel, absorber="Fe", sites=[one])
    np.testing.assert_allclose(single.norm, both[0].norm, rtol=0, atol=SINGLE)
    assert [site.sites for site in single.sites] == [(one,)]
    pair = predictor.predict(spinel, absorber="Fe", sites=[other, one])
    np.testing.assert_allclose(pair.norm, (both[0].norm + both[1].norm) / 2, rtol=0, atol=SINGLE)


def test_list_in_list_out(predictor, spinel):
    crystals = [spinel, bulk("Fe"), bulk("FeO", "rocksalt", a=4.3)]
    spectra = predictor.predict(crystals, absorber="Fe")
    assert [spectrum.formula for spectrum in spectra] == ["Fe3O4", "Fe", "FeO"]
    for crystal, spectrum in zip(crystals, spectra, strict=True):
        alone = predictor.predict(crystal, "Fe")
        np.testing.assert_allclose(spectrum.norm, alone.norm, rtol=0, atol=1e-5)
    with pytest.raises(
        CrystalError, match="crystals are files or structures, at least 1 in a list"
    ):
        predictor.predict([], absorber="Fe")


def test_several_absorbers_and_all(predictor, spinel):
    told = []
    (spectra,) = predictor.predict_each([spinel], ["O", "Fe"], on_crystal=lambda: told.append(1))
    assert [spectrum.absorber for spectrum in spectra] == ["O", "Fe"]
    (spectra,) = predictor.predict_each([spinel], ["all"])
    assert [spectrum.absorber for spectrum in spectra] == ["O", "Fe"]
    (spectra,) = predictor.predict_each([spinel], ["Fe", "all", "Fe"])
    assert [spectrum.absorber for spectrum in spectra] == ["Fe", "O"]
    assert told == [1]


def test_many_crystals_in_portions(random_model, spinel):
    predictor = load(random_model, batch_size=20)
    told = []
    spectra = predictor.predict_each([spinel] * 5, ["O"], on_crystal=lambda: told.append(1))
    assert len(spectra) == len(told) == 5
    for (spectrum,) in spectra[1:]:
        np.testing.assert_allclose(spectrum.norm, spectra[0][0].norm, rtol=0, atol=1e-6)


def test_one_crystal_after_the_other(random_model, spinel):
    predictor = load(random_model, batch_size=20)
    read = []

    def crystals():
        for n in range(50):
            read.append(n)
            yield spinel

    spectra = predictor.predict_iter(crystals(), ["O", "Fe"])
    assert [each.absorber for each in next(spectra)] == ["O", "Fe"]
    assert len(read) < 10  # the others were not even looked at
    assert len(list(spectra)) == 49
    (expected,) = predictor.predict_each([spinel], ["Fe"])
    (found,) = predictor.predict_iter([spinel], "Fe")
    np.testing.assert_array_equal(found[0].norm, expected[0].norm)


def test_bad_crystals_are_values_when_asked(predictor, spinel, tmp_path):
    (tmp_path / "empty.cif").write_text("")
    crystals = [spinel, tmp_path / "empty.cif", bulk("Cu"), spinel]
    found = list(predictor.predict_iter(crystals, ["Fe"], errors="yield"))
    assert [isinstance(each, Failure) for each in found] == [False, True, True, False]
    empty, copper = found[1:3]
    assert empty.crystal == str(tmp_path / "empty.cif")
    assert empty.reason.endswith("empty.cif is empty; copy it again")
    assert isinstance(empty.error, UnreadableCrystal)
    assert copper.crystal == "Cu"
    assert "holds no Fe" in copper.reason
    np.testing.assert_allclose(found[3][0].norm, found[0][0].norm, rtol=0, atol=1e-6)
    with pytest.raises(UnreadableCrystal):
        list(predictor.predict_iter(crystals, ["Fe"]))
    with pytest.raises(UnsupportedAbsorber):
        predictor.predict_iter(crystals, ["U"], errors="yield")


def test_impossible_batches_and_devices(random_model):
    with pytest.raises(ConfigError, match="batch_size is a whole number of at least 1, not 0"):
        load(random_model, batch_size=0)
    with pytest.raises(ConfigError, match="device 'abacus' cannot be used here"):
        load(random_model, device="abacus")


def test_path_is_the_source(predictor, spinel, tmp_path):
    path = tmp_path / "magnetite.cif"
    spinel.to(str(path))
    from_path = predictor.predict(path, "Fe")
    assert from_path.source == str(path)
    np.testing.assert_allclose(from_path.norm, predictor.predict(spinel, "Fe").norm, atol=1e-3)


def test_few_training_spectra_are_told(predictor):
    with pytest.warns(FewTrainingSpectraWarning, match=r"random saw few .* Tc \(12\)"):
        predictor.predict(bulk("Tc"), "Tc")
    with warnings.catch_warnings():
        warnings.simplefilter("error", CgxasWarning)
        predictor.predict(bulk("Fe"), "Fe")


@pytest.mark.parametrize(
    ("absorber", "error", "message"),
    [
        ("Xx", UnknownElement, "Xx"),
        ("Rn", UnsupportedAbsorber, "no answer for Rn"),
        ("I", UnsupportedAbsorber, "no answer for I"),
        ("Co", AbsorberNotInCrystal, "Fe3O4 holds no Co"),
    ],
)
def test_impossible_absorbers(predictor, spinel, absorber, error, message):
    with pytest.raises(error, match=message):
        predictor.predict(spinel, absorber)


def test_all_of_a_crystal_the_model_knows_nothing_of(predictor):
    with pytest.raises(AbsorberNotInCrystal, match="knows none of it"):
        predictor.predict(bulk("Au"), "all")


def test_impossible_sites(predictor, spinel):
    oxygen = int(np.flatnonzero(np.array(spinel.atomic_numbers) == 8)[0])
    for sites in ([oxygen], [99], [], [-1]):
        with pytest.raises(InvalidSites):
            predictor.predict(spinel, "Fe", sites=sites)
    with pytest.raises(CrystalError, match="single crystal"):
        predictor.predict([spinel], "Fe", sites=[0])


def test_errors_name_the_file(predictor, spinel, tmp_path):
    path = tmp_path / "a.cif"
    spinel.to(str(path))
    with pytest.raises(AbsorberNotInCrystal, match=r"a\.cif"):
        predictor.predict(path, "Co")
    with pytest.raises(UnreadableCrystal, match=r"none\.cif"):
        predictor.predict([path, tmp_path / "none.cif"], "Fe")


def test_numpy_indices_are_sites_too(predictor, spinel):
    iron = np.flatnonzero(np.array(spinel.atomic_numbers) == 26)
    np.testing.assert_allclose(
        predictor.predict(spinel, "Fe", sites=list(iron)).norm,
        predictor.predict(spinel, "Fe").norm,
        rtol=0,
        atol=1e-12,
    )


def test_predictor_tells_what_it_is(predictor):
    assert repr(predictor) == "Predictor(random, 47 absorbers)"
    assert "I" not in predictor.absorbers
