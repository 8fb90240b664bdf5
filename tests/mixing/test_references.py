"""Crystals and scans among the references: files, folders, patterns, archives, data sets."""

import zipfile

import numpy as np
import pytest

import cgxas
from cgxas.errors import AbsorberNotInCrystal, ReadingWarning, UnclearSpectrum
from cgxas.mixing.references import of_object, references_of
from cgxas.mixing.scans import How

from .conftest import ENERGY, phase

pytestmark = pytest.mark.filterwarnings("ignore::cgxas.errors.FarFromTrainingWarning")


@pytest.fixture(scope="module")
def predictor(calibrated_model):
    return cgxas.load(calibrated_model)


@pytest.fixture
def rocks(tmp_path):
    """A folder of two iron rock salts, one of manganese, and a scan."""
    from pymatgen.core import Lattice, Structure

    folder = tmp_path / "rocks"
    folder.mkdir()
    for name, metal, a in (("small", "Fe", 4.1), ("large", "Fe", 4.6), ("other", "Mn", 4.4)):
        cell = Structure.from_spacegroup(
            "Fm-3m", Lattice.cubic(a), [metal, "O"], [[0, 0, 0], [0.5, 0.5, 0.5]]
        )
        cell.to(filename=str(folder / f"{name}.cif"))
    cell = Structure.from_file(folder / "small.cif")
    cell.to(filename=str(tmp_path / "small.json"), fmt="json")
    table = np.transpose([ENERGY, 0.3 + 0.7 * phase("a")])
    np.savetxt(folder / "standard.dat", table, header="energy mu")
    return folder


def names_of(words, predictor):
    found = references_of([str(each) for each in words], How(), "Fe", "K", predictor)
    return [(each.name, each.is_predicted) for each in found]


def test_a_folder_holds_crystals_and_scans(rocks, predictor):
    with pytest.warns(ReadingWarning, match="other.cif: no references, for there is no Fe"):
        found = names_of([rocks], predictor)
    assert found == [("standard", False), ("large", True), ("small", True)]


def test_patterns_archives_and_json(rocks, predictor, tmp_path):
    both = [("large", True), ("small", True)]
    assert names_of([f"{rocks}/[ls]*.cif"], predictor) == both
    assert names_of([f"{tmp_path}/**/[ls]*.cif"], predictor) == both
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for name in ("large.cif", "small.cif"):
            archive.write(rocks / name, name)
    assert names_of([tmp_path / "all.zip"], predictor) == both
    assert names_of([tmp_path / "small.json"], predictor) == [("small", True)]


def test_a_data_set_of_crystals(oxides, predictor):
    with pytest.warns(ReadingWarning, match="there is no Fe in them"):
        found = names_of([oxides], predictor)
    assert found and all(is_predicted for _, is_predicted in found)
    assert len({name for name, _ in found}) == len(found)


def test_a_crystal_by_another_name(rocks, predictor):
    assert names_of([f"wustite={rocks}/large.cif"], predictor) == [("wustite", True)]
    with pytest.raises(UnclearSpectrum, match="names 2 crystals"):
        names_of([f"wustite={rocks}/[ls]*.cif"], predictor)


def test_a_crystal_without_the_absorber_is_refused_where_it_is_named(rocks, predictor):
    with pytest.raises(AbsorberNotInCrystal):
        names_of([rocks / "other.cif"], predictor)


def test_an_object_is_called_by_its_formula(rocks, predictor):
    from pymatgen.core import Structure

    read = Structure.from_file(rocks / "large.cif")
    found = of_object(read, "Fe", "K", predictor)
    (expected,) = references_of([str(rocks / "large.cif")], How(), "Fe", "K", predictor)
    assert found.name == "FeO"
    np.testing.assert_allclose(found.norm, expected.norm, atol=2e-6)
    with pytest.raises(AbsorberNotInCrystal):
        of_object(read, "Ti", "K", predictor)
