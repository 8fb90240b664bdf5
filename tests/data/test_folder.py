import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from cgxas.crystals.canonical import Cell
from cgxas.data.folder import check_new_folder, read_records, write_dataset
from cgxas.data.manifest import Origin
from cgxas.data.record import Annotation, Material
from cgxas.errors import CgxasError, DatasetError, OutputError
from cgxas.spectra.measurement import Measurement

ORIGIN = Origin("test set", "doi:10.1/2", "CC-BY-4.0")


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


def test_hash_tells_every_change(write, materials, spectra):
    before = read_records([write(materials, spectra)]).sha256
    assert read_records([write(materials, spectra)]).sha256 == before
    spectra[0]["mu"][3] += 1e-9
    assert read_records([write(materials, spectra)]).sha256 != before


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
        ({"mu": [None] * 60}, "finite"),
        ({"energy": None}, "of one length"),
        ({"energy": [], "mu": []}, "energy and mu must be finite"),
        ({"energy": [4970.0] * 60}, "must increase strictly"),
        ({"element": "Qq"}, "site 0 is not Qq"),
        ({"element": "Qq", "site_index": None}, "no site is Qq"),
        ({"edge": "L3"}, "a is of the L3 edge; cgxas answers for K edges only: take it out"),
        ({"edge": "m45"}, "is of the M45 edge"),
        ({"weight": 0.0}, "a has energy shift None, weight 0.0"),
        ({"weight": float("nan")}, "they must be finite"),
        ({"energy_shift": float("inf")}, "they must be finite"),
        ({"energy_shift": float("nan")}, "they must be finite"),
        ({"multiplicity": -1.0}, "the last two above 0"),
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
        {"species": ["Ti"] * 5 + [None]},
        {"frac_coords": None},
    ],
)
def test_damaged_material(write, materials, spectra, change):
    materials[0].update(change)
    with pytest.raises(CgxasError, match="rutile"):
        read_records([write(materials, spectra)])


def test_fidelity_column_goes_before_the_theory(write, materials, spectra):
    spectra[0]["fidelity"] = "FEFF8"
    first, second, *_ = read_records([write(materials, spectra)]).records
    assert (first.fidelity, second.fidelity) == ("FEFF8", "made")


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
    monkeypatch.setattr("cgxas.data.manifest.file_sha256", lambda path: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_dataset(target, records, ORIGIN)
    assert list(target.parent.iterdir()) == []


def test_two_crystals_of_one_name_are_refused(write, materials, spectra):
    materials[1]["material_id"] = "rutile"
    with pytest.raises(DatasetError, match="holds two crystals called rutile; rename one"):
        read_records([write(materials, spectra)])


@pytest.mark.parametrize("edge", ["K", " k", "", None])
def test_the_edge_is_read_and_k_where_none_is_told(write, materials, spectra, edge):
    spectra[0]["edge"] = edge
    assert {each.edge for each in read_records([write(materials, spectra)]).records} == {"K"}


def test_annotations_are_read(write, materials, spectra):
    told = {
        "compound": ["a", None],
        "formula_group": ["FeO", "FeO"],
        "source": ["lab", "beamline"],
        "license": ["MIT", None],
        "energy_shift": [1.5, None],
        "weight": [2.0, None],
        "multiplicity": [None, 4],
        "technique": ["XAS", "HERFD-XANES"],
        "quality_flags": [["low_white_line"], None],
    }
    for name, values in told.items():
        for row, value in zip(spectra, values, strict=False):
            row[name] = value
    first, second, *_ = read_records([write(materials, spectra)]).records
    flags = ("low_white_line",)
    assert first.annotation == Annotation(
        "a", "FeO", "lab", "MIT", "XAS", energy_shift=1.5, weight=2.0, flags=flags
    )
    assert second.annotation == Annotation(
        "", "FeO", "beamline", "", "HERFD-XANES", multiplicity=4.0
    )


def test_annotations_are_written_and_read_again(records, target):
    about = Annotation("iron", "Fe", "lab", "MIT", "XAS", 1.5, 2.0, 3.0, ("x", "y"))
    write_dataset(target, [replace(records[2], annotation=about), records[3]], ORIGIN)
    first, second = (each.annotation for each in read_records([target]).records)
    assert first == about
    assert second == Annotation(source="doi:10.1/2", licence="CC-BY-4.0")


def test_a_measurement_is_kept_beside_its_spectrum(records, target, scanned):
    energy, mu = scanned()
    about = {"label": "foil", "format": "XDI", "kind": "mu", "edge": "K", "element": "Fe"}
    scan = Measurement(energy, mu, mu, source="b/a.xdi", edge_step=0.8, **about)
    write_dataset(target, records[2:], ORIGIN, measured={"c": scan})
    first, second = pyarrow.parquet.read_table(target / "spectra.parquet").to_pylist()
    names = ("sample", "source_file", "e0", "edge_step", "as_provided")
    assert [first[name] for name in names] == ["foil", "b/a.xdi", scan.e0, 0.8, True]
    assert [second[name] for name in names] == [None] * 5
    np.testing.assert_array_equal(first["mu_raw"], mu)
