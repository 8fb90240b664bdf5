"""Runs FEFF10 in the working folder, and ends with whoever started it.

Started as a file, in a process group of its own, by `cgxas.simulation.process`. Standard input is
a pipe that nobody writes to: where it ends, the one who holds the other end is gone, be it by
kill -9, and nothing of the run is left. Only the standard library and feff10 are needed.
"""

import os
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

MARK = "@cgxas"
"""What lines begin with that tell of the progress."""

STAGES = ("RDINP", "ATOMIC", "POT", "XSPH", "FMS", "MKGTR", "PATH", "GENFMT", "FF2X")
"""The programs of FEFF that a XANES spectrum needs, in order."""

_PATIENCE = 0.2  # s, for the workers to end before their folder is removed


_ending = threading.Event()


def _end_with_the_starter() -> None:
    """Wait until the pipe ends, then leave neither a process nor a file."""
    os.read(sys.stdin.fileno(), 1)
    _ending.set()
    os.killpg(0, signal.SIGTERM)  # the worker; this process does not end by it
    time.sleep(_PATIENCE)
    shutil.rmtree(Path.cwd(), ignore_errors=True)
    os.killpg(0, signal.SIGKILL)


def main() -> None:
    """Run feff.inp in the working folder; tell of each stage on standard output."""
    # A handler, and not SIG_IGN, which the workers would inherit.
    signal.signal(signal.SIGTERM, lambda *_: None)
    threading.Thread(target=_end_with_the_starter, daemon=True).start()
    import feff10

    config = feff10.FeffConfig.from_file(
        ".", "feff.inp", stages=[getattr(feff10.Stage, name) for name in STAGES]
    )

    def tell(stage: feff10.Stage, progress: feff10.StageProgress) -> None:
        if progress.kind == "starting":
            sys.stdout.write(f"{MARK} {stage.executable_name}\n")
            sys.stdout.flush()

    try:
        feff10.FeffPipeline(config).run_with_progress(tell)
    except feff10.FeffError as error:
        sys.exit(f"{MARK} {error}")
    finally:
        if _ending.is_set():  # its worker was ended, and the folder is about to go
            threading.Event().wait()


if __name__ == "__main__":
    main()
