"""Figures that compare spectra: up to twelve one above the other, more as a map.

One panel per absorber. The spectra stand in the order of their E0, the earliest at the bottom,
whatever order they were given in.
"""

import os
from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, ScalarFormatter

from cgxas.arguments import as_list
from cgxas.errors import OutputError, SpectrumError
from cgxas.figures.style import add_subtitle, typeset, write_figure
from cgxas.spectra.spectrum import Spectrum
from cgxas.typing import FloatArray

MOST_CURVES = 12
"""Spectra of one absorber that are drawn as curves; more become a map."""

MOST_NAMED = 40
"""Rows of a map that are named; of more every so many-th is."""

MOST_ABSORBERS = 6
"""Panels of one figure."""

_STEP = 0.45  # by how much curves are apart, in units of the edge step
_HIGHEST = 1.8  # strength at which the colours of a map end
_PANEL = 4.2  # inches
_X_LABEL = "Energy (eV)"


def plot_stacked(spectra: Sequence[Spectrum], ax: Axes | None = None) -> Axes:
    """Draw up to 12 spectra of one absorber one above the other, ordered by their edges.

    Each is named at its right end with its E0, which a dot marks; its band of one standard
    deviation is shaded. Below the title stands the model.

    Args:
        spectra: 1 to 12 spectra of one absorber; energies in eV.
        ax: where to draw; a new figure without it.

    Returns:
        The axes.

    Raises:
        SpectrumError: there are none, too many, or of several absorbers.
    """
    ordered = _ordered(_of_one_absorber(spectra))
    if len(ordered) > MOST_CURVES:
        raise SpectrumError(
            f"{len(ordered)} curves in one panel cannot be read: draw up to {MOST_CURVES}, or a "
            "map of all."
        )
    ax = _new_axes(len(ordered)) if ax is None else ax
    palette = colormaps["viridis"]
    names = _names(ordered)
    for n, spectrum in enumerate(ordered):
        colour = palette(0.85 * n / max(len(ordered) - 1, 1))
        raised = spectrum.norm + n * _STEP
        ax.plot(spectrum.energy, raised, color=colour, lw=1.3, zorder=3)
        if spectrum.sigma is not None:
            low, high = raised - spectrum.sigma, raised + spectrum.sigma
            ax.fill_between(spectrum.energy, low, high, color=colour, alpha=0.15, lw=0, zorder=2)
        _mark(ax, spectrum, n * _STEP, colour)
        ax.annotate(
            f"{typeset(names[n])}\n{_edge(spectrum)}",
            xy=(1.0, float(raised[-5:].mean())),
            xycoords=("axes fraction", "data"),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            color=colour,
            fontsize="small",
            linespacing=1.0,
            annotation_clip=False,
        )
    band = "; shaded: ± 1 σ" if any(each.sigma is not None for each in ordered) else ""
    _dress(ax, ordered, f"{_models(ordered)}{band}; dots: E₀")
    ax.set_ylabel(f"μ(E), normalised, each {_STEP:g} above the last" if len(ordered) > 1
                  else "μ(E), normalised")  # fmt: skip
    return ax


