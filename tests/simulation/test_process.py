"""FEFF in a process of its own: whatever ends it, neither a process nor a file is left."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
from pymatgen.core import Lattice, Structure

from cgxas.elements import SYMBOLS
from cgxas.errors import Interrupted, OutputError, SimulationError
from cgxas.simulation import child, process
from cgxas.simulation.crystal import crystal_of, orbits_of
from cgxas.simulation.presets import QUICK
from cgxas.simulation.process import run_feff

pytest.importorskip("feff10")

SLOW = """
import os, subprocess, sys, types
sys.path.insert(0, {folder!r})
import child

class FeffError(Exception):
    pass

class FeffPipeline:  # as the true one: a worker of its own, whose end is an error
    def __init__(self, config):
        pass
    def run_with_progress(self, tell):
        worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        with open({pids!r}, "w") as file:
            file.write(f"{{os.getpid()}} {{worker.pid}}")
        tell(types.SimpleNamespace(executable_name="pot"), types.SimpleNamespace(kind="starting"))
        worker.wait()
        raise FeffError("the worker was ended")

config = types.SimpleNamespace(from_file=lambda *_, **__: None)
stage = types.SimpleNamespace(**dict.fromkeys(child.STAGES))
sys.modules["feff10"] = types.SimpleNamespace(
    FeffError=FeffError, FeffPipeline=FeffPipeline, FeffConfig=config, Stage=stage, StageProgress=0
)
child.main()
"""


@pytest.fixture
def slow(tmp_path, monkeypatch) -> Path:
    """Put a process with one of its own in the place of FEFF; returns where it writes their ids."""
    script, pids = tmp_path / "slow.py", tmp_path / "pids"
    script.write_text(SLOW.format(folder=str(Path(child.__file__).parent), pids=str(pids)))
    (tmp_path / "runs").mkdir()
    monkeypatch.setattr(child, "__file__", str(script))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "runs"))
    return pids


def ids(pids: Path) -> list[int]:
    end = time.monotonic() + 60
    while not (pids.exists() and pids.read_text()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return [int(word) for word in pids.read_text().split()]


def assert_nothing_is_left(pids: Path, runs: Path) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end and (any(map(is_alive, ids(pids))) or any(runs.iterdir())):
        time.sleep(0.1)
    assert not any(map(is_alive, ids(pids)))
    assert not list(runs.iterdir())


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_run_that_takes_too_long_is_ended(slow, tmp_path):
    with pytest.raises(
        SimulationError, match=r"not done after 3 s, in .*: give it more with --timeout"
    ):
        run_feff("", 3.0)
    assert_nothing_is_left(slow, tmp_path / "runs")


def test_a_run_is_stopped_on_request(slow, tmp_path):
    stop, stages = threading.Event(), []

    def seen(stage: str) -> None:
        stages.append(stage)
        stop.set()

    with pytest.raises(Interrupted):
        run_feff("", None, seen, stop)
    assert stages == ["pot"]
    assert_nothing_is_left(slow, tmp_path / "runs")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_killed_in_the_middle_nothing_is_left(slow, tmp_path, number):
    code = (  # what starts the tests may ignore Ctrl-C, and its children then do so too
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "import tempfile; from cgxas.simulation import child, process\n"
        "from cgxas.cli.process import ending_cleanly\n"
        f"child.__file__ = {child.__file__!r}; tempfile.tempdir = {str(tmp_path / 'runs')!r}\n"
        "with ending_cleanly(): process.run_feff('', None)\n"
    )
    starter = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    assert all(map(is_alive, ids(slow)))
    os.kill(starter.pid, number)
    assert starter.wait(30) != 0
    assert_nothing_is_left(slow, tmp_path / "runs")


def alone() -> str:
    """What FEFF is told of an iron atom with nothing around it."""
    crystal = crystal_of(Structure(Lattice.cubic(25), ["Fe"], [[0, 0, 0]]))
    return orbits_of(crystal, "Fe", QUICK)[0].text


def crowd() -> str:
    """What FEFF is told of an oxygen among forty elements."""
    symbols = ["O", *(symbol for symbol in SYMBOLS if symbol not in ("O", "He"))][:40]
    places = [[n % 4 / 4 + n / 1000, n // 4 % 4 / 4, n // 16 / 4] for n in range(40)]
    crystal = crystal_of(Structure(Lattice.cubic(11.0), symbols, places))
    return orbits_of(crystal, "O", QUICK)[0].text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (lambda: "TITLE nothing\nEND\n", "fails in rdinp: No absorbing atom"),
        (alone, "fails in atomic: an atom has no sphere that holds its electrons"),
        (crowd, "fails in rdinp: there are more elements than it takes"),
    ],
)
def test_what_feff_refuses_is_told_in_a_line(text, told, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(SimulationError, match=f"^FEFF10 {told}") as raised:
        run_feff(text(), 300.0)
    assert "\n" not in str(raised.value)
    assert not list(tmp_path.iterdir())


def salt() -> str:
    places = [[0, 0, 0], [0.5, 0.5, 0.5]]
    found = Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.03), ["Li", "F"], places)
    return orbits_of(crystal_of(found), "F", QUICK)[0].text


@pytest.mark.parametrize("whom", ["the run", "its worker"])
def test_what_the_system_kills_is_told_and_leaves_nothing(whom, tmp_path, monkeypatch):
    """As where memory runs out: FEFF itself, in the middle of the potentials."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    killed: list[int] = []

    def kill(stage: str) -> None:
        if stage == "pot":
            runs = [p for p in processes() if p.cwd == str(next(tmp_path.iterdir()))]
            run = next(p for p in runs if "child.py" in p.command)
            others = [p.pid for p in runs if p.pid != run.pid]
            killed.extend(p.pid for p in runs)
            os.kill(run.pid if whom == "the run" else others[0], signal.SIGKILL)

    with pytest.raises(SimulationError, match=r"^FEFF10 was ended in pot by SIGKILL, as the sys"):
        run_feff(salt(), 300.0, kill)
    assert len(killed) == 2
    end = time.monotonic() + 20  # the system takes a moment to end what was killed
    while any(map(is_alive, killed)) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(map(is_alive, killed))
    assert not list(tmp_path.iterdir())


@dataclass
class Process:
    pid: int
    cwd: str
    command: str


def processes() -> list[Process]:
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (path / "cmdline").read_text().replace("\0", " ")
            found.append(Process(int(path.name), str((path / "cwd").readlink()), command))
    return found


def test_a_full_disk_is_told_and_the_crystal_is_not_blamed(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(process.shutil, "disk_usage", lambda _: SimpleNamespace(free=4096))
    with pytest.raises(OutputError, match=r"No space left on device; set TMPDIR to a folder with"):
        run_feff("TITLE nothing\nEND\n", 300.0)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(OutputError, match="cannot write its temporary files: No such file"):
        run_feff(salt(), 300.0)
