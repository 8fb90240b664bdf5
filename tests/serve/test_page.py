"""The page in a browser without a network: what people do, and what hostile files try."""

import time
from pathlib import Path

import pytest

import cgxas

pytest.importorskip("larch")
webdriver = pytest.importorskip("selenium.webdriver")
from selenium.webdriver.common.keys import Keys  # noqa: E402

EXAMPLES = Path(__file__).parents[2] / "examples"
SCAN = Path(cgxas.__file__).parent / "serve" / "page" / "examples" / "Fe2O3_made_up.xdi"
_PAINTED = 3000.0  # ms; a third of a second where nothing else runs


def test_an_empty_page_teaches_itself_and_fetches_little(page, record_property):
    assert "Drop a crystal" in page.text("#empty")
    figures = page.js(
        "const all = performance.getEntriesByType('resource');"
        "return { paint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime,"
        " bytes: all.reduce((sum, each) => sum + each.decodedBodySize, 0),"
        " foreign: all.filter(each => !each.name.startsWith(location.origin)).length }"
    )
    record_property("first_paint_ms", figures["paint"])
    record_property("bytes", figures["bytes"])
    assert figures["paint"] < _PAINTED
    assert figures["foreign"] == 0
    assert figures["bytes"] < 200_000  # the viewer of crystals comes with the first crystal
    assert page.axe() == []
    page.picture("empty")


def test_an_example_and_a_scan_from_the_first_click_to_the_file(page):
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
    assert page.axe() == []
    page.js("document.getElementById('norm-details').open = true")
    page.picture("scan")
    path = page.take("XDI", "Fe2O3_Fe.xdi")
    from larch.io import read_xdi

    group = read_xdi(str(path))
    assert group.element.decode() == "Fe" if isinstance(group.element, bytes) else group.element
    assert group.energy.size == found.predicted.energy.size


def test_figures_are_saved_as_they_are_seen(page):
    page.click("[data-example=TiO2]")
    page.wait("return document.querySelectorAll('#plot [data-curve]').length >= 2")
    for kind in ("PNG", "SVG"):
        path = page.take(kind, f"TiO2_anatase_Ti.{kind.lower()}")
        assert path.stat().st_size > 5000
    assert "Energy (eV)" in path.read_text(encoding="utf-8")


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
    assert page.axe() == []
    page.picture(f"phone-{theme}", 390)
    if theme == "dark":
        page.picture("dark")
