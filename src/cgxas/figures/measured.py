"""Figures of measured spectra: how one was normalised, and one beside a prediction."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cgxas.figures.style import COLOURS, plain
from cgxas.spectra.compare import Overlay
from cgxas.spectra.measurement import Measurement

_SIZE = (5.4, 5.4)
_XANES = (-30.0, 80.0)


def plot_measurement(measurement: Measurement, flatten: bool = False) -> Figure:
    """Draw a measurement as given with its pre-edge and post-edge lines, and normalised.

    Args:
        measurement: what to draw.
        flatten: draw its post-edge made level, if it was normalised here.

    Returns:
        A figure of two panels: the whole range, and the region of the edge.
    """
    figure = Figure(figsize=_SIZE, layout="constrained")
    raw, normal = figure.subplots(2, 1)
    m = measurement
    raw.plot(m.energy, m.mu, color="black", lw=1.2, label="as measured")
    if m.pre_line is not None and m.post_line is not None:
        inside = m.energy >= m.e0
        raw.plot(m.energy, m.pre_line, color=COLOURS[0], lw=1.0, label="pre-edge")
        raw.plot(m.energy[inside], m.post_line[inside], color=COLOURS[1], lw=1.0, label="post-edge")
    _mark(raw, m)
    raw.set_title(plain(f"{m.label or m.source}, {m.element} {m.edge} edge"))
    raw.set_ylabel("μ(E), as measured")
    raw.legend(loc="best", frameon=False)
    normal.plot(m.energy, (m.flattened() if flatten else m).norm, color="black", lw=1.4)
    for level in (0.0, 1.0):
        normal.axhline(level, color="0.8", lw=0.8, zorder=0)
    normal.axvline(m.e0, color="0.55", lw=0.8, ls=":")
    normal.set_xlim(
        max(float(m.energy[0]), m.e0 + _XANES[0]), min(float(m.energy[-1]), m.e0 + _XANES[1])
    )
    normal.set_ylabel("μ(E), flattened" if flatten and m.flat is not None else "μ(E), normalised")
    normal.set_xlabel("Energy (eV)")
    for ax in (raw, normal):
        ax.ticklabel_format(axis="x", useOffset=False)
    return figure


def _mark(ax: Axes, measurement: Measurement) -> None:
    """Draw E0 and shade where the lines were fitted."""
    ax.axvline(measurement.e0, color="0.55", lw=0.8, ls=":")
    r = measurement.ranges
    for first, last in ((r.pre1, r.pre2), (r.norm1, r.norm2)) if r else ():
        ax.axvspan(measurement.e0 + first, measurement.e0 + last, color="0.93", lw=0, zorder=0)


def plot_comparison(
    before: Overlay,
    after: Overlay,
    title: str = "",
    simulated: tuple[str, Overlay] | None = None,
) -> Figure:
    """Draw a measured curve, the predicted one before and after, and the difference.

    Args:
        before: as predicted.
        after: shifted and broadened.
        title: what they are of.
        simulated: who simulated the same, and that curve shifted and broadened on its own; None:
            it is not drawn.

    Returns:
        A figure of two panels.
    """
    figure = Figure(figsize=_SIZE, layout="constrained")
    curves, rest = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    low, high = after.energy[[0, -1]]
    curves.plot(after.energy, after.measured, color="black", lw=1.6, label="measured")
    curves.plot(
        before.energy, before.predicted, color="0.6", lw=1.0, ls="--", label="predicted, as it is"
    )
    curves.plot(
        after.energy, after.predicted, color=COLOURS[1], lw=1.4, label=f"predicted, {_told(after)}"
    )
    if simulated is not None:
        name, beside = simulated
        label = f"{name}, {_told(beside)}"
        curves.plot(beside.energy, beside.predicted, color=COLOURS[0], lw=1.2, label=label)
    curves.set_title(plain(title))
    curves.set_ylabel("μ(E), normalised")
    curves.legend(loc="best", frameon=False)
    rest.axhline(0.0, color="0.8", lw=0.8)
    rest.plot(before.energy, before.predicted - before.measured, color="0.6", lw=1.0, ls="--")
    rest.plot(after.energy, after.predicted - after.measured, color=COLOURS[1], lw=1.2)
    if simulated is not None:
        beside = simulated[1]
        rest.plot(beside.energy, beside.predicted - beside.measured, color=COLOURS[0], lw=1.0)
    rest.set_ylabel("predicted −\nmeasured")
    rest.set_xlabel("Energy (eV)")
    rest.set_xlim(min(low, before.energy[0]), max(high, before.energy[-1]))
    rest.ticklabel_format(axis="x", useOffset=False)
    return figure


def _told(after: Overlay) -> str:
    words = [f"{after.shift:+.2f} eV"]
    if after.gaussian:
        words.append(f"Gaussian {after.gaussian:.2f} eV")
    if after.lorentzian:
        words.append(f"Lorentzian {after.lorentzian:.2f} eV")
    return ", ".join(words)
