"""Figures of mixtures: fractions along a series, its spectra and what is left; or one fit."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cgxas.figures.style import COLOURS, plain
from cgxas.typing import FloatArray

MOST_NAMED = 8
"""References named in a figure; the smallest others are drawn as one."""

_ONE, _SERIES = (5.4, 5.4), (9.6, 6.2)
_FEW = 12  # scans, drawn as bars with their names
_LEAST = 0.005  # of a reference, anywhere, that is worth a name
_LABELS = {"order": "scan", "time_s": "time (s)"}
_HOURS, _LONG = 3600.0, 2.0  # seconds of one, and from how many on times are drawn in them
_GREY = "0.7"
_LONGEST = 22  # letters of a name


def plot_mixture(
    names: Sequence[str],
    axis: tuple[str, FloatArray],
    references: Sequence[str],
    fractions: tuple[FloatArray, FloatArray],
    curves: FloatArray,
    scans: tuple[FloatArray, FloatArray, FloatArray],
    title: str = "",
) -> Figure:
    """Draw a mixture: a single scan with its parts, or a series.

    Args:
        names: (N,) of the scans.
        axis: what the series is laid along, and where each scan stands, (N,).
        references: (R,) names.
        fractions: (N, R), and their standard deviations, (N, R).
        curves: (R, P) the references.
        scans: energy (P,) in eV, the scans (N, P) and their fits (N, P), normalised.
        title: what they are of.

    Returns:
        A figure.
    """
    energy, norm, fitted = scans
    axis = _readable(*axis)
    if len(names) == 1:
        return _one(names[0], references, fractions, curves, (energy, norm[0], fitted[0]), title)
    figure = Figure(figsize=_SERIES, layout="constrained")
    (parts, heat), (fit, rest) = figure.subplots(2, 2, height_ratios=(1.15, 1.0))
    figure.suptitle(plain(title), fontsize=10)
    shown, whole = _named(references, fractions[0])
    _draw_fractions(parts, names, axis, shown, whole)
    _draw_misfit(fit, names, axis, norm, fitted)
    _draw_map(heat, energy, axis, norm, "μ(E), normalised", is_signed=False)
    _draw_map(rest, energy, axis, norm - fitted, "scan − fit", is_signed=True)
    return figure


def _one(
    name: str,
    references: Sequence[str],
    fractions: tuple[FloatArray, FloatArray],
    curves: FloatArray,
    scan: tuple[FloatArray, FloatArray, FloatArray],
    title: str,
) -> Figure:
    """A scan, its fit, the parts in it, and what is left."""
    energy, norm, fitted = scan
    share, error = fractions[0][0], fractions[1][0]
    figure = Figure(figsize=_ONE, layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    upper.plot(energy, norm, color="black", lw=1.6, label=plain(_short(name)))
    upper.plot(energy, fitted, color=COLOURS[1], lw=1.2, ls="--", label="fit")
    order = [n for n in np.argsort(-share) if share[n] >= _LEAST][:MOST_NAMED]
    colours = [each for n, each in enumerate(COLOURS) if n != 1] + [_GREY]
    for n, at in enumerate(order):
        label = f"{share[at]:.2f} ± {error[at]:.2f} {_short(references[at])}"
        colour = colours[min(n, len(colours) - 1)]
        upper.plot(energy, share[at] * curves[at], color=colour, lw=1.0, label=plain(label))
    upper.set_title(plain(title))
    upper.set_ylabel("μ(E), normalised")
    upper.legend(loc="lower right", frameon=False)
    lower.axhline(0.0, color="0.8", lw=0.8)
    lower.plot(energy, norm - fitted, color="black", lw=1.0)
    lower.set_ylabel("scan − fit")
    lower.set_xlabel("Energy (eV)")
    lower.set_xlim(float(energy[0]), float(energy[-1]))
    lower.ticklabel_format(axis="x", useOffset=False)
    return figure


def _named(references: Sequence[str], fractions: FloatArray) -> tuple[list[str], FloatArray]:
    """Return names and fractions (N, K) of the largest references, the others as one."""
    largest = np.argsort(-fractions.max(axis=0), kind="stable")
    kept = [n for n in largest if fractions[:, n].max() >= _LEAST]
    named = sorted(kept[:MOST_NAMED])
    rest = [n for n in range(len(references)) if n not in named]
    shown = [_short(references[n]) for n in named]
    whole = fractions[:, named]
    if rest and fractions[:, rest].sum(axis=1).max() >= _LEAST:
        shown.append(f"{len(rest)} others")
        whole = np.column_stack([whole, fractions[:, rest].sum(axis=1)])
    return shown, whole


def _draw_fractions(
    ax: Axes,
    names: Sequence[str],
    axis: tuple[str, FloatArray],
    shown: Sequence[str],
    whole: FloatArray,
) -> None:
    colours = _colours(shown)
    if _has_bars(names, axis):
        places, below = np.arange(len(names)), np.zeros(len(names))
        for label, colour, part in zip(shown, colours, whole.T, strict=True):
            ax.bar(places, part, bottom=below, color=colour, width=0.8, label=plain(label))
            below = below + part
        _name_scans(ax, names)
        ax.set_xlim(-0.5, len(names) - 0.5)
    else:
        ax.stackplot(axis[1], whole.T, colors=colours, labels=[plain(each) for each in shown], lw=0)
        _along(ax, axis)
    ax.set_ylim(0.0, 1.0)
    ax.set_ylabel("fraction")
    columns = 1 if len(shown) <= 2 else 2 if len(shown) <= 6 else 3
    ax.legend(
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=columns,
        frameon=False,
        handlelength=1.0,
        columnspacing=1.0,
        fontsize=7.5,
    )


def _draw_misfit(
    ax: Axes,
    names: Sequence[str],
    axis: tuple[str, FloatArray],
    norm: FloatArray,
    fitted: FloatArray,
) -> None:
    rms = np.sqrt(((norm - fitted) ** 2).mean(axis=1))
    if _has_bars(names, axis):
        ax.plot(np.arange(len(names)), rms, "o", ms=4, color="black", clip_on=False)
        _name_scans(ax, names)
        ax.set_xlim(-0.5, len(names) - 0.5)
    else:
        ax.plot(axis[1], rms, ".", ms=3, color="black", clip_on=False)
        _along(ax, axis)
    ax.set_ylim(0.0, 1.15 * float(rms.max()) or 1.0)
    ax.set_ylabel("rms of scan − fit")


def _along(ax: Axes, axis: tuple[str, FloatArray]) -> None:
    ax.set_xlim(float(axis[1].min()), float(axis[1].max()))
    ax.set_xlabel(_label(axis[0]))
    ax.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))


def _draw_map(
    ax: Axes,
    energy: FloatArray,
    axis: tuple[str, FloatArray],
    values: FloatArray,
    label: str,
    is_signed: bool,
) -> None:
    """Draw curves as a map: energy to the right, the series upwards."""
    places = axis[1]
    if len(np.unique(places)) < len(places) or not np.isfinite(places).all():
        places, name = np.arange(1.0, len(places) + 1), f"scan, by {_label(axis[0])}"
    else:
        name = _label(axis[0])
    most = float(np.quantile(np.abs(values), 0.999)) or 1.0
    how: Any = {"cmap": colormaps["RdBu_r"], "vmin": -most, "vmax": most}
    if not is_signed:
        how = {"cmap": colormaps["viridis"], "vmin": 0.0, "vmax": most}
    drawn = ax.pcolormesh(energy, places, values, shading="nearest", rasterized=True, **how)
    bar: Any = ax.figure.colorbar(drawn, ax=ax, pad=0.02)
    bar.set_label(label)
    ax.set_xlabel("Energy (eV)")
    ax.set_ylabel(name)
    ax.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    ax.ticklabel_format(axis="x", useOffset=False)


def _has_bars(names: Sequence[str], axis: tuple[str, FloatArray]) -> bool:
    return len(names) <= _FEW and axis[0] == "order"


def _name_scans(ax: Axes, names: Sequence[str]) -> None:
    ax.set_xticks(range(len(names)), [plain(_short(each)) for each in names])
    ax.tick_params(axis="x", labelrotation=60, labelsize=7)
    for tick in ax.get_xticklabels():
        tick.set_horizontalalignment("right")
        tick.set_rotation_mode("anchor")


def _colours(shown: Sequence[str]) -> list[Any]:
    more = [colormaps["tab20b"](n / 19) for n in (1, 6, 14)]
    found: list[Any] = [*COLOURS, *more][: len(shown)]
    if shown and shown[-1].endswith(" others"):
        found[-1] = _GREY
    return found


def _readable(name: str, places: FloatArray) -> tuple[str, FloatArray]:
    """Return an axis of long times in hours, any other as it is."""
    if name == "time_s" and np.nanmax(places) > _LONG * _HOURS:
        return "time (h)", places / _HOURS
    return name, places


def _label(axis: str) -> str:
    return plain(_LABELS.get(axis, axis))


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[:12]}…{name[-9:]}"
