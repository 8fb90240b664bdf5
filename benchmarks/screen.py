"""Crystals per second of `cgxas screen`, its memory, and what killed processes cost it.

The crystals are copies of those of a data set, each with its atoms displaced at random, in one
extended XYZ file. Each screening runs as a program of its own; its processes are watched in /proc,
so that processor time and memory of all of them are counted. Machines are shared: seconds of the
processor are told beside those of the clock.

    python benchmarks/screen.py profile --data SHARED/data/sim_feff9 -a Fe --crystals 300
    python benchmarks/screen.py speed --data SHARED/data/sim_feff9 -a Fe --crystals 500 2000 20000
    python benchmarks/screen.py trials --data SHARED/data/sim_feff9 -a Fe --crystals 400
    python benchmarks/screen.py ray --data SHARED/data/sim_feff9 -a Fe --crystals 400
"""

import argparse
import cProfile
import json
import os
import pstats
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
import pyarrow.parquet as pq
import torch

from cgxas.crystals.disorder.order import Disorder
from cgxas.data.collection import Collection
from cgxas.elements import atomic_number
from cgxas.errors import CgxasError
from cgxas.screening.asked import asked_of
from cgxas.screening.task import TASK_SIZE
from cgxas.screening.work import answers

DISPLACEMENT = 0.03  # Angstrom
TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
PARTS = {
    ("predict/jobs.py", "job_of"): "reading, checking, building the graph",
    ("model/model.py", "embed"): "network",
    ("model/model.py", "sites_of_several"): "the kernel beside it, the energies of its points",
    ("calibration/gaussian.py", "of_several"): "the measured scale, its potential, the band",
    ("calibration/base.py", "of_several"): "the curve on even energies",
    ("model/model.py", "_trusted"): "trust",
}
"""Functions of a worker, and what they do."""
RUN = """
import sys, cgxas
from cgxas.screening import Where
if __name__ == "__main__":
    source, absorber, out, workers, part, ray = sys.argv[1:]
    where = Where(workers=int(workers), part_size=int(part), ray=ray or None)
    print(cgxas.screen(source, absorber, out, where=where))
"""


@dataclass(frozen=True)
class Cost:
    """What a screening took.

    Attributes:
        seconds: of the clock.
        processor: seconds of the processors, of all processes.
        peak: bytes that all processes together held at most, what they share counted for each.
        largest: bytes of the largest of them.
        driver: bytes of the one that was started.
    """

    seconds: float
    processor: float
    peak: int
    largest: int
    driver: int


def write_copies(data: Path, absorber: str, count: int, path: Path) -> None:
    """Write displaced copies of the crystals of a data set that hold an absorber."""
    z, noise = atomic_number(absorber), np.random.default_rng(64)
    held = [each.crystal for each in Collection(data) if not isinstance(each.crystal, CgxasError)]
    crystals = [each for each in held if z in each.numbers]
    with path.open("w", encoding="utf-8") as file:
        for n in range(count):
            atoms = crystals[n % len(crystals)].copy()
            atoms.positions += noise.normal(scale=DISPLACEMENT, size=atoms.positions.shape)
            ase.io.write(file, atoms, format="extxyz", write_results=False)


def processes(session: int) -> dict[int, tuple[int, float, int]]:
    """Return process number -> parent, processor seconds and bytes, of those of a session."""
    found = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            words = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it ended
            continue
        if int(words[3]) == session:
            busy = (int(words[11]) + int(words[12])) / TICK
            found[int(folder.name)] = (int(words[1]), busy, int(words[21]) * PAGE)
    return found


def started(script: Path, words: Sequence[str]) -> "subprocess.Popen[bytes]":
    """Start a screening in a session of its own."""
    command = [sys.executable, str(script), *words]
    return subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL)


