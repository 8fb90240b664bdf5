import json
import os
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pyarrow.parquet
import pytest

from cgxas.crystals.canonical import Cell
from cgxas.data.folder import (
    DistinctMaterials,
    Origin,
    check_new_folder,
    crystal_key,
    file_sha256,
    read_manifest,
    write_dataset,
)
from cgxas.data.record import Material, read_records
from cgxas.errors import DatasetError, OutputError

ORIGIN = Origin("test set", "doi:10.1/2", "CC-BY-4.0")


@pytest.fixture
def records(folder):
    return read_records([folder]).records


@pytest.fixture
def target(tmp_path_factory):
    return tmp_path_factory.mktemp("out") / "above" / "mine"


def test_what_is_written_is_read_again(records, target):
    write_dataset(target, records, ORIGIN)
    again = read_records([target]).records
    assert [record.key for record in again] == [f"mine/{r.spectrum_id}" for r in records]
    for ours, theirs in zip(again, records, strict=True):
        np.testing.assert_array_equal(ours.energy, theirs.energy)
        np.testing.assert_array_equal(ours.norm, theirs.norm)
        np.testing.assert_array_equal(ours.sites, theirs.sites)
        np.testing.assert_array_equal(ours.material.cell.lattice, theirs.material.cell.lattice)
        np.testing.assert_array_equal(ours.material.cell.frac, theirs.material.cell.frac)
        np.testing.assert_array_equal(ours.material.cell.numbers, theirs.material.cell.numbers)
        same = ("element", "site_certain", "theory", "fidelity")
        assert all(getattr(ours, name) == getattr(theirs, name) for name in same)
        assert ours.material.formula == theirs.material.formula


def test_manifest_is_the_birth_certificate(records, target):
    manifest = write_dataset(target, records, ORIGIN, {"too long": ["x", "y"]})
    assert read_manifest(target) == manifest
    assert (manifest.format, manifest.name) == (1, "test set")
    assert (manifest.origin, manifest.licence) == ("doi:10.1/2", "CC-BY-4.0")
    assert manifest.date == datetime.now(UTC).date().isoformat()
    assert manifest.theories == {"made up": 4}
    assert manifest.fidelities == {"made": 4}
    assert manifest.counts == {"materials": 2, "formulas": 2, "spectra": 4}
    assert list(manifest.elements.items()) == [("O", 1), ("Ti", 1), ("Fe", 2)]
    assert manifest.left_out == {"too long": ["x", "y"]}
    for name, checksum in manifest.sha256.items():
        assert file_sha256(target / name) == checksum
    assert sorted(path.name for path in target.iterdir()) == [
        "manifest.json",
        "materials.parquet",
        "spectra.parquet",
    ]


def test_columns_are_those_of_the_format(records, target):
    write_dataset(target, records, ORIGIN)
    materials = pyarrow.parquet.read_table(target / "materials.parquet").to_pylist()
    assert materials[1] == {
        "material_id": "iron",
        "formula": "Fe",
        "lattice": [2.87, 0, 0, 0, 2.87, 0, 0, 0, 2.87],
        "species": ["Fe", "Fe"],
        "frac_coords": [0, 0, 0, 0.5, 0.5, 0.5],
        "n_sites": 2,
        "structure_source": "doi:10.1/2",
        "license": "CC-BY-4.0",
    }
    spectra = pyarrow.parquet.read_table(target / "spectra.parquet").to_pylist()
    assert [row["site_index"] for row in spectra] == [0, 4, 1, None]
    assert {(row["edge"], row["source"], row["license"]) for row in spectra} == {
        ("K", "doi:10.1/2", "CC-BY-4.0")
    }


