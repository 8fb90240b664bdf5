"""How the server bears many callers: how long answers take, none lost, memory flat.

python benchmarks/serve.py [--clients 20] [--requests 400] [--mixed 3000] [--series 500]
    [--flood 200]
"""

import argparse
import os
import re
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import httpx
import numpy as np

ROOT = Path(__file__).parents[1]
CRYSTAL = ROOT / "examples" / "Fe2O3.cif"
SCAN = ROOT / "src" / "cgxas" / "serve" / "page" / "examples" / "Fe2O3_made_up.xdi"


def started() -> tuple[subprocess.Popen[str], str]:
    """Start a server at a free port, and wait until its model is loaded."""
    command = [sys.executable, "-m", "cgxas", "serve", "--port", "0"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ})
    assert server.stderr is not None
    found = re.search(r"http://\S+?:\d+", server.stderr.readline())
    assert found is not None
    while httpx.get(f"{found[0]}/api/ready").status_code != 200:
        time.sleep(0.2)
    return server, found[0]


def stopped(server: subprocess.Popen[str]) -> None:
    """Stop it, as Ctrl-C does."""
    server.send_signal(signal.SIGINT)
    server.wait(30)


def workers(server: subprocess.Popen[str]) -> list[str]:
    """Return the numbers of the processes that compute."""
    tasks = Path(f"/proc/{server.pid}/task").glob("*/children")
    return [each for task in tasks for each in task.read_text().split()]


def megabytes(server: subprocess.Popen[str]) -> float:
    """Memory of the server and the processes that compute, as Linux tells it."""
    found = 0.0
    for process in (server.pid, *workers(server)):
        status = Path(f"/proc/{process}/status").read_text()
        found += int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1e3  # type: ignore[index]
    return found


def asked(client: httpx.Client) -> tuple[int, float]:
    """Ask for a prediction of 30 atoms; return the status and the seconds."""
    begin = time.perf_counter()
    files = {"crystals": (CRYSTAL.name, CRYSTAL.read_bytes())}
    answer = client.post("/api/predict", files=files, data={"absorber": "Fe"})
    return answer.status_code, time.perf_counter() - begin


