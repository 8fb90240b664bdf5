"""What README and guide show is run."""

import re
import runpy
import shlex
from pathlib import Path

import pytest

import cgxas
from cgxas.cli import main

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "docs/guide.md")


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)


@pytest.mark.filterwarnings("ignore::cgxas.errors.FewTrainingSpectraWarning")
@pytest.mark.parametrize("page", PAGES)
def test_python_runs_as_printed(page, monkeypatch):
    monkeypatch.chdir(ROOT)
    (code,) = blocks(page, "python")
    names: dict[str, object] = {}
    exec(code, names)
    assert names["spectrum"].absorber == "Fe"
    assert names["spectrum"].structure[names["spectrum"].sites[0].site].species_string == "Fe"


@pytest.mark.parametrize("page", PAGES)
def test_first_command_writes_figure_and_spectrum(page, tmp_path, monkeypatch, capsys):
    command = re.search(r"cgxas (predict examples/LiFePO4[^\n&]*)", blocks(page, "sh")[0])[1]
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stop:
        main(shlex.split(command))
    assert stop.value.code == 0
    assert "LiFePO4" in capsys.readouterr().out
    assert (tmp_path / "fe.png").stat().st_size > 10_000
    assert (tmp_path / "fe.xdi").read_text().startswith("# XDI/1.0 cgxas/")


def test_links_lead_somewhere():
    for page in (*PAGES, *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))):
        for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / page).read_text()):
            assert target.startswith("https://") or ((ROOT / page).parent / target).exists()


def test_both_commands_start_on_a_fresh_machine():
    commands = [c for c in blocks("README.md", "sh") if "venv" in c]
    assert len(commands) == 2
    assert all(
        "pip install -c constraints.txt" in c and (ROOT / "constraints.txt").exists()
        for c in commands
    )


@pytest.mark.skipif("universal" not in cgxas.bundled(), reason="no bundled model")
@pytest.mark.filterwarnings("ignore::cgxas.errors.CgxasWarning")
def test_the_calibration_guide_runs_as_printed(tmp_path, monkeypatch, capsys):
    """From a made-up beamtime to a calibrated prediction beside a scan."""
    pytest.importorskip("larch")
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    text = "\n".join(blocks("docs/calibration.md", "sh"))
    first = text.index("cgxas spectrum practice")
    commands = [
        line.removeprefix("cgxas ")
        for line in text[first:].split("DATA/")[0].splitlines()
        if (line.startswith("cgxas ") and "practice" in line) or "co.json" in line
    ]
    assert [shlex.split(c)[0] for c in commands] == [
        "spectrum", "dataset", "dataset", "calibrate", "predict", "compare",
    ]  # fmt: skip
    runpy.run_path(str(ROOT / "examples" / "practice_beamtime.py"), run_name="__main__")
    for command in commands:
        words = shlex.split(command)
        repeats = ["--repeats", "2"] if words[0] == "calibrate" else []  # twenty take longer
        with pytest.raises(SystemExit) as stop:
            main([*words, *repeats])
        assert stop.value.code == 0, capsys.readouterr().err
    assert "RSE" in capsys.readouterr().out
    assert (tmp_path / "practice" / "co" / "co.safetensors").stat().st_size > 1e6
    assert (tmp_path / "co.png").stat().st_size > 10_000
