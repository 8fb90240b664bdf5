"""Figure of the mean of a trajectory: the curve with its errors, and how it converged."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cgxas.figures.spectra import X_LABEL, Y_LABEL
from cgxas.figures.style import typeset
from cgxas.spectra.average import Average

_FRAMES, _MEAN = "#9DB7D5", "#B03000"


def plot_average(found: Average, axes: tuple[Axes, Axes] | None = None) -> tuple[Axes, Axes]:
    """Draw a mean with its spread and standard error, and its error against the number of frames.

    Args:
        found: what to draw.
        axes: where to draw the two; a new figure without them.

    Returns:
        The axes.
    """
    if axes is None:
        figure = Figure(figsize=(9.0, 3.6), layout="constrained")
        axes = tuple(figure.subplots(1, 2, width_ratios=(3, 2)))
    _draw_mean(axes[0], found)
    _draw_convergence(axes[1], found)
    return axes


def _draw_mean(ax: Axes, found: Average) -> None:
    mean = found.spectrum
    bands = (
        (found.spread, _FRAMES, "frames, ± 1 standard deviation"),
        (found.standard_error, _MEAN, "mean, ± 1 standard error"),
    )
    for width, colour, label in bands:
        ax.fill_between(
            mean.energy, mean.norm - width, mean.norm + width, color=colour, lw=0, label=label
        )
    ax.plot(mean.energy, mean.norm, color="black", lw=1.2)
    frames = f"mean of {found.n_frames:,} frames"
    ax.set(xlabel=X_LABEL, ylabel=Y_LABEL, xlim=(mean.energy[0], mean.energy[-1]))
    ax.set_title(f"{typeset(mean.formula)}, {mean.absorber} K edge: {frames} ({mean.model})")
    ax.legend(loc="lower right", frameon=False)


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
    label = "standard error" if found.is_settled else "standard error, at least"
    ax.loglog(
        [each.n_frames for each in every],
        [each.standard_error for each in every],
        color=_MEAN,
        label=label,
    )
    ax.set(xlabel="Frames", ylabel="RMS over energies (edge steps)")
    ax.set_title(
        f"blocks of {found.block} frames are independent"
        if found.is_settled
        else "too short to tell how many are independent"
    )
    ax.legend(loc="lower left", frameon=False)
