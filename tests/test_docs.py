"""The documentation: tutorials run and print what they show, commands, names and links exist."""

import csv
import os
import re
import runpy
import shlex
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import typer.main
import yaml

import cgxas
from cgxas.cli import app, main

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in DOCS.rglob("*.md"))
AT_ROOT = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
MADE = {"contributing.md", "changelog.md", "reference/commands.md"}  # scripts/site_pages.py


def text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str) -> list[tuple[str, str]]:
    """Language and text of the code blocks of a page, in order."""
    return re.findall(r"^```(\w*)\n(.*?)^```", text(page), re.DOTALL | re.MULTILINE)


def commands(page: str) -> Iterator[list[str]]:
    """The words of each call of cgxas in the shell blocks of a page."""
    for language, code in blocks(page):
        for line in code.replace("\\\n", " ").splitlines() if language == "sh" else ():
            if line.startswith("cgxas "):
                yield shlex.split(line, comments=True)[1:]


def words(line: str) -> list[str]:
    """The words of a line, numbers to be compared as such."""
    return re.findall(r"[-+]?\d+\.\d+|\S+?(?=[-+]?\d+\.\d+)|\S+", line)


def assert_printed(printed: str, shown: str) -> None:
    """Numbers may differ in their last digit from machine to machine, words may not."""
    found, expected = ([words(line) for line in each.splitlines()] for each in (printed, shown))
    alike = len(found) == len(expected) and all(
        len(f) == len(e) and all(a == b or _near(a, b) for a, b in zip(f, e, strict=True))
        for f, e in zip(found, expected, strict=True)
    )
    assert alike, f"the page shows\n{shown}\nbut this is printed:\n{printed}"


def _near(found: str, shown: str) -> bool:
    try:
        digits = len(shown.split(".")[1])
        return abs(float(found) - float(shown)) < 2.1 * 10**-digits
    except (IndexError, ValueError):
        return False


class Reader:
    """Somebody who types what a page shows, in a folder with the examples."""

    def __init__(self, capsys) -> None:
        self.capsys = capsys
        self.calls: list[str] = []
        self.checked = 0

    def read(self, page: str) -> None:
        """Follow a page; what it shows below a command is what the command prints."""
        printed = ""
        for language, code in blocks(page):
            if language == "text":
                assert_printed(printed, code)
                self.checked += 1
            elif language == "python":
                exec(code, {})
            elif language == "sh":
                lines = [line for line in code.splitlines() if "pip install" not in line]
                printed = "".join(self.type(line) for line in lines)

    def type(self, line: str) -> str:
        """Type a line; return what is printed."""
        program, *arguments = shlex.split(line)
        self.capsys.readouterr()
        if program == "python" and arguments[0].startswith("benchmarks/"):
            return ""  # how the numbers beside it were measured
        if program == "python":
            runpy.run_path(arguments[0], run_name="__main__")
        else:
            assert program == "cgxas", line
            few = ["--repeats", "2"] if arguments[0] == "calibrate" else []  # 20 take longer
            with pytest.raises(SystemExit) as stop:
                main([*arguments, *few])
            assert stop.value.code == 0, self.capsys.readouterr().err
            self.calls.append(arguments[0])
        return self.capsys.readouterr().out


@pytest.fixture
def reader(tmp_path, monkeypatch, capsys) -> Reader:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    return Reader(capsys)


@pytest.mark.filterwarnings("ignore::cgxas.errors.CgxasWarning")
def test_the_first_tutorial_runs_and_prints_what_it_shows(reader, tmp_path):
    pytest.importorskip("larch")
    reader.read("docs/tutorials/first.md")
    assert reader.calls == ["predict", "predict", "spectrum", "compare"]
    assert reader.checked == 3
    for name in ("coo.png", "coo.xdi", "coo.csv", "scan.png", "compare.png"):
        assert (tmp_path / name).stat().st_size > 1000


@pytest.mark.filterwarnings("ignore::cgxas.errors.CgxasWarning")
def test_the_matching_tutorial_runs_and_prints_what_it_shows(reader, tmp_path):
    pytest.importorskip("larch")
    reader.read("docs/tutorials/match.md")
    assert reader.calls == ["match", "match"]
    assert reader.checked == 2
    for name in ("match.png", "match.json"):
        assert (tmp_path / name).stat().st_size > 1000


@pytest.mark.filterwarnings("ignore::cgxas.errors.CgxasWarning")
def test_the_calibration_tutorial_runs(reader, tmp_path):
    """From a made-up beamtime to a calibrated prediction beside a scan."""
    pytest.importorskip("larch")
    reader.read("docs/tutorials/calibration.md")
    assert reader.calls == [
        "spectrum", "dataset", "dataset", "calibrate", "predict", "compare",
    ]  # fmt: skip
    assert (tmp_path / "practice" / "co" / "co.safetensors").stat().st_size > 1e5
    assert (tmp_path / "co.png").stat().st_size > 10_000