def watched(
    script: Path, words: Sequence[str], act: Callable[[int], None] = lambda _: None
) -> Cost:
    """Run a screening and watch it.

    Args:
        script: what runs it.
        words: its arguments.
        act: called now and then with the number of its session.
    """
    start, busy, peak, largest, driver = time.monotonic(), {}, 0, 0, 0
    process = started(script, words)
    while process.poll() is None:
        now = processes(process.pid)
        busy |= {number: seconds for number, (_, seconds, _) in now.items()}
        sizes = {number: size for number, (_, _, size) in now.items()}
        peak, largest = max(peak, sum(sizes.values())), max([largest, *sizes.values()])
        driver = max(driver, sizes.get(process.pid, 0))
        act(process.pid)
        time.sleep(0.2)
    if process.returncode:
        raise SystemExit(f"the screening ended with {process.returncode}")
    return Cost(time.monotonic() - start, sum(busy.values()), peak, largest, driver)


def table(folder: Path) -> Any:
    """Return all rows of a screening."""
    return pq.ParquetDataset(sorted(folder.glob("part-*.parquet"))).read()


def equal(one: Path, other: Path) -> bool:
    """Tell whether two screenings hold the same rows, to the last bit."""
    return bool(table(one).equals(table(other)))


def apart(one: Path, other: Path) -> float:
    """Return by how much the curves of two screenings differ at most; inf for other rows."""
    a, b = table(one).to_pydict(), table(other).to_pydict()
    if a["id"] != b["id"]:
        return float("inf")
    pairs = zip(a["norm"], b["norm"], strict=True)
    return max(float(np.abs(np.subtract(x, y)).max()) for x, y in pairs)


def profile(asked: argparse.Namespace, folder: Path, _: Path) -> list[dict[str, Any]]:
    """Tell where the processor's time of a worker goes, in one thread."""
    torch.set_num_threads(1)
    source, found = folder / "copies.xyz", []
    write_copies(asked.data, asked.absorber, asked.crystals[0], source)
    crystals = list(Collection(source, frames=True))
    tasks = [crystals[n : n + TASK_SIZE] for n in range(0, len(crystals), TASK_SIZE)]
    for model in ("calibrated", "universal"):
        what = asked_of(asked.absorber, model, None, Disorder(), "cpu")[0]
        answers(tasks[0], what)  # loads the model
        start = time.process_time()
        for task in tasks:
            answers(task, what)
        seconds = time.process_time() - start
        with cProfile.Profile(time.process_time) as profiler:
            for task in tasks:
                answers(task, what)
        told = pstats.Stats(profiler).stats.items()  # type: ignore[attr-defined]
        seconds_of = {(path, name): each[3] for (path, _, name), each in told}

        def share(path: str, name: str, seconds_of: dict = seconds_of) -> float:
            return sum(s for (p, n), s in seconds_of.items() if p.endswith(path) and n == name)

        whole = share("screening/work.py", "answers")
        shares = {words: share(*part) / whole for part, words in PARTS.items()}
        shares["the rest"] = 1 - sum(shares.values())
        found.append({"model": model, "per_second": len(crystals) / seconds, **shares})
        print(f"{model}: {len(crystals) / seconds:.0f} crystals per second of a processor")
        for name, part in shares.items():
            print(f"  {name:52}{100 * part:3.0f} %")
    return found


def speed(asked: argparse.Namespace, folder: Path, script: Path) -> list[dict[str, Any]]:
    """Measure a screening of several numbers of crystals."""
    found = []
    for count in asked.crystals:
        source, out = folder / f"{count}.xyz", folder / f"out{count}"
        write_copies(asked.data, asked.absorber, count, source)
        words = [str(source), asked.absorber, str(out), str(asked.workers), "500", ""]
        cost = watched(script, words)
        found.append({"crystals": count, **vars(cost)})
        print(
            f"{count:6d} crystals, {len(set(table(out)['id'].to_pylist()))} answered: "
            f"{count / cost.seconds:.1f}/s of the clock, {count / cost.processor:.1f}/s of a "
            f"processor, largest process {cost.largest / 1e6:.0f} MB, "
            f"driver {cost.driver / 1e6:.0f} MB, all {cost.peak / 1e6:.0f} MB",
            flush=True,
        )
    return found


