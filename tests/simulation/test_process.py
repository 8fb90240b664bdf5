"""FEFF in a process of its own: whatever ends it, neither a process nor a file is left."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from cgxas.errors import Interrupted, SimulationError
from cgxas.simulation import child, process
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
    except FileNotFoundError:
        return False


def test_a_run_that_takes_too_long_is_ended(slow, tmp_path):
    with pytest.raises(SimulationError, match=r"not done after 3 s: give it more with --timeout"):
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


def test_what_feff_refuses_is_told_in_a_line(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(
        SimulationError, match=r"^FEFF10 (fails|ends without a spectrum): .+"
    ) as told:
        run_feff("TITLE nothing\nEND\n", 60.0)
    assert "\n" not in str(told.value)
    assert not list(tmp_path.iterdir())


def test_stages_are_told_apart_from_what_feff_prints():
    assert process._is_stage(f"{child.MARK} pot")
    assert not process._is_stage("pot")
    assert process._reason(f"a\n{child.MARK} pot\n{child.MARK} no atoms\n") == "no atoms"
    assert process._reason("") == "without a word"
