"""Figures of spectra: results and an optional axes in, the axes out; nothing is computed here.

Figures are made without pyplot, so that no window system is needed and nothing is global.
"""

import math
import os
from collections.abc import Sequence

from matplotlib import colormaps
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, ScalarFormatter

from cgxas.arguments import as_list, one_of_kind
from cgxas.errors import OutputError, SpectrumError
from cgxas.figures.style import STYLE, add_subtitle, typeset, write_figure
from cgxas.spectra.spectrum import SiteSpectrum, Spectrum

MAX_PANELS = 24
"""Spectra in one figure; more would be too small to read."""

MAX_ENTRIES = 8
"""Lines of a legend in a figure of its own."""

ENTRIES_PER_INCH = 2.9
"""Lines of a legend per inch of a panel: more would cover the curves."""

X_LABEL, Y_LABEL = "Energy (eV)", "μ(E), normalised"
_ROOM = 17.0  # points above the axes, for a line below the title
_FAR = "#B03000"
BAND_LABEL = "± 1 σ"


def plot_spectrum(spectrum: Spectrum, ax: Axes | None = None, sites: bool = True) -> Axes:
    """Draw a spectrum: the mean thick, its distinct sites thin, the edge as a dotted line.

    Below the title stand the model, and how far it can be trusted if it tells that.
    A calibrated one, and that of a sample of arrangements, has a band of one standard deviation
    behind its mean.

    Args:
        spectrum: What to draw; energies in eV.
        ax: Where to draw; a new figure without it (``ax.figure`` then has ``savefig``).
        sites: Draw the distinct sites as well, if there are at least two.

    Returns:
        The axes.
    """
    one_of_kind(spectrum, Spectrum, "what is drawn is a Spectrum", SpectrumError)
    ax = Figure(figsize=(5.0, 3.6), layout="constrained").add_subplot() if ax is None else ax
    distinct = spectrum.sites if sites and len(spectrum.sites) > 1 else ()
    thin = _draw_sites(ax, spectrum.absorber, distinct)
    (thick,) = ax.plot(
        spectrum.energy,
        spectrum.norm,
        color="black",
        lw=1.8,
        label=spectrum.disorder or "mean",
        zorder=3,
    )
    band = _draw_band(ax, spectrum)
    _mark_edge(ax, spectrum)
    _dress(ax, spectrum)
    if thin or spectrum.disorder:
        _add_legend(ax, [thick, *band], thin)
    return ax


def _draw_band(ax: Axes, spectrum: Spectrum) -> list[Artist]:
    """Shade one standard deviation on either side of the mean, if the model tells it."""
    if spectrum.sigma is None:
        return []
    low = (spectrum.norm - spectrum.sigma).clip(min=0)  # nothing absorbs less than nothing
    high = spectrum.norm + spectrum.sigma
    return [
        ax.fill_between(
            spectrum.energy, low, high, color="0.86", lw=0, label=BAND_LABEL, zorder=0.9
        )
    ]


def _draw_sites(ax: Axes, absorber: str, sites: Sequence[SiteSpectrum]) -> list[Line2D]:
    """One thin line per site, in an even, colour-blind safe sequence of colours."""
    palette = colormaps["viridis"]
    lines = []
    for n, site in enumerate(sites):
        colour = palette(0.9 * n / max(len(sites) - 1, 1))
        label = f"{absorber} site {site.site} (×{site.multiplicity})"
        lines += ax.plot(site.energy, site.norm, color=colour, lw=1.0, label=label, zorder=2)
    return lines


def _mark_edge(ax: Axes, spectrum: Spectrum) -> None:
    e0 = spectrum.e0_or_none()
    if e0 is None:
        return
    span = spectrum.energy[-1] - spectrum.energy[0]
    is_left = e0 - spectrum.energy[0] < 0.1 * span  # then the text has no room before the line
    ax.axvline(e0, color="0.55", lw=0.8, ls=":", zorder=1)
    ax.annotate(
        f"E₀ {e0:.1f}",
        xy=(e0, 0.98),
        xycoords=("data", "axes fraction"),
        xytext=(3 if is_left else -3, 0),
        textcoords="offset points",
        rotation=90,
        ha="left" if is_left else "right",
        va="top",
        color="0.4",
        fontsize="small",
    )


def _dress(ax: Axes, spectrum: Spectrum) -> None:
    """Title, labels, ticks and limits; energies are always written in full."""
    trust = spectrum.trust
    told = ": ".join(filter(None, [spectrum.model, typeset(trust.text) if trust else ""]))
    ax.set_title(typeset(spectrum.label), pad=_ROOM if told else None)
    if told:
        add_subtitle(ax, told, _FAR if trust and trust.word == "far" else "0.3")
    ax.set_xlabel(X_LABEL)
    ax.set_ylabel(Y_LABEL)
    ax.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    ax.xaxis.set_major_formatter(ScalarFormatter(useOffset=False))
    ax.set_xlim(float(spectrum.energy[0]), float(spectrum.energy[-1]))


def _add_legend(ax: Axes, heads: Sequence[Artist], sites: Sequence[Line2D]) -> None:
    """Name the mean, its band and the sites; of many sites some, evenly chosen, and the rest."""
    height = ax.get_window_extent().height / ax.figure.dpi
    most = min(MAX_ENTRIES, max(len(heads) + 3, int(ENTRIES_PER_INCH * height)))
    shown: list[Artist] = [*heads, *sites]
    if len(shown) > most:
        n_named = most - len(heads) - 1  # the last entry counts the sites without a name
        named = [sites[n * (len(sites) - 1) // (n_named - 1)] for n in range(n_named)]
        rest = Line2D([], [], color="none", label=f"and {len(sites) - n_named} more sites")
        shown = [*heads, *named, rest]
    ax.legend(handles=shown, loc="best", frameon=False, labelspacing=0.3, handlelength=1.4)


def save_figure(
    spectra: Spectrum | Sequence[Spectrum], path: str | os.PathLike[str], sites: bool = True
) -> None:
    """Write a figure with one panel per spectrum.

    Args:
        spectra: One spectrum, or up to 24.
        path: A ``.png``, ``.svg`` or ``.pdf`` file; an existing one is replaced.
        sites: Draw the distinct sites as well.

    Raises:
        OutputError: The file cannot be written there, or there are no or too many spectra.
    """
    given = [spectra] if isinstance(spectra, Spectrum) else spectra
    panels = as_list(given, Spectrum, "what is drawn are Spectrum values", SpectrumError)
    if not 1 <= len(panels) <= MAX_PANELS:
        raise OutputError(
            f"A figure holds 1 to {MAX_PANELS} spectra, not {len(panels)}: write several figures."
        )
    write_figure(lambda: _panels(panels, sites), path)


def _panels(spectra: Sequence[Spectrum], sites: bool) -> Figure:
    """A grid, wider than high; the axis labels stand once, at its edges."""
    if len(spectra) == 1:
        return plot_spectrum(spectra[0], sites=sites).figure  # type: ignore[return-value]
    columns = min(4, math.ceil(math.sqrt(len(spectra))))
    rows = math.ceil(len(spectra) / columns)
    figure = Figure(figsize=(3.5 * columns, 2.8 * rows), layout="constrained")
    for n, spectrum in enumerate(spectra, start=1):
        ax = plot_spectrum(spectrum, figure.add_subplot(rows, columns, n), sites)
        ax.set_xlabel("")
        ax.set_ylabel("")
    figure.supxlabel(X_LABEL, fontsize=STYLE["axes.labelsize"])
    figure.supylabel(Y_LABEL, fontsize=STYLE["axes.labelsize"])
    return figure
