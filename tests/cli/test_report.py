from dataclasses import replace
from pathlib import Path

from cgxas.model.checkpoint import load_checkpoint
from cgxas.training.folder import TAKEN_IN


def test_report_is_written(cgxas, finished_run, tmp_path: Path):
    runs = [finished_run("uni"), finished_run("fe", "element", "Fe")]
    answer = cgxas("report", *runs, "-o", tmp_path / "report")
    index = tmp_path / "report" / "index.html"
    assert (answer.code, answer.out) == (0, "")
    assert answer.err == f"wrote 7 files; open {index}\n"
    assert index.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_data_can_lie_elsewhere(cgxas, finished_run, oxides, tmp_path: Path):
    run = finished_run("uni", data=tmp_path / "gone")
    assert cgxas("report", run, "-o", tmp_path / "bare").code == 0
    assert cgxas("report", run, "-o", tmp_path / "full", "--data", oxides).code == 0
    assert not (tmp_path / "bare" / "sites.png").exists()
    assert (tmp_path / "full" / "sites.png").exists()


def test_report_refuses(refused, finished_run, oxides, tmp_path: Path):
    run = finished_run("uni")
    assert "is not a run folder" in refused("report", oxides, "-o", "r")
    assert "exists already" in refused("report", run, "-o", tmp_path / "runs")
    assert "materials.parquet is missing" in refused("report", run, "-o", "r", "--data", tmp_path)
    assert "missing argument" in refused("report", "-o", "r")
    (run / "test.parquet").unlink()
    assert "test.parquet" in refused("report", run, "-o", "r")


def test_a_kernel_that_took_spectra_in_has_no_learning_curve(cgxas, finished_run, tmp_path: Path):
    tuned, usual = finished_run("ft_Fe", "finetune", "Fe"), finished_run("uni")
    (tuned / "log.csv").unlink()
    model = load_checkpoint(tuned / "ft_Fe.safetensors")
    replace(model, provenance={**model.provenance, TAKEN_IN: 3}).save(tuned / "ft_Fe.safetensors")
    assert cgxas("report", tuned, "-o", tmp_path / "alone").code == 0
    assert not (tmp_path / "alone" / "learning.png").exists()
    assert (tmp_path / "alone" / "errors.png").exists()
    page = (tmp_path / "alone" / "index.html").read_text(encoding="utf-8")
    assert "Without epochs, as a kernel took spectra in: ft_Fe." in page
    assert cgxas("report", tuned, usual, "-o", tmp_path / "both").code == 0
    assert (tmp_path / "both" / "learning.png").exists()
