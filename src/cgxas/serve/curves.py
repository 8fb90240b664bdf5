"""What was found -> the values of a JSON document."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from cgxas.errors import SpectrumError
from cgxas.predict import Failure
from cgxas.spectra.compare import Comparison, Overlay
from cgxas.spectra.edge import WithEdge
from cgxas.spectra.measurement import Measurement
from cgxas.spectra.spectrum import Spectrum
from cgxas.typing import FloatArray

if TYPE_CHECKING:
    from cgxas.crystals.drawn import DrawnCrystal

MOST_SITES = 200
"""Distinct sites whose curves are sent; a page shows no more."""

ENERGY = 4
"""Digits of energies, eV."""

_NORM = 6  # digits


def numbers(values: FloatArray | None, digits: int = _NORM) -> list[float] | None:
    """Return an array as a list of rounded numbers."""
    if values is None:
        return None
    return [float(each) for each in np.round(values, digits)]


def number(value: float | None, digits: int = ENERGY) -> float | None:
    """Return a rounded number; None for what is not finite, which JSON cannot say."""
    return None if value is None or not math.isfinite(value) else round(float(value), digits)


def rounded(values: Any) -> Any:
    """Return a document whose numbers are rounded to 8 digits; null for what is not finite."""
    if isinstance(values, dict):
        return {name: rounded(each) for name, each in values.items()}
    if isinstance(values, list):
        return [rounded(each) for each in values]
    if isinstance(values, float):
        return float(f"{values:.8g}") if math.isfinite(values) else None
    return values


def failure_values(failure: Failure) -> dict[str, str]:
    """Return what is sent of a crystal that could not be answered."""
    return {
        "crystal": failure.crystal,
        "error": type(failure.error).__name__,
        "detail": failure.reason,
    }


def _edge(curve: WithEdge) -> dict[str, Any]:
    try:
        energy, height = curve.white_line
    except SpectrumError:
        energy, height = math.nan, math.nan
    return {
        "e0": number(curve.e0_or_none()),
        "half_step": number(curve.half_step_or_none()),
        "white_line": number(energy),
        "white_line_height": number(height),
    }


def spectrum_values(spectrum: Spectrum, told: list[str]) -> dict[str, Any]:
    """Return what is sent of a predicted spectrum.

    Args:
        spectrum: of a crystal.
        told: warnings that came with it.
    """
    trust = spectrum.trust
    sites = [
        {
            "sites": list(site.sites),
            "occupancy": number(site.occupancy),
            "e0": number(site.e0_or_none()),
            "norm": numbers(site.norm) if n < MOST_SITES else None,
        }
        for n, site in enumerate(spectrum.sites)
    ]
    return {
        "crystal": spectrum.source,
        "formula": spectrum.formula,
        "absorber": spectrum.absorber,
        "edge": spectrum.edge,
        "model": spectrum.model,
        "disorder": spectrum.disorder,
        **_edge(spectrum),
        "trust": None
        if trust is None
        else {
            "word": trust.word,
            "text": trust.text,
            "nearest": trust.nearest,
            "distance": number(trust.distance),
            "expected_rse": number(trust.expected_rse, 6),
            "reason": trust.reason,
        },
        "warnings": told,
        "energy": numbers(spectrum.energy, ENERGY),
        "norm": numbers(spectrum.norm),
        "sigma": numbers(spectrum.sigma),
        "sites": sites,
    }


def drawn_values(crystal: "DrawnCrystal | None") -> dict[str, Any] | None:
    """Return what a viewer draws of a crystal."""
    if crystal is None:
        return None
    return {
        "lattice": np.round(crystal.lattice, 4).tolist(),
        "symbols": list(crystal.symbols),
        "sites": list(crystal.sites),
        "positions": np.round(crystal.positions, 4).tolist(),
        "bonds": [list(pair) for pair in crystal.bonds],
    }


def measured_values(measured: Measurement, told: list[str]) -> dict[str, Any]:
    """Return what is sent of a measured spectrum."""
    ranges = measured.ranges
    return {
        "scan": measured.source,
        "label": measured.label,
        "absorber": measured.element,
        "edge": measured.edge,
        "edge_source": measured.edge_source,
        "edge_guess": measured.edge_guess,
        "kind": measured.kind,
        "format": measured.format,
        "edge_step": number(measured.edge_step, 8),
        "energy_shift": number(measured.energy_shift),
        **_edge(measured),
        "ranges": None
        if ranges is None
        else {
            name: number(getattr(ranges, name), 2)
            for name in ("pre1", "pre2", "npre", "norm1", "norm2", "nnorm")
        },
        "done": list(measured.done),
        "warnings": told,
        "energy": numbers(measured.energy, ENERGY),
        "mu": numbers(measured.mu, 9),
        "norm": numbers(measured.norm),
        "flat": numbers(measured.flat),
        "pre_line": numbers(measured.pre_line, 9),
        "post_line": numbers(measured.post_line, 9),
    }


def compared_values(found: Comparison) -> dict[str, Any]:
    """Return what is sent of a comparison."""
    return {
        "absorber": found.measured.element,
        "edge": found.measured.edge,
        "flattened": found.flattened,
        "energy_shift": number(found.energy_shift),
        "core_hole": number(found.core_hole),
        "before": _overlay(found.before),
        "after": _overlay(found.after),
    }


def _overlay(overlay: Overlay) -> dict[str, Any]:
    return {
        "rse": number(overlay.rse, 6),
        "pcc": number(overlay.pcc, 6),
        "half_step_difference": number(overlay.half_step_error),
        "shift": number(overlay.shift),
        "gaussian": number(overlay.gaussian),
        "lorentzian": number(overlay.lorentzian),
        "energy": numbers(overlay.energy, ENERGY),
        "measured": numbers(overlay.measured),
        "predicted": numbers(overlay.predicted),
    }