def together(address: str, clients: int, requests: int) -> list[tuple[int, float]]:
    """Let clients ask at the same time, each as soon as it has its last answer."""
    found: list[tuple[int, float]] = []
    ready = threading.Barrier(clients)

    def ask(count: int) -> None:
        with httpx.Client(base_url=address, timeout=600.0) as client:
            ready.wait()
            found.extend(asked(client) for _ in range(count))

    _run([lambda: ask(requests // clients)] * clients)
    return found


def kinds(client: httpx.Client) -> list[Callable[[httpx.Client], httpx.Response]]:
    """Return twenty requests of every kind, as a page and programs send them."""
    crystals = [(each.name, each.read_bytes()) for each in sorted(CRYSTAL.parent.glob("*.cif"))]
    iron = [each for each in crystals if "Fe" in each[0]]
    scan = (SCAN.name, SCAN.read_bytes())
    files: dict[str, list[tuple[str, tuple[str, bytes]]]] = {
        "predict": [("crystals", iron[0])],
        "measure": [("scan", scan)],
        "match": [("scan", scan), *(("crystals", each) for each in crystals)],
        "mix": [("scans", scan), *(("references", each) for each in iron[:2])],
    }
    pair = client.post("/api/compare", files=[("crystal", iron[0]), ("scan", scan)]).json()
    names = ("absorber", "edge", "energy", "norm")
    curves = {
        part: {name: pair[part][name] for name in names} for part in ("predicted", "measured")
    }

    def post(verb: str) -> Callable[[httpx.Client], httpx.Response]:
        data = {"element" if verb == "measure" else "absorber": "Fe"}
        return lambda client: client.post(f"/api/{verb}", files=files[verb], data=data)

    def get(path: str) -> Callable[[httpx.Client], httpx.Response]:
        return lambda client: client.get(path)

    def compare(client: httpx.Client) -> httpx.Response:
        return client.post("/api/compare", json=curves)

    gets = ("elements", "models", "health", "ready", "version")
    return [
        *(post("predict") for _ in range(4)),
        *(post("measure") for _ in range(3)),
        *(compare for _ in range(4)),
        post("match"),
        post("mix"),
        *(get(f"/api/{each}") for each in gets),
        get("/"),
        get("/openapi.json"),
    ]


def mixed(address: str, clients: int, requests: int) -> dict[int, int]:
    """Let clients ask for all kinds of things in turn; return how often each status came."""
    statuses: list[int] = []
    with httpx.Client(base_url=address, timeout=600.0) as first:
        every = kinds(first)

    def ask(number: int) -> None:
        with httpx.Client(base_url=address, timeout=600.0) as client:
            for n in range(number, requests, clients):
                statuses.append(every[n % len(every)](client).status_code)

    _run([partial(ask, n) for n in range(clients)])
    return dict(Counter(statuses))


def show_series(server: subprocess.Popen[str], address: str, count: int) -> None:
    """Print how long a series takes that goes from one scan to another, by both as references."""
    rows = [line.split() for line in SCAN.read_text().splitlines() if line[:1] not in ("#", "")]
    energy, mu = np.array(rows, dtype=float).T[:2]
    ends = (mu, np.interp(energy - 2.0, energy, mu))
    noise = np.random.default_rng(0).normal(0.0, 0.005, (count, mu.size))
    parts = np.linspace(0.0, 1.0, count)
    curves = [(1 - part) * ends[0] + part * ends[1] for part in parts] + noise

    def file(curve: np.ndarray) -> bytes:
        lines = (f"{x:.2f} {y:.6f}\n" for x, y in zip(energy, curve, strict=True))
        return ("# energy mu\n" + "".join(lines)).encode()

    scans = [("scans", (f"{n}.dat", file(curve))) for n, curve in enumerate(curves)]
    crystals = [CRYSTAL, CRYSTAL.with_name("LiFePO4.cif")]
    kinds_of_references = {
        "2 scans": [(f"{name}.dat", file(end)) for name, end in zip("ab", ends, strict=True)],
        "2 crystals": [(each.name, each.read_bytes()) for each in crystals],
        "none": [],
    }
    for kind, references in kinds_of_references.items():
        files = [*scans, *(("references", each) for each in references)]
        begin = time.perf_counter()
        answer = httpx.post(
            f"{address}/api/mix", files=files, data={"absorber": "Fe"}, timeout=600.0
        )
        told = answer.json()
        worst = ""
        if kind == "2 scans" and answer.status_code == 200:
            apart = np.abs([row["b"] for row in told["scans"]] - parts)
            worst = f", worst fraction {apart.max():.3f} off"
        print(
            f"mix of {count} scans by {kind}: {answer.status_code} after "
            f"{time.perf_counter() - begin:.1f} s, {len(answer.content) / 1e6:.1f} MB{worst}, "
            f"{megabytes(server):.0f} MB of memory {told.get('detail', '')}",
            flush=True,
        )


def _run(tasks: Sequence[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=each) for each in tasks]
    for each in threads:
        each.start()
    for each in threads:
        each.join()


def show_load(server: subprocess.Popen[str], address: str, clients: int, requests: int) -> None:
    """Print how long answers take when clients ask all the time."""
    begin = time.perf_counter()
    found = together(address, clients, requests)
    times = sorted(seconds for _, seconds in found)
    good = sum(status == 200 for status, _ in found)
    print(
        f"{clients} clients: {good} of {len(found)} answered, "
        f"{len(found) / (time.perf_counter() - begin):.1f} per second, median "
        f"{1000 * statistics.median(times):.0f} ms, 99th percentile "
        f"{1000 * times[int(0.99 * (len(times) - 1))]:.0f} ms, {megabytes(server):.0f} MB",
        flush=True,
    )


def show_mixed(server: subprocess.Popen[str], address: str, requests: int) -> None:
    """Print the memory after each sixth of the requests of all kinds."""
    for part in range(1, 7):
        begin = time.perf_counter()
        counts = mixed(address, 4, requests // 6)
        print(
            f"{part * (requests // 6)} of all kinds: {counts}, "
            f"{requests / 6 / (time.perf_counter() - begin):.1f} per second, "
            f"{megabytes(server):.0f} MB",
            flush=True,
        )


def main() -> None:
    """Measure, and print one fact per line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--requests", type=int, default=400, help="0: leave this out")
    parser.add_argument("--mixed", type=int, default=3000, help="0: leave this out")
    parser.add_argument("--flood", type=int, default=200, help="0: leave this out")
    parser.add_argument("--series", type=int, default=500, help="0: leave this out")
    wanted = parser.parse_args()
    server, address = started()
    try:
        with httpx.Client(base_url=address, timeout=60.0) as client:
            alone = [asked(client)[1] for _ in range(20)]
        print(
            f"alone, 30 atoms: median {1000 * statistics.median(alone):.0f} ms, most "
            f"{1000 * max(alone):.0f} ms, {megabytes(server):.0f} MB",
            flush=True,
        )
        if wanted.requests:
            show_load(server, address, wanted.clients, wanted.requests)
        if wanted.mixed:
            show_mixed(server, address, wanted.mixed)
        if wanted.series:
            show_series(server, address, wanted.series)
        if wanted.flood:
            flood = Counter(status for status, _ in together(address, wanted.flood, wanted.flood))
            print(f"{wanted.flood} at once: {dict(flood)}, {megabytes(server):.0f} MB", flush=True)
        with httpx.Client(base_url=address, timeout=60.0) as client:
            status, seconds = asked(client)
        print(f"afterwards: {status} after {1000 * seconds:.0f} ms")
    finally:
        stopped(server)


if __name__ == "__main__":
    main()
