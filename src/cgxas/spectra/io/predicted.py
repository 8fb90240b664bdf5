"""Predicted spectra out of files: those cgxas writes, and whatever a scan reader understands."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from cgxas.errors import UnreadableSpectrum, WrongEdge
from cgxas.spectra.curve import checked_curve
from cgxas.spectra.io.read import read_scan
from cgxas.spectra.io.scan import tidy
from cgxas.typing import FloatArray

SUFFIXES = (".csv", ".json", ".xdi", ".dat", ".txt", ".prj")
"""File types of predicted spectra; any other file is a crystal."""


def is_spectrum_file(path: Path) -> bool:
    """Tell a file of a spectrum from one of a crystal by its suffix."""
    return path.suffix.lower() in SUFFIXES


def read_prediction(
    path: Path, element: str, group: str | None = None
) -> tuple[FloatArray, FloatArray]:
    """Read a predicted spectrum; it is left as it is.

    Args:
        path: .json, .csv or .xdi as cgxas writes them, or columns such as FEFF's xmu.dat.
        element: the absorber it should be of.
        group: of an Athena project.

    Returns:
        Energies in eV and mu, each (P,).

    Raises:
        SpectrumError: it cannot be read.
        WrongEdge: the file states another absorber.
    """
    if path.suffix.lower() == ".json":
        energy, mu, stated = _json(path)
    else:
        scan = tidy(replace(read_scan(path, group), kind="simulated"))
        energy, mu, stated = scan.energy, scan.mu, scan.element
    if stated and stated != element:
        raise WrongEdge(
            f"{path.name} is of {stated}, the measured spectrum of {element}: compare the same "
            "absorber."
        )
    return energy, mu


def _json(path: Path) -> tuple[FloatArray, FloatArray, str]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        energy = np.array(data["energy"], dtype=np.float64)
        mu = np.array(data["norm"], dtype=np.float64)
        stated = str(data.get("absorber", ""))
    except FileNotFoundError as error:
        raise UnreadableSpectrum(f"{path}: no such file.") from error
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise UnreadableSpectrum(
            f"{path.name} is no spectrum that 'cgxas predict -o' wrote: predict it again."
        ) from error
    return (*checked_curve(energy, mu), stated)
