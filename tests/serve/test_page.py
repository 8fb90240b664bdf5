"""The page in a browser without a network: what people do, and what hostile files try."""

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import cgxas

pytest.importorskip("larch")
webdriver = pytest.importorskip("selenium.webdriver")
from selenium.webdriver.chrome.service import Service  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="chromium and chromium-driver are not installed"
)
HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "examples"
SCAN = Path(cgxas.__file__).parent / "serve" / "page" / "examples" / "Fe2O3_made_up.xdi"
PICTURES = os.environ.get("CGXAS_PAGE_PICTURES")
"""Folder for the pictures of the documentation; none are kept without it."""

FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--enable-unsafe-swiftshader",
    "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--window-size=1280,1400",
    # No name but that of the server leads anywhere: what the page fetched elsewhere would fail.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip
_PATIENCE = 300.0
_PAINTED = 3000.0  # ms; a third of a second where nothing else runs


class Page:
    """A browser with the page."""

    def __init__(self, browser, address: str) -> None:
        self.browser, self.address = browser, address

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
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        return self.js("return document.querySelector(arguments[0])?.innerText ?? ''", selector)

    def click(self, selector: str) -> None:
        self.js("document.querySelector(arguments[0]).click()", selector)

    def add(self, *paths: Path) -> None:
        self.find("#crystal-files").send_keys("\n".join(str(each) for each in paths))

    def drop(self, name: str, text: str) -> None:
        """Drop a file anywhere, as a hand does."""
        self.js(
            "const data = new DataTransfer();"
            "data.items.add(new File([arguments[1]], arguments[0]));"
            "const drop = new DragEvent('drop', { dataTransfer: data, cancelable: true });"
            "window.dispatchEvent(drop);",
            name, text,
        )  # fmt: skip

    def take(self, text: str) -> None:
        """Press one of the buttons that save a file."""
        self.js(
            "[...document.querySelectorAll('#downloads button')]"
            ".find(each => each.innerText === arguments[0]).click()",
            text,
        )

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

    def picture(self, name: str, width: int = 1280) -> None:
        """Keep a picture of the whole page for the documentation, if pictures are wanted."""
        if not PICTURES:
            return
        self.js("document.activeElement?.blur(); window.scrollTo(0, 0)")
        self.size(width, int(self.js("return document.body.offsetHeight")))
        time.sleep(2)
        self.browser.save_screenshot(str(Path(PICTURES) / f"serve-{name}.png"))
        self.size(1280)


@pytest.fixture(scope="module")
def downloads(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="module")
def browser(address, downloads) -> Iterator[Page]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    with tempfile.TemporaryDirectory() as profile:
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        driver = webdriver.Chrome(options=options, service=Service(DRIVER))
        driver.execute_cdp_cmd(
            "Browser.setDownloadBehavior",
            {"behavior": "allow", "downloadPath": str(downloads)},
        )
        try:
            yield Page(driver, address)
        finally:
            driver.quit()


@pytest.fixture
def page(browser) -> Iterator[Page]:
    """The page as it is seen for the first time; afterwards, nothing may have gone wrong in it."""
    browser.size(1280)
    browser.open()
    browser.js("localStorage.setItem('cgxas-theme', 'light')")
    browser.click("#clear")
    browser.open()
    browser.js("[...document.querySelectorAll('#view input')].forEach(e => {"
               "if (e.checked !== ['band', 'sites'].includes(e.name)) e.click() })")  # fmt: skip
    browser.errors()
    yield browser
    assert browser.errors() == []


def axe(page: Page) -> list[str]:
    """What axe-core finds serious or critical."""
    page.js((HERE / "axe.min.js").read_text(encoding="utf-8"))
    found = page.browser.execute_async_script(
        "const done = arguments[0]; axe.run().then(r => done(JSON.stringify(r.violations)));"
    )
    return [
        f"{each['id']}: {each['nodes'][0]['html'][:200]} {each['nodes'][0]['failureSummary'][:200]}"
        for each in json.loads(found)
        if each["impact"] in ("serious", "critical")
    ]


def test_an_empty_page_teaches_itself_and_fetches_little(page, record_property):
    assert "Drop a crystal" in page.text("#empty")
    figures = page.js(
        "const all = performance.getEntriesByType('resource');"
        "return { paint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime,"
        " bytes: all.reduce((sum, each) => sum + each.decodedBodySize, 0),"
        " foreign: all.filter(each => !each.name.startsWith(location.origin)).length }"
    )
    record_property("first_paint_ms", figures["paint"])
    assert figures["paint"] < _PAINTED
    assert figures["foreign"] == 0
    assert figures["bytes"] < 200_000  # the viewer of crystals comes with the first crystal
    assert axe(page) == []
    page.picture("empty")


def test_an_example_and_a_scan_from_the_first_click_to_the_file(page, downloads):
    page.click("[data-example=Fe2O3]")
    page.wait("return document.querySelectorAll('#plot [data-curve]').length >= 2")
    assert {"scan"} < set(page.curves())
    page.wait("return document.querySelectorAll('#scores dd').length === 5")
    before = float(page.text("#scores dd"))
    page.click("#fit-button")
    page.wait("return document.querySelector('#fit-told').innerText.startsWith('Fitted')")
    assert float(page.text("#scores dd")) < before
    found = cgxas.compare(
        cgxas.load().predict(EXAMPLES / "Fe2O3.cif", "Fe"), cgxas.read_spectrum(SCAN)
    )
    told = page.text("#facts").replace("\n", "")
    assert found.predicted.trust.word in told and found.predicted.trust.nearest in told
    assert float(page.text("#scores dd")) == pytest.approx(found.after.rse, abs=1.1e-4)
    assert 'shift="fit"' in page.text("#python") and "--shift fit" in page.text("#shell")
    assert axe(page) == []
    page.js("document.getElementById('norm-details').open = true")
    page.picture("scan")
    page.take("XDI")
    path = downloads / "Fe2O3_Fe.xdi"
    deadline = time.monotonic() + _PATIENCE
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.2)
    from larch.io import read_xdi

    group = read_xdi(str(path))
    assert group.element.decode() == "Fe" if isinstance(group.element, bytes) else group.element
    assert group.energy.size == found.predicted.energy.size


