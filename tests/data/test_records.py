import numpy as np
import pytest

from cgxas.data.records import read_records
from cgxas.errors import CgxasError, DatasetError


def test_records_are_what_was_written(folder, spectra):
    found = read_records([folder])
    assert len(found) == 3
    assert found.names == (folder.name,)
    assert [record.spectrum_id for record in found.records] == ["a", "b", "c"]
    first = found.records[0]
    assert (first.element, first.site, first.site_certain, first.theory) == (
        "Ti",
        0,
        True,
        "made up",
    )
    assert first.energy.tolist() == spectra[0]["energy"]
    assert first.mu.tolist() == spectra[0]["mu"]
    assert not found.records[1].site_certain


def test_material_is_read_once_and_shared(folder):
    first, second, third = read_records([folder]).records
    assert first.material is second.material
    assert first.material is not third.material
    assert first.material.formula == "TiO2"
    assert first.material.cell.numbers.tolist() == [22, 22, 8, 8, 8, 8]
    np.testing.assert_allclose(first.material.cell.volume, 4.594**2 * 2.958)


def test_folders_follow_each_other(folder):
    assert len(read_records([folder, folder])) == 6
    assert read_records([folder, folder]).sha256 != read_records([folder]).sha256


def test_hash_tells_every_change(write, materials, spectra):
    before = read_records([write(materials, spectra)]).sha256
    assert read_records([write(materials, spectra)]).sha256 == before
    spectra[0]["mu"][3] += 1e-9
    assert read_records([write(materials, spectra)]).sha256 != before


@pytest.mark.parametrize("name", ["materials.parquet", "spectra.parquet"])
def test_missing_and_unreadable_tables(folder, name):
    (folder / name).write_bytes(b"PAR1 and nothing else")
    with pytest.raises(DatasetError, match="not a readable Parquet table"):
        read_records([folder])
    (folder / name).unlink()
    with pytest.raises(DatasetError, match="is missing"):
        read_records([folder])


@pytest.mark.parametrize("column", ["site_certain", "mu", "theory"])
def test_missing_column_of_spectra(write, materials, spectra, column):
    for row in spectra:
        del row[column]
    with pytest.raises(DatasetError, match=f"no column '{column}'"):
        read_records([write(materials, spectra)])


def test_missing_column_of_materials(write, materials, spectra):
    for row in materials:
        del row["formula"]
    with pytest.raises(DatasetError, match="no column 'formula'"):
        read_records([write(materials, spectra)])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"material_id": "gold"}, "refers to gold"),
        ({"site_index": 2}, "site 2 is not Ti"),
        ({"site_index": 6}, "site 6 is not Ti"),
        ({"site_index": -1}, "site -1 is not Ti"),
        ({"element": "Fe"}, "site 0 is not Fe"),
        ({"mu": [0.1, 0.2]}, "of one length"),
        ({"mu": [float("nan")] * 60}, "finite"),
    ],
)
def test_damaged_spectrum(write, materials, spectra, change, message):
    spectra[0].update(change)
    with pytest.raises(DatasetError, match=message):
        read_records([write(materials, spectra)])


@pytest.mark.parametrize(
    "change",
    [
        {"lattice": [[1.0, 0.0, 0.0]]},
        {"lattice": None},
        {"lattice": [[float("nan")] * 3] * 3},
        {"frac_coords": [[0.0, 0.0, 0.0]]},
        {"species": ["Ti"] * 5 + ["Xx"]},
        {"species": []},
    ],
)
def test_damaged_material(write, materials, spectra, change):
    materials[0].update(change)
    with pytest.raises(CgxasError, match="rutile"):
        read_records([write(materials, spectra)])
