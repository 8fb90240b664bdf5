"""What a calibration gained: errors by method, single spectra, measured among simulated sites."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import patheffects
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, ScalarFormatter
from numpy.typing import NDArray

from cgxas.errors import OutputError
from cgxas.figures.maps import add_legend, draw_neighbours, empty_map
from cgxas.figures.spectra import BAND_LABEL, MAX_PANELS, X_LABEL, Y_LABEL
from cgxas.figures.style import COLOURS, STYLE, typeset

Errors = Mapping[str, Mapping[str, Mapping[str, float]]]
"""Part -> "rse" or "half_step" -> its "mean" and "deviation" over the repeats."""

_PARTS = {"train": "training", "validation": "validation", "test": "test"}
_UNCALIBRATED, _GREY = "uncalibrated", "0.68"
_PER_ROW = 4
_ENTRY = 1.15  # inches, of a legend
_NICE = tuple(digit * 10.0**power for power in range(1, -7, -1) for digit in (5, 2, 1))
_APART = 0.12  # of the height of a panel, between labels of a square-root scale
_NAME_SIZE = 8.0
_STAR, _NEAR = 11.0, 30.0  # points: size of a star, and what counts as beside it
_DIRECTIONS = np.array([(x, y) for x in (-1, -0.5, 0, 0.5, 1) for y in (-1, 0, 1) if x or y])
_ALONG = np.linspace(0.1, 0.9, 9)  # parts of a line from a star to its name
_DOT = np.array([3.0, 3.0])  # size of each, points
_ROUNDS = 3
_DISTANCES = (7.0, 13.0, 22.0, 34.0, 48.0, 64.0, 82.0)  # of a name from its star, points


@dataclass(frozen=True, eq=False)
class CalibrationOverlay:
    """A measured spectrum and what a model said before and after its calibration.

    Attributes:
        title: compound and element.
        energy: (P,) eV.
        measured: (P,) NaN where it was not measured.
        uncalibrated: (P,) before.
        calibrated: (P,) after.
        sigma: (P,) standard deviation around `calibrated`, if the method tells one.
        rse: relative squared error after.
        edge_error: half step after minus the measured one, eV.
    """

    title: str
    energy: NDArray[np.float64]
    measured: NDArray[np.float64]
    uncalibrated: NDArray[np.float64]
    calibrated: NDArray[np.float64]
    sigma: NDArray[np.float64] | None
    rse: float
    edge_error: float


def plot_calibration(scores: Mapping[str, Mapping[str, Errors]]) -> Figure:
    """Draw RSE and half-step error on train, validation and test part (Lin et al., Fig. 5).

    Args:
        scores: element -> method -> errors; bars are means, whiskers deviations over repeats.

    Returns:
        The figure: a column for each element, RSE above, half-step error in eV below.

    Raises:
        OutputError: there is no element.
    """
    if not scores:
        raise OutputError("There are no errors to draw: run the calibration of an element first.")
    blocks = math.ceil(len(scores) / _PER_ROW)
    columns = math.ceil(len(scores) / blocks)
    names = tuple(dict.fromkeys(name for methods in scores.values() for name in methods))
    looks = _looks(names)
    width = max(1.0 + 2.7 * columns, 4.6)
    figure = Figure(figsize=(width, 4.3 * blocks + 0.5), layout="constrained")
    axes = figure.subplots(2 * blocks, columns, squeeze=False)
    pairs = [axes[2 * block : 2 * block + 2, n] for block in range(blocks) for n in range(columns)]
    for n, (element, methods) in enumerate(scores.items()):
        upper, lower = pairs[n]
        _draw_errors(upper, lower, methods, looks)
        upper.set_title(element, weight="bold", pad=9)
        if n % columns == 0:
            upper.set_ylabel("RSE (square-root scale)")
            lower.set_ylabel("half-step error (eV)")
    for pair in pairs[len(scores) :]:
        for ax in pair:
            ax.set_axis_off()
    lines = math.ceil(len(names) / (width / _ENTRY))
    figure.legend(
        handles=[Patch(label=name, **looks[name]) for name in names],
        loc="outside upper center",
        ncols=math.ceil(len(names) / lines),
        frameon=False,
        handlelength=1.4,
        columnspacing=1.4,
    )
    return figure


def _looks(names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return what the bars of each method look like: grey before, a colour or hatch after."""
    looks: dict[str, dict[str, Any]] = {}
    for n, name in enumerate(name for name in names if name != _UNCALIBRATED):
        again, which = divmod(n, len(COLOURS))
        looks[name] = {"facecolor": COLOURS[which], "edgecolor": "white", "lw": 0}
        looks[name] |= {"hatch": "/////"[: 5 * again]} if again else {}
    return {_UNCALIBRATED: {"facecolor": _GREY, "edgecolor": "white", "lw": 0}} | looks


