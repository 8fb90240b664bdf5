"""Measured compounds beside what an uncalibrated model says of them: what calibration learns from.

One spectrum per compound: the scans of a source are averaged, and the sources have one vote each.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cgxas.crystals.canonical import settled_cell
from cgxas.data.folder import read_records
from cgxas.data.record import Annotation, Record, Records
from cgxas.errors import DatasetError, SpectrumError
from cgxas.model.calibration.features import FeatureSpec, site_features
from cgxas.model.calibration.kernels import SiteFeatures
from cgxas.model.checkpoint import Checkpoint
from cgxas.model.model import Model
from cgxas.model.sites import AbsorberSites
from cgxas.spectra.edge import half_step
from cgxas.spectra.spectrum import EnergyGrid
from cgxas.spectra.xray import answer_grid
from cgxas.typing import FloatArray

FEATURES = FeatureSpec(first=-40.0, last=80.01, surroundings=True)
"""How the sites of measured compounds are compared."""

STEP = 55 / 99
_BELOW, _ABOVE = 60.0, 160.0  # eV around the window in which measured curves are kept
_MARGIN, _PRE_EDGE = 1.0, 5.0
_LEAST_KNOWN, _WINDOW = 0.5, 55.0  # of so many eV


@dataclass(frozen=True, eq=False)
class Compounds:
    """Measured compounds, (C,) of them with (S,) distinct absorbing sites.

    Attributes:
        name: (C,) what they are called.
        element: (C,) absorber.
        group: (C,) what stands on one side of a split.
        formula: (C,) reduced formula.
        n_scans: (C,) scans behind the measured curve.
        energy: (C, Q) eV, fine and wide, on the scale of the measurement.
        norm: (C, Q) measured, constant beyond its ends.
        target: (C, P) measured on the calibrated model's grid, NaN where it was not measured.
        half_step: (C,) half step of the target, eV.
        sites: (C,) the absorbing sites of each, and what the uncalibrated model says of them.
        grids: element -> energies of the calibrated model.
        model: the uncalibrated model.
        data: the data set, its records and hash.
        sources: element -> who measured -> how many spectra.
        left_out: name and reason of spectra that cannot be used.
    """

    name: NDArray[np.str_]
    element: NDArray[np.str_]
    group: NDArray[np.str_]
    formula: NDArray[np.str_]
    n_scans: NDArray[np.int64]
    energy: FloatArray
    norm: FloatArray
    target: FloatArray
    half_step: FloatArray
    sites: Sequence[AbsorberSites]
    grids: Mapping[str, EnergyGrid]
    model: Model
    data: Records
    sources: Mapping[str, Mapping[str, int]]
    left_out: tuple[tuple[str, str], ...]

    def __len__(self) -> int:
        return len(self.name)

    @cached_property
    def owner(self) -> NDArray[np.int64]:
        """(S,) number of the compound a site belongs to."""
        return np.repeat(np.arange(len(self)), [len(each) for each in self.sites])

    @cached_property
    def features(self) -> SiteFeatures:
        """What all sites are compared by, (S,) of them."""
        # What runs of FEFF tell of a compound itself would not be known of a new one.
        each = [
            site_features([sites], FEATURES, (str(formula),)).tensors
            for sites, formula in zip(self.sites, self.formula, strict=True)
        ]
        return SiteFeatures(**{n: torch.cat([one[n] for one in each]) for n in each[0]})

    def rows_of(self, compound: int) -> NDArray[np.int64]:
        """Return the numbers of the sites of a compound."""
        return np.flatnonzero(self.owner == compound)

    def sharing(self, wanted: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """Return the rows of the sites of some compounds, and (C, S) their shares."""
        all_shares = np.concatenate([each.share for each in self.sites])
        rows = np.flatnonzero(np.isin(self.owner, wanted))
        share = np.where(self.owner[rows] == wanted[:, None], all_shares[rows], 0.0)
        return torch.from_numpy(rows), torch.from_numpy(share)


def read_compounds(
    folders: Sequence[Path],
    model: Checkpoint,
    elements: Sequence[str] = (),
    each_scan: bool = False,
) -> Compounds:
    """Read measured spectra with their crystals.

    Args:
        folders: data sets.
        model: the uncalibrated model.
        elements: absorbers that are wanted at least; others help.
        each_scan: every spectrum is a compound of its own, as in the paper.

    Raises:
        DatasetError: the data cannot be read, or hold no usable spectrum of a wanted element.
    """
    records = read_records(folders)
    units: dict[tuple[str, str], list[tuple[Record, Annotation]]] = defaultdict(list)
    left_out = []
    for record in records.records:
        about = record.annotation
        reason = _unusable(record, about, model)
        if reason:
            left_out.append((record.key, reason))
            continue
        several = len(folders) > 1
        scan = record.key if several else record.spectrum_id
        name = scan if each_scan else _compound(record, about, several)
        units[record.element, name].append((record, about))
    there = {element for element, _ in units}
    missing = [each for each in elements if each not in there]
    if missing or not there:
        what = f" of {missing[0]}" if missing else ""
        also = f"there are spectra of {', '.join(sorted(there))}" if there else _why(left_out)
        raise DatasetError(f"{', '.join(records.names)}: no usable spectrum{what}; {also}")
    units = dict(sorted(units.items()))
    curves = {key: _merged(scans, model) for key, scans in units.items()}
    grids = _grids(units, curves, model)
    rows = [_row(key, units[key], curves[key], grids[key[0]]) for key in units]
    sources: dict[str, Counter[str]] = defaultdict(Counter)
    for (element, _), scans in units.items():
        sources[element].update(about.source for _, about in scans)
    ready = Model(model)
    columns: dict[str, Any] = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    return Compounds(
        **columns,
        sites=tuple(_sites(units, ready)),
        grids=grids,
        model=ready,
        data=records,
        sources=sources,
        left_out=tuple(left_out),
    )


def _compound(record: Record, about: Annotation, several: bool) -> str:
    """Return what scans of one compound share; without a name, their crystal in their data set."""
    crystal = record.material.material_id
    return about.compound or (f"{record.dataset}/{crystal}" if several else crystal)


def _why(left_out: Sequence[tuple[str, str]]) -> str:
    """Say why there is no spectrum at all, by the first that cannot be used."""
    return "; ".join(f"{key}: {reason}" for key, reason in left_out[:1]) or "there is none at all"


def _unusable(record: Record, about: Annotation, model: Checkpoint) -> str:
    """Say why a record cannot be learnt from, if it cannot."""
    card = model.elements.get(record.element)
    if card is None:
        return f"{model.name} has no answer for {record.element}"
    if about.unusable:
        return about.unusable
    energy = record.energy + about.shift
    inside = (card.grid.energies > energy[0]) & (card.grid.energies < energy[-1])
    if inside.mean() * (card.grid.e_max - card.grid.e_min) < _LEAST_KNOWN * _WINDOW:
        return (
            f"its energies ({energy[0]:.0f} to {energy[-1]:.0f} eV) hardly overlap the window of "
            f"{record.element} ({card.grid.e_min:.0f} to {card.grid.e_max:.0f} eV)"
        )
    try:
        edge = half_step(energy, record.norm)
    except SpectrumError:
        edge = np.inf
    return "" if edge < card.grid.e_max else f"it has no edge below {card.grid.e_max:.0f} eV"


def _merged(
    scans: Sequence[tuple[Record, Annotation]], model: Checkpoint
) -> tuple[FloatArray, FloatArray]:
    """Return fine energies and the measured curve, NaN where it is not known."""
    grid = model.elements[scans[0][0].element].grid
    energy = np.arange(grid.e_min - _BELOW, grid.e_max + _ABOVE, STEP)
    trusted = [scan for scan in scans if not scan[1].doubtful] or scans
    by_source: dict[str, list[tuple[FloatArray, float]]] = defaultdict(list)
    for record, about in trusted:
        shifted = record.energy + about.shift
        curve = np.interp(energy, shifted, record.norm, left=np.nan, right=np.nan)
        by_source[about.source].append((curve, about.weight))
    votes = np.array([_mean(curves) for curves in by_source.values()])
    return energy, _middle(votes)


def _mean(curves: Sequence[tuple[FloatArray, float]]) -> FloatArray:
    """Return the weighted mean of curves, of those that are known at each point."""
    values = np.array([curve for curve, _ in curves])
    weights = np.array([weight for _, weight in curves])[:, None] * np.isfinite(values)
    total = weights.sum(0)
    mean = np.nansum(values * weights, axis=0) / np.maximum(total, 1e-300)
    return np.where(total > 0, mean, np.nan)


def _middle(votes: FloatArray) -> FloatArray:
    """Return the median of the votes known at each point, NaN where there is none."""
    known = np.isfinite(votes).any(axis=0)
    middle = np.full(votes.shape[1], np.nan)
    middle[known] = np.nanmedian(votes[:, known], axis=0)
    return middle


def _grids(
    units: Mapping[tuple[str, str], Sequence[tuple[Record, Annotation]]],
    curves: Mapping[tuple[str, str], tuple[FloatArray, FloatArray]],
    model: Checkpoint,
) -> dict[str, EnergyGrid]:
    """Return the grids of the measured elements."""
    grids = {}
    for element in sorted({element for element, _ in units}):
        edges = [half_step(*curves[key]) for key in units if key[0] == element]
        grids[element] = measured_grid(model, element, edges)
    return grids


def measured_grid(model: Checkpoint, element: str, edges: Sequence[float]) -> EnergyGrid:
    """Return the model's grid of an element, moved where edges lie outside or at its start.

    FEFF's absolute energies are off by up to 34 eV (SPEC section 6). A model on the edge axis is
    not bound to its grid: it answers around the measured edges.

    Args:
        model: the model that is calibrated.
        element: the absorber.
        edges: measured half steps of it, eV; at least one.
    """
    if model.config.axis == "edge":
        return answer_grid(np.array(edges))
    grid, lowest = model.elements[element].grid, min(edges)
    if lowest >= grid.e_min + _MARGIN:
        return grid
    start = float(np.floor(lowest - _PRE_EDGE))
    return EnergyGrid(start, start + grid.e_max - grid.e_min, grid.n_points)


def _sites(
    units: Mapping[tuple[str, str], Sequence[tuple[Record, Annotation]]], model: Model
) -> Iterator[AbsorberSites]:
    """Yield the absorbing sites of each compound: those of its first crystal."""
    spec = model.checkpoint.config.graph
    firsts = [scans[0][0] for scans in units.values()]
    embedded = model.sites(settled_cell(record.material.cell, spec) for record in firsts)
    for (element, name), record, crystal in zip(units, firsts, embedded, strict=True):
        sites, _ = model.absorber_sites(crystal, element, record.sites, name=name)
        yield sites


def _row(
    key: tuple[str, str],
    scans: Sequence[tuple[Record, Annotation]],
    curve: tuple[FloatArray, FloatArray],
    grid: EnergyGrid,
) -> dict[str, object]:
    """Return what is measured of a compound, by the names of `Compounds`."""
    (element, name), (record, about), (energy, norm) = key, scans[0], curve
    known = np.isfinite(norm)
    filled = np.interp(energy, energy[known], norm[known])
    return {
        "name": name,
        "element": element,
        "group": about.group or record.material.formula,
        "formula": record.material.formula,
        "n_scans": len(scans),
        "energy": energy,
        "norm": filled,
        "target": np.interp(grid.energies, energy, norm),
        "half_step": half_step(grid.energies, np.interp(grid.energies, energy, filled)),
    }
