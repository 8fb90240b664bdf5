"""A server of its own for the tests, as a user starts it."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

httpx = pytest.importorskip("httpx")
for package in ("fastapi", "uvicorn", "python_multipart"):
    pytest.importorskip(package)

LIMITS = {
    "CGXAS_MAX_UPLOAD_BYTES": "2000000",
    "CGXAS_MAX_SECONDS": "200",
    "CGXAS_MAX_WAITING": "40",
}
_LOADING = 600.0


@contextmanager
def running(*words: str, **environment: str) -> Iterator[str]:
    """Start `cgxas serve` at a free port; yield its address when the model is loaded."""
    command = [sys.executable, "-m", "cgxas", "serve", "--port", "0", *words]
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env={**os.environ, **LIMITS, **environment}
    )
    try:
        line = process.stderr.readline()
        found = re.search(r"http://\S+?:\d+", line)
        assert found, line + process.stderr.read()
        address = found[0]
        deadline = time.monotonic() + _LOADING
        token = environment.get("CGXAS_TOKEN")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        while httpx.get(f"{address}/api/ready", headers=headers, timeout=120.0).status_code != 200:
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.2)
        yield address
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """Of a server that runs for all tests."""
    with running() as found:
        yield found


@pytest.fixture
def client(address) -> Iterator["httpx.Client"]:
    with httpx.Client(base_url=address, timeout=600.0) as found:
        yield found


@pytest.fixture(scope="session")
def start() -> Callable[..., object]:
    """Starts another server, with words of its own."""
    return running
