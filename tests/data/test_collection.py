"""Whatever names many crystals gives each of them once, in one order, within bounds."""

import os
import shutil
import sqlite3
import stat
import tracemalloc
import zipfile
from pathlib import Path

import ase.db
import ase.io
import pytest
from ase.build import bulk
from pymatgen.io.ase import AseAtomsAdaptor

from cgxas.crystals.io.read import read_crystal
from cgxas.data import archive
from cgxas.data.collection import LINKED, OUTSIDE, Collection
from cgxas.errors import CgxasError, CrystalError, DatasetError, UnreadableCrystal

SALTS = [4.0, 4.1, 4.2]


def salt(a: float):
    return bulk("NiO", "rocksalt", a=a, cubic=True)


def edges(found: Collection) -> dict[str, float | str]:
    """The cell edge of each crystal, by which salts are told apart, or why there is none."""

    def edge(crystal) -> float | str:
        try:
            if isinstance(crystal, CgxasError):
                raise crystal
            return round(read_crystal(crystal).volume ** (1 / 3), 4)
        except CgxasError as error:
            return str(error)

    return {each.id: edge(each.crystal) for each in found}


@pytest.fixture
def folder(tmp_path) -> Path:
    """Salts in files of several kinds, one of them damaged, among what else folders hold."""
    path = tmp_path / "mixed"
    (path / "deeper" / "still").mkdir(parents=True)
    (path / ".hidden").mkdir()
    for n, name in enumerate(["b.cif", "a.vasp", "deeper/c.xyz", "deeper/still/POSCAR_2"]):
        kind = {".cif": "cif", ".xyz": "extxyz"}.get(Path(name).suffix, "vasp")
        ase.io.write(path / name, salt(4.0 + n / 10), format=kind)
    shutil.copy(path / "b.cif", path / "no_suffix_but_a_cif")
    shutil.copy(path / "b.cif", path / ".hidden" / "b.cif")
    (path / "z.cif").write_text("data_x\n_cell_length_a 4\n")
    (path / "notes.txt").write_text("measured in May\n")
    (path / "settings.json").write_text('{"model": "universal"}')
    (path / "scan.dat").write_text("1 2\n3 4\n")
    (path / "picture.png").write_bytes(b"\x89PNG\r\n")
    (path / "quoting.py").write_text("CIF = '''\ndata_x\n_cell_length_a 4\n'''\n")
    return path


@pytest.fixture
def packed(folder, tmp_path) -> Path:
    path = tmp_path / "mixed.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for each in sorted(folder.rglob("*"), reverse=True):
            file.write(each, each.relative_to(folder))
    return path


def test_a_folder_gives_its_crystals_in_order_and_counts_the_others(folder):
    found = Collection(folder)
    by_id = edges(found)
    assert "not a readable CIF" in by_id.pop("z.cif")
    assert by_id == {
        "a.vasp": 4.1,
        "b.cif": 4.0,
        "no_suffix_but_a_cif": 4.0,
        "deeper/c.xyz": 4.2,
        "deeper/still/POSCAR_2": 4.3,
    }
    assert found.passed_over == {".txt": 1, ".json": 1, ".dat": 1, ".png": 1, ".py": 1}
    done = [each.done for each in found]
    assert done == sorted(done)
    assert 0 < done[0] < done[-1] <= 1
    assert found.passed_over[".py"] == 1, "counted anew, not on top"


