"""cgxas mix: words in; a table, files and figures out."""

import csv
import json
import os

import numpy as np
import pytest

from cgxas.mixing.earlier import earlier_rows

pytest.importorskip("larch")

ENERGY = np.arange(7080.0, 7260.0, 0.5)


def curve(edge: float, height: float) -> np.ndarray:
    step = 0.5 + np.arctan((ENERGY - edge) / 0.8) / np.pi
    return step + height * np.exp(-((ENERGY - edge - 6.0) ** 2) / 10.0)


@pytest.fixture
def series(tmp_path, monkeypatch):
    """Four scans, one of them without beam, and two references."""
    monkeypatch.chdir(tmp_path)
    a, b = curve(7119.0, 0.5), curve(7122.0, 0.8)
    random = np.random.default_rng(0)
    (tmp_path / "scans").mkdir()
    scans = {f"s{n}": (1 - n / 4) * a + n / 4 * b for n in (1, 2, 3)} | {"dark": 0 * a}
    for name, norm in scans.items():
        noisy = norm + 0.003 * random.normal(size=ENERGY.size)
        np.savetxt(f"scans/{name}.dat", np.transpose([ENERGY, noisy]), header="energy mu")
    for name, norm in (("a", a), ("b", b)):
        np.savetxt(f"{name}.dat", np.transpose([ENERGY, norm]), header="energy mu")
    return tmp_path


def test_a_table_files_and_a_figure(cgxas, series):
    words = ("mix", "scans", "--references", "a.dat", "b.dat", "-o", "m.csv", "--plot", "m.svg")
    answer = cgxas(*words)
    assert answer.code == 0, answer.err
    assert [line.split()[0] for line in answer.out.splitlines()] == ["Scan", "s1", "s2", "s3"]
    assert "left out dark:" in answer.err
    rows = list(csv.DictReader((series / "m.csv").read_text().splitlines()))
    assert list(rows[0]) == [
        *("scan", "order", "a", "a_err", "b", "b_err", "total", "rse"),
        *("shift_ev", "shift_err_ev", "on_bound", "note"),
    ]
    assert np.allclose([float(row["b"]) for row in rows], [0.25, 0.5, 0.75], atol=0.02)
    assert "<svg" in (series / "m.svg").read_text()


def test_json_tells_what_was_left_out(cgxas, series):
    answer = cgxas("mix", "scans", "-r", "a.dat", "-r", "b.dat", "-o", "m.json")
    assert answer.code == 0, answer.err
    found = json.loads((series / "m.json").read_text())
    assert [each["scan"] for each in found["left_out"]] == ["dark"]
    assert [each["name"] for each in found["references"]] == ["a", "b"]
    assert np.shape(found["norm"]) == (3, len(found["energy"]))


def test_parquet(cgxas, series):
    parquet = pytest.importorskip("pyarrow.parquet")
    assert cgxas("mix", "scans", "-r", "a.dat", "b.dat", "-o", "m.parquet").code == 0
    assert parquet.read_table("m.parquet")["scan"].to_pylist() == ["s1", "s2", "s3"]


def test_crystals_are_predicted(cgxas, series, crystals, calibrated_model):
    words = ("mix", "scans/s1.dat", "--references", crystals / "iron.cif", "a.dat")
    answer = cgxas(*words, "-m", calibrated_model, "-o", "m.json")
    assert answer.code == 0, answer.err
    found = json.loads((series / "m.json").read_text())
    assert "predicted" in found["references"][0]["told"]
    assert found["scans"][0]["shift_err_ev"] > 0  # shared, where a reference is predicted


def test_a_folder_is_followed(cgxas, series):
    words = ("mix", "scans", "-r", "a.dat", "b.dat", "-o", "scans/m.csv")
    answer = cgxas(*words, "--follow", "--patience", 5)
    assert answer.code == 0, answer.err
    assert [line.split(":")[0] for line in answer.out.splitlines()] == ["s1", "s2", "s3"]
    assert answer.err.count("left out dark") == 1
    assert len((series / "scans" / "m.csv").read_text().splitlines()) == 4


@pytest.mark.parametrize("suffix", [".csv", ".json", ".parquet"])
def test_a_followed_table_is_gone_on_with(cgxas, series, suffix):
    """After Ctrl-C, a restart, and scans that were moved away: no row is lost, or there twice."""
    table = f"m{suffix}"
    words = ("mix", "scans", "-r", "a.dat", "b.dat", "-o", table, "--follow", "--patience", 3)
    late = (series / "scans" / "s3.dat").rename(series / "s3.dat")
    assert cgxas(*words).code == 0
    before = earlier_rows(series / table)
    assert [row["scan"] for row in before] == ["s1", "s2"]
    late.rename(series / "scans" / "s3.dat")
    (series / "scans" / "s1.dat").unlink()
    answer = cgxas(*words)
    assert answer.code == 0, answer.err
    assert "goes on behind 2 rows" in answer.err
    assert [line.split(":")[0] for line in answer.out.splitlines()] == ["s3"]
    after = earlier_rows(series / table)
    assert [row["scan"] for row in after] == ["s1", "s2", "s3"]
    assert after[:2] == before
    assert [float(row["order"]) for row in after] == [1, 2, 3]


def test_ctrl_c_leaves_a_whole_table(cgxas, series, monkeypatch):
    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cgxas.cli.mix.time.sleep", interrupted)
    for path in (series / "scans").iterdir():
        os.utime(path, (0, 0))
    answer = cgxas("mix", "scans", "-r", "a.dat", "b.dat", "-o", "m.csv", "--follow")
    assert answer.code == 0 and "wrote m.csv" in answer.err
    assert len((series / "m.csv").read_text().splitlines()) == 4
    assert sorted(path.name for path in series.iterdir()) == ["a.dat", "b.dat", "m.csv", "scans"]


def test_another_table_is_not_gone_on_with(cgxas, series):
    (series / "m.csv").write_text("scan,something\ns0,1\n")
    words = ("mix", "scans", "-r", "a.dat", "b.dat", "-o", "m.csv", "--follow", "--patience", 3)
    answer = cgxas(*words)
    assert answer.code == 2 and "has the columns scan, something, this series" in answer.err
    assert (series / "m.csv").read_text() == "scan,something\ns0,1\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere.dat", "-r", "a.dat"], "there are no scans at nowhere.dat"),
        (["scans", "-r", "nowhere.cif"], "there are no references at nowhere.cif"),
        (["scans", "--references"], "references"),
        (["--references", "a.dat", "scans"], "missing argument"),
        (["scans", "-r", "a.dat", "--shift", "much"], "the shift is none, shared, free"),
        (["scans", "-r", "a.dat", "-o", "m.xlsx"], "no known file type"),
        (["scans", "-r", "a.dat", "--follow"], "--follow needs a table"),
        (["a.dat", "-r", "a.dat", "--follow", "-o", "m.csv"], "--follow watches one folder"),
        (["scans", "-r", "a.dat", "--patience", "3"], "--patience goes with --follow"),
        (["scans", "-r", "a.dat", "--range", "30", "20"], "the range is two numbers"),
        (["scans", "--most", "2"], "are for references"),
        (["scans", "-r", "a.dat", "-a", "Co"], "Co"),
    ],
)
def test_refusals_take_one_line(cgxas, series, words, said):
    answer = cgxas("mix", *words)
    assert answer.code == 2
    assert len(answer.err.splitlines()) == 1 and said in answer.err, answer.err
    assert not (series / "m.csv").exists()
