import base64
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from cgxas.report.figures import ReportFigure
from cgxas.report.groups import grouped, in_order
from cgxas.report.page import page
from cgxas.training.folder import open_run

VOID = {"meta", "img"}


class Reader(HTMLParser):
    """Collects the cells of all tables; fails on tags that do not match."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tables: list[list[list[str]]] = []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th"):
            self.tables[-1][-1][-1] += data


def tables(text: str) -> list[list[list[str]]]:
    reader = Reader()
    reader.feed(text)
    assert reader.open == []
    return reader.tables


@pytest.fixture
def written(finished_run):
    """The page of runs laid down with these arguments."""

    def make(*each, figures=(), missing: str = "") -> str:
        runs = in_order([open_run(finished_run(*words)) for words in each])
        return page(runs, grouped(runs), figures, missing)

    return make


def test_every_element_has_a_row_and_every_group_its_columns(written):
    text = written(("u",), ("fe", "element", "Fe", "formula", 0.02))
    overall, elements, runs = tables(text)
    assert overall[1][:5] == ["Uni", "formula", "1", "4", "18"]
    assert overall[2][:5] == ["Spec", "formula", "1", "1", "3"]
    assert elements[0] == ["", "Uni", "Spec"]
    assert elements[1] == ["", *["n", "RSE", "median", "PCC", "half step (eV)"] * 2]
    assert [row[0] for row in elements[2:]] == ["O", "Mg", "Fe", "Ni"]
    mean = 0.02 * (1 + 1.3 + 1.69) / 3
    assert elements[4][6:] == ["3", f"{mean:.4f}", "0.0260", f"{1 - mean:.4f}", "0.50"]
    assert elements[5][6:] == ["–"] * 5
    assert runs[1] == ["u", "Uni", "all", "formula", "ab" * 6, "oxides", "cd" * 6]
    assert runs[2][:3] == ["fe", "Spec", "Fe"]


def test_splits_have_a_table_each(written):
    text = written(("u",), ("s", "universal", None, "spectrum"))
    assert len(tables(text)) == 4
    assert "<h3>Split by formula</h3>" in text
    assert "<h3>Split by spectrum</h3>" in text
    assert "2 runs of cgxas: 2 Uni." in text


def test_what_runs_are_is_told_and_escaped(written):
    text = written(("u",))
    assert "cgxas train u.toml" in text
    assert "&lt;CPU&gt;" in text
    assert "<CPU>" not in text
    assert "ab" * 32 in text
    assert "cd" * 32 in text
    assert "1 run of cgxas: 1 Uni." in text


def test_figures_are_within_the_page_and_nothing_is_fetched(written, tmp_path: Path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG a figure")
    figure = ReportFigure("a", "Loss & error", "What it shows.", lambda: None)
    text = written(("u",), figures=[(figure, tmp_path / "a.png")])
    (data,) = re.findall(r"src='data:image/png;base64,([^']*)'", text)
    assert base64.b64decode(data) == b"\x89PNG a figure"
    assert "<h2>Loss &amp; error</h2>" in text
    assert "<figcaption>What it shows.</figcaption>" in text
    assert not re.search(r"https?://|<script|<link|@import|url\(", text)


def test_missing_maps_are_told(written):
    assert "<p class='note'>There are no maps.</p>" in written(("u",), missing="There are no maps.")
    assert "no maps" not in written(("v",))


def test_runs_without_test_spectra_have_a_page(finished_run):
    overall, runs = tables(page([open_run(finished_run("u"))], [], [], ""))
    assert len(overall) == 1
    assert runs[1][0] == "u"
