"""Callers that dawdle, leave or send too much: told so in words, and nobody else must wait."""

import json
import socket
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("larch")
EXAMPLES = Path(__file__).parents[2] / "examples"
CRYSTAL = EXAMPLES / "LiFePO4.cif"
BOUNDARY = "cut"


def form(name: str = "x.cif", data: bytes = b"data_x\n") -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="crystals"; filename="{name}"\r\n'
    return head.encode() + b"\r\n" + data + f"\r\n--{BOUNDARY}--\r\n".encode()


def request(length: str, verb: str = "predict") -> bytes:
    return (
        f"POST /api/{verb} HTTP/1.1\r\nHost: 127.0.0.1\r\n{length}\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n"
    ).encode()


def connected(address: str) -> socket.socket:
    host, port = address.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=300)


def told(connection: socket.socket) -> tuple[int, str]:
    """Read an answer to its end; return its status and sentence."""
    with connection.makefile("rb") as answer:
        text = answer.read().decode()
    head, _, body = text.partition("\r\n\r\n")
    return int(head.split()[1]), json.loads(body)["detail"]


def left_behind() -> set[str]:
    places = (Path("/dev/shm"), Path(tempfile.gettempdir()))
    return {str(each) for place in places for each in place.glob("cgxas-serve-*")}


def is_gone(names: set[str]) -> bool:
    """Tell whether that is deleted in the end; other servers may run beside that of the tests."""
    end = time.monotonic() + 60
    while names & left_behind() and time.monotonic() < end:
        time.sleep(0.2)
    return not names & left_behind()


def test_a_head_that_never_ends_is_not_waited_for(address, client):
    with ExitStack() as stack:
        slow = [stack.enter_context(connected(address)) for _ in range(40)]
        silent = stack.enter_context(connected(address))
        begin = time.monotonic()
        closed = 0
        while closed < len(slow) and time.monotonic() < begin + 60:
            for each in slow:
                try:
                    each.sendall(b"G")
                except OSError:
                    closed += 1
            assert client.get("/api/health").status_code == 200
            closed = sum(each.fileno() < 0 or _is_closed(each) for each in slow)
            time.sleep(0.5)
        assert closed == len(slow)
        assert silent.recv(100) == b""
        assert time.monotonic() - begin < 50


