from pathlib import Path

import pytest

from cgxas.errors import ConfigError, DatasetError, OutputError
from cgxas.report import write_report
from cgxas.report.style import CSS


def test_one_run_makes_a_whole_report(finished_run, tmp_path: Path):
    files = write_report([finished_run("uni")], tmp_path / "report")
    names = ["elements", "errors", "examples", "learning", "oxygen", "sites"]
    assert {path.name for path in files} == {"index.html", *(f"{name}.png" for name in names)}
    assert sorted((tmp_path / "report").iterdir()) == files
    for name in names:
        content = (tmp_path / "report" / f"{name}.png").read_bytes()
        assert content.startswith(b"\x89PNG")
        assert len(content) > 5000
    text = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    assert text.count("data:image/png;base64,") == 6
    assert CSS in text


def test_a_mix_of_runs_without_data(finished_run, tmp_path: Path):
    gone = tmp_path / "gone"
    runs = [finished_run("uni", data=gone), finished_run("fe", "element", "Fe", data=gone)]
    files = write_report(runs, tmp_path / "new" / "report")
    assert [path.stem for path in files] == ["elements", "errors", "examples", "index", "learning"]
    text = (tmp_path / "new" / "report" / "index.html").read_text(encoding="utf-8")
    assert "gone of uni are not at hand" in text


def test_the_same_runs_give_the_same_report(finished_run, tmp_path: Path):
    run = finished_run("uni")
    for name in ("a", "b"):
        write_report([run], tmp_path / name)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_nothing_is_left_of_a_report_that_fails(finished_run, oxides, tmp_path: Path):
    run = finished_run("uni")
    (run / "log.csv").unlink()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ConfigError, match=r"log\.csv"):
        write_report([run], tmp_path / "report")
    (run / "test.parquet").write_text("damaged")
    with pytest.raises(DatasetError, match=r"test\.parquet"):
        write_report([run], tmp_path / "report")
    with pytest.raises(ConfigError, match="is not a run folder"):
        write_report([oxides], tmp_path / "report")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_with_files_is_refused_before_any_work(finished_run, tmp_path: Path, monkeypatch):
    run = finished_run("uni")
    monkeypatch.setattr("cgxas.report.grouped", lambda runs: pytest.fail("work was begun"))
    with pytest.raises(OutputError, match="exists already"):
        write_report([run], tmp_path / "runs")