def trials(asked: argparse.Namespace, folder: Path, script: Path) -> list[dict[str, Any]]:
    """Kill workers and drivers, and compare what comes of it with an unbroken run."""
    count = asked.crystals[0]
    source = folder / "copies.xyz"
    write_copies(asked.data, asked.absorber, count, source)

    def words(out: str) -> list[str]:
        each = (source, asked.absorber, folder / out, asked.workers, 10, "")
        return [str(word) for word in each]

    watched(script, words("whole"))
    dice, killed = random.Random(64), []

    def kill_a_worker(session: int) -> None:
        now = processes(session)
        parts = len(list((folder / "workers").glob("part-*")))
        busy = [
            n for n, (parent, seconds, _) in now.items() if parent != os.getpid() and seconds > 0.5
        ]
        workers = [n for n in busy if now[n][0] in now and now[n][0] != session]
        if workers and parts > 2 * len(killed) and len(killed) < 3:
            killed.append(dice.choice(workers))
            os.kill(killed[-1], signal.SIGKILL)

    watched(script, words("workers"), kill_a_worker)
    # What ends two processes is answered crystal by crystal, and a network rounds otherwise then.
    same, far = (f(folder / "whole", folder / "workers") for f in (equal, apart))
    print(
        f"{len(killed)} workers killed: equal to the unbroken run: {same} "
        f"(largest difference {far:.1e})",
        flush=True,
    )
    found = [{"killed": "workers", "count": len(killed), "equal": same, "apart": far}]
    for n in range(3):
        process, then = started(script, words("drivers")), -1
        while process.poll() is None:
            parts = len(list((folder / "drivers").glob("part-*")))
            then = parts if then < 0 else then
            if parts > then + 1:
                break
            time.sleep(0.05)
        process.kill()
        process.wait()
        print(f"  driver killed with {parts} parts done, {n + 1} of 3", flush=True)
    watched(script, words("drivers"))
    same = equal(folder / "whole", folder / "drivers")
    print(f"driver killed -9 three times: equal to the unbroken run: {same}", flush=True)
    return [*found, {"killed": "driver", "count": 3, "equal": same}]


def ray_workers() -> list[int]:
    """Return the numbers of the processes in which Ray computes at the moment."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            is_busy = path.read_bytes().startswith(b"ray::answers")
        except OSError:  # it ended
            continue
        if is_busy:
            found.append(int(path.parent.name))
    return found


def on_ray(asked: argparse.Namespace, folder: Path, script: Path) -> list[dict[str, Any]]:
    """Compare a Ray cluster of two nodes on this machine, two workers killed, with processes."""
    from ray.cluster_utils import Cluster

    source, out, killed = folder / "copies.xyz", folder / "ray", []
    write_copies(asked.data, asked.absorber, asked.crystals[0], source)
    watched(script, [str(source), asked.absorber, str(folder / "here"), "1", "50", ""])

    def kill_a_worker(_: int) -> None:
        busy, parts = ray_workers(), len(list(out.glob("part-*")))
        if busy and parts > 2 * len(killed) and len(killed) < 2:
            killed.append(busy[0])
            os.kill(busy[0], signal.SIGKILL)

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    cluster.add_node(num_cpus=1)
    try:
        words = [str(source), asked.absorber, str(out), "1", "50", cluster.address]
        cost = watched(script, words, kill_a_worker)
    finally:
        cluster.shutdown()
    same, far = equal(folder / "here", out), apart(folder / "here", out)
    print(
        f"Ray, two nodes, {len(killed)} workers killed: equal: {same} (largest difference "
        f"{far:.1e}), {cost.seconds:.0f} s"
    )
    return [{"ray": 2, "killed": len(killed), "equal": same, "apart": far}]


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("profile", "speed", "trials", "ray"))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("-a", "--absorber", default="Fe")
    parser.add_argument("--crystals", type=int, nargs="+", default=[400])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        script = Path(name) / "run.py"
        script.write_text(RUN)
        ways = {"profile": profile, "speed": speed, "trials": trials, "ray": on_ray}
        found = ways[asked.what](asked, Path(name), script)
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