def _is_closed(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1000) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def test_what_takes_too_long_is_refused_or_given_up(start):
    import httpx

    with start(CGXAS_MAX_SECONDS="5") as address, ExitStack() as stack:
        slow = [stack.enter_context(connected(address)) for _ in range(20)]
        for each in slow:
            each.sendall(request("Content-Length: 100000") + b"--cut")
        greedy = stack.enter_context(connected(address))
        greedy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        script = "/vendor/3Dmol.es6-min.js"
        greedy.sendall(f"GET {script} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode() * 50)
        for each in slow:
            assert told(each) == (
                408, "the request did not arrive within the 5 seconds that are given to it",
            )  # fmt: skip
        assert httpx.get(f"{address}/api/health").status_code == 200
        time.sleep(8)
        size = len(httpx.get(f"{address}{script}").raise_for_status().content)
        assert _all_that_comes(greedy) < 50 * size
        files = [("crystals", (f"{n}.vasp", _jittered(n))) for n in range(6)]
        answer = httpx.post(f"{address}/api/predict", files=files, timeout=99)
        assert answer.status_code == 422 and answer.json()["error"] == "TooLong"
        assert "longer than the 5 seconds" in answer.json()["detail"]
        while httpx.get(f"{address}/api/ready", timeout=99).status_code != 200:
            time.sleep(0.2)
        files = [("crystals", (CRYSTAL.name, CRYSTAL.read_bytes()))]
        answer = httpx.post(f"{address}/api/predict", files=files, data={"absorber": "Fe"})
        assert answer.status_code == 200


def _jittered(seed: int) -> bytes:
    """Return a POSCAR of 1,728 atoms of which no two are alike."""
    n = 12
    grid = np.indices((n, n, n)).reshape(3, -1).T
    grid = grid[np.argsort(grid.sum(axis=1) % 2, kind="stable")]  # first Fe, then O
    places = (grid + np.random.default_rng(seed).normal(0.0, 0.03, grid.shape)) / n
    cell = "\n".join(" ".join(f"{2.15 * n * (a == b):.4f}" for a in range(3)) for b in range(3))
    atoms = "\n".join(" ".join(f"{x:.6f}" for x in row) for row in places)
    return f"FeO\n1.0\n{cell}\nFe O\n{n**3 // 2} {n**3 // 2}\nDirect\n{atoms}\n".encode()


def _written(energy: np.ndarray, mu: np.ndarray) -> bytes:
    return "".join(f"{x:.1f} {y:.5f}\n" for x, y in zip(energy, mu, strict=True)).encode()


def _all_that_comes(connection: socket.socket) -> int:
    """Return the bytes that come before the other end closes or resets the connection."""
    found = 0
    with suppress(ConnectionResetError):
        while part := connection.recv(1_000_000):
            found += len(part)
    return found


@pytest.mark.parametrize("how", ["length", "chunks"])
def test_a_body_that_is_too_large_is_refused_in_words(client, how):
    body = form(data=b"x" * 15_000_000)
    content = (
        body
        if how == "length"
        else iter([body[n : n + 65536] for n in range(0, 15_000_000, 65536)])
    )
    kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    answer = client.post("/api/predict", content=content, headers=kind)
    assert answer.status_code == 413
    assert "2,000,000 bytes" in answer.json()["detail"]


def test_bodies_that_arrive_together_are_bounded(address, client):
    with ExitStack() as stack:
        every = [stack.enter_context(connected(address)) for _ in range(20)]
        for each in every:
            with suppress(OSError):  # it may have been told already
                each.sendall(request("Content-Length: 1990000") + b"x" * 1_900_000)
        begin = time.monotonic()
        refused = 0
        while not refused and time.monotonic() < begin + 60:
            refused = sum(_first_line(each).startswith(b"HTTP/1.1 503") for each in every)
        assert 0 < refused < 15
    files = [("crystals", (CRYSTAL.name, CRYSTAL.read_bytes()))]
    assert client.post("/api/predict", files=files, data={"absorber": "Fe"}).status_code == 200


def _first_line(connection: socket.socket) -> bytes:
    connection.settimeout(0.2)
    try:
        return connection.recv(100)
    except OSError:
        return b""


def test_a_body_of_100_mb_is_refused_before_it_is_sent(address):
    with connected(address) as one:
        one.sendall(request("Content-Length: 100000000\r\nExpect: 100-continue"))
        status, detail = told(one)
    assert status == 413 and "CGXAS_MAX_UPLOAD_BYTES" in detail


def test_a_body_in_chunks_without_a_length_is_answered(client):
    parts = [form(CRYSTAL.name, CRYSTAL.read_bytes())[n : n + 100] for n in range(0, 20_000, 100)]
    kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    answer = client.post("/api/predict", content=iter(filter(None, parts)), headers=kind)
    assert answer.status_code == 200
    assert answer.json()["crystals"][0]["formula"] == "LiFePO4"


@pytest.mark.parametrize(
    "said",
    [
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
        b"POST /api/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -5\r\n\r\n",
        b"POST /api/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n"
        b"Content-Length: 10\r\n\r\n0123456789",
        b"POST /api/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"xyz\r\n",
    ],
    ids=["version", "TLS", "long path", "many headers", "negative", "two lengths", "no chunk"],
)
def test_what_is_no_request_is_refused(address, client, said):
    with connected(address) as one:
        one.sendall(said)
        with one.makefile("rb") as answer:
            first = answer.readline()
    assert first.startswith(b"HTTP/1.1 4"), first
    assert client.get("/api/health").status_code == 200


def test_who_closes_in_the_middle_leaves_nothing(address, client):
    before = left_behind()
    whole = form(CRYSTAL.name, CRYSTAL.read_bytes())
    for part in (0, 10, len(whole) // 2, len(whole)):
        for is_half in (True, False):
            with connected(address) as one:
                one.sendall(request(f"Content-Length: {len(whole)}") + whole[:part])
                if is_half:
                    one.shutdown(socket.SHUT_WR)
                    one.settimeout(60)
                    one.recv(1000)
    files = [("crystals", (CRYSTAL.name, CRYSTAL.read_bytes()))]
    assert client.post("/api/predict", files=files, data={"absorber": "Fe"}).status_code == 200
    assert is_gone(left_behind() - before)


def test_the_work_of_who_has_left_is_dropped(address, client):
    many = [("crystals", (f"{n}.cif", CRYSTAL.read_bytes())) for n in range(30)]
    one = form(CRYSTAL.name, CRYSTAL.read_bytes())
    with connected(address) as busy:
        encoded = client.build_request("POST", "/api/predict", files=many, data={"absorber": "all"})
        kind = encoded.headers["content-type"]
        body = encoded.read()
        busy.sendall(
            f"POST /api/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        time.sleep(0.3)
        for _ in range(60):  # more than may wait
            with connected(address) as leaving:
                leaving.sendall(request(f"Content-Length: {len(one)}") + one)
                time.sleep(0.01)
        time.sleep(0.5)
        begin = time.monotonic()
        files = [("crystals", (CRYSTAL.name, CRYSTAL.read_bytes()))]
        answer = client.post("/api/predict", files=files, data={"absorber": "Fe"})
        assert answer.status_code == 200
        busy.settimeout(300)
        assert busy.recv(100).startswith(b"HTTP/1.1 200")
    assert time.monotonic() - begin < 120


NAMES = [
    "../../../etc/passwd", "/etc/passwd", "..\\..\\windows\\win.ini", "C:\\x.cif", "a\0b.cif",
    "CON", "nul.cif", "AUX.xdi", ".", "..", "", " ", "-rf", "~", "$(touch obeyed).cif", "`id`.cif",
    "x" * 4000 + ".cif", "\u202efic.exe", "<script>alert(1)</script>.cif", "a.cif\r\nX-Evil: 1",
    '"; filename="b.cif', "%2e%2e%2fx.cif", "\U0001f4a3" * 200 + ".xdi", "a:b=c,d*.cif", "{0}.cif",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_names_lead_nowhere(client, name):
    scan = _written(*_curve())
    good = [("scans", ("good.dat", scan))]
    trials = {
        "predict": [("crystals", (name, CRYSTAL.read_bytes()))],
        "measure": [("scan", (name, scan))],
        "match": [("scan", (name, scan)), ("crystals", (name, CRYSTAL.read_bytes()))],
        "mix": [*good, ("scans", (name, scan)), ("references", (name, scan))],
    }
    for verb, files in trials.items():
        element = {"element" if verb == "measure" else "absorber": "Fe"}
        answer = client.post(f"/api/{verb}", files=files, data=element)
        assert answer.status_code in (200, 400, 422), (verb, answer.text)
        assert not any(word in answer.text for word in ("/dev/shm", "/tmp/", "cgxas-serve-"))
        assert "X-Evil" not in answer.headers
        shown = answer.headers["content-type"]
        assert shown == "application/json"
    assert not Path("obeyed").exists()


def _curve() -> tuple[np.ndarray, np.ndarray]:
    energy = np.arange(7000.0, 7300.0, 0.5)
    step = 0.5 + np.arctan((energy - 7120.0) / 1.5) / np.pi
    return energy, 0.2 + step + 0.4 * np.exp(-(((energy - 7128.0) / 4.0) ** 2))


def test_scripts_in_comments_come_back_as_text(client):
    text = CRYSTAL.read_text(encoding="utf-8").replace("data_", "data_<script>alert(1)</script>", 1)
    answer = client.post(
        "/api/predict",
        files=[("crystals", ("a.cif", text.encode()))],
        data={"absorber": "Fe"},
    )
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 200_000,
        b'{"crystals":' * 50_000,
        b'{"crystals": [{"text": "x"}], "absorber": [' + b'"Fe",' * 500 + b'"Fe"]}',
        b'{"measured": {"absorber": "Fe", "energy": [1e999, 2], "norm": [1, NaN]}, "crystals": []}',
        b'{"crystals": [{"text": "' + b"\\u0000" * 1000 + b'"}]}',
        b'{"crystals": [{"text": "\\ud800", "name": "\\ud800.cif"}], "absorber": "Fe"}',
    ],
    ids=["deep list", "deep object", "many absorbers", "no numbers", "nulls", "half a character"],
)
def test_json_that_means_ill_is_refused_in_words(client, body):
    for verb in ("predict", "compare", "match"):
        answer = client.post(
            f"/api/{verb}", content=body, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code in (400, 422), (verb, answer.text[:300])
        assert answer.json()["detail"]


def test_nothing_is_left_on_the_disk(client):
    files = [("crystals", (CRYSTAL.name, CRYSTAL.read_bytes()))]
    before = left_behind()
    for form_wanted in ("json", "png", "csv"):
        client.post("/api/predict", files=files, data={"absorber": "Fe", "format": form_wanted})
    assert is_gone(left_behind() - before)
