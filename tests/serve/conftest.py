"""A server of its own for the tests, as a user starts it, and a browser that shows its page."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

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
_PATIENCE = 300.0
HERE = Path(__file__).parent
PICTURES = os.environ.get("CGXAS_PAGE_PICTURES")
"""Folder for the pictures of the documentation; none are kept without it."""

FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--enable-unsafe-swiftshader",
    "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--window-size=1280,1400",
    # No name but that of the server leads anywhere: what the page fetched elsewhere would fail.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip


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


class Page:
    """A browser with the page."""

    def __init__(self, browser, address: str, downloads: Path) -> None:
        self.browser, self.address, self.downloads = browser, address, downloads

    def open(self) -> None:
        self.browser.get(self.address)
        self.wait("return document.body.dataset.ready === '1'")
        self.wait("return document.querySelectorAll('#periodic button').length > 40")

    def js(self, code: str, *arguments: object):
        return self.browser.execute_script(code, *arguments)

    def wait(self, code: str) -> None:
        """Wait until some JavaScript says true."""
        deadline = time.monotonic() + _PATIENCE
        while not self.js(code):
            shown = self.js("return document.body.innerText")
            assert time.monotonic() < deadline, f"{code}\n{shown}"
            time.sleep(0.1)

    def find(self, selector: str):
        return self.browser.find_element("css selector", selector)

    def text(self, selector: str) -> str:
        return self.js("return document.querySelector(arguments[0])?.innerText ?? ''", selector)

    def click(self, selector: str) -> None:
        self.js("document.querySelector(arguments[0]).click()", selector)

    def add(self, *paths: Path, into: str = "#crystal-files") -> None:
        self.find(into).send_keys("\n".join(str(each) for each in paths))

    def choose(self, selector: str, value: str) -> None:
        """Choose from a list, or fill in a field."""
        self.js(
            "const e = document.querySelector(arguments[0]); e.value = arguments[1];"
            "e.dispatchEvent(new Event('change', { bubbles: true }))",
            selector, value,
        )  # fmt: skip

    def drop(self, name: str, text: str) -> None:
        """Drop a file anywhere, as a hand does."""
        self.js(
            "const data = new DataTransfer();"
            "data.items.add(new File([arguments[1]], arguments[0]));"
            "const drop = new DragEvent('drop', { dataTransfer: data, cancelable: true });"
            "window.dispatchEvent(drop);",
            name, text,
        )  # fmt: skip

    def take(self, text: str, name: str, within: str = "#downloads") -> Path:
        """Press one of the buttons that save a file, and wait for it."""
        self.js(
            "[...document.querySelectorAll(`${arguments[1]} button`)]"
            ".find(each => each.innerText === arguments[0]).click()",
            text, within,
        )  # fmt: skip
        path = self.downloads / name
        deadline = time.monotonic() + _PATIENCE
        while not path.exists():
            assert time.monotonic() < deadline, f"{name} is not saved"
            time.sleep(0.2)
        return path

    def curves(self) -> list[str]:
        return self.js(
            "return [...document.querySelectorAll('#plot [data-curve]')].map(e => e.dataset.curve)"
        )

    def errors(self) -> list[str]:
        """What the console tells of the page itself; answers that refuse are no fault of it."""
        return [
            each["message"]
            for each in self.browser.get_log("browser")
            if each["level"] == "SEVERE" and "status of 422" not in each["message"]
        ]

    def size(self, width: int, height: int = 1400) -> None:
        self.browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
        )

    def picture(self, name: str, width: int = 1280, of: str = "body") -> None:
        """Keep a picture of the whole page, or of one part, if the documentation wants some."""
        if not PICTURES:
            return
        self.js("document.activeElement?.blur(); window.scrollTo(0, 0)")
        self.size(width, int(self.js("return document.body.offsetHeight")))
        time.sleep(2)
        self.find(of).screenshot(str(Path(PICTURES) / f"serve-{name}.png"))
        self.size(1280)

    def axe(self) -> list[str]:
        """What axe-core finds serious or critical."""
        self.js((HERE / "axe.min.js").read_text(encoding="utf-8"))
        found = self.browser.execute_async_script(
            "const done = arguments[0]; axe.run().then(r => done(JSON.stringify(r.violations)));"
        )
        return [
            f"{each['id']}: {each['nodes'][0]['html'][:200]} "
            f"{each['nodes'][0]['failureSummary'][:200]}"
            for each in json.loads(found)
            if each["impact"] in ("serious", "critical")
        ]


@pytest.fixture(scope="session")
def browser(address, tmp_path_factory) -> Iterator[Page]:
    webdriver = pytest.importorskip("selenium.webdriver")
    from selenium.webdriver.chrome.service import Service

    pytest.importorskip("larch")
    chromium, driver_path = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver_path):
        pytest.skip("chromium and chromium-driver are not installed")
    downloads = tmp_path_factory.mktemp("downloads")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    with tempfile.TemporaryDirectory() as profile:
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        driver = webdriver.Chrome(options=options, service=Service(driver_path))
        driver.execute_cdp_cmd(
            "Browser.setDownloadBehavior",
            {"behavior": "allow", "downloadPath": str(downloads)},
        )
        try:
            yield Page(driver, address, downloads)
        finally:
            driver.quit()


@pytest.fixture
def page(browser) -> Iterator[Page]:
    """The page as it is seen for the first time; afterwards, nothing may have gone wrong in it."""
    browser.size(1280)
    browser.open()
    browser.js("localStorage.setItem('cgxas-theme', 'light')")
    browser.click("#clear")
    browser.wait("return document.body.dataset.state !== 'writing'")
    browser.open()
    browser.choose("#mix-map", "norm")
    browser.js("[...document.querySelectorAll('#view input')].forEach(e => {"
               "if (e.checked !== ['band', 'sites'].includes(e.name)) e.click() })")  # fmt: skip
    browser.errors()
    yield browser
    assert browser.errors() == []
