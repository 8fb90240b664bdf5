"""How the server bears many callers: how long answers take, none lost, memory flat.

python benchmarks/serve.py [--clients 20] [--requests 400] [--flood 200]
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
from collections.abc import Callable
from pathlib import Path

import httpx

CRYSTAL = Path(__file__).parents[1] / "examples" / "Fe2O3.cif"


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


def megabytes(server: subprocess.Popen[str]) -> float:
    """Memory of the server and the processes that compute, as Linux tells it."""
    tasks = Path(f"/proc/{server.pid}/task").glob("*/children")
    children = [each for task in tasks for each in task.read_text().split()]
    found = 0.0
    for process in (server.pid, *children):
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

    def ask(count: int) -> None:
        with httpx.Client(base_url=address, timeout=600.0) as client:
            found.extend(asked(client) for _ in range(count))

    _run([lambda: ask(requests // clients)] * clients)
    return found


def _run(tasks: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=each) for each in tasks]
    for each in threads:
        each.start()
    for each in threads:
        each.join()


def main() -> None:
    """Measure, and print one fact per line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--requests", type=int, default=400)
    parser.add_argument("--flood", type=int, default=200)
    wanted = parser.parse_args()
    server, address = started()
    try:
        with httpx.Client(base_url=address, timeout=60.0) as client:
            alone = [asked(client)[1] for _ in range(20)]
        print(f"alone, 30 atoms: median {1000 * statistics.median(alone):.0f} ms")
        for part in range(1, 4):
            begin = time.perf_counter()
            found = together(address, wanted.clients, wanted.requests // 3)
            times = sorted(seconds for _, seconds in found)
            good = sum(status == 200 for status, _ in found)
            print(
                f"part {part}: {good} of {len(found)} answered, "
                f"{len(found) / (time.perf_counter() - begin):.1f} per second, median "
                f"{1000 * statistics.median(times):.0f} ms, 99th percentile "
                f"{1000 * times[int(0.99 * (len(times) - 1))]:.0f} ms, {megabytes(server):.0f} MB"
            )
        flood = together(address, wanted.flood, wanted.flood)
        counts = {status: sum(s == status for s, _ in flood) for status in {s for s, _ in flood}}
        print(f"{wanted.flood} at once: {counts}")
        with httpx.Client(base_url=address, timeout=60.0) as client:
            print(f"afterwards: {asked(client)[0]}")
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(30)


if __name__ == "__main__":
    main()