def plot_heat_map(spectra: Sequence[Spectrum], ax: Axes | None = None) -> Axes:
    """Draw spectra of one absorber as rows of colours, ordered by their edges.

    A line marks E0. Below the title stand the model and how wide the bands are.

    Args:
        spectra: one or more spectra of one absorber; energies in eV.
        ax: where to draw; a new figure without it.

    Returns:
        The axes.

    Raises:
        SpectrumError: there are none, or of several absorbers.
    """
    ordered = _ordered(_of_one_absorber(spectra))
    ax = _new_axes(len(ordered)) if ax is None else ax
    energy, rows = _rows(ordered)
    image = ax.pcolormesh(
        energy,
        np.arange(len(rows)),
        np.ma.masked_invalid(rows),
        cmap="magma",
        vmin=0.0,
        vmax=min(_HIGHEST, max(float(np.nanmax(rows)), 1.0)),
        shading="nearest",
        rasterized=True,  # a vector of each cell would make files of many megabytes
    )
    edges = [each.e0_or_none() for each in ordered]
    there = [(e, n) for n, e in enumerate(edges) if e is not None]
    if there:
        style = {"ls": "none", "marker": "|", "ms": 5} if len(there) < MOST_NAMED else {"lw": 1.0}
        ax.plot(*zip(*there, strict=True), color="white", **style)
    every = -(-len(ordered) // MOST_NAMED)
    named = range(0, len(ordered), every)
    labels = _names(ordered)
    ax.set_yticks(
        list(named),
        [f"{typeset(labels[n])}, {_edge(ordered[n])}" for n in named],
        fontsize="x-small" if len(ordered) > MOST_CURVES else "small",
    )
    ax.tick_params(axis="y", length=0, right=False)
    bar = ax.figure.colorbar(image, ax=ax, pad=0.01, extend="max", aspect=40)
    bar.set_label("μ(E), normalised")
    _dress(ax, ordered, f"{_models(ordered)}{_bands(ordered)}; white: E₀")
    return ax


def save_compared(spectra: Sequence[Spectrum], path: str | os.PathLike[str]) -> None:
    """Write a figure that compares spectra: a panel per absorber, curves or a map.

    Args:
        spectra: what to draw, of up to 6 absorbers.
        path: a ``.png``, ``.svg`` or ``.pdf`` file; an existing one is replaced.

    Raises:
        OutputError: the file cannot be written there, or there are no spectra or too many
            absorbers.
    """
    given = as_list(spectra, Spectrum, "what is drawn are Spectrum values", SpectrumError)
    absorbers = tuple(dict.fromkeys(each.absorber for each in given))
    if not 1 <= len(absorbers) <= MOST_ABSORBERS:
        raise OutputError(
            f"A figure that compares holds 1 to {MOST_ABSORBERS} absorbers, not "
            f"{len(absorbers)}: draw fewer."
        )
    write_figure(
        lambda: _panels([[s for s in given if s.absorber == each] for each in absorbers]), path
    )


def _panels(groups: Sequence[Sequence[Spectrum]]) -> Figure:
    heights = [_height(len(group)) for group in groups]
    figure = Figure(figsize=(6.4, sum(heights)), layout="constrained")
    axes = figure.subplots(len(groups), 1, squeeze=False, height_ratios=heights)[:, 0]
    for group, ax in zip(groups, axes, strict=True):
        (plot_stacked if len(group) <= MOST_CURVES else plot_heat_map)(group, ax)
    return figure


def _height(count: int) -> float:
    return min(max(_PANEL, 1.8 + 0.38 * min(count, MOST_CURVES), 1.2 + 0.16 * count), 8.0)


def _new_axes(count: int) -> Axes:
    return Figure(figsize=(6.4, _height(count)), layout="constrained").add_subplot()


def _of_one_absorber(spectra: Sequence[Spectrum]) -> list[Spectrum]:
    given = as_list(spectra, Spectrum, "what is drawn are Spectrum values", SpectrumError, least=1)
    found = sorted({f"{each.absorber} {each.edge}" for each in given})
    if len(found) > 1:
        raise SpectrumError(f"One axis is for one edge, not for {', '.join(found)}: draw each.")
    return list(given)


def _ordered(spectra: list[Spectrum]) -> list[Spectrum]:
    """By E0, the number that is told; those without an edge last."""

    def key(each: Spectrum) -> float:
        e0 = each.e0_or_none()
        return float("inf") if e0 is None else e0

    return sorted(spectra, key=key)


def _names(spectra: Sequence[Spectrum]) -> list[str]:
    """Name each by its formula, and by its file where several have that formula."""
    formulas = [each.formula or each.source for each in spectra]
    names = []
    for each, formula in zip(spectra, formulas, strict=True):
        alike = formulas.count(formula) > 1 and each.source and each.source != formula
        names.append(f"{formula} ({_short(each.source)})" if alike else _short(formula))
    return names


def _short(name: str) -> str:
    """Return the last part of a path, without its middle if it is long."""
    last = name.rstrip("/").rpartition("/")[2]
    return last if len(last) <= 28 else f"{last[:14]}…{last[-12:]}"


def _edge(spectrum: Spectrum) -> str:
    e0 = spectrum.e0_or_none()
    return "no edge" if e0 is None else f"{e0:.1f} eV"


def _models(spectra: Sequence[Spectrum]) -> str:
    found = sorted({each.model for each in spectra if each.model})
    return f"model {', '.join(found)}" if found else "no model"


def _bands(spectra: Sequence[Spectrum]) -> str:
    """Tell how wide the bands are: the mean over energies of one standard deviation."""
    wide = [float(each.sigma.mean()) for each in spectra if each.sigma is not None]
    return f"; mean band ± {min(wide):.2g} to {max(wide):.2g}" if wide else ""


def _rows(spectra: Sequence[Spectrum]) -> tuple[FloatArray, FloatArray]:
    """Return (P,) energies and (R, P) the spectra there, NaN where they are not known."""
    first = min(float(each.energy[0]) for each in spectra)
    last = max(float(each.energy[-1]) for each in spectra)
    finest = max(each.norm.size for each in spectra)
    energy = np.linspace(first, last, finest)
    rows = [np.interp(energy, s.energy, s.norm, left=np.nan, right=np.nan) for s in spectra]
    return energy, np.array(rows)


def _mark(ax: Axes, spectrum: Spectrum, raised: float, colour: object) -> None:
    e0 = spectrum.e0_or_none()
    if e0 is not None:
        height = float(np.interp(e0, spectrum.energy, spectrum.norm)) + raised
        ax.plot([e0], [height], "o", ms=3.0, color=colour, zorder=4)


def _dress(ax: Axes, spectra: Sequence[Spectrum], told: str) -> None:
    ax.set_title(f"{spectra[0].absorber} {spectra[0].edge} edge", pad=17.0)
    add_subtitle(ax, told)
    ax.set_xlabel(_X_LABEL)
    ax.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    ax.xaxis.set_major_formatter(ScalarFormatter(useOffset=False))
    first = min(float(each.energy[0]) for each in spectra)
    ax.set_xlim(first, max(float(each.energy[-1]) for each in spectra))
