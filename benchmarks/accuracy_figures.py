"""Two pictures of a tested model: where in the table it is good, and what errors look like.

    python benchmarks/accuracy_figures.py runs/universal/test.parquet -o docs/images

The first shows the median RSE of FEFF10's test spectra of each absorber; in the second stand, for
four bands of atomic number, the spectra that 20, 50, 80 and 95 % of their band surpass.
"""

import argparse
from pathlib import Path

import numpy as np
from bands import BANDS
from matplotlib import colormaps, rc_context
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from pymatgen.core import Element

from cgxas.elements import atomic_number
from cgxas.evaluation.tested import TestedSpectra
from cgxas.figures.style import COLOURS, STYLE, typeset

SHOWN = (20, 50, 80, 95)  # per cent of a band that are answered better
HEAVIEST = 54
SCALE, PALETTE = LogNorm(1e-3, 2e-1), colormaps["viridis_r"]


def main() -> None:
    """Draw both."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("table", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True, help="a folder")
    wish = parser.parse_args()
    tested = TestedSpectra.read(wish.table)
    with rc_context(STYLE):
        draw_map(tested).savefig(wish.output / "accuracy_map.png", dpi=160)
        draw_examples(tested).savefig(wish.output / "accuracy_examples.png", dpi=160)


def draw_map(tested: TestedSpectra) -> Figure:
    """Draw the periodic table, coloured by the median RSE."""
    figure = Figure(figsize=(7.2, 2.4), layout="constrained")
    axes = figure.add_subplot()
    ten = tested.fidelity == "FEFF10"
    for z in range(1, HEAVIEST + 1):
        element = Element.from_Z(z)
        mine = ten & (tested.element == element.symbol)
        draw_element(axes, element, float(np.median(tested.rse[mine])) if mine.any() else None)
    axes.set(xlim=(0.4, 18.6), ylim=(5.6, 0.4), aspect="equal")
    axes.axis("off")
    bar = figure.colorbar(ScalarMappable(SCALE, PALETTE), ax=axes, shrink=0.85, pad=0.01)
    bar.set_label("median RSE")
    return figure


def draw_element(axes: Axes, element: Element, error: float | None) -> None:
    """Draw one square of the table; grey without a test spectrum."""
    x, y = element.group, element.row
    face, ink = ("0.94", "0.6")
    if error is not None:
        face, ink = PALETTE(SCALE(error)), "white" if SCALE(error) > 0.45 else "black"
    axes.add_patch(Rectangle((x - 0.47, y - 0.47), 0.94, 0.94, color=face))
    centred = {"ha": "center", "va": "center", "color": ink}
    axes.text(x, y - 0.13, element.symbol, fontsize=8.5, **centred)
    if error is not None:
        axes.text(x, y + 0.26, f"{error:.2g}".lstrip("0"), fontsize=5.5, **centred)


def draw_examples(tested: TestedSpectra) -> Figure:
    """Draw spectra from good to bad, a row for each band."""
    figure = Figure(figsize=(7.2, 7.0), layout="constrained")
    panels = figure.subplots(len(BANDS), len(SHOWN))
    z = np.array([atomic_number(str(each)) for each in tested.element])
    for row, (name, (first, last)) in zip(panels, BANDS.items(), strict=True):
        mine = np.flatnonzero((tested.fidelity == "FEFF10") & (z >= first) & (z <= last))
        order = mine[np.argsort(tested.rse[mine])]
        for axes, share in zip(row, SHOWN, strict=True):
            draw_pair(axes, tested, int(order[share * len(order) // 100]))
        row[0].set_ylabel(name)
    panels[0, 0].legend(frameon=False)
    figure.supxlabel("energy from the first point that FEFF computed (eV)")
    figure.supylabel("μ(E), normalised")
    return figure


def draw_pair(axes: Axes, tested: TestedSpectra, n: int) -> None:
    """Draw a spectrum and the answer to it."""
    energy = tested.energy[n] - tested.energy[n, 0]
    axes.plot(energy, tested.target[n], color="black", lw=1.3, label="FEFF10")
    axes.plot(energy, tested.predicted[n], color=COLOURS[1], lw=1.1, label="predicted")
    told = f"{tested.element[n]} in {typeset(str(tested.formula[n]))}, {tested.rse[n]:.2g}"
    axes.set_title(told, fontsize=7.5)
    axes.set_ylim(bottom=0)
    axes.tick_params(labelsize=7)


if __name__ == "__main__":
    main()
