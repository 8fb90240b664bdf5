"""The figures of a report: which there are, what they are called, and what is said of them."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cgxas.figures import (
    plot_absorbers,
    plot_element_pcc,
    plot_examples,
    plot_learning,
    plot_neighbours,
    plot_rse_histogram,
)
from cgxas.figures.style import COLOURS
from cgxas.report.groups import KINDS, Group, run_names
from cgxas.report.maps import Maps
from cgxas.training.folder import RunFolder

_COLUMNS = 3


@dataclass(frozen=True)
class ReportFigure:
    """A figure of a report.

    Attributes:
        name: of the file, without suffix.
        title: heading on the page.
        caption: what it shows.
        draw: makes it.
    """

    name: str
    title: str
    caption: str
    draw: Callable[[], Figure | Axes]


def report_figures(
    runs: Sequence[RunFolder], groups: Sequence[Group], maps: Maps
) -> Iterator[ReportFigure]:
    """Yield the figures in the order of the page."""
    if any(run.has_epochs for run in runs):
        yield ReportFigure(
            "learning",
            "Learning curves",
            "Training loss (dashed) and validation RSE (solid) after each epoch.",
            partial(_learning, runs),
        )
    if groups:
        yield ReportFigure(
            "errors",
            "Errors of the test spectra",
            "How often the relative squared error (RSE) of a test spectrum is how large.",
            partial(_histograms, groups),
        )
        yield from _examples(groups)
    if any(len(group.elements) > 1 for group in groups):
        yield ReportFigure(
            "elements",
            "Correlation per element",
            "Mean Pearson correlation (PCC) of target and prediction over the test spectra of "
            "each absorber.",
            partial(_correlations, groups),
        )
    yield from _maps(maps)


def _examples(groups: Sequence[Group]) -> Iterator[ReportFigure]:
    """Yield examples of every universal run; of the first runs where there is none."""
    shown = [group for group in groups if group.kind == "universal"] or groups[:1]
    for n, group in enumerate(shown, start=1):
        yield ReportFigure(
            "examples" if len(shown) == 1 else f"examples_{n}",
            f"Examples: {_full_label(group, groups)}",
            "Test spectra with a low, median, high and very high error: target black, prediction "
            "coloured. Where the target ends early, its source computed no more.",
            partial(plot_examples, group.tested),
        )


def _maps(maps: Maps) -> Iterator[ReportFigure]:
    for found, name, title, caption, draw in (
        (
            maps.absorbers,
            "sites",
            "Sites by absorber",
            "t-SNE of the vectors that {} gives the sites of the test spectra; common elements are "
            "thinned out. Each element is named where its sites lie thickest.",
            lambda m: plot_absorbers(m.sites.element, m.places),
        ),
        (
            maps.oxygens,
            "oxygen",
            "Oxygen sites by neighbour",
            "t-SNE of the vectors that {} gives oxygen sites of the data, coloured by the most "
            "common element in their first coordination shell.",
            lambda m: plot_neighbours(m.sites.neighbour, m.places),
        ),
    ):
        if found:
            about = caption.format(maps.model) + f" {len(found.sites)} sites."
            yield ReportFigure(name, title, about, partial(draw, found))


def _learning(runs: Sequence[RunFolder]) -> Figure:
    """One panel per kind of run."""
    names = run_names(runs)
    panels = {
        kind: {
            names[n]: run.log() for n, run in enumerate(runs) if run.kind == kind and run.has_epochs
        }
        for kind in KINDS
    }
    shown = {kind: logs for kind, logs in panels.items() if logs}
    figure = Figure(figsize=(max(5.6, 3.9 * len(shown)), 3.5), layout="constrained")
    axes = figure.subplots(1, len(shown), sharey=True, squeeze=False)[0]
    for (kind, logs), ax in zip(shown.items(), axes, strict=True):
        plot_learning(logs, ax)
        ax.set_title(f"{KINDS[kind]} ({len(logs)} {'run' if len(logs) == 1 else 'runs'})")
        if ax is not axes[0]:
            ax.set_ylabel("")
    return figure


def _histograms(groups: Sequence[Group]) -> Figure:
    n_columns = min(_COLUMNS, len(groups))
    n_rows = math.ceil(len(groups) / n_columns)
    size = (max(5.6, 3.7 * n_columns), 3.1 * n_rows)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(n_rows, n_columns, squeeze=False, sharex=True).ravel()
    for n, (group, ax) in enumerate(zip(groups, axes, strict=False)):
        plot_rse_histogram(group.tested.rse, ax, COLOURS[n % len(COLOURS)])
        ax.set_title(_full_label(group, groups))
        ax.tick_params(labelbottom=True)
    for ax in axes[len(groups) :]:
        ax.set_axis_off()
    return figure


def _correlations(groups: Sequence[Group]) -> Figure:
    """One panel per kind of split: only models tested on the same kind stand side by side."""
    splits = {split: list(each) for split, each in groupby(groups, lambda g: g.split_by)}
    n_elements = max(len(group.elements) for group in groups)
    width = min(11.5, max(4.6, 1.2 + 0.23 * n_elements))
    figure = Figure(figsize=(width, 2.9 * len(splits)), layout="constrained")
    axes = figure.subplots(len(splits), 1, squeeze=False)[:, 0]
    for (split, members), ax in zip(splits.items(), axes, strict=True):
        scores = {
            group.label: {symbol: each.pcc for symbol, each in group.elements.items()}
            for group in members
        }
        plot_element_pcc(scores, ax)
        ax.set_title(f"split by {split}", loc="left")
    return figure


def _full_label(group: Group, groups: Sequence[Group]) -> str:
    """Name the split as well where there are several."""
    several = len({each.split_by for each in groups}) > 1
    return f"{group.label}, split by {group.split_by}" if several else group.label
