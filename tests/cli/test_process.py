"""How the command line ends: closed, full and broken streams, Ctrl-C and SIGTERM at any time."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cgxas.cli import main
from cgxas.cli.messages import exit_code

CGXAS = [sys.executable, "-m", "cgxas"]
FULL = Path("/dev/full")


def shell(words: str, *rest: str) -> subprocess.CompletedProcess[str]:
    command = f"set -o pipefail; {' '.join(CGXAS)} {words}"
    return subprocess.run(
        ["bash", "-c", command, *rest], capture_output=True, text=True, check=False, timeout=120
    )


REFUSED = "cgxas: the {} cannot be written: {}\n"
ENDS: dict[str, tuple[str, set[int], str]] = {
    "stdout is closed": (
        "models list >&-",
        {2},
        REFUSED.format("standard output", "Bad file descriptor"),
    ),
    "stdout is closed, and not needed": (
        "predict >&-",
        {2},
        "cgxas: missing argument 'CRYSTAL'; see 'cgxas predict --help'\n",
    ),
    "stdout is full": (
        "models list >/dev/full",
        {2},
        REFUSED.format("output", "No space left on device"),
    ),
    "nobody reads": ("models list | head -n 0", {141}, ""),
    "nobody reads the help": ("--help | head -n 0", {1, 141}, ""),
    "stderr is closed": ("predict 2>&-", {2}, ""),
    "stderr is full": ("predict 2>/dev/full", {2}, ""),
    "both are closed": ("predict >&- 2>&-", {2}, ""),
    "stdin is closed": ("models list <&- >/dev/null", {0}, ""),
}


@pytest.mark.skipif(not FULL.exists(), reason="there is no device that is always full")
@pytest.mark.parametrize("case", ENDS)
def test_streams_that_do_not_work(case):
    words, codes, says = ENDS[case]
    done = shell(words)
    assert done.returncode in codes, done
    assert done.stderr == says


def test_a_file_does_not_take_the_place_of_a_closed_stream(random_model, tmp_path):
    crystal = Path(__file__).parents[2] / "examples" / "TiO2_rutile.cif"
    out = tmp_path / "a.xdi"
    words = f"predict {crystal} -a Ti -m {random_model} -o {out} >&- 2>&-"
    assert shell(words).returncode == 2
    assert out.read_text().startswith("# XDI/1.0 cgxas/")
    assert "Crystal" not in out.read_text()
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("seconds", [0.15, 0.5, 1.2])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_without_a_word(number, seconds, random_model, tmp_path):
    """At these times Python, the command line and PyTorch are being imported, or later."""
    crystal = Path(__file__).parents[2] / "examples" / "LiFePO4.cif"
    words = ["predict", crystal, "-a", "all", "-m", random_model, "-o", tmp_path / "a.parquet"]
    # Ignored signals are inherited, and a test may be run in the background.
    code = "import signal, runpy; signal.signal(signal.SIGINT, signal.default_int_handler); "
    code += "print(flush=True); runpy.run_module('cgxas', run_name='__main__', alter_sys=True)"
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    process.stdout.readline()
    time.sleep(seconds)
    process.send_signal(number)
    _, told = process.communicate(timeout=60)
    assert process.returncode in {0, -number, 128 + number}, told
    assert "Traceback" not in told
    assert "Exception ignored" not in told
    if process.returncode:
        assert told == ""
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("end", "code"), [(KeyboardInterrupt, 130), (SystemExit, 143)])
def test_what_ends_the_making_of_a_class_ends_the_command(end, code):
    """Python 3.11 makes a RuntimeError of it."""

    class Ended:
        def __set_name__(self, owner, name):
            raise end

    def command():
        try:
            type("Made", (), {"ended": Ended()})
        except end as error:  # as later versions raise it
            raise RuntimeError from error

    assert exit_code(command) == code


def test_other_faults_are_not_hidden():
    with pytest.raises(RuntimeError, match="of another kind"):
        exit_code(lambda: (_ for _ in ()).throw(RuntimeError("of another kind")))


@pytest.mark.parametrize(("given", "expected"), [(None, "1"), ("2", "2")])
def test_predictions_take_one_thread_unless_told(given, expected, monkeypatch):
    if given is None:
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    else:
        monkeypatch.setenv("OMP_NUM_THREADS", given)
    with pytest.raises(SystemExit):
        main(["predict"])  # without a crystal, which is refused
    assert os.environ["OMP_NUM_THREADS"] == expected
    monkeypatch.setenv("OMP_NUM_THREADS", "kept")
