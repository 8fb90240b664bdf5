import shutil
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from cgxas.data.folder import Origin, write_dataset
from cgxas.data.record import fidelity_of, read_records
from cgxas.errors import CgxasError, DatasetError


def test_records_are_what_was_written(folder, spectra):
    found = read_records([folder])
    assert len(found) == 4
    assert found.names == (folder.name,)
    ids = ["a", "b", "c", "averaged"]
    assert [record.spectrum_id for record in found.records] == ids
    assert [record.key for record in found.records] == [f"{folder.name}/{name}" for name in ids]
    first = found.records[0]
    assert (first.element, first.sites.tolist(), first.site_certain, first.theory) == (
        "Ti",
        [0],
        True,
        "made up",
    )
    assert found.records[3].sites.tolist() == [0, 1]
    assert first.energy.tolist() == spectra[0]["energy"]
    assert first.norm.tolist() == spectra[0]["mu"]
    assert not found.records[1].site_certain


def test_material_is_read_once_and_shared(folder):
    first, second, third, _ = read_records([folder]).records
    assert first.material is second.material
    assert first.material is not third.material
    assert first.material.formula == "TiO2"
    assert first.material.cell.numbers.tolist() == [22, 22, 8, 8, 8, 8]
    np.testing.assert_allclose(first.material.cell.volume, 4.594**2 * 2.958)


@pytest.fixture
def second(folder, tmp_path_factory) -> Path:
    """A copy of the folder under another name."""
    return shutil.copytree(folder, tmp_path_factory.mktemp("others") / "second")


def test_folders_follow_each_other(folder, second):
    both = read_records([folder, second])
    assert len(both) == 8
    assert both.names == (folder.name, "second")
    assert both.records[4].key == "second/a"
    assert both.sha256 != read_records([second]).sha256 == read_records([folder]).sha256


def test_two_folders_of_one_name_are_refused_if_keys_are_equal(folder, second, tmp_path_factory):
    with pytest.raises(
        DatasetError, match=f"two data sets are called {folder.name} and both hold a"
    ):
        read_records([folder, folder])
    other = shutil.copytree(second, tmp_path_factory.mktemp("more") / folder.name)
    with pytest.raises(DatasetError, match="name each folder once, or rename one"):
        read_records([folder, other])
    rows = pyarrow.parquet.read_table(other / "spectra.parquet").to_pylist()
    for row in rows:
        row["spectrum_id"] += " again"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), other / "spectra.parquet")
    assert len(read_records([folder, other])) == 8


def test_two_spectra_of_one_name_are_refused(write, materials, spectra):
    spectra[1]["spectrum_id"] = "a"
    with pytest.raises(DatasetError, match="holds two spectra called a"):
        read_records([write(materials, spectra)])


def test_working_folder_has_a_name(folder, monkeypatch):
    monkeypatch.chdir(folder)
    found = read_records([Path()])
    assert found.names == (folder.name,)
    assert found.records[0].dataset == folder.name


@pytest.mark.parametrize("name", ["materials.parquet", "spectra.parquet"])
def test_table_that_is_not_that_of_the_manifest_is_refused(folder, tmp_path_factory, name):
    written = tmp_path_factory.mktemp("others") / "written"
    write_dataset(written, read_records([folder]).records, Origin("x"))
    assert len(read_records([written])) == 4
    shutil.copy(folder / name, written / name)
    with pytest.raises(DatasetError, match=f"{name} is not the table its manifest tells of"):
        read_records([written])


def test_large_tables_are_read_whole(write, materials, spectra):
    many = [{**spectra[n % 4], "spectrum_id": str(n)} for n in range(2500)]
    found = read_records([write(materials, many)])
    assert [record.spectrum_id for record in found.records] == [str(n) for n in range(2500)]


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


@pytest.mark.parametrize(
    ("theory", "fidelity"),
    [
        ("FEFF 9.9.1 (COREHOLE RPA, SCF 7, FMS 9)", "FEFF9"),
        ("FEFF9 (Mathew 2018, Materials Project)", "FEFF9"),
        ("FEFF10, MPXANESSet tags", "FEFF10"),
        ("VASP supercell core-hole", "VASP"),
        ("FDMNES (Green, SCF)", "FDMNES"),
        ("?", "?"),
    ],
)
def test_fidelity_is_read_off_the_theory(theory, fidelity):
    assert fidelity_of(theory) == fidelity


def test_fidelity_column_goes_before_the_theory(write, materials, spectra):
    spectra[0]["fidelity"] = "FEFF8"
    first, second, *_ = read_records([write(materials, spectra)]).records
    assert (first.fidelity, second.fidelity) == ("FEFF8", "made")
