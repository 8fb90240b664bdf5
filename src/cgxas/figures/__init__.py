"""Every figure: results and an optional axes in, the axes out; nothing is computed here."""

from cgxas.figures.average import plot_average
from cgxas.figures.calibration import (
    CalibrationOverlay,
    plot_calibration,
    plot_measured_among,
    plot_overlays,
)
from cgxas.figures.learning import plot_learning
from cgxas.figures.maps import plot_absorbers, plot_neighbours
from cgxas.figures.scores import plot_element_pcc, plot_examples, plot_rse_histogram
from cgxas.figures.spectra import MAX_PANELS, plot_spectrum, save_figure
from cgxas.figures.style import FIGURE_SUFFIXES, STYLE, write_figure

__all__ = [
    "FIGURE_SUFFIXES",
    "MAX_PANELS",
    "STYLE",
    "CalibrationOverlay",
    "plot_absorbers",
    "plot_average",
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
