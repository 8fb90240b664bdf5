"""Some of the files of benchmarks/hostile.py, by the same rules: refused, and no harm done."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
CHOSEN = (
    "project: @x = (open('obeyed', 'w').write('x'))",
    "project: @x = (urlopen('http://127.0.0.1:9/'))",
    "project: 5 million groups",
    "project: endless quote",
    "a link to a pipe",
    "name 'a\\x1b[2J\\x1b]0;x\\x07.dat'",
    "JSON: deep",
    "model: pickle",
)

pytest.importorskip("larch")


@pytest.fixture(scope="module")
def hostile() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        import hostile

        yield hostile
    for name in ("hostile", "hostile_files"):
        del sys.modules[name]


@pytest.fixture(scope="module")
def cases(hostile):
    """The cases by name; where a name stands twice, the first."""
    return {case.name: case for case in reversed(hostile.all_cases("http://127.0.0.1:9/"))}


@pytest.mark.parametrize("name", CHOSEN)
def test_a_hostile_file_is_refused_in_a_line_and_does_nothing(hostile, cases, tmp_path, name):
    outcome = hostile.run(cases[name], tmp_path, [])
    harm = [each for each in outcome.harm if each != "too long"]
    assert (harm, outcome.code) == ([], 2)
    assert outcome.seconds < 4 * hostile.MOST_SECONDS  # a busy machine counts more seconds


def test_harm_is_seen(hostile, tmp_path, monkeypatch):
    """A reader that obeys is found out: each kind of harm is told."""
    obeying = """
import os, subprocess, sys
open("obeyed", "w").write(open("secret").read())
subprocess.run(["true"])
print(open("obeyed").read())
print("one\\ntwo", file=sys.stderr)
"""
    monkeypatch.setattr(hostile, "_honest_events", set)
    hooked = hostile._HOOKED.replace("from cgxas.cli import main\nmain()", obeying)
    assert hooked != hostile._HOOKED
    monkeypatch.setattr(hostile, "_HOOKED", hooked)
    case = hostile.Case("x", (), "x", None)
    told = " ".join(hostile.run(case, tmp_path, []).harm)
    for harm in ("secret was read", "wrote 'obeyed'", "event subprocess.Popen", "is shown"):
        assert harm in told
    assert "answered" in told
