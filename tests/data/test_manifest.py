import json
import shutil
from datetime import UTC, datetime

import pytest

from cgxas.data.folder import read_records, write_dataset
from cgxas.data.manifest import Origin, changed_tables, file_sha256, read_manifest
from cgxas.errors import DatasetError

ORIGIN = Origin("test set", "doi:10.1/2", "CC-BY-4.0")


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


@pytest.mark.parametrize("name", ["materials.parquet", "spectra.parquet"])
def test_table_that_is_not_that_of_the_manifest_is_refused(folder, tmp_path_factory, name):
    written = tmp_path_factory.mktemp("others") / "written"
    write_dataset(written, read_records([folder]).records, Origin("x"))
    assert len(read_records([written])) == 4
    shutil.copy(folder / name, written / name)
    with pytest.raises(DatasetError, match=f"{name} is not the table its manifest tells of"):
        read_records([written])


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
        (
            lambda text: text.replace('"sha256"', '"sha"'),
            "not a readable manifest: sha256: field required",
        ),
        (
            lambda text: text.replace('"counts": {', '"counts": "x", "c": {'),
            "not a readable manifest: counts: ",
        ),
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


def test_changed_tables_are_named(records, folder, target):
    write_dataset(target, records, ORIGIN)
    assert changed_tables(target) == changed_tables(folder) == []
    shutil.copy(folder / "materials.parquet", target)
    assert changed_tables(target) == ["materials.parquet"]
    (target / "materials.parquet").unlink()
    assert changed_tables(target) == []
