"""Every figure: results and an optional axes in, the axes out; nothing is computed here."""

from cgxas.plots.calibration import (
    CalibrationOverlay,
    plot_calibration,
    plot_measured_among,
    plot_overlays,
)
from cgxas.plots.learning import plot_learning
from cgxas.plots.maps import plot_absorbers, plot_neighbours
from cgxas.plots.scores import plot_element_pcc, plot_examples, plot_rse_histogram
from cgxas.plots.spectra import MAX_PANELS, plot_spectrum, save_figure
from cgxas.plots.style import FIGURE_SUFFIXES, STYLE, write_figure

__all__ = [
    "FIGURE_SUFFIXES",
    "MAX_PANELS",
    "STYLE",
    "CalibrationOverlay",
    "plot_absorbers",
    "plot_calibration",
    "plot_element_pcc",
    "plot_examples",
    "plot_learning",
    "plot_measured_among",
    "plot_neighbours",
    "plot_overlays",
    "plot_rse_histogram",
    "plot_spectrum",
    "save_figure",
    "write_figure",
]