def test_figures_are_saved_as_they_are_seen(page, downloads):
    page.click("[data-example=TiO2]")
    page.wait("return document.querySelectorAll('#plot [data-curve]').length >= 2")
    for kind in ("PNG", "SVG"):
        page.take(kind)
        path = downloads / f"TiO2_anatase_Ti.{kind.lower()}"
        deadline = time.monotonic() + _PATIENCE
        while not path.exists() and time.monotonic() < deadline:
            time.sleep(0.2)
        assert path.stat().st_size > 5000
    assert "Energy (eV)" in (downloads / "TiO2_anatase_Ti.svg").read_text(encoding="utf-8")


def test_an_atom_lights_up_its_spectrum(page, tmp_path):
    from pymatgen.core import Lattice, Structure

    magnetite = Structure.from_spacegroup(
        "Fd-3m", Lattice.cubic(8.396), ["Fe", "Fe", "O"], [[0] * 3, [0.625] * 3, [0.3797] * 3]
    )
    magnetite.to(filename=str(tmp_path / "magnetite.cif"))
    page.add(tmp_path / "magnetite.cif")
    page.wait("return document.querySelectorAll('#site-list button').length === 3")
    page.wait("return document.querySelector('#viewer canvas') !== null")
    time.sleep(1)
    box = page.find("#viewer")
    page.js("arguments[0].scrollIntoView({block: 'center'})", box)
    lit = "return document.querySelector('[data-key^=site-][aria-checked=true]') !== null"
    for place in ((x, y) for y in (6, -40, 40) for x in range(-100, 101, 20)):
        webdriver.ActionChains(page.browser).move_to_element_with_offset(
            box, *place
        ).click().perform()
        if page.js(lit):
            break
        if page.text("#chips [aria-checked=true]") == "O":  # an oxygen was hit, which says so
            page.js("document.querySelector('[data-key=Fe]').click()")
    assert page.js(lit)
    page.click("[data-key=site-8]")
    page.wait("return document.querySelector('[data-key=site-8]').ariaChecked === 'true'")
    widths = page.js(
        "const sites = [...document.querySelectorAll('#plot [data-curve^=site]')];"
        "const look = (e) => ['width', 'opacity'].map((n) => e.getAttribute(`stroke-${n}`));"
        "return Object.fromEntries(sites.map((e) => [e.dataset.curve, look(e)]));"
    )
    assert widths["site:8"] == ["2.6", "1"] and float(widths["site:0"][1]) < 0.5
    page.picture("sites")


def test_a_broken_crystal_is_told_beside_it_and_nothing_in_it_is_obeyed(page):
    evil = "<img src=x onerror=\"document.body.dataset.obeyed='1'\">.cif"
    page.drop(evil, "data_<script>document.body.dataset.obeyed=1</script>\n_cell_length_a x\n")
    page.wait("return document.querySelector('#crystals .error') !== null")
    assert "not a readable CIF" in page.text("#crystals .error")
    assert page.js("return document.querySelectorAll('img, #crystals script').length") == 0
    assert page.js("return document.body.dataset.obeyed ?? ''") == ""
    page.drop("scan.dat", "no numbers at all")
    page.wait("return document.querySelectorAll('#crystals li').length === 2"
              " || document.querySelector('#scan-error').innerText !== ''")  # fmt: skip


def test_a_reload_loses_nothing_and_undo_brings_back(page):
    page.click("[data-example=LiFePO4]")
    page.wait("return document.querySelectorAll('#plot [data-curve]').length >= 1")
    page.click("[name=relative]")
    time.sleep(0.5)
    page.open()
    page.wait("return document.querySelectorAll('#plot [data-curve]').length >= 1")
    assert "LiFePO4.cif" in page.text("#crystals")
    assert page.js("return document.querySelector('[name=relative]').checked")
    page.click("[data-key^=drop-]")
    page.wait("return document.querySelectorAll('#crystals li').length === 0")
    page.find("body").send_keys(Keys.CONTROL, "z")
    page.wait("return document.querySelectorAll('#crystals li').length === 1")


def test_the_keyboard_does_all(page):
    page.click("[data-example=LiFePO4]")
    page.wait("return document.querySelectorAll('#chips button').length >= 3")
    chosen = page.find("#chips [aria-checked=true]")
    chosen.send_keys(Keys.ARROW_RIGHT)
    page.browser.switch_to.active_element.send_keys(Keys.ENTER)
    page.wait("return document.querySelector('#chips [aria-checked=true]').innerText !== 'Fe'")
    page.wait("return document.querySelectorAll('#plot [data-curve]').length >= 1")
    page.find("#plot").send_keys(Keys.ARROW_RIGHT)
    assert " eV" in page.text("#readout")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_phone_shows_all_of_it(page, theme):
    page.size(390, 844)
    if theme == "dark":
        page.click("#theme")
    page.click("[data-example=TiO2]")
    page.wait("return document.querySelectorAll('#plot [data-curve]').length >= 2")
    page.wait("return document.querySelector('#viewer canvas') !== null")
    assert page.js("return document.documentElement.scrollWidth") <= 390
    assert axe(page) == []
    page.picture(f"phone-{theme}", 390)
    if theme == "dark":
        page.picture("dark")