def test_identical_crystals_are_stored_once(records, target):
    copy = replace(records[2].material, material_id="copy of iron")
    again = replace(records[2], material=copy, spectrum_id="again")
    other_cell = Cell(2.9 * np.eye(3), copy.cell.frac, copy.cell.numbers)
    other = replace(again, material=Material("iron", "Fe", other_cell), spectrum_id="other")
    write_dataset(target, [*records, again, other], ORIGIN)
    found = read_records([target]).records
    assert [record.material.material_id for record in found[2:]] == ["iron"] * 3 + ["iron_v2"]
    assert found[4].material is found[2].material
    assert found[5].material.cell.lattice[0, 0] == 2.9


def test_crystals_are_compared_to_a_millionth():
    iron = Cell(2.87 * np.eye(3), np.array([[0.0, 0, 0], [0.5, 0.5, 0.5]]), np.array([26, 26]))
    near = Cell(iron.lattice + 1e-8, iron.frac - 1e-9, iron.numbers)
    far = Cell(iron.lattice + 1e-4, iron.frac, iron.numbers)
    other = Cell(iron.lattice, iron.frac, np.array([26, 27]))
    assert crystal_key(iron) == crystal_key(near)
    assert len({crystal_key(each) for each in (iron, far, other)}) == 3
    distinct = DistinctMaterials()
    kept = [distinct.kept(Material("a", "Fe", cell)) for cell in (iron, near, far, other)]
    assert [each.material_id for each in kept] == ["a", "a", "a_v2", "a_v3"]
    assert [each.material_id for each in distinct] == ["a", "a_v2", "a_v3"]


def test_nothing_is_written_over(records, folder, target):
    before = {path: path.read_bytes() for path in folder.iterdir()}
    for use in (check_new_folder, lambda path: write_dataset(path, records, ORIGIN)):
        with pytest.raises(OutputError, match="is not empty"):
            use(folder)
        with pytest.raises(OutputError, match="is a file"):
            use(folder / "spectra.parquet")
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    target.mkdir(parents=True)
    write_dataset(target, records, ORIGIN)
    assert len(read_records([target])) == 4


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_write_protected_place_is_refused_early(tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(OutputError, match="may not be written to"):
        check_new_folder(tmp_path / "locked" / "mine")


def test_refused_records_leave_nothing_behind(records, target):
    with pytest.raises(DatasetError, match="two spectra are called a"):
        write_dataset(target, [records[0], records[0]], ORIGIN)
    some = replace(records[1], sites=np.array([2, 3]))
    with pytest.raises(DatasetError, match="mean of 2 of 4 sites"):
        write_dataset(target, [some], ORIGIN)
    assert not target.exists()


def test_failed_write_leaves_nothing_behind(records, target, monkeypatch):
    monkeypatch.setattr("cgxas.data.folder.file_sha256", lambda path: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_dataset(target, records, ORIGIN)
    assert list(target.parent.iterdir()) == []


def test_folder_without_manifest(folder):
    assert read_manifest(folder) is None
    assert read_manifest(folder / "nowhere") is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text[:40], "not a readable manifest"),
        (lambda text: "[]", "not a readable manifest"),
        (lambda text: "{}", "not a readable manifest"),
        (lambda text: text.replace('"format": 1', '"format": 2'), "is of format 2.*update cgxas"),
        (lambda text: text.replace('"sha256"', '"sha"'), "does not say all it should"),
        (lambda text: text.replace('"counts": {', '"counts": "x", "c": {'), "does not say all"),
    ],
)
def test_damaged_manifest(records, target, change, message):
    write_dataset(target, records, ORIGIN)
    path = target / "manifest.json"
    path.write_text(change(path.read_text()))
    with pytest.raises(DatasetError, match=message):
        read_manifest(target)
    with pytest.raises(DatasetError, match=message):
        read_records([target])


def test_manifest_may_say_more(records, target):
    manifest = write_dataset(target, records, ORIGIN)
    path = target / "manifest.json"
    values = json.loads(path.read_text())
    path.write_text(json.dumps({**values, "note": "by hand"}))
    assert read_manifest(target) == manifest