def _draw_errors(
    upper: Axes, lower: Axes, methods: Mapping[str, Errors], looks: Mapping[str, dict[str, Any]]
) -> None:
    """Draw a group of bars for each part, RSE above and half-step error below."""
    width = 0.84 / len(methods)
    for ax, quantity in ((upper, "rse"), (lower, "half_step")):
        highest = 0.0
        for n, (name, errors) in enumerate(methods.items()):
            each = [errors[part][quantity] for part in _PARTS]
            mean = np.array([values["mean"] for values in each])
            deviation = np.nan_to_num([values["deviation"] for values in each])
            x = np.arange(len(_PARTS)) + width * (n - (len(methods) - 1) / 2)
            whiskers = np.array([np.minimum(deviation, mean), deviation])
            ax.bar(x, mean, 0.92 * width, zorder=2, **looks[name])
            ax.errorbar(
                x, mean, whiskers, fmt="none", ecolor="0.15", elinewidth=0.8, capsize=1.5, zorder=3
            )
            highest = max(highest, float(np.nanmax(mean + deviation, initial=0.0)))
        ax.set_ylim(0, 1.06 * highest or 1.0)
        ax.set_xlim(-0.55, len(_PARTS) - 0.45)
        ax.set_xticks(range(len(_PARTS)), _PARTS.values() if ax is lower else [])
        ax.tick_params(axis="x", length=0)
        ax.grid(axis="y", color="0.9", lw=0.5, zorder=0)
        ax.set_axisbelow(True)
    lower.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    _square_root_scale(upper)


def _square_root_scale(ax: Axes) -> None:
    """Make small errors visible beside great ones; zero stays where bars begin, unlike in a log."""
    highest = ax.get_ylim()[1]
    ax.set_yscale("function", functions=(lambda y: np.sqrt(np.maximum(y, 0)), np.square))
    ax.set_ylim(0, highest)
    ticks: list[float] = []
    for value in (value for value in _NICE if value <= highest):
        last = math.sqrt(ticks[-1] / highest) if ticks else 2.0
        here = math.sqrt(value / highest)
        if min(last - here, here) > _APART:
            ticks.append(value)
    ticks = [0.0, *reversed(ticks)]
    ax.set_yticks(ticks, [f"{value:g}" for value in ticks])
    ax.set_yticks([], minor=True)


def plot_overlays(overlays: Sequence[CalibrationOverlay]) -> Figure:
    """Draw measured spectra with those of a model before and after its calibration.

    Args:
        overlays: up to 24.

    Returns:
        The figure: a panel for each.

    Raises:
        OutputError: there are no or too many spectra.
    """
    if not 1 <= len(overlays) <= MAX_PANELS:
        raise OutputError(
            f"A figure holds 1 to {MAX_PANELS} spectra, not {len(overlays)}: choose some."
        )
    columns = min(_PER_ROW, math.ceil(math.sqrt(len(overlays))))
    rows = math.ceil(len(overlays) / columns)
    size = (max(3.1 * columns, 4.2), 2.35 * rows + 0.6)
    figure = Figure(figsize=size, layout="constrained")
    entries: dict[str, Artist] = {}
    for n, overlay in enumerate(overlays, start=1):
        entries |= _draw_overlay(overlay, figure.add_subplot(rows, columns, n))
    figure.legend(
        handles=list(entries.values()), loc="outside upper center", ncols=4, frameon=False
    )
    figure.supxlabel(X_LABEL, fontsize=STYLE["axes.labelsize"])
    figure.supylabel(Y_LABEL, fontsize=STYLE["axes.labelsize"])
    return figure


def _draw_overlay(overlay: CalibrationOverlay, ax: Axes) -> dict[str, Artist]:
    """Draw one of them; return label -> entry of a legend."""
    energy, after = overlay.energy, overlay.calibrated
    found: list[Artist] = [
        *ax.plot(energy, overlay.measured, color="black", lw=1.6, label="measured", zorder=3),
        *ax.plot(energy, overlay.uncalibrated, color="0.55", lw=1.0, ls="--", label=_UNCALIBRATED),
        *ax.plot(energy, after, color=COLOURS[1], lw=1.4, label="calibrated", zorder=4),
    ]
    if overlay.sigma is not None:
        band = after - overlay.sigma, after + overlay.sigma
        look: Any = {"color": COLOURS[1], "alpha": 0.2, "lw": 0, "label": BAND_LABEL, "zorder": 1}
        found.append(ax.fill_between(energy, *band, **look))
    ax.set_title(typeset(overlay.title), fontsize=9)
    moved = f"{round(overlay.edge_error, 1) + 0.0:+.1f}".replace("-", "−")  # never minus zero
    errors = f"RSE {f'{overlay.rse:#.2g}'.rstrip('.')}\nΔ half step {moved} eV"
    ax.annotate(errors, (0.97, 0.05), xycoords="axes fraction", ha="right", fontsize=8)
    ax.set_xlim(float(energy[0]), float(energy[-1]))
    curves = np.concatenate([overlay.measured, overlay.uncalibrated, after])
    low, high = min(0.0, float(np.nanmin(curves))), float(np.nanmax(curves))
    margin = 0.08 * (high - low)  # a band far wider than the curves would flatten them: it is cut
    ax.set_ylim(low - margin, high + margin)
    ax.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    ax.xaxis.set_major_formatter(ScalarFormatter(useOffset=False))
    return {str(artist.get_label()): artist for artist in found}


