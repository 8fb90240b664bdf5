"""Match, mix and series on the page: made-up scans, whose truth is known, go in and come out."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import cgxas

pytest.importorskip("larch")
pytest.importorskip("lmfit")
pytest.importorskip("selenium.webdriver")
from selenium.webdriver.common.keys import Keys

EXAMPLES = Path(__file__).parents[2] / "examples"
CANDIDATES = [
    EXAMPLES / f"{each}.cif" for each in ("Fe2O3", "FeS2_pyrite", "LiFePO4", "TiO2_rutile")
]
PHASES = (EXAMPLES / "TiO2_anatase.cif", EXAMPLES / "TiO2_rutile.cif")
NOISE = 0.003
MOVED = 0.7  # eV
HEAD = """# XDI/1.0
# Element.symbol: {element}
# Element.edge: K
# Scan.start_time: 2026-01-02T10:{minute:02d}:00
# Column.1: energy eV
# Column.2: mutrans
# ---
# energy mutrans
"""
Write = Callable[..., Path]


def grid_of(spectrum: cgxas.Spectrum) -> np.ndarray:
    """Energies of a scan that reaches further than a prediction does."""
    return np.arange(spectrum.energy[0] - 60.0, spectrum.energy[-1] + 100.0, 0.5)


def over_all(spectrum: cgxas.Spectrum, energy: np.ndarray) -> np.ndarray:
    """Return a prediction on such energies, fading into the free atom."""
    y = np.interp(energy, spectrum.energy, spectrum.norm, left=0.0)
    fading = np.exp(-(energy - spectrum.energy[-1]) / 20.0)
    return np.where(energy > spectrum.energy[-1], 1 + (spectrum.norm[-1] - 1) * fading, y)


def scan_of(element: str, energy: np.ndarray, norm: np.ndarray, minute: int = 0) -> str:
    """Return a file of a scan, with noise and a background."""
    noise = np.random.default_rng(int(1e6 * norm.sum())).normal(0.0, NOISE, energy.size)
    mu = 0.2 - 2e-4 * (energy - energy[0]) + 0.7 * (norm + noise)
    rows = [f"{x:.3f} {y:.6f}\n" for x, y in zip(energy, mu, strict=True)]
    return HEAD.format(element=element, minute=minute) + "".join(rows)


@pytest.fixture(scope="session")
def model() -> cgxas.Predictor:
    return cgxas.load()


@pytest.fixture(scope="session")
def write(model, tmp_path_factory) -> Write:
    """Writes a scan that holds so much of anatase, the rest of it rutile."""
    phases = [model.predict(each, "Ti") for each in PHASES]
    energy = grid_of(phases[0])
    anatase, rutile = (over_all(each, energy) for each in phases)

    def written(name: str, share: float, minute: int = 0, folder: Path | None = None) -> Path:
        path = (folder or tmp_path_factory.mktemp("scan")) / name
        text = scan_of("Ti", energy, share * anatase + (1 - share) * rutile, minute)
        path.write_text(text, encoding="utf-8")
        return path

    return written


TRUTH = np.array([1 / (1 + np.exp((n - 9) / 2.5)) for n in range(20)])


@pytest.fixture(scope="session")
def series(write, tmp_path_factory) -> list[Path]:
    """Twenty scans of one phase turning into the other, one without beam, and one broken."""
    folder = tmp_path_factory.mktemp("series")
    found = [write(f"cell_{n + 1}.xdi", f, 2 * n, folder) for n, f in enumerate(TRUTH)]
    lines = found[0].read_text(encoding="utf-8").splitlines()
    rows = [f"{line.split()[0]} {0.2 + n % 7 * 1e-3}" for n, line in enumerate(lines[8:])]
    dark = folder / "cell_21.xdi"
    dark.write_text("\n".join([*lines[:8], *rows]), encoding="utf-8")
    broken = folder / "cell_22.xdi"
    broken.write_text("# XDI/1.0\nnothing here\n", encoding="utf-8")
    return [*found, dark, broken]


def add_phases(page) -> None:
    page.click("[data-example=TiO2]")
    page.wait("return document.querySelectorAll('#plot [data-curve^=crystal]').length === 2")


def ask(page, verb: str) -> None:
    """Press the button of a card, and wait for what comes of it."""
    page.wait(f"return !document.querySelector('#{verb}-button')?.disabled")
    page.click(f"#{verb}-button")
    page.wait(
        f"return (!document.querySelector('#{verb}-found').hidden"
        f" && document.querySelector('#{verb}-status').innerText === '')"
        f" || document.querySelector('#{verb}-error').innerText !== ''"
    )


def scores(page) -> dict[str, str]:
    return page.js(
        "return Object.fromEntries([...document.querySelectorAll('#mix-scores > div')]"
        ".map(e => [e.children[0].innerText, e.children[1].innerText]))"
    )


def test_a_scan_is_found_among_the_examples(page, model, tmp_path):
    predicted = model.predict(EXAMPLES / "LiFePO4.cif", "Fe")
    energy = grid_of(predicted)
    scan = tmp_path / "unknown.xdi"
    text = scan_of("Fe", energy + MOVED, over_all(predicted, energy))
    scan.write_text(text, encoding="utf-8")
    page.add(*CANDIDATES)
    page.add(scan, into="#scan-files")
    page.wait("return document.querySelectorAll('#plot [data-curve]').length >= 4")
    ask(page, "match")
    assert page.text("#match-error") == ""
    found = cgxas.match(scan, CANDIDATES, model=model)
    assert Path(found.best.crystal).name == "LiFePO4.cif" and not found.none_fits
    assert "is the likeliest" in page.text("#match-verdict")
    rows = page.js(
        "return [...document.querySelectorAll('#match-table tbody tr')].map(e => e.innerText)"
    )
    assert sum("None of these" in row for row in rows) == 1 and len(rows) == len(found) + 1
    assert "LiFePO4.cif" in rows[0]
    assert f"{found.best.score:.3f}" in rows[0] and f"{found.best.fit.rse:.4f}" in rows[0]
    assert "Without Fe, and left out: TiO2_rutile.cif" in page.text("#match-warnings")
    drawn = "return [...document.querySelectorAll('#match-plot [data-curve]')].length"
    assert page.js(drawn) == min(len(found), 3) + 1
    assert "cgxas match unknown.xdi Fe2O3.cif" in page.text("#shell")
    assert "cgxas.match(measured, [" in page.text("#python")
    assert page.axe() == []
    page.picture("match", of="#match-card")
    page.find("#match-plot").send_keys(Keys.ARROW_RIGHT)
    assert "scan " in page.text("#match-readout")
    page.click("#match-table [data-key=lay-0]")
    page.wait("return document.querySelector('#plot [data-curve=moved]') !== null")
    shift = float(page.js("return document.querySelector('#shift-number').value"))
    assert shift == pytest.approx(MOVED, abs=0.15)
    told = json.loads(page.take("JSON", "match.json", "#match-saves").read_text(encoding="utf-8"))
    assert told["matches"][0]["crystal"] == "LiFePO4.cif"
    table = page.take("CSV", "match.csv", "#match-saves").read_text(encoding="utf-8")
    assert table.splitlines()[1].startswith("LiFePO4.cif,")
    assert "the scan" in page.take("SVG", "match.svg", "#match-saves").read_text(encoding="utf-8")


def test_match_uses_the_ranges_of_the_page_and_says_when_it_is_of_before(page):
    page.click("[data-example=Fe2O3]")
    page.wait("return document.querySelectorAll('#plot [data-curve]').length >= 2")
    ask(page, "match")
    before = page.text("#match-table tbody tr")
    page.choose("#range-nnorm", "0")
    page.wait("return document.querySelector('#match-status').innerText.includes('changed')")
    page.wait("return !document.querySelector('#match-button').disabled")
    assert page.text("#match-button") == "Rank again"
    ask(page, "match")
    assert page.text("#match-table tbody tr") != before
    assert "--ranges -100" in page.text("#shell") and "--degrees 1 0 -o match.json" in page.text(
        "#shell"
    )
    page.click("[name=derivative]")
    page.click("[name=relative]")
    drawn = page.text("#match-plot")
    assert "dμ/dE (1/eV)" in drawn and "E₀" in drawn


def test_one_scan_is_a_sum_of_measured_references(page, write):
    page.add(write("half.xdi", 0.3), write("anatase.xdi", 1.0), write("rutile.xdi", 0.0),
             into="#scan-files")  # fmt: skip
    page.wait("return document.querySelectorAll('#scans .files li').length === 3")
    for name in ("anatase", "rutile"):
        page.click(f"#scans [aria-label='{name}.xdi is a reference']")
    page.wait("return document.querySelectorAll('#scans [aria-pressed=true].role').length === 2")
    ask(page, "mix")
    assert page.text("#mix-error") == ""
    told = scores(page)
    value, error = map(float, told["anatase"].split(" ± "))
    assert value == pytest.approx(0.3, abs=max(3 * error, 0.01)) and error < 0.02
    assert float(told["rutile"].split(" ± ")[0]) == pytest.approx(1 - value, abs=0.0015)
    assert not page.js("return document.querySelector('#mix-series').checkVisibility()")
    curves = page.js("return [...document.querySelectorAll('#mix-parts [data-curve]')]"
                     ".map(e => e.dataset.curve)")  # fmt: skip
    assert curves == ["part:anatase", "part:rutile", "scan", "fit"]
    assert "cgxas mix half.xdi --references anatase.xdi rutile.xdi" in page.text("#shell")
    assert page.axe() == []
    page.picture("mix", of="#mix-card")


def test_two_scans_are_fractions_of_crystals(page, write):
    add_phases(page)
    page.add(write("a.xdi", 0.25), write("b.xdi", 0.8), into="#scan-files")
    page.wait("return document.querySelectorAll('#plot [data-curve^=scan]').length === 2")
    ask(page, "mix")
    path = page.take("CSV", "mix.csv", "#mix-saves")
    rows = [line.split(",") for line in path.read_text(encoding="utf-8").splitlines()]
    at = rows[0].index("TiO2_anatase")
    for row, truth in zip(rows[1:], (0.25, 0.8), strict=True):
        assert float(row[at]) == pytest.approx(truth, abs=3 * float(row[at + 1]))
        assert float(row[at + 1]) < 0.05
    page.js("document.querySelector('#mix-references input').click()")
    page.wait("return document.querySelector('#mix-button').innerText === 'Fit again'")
    ask(page, "mix")
    assert page.js("return document.querySelectorAll('#mix-legend li').length") == 1


def map_colours(page) -> int:
    """How many colours there are in the picture of the map."""
    return page.browser.execute_async_script(
        "const done = arguments[0]; const image = new Image();"
        "image.onload = () => { const c = document.createElement('canvas');"
        " c.width = image.width; c.height = image.height; const x = c.getContext('2d');"
        " x.drawImage(image, 0, 0);"
        " const data = x.getImageData(0, 0, c.width, c.height).data;"
        " done(new Set(new Uint32Array(data.buffer)).size) };"
        "image.src = document.querySelector('#mix-map-plot image').getAttribute('href');"
    )


def test_a_series_is_drawn_and_what_is_left_out_is_named(page, series):
    add_phases(page)
    page.add(*series, into="#scan-files")
    page.wait("return document.querySelector('#scans summary') !== null")
    assert "22 scans, from cell_1.xdi to cell_22.xdi" in page.text("#scans")
    ask(page, "mix")
    assert page.text("#mix-error") == ""
    assert scores(page)["Scans"] == "20" and scores(page)["Left out"] == "2"
    left_out = page.text("#mix-left-out")
    assert "cell_21 is left out: has no edge" in left_out and "cell_22 is left out" in left_out
    assert "/" not in left_out.replace("mu/", "")  # no path of the server's
    bands = (
        "return [...document.querySelectorAll('#mix-stack [data-band]')].map(e => e.dataset.band)"
    )
    assert page.js(bands) == [
        "TiO2_rutile",
        "TiO2_anatase",
    ]  # from the bottom; the legend from the top
    legend = page.text("#mix-legend").split("\n")
    assert legend == ["TiO2_anatase", "TiO2_rutile"]
    assert map_colours(page) > 100
    page.find("#mix-stack").send_keys(Keys.ARROW_RIGHT)
    assert "cell_" in page.text("#mix-readout")
    page.js("const e = document.querySelector('#mix-place'); e.value = 19;"
            "e.dispatchEvent(new Event('input'))")  # fmt: skip
    assert page.text("#mix-one-title") == "Scan 20: cell_20"
    page.js("document.querySelector('#mix-table-details').open = true")
    page.wait("return document.querySelectorAll('#mix-table tbody tr').length === 20")
    cells = page.js("return [...document.querySelectorAll('#mix-table tbody tr')]"
                    ".map(e => e.children[2].innerText)")  # fmt: skip
    found = np.array([float(each.split(" ± ")[0]) for each in cells])
    assert np.abs(found - TRUTH).max() < 0.05 and np.abs(found - TRUTH).mean() < 0.025
    assert page.axe() == []
    page.js("document.querySelector('#mix-table-details').open = false;"
            "const e = document.querySelector('#mix-place'); e.value = 8;"
            "e.dispatchEvent(new Event('input'))")  # fmt: skip
    page.picture("series", of="#mix-card")


def test_a_series_lies_along_a_table_and_survives_a_reload(page, series, tmp_path):
    add_phases(page)
    page.add(*series[:6], into="#scan-files")
    page.wait("return document.querySelectorAll('#scans .files li').length === 6")
    table = tmp_path / "volts.csv"
    rows = "".join(f"cell_{n + 1},{3 + 0.1 * n:.1f}\n" for n in range(6))
    table.write_text(f"scan,voltage\n{rows}", encoding="utf-8")
    page.choose("#mix-axis", "table")
    page.add(table, into="#mix-table-file")
    page.wait("return document.querySelector('#mix-column').value === 'voltage'")
    ask(page, "mix")
    assert "voltage" in page.text("#mix-misfit")
    assert "--axis volts.csv:voltage" in page.text("#shell")
    page.choose("#mix-axis", "time")
    ask(page, "mix")
    assert "time (s)" in page.text("#mix-misfit")
    page.choose("#mix-map", "change")
    assert "scan − first scan" in page.text("#mix-map-plot")
    page.wait("return document.body.dataset.state === 'kept'")
    page.open()
    page.wait("return !document.querySelector('#mix-found').hidden")
    assert "time (s)" in page.text("#mix-misfit")
    assert "scan − first scan" in page.text("#mix-map-plot")
    page.find("body").send_keys(Keys.CONTROL, "z")
    page.click("#remove-scans")
    page.wait("return document.querySelectorAll('#scans li').length === 0")
    page.find("body").send_keys(Keys.CONTROL, "z")
    page.wait("return document.querySelectorAll('#scans .files li').length === 6")


def test_a_series_is_parted_into_components(page, series):
    pytest.importorskip("pymcr")
    page.add(*series[:20], into="#scan-files")
    page.wait("return document.querySelector('#scan-told')?.innerText.includes('Ti K edge')")
    assert page.js("return document.querySelector('#mix-button').disabled")
    assert "tick crystals" in page.text("#mix-told")
    page.choose("#mix-by", "components")
    ask(page, "mix")
    assert page.text("#mix-error") == ""
    assert scores(page)["Components in the series"] == "2"
    assert page.js("return document.querySelectorAll('#mix-stack [data-band]').length") == 2
    page.wait("return document.querySelectorAll('#mix-curves [data-curve]').length === 2")
    assert "cgxas mix" in page.text("#shell") and "--references" not in page.text("#shell")


def test_all_scans_of_one_file_are_a_series(page, write, tmp_path):
    shares = (0.2, 0.5, 0.9)
    scans = [cgxas.read_spectrum(write(f"{n}.xdi", each)) for n, each in enumerate(shares)]
    project = tmp_path / "three.prj"
    cgxas.write_spectra([replace(each, label=f"scan {n}") for n, each in enumerate(scans)], project)
    add_phases(page)
    page.add(project, into="#scan-files")
    page.wait("return document.querySelector('#scan-error').innerText.includes('3 groups')")
    assert "All scans of your file" in page.text("#mix-told")
    ask(page, "mix")
    assert scores(page)["Scans"] == "3"
    page.js("document.querySelector('#mix-table-details').open = true")
    page.wait("return document.querySelectorAll('#mix-table tbody tr').length === 3")
    for n, share in enumerate(shares):
        cell = page.text(f"#mix-table tbody tr:nth-child({n + 1}) td:nth-child(3)")
        assert float(cell.split(" ± ")[0]) == pytest.approx(share, abs=0.06)


def test_a_refusal_stands_below_the_button_that_asked(page, series):
    page.add(*series[:2], into="#scan-files")
    page.wait("return document.querySelector('#scan-told')?.innerText.includes('Ti K edge')")
    page.choose("#mix-by", "components")
    page.choose("#mix-axis", "column")
    page.choose("#mix-column", "nothing")
    ask(page, "mix")
    assert "the axis nothing is neither order" in page.text("#mix-error")


def test_hundreds_of_scans_stay_quick(page, series, record_property):
    add_phases(page)
    lines = series[0].read_text(encoding="utf-8").splitlines()
    begin = time.monotonic()
    page.js(
        "const data = new DataTransfer(); const [head, rows] = arguments;"
        "const noisy = (row) => { const [x, y] = row.split(' ');"
        " return `${x} ${(Number(y) + 0.002 * Math.random()).toFixed(6)}` };"
        "for (let n = 1; n <= 300; n += 1) data.items.add("
        " new File([[...head, ...rows.map(noisy)].join('\\n')], `scan${n}.xdi`));"
        "window.dispatchEvent(new DragEvent('drop', { dataTransfer: data, cancelable: true }));",
        lines[:8], lines[8::2],
    )  # fmt: skip
    page.wait("return document.querySelector('#scan-told')?.innerText.includes('Ti K edge')")
    record_property("dropped_s", time.monotonic() - begin)
    assert "300 scans, from scan1.xdi to scan300.xdi" in page.text("#scans")
    assert page.js("return document.querySelectorAll('#scans li').length") == 0
    begin = time.monotonic()
    ask(page, "mix")
    record_property("fitted_s", time.monotonic() - begin)
    assert scores(page)["Scans"] == "300" and page.text("#mix-error") == ""
    took = page.js(
        "const begin = performance.now();"
        "for (const e of ['relative', 'derivative']) document.querySelector(`[name=${e}]`).click();"
        "return performance.now() - begin"
    )
    record_property("redrawn_ms", took / 2)
    assert took < 3000.0
    page.js("document.querySelector('#scans details').open = true")
    page.wait("return document.querySelectorAll('#scans li').length === 300")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_phone_shows_a_series(page, series, theme):
    page.size(390, 844)
    if theme == "dark":
        page.click("#theme")
    add_phases(page)
    page.add(*series, into="#scan-files")
    page.wait("return document.querySelector('#scans summary') !== null")
    ask(page, "match")
    ask(page, "mix")
    assert page.js("return document.documentElement.scrollWidth") <= 390
    assert page.axe() == []
    page.picture(f"series-phone-{theme}", 390, "#mix-card")
    if theme == "dark":
        page.choose("#mix-map", "change")
        page.picture("series-dark", of="#mix-card")
