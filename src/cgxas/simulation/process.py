"""FEFF10 in a process group of its own, in a folder of its own, neither of which is left behind."""

import errno
import os
import shutil
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

from cgxas.errors import CgxasError, Interrupted, MissingExtra, OutputError, SimulationError
from cgxas.simulation import child
from cgxas.simulation.log import FeffLog

PREFIX = "cgxas-feff-"
"""How the names of temporary folders begin, in which FEFF runs."""

INPUT, SPECTRUM, LOG = "feff.inp", "xmu.dat", "feff.log"
_POLL = 0.1  # s between looks at a run
_ROOM = 50_000_000  # bytes; a run of the preset full writes about as many


@dataclass(frozen=True)
class FeffRun:
    """What FEFF10 leaves behind.

    Attributes:
        spectrum: the text of xmu.dat.
        log: what it printed.
    """

    spectrum: str
    log: FeffLog


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
        OutputError: the temporary folder is full, or cannot be made.
        Interrupted: `stop` was set.
        MissingExtra: feff10-rs is not installed.
    """
    MissingExtra.refuse_without("feff10", "feff10-rs", "feff")
    try:
        with tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as name:
            return _run_in(Path(name), text, timeout, on_stage, stop or threading.Event())
    except CgxasError:
        raise
    except OSError as error:
        raise OutputError(
            f"FEFF10 cannot write its temporary files: {error.strerror or error}; set TMPDIR to a "
            "folder with room"
        ) from error


def _run_in(
    folder: Path,
    text: str,
    timeout: float | None,
    on_stage: Callable[[str], None],
    stop: threading.Event,
) -> FeffRun:
    (folder / INPUT).write_text(text, encoding="ascii")
    log = FeffLog(folder / LOG, on_stage)
    code = _watched(folder, log, timeout, stop)
    if code:
        if shutil.disk_usage(folder).free < _ROOM:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        raise SimulationError(f"FEFF10 {log.failure(code)}")
    try:
        spectrum = (folder / SPECTRUM).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError as error:
        raise SimulationError(f"FEFF10 ends without a spectrum: {log.last_words()}") from error
    return FeffRun(spectrum, log)


def _watched(folder: Path, log: FeffLog, timeout: float | None, stop: threading.Event) -> int:
    """Run FEFF10 in a folder until it ends, and return its exit status."""
    end = None if timeout is None else time.monotonic() + timeout
    with _started(folder) as process:
        while True:
            code = process.poll()
            log.read_on()
            if code is not None:
                return code
            if stop.is_set():
                raise Interrupted("the simulation was stopped")
            if log.is_lost:
                raise SimulationError(
                    "FEFF10 searches for the Fermi level without end, as where atoms stand too far "
                    "from each other: check the crystal"
                )
            if end is not None and time.monotonic() > end:
                raise SimulationError(
                    f"FEFF10 is not done after {timeout:g} s, in {log.where}: give it more with "
                    "--timeout, or take the preset quick"
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