def test_names_say_where_a_crystal_lies(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert [each.name for each in Collection("deeper")] == ["deeper/c.xyz", "deeper/still/POSCAR_2"]
    assert [each.id for each in Collection(["deeper", "b.cif"])] == [
        "deeper/c.xyz",
        "deeper/still/POSCAR_2",
        "b.cif",
    ]


def test_patterns_and_lists_take_each_file_once(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert [each.id for each in Collection("*.cif")] == ["b.cif", "z.cif"]
    assert [each.id for each in Collection("**/c.*")] == ["deeper/c.xyz"]
    twice = Collection(["a.vasp", "*.cif", "a.vasp", ".", "deeper"])
    ids = [each.id for each in twice]
    assert len(ids) == len(set(ids)) == 6
    assert [each.done for each in twice][-1] <= 1


def test_a_missing_file_among_others_is_an_error_of_its_own(folder):
    found = edges(Collection([folder / "b.cif", folder / "typo.cif"]))
    assert found[f"{folder}/b.cif"] == 4.0
    assert "no such file" in str(found[f"{folder}/typo.cif"])
    with pytest.raises(UnreadableCrystal, match="no such file or folder"):
        Collection(folder / "*.nothing")


def test_an_absorber_without_its_option_is_no_file(tmp_path, monkeypatch):
    (tmp_path / "a.cif").write_text("")
    with pytest.raises(UnreadableCrystal, match="O is no file, but an element: say --absorber"):
        Collection([tmp_path / "a.cif", "O"])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "O").write_text("")
    assert Collection(["a.cif", "O"]).sources == ("a.cif", "O")


def test_objects_are_crystals_too(folder):
    assert [each.id for each in Collection(salt(4.0))] == ["crystal 1"]
    mixed = Collection([salt(4.0), folder / "b.cif", AseAtomsAdaptor.get_structure(salt(4.2))])
    assert list(edges(mixed).items()) == [
        ("crystal 1", 4.0),
        ("crystal 3", 4.2),
        (f"{folder}/b.cif", 4.0),
    ]
    assert mixed.title == f"{folder}/b.cif and 2 more"
    with pytest.raises(UnreadableCrystal, match=r"files and folders of crystals, or crystals.*7"):
        Collection([salt(4.0), 7])


def test_a_folder_without_crystals_tells_what_it_holds(folder):
    for path in (folder / "b.cif", folder / "z.cif", folder / "a.vasp"):
        path.unlink()
    shutil.rmtree(folder / "deeper")
    (folder / "no_suffix_but_a_cif").unlink()
    with pytest.raises(CrystalError, match="no crystal in it; it holds 1 "):
        list(Collection(folder))


def test_links_out_of_the_folder_are_not_followed(folder, tmp_path):
    ase.io.write(tmp_path / "outside.cif", salt(5.0))
    (folder / "in.cif").symlink_to(folder / "b.cif")
    (folder / "out.cif").symlink_to(tmp_path / "outside.cif")
    (folder / "round").symlink_to(folder)
    os.mkfifo(folder / "pipe")
    found = Collection(folder)
    by_id = edges(found)
    assert by_id["in.cif"] == 4.0
    assert len(by_id) == 7
    assert found.passed_over[OUTSIDE] == found.passed_over[LINKED] == 1
    assert found.passed_over["no suffix"] == 1, "the pipe was not opened"


def test_an_archive_gives_what_its_folder_gives(folder, packed):
    inside, unpacked = Collection(packed), Collection(folder)
    assert {k: v for k, v in edges(inside).items() if k != "z.cif"} == {
        k: v for k, v in edges(unpacked).items() if k != "z.cif"
    }
    assert [each.id for each in inside] == sorted(each.id for each in unpacked)
    assert inside.passed_over == unpacked.passed_over


def test_an_archive_within_a_folder(packed):
    found = [each.id for each in Collection(packed.parent) if "zip" in each.id]
    assert "mixed.zip/deeper/c.xyz" in found


def test_archives_are_bounded(tmp_path, monkeypatch):
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("bomb.cif", b"#" + b" " * 60_000_000)
        link = zipfile.ZipInfo("link.cif")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(link, "/etc/passwd")
        file.writestr("../up.cif", "data_x\n")
    found = {each.id: each.crystal for each in Collection(path)}
    assert "more than the 50,000,000" in str(found["bomb.cif"])
    assert "link.cif" not in found
    monkeypatch.setenv("CGXAS_MAX_MEMBERS", "2")
    assert "more than the 2 that are taken" in str(next(iter(Collection(path))).crystal)
    assert not Path(tmp_path.parent / "up.cif").exists()


def test_a_long_list_of_an_archive_is_not_read(tmp_path, monkeypatch):
    path = tmp_path / "long.zip"
    with zipfile.ZipFile(path, "w") as file:
        for n in range(3000):
            file.writestr(f"{n:0200}.cif", "")
    monkeypatch.setenv("CGXAS_MAX_MEMBERS", "100")
    monkeypatch.setattr(archive.zipfile, "ZipFile", None)  # opening it would read the list
    with pytest.raises(UnreadableCrystal, match="lists about"):
        next(archive.members(path))


@pytest.mark.parametrize("end", [0.3, 0.9])
def test_a_damaged_archive_is_told(packed, end):
    data = packed.read_bytes()
    packed.write_bytes(data[: int(end * len(data))])
    (one,) = Collection(packed)
    assert "not a readable zip archive" in str(one.crystal)


@pytest.mark.parametrize("name", ["md.xyz", "md.traj", "md.xyz.gz"])
def test_frames_of_a_trajectory(tmp_path, name):
    path = tmp_path / name
    ase.io.write(path, [salt(a) for a in SALTS])
    found = edges(Collection(path, frames=True))
    assert found == {f"{path}:{n}": a for n, a in enumerate(SALTS)}
    assert [each.done for each in Collection(path, frames=True)] == pytest.approx([1 / 3, 2 / 3, 1])
    with pytest.warns(UserWarning, match="the last of its 3"):
        assert edges(Collection(path)) == {str(path): SALTS[-1]}


def test_frames_before_a_cut_are_kept(tmp_path):
    path = tmp_path / "md.xyz"
    ase.io.write(path, [salt(a) for a in SALTS])
    path.write_text("\n".join(path.read_text().splitlines()[:-2]))
    found = edges(Collection(path, frames=True))
    assert [v for v in found.values() if isinstance(v, float)] == SALTS[:2]
    assert "cut short" in found[f"{path}:rest"]


def test_a_frame_of_too_many_atoms_is_refused(tmp_path):
    path = tmp_path / "md.xyz"
    path.write_text('999999999\nLattice="1 0 0 0 1 0 0 0 1"\nNi 0 0 0\n')
    (one,) = Collection(path, frames=True)
    assert "999,999,999 atoms" in str(one.crystal)


def test_a_long_trajectory_takes_no_more_memory(tmp_path):
    path = tmp_path / "md.xyz"
    ase.io.write(path, salt(4.0))
    path.write_text(path.read_text() * 5_000)
    tracemalloc.start()
    assert sum(1 for _ in Collection(path, frames=True)) == 5_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 500_000 < path.stat().st_size


def test_a_database_gives_row_after_row(tmp_path):
    path = tmp_path / "many.db"
    with ase.db.connect(path) as database:
        for a in SALTS:
            database.write(salt(a))
    assert edges(Collection(path)) == {f"{path}:{n}": a for n, a in enumerate(SALTS, start=1)}
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE systems SET numbers=x'0102' WHERE id=2")
    found = edges(Collection(path))
    assert found.pop(f"{path}:2").endswith("buffer size must be a multiple of element size")
    assert list(found.values()) == [4.0, 4.2]


def test_a_database_whose_table_is_a_view_is_refused(tmp_path):
    path = tmp_path / "evil.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE VIEW systems AS SELECT 1 AS id")
    (one,) = Collection(path)
    assert "no database of ASE" in str(one.crystal)


def test_a_data_set(write, materials):
    folder = write(materials, [])
    materials[0]["species"] = ["Ti", "Ti", "O", "O", "O"]
    for source in (folder, folder / "materials.parquet"):
        assert list(edges(Collection(source))) == ["rutile", "iron"]
    found = edges(Collection(write(materials, [])))
    assert "5 species but 6 places" in found["rutile"]
    assert found["iron"] == 2.87
    both = Collection([folder, folder / "materials.parquet"])
    assert [each.id for each in both] == [f"{folder}/rutile", f"{folder}/iron"]


def test_a_data_set_with_two_crystals_of_one_name_is_refused(write, materials):
    materials[1]["material_id"] = "rutile"
    with pytest.raises(DatasetError, match="two crystals called rutile"):
        list(Collection(write(materials, [])))
