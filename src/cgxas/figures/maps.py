"""Maps of sites in two dimensions, coloured by what the sites are or what is around them."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from cgxas.elements import SYMBOLS

N_NAMED = 12
"""Neighbours with a colour of their own."""

_GREY = "#b8b8b8"

# From the first to the last member of each column of the periodic table, and row of d metals.
_FAMILIES: tuple[tuple[str, str, str, str], ...] = (
    ("#7f2704", "#d9946c", "group 1", "H Li Na K Rb Cs"),
    ("#d97706", "#f7c873", "group 2", "Be Mg Ca Sr Ba"),
    ("#1e1b8f", "#62b6f5", "3d metals", "Sc Ti V Cr Mn Fe Co Ni Cu Zn"),
    ("#00594f", "#5fe0cb", "4d metals", "Y Zr Nb Mo Tc Ru Rh Pd Ag Cd"),
    ("#646b12", "#c3c86a", "group 13", "B Al Ga In Tl"),
    ("#2b2b2b", "#9a9a9a", "group 14", "C Si Ge Sn Pb"),
    ("#5b1f86", "#bf93dc", "group 15", "N P As Sb Bi"),
    ("#c01236", "#f08ca2", "group 16", "O S Se Te"),
    ("#1c7a33", "#8fd49f", "group 17", "F Cl Br I"),
)
_NEIGHBOUR_COLOURS = (
    "#1f77b4", "#d62728", "#2ca02c", "#ff9a1f", "#7b3fa0", "#17becf",
    "#e377c2", "#7a4a2b", "#b5bd00", "#0b3d91", "#98df8a", "#111111",
)  # fmt: skip
_FEW = 8
_LABEL_SIZE = 9.0


def plot_absorbers(
    elements: NDArray[np.str_], places: NDArray[np.float64], ax: Axes | None = None
) -> Axes:
    """Draw sites in the colours of the periodic table, each element named where it is thickest.

    Args:
        elements: (N,) symbols.
        places: (N, 2) where the sites lie.
        ax: where to draw; a new figure without it.

    Returns:
        The axes.
    """
    ax = empty_map(places) if ax is None else ax
    colours = _element_colours(set(elements.tolist()))
    order = np.random.default_rng(0).permutation(len(elements))  # none lies above all others
    shades = np.array([colours[symbol] for symbol in elements.tolist()])
    _scatter(ax, places[order], shades[order], len(elements))
    shown = sorted(colours, key=SYMBOLS.index)
    _name_clusters(ax, shown, [places[elements == symbol] for symbol in shown], colours)
    _family_legend(ax, colours)
    return ax


def plot_neighbours(
    neighbours: NDArray[np.str_], places: NDArray[np.float64], ax: Axes | None = None
) -> Axes:
    """Draw sites in the colour of the element around them; the rarer ones are grey.

    Args:
        neighbours: (N,) symbols; empty where a site has no neighbour.
        places: (N, 2) where the sites lie.
        ax: where to draw; a new figure without it.

    Returns:
        The axes.
    """
    ax = empty_map(places) if ax is None else ax
    add_legend(ax, draw_neighbours(ax, neighbours, places), title="neighbour (sites)")
    return ax


def draw_neighbours(
    ax: Axes, neighbours: NDArray[np.str_], places: NDArray[np.float64], opacity: float = 0.8
) -> list[Line2D]:
    """Draw dots in the colour of the neighbour; the rarer ones are grey.

    Args:
        ax: where to draw.
        neighbours: (N,) symbols; empty where a site has no neighbour.
        places: (N, 2) where the sites lie.
        opacity: of the dots.

    Returns:
        The entries of a legend.
    """
    kinds, count = np.unique(neighbours[neighbours != ""], return_counts=True)
    order = np.lexsort((kinds, -count))
    named = kinds[order[:N_NAMED]].tolist()
    colours = dict(zip(named, _NEIGHBOUR_COLOURS, strict=False))
    rest = ~np.isin(neighbours, named)
    _scatter(ax, places[rest], _GREY, len(neighbours), opacity)
    mixed = np.random.default_rng(0).permutation(np.flatnonzero(~rest))
    shades = [colours[symbol] for symbol in neighbours[mixed].tolist()]
    _scatter(ax, places[mixed], shades, len(neighbours), opacity)
    entries = [_dot(colours[s], f"{s} ({count[order[n]]})") for n, s in enumerate(named)]
    if rest.any():
        entries.append(_dot(_GREY, f"other ({rest.sum()})"))
    return entries


def empty_map(places: NDArray[np.float64]) -> Axes:
    """Return axes of a new figure that hold some (N, 2) places."""
    ax = Figure(figsize=(8.2, 6.2), layout="constrained").add_subplot()
    ax.set_xticks([])
    ax.set_yticks([])
    ax.set_xlabel("t-SNE 1")
    ax.set_ylabel("t-SNE 2")
    low, high = places.min(axis=0), places.max(axis=0)
    margin = 0.04 * (high - low)
    ax.set_xlim(low[0] - margin[0], high[0] + margin[0])
    ax.set_ylim(low[1] - margin[1], high[1] + margin[1])
    return ax


def _scatter(
    ax: Axes, places: NDArray[np.float64], colours: Any, n: int, opacity: float = 0.8
) -> None:
    """Draw some of n dots, which are the smaller the more there are."""
    size = float(np.clip(20000 / n, 6, 40))
    ax.scatter(places[:, 0], places[:, 1], s=size, c=colours, alpha=opacity, linewidths=0)


def _element_colours(shown: set[str]) -> dict[str, tuple[float, float, float]]:
    """Return element -> colour: between those of its family, by its place there."""
    colours = {symbol: to_rgb(_GREY) for symbol in shown}
    for first, last, _, members in _FAMILIES:
        family = members.split()
        for n, symbol in enumerate(family):
            share = n / (len(family) - 1)
            r, g, b = (
                a + share * (z - a) for a, z in zip(to_rgb(first), to_rgb(last), strict=True)
            )
            if symbol in shown:
                colours[symbol] = (r, g, b)
    return colours


def _name_clusters(
    ax: Axes,
    names: Sequence[str],
    groups: Sequence[NDArray[np.float64]],
    colours: dict[str, tuple[float, float, float]],
) -> None:
    """Write each name where its points are thickest, moved aside where names would overlap."""
    figure: Any = ax.figure
    width, height = ax.get_window_extent().size / figure.dpi * 72  # points
    low = np.array([ax.get_xlim()[0], ax.get_ylim()[0]])
    per_unit = np.array([width, height]) / (np.array([ax.get_xlim()[1], ax.get_ylim()[1]]) - low)
    thickest = np.array([(_thickest(group) - low) * per_unit for group in groups])
    boxes = np.array([(0.72 * len(name) + 0.2, 1.25) for name in names]) * _LABEL_SIZE
    # A name above its sites where they are so few that it would hide them.
    few = np.array([len(group) < _FEW for group in groups])
    moved = spread(thickest + np.outer(few, (0, _LABEL_SIZE)), boxes)
    halo = [patheffects.withStroke(linewidth=2.2, foreground="white")]
    for name, start, end in zip(names, thickest, moved, strict=True):
        dark = tuple(0.62 * x for x in colours[name])
        ax.annotate(
            name,
            xy=tuple(start / per_unit + low),
            xytext=tuple(end - start),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=_LABEL_SIZE,
            fontweight="bold",
            color=dark,
            path_effects=halo,
            arrowprops=_leader(dark) if np.hypot(*(end - start)) > 1.6 * _LABEL_SIZE else None,
            zorder=5,
        )


def _leader(colour: Any) -> dict[str, Any]:
    return {"arrowstyle": "-", "color": colour, "lw": 0.6, "shrinkA": 4, "shrinkB": 0}


def _thickest(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the (2,) point with the most others near it."""
    apart = ((points[:, None] - points) ** 2).sum(axis=2)
    scale = np.median(apart) / 8 + 1e-12
    return np.asarray(points[np.argmax(np.exp(-apart / scale).sum(axis=1))])


