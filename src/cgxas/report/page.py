"""The page of a report: one HTML file that needs no other and no network."""

import base64
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Any

from cgxas.elements import SYMBOLS
from cgxas.report.figures import ReportFigure
from cgxas.report.groups import KINDS, ElementScores, Group, run_names
from cgxas.report.style import CSS
from cgxas.training.folder import RunFolder

_SHORT_HASH = 12
_FEW_RUNS = 3
_SCORES = ("n", "RSE", "median", "PCC", "half step (eV)")
_NOTES = (
    "RSE: relative squared error, Σ(target − predicted)² / Σ target², mean over the spectra, and "
    "its median; PCC: mean Pearson correlation; half step: mean absolute error of "
    "the energy at half the edge step; n: "
    "test spectra. Uni: one model for all elements; Spec: a model per element trained alone; FT: "
    "the universal model with its head fine-tuned per element. Only figures of one kind of split "
    "are comparable: by formula, no compound is on two sides; by spectrum, one may be."
)


def page(
    runs: Sequence[RunFolder],
    groups: Sequence[Group],
    figures: Sequence[tuple[ReportFigure, Path]],
    missing: str,
) -> str:
    """Return the page.

    Args:
        runs: the runs.
        groups: the runs in groups.
        figures: the figures and the PNG files they were written to.
        missing: why maps are missing; empty if none is.
    """
    parts = [
        "<h1>Training runs</h1>",
        f"<p>{escape(_summary(runs))}</p>",
        "<h2>All test spectra</h2>",
        _overall(groups),
        f"<p class='note'>{escape(_NOTES)}</p>",
        *(_figure(figure, path) for figure, path in figures),
        f"<p class='note'>{escape(missing)}</p>" if missing else "",
        "<h2>Test spectra per element</h2>",
        *_per_element(groups),
        "<h2>Runs</h2>",
        *_runs(runs),
    ]
    return (
        "<!doctype html>\n<html lang='en'>\n<head>\n<meta charset='utf-8'>\n"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>\n"
        f"<title>Training runs</title>\n<style>{CSS}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(filter(None, parts))
        + "\n</main>\n</body>\n</html>\n"
    )


def _summary(runs: Sequence[RunFolder]) -> str:
    counts = {label: sum(run.kind == kind for run in runs) for kind, label in KINDS.items()}
    told = ", ".join(f"{n} {label}" for label, n in counts.items() if n)
    at_once = [name for name, run in zip(run_names(runs), runs, strict=True) if not run.has_epochs]
    without = (
        f" Without epochs, as a kernel took spectra in: {', '.join(at_once)}." if at_once else ""
    )
    return f"{len(runs)} {'run' if len(runs) == 1 else 'runs'} of cgxas: {told}.{without}"


def _figure(figure: ReportFigure, path: Path) -> str:
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    return (
        f"<h2>{escape(figure.title)}</h2>\n<figure>"
        f"<img alt='{escape(figure.title, quote=True)}' src='data:image/png;base64,{data}'>"
        f"<figcaption>{escape(figure.caption)}</figcaption></figure>"
    )


def _overall(groups: Sequence[Group]) -> str:
    rows = []
    for group in groups:
        all_ = group.overall
        rows.append(
            [
                group.label,
                group.split_by,
                *(str(n) for n in (len(group.runs), len(group.elements), all_.n)),
                *(f"{x:.4f}" for x in (all_.rse, all_.rse_median, all_.rse_90, all_.pcc)),
                _half_step(all_),
            ]
        )
    numbers = ("runs", "elements", "n", "RSE", "median", "90 %", "PCC", "half step (eV)")
    return _table([[("", 1), ("split by", 1), *((text, 1) for text in numbers)]], rows, 2)


def _per_element(groups: Sequence[Group]) -> Iterator[str]:
    """Yield a table for each kind of split, with a group of columns for each group of runs."""
    for split, each in groupby(groups, lambda group: group.split_by):
        members = list(each)
        scores = [group.elements for group in members]
        found = sorted({symbol for columns in scores for symbol in columns}, key=SYMBOLS.index)
        rows = [
            [symbol, *(text for columns in scores for text in _cells(columns.get(symbol)))]
            for symbol in found
        ]
        head = [
            [("", 1), *((group.label, len(_SCORES)) for group in members)],
            [("", 1), *((text, 1) for _ in members for text in _SCORES)],
        ]
        yield f"<h3>Split by {escape(split)}</h3>" + _table(head, rows, 1, len(_SCORES))


def _cells(scores: ElementScores | None) -> list[str]:
    if scores is None:
        return ["–"] * len(_SCORES)
    numbers = (f"{x:.4f}" for x in (scores.rse, scores.rse_median, scores.pcc))
    return [str(scores.n), *numbers, _half_step(scores)]


def _half_step(scores: ElementScores) -> str:
    return "–" if scores.half_step_error is None else f"{scores.half_step_error:.2f}"


def _runs(runs: Sequence[RunFolder]) -> Iterator[str]:
    head = ("run", "kind", "element", "split by", "split", "data", "data hash")
    rows, details = [], []
    for name, run in zip(run_names(runs), runs, strict=True):
        folders = ", ".join(folder.name for folder in run.data)
        hashes = [sha256[:_SHORT_HASH] for sha256 in (run.split_sha256, run.data_sha256)]
        label, element = KINDS[run.kind], run.element or "all"
        rows.append([name, label, element, run.split_by, hashes[0], folders, hashes[1]])
        facts = {"command": run.command, "split": run.split_sha256, "data": run.data_sha256}
        details.append(_details(name, facts | dict(run.environment)))
    yield _table([[(text, 1) for text in head]], rows, len(head))
    is_open = " open" if len(runs) <= _FEW_RUNS else ""
    yield f"<details{is_open}><summary>Commands and environments</summary>"
    yield from details
    yield "</details>"


def _details(name: str, facts: dict[str, Any]) -> str:
    rows = "".join(
        f"<dt>{escape(str(key))}</dt><dd>{escape(str(value))}</dd>" for key, value in facts.items()
    )
    return f"<h3>{escape(name)}</h3><dl>{rows}</dl>"


def _table(
    head: Iterable[Sequence[tuple[str, int]]],
    rows: Iterable[Sequence[str]],
    n_texts: int,
    group: int = 0,
) -> str:
    """Return a table.

    Args:
        head: rows of headings, each with the columns it spans.
        rows: the cells.
        n_texts: the first columns are text, to the left; the others are numbers, to the right.
        group: a rule is drawn before every so many columns of numbers.
    """

    def kind(column: int) -> str:
        classes = ["text"] if column < n_texts else []
        if group and column >= n_texts and (column - n_texts) % group == 0:
            classes.append("first")
        return f" class='{' '.join(classes)}'" if classes else ""

    lines = []
    for heading in head:
        column, cells = 0, []
        for text, span in heading:
            wide = f" colspan='{span}'" if span > 1 else ""
            cells.append(f"<th{kind(column)}{wide}>{escape(text)}</th>")
            column += span
        lines.append(f"<tr>{''.join(cells)}</tr>")
    body = (
        "".join(f"<td{kind(n)}>{escape(text)}</td>" for n, text in enumerate(row)) for row in rows
    )
    return (
        f"<div class='wide'><table><thead>{''.join(lines)}</thead><tbody>"
        + "\n".join(f"<tr>{cells}</tr>" for cells in body)
        + "</tbody></table></div>"
    )
