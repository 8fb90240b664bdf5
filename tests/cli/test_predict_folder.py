"""cgxas predict with folders and patterns: what can be answered is, the rest is named."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import cgxas as package

BROKEN = "data_broken\n_cell_length_a 3\n"


@pytest.fixture
def folder(crystals, tmp_path) -> Path:
    """Three good crystals, one of them deeper, a broken one and a picture."""
    found = tmp_path / "found"
    (found / "deeper").mkdir(parents=True)
    for name in ("LiFePO4", "iron"):
        (found / f"{name}.cif").write_bytes((crystals / f"{name}.cif").read_bytes())
    (found / "deeper" / "rutile.cif").write_bytes((crystals / "rutile.cif").read_bytes())
    (found / "broken.cif").write_text(BROKEN)
    (found / "figure.png").write_bytes(b"\x89PNG")
    return found


def test_what_can_be_answered_is_written_and_the_rest_is_named(predict_some, folder, random_model):
    answer = predict_some(folder, "-a", "Fe", "-o", "fe.parquet")
    found = pq.read_table("fe.parquet")
    assert found["formula"].to_pylist() == ["LiFePO4", "Fe"]
    passed, absent, left, count = answer.err.splitlines()[1:]
    assert passed == "no crystals, passed over: 1 .png"
    assert absent == f"no Fe in 1 crystals: {folder}/deeper/rutile.cif"
    assert left.startswith(f"left out: {folder}/broken.cif")
    assert count == "left out 1 of 4 crystals"
    alone = package.load(random_model).predict(folder / "iron.cif", "Fe")
    np.testing.assert_allclose(found["norm"].to_pylist()[1], alone.norm, atol=1e-6)


def test_an_absent_absorber_is_no_error(predict, folder):
    (folder / "broken.cif").unlink()
    answer = predict(folder, "-a", "Fe", "-o", "fe.json")
    names = {path.name for path in Path().glob("*.json")}
    assert names == {"fe_LiFePO4_Fe.json", "fe_iron_Fe.json"}
    assert "no Fe in 1 crystals" in answer.err


def test_each_crystal_is_answered_for_what_it_holds(predict, folder):
    (folder / "broken.cif").unlink()
    predict(folder, "-a", "Fe", "-a", "Ti", "-a", "O", "-o", "x.parquet")
    found = pq.read_table("x.parquet")
    columns = (found[name].to_pylist() for name in ("formula", "absorber"))
    pairs = {" ".join(each) for each in zip(*columns, strict=True)}
    assert pairs == {"LiFePO4 Fe", "LiFePO4 O", "Fe Fe", "TiO2 Ti", "TiO2 O"}


def test_patterns_go_deeper(predict, folder):
    answer = predict(f"{folder}/**/r*.cif", "-a", "Ti")
    assert "rutile.cif" in answer.out
    assert answer.err == ""


def test_crystals_of_an_archive_and_of_a_data_set(predict, crystals, oxides):
    with zipfile.ZipFile("all.zip", "w") as archive:
        archive.write(crystals / "iron.cif", "a/iron.cif")
    predict("all.zip", oxides, "-a", "Fe", "-o", "fe.parquet")
    assert pq.read_table("fe.parquet").num_rows == 4
    sources = pq.read_table("fe.parquet")["source"].to_pylist()
    assert sources[0] == "all.zip/a/iron.cif"
    assert sources[1:] == ["oxides/m1", "oxides/m4", "oxides/m7"]


def test_files_of_one_name_in_two_folders_have_two_outputs(predict, folder, crystals):
    (folder / "broken.cif").unlink()
    (folder / "deeper" / "iron.cif").write_bytes((crystals / "iron.cif").read_bytes())
    predict(folder, "-a", "Fe", "-o", "x.json")
    names = {path.name for path in Path().glob("x*.json")}
    assert names == {"x_LiFePO4_Fe.json", "x_iron.cif_Fe.json", "x_deeper_iron.cif_Fe.json"}
    one = json.loads(Path("x_deeper_iron.cif_Fe.json").read_text())
    assert one["formula"] == "Fe"


def test_nothing_is_written_where_nothing_can_be_answered(refused, folder, random_model):
    words = ("-m", random_model, "-o", "x.parquet")
    line = refused("predict", folder, "-a", "Ni", *words)
    assert "none of the crystals can be answered; the first: " in line
    for path in folder.rglob("*.cif"):
        path.write_text(BROKEN)
    assert "none of the crystals can be answered" in refused("predict", folder, "-a", "Fe", *words)


def test_a_crystal_alone_must_hold_all_absorbers(refused, crystals, random_model):
    words = ("-a", "Ti", "-a", "Fe", "-m", random_model)
    assert "holds no Fe" in refused("predict", crystals / "rutile.cif", *words)


@pytest.mark.parametrize("count", [3, 14])
def test_overlay(predict, crystals, tmp_path, count):
    many = tmp_path / "many"
    many.mkdir()
    for n in range(count):
        (many / f"{n}.cif").write_bytes((crystals / "iron.cif").read_bytes())
    answer = predict(many, "-a", "Fe", "--plot", "all.png", "--overlay")
    assert answer.err == "wrote all.png\n"
    assert Path("all.png").read_bytes().startswith(b"\x89PNG")


def test_overlay_needs_a_figure(refused, crystals, random_model):
    line = refused("predict", crystals, "-a", "Fe", "-m", random_model, "--overlay")
    assert "name it with --plot" in line