@pytest.mark.filterwarnings("ignore::cgxas.errors.CgxasWarning")
def test_the_tutorial_on_own_material_runs(reader, tmp_path, monkeypatch):
    """A step stands in for FEFF, which takes minutes for each crystal; CGXAS_FEFF=1 runs it."""
    pytest.importorskip("feff10")
    from cgxas.simulation import sites
    from cgxas.simulation.log import FeffLog
    from cgxas.simulation.process import FeffRun

    energy = 532.0 + np.linspace(-15.0, 40.0, 100)
    norm = 0.5 + np.arctan(energy - 532.0) / np.pi
    rows = [f"{e:.5f} 0 3.72 {m:.7f} 0 0" for e, m in zip(energy, norm, strict=True)]
    log = FeffLog(Path("nowhere"))
    log.text = "Convergence reached in 9 iterations.\n"
    if not os.environ.get("CGXAS_FEFF"):
        monkeypatch.setattr(sites, "run_feff", lambda *_: FeffRun("\n".join(rows), log))
    reader.read("docs/tutorials/own-material.md")
    assert reader.calls == [
        "predict", "simulate", "dataset", "evaluate", "finetune", "evaluate", "predict",
    ]  # fmt: skip
    assert (tmp_path / "practice" / "tuned" / "ft_O.safetensors").stat().st_size > 1e6


def test_the_operando_tutorial_runs(reader, tmp_path):
    """Two predicted crystals in a made-up series, whose truth is known."""
    pytest.importorskip("larch")
    pytest.importorskip("pymcr")
    reader.read("docs/tutorials/operando.md")
    assert reader.calls == ["spectrum", "mix", "mix"]
    truth = _column(tmp_path / "heating" / "temperatures.csv", "rutile")
    found = _column(tmp_path / "heating" / "fractions.csv", "rutile")
    assert truth.keys() - found.keys() == {"heat_17"}
    assert max(abs(found[scan] - truth[scan]) for scan in found) < 0.08
    parted = _column(tmp_path / "heating" / "components.csv", "component_2")
    assert max(abs(parted[scan] - truth[scan]) for scan in parted) < 0.15


def _column(path: Path, name: str) -> dict[str, float]:
    with path.open(encoding="utf-8") as file:
        return {row["scan"]: float(row[name]) for row in csv.DictReader(file)}


def test_the_screening_tutorial_runs(reader, tmp_path):
    reader.read("docs/tutorials/screen.md")
    assert reader.calls == ["screen", "average"]
    assert reader.checked == 1
    assert (tmp_path / "mean.png").stat().st_size > 10_000


@pytest.mark.parametrize("page", [*PAGES, "README.md", "CONTRIBUTING.md"])
def test_commands_have_the_options_that_are_shown(page):
    for arguments in commands(page):
        command = typer.main.get_command(app)
        for word in arguments:
            members = getattr(command, "commands", None)
            if not members:
                break
            assert word in members, f"there is no command cgxas {' '.join(arguments)}"
            command = members[word]
        known = {"-h", "--help"} | {option for p in command.params for option in p.opts}
        shown = {word for word in arguments if re.match(r"--?[a-z]", word)}
        assert shown <= known, f"cgxas {' '.join(arguments)}"


@pytest.mark.parametrize("page", [*AT_ROOT, *PAGES])
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text(page)):
        file = (ROOT / page).parent / target
        is_made = file.resolve().is_relative_to(DOCS) and (
            file.resolve().relative_to(DOCS).as_posix() in MADE
        )
        assert target.startswith("https://") or file.exists() or is_made, target


def nav_pages(entries: list) -> Iterator[str]:
    for entry in entries:
        value = entry if isinstance(entry, str) else next(iter(entry.values()))
        yield from nav_pages(value) if isinstance(value, list) else [value]


def test_every_page_has_its_place():
    nav = re.search(r"^nav:\n(.*)", text("mkdocs.yml"), re.DOTALL | re.MULTILINE)[0]
    placed = list(nav_pages(yaml.safe_load(nav)["nav"]))
    assert len(placed) == len(set(placed))
    assert set(placed) == {page.removeprefix("docs/") for page in PAGES} | MADE


@pytest.mark.parametrize("name", cgxas.__all__)
def test_every_public_name_is_in_the_reference(name):
    pages = "".join(text(page) for page in PAGES if "/api/" in page)
    shown = set(re.findall(r"^::: (\S+)$", pages, re.MULTILINE))
    assert {f"cgxas.{name}", f"cgxas.{cgxas._HOMES[name]}"} & shown


@pytest.mark.parametrize("page", [page for page in PAGES if "/add-a" in page])
def test_files_that_developers_are_sent_to_exist(page):
    named = re.findall(r"`((?:src|tests|docs)/[\w/.]+)`", text(page))
    assert len(named) >= 3
    assert [path for path in named if "NAME" not in path and not (ROOT / path).exists()] == []
