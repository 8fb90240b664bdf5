"""FEFF10 in a process group of its own, in a folder of its own, neither of which is left behind."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from cgxas.errors import Interrupted, MissingExtra, SimulationError
from cgxas.simulation import child

INPUT, SPECTRUM, LOG = "feff.inp", "xmu.dat", "feff.log"
_POLL = 0.1  # s between looks at a run
_CONVERGED = "Convergence reached in"
_WIDTH = 200


@dataclass(frozen=True)
class FeffRun:
    """What FEFF10 leaves behind.

    Attributes:
        spectrum: the text of xmu.dat.
        converged: whether the potentials became self-consistent.
    """

    spectrum: str
    converged: bool


def run_feff(
    text: str,
    timeout: float | None,
    on_stage: Callable[[str], None] = lambda stage: None,
    stop: threading.Event | None = None,
) -> FeffRun:
    """Run FEFF10 on one site.

    Args:
        text: of feff.inp.
        timeout: seconds after which the run is ended; None for never.
        on_stage: told the name of each program of FEFF as it starts.
        stop: ends the run when it is set.

    Raises:
        SimulationError: FEFF fails, or takes too long.
        Interrupted: `stop` was set.
        MissingExtra: feff10-rs is not installed.
    """
    MissingExtra.refuse_without("feff10", "feff10-rs", "feff")
    with tempfile.TemporaryDirectory(prefix="cgxas-feff-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (folder / INPUT).write_text(text, encoding="ascii")
        code = _watched(folder, timeout, on_stage, stop or threading.Event())
        log = (folder / LOG).read_text(encoding="utf-8", errors="replace")
        if code:
            raise SimulationError(f"FEFF10 fails: {_reason(log)}")
        try:
            spectrum = (folder / SPECTRUM).read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError as error:
            raise SimulationError(f"FEFF10 ends without a spectrum: {_reason(log)}") from error
    return FeffRun(spectrum, _CONVERGED in log)


def _watched(
    folder: Path, timeout: float | None, on_stage: Callable[[str], None], stop: threading.Event
) -> int:
    """Run FEFF10 in a folder until it ends, and return its exit status."""
    end = None if timeout is None else time.monotonic() + timeout
    with _started(folder) as process:
        told = 0
        while True:
            code = process.poll()
            told = _tell(folder / LOG, told, on_stage)
            if code is not None:
                return code
            if stop.is_set():
                raise Interrupted("the simulation was stopped")
            if end is not None and time.monotonic() > end:
                raise SimulationError(
                    f"FEFF10 is not done after {timeout:g} s: give it more with --timeout, or "
                    "take the preset quick"
                )
            time.sleep(_POLL)


@contextmanager
def _started(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start FEFF10 in a folder; the whole group of its processes ends with the block."""
    # One thread each: sites are computed beside each other, and FEFF's own threads gain little.
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONSAFEPATH": "1"}
    with (folder / LOG).open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, str(child.__file__)],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError, PermissionError):  # all of them have ended
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdin:
            process.stdin.close()


def _tell(log: Path, told: int, on_stage: Callable[[str], None]) -> int:
    """Tell of the stages that a log names beyond the first so many; return how many it names."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    stages = [line.split()[1] for line in lines if _is_stage(line)]
    for stage in stages[told:]:
        on_stage(stage)
    return len(stages)


def _is_stage(line: str) -> bool:
    words = line.split()
    return len(words) == 2 and words[0] == child.MARK and words[1].upper() in child.STAGES


def _reason(log: str) -> str:
    """Return the last line of a log that tells something."""
    lines = [line.strip() for line in log.splitlines() if line.strip() and not _is_stage(line)]
    return lines[-1].removeprefix(child.MARK).strip()[:_WIDTH] if lines else "without a word"
