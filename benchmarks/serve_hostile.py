"""Send hostile files and requests to a server, and show what came of each.

    python benchmarks/serve_hostile.py [WORDS OF NAMES ...]

Each file of `hostile_files.py` that can be sent is sent as crystal and as scan: to be predicted,
measured, matched (as either) and mixed (as either). Harm is what must not be: an answer where a
refusal is due, a 5xx other than 503, a file of the server read, an address called, a path of the
server told, a worker lost, anything left on a disk, or memory that stays.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
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
    """Return what servers have laid down and not deleted."""
    places = (Path("/dev/shm"), Path(tempfile.gettempdir()))
    return {each for place in places for each in place.glob("cgxas-serve-*")}


def asked(
    client: httpx.Client, case: Case, data: bytes, trial: str
) -> tuple[httpx.Response | None, str]:
    """Send a case; return the answer, or None and why there was none."""
    verb, fields = TRIALS[trial]
    files = [(name, file or (case.file, data)) for name, file in fields.items()]
    words = {"absorber": "Fe"}
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


def main() -> None:
    """Send all cases, or those whose name holds one of the words, and print a table of harm."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of names")
    parser.add_argument("--all", action="store_true", help="show what did no harm as well")
    wanted = parser.parse_args()
    before = left_behind()
    server, address = started()
    counts: dict[str, int] = {}
    n_harm, slowest = 0, 0.0
    try:
        memory, own = megabytes(server), workers(server)
        with tempfile.TemporaryDirectory() as folder:
            for name, trial, outcome, seconds, harm in rows(address, wanted.names, Path(folder)):
                counts[outcome] = counts.get(outcome, 0) + 1
                slowest = max(slowest, float(seconds))
                is_harm = not harm.startswith("- ")
                n_harm += is_harm
                if is_harm or wanted.all:
                    cells = (ascii(name)[1:-1], trial, outcome, seconds, harm[:200])
                    print("| " + " | ".join(cells) + " |", flush=True)
        alive = httpx.get(f"{address}/api/ready").status_code == 200
        print(f"answers: {counts}; slowest {slowest:.1f} s; {n_harm} with harm")
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
