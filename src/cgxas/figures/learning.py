"""Learning curves: training loss and validation error over the epochs of runs."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from cgxas.figures.style import COLOURS

Log = Mapping[str, NDArray[np.float64]]

N_NAMED = len(COLOURS)
"""Runs with a colour of their own; more are drawn thin, with their median."""

_CURVES = (("train_loss", "training loss", "--"), ("validation_rse", "validation RSE", "-"))


def plot_learning(logs: Mapping[str, Log], ax: Axes | None = None) -> Axes:
    """Draw the training loss (dashed) and the validation RSE (solid) of runs.

    Args:
        logs: name of the run -> columns ``epoch``, ``train_loss`` and ``validation_rse``.
        ax: where to draw; a new figure without it.

    Returns:
        The axes.
    """
    ax = Figure(figsize=(5.0, 3.6), layout="constrained").add_subplot() if ax is None else ax
    entries = _few(ax, logs) if len(logs) <= N_NAMED else _many(ax, logs)
    ax.set_yscale("log")
    ax.set_xlabel("epoch")
    ax.set_ylabel("relative squared error")
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True, steps=[1, 2, 5, 10]))
    ax.grid(which="both", axis="y", color="0.9", lw=0.5)
    ax.legend(handles=entries, frameon=False, loc="upper right")
    return ax


def _few(ax: Axes, logs: Mapping[str, Log]) -> list[Line2D]:
    """Draw every run in its colour; the legend names runs and kinds of line."""
    for log, colour in zip(logs.values(), COLOURS, strict=False):
        for column, _, dashes in _CURVES:
            ax.plot(log["epoch"], log[column], color=colour, ls=dashes, lw=1.4)
    lines = [
        Line2D([], [], color="0.3", ls=dashes, lw=1.4, label=text) for _, text, dashes in _CURVES
    ]
    named = [
        Line2D([], [], color=colour, lw=3, label=name)
        for name, colour in zip(logs, COLOURS, strict=False)
    ]
    return lines + named


def _many(ax: Axes, logs: Mapping[str, Log]) -> list[Line2D]:
    """Draw the runs thin and pale, and the median over them thick."""
    entries = []
    for (column, text, dashes), colour in zip(_CURVES, ("0.45", COLOURS[0]), strict=True):
        for log in logs.values():
            ax.plot(log["epoch"], log[column], color=colour, lw=0.5, alpha=0.3)
        epochs = np.unique(np.concatenate([log["epoch"] for log in logs.values()]))
        median = [
            np.median(np.concatenate([log[column][log["epoch"] == n] for log in logs.values()]))
            for n in epochs
        ]
        label = f"{text}, median of {len(logs)} runs"
        entries += ax.plot(epochs, median, color=colour, ls=dashes, lw=2.2, label=label)
    return entries
