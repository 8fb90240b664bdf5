"""Send hostile files and requests to a server, and show what came of each.

    python benchmarks/serve_hostile.py [--callers] [WORDS OF NAMES ...]

Each file of `hostile_files.py` that can be sent is sent as crystal and as scan: to be predicted,
measured, matched (as either) and mixed (as either). Harm is what must not be: an answer where a
refusal is due, a 5xx other than 503, a file of the server read, an address called, a path of the
server told, a worker lost, or anything left on a disk. Then callers send too much, dawdle and
leave, and others must be answered meanwhile.
"""

import argparse
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx
from hostile import listener
from hostile_files import SECRET, Case, all_cases
from serve import CRYSTAL, megabytes, started, stopped, workers

LARGEST = 150_000_000
SCAN = b"".join(b"%.1f %.5f\n" % (7000 + n, 0.1 + (n > 120) - n / 9000) for n in range(300))
GOOD = {"scan": ("good.dat", SCAN), "crystal": (CRYSTAL.name, CRYSTAL.read_bytes())}
TRIALS: dict[str, tuple[str, dict[str, tuple[str, bytes] | None]]] = {
    "predict": ("predict", {"crystals": None}),
    "measure": ("measure", {"scan": None}),
    "compare": ("compare", {"crystal": GOOD["crystal"], "scan": None}),
    "match, scan": ("match", {"scan": None, "crystals": GOOD["crystal"]}),
    "match, crystal": ("match", {"scan": GOOD["scan"], "crystals": None}),
    "mix, scan": ("mix", {"scans": None, "references": GOOD["crystal"]}),
    "mix, reference": ("mix", {"scans": GOOD["scan"], "references": None}),
    "mix, table": (
        "mix",
        {"scans": GOOD["scan"], "references": GOOD["crystal"], "axis_table": None},
    ),
}
"""What is asked, and in which field of files what is hostile stands."""


def sent(case: Case, folder: Path) -> bytes | None:
    """Return the bytes of a case; None for what is no file, which nobody can send."""
    if case.make is None:
        return None
    place = Path(tempfile.mkdtemp(dir=folder))
    (place / "secret").write_text(SECRET)
    path = place / case.file
    case.make(path)
    if not path.is_file() or path.stat().st_size > LARGEST:
        return None
    return path.read_bytes()


def left_behind() -> set[Path]:
    """Return what processes that have ended laid down and did not delete."""
    places = (Path("/dev/shm"), Path(tempfile.gettempdir()))
    every = {each for place in places for each in place.glob("cgxas-serve-*")}
    return {each for each in every if not Path(f"/proc/{each.name.split('-')[2]}").exists()}


def asked(
    client: httpx.Client, case: Case, data: bytes, trial: str
) -> tuple[httpx.Response | None, str]:
    """Send a case; return the answer, or None and why there was none."""
    verb, fields = TRIALS[trial]
    files = [(name, file or (case.file, data)) for name, file in fields.items()]
    words = {"element" if verb == "measure" else "absorber": "Fe"}
    if "--mu" in case.words and verb in ("measure", "mix"):
        words["mu"] = case.words[case.words.index("--mu") + 1][:200]
    try:
        return client.post(f"/api/{verb}", files=files, data=words), ""
    except httpx.HTTPError as error:
        return None, f"{type(error).__name__}: {error}"


def harm_of(case: Case, answer: httpx.Response | None, trial: str) -> list[str]:
    """Return what must not be about an answer."""
    if answer is None:
        return ["no answer"]
    found = []
    status, text = answer.status_code, answer.text
    if status >= 500:
        found.append(f"status {status}")
    if status == 200 and not case.may_answer and not trial.startswith("mix, table"):
        found.append("answered")
    if SECRET in text:
        found.append("the secret is shown")
    if any(word in text for word in ("/dev/shm", "/tmp/", "cgxas-serve-", "Traceback")):
        found.append("a path of the server is told")
    if status >= 400:
        detail = answer.json()["detail"]
        if not detail or "\n" in detail or len(detail) > 2000:
            found.append("no sentence")
        if answer.json()["error"] == "TooLong":
            found.append("too long")
        if answer.json()["error"] == "TooMuch":
            found.append("worker lost")
    return found


def rows(address: str, wanted: list[str], folder: Path) -> Iterator[tuple[str, str, str, str, str]]:
    """Yield name, trial, outcome, seconds and harm with what was said."""
    with listener() as (url, calls), httpx.Client(base_url=address, timeout=200.0) as client:
        for case in all_cases(url):
            if wanted and not any(each in case.name for each in wanted):
                continue
            data = sent(case, folder)
            if data is None:
                continue
            for trial in TRIALS:
                n_calls, begin = len(calls), time.monotonic()
                answer, why = asked(client, case, data, trial)
                seconds = time.monotonic() - begin
                harm = harm_of(case, answer, trial)
                harm += ["an address was called"] * (len(calls) > n_calls)
                said = why if answer is None else str(answer.json().get("detail", ""))
                outcome = "none" if answer is None else str(answer.status_code)
                yield case.name, trial, outcome, f"{seconds:.1f}", "; ".join(harm) or f"- {said}"


