"""Figure of the mean of a trajectory: the curve, its errors, and how it converged."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cgxas.figures.spectra import X_LABEL, Y_LABEL
from cgxas.figures.style import typeset
from cgxas.spectra.average import Average

_FRAMES, _MEAN, _MODEL = "#9DB7D5", "#B03000", "#777777"
_ROOM = 4.0  # below the curves, for the legend: they end that many times above the axis


def plot_average(found: Average) -> Figure:
    """Draw a mean over its spread, below it the errors, beside it how it converged.

    Args:
        found: what to draw.

    Returns:
        The figure.
    """
    figure = Figure(figsize=(9.0, 4.4), layout="constrained")
    axes = figure.subplot_mosaic(
        [["mean", "run"], ["errors", "run"]], height_ratios=(5, 3), width_ratios=(3, 2)
    )
    axes["mean"].sharex(axes["errors"])
    _draw_mean(axes["mean"], found)
    _draw_errors(axes["errors"], found)
    _draw_convergence(axes["run"], found)
    return figure


def _draw_mean(ax: Axes, found: Average) -> None:
    mean = found.spectrum
    low, high = mean.norm - found.spread, mean.norm + found.spread
    ax.fill_between(mean.energy, low, high, color=_FRAMES, lw=0, label="frames, ± 1 σ")
    ax.plot(mean.energy, mean.norm, color="black", lw=1.2, label="mean")
    ax.set(ylabel=Y_LABEL, xlim=(mean.energy[0], mean.energy[-1]))
    ax.tick_params(labelbottom=False)
    what = f"{typeset(mean.formula)}, {mean.absorber} K edge ({mean.model})"
    ax.set_title(f"{what}: {found.n_frames:,} frames")
    ax.legend(loc="lower right", frameon=False)


def _draw_errors(ax: Axes, found: Average) -> None:
    curves = [(found.spread, _FRAMES, "frames"), (found.standard_error, _MEAN, "mean")]
    if found.spectrum.sigma is not None:
        curves.insert(0, (found.spectrum.sigma, _MODEL, "model"))
    for sigma, colour, label in curves:
        ax.semilogy(found.spectrum.energy, sigma, color=colour, label=label)
    ax.set(xlabel=X_LABEL, ylabel="σ (edge steps)")
    ax.legend(loc="lower right", frameon=False, ncols=3)


def _draw_convergence(ax: Axes, found: Average) -> None:
    points = [each for each in found.convergence if each.n_frames < found.n_frames]
    ax.loglog(
        [each.n_frames for each in points],
        [each.distance for each in points],
        "o",
        color="black",
        ms=4,
        label="mean of the first frames less that of all",
    )
    every = found.convergence
    errors = [each.standard_error for each in every]
    label = "standard error" if found.is_settled else "standard error, at least"
    ax.loglog([each.n_frames for each in every], errors, color=_MEAN, label=label)
    lowest = min([*errors, *(each.distance for each in points)])
    ax.set(xlabel="Frames", ylabel="RMS over energies (edge steps)")
    ax.set_ylim(bottom=lowest / _ROOM)
    told = f"autocorrelation time {found.correlation_time:.1f} frames"
    ax.set_title(told if found.is_settled else "too short to tell the standard error")
    ax.legend(loc="lower left", frameon=False)
