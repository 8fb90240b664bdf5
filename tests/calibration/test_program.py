"""Simulated curves are found for measured compounds."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cgxas.calibration.measured import Compounds, read_compounds
from cgxas.calibration.program import program_curves
from cgxas.errors import DatasetError, UnsupportedAbsorber
from cgxas.model.calibration.curves import CurvesCalibration
from cgxas.model.checkpoint import load_checkpoint

ENERGY = np.arange(7100.0, 7170.0, 0.5)
USUAL = {
    "material_id": "crystal",
    "element": "Fe",
    "site_index": 0,
    "site_certain": True,
    "energy": ENERGY.tolist(),
    "mu": np.ones(ENERGY.size).tolist(),
    "theory": "FEFF 10",
    "compound": "FeO0",
    "multiplicity": None,
}
CRYSTAL = {
    "material_id": "crystal",
    "formula": "FeO",
    "lattice": [0, 2, 2, 2, 0, 2, 2, 2, 0],
    "species": ["Fe", "O"],
    "frac_coords": [0, 0, 0, 0.5, 0.5, 0.5],
}


@pytest.fixture(scope="module")
def compounds(measured_folder, random_model) -> Compounds:
    return read_compounds([measured_folder], load_checkpoint(random_model))


@pytest.fixture
def curves(tmp_path, compounds):
    def found(*rows, crystals=(CRYSTAL,)):
        folder = tmp_path / "feff"
        folder.mkdir()
        table = [{"spectrum_id": f"s{n}", **USUAL, **row} for n, row in enumerate(rows)]
        pq.write_table(pa.Table.from_pylist(list(crystals)), folder / "materials.parquet")
        pq.write_table(pa.Table.from_pylist(table), folder / "spectra.parquet")
        return program_curves([folder], compounds).curves

    return found


def test_sites_count_by_their_multiplicity(compounds, curves):
    step = np.where(ENERGY > 7120, 1.0, 0.0)
    found = curves({"mu": step.tolist(), "multiplicity": 3.0}, {"mu": (5 * step).tolist()})
    assert {element: list(named) for element, named in found.items()} == {"Fe": ["FeO0"]}
    energy, mu = found["Fe"]["FeO0"]
    assert mu[energy > 7121] == pytest.approx((3 * 1 + 5) / 4)
    assert mu[energy < 7119] == pytest.approx(0)


def test_compounds_are_matched_by_name_and_element(compounds, curves):
    rows = [
        {"compound": "FeS1"},
        {"compound": None, "material_id": "FeN2"},
        {"compound": "TiO0"},
        {"compound": "unheard of"},
        {"compound": "FeC3", "element": "O", "site_index": 1},
    ]
    found = curves(*rows, crystals=(CRYSTAL, {**CRYSTAL, "material_id": "FeN2"}))
    assert {element: sorted(named) for element, named in found.items()} == {"Fe": ["FeN2", "FeS1"]}


def test_curves_answer_for_their_compounds_alone(compounds, curves):
    found = CurvesCalibration(curves({"mu": np.linspace(0, 2, ENERGY.size).tolist()}))
    (there,) = (each for each in compounds.sites if each.name == "FeO0")
    answer = found.spectra(there, compounds.grids["Fe"])
    expected = np.interp(compounds.grids["Fe"].energies, ENERGY, np.linspace(0, 2, ENERGY.size))
    # The mean stands on energies of its own, which end before those of the curve.
    np.testing.assert_allclose(answer.mean, expected, atol=0.03)
    missing = next(each for each in compounds.sites if each.name == "FeS1")
    with pytest.raises(UnsupportedAbsorber, match="no curve of Fe in FeS1"):
        found.spectra(missing, compounds.grids["Fe"])


def test_the_mean_stands_where_all_sites_have_energies(compounds, curves):
    later = ENERGY + 20
    slope = (ENERGY - 7000).tolist()
    found = curves({"mu": slope}, {"energy": later.tolist(), "mu": (later - 7000).tolist()})
    energy, mu = found["Fe"]["FeO0"]
    assert (energy[0], later[0]) == (7120.0, 7120.0)
    assert ENERGY[-1] - 1 < energy[-1] <= ENERGY[-1]
    np.testing.assert_allclose(mu, energy - 7000)


def test_no_folders_give_no_curves_and_missing_ones_an_error(compounds, tmp_path):
    assert program_curves([], compounds).curves == {}
    with pytest.raises(DatasetError, match="none"):
        program_curves([tmp_path / "none"], compounds)
