"""What all figures share: settings, colours, and how they are written to files."""

import os
import re
from collections.abc import Callable
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cgxas.spectra.io.write import check_output
from cgxas.writing import atomic_path

FIGURE_SUFFIXES = (".png", ".svg", ".pdf")
"""File types for figures."""

_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")

STYLE: Any = {
    "font.size": 9.0,
    "axes.titlesize": 10.0,
    "axes.labelsize": 10.0,
    "axes.linewidth": 0.8,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.top": True,
    "ytick.right": True,
    "legend.fontsize": 8.0,
    "mathtext.default": "regular",  # subscripts in the font of the text
    "pdf.fonttype": 42,  # TrueType: journals refuse matplotlib's default Type 3 fonts
    "svg.hashsalt": "cgxas",  # the same spectrum gives the same file
}
"""Settings for figures written to files; an axes given by the caller keeps the caller's."""

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Colours that the colour-blind can tell apart (Okabe & Ito 2008)."""


def write_figure(
    draw: Callable[[], Figure | Axes], path: str | os.PathLike[str], dpi: float = 300
) -> None:
    """Draw a figure in the house style and write it; the same input gives the same file.

    Args:
        draw: makes the figure, or an axes in it.
        path: a ``.png``, ``.svg`` or ``.pdf`` file; an existing one is replaced.
        dpi: pixels per inch of a ``.png``.

    Raises:
        OutputError: the file cannot be written there.
    """
    target = check_output(path, FIGURE_SUFFIXES)
    suffix = target.suffix.lower()
    metadata = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(suffix, {})
    with rc_context(STYLE), atomic_path(target) as temporary:
        drawn = draw()
        figure: Any = drawn.figure if isinstance(drawn, Axes) else drawn
        figure.savefig(temporary, format=suffix[1:], dpi=dpi, metadata=metadata)


def add_subtitle(axes: Axes, text: str, colour: str = "0.3") -> None:
    """Write a line between the axes and its title, which must leave room for it."""
    axes.annotate(
        text,
        xy=(0.5, 1.0),
        xycoords="axes fraction",
        xytext=(0, 3),
        textcoords="offset points",
        ha="center",
        va="bottom",
        color=colour,
        fontsize="small",
    )


def plain(text: str) -> str:
    """Return names of files and samples as they are: scan12 is no formula, nor is $a$ one."""
    return text.replace("$", r"\$")


def typeset(label: str) -> str:
    """Write the numbers of a chemical formula as subscripts."""
    return re.sub(r"(?<=[A-Za-z)\]])(\d+(?:\.\d+)?)", _subscript, plain(label))


def _subscript(number: re.Match[str]) -> str:
    # Letters of the font where there are any: Matplotlib's own typesetting takes 0.3 s to begin.
    return f"$_{{{number[1]}}}$" if "." in number[1] else number[1].translate(_SUBSCRIPTS)
