"""Candidates over a measured curve, a panel each."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cgxas.figures.style import COLOURS, plain, typeset, write_figure
from cgxas.spectra.spectrum import Spectrum
from cgxas.typing import FloatArray

_SIZE = (5.6, 2.3)


@dataclass(frozen=True, eq=False)
class Measured:
    """The curve that candidates are held against.

    Attributes:
        energy: (P,) eV.
        norm: (P,) normalised.
        name: of its file.
        none: probability that none of the candidates fits.
    """

    energy: FloatArray
    norm: FloatArray
    name: str
    none: float


@dataclass(frozen=True, eq=False)
class Panel:
    """One candidate.

    Attributes:
        spectrum: as predicted.
        shift: eV added to its energies.
        gaussian: full width at half maximum it was broadened by, eV.
        predicted: (P,) shifted and broadened, at the energies of the measured curve.
        score: its probability.
        rse: relative squared error.
        on_bound: whether shift or width ended on a bound.
        name: of the crystal.
    """

    spectrum: Spectrum
    shift: float
    gaussian: float
    predicted: FloatArray
    score: float
    rse: float
    on_bound: bool
    name: str


def save_matches(measured: Measured, panels: Sequence[Panel], path: str | os.PathLike[str]) -> None:
    """Write a figure of candidates, one below the other.

    Args:
        measured: the measured curve.
        panels: the candidates, the likeliest first.
        path: a ``.png``, ``.svg`` or ``.pdf`` file; an existing one is replaced.

    Raises:
        OutputError: the file cannot be written there.
    """
    write_figure(lambda: _drawn(measured, panels), path)


def _drawn(measured: Measured, panels: Sequence[Panel]) -> Figure:
    height = _SIZE[1] * len(panels) + 0.6
    figure = Figure(figsize=(_SIZE[0], height), layout="constrained")
    axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    for n, (panel, ax) in enumerate(zip(panels, axes, strict=True)):
        _draw(ax, measured, panel, COLOURS[n % len(COLOURS)])
    first = panels[0].spectrum
    told = f"{measured.name}, {first.absorber} {first.edge} edge; model {first.model or 'unknown'}"
    none = f"none of these: {100 * measured.none:.0f} %"
    figure.suptitle(f"{plain(told)}\n{none}", fontsize="medium")
    axes[-1].set_xlabel("Energy (eV)")
    axes[-1].ticklabel_format(axis="x", useOffset=False)
    axes[-1].set_xlim(float(measured.energy[0]), float(measured.energy[-1]))
    return figure


def _draw(ax: Axes, measured: Measured, panel: Panel, colour: str) -> None:
    own = panel.spectrum
    ax.plot(measured.energy, measured.norm, color="black", lw=1.4, label="measured", zorder=3)
    ax.plot(measured.energy, panel.predicted, color=colour, lw=1.4, label="predicted", zorder=4)
    if own.sigma is not None:
        band = np.interp(measured.energy - panel.shift, own.energy, own.sigma)
        low, high = panel.predicted - band, panel.predicted + band
        ax.fill_between(
            measured.energy, low, high, color=colour, alpha=0.18, lw=0, label="± 1 σ", zorder=2
        )
    e0 = own.e0_or_none()
    if e0 is not None:
        label = f"E₀ {e0 + panel.shift:.1f} eV"
        ax.axvline(e0 + panel.shift, color="0.55", lw=0.8, ls=":", zorder=1, label=label)
    bound = ", ON A BOUND" if panel.on_bound else ""
    ax.set_title(
        f"{typeset(own.formula)} ({plain(_short(panel.name))}): {100 * panel.score:.0f} %\n"
        f"RSE {panel.rse:.2g}, shift {panel.shift:+.1f} eV, broadened by {panel.gaussian:.1f} eV"
        f"{bound}",
        fontsize="small",
    )
    ax.set_ylabel("μ(E), norm.")
    ax.legend(loc="lower right", frameon=False)


def _short(name: str) -> str:
    last = name.rstrip("/").rpartition("/")[2]
    return last if len(last) <= 40 else f"{last[:20]}…{last[-18:]}"