def plot_measured_among(
    places: NDArray[np.float64],
    kinds: NDArray[np.str_],
    measured: NDArray[np.bool_],
    names: Sequence[str] | NDArray[np.str_],
    ax: Axes | None = None,
) -> Axes:
    """Draw where measured samples lie among simulated sites.

    Args:
        places: (N, 2) of all.
        kinds: (N - M,) neighbour of the simulated ones, which colours them; empty where none is.
        measured: (N,) which are measured, M of them.
        names: (M,) what those are called; no label where empty.
        ax: where to draw; a new figure without it.

    Returns:
        The axes.
    """
    ax = empty_map(places) if ax is None else ax
    entries = draw_neighbours(ax, kinds, places[~measured], opacity=0.4)
    look: dict[str, Any] = {"color": "white", "markeredgecolor": "black", "markeredgewidth": 1.0}
    star = Line2D([], [], marker="*", ls="", ms=11, label=f"measured ({measured.sum()})", **look)
    stars = places[measured]
    ax.plot(stars[:, 0], stars[:, 1], "*", ms=11, zorder=4, **look)
    add_legend(ax, [star, *entries], title="neighbour (sites)")
    named = [n for n, name in enumerate(names) if name]
    _label_stars(ax, stars[named], [str(names[n]) for n in named])
    return ax


def _label_stars(ax: Axes, stars: NDArray[np.float64], names: Sequence[str]) -> None:
    """Write names beside stars, where they hide neither each other nor a star if possible."""
    figure: Any = ax.figure.figure
    figure.draw_without_rendering()  # the legend takes its room first
    room = ax.get_window_extent().bounds
    per_pixel = 72 / figure.dpi
    points = (ax.transData.transform(stars.reshape(-1, 2)) - room[:2]) * per_pixel
    boxes = [((0.56 * len(name) + 0.4) * _NAME_SIZE, 1.3 * _NAME_SIZE) for name in names]
    shifts = free_places(points, np.reshape(boxes, (-1, 2)), np.array(room[2:]) * per_pixel)
    line = {"arrowstyle": "-", "color": "0.3", "lw": 0.6, "shrinkA": 0, "shrinkB": 4}
    for name, star, shift in zip(names, stars, shifts, strict=True):
        ax.annotate(
            typeset(name),
            xy=tuple(star),
            xytext=tuple(shift),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=_NAME_SIZE,
            path_effects=[patheffects.withStroke(linewidth=2.0, foreground="white")],
            arrowprops=line,
            zorder=5,
        )


def free_places(
    points: NDArray[np.float64], boxes: NDArray[np.float64], room: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return (M, 2) shifts from points to the centres of boxes that hide as little as possible.

    The points with most others near them choose first; then all choose again.

    Args:
        points: (M, 2) places in a room from (0, 0).
        boxes: (M, 2) widths and heights, in the same unit.
        room: (2,) width and height of the room.
    """
    far = np.repeat(_DISTANCES, len(_DIRECTIONS))
    shifts = np.zeros_like(points)
    apart = np.linalg.norm(points[:, None] - points, axis=2)
    order = np.argsort(-np.exp(-apart / _NEAR).sum(axis=1), kind="stable").tolist()
    done: set[int] = set()
    for n in order * _ROUNDS:
        others = sorted(done - {n})
        lines = points[others, None] + shifts[others, None] * _ALONG[:, None]
        there = np.concatenate([points, points[others] + shifts[others], lines.reshape(-1, 2)])
        sizes = np.full_like(there, _DOT)
        sizes[: len(points)] = _STAR
        sizes[len(points) : len(points) + len(others)] = boxes[others]
        tried = np.tile(_DIRECTIONS, (len(_DISTANCES), 1)) * (boxes[n] / 2 + far[:, None])
        centres = points[n] + tried
        hidden = _overlap(centres, boxes[n], there, sizes)
        sizes[: len(points)][apart[n] < _STAR] = 0.0  # a line starts at its star
        lines = points[n] + tried[:, None] * _ALONG[:, None]
        crossed = _overlap(lines.reshape(-1, 2), _DOT, there, sizes).reshape(len(far), -1)
        outside = np.maximum(np.abs(centres - room / 2) + boxes[n] / 2 - room / 2, 0).sum(axis=1)
        shifts[n] = tried[np.argmin(2 * hidden + 4 * crossed.sum(axis=1) + 20 * outside + far)]
        done.add(n)
    return shifts


def _overlap(
    centres: NDArray[np.float64],
    box: NDArray[np.float64],
    others: NDArray[np.float64],
    sizes: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return (C,) the area of a box at each of (C, 2) places that (O, 2) other boxes cover."""
    covered = (box + sizes) / 2 - np.abs(centres[:, None] - others)
    covered = np.clip(covered, 0, np.minimum(box, sizes))
    return np.asarray(covered.prod(axis=2).sum(axis=1))