def spread(
    centres: NDArray[np.float64], boxes: NDArray[np.float64], n_rounds: int = 400
) -> NDArray[np.float64]:
    """Return (N, 2) centres near the given ones whose boxes overlap as little as possible.

    Args:
        centres: (N, 2) where the boxes would like to be.
        boxes: (N, 2) their widths and heights, in the same unit.
        n_rounds: at most so many rounds of pushing.
    """
    places = centres + 1e-3 * np.random.default_rng(0).standard_normal(centres.shape)
    room = (boxes[:, None] + boxes) / 2
    for _ in range(n_rounds):
        step = places[:, None] - places
        overlap = np.maximum(room - np.abs(step), 0)
        overlap[(overlap == 0).any(axis=2)] = 0
        overlap[np.diag_indices(len(places))] = 0
        if not overlap.any():
            break
        # Boxes part along the direction in which they overlap less.
        along_x = overlap[..., :1] < overlap[..., 1:]
        overlap *= np.concatenate([along_x, ~along_x], axis=2)
        places = places + (np.sign(step) * overlap).sum(axis=1) / 3
    return places


def _family_legend(ax: Axes, colours: dict[str, tuple[float, float, float]]) -> None:
    """Name the families that are shown, with their members; outside of the map."""
    entries = []
    known: set[str] = set()
    for first, last, name, members in _FAMILIES:
        present = [symbol for symbol in members.split() if symbol in colours]
        known.update(present)
        if present:
            middle = tuple((a + z) / 2 for a, z in zip(to_rgb(first), to_rgb(last), strict=True))
            entries.append(_dot(middle, f"{name}\n{_in_lines(present)}"))
    if rest := sorted(set(colours) - known, key=SYMBOLS.index):
        entries.append(_dot(_GREY, f"others\n{_in_lines(rest)}"))
    add_legend(ax, entries, title=None)


def _in_lines(symbols: Sequence[str]) -> str:
    """Up to six symbols to a line, as many in each."""
    length = math.ceil(len(symbols) / math.ceil(len(symbols) / 6))
    return "\n".join(" ".join(symbols[n : n + length]) for n in range(0, len(symbols), length))


def _dot(colour: Any, label: str) -> Line2D:
    return Line2D([], [], color=colour, marker="o", ls="", markersize=7, label=label)


def add_legend(ax: Axes, entries: Sequence[Line2D], title: str | None) -> None:
    """Name the dots, outside of the map."""
    ax.legend(
        handles=entries,
        title=title,
        loc="upper left",
        bbox_to_anchor=(1.01, 1.0),
        borderaxespad=0,
        frameon=False,
        handletextpad=0.2,
        labelspacing=0.8,
    )
