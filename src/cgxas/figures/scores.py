"""How good answers are: errors of all spectra, examples of them, correlations per element."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator, ScalarFormatter
from numpy.typing import NDArray

from cgxas.elements import SYMBOLS
from cgxas.figures.spectra import X_LABEL, Y_LABEL
from cgxas.figures.style import COLOURS, typeset

if TYPE_CHECKING:
    from cgxas.evaluation.tested import TestedSpectra

QUANTILES = ((0.1, "low"), (0.5, "median"), (0.9, "high"), (0.99, "very high"))
"""Share of the spectra with a smaller error than an example, and what that is called."""

_MARKERS = "osD^vP"
_LONG = 40


def plot_rse_histogram(
    rse: NDArray[np.float64], ax: Axes | None = None, colour: str = COLOURS[0]
) -> Axes:
    """Draw how often errors are how large, in logarithmic bins; mean and median are marked.

    Args:
        rse: (T,) relative squared errors.
        ax: where to draw; a new figure without it.
        colour: of the bars.

    Returns:
        The axes.
    """
    ax = Figure(figsize=(5.0, 3.6), layout="constrained").add_subplot() if ax is None else ax
    floor = max(float(rse.max()) * 1e-9, 1e-12)  # a perfect answer has no logarithm
    shown = np.maximum(rse, floor)
    low, high = np.floor(np.log10(shown.min()) * 10) / 10, np.ceil(np.log10(shown.max()) * 10) / 10
    n_bins = int(np.clip(1.6 * np.sqrt(len(shown)), 8, 50))
    edges = np.geomspace(10**low, 10 ** max(high, low + 0.1), n_bins + 1)
    ax.hist(shown, edges.tolist(), color=colour)
    for value, name, dashes in ((rse.mean(), "mean", "-"), (np.median(rse), "median", "--")):
        ax.axvline(value, color="black", ls=dashes, lw=1.2, label=f"{name} {value:.4f}")
    ax.set_xscale("log")
    ax.set_xlabel("RSE")
    ax.set_ylabel("test spectra")
    ax.yaxis.set_major_locator(MaxNLocator(6, integer=True, steps=[1, 2, 5, 10]))
    count = f"{len(rse)} {'spectrum' if len(rse) == 1 else 'spectra'}"
    ax.legend(frameon=False, loc="upper right", title=count)
    return ax


def plot_examples(tested: "TestedSpectra", n_each: int = 3) -> Figure:
    """Draw spectra with a low, median, high and very high error, target and answer.

    Args:
        tested: the spectra.
        n_each: at most so many for each size of error.

    Returns:
        The figure: a column for each size of error.
    """
    rows = [_at_quantile(tested, share, n_each) for share, _ in QUANTILES]
    n_rows = max(len(each) for each in rows)
    figure = Figure(figsize=(3.1 * len(QUANTILES), 2.35 * n_rows + 0.5), layout="constrained")
    axes = figure.subplots(n_rows, len(QUANTILES), squeeze=False)
    for column, ((share, name), chosen) in enumerate(zip(QUANTILES, rows, strict=True)):
        for ax in axes[len(chosen) :, column]:
            ax.set_axis_off()
        for row, ax in zip(chosen, axes[:, column], strict=False):
            plot_example(tested, row, ax)
        first = axes[0, column]
        text = f"{name} error ({share:.0%} are below)"
        first.annotate(
            text, (0.5, 1.0), (0, 30), "axes fraction", "offset points", ha="center", weight="bold"
        )
    figure.legend(
        *axes[0, 0].get_legend_handles_labels(), loc="outside lower right", ncols=2, frameon=False
    )
    figure.supxlabel(X_LABEL, fontsize="medium")
    figure.supylabel(Y_LABEL, fontsize="medium")
    return figure


def plot_example(tested: "TestedSpectra", row: int, ax: Axes, colour: str = COLOURS[1]) -> Axes:
    """Draw a spectrum (black) and the answer to it.

    Args:
        tested: the spectra.
        row: which of them.
        ax: where to draw.
        colour: of the answer.

    Returns:
        The axes.
    """
    energy = tested.energy[row]
    ax.plot(energy, tested.target[row], color="black", lw=1.6, label="target")
    ax.plot(energy, tested.predicted[row], color=colour, lw=1.3, label="predicted")
    about = f"{typeset(str(tested.formula[row]))}, {tested.element[row]} K, {tested.fidelity[row]}"
    ax.set_title(
        f"{about}, RSE {tested.rse[row]:.2g}\n{_shortened(str(tested.key[row]))}", fontsize=7.5
    )
    ax.set_xlim(float(energy[0]), float(energy[-1]))
    curves = tested.target[row], tested.predicted[row]
    ax.set_ylim(bottom=min(0.0, *(float(np.nanmin(curve)) for curve in curves)))
    ax.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    ax.xaxis.set_major_formatter(ScalarFormatter(useOffset=False))
    return ax


def plot_element_pcc(scores: Mapping[str, Mapping[str, float]], ax: Axes | None = None) -> Axes:
    """Draw the correlation per element for several kinds of model, side by side.

    Args:
        scores: kind of model -> element -> Pearson correlation.
        ax: where to draw; a new figure without it.

    Returns:
        The axes.
    """
    ax = Figure(figsize=(11.0, 3.2), layout="constrained").add_subplot() if ax is None else ax
    elements = sorted({symbol for each in scores.values() for symbol in each}, key=SYMBOLS.index)
    place = {symbol: n for n, symbol in enumerate(elements)}
    for n in range(0, len(elements), 2):
        ax.axvspan(n - 0.5, n + 0.5, color="0.955", zorder=0)
    for n, (name, each) in enumerate(scores.items()):
        aside = 0.22 * (n - (len(scores) - 1) / 2)
        x = [place[symbol] + aside for symbol in each]
        marker, colour = _MARKERS[n % len(_MARKERS)], COLOURS[n % len(COLOURS)]
        ax.plot(
            x,
            list(each.values()),
            marker,
            ms=4.5,
            color=colour,
            label=name,
            zorder=3,
            clip_on=False,
        )
    ax.set_xlim(-0.5, len(elements) - 0.5)
    ax.xaxis.set_major_locator(FixedLocator(range(len(elements))))
    ax.set_xticklabels(elements)
    ax.tick_params(axis="x", length=0)
    low = min(score for each in scores.values() for score in each.values())
    ax.set_ylim(low - 0.05 * (1 - low) - 1e-3, 1)
    ax.set_ylabel("PCC")
    ax.grid(axis="y", color="0.85", lw=0.5)
    ax.legend(frameon=False, ncols=len(scores), loc="lower right", bbox_to_anchor=(1, 1))
    return ax


def _at_quantile(tested: "TestedSpectra", share: float, n_each: int) -> Sequence[int]:
    """Return the rows nearest to a quantile of the error, of different elements if possible."""
    order = np.argsort(tested.rse, kind="stable")
    middle = round(share * (len(order) - 1))
    near = order[np.argsort(np.abs(np.arange(len(order)) - middle), kind="stable")]
    few = near[: max(n_each, len(near) // 50)].tolist()
    _, first = np.unique(tested.element[few], return_index=True)
    different = sorted(first.tolist())
    others = [n for n in range(len(few)) if n not in different]
    return [few[n] for n in (*different, *others)][:n_each]


def _shortened(name: str) -> str:
    """Leave out the middle of a long name."""
    half = (_LONG - 1) // 2
    return name if len(name) <= _LONG else f"{name[:half]}…{name[-half:]}"
