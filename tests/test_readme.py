"""What README and the pages that begin like it show is run."""

import re
import shlex
from pathlib import Path

import pytest

from cgxas.cli import main

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "docs/index.md", "docs/howto/predict.md")


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
    command = re.search(r"cgxas (predict examples/Fe2O3[^\n&]*)", blocks(page, "sh")[0])[1]
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stop:
        main(shlex.split(command))
    assert stop.value.code == 0
    assert "Fe2O3" in capsys.readouterr().out
    assert (tmp_path / "fe.png").stat().st_size > 10_000
    assert (tmp_path / "fe.xdi").read_text().startswith("# XDI/1.0 cgxas/")


def test_both_commands_start_on_a_fresh_machine():
    commands = [c for c in blocks("README.md", "sh") if "venv" in c]
    assert len(commands) == 2
    assert all(
        "pip install -c constraints.txt" in c and (ROOT / "constraints.txt").exists()
        for c in commands
    )
