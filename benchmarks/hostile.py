"""Run cgxas on hostile files, and show what came of each: answer or refusal, time, memory, harm.

    python benchmarks/hostile.py [WORDS OF NAMES ...]

Harm is what must not be: the file ``secret`` beside it was read, an address was called, a file or
folder was written, a process was started, or the answer is no single line on stderr.
"""

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from hostile_files import CIF, SECRET, Case, all_cases

MOST_SECONDS, MOST_MIB = 5.0, 1024.0
PATIENCE = 30
_EVENTS = (
    "os.system",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "subprocess.Popen",
    "socket.connect",
)
_HOOKED = f"""
import os, resource, sys
resource.setrlimit(resource.RLIMIT_CPU, ({PATIENCE}, {PATIENCE}))
def hook(event, args):
    if event in {_EVENTS!r}:
        os.write(int(os.environ["HOSTILE_LOG"]), (event + " " + repr(args)[:200] + "\\n").encode())
sys.addaudithook(hook)
import atexit
def tell():
    with open("/proc/self/status") as status:
        peak = next(line for line in status if line.startswith("VmHWM"))
    os.write(int(os.environ["HOSTILE_LOG"]), peak.encode())
atexit.register(tell)
from cgxas.cli import main
main()
"""
_OUTSIDE = "outside.h5"
_SAME = 40
IRON = CIF.format(a=2.87, operation="x,y,z", atoms="Fe1 Fe 0 0 0")


@dataclass
class Outcome:
    """What came of a case.

    Attributes:
        code: exit code; negative for a signal.
        seconds: of processor time.
        wall: seconds that passed.
        mib: most memory in use.
        stderr: what was said.
        harm: what must not be, in words.
    """

    code: int
    seconds: float
    wall: float
    mib: float
    stderr: str
    harm: list[str] = field(default_factory=list)

    @property
    def says(self) -> str:
        """The outcome in a word."""
        return {0: "answered", 2: "refused"}.get(self.code, f"ended with {self.code}")


@contextmanager
def listener() -> Iterator[tuple[str, list[str]]]:
    """Lend the address of a canary, and the list of who called it."""
    calls: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            while True:
                try:
                    connection, whom = server.accept()
                except OSError:
                    return
                calls.append(str(whom))
                connection.close()

        threading.Thread(target=answer, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/", calls


def run(case: Case, folder: Path, calls: list[str]) -> Outcome:
    """Lay the file down in an own folder, run the command on it, and look around."""
    place = Path(tempfile.mkdtemp(dir=folder))
    secret = place / "secret"
    secret.write_text(SECRET)
    (place / "iron.cif").write_text(IRON)
    if case.make is not None:
        case.make(place / case.file)
    watched = [each for each in (secret, place / _OUTSIDE) if each.exists()]
    for each in watched:  # so that reading it moves its time of access, also where mounted relatime
        os.utime(each, (1, each.stat().st_mtime))
    before = {each.name for each in place.iterdir()}
    n_calls = len(calls)
    words = [word.replace("{f}", case.file) for word in case.words]
    outcome, events = _measured(words, place)
    outcome.harm += [f"{each.name} was read" for each in watched if each.stat().st_atime > 1]
    outcome.harm += [f"wrote {each.name!r}" for each in place.iterdir() if each.name not in before]
    outcome.harm += ["an address was called"] * (len(calls) > n_calls)
    outcome.harm += [f"event {each}" for each in events if each[:_SAME] not in _honest_events()]
    _judge(case, outcome)
    return outcome


@cache
def _honest_events() -> set[str]:
    """Return the beginnings of what honest files lead to: libraries ask which machine this is."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name) / "honest"
        place.mkdir()
        (place / "a.dat").write_text("".join(f"{each} {each}\n" for each in range(7000, 7100)))
        (place / "a.cif").write_text(IRON)
        words = (["spectrum", "a.dat"], ["predict", "a.cif", "-a", "Fe"])
        return {event[:_SAME] for each in words for event in _measured(each, place)[1]}


def _measured(words: list[str], place: Path) -> tuple[Outcome, list[str]]:
    log = place.parent / f"{place.name}.log"
    with log.open("wb") as events, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.monotonic()
        child = subprocess.Popen(
            [sys.executable, "-c", _HOOKED, *words],
            cwd=place,
            env={**os.environ, "HOSTILE_LOG": str(events.fileno()), "OMP_NUM_THREADS": "1"},
            pass_fds=[events.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
        )
        timer = threading.Timer(10 * PATIENCE, child.kill)
        timer.start()
        _, status, used = os.wait4(child.pid, 0)
        timer.cancel()
        child.returncode = os.waitstatus_to_exitcode(status)
        for stream in (out, err):
            stream.seek(0)
        text = err.read().decode(errors="replace")
        shown = out.read()
    events_told = log.read_text().splitlines()
    # The kernel counts in ru_maxrss what the parent held when it forked, so the child tells its own
    # peak; one that was killed did not.
    own = [int(line.split()[1]) for line in events_told if line.startswith("VmHWM")]
    outcome = Outcome(
        child.returncode,
        used.ru_utime + used.ru_stime,
        time.monotonic() - start,
        max(own, default=used.ru_maxrss) / 1024,
        text,
    )
    if SECRET.encode() in shown or SECRET in text:
        outcome.harm.append("the secret is shown")
    return outcome, [line for line in events_told if not line.startswith("VmHWM")]


def _judge(case: Case, outcome: Outcome) -> None:
    """Add what is wrong with the answer itself."""
    lines = outcome.stderr.splitlines()
    if outcome.code != 2 and not (case.may_answer and outcome.code == 0):
        outcome.harm.append(outcome.says)
    if outcome.code == 2 and len(lines) != 1:
        outcome.harm.append(f"{len(lines)} lines on stderr")
    if len(outcome.stderr) > 2000:
        outcome.harm.append(f"{len(outcome.stderr)} characters on stderr")
    if outcome.seconds > MOST_SECONDS:
        outcome.harm.append("too long")
    if outcome.mib > MOST_MIB:
        outcome.harm.append("too much memory")


def main() -> None:
    """Run all cases, or those whose name holds one of the words, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of names")
    wanted = parser.parse_args().names
    n_cases = n_harm = 0
    print("| input | outcome | s | MiB | harm | said |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder, listener() as (url, calls):
        for case in all_cases(url):
            if wanted and not any(each in case.name for each in wanted):
                continue
            outcome = run(case, Path(folder), calls)
            n_cases, n_harm = n_cases + 1, n_harm + bool(outcome.harm)
            said = (outcome.stderr.splitlines() or [""])[-1][:160]
            cells = (
                ascii(case.name)[1:-1],
                outcome.says,
                f"{outcome.seconds:.1f}",
                f"{outcome.mib:.0f}",
                "; ".join(outcome.harm) or "none",
                said,
            )
            print("| " + " | ".join(each.replace("|", "\\|") for each in cells) + " |", flush=True)
    print(f"\n{n_cases} inputs, {n_harm} with harm")
    sys.exit(bool(n_harm))


if __name__ == "__main__":
    main()