def large(address: str, size: int, in_chunks: bool) -> str:
    """Send a body of that size; return what came of it."""
    part = b"x" * 1_000_000
    content = iter([part] * (size // len(part))) if in_chunks else part * (size // len(part))
    headers = {"Content-Type": "multipart/form-data; boundary=cut"}
    try:
        answer = httpx.post(
            f"{address}/api/predict", content=content, headers=headers, timeout=200.0
        )
    except httpx.HTTPError as error:
        return type(error).__name__
    return str(answer.status_code)


def connections(address: str, count: int, said: bytes) -> list[socket.socket]:
    """Open connections, and begin to say something over each."""
    host, port = address.removeprefix("http://").split(":")
    found = [socket.create_connection((host, int(port)), timeout=60) for _ in range(count)]
    for each in found:
        each.sendall(said)
    return found


def trickled(address: str, slow: list[socket.socket], seconds: float) -> tuple[str, float]:
    """Send a byte a second over each; return how others are answered, and the longest wait."""
    statuses: Counter[str] = Counter()
    longest, end = 0.0, time.monotonic() + seconds
    while time.monotonic() < end:
        for each in slow:
            with suppress(OSError):
                each.sendall(b"a")
        begin = time.monotonic()
        files = {"crystals": GOOD["crystal"]}
        try:
            answer = httpx.post(
                f"{address}/api/predict", files=files, data={"absorber": "Fe"}, timeout=60.0
            )
            statuses[str(answer.status_code)] += 1
        except httpx.HTTPError as error:
            statuses[type(error).__name__] += 1
        longest = max(longest, time.monotonic() - begin)
        time.sleep(1.0)
    for each in slow:
        each.close()
    return str(dict(statuses)), longest


def show_callers(server: subprocess.Popen[str], address: str) -> None:
    """Print what becomes of callers that send too much, dawdle or leave, and of others."""
    for in_chunks in (False, True):
        with ThreadPoolExecutor(10) as pool:
            tasks = [pool.submit(large, address, 100_000_000, in_chunks) for _ in range(10)]
            counts = dict(Counter(each.result() for each in tasks))
        how = "in chunks" if in_chunks else "with a length"
        print(f"10 times 100 MB {how}: {counts}; {megabytes(server):.0f} MB of memory", flush=True)
    head = b"POST /api/predict HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    body = head + b"Content-Type: multipart/form-data; boundary=a\r\nContent-Length: 90000\r\n\r\n"
    for what, said in {"heads": head + b"X: ", "bodies": body}.items():
        statuses, longest = trickled(address, connections(address, 300, said), 20.0)
        print(
            f"300 {what}, a byte a second each: others got {statuses}, after {longest:.1f} s at "
            f"most; {megabytes(server):.0f} MB of memory",
            flush=True,
        )
    whole = httpx.Request(
        "POST", address, files={"crystals": GOOD["crystal"]}, data={"absorber": "all"}
    )
    content = whole.read()
    kind = whole.headers["content-type"].encode()
    said = head + b"Content-Type: %s\r\nContent-Length: %d\r\n\r\n" % (kind, len(content))
    for each in connections(address, 200, said + content):
        each.close()
    statuses, longest = trickled(address, [], 0.1)
    print(f"200 that leave at once: the next got {statuses} after {longest:.1f} s")


def main() -> None:
    """Send all cases, or those whose name holds one of the words, and print a table of harm."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of names")
    parser.add_argument("--all", action="store_true", help="show what did no harm as well")
    parser.add_argument("--callers", action="store_true", help="leave out the files")
    wanted = parser.parse_args()
    before = left_behind()
    server, address = started()
    counts: dict[str, int] = {}
    n_harm, slowest = 0, (0.0, "")
    try:
        memory, own = megabytes(server), workers(server)
        with tempfile.TemporaryDirectory() as folder:
            cases = rows(address, wanted.names, Path(folder)) if not wanted.callers else ()
            for name, trial, outcome, seconds, harm in cases:
                counts[outcome] = counts.get(outcome, 0) + 1
                slowest = max(slowest, (float(seconds), f"{name!a}, {trial}"))
                is_harm = not harm.startswith("- ")
                n_harm += is_harm
                if is_harm or wanted.all:
                    cells = (ascii(name)[1:-1], trial, outcome, seconds, harm[:200])
                    print("| " + " | ".join(cells) + " |", flush=True)
        show_callers(server, address)
        alive = httpx.get(f"{address}/api/ready").status_code == 200
        print(f"answers: {counts}; slowest {slowest[0]:.1f} s ({slowest[1]}); {n_harm} with harm")
        same = "the same worker" if workers(server) == own else "another worker"
        print(
            f"alive: {alive}, {same}; memory {memory:.0f} MB before, {megabytes(server):.0f} after"
        )
    finally:
        stopped(server)
    print(f"left behind: {len(left_behind() - before)}")
    sys.exit(bool(n_harm) or not alive)


if __name__ == "__main__":
    main()
