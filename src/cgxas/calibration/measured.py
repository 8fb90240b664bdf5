"""Measured compounds beside what an uncalibrated model says of them: what calibration learns from.

One spectrum per compound: the scans of a source are averaged, and the sources have one vote each.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cgxas.crystals.batch import collate
from cgxas.crystals.bonds import chemical_state
from cgxas.data.compile import members, site_graph
from cgxas.data.folder import read_records
from cgxas.data.record import Annotation, Record, Records
from cgxas.elements import atomic_number
from cgxas.errors import DatasetError, SpectrumError
from cgxas.model.calibration.gaussian import normalised_edge, sites_of
from cgxas.model.calibration.kernels import Sites
from cgxas.model.cgxas.network import CGXAS
from cgxas.model.checkpoint import Checkpoint
from cgxas.spectra.spectrum import EnergyGrid
from cgxas.typing import FloatArray

STEP = 55 / 99
_BELOW, _ABOVE = 60.0, 160.0  # eV around the window in which measured curves are kept
_MARGIN, _PRE_EDGE = 1.0, 5.0
_LEAST_KNOWN = 0.5


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
        e0: (C,) edge of the target, eV.
        owner: (S,) number of the compound a site belongs to.
        share: (S,) its weight in the mean of the compound.
        sites: what is known of them.
        simulated: (S, P) uncalibrated spectra on the model's own grid.
        grids: element -> energies of the calibrated model.
        model: the uncalibrated model.
        network: its network.
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
    e0: FloatArray
    owner: NDArray[np.int64]
    share: FloatArray
    sites: Sites
    simulated: FloatArray
    grids: Mapping[str, EnergyGrid]
    model: Checkpoint
    network: CGXAS
    data: Records
    sources: Mapping[str, Mapping[str, int]]
    left_out: tuple[tuple[str, str], ...]

    def __len__(self) -> int:
        return len(self.name)

    def rows_of(self, compound: int) -> NDArray[np.int64]:
        """Return the numbers of the sites of a compound."""
        return np.flatnonzero(self.owner == compound)

    def simulated_grid(self, compound: int) -> EnergyGrid:
        """Return the energies the uncalibrated model answers on."""
        return self.model.elements[str(self.element[compound])].grid

    def sharing(self, wanted: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """Return the rows of the sites of some compounds, and (C, S) their shares."""
        rows = np.flatnonzero(np.isin(self.owner, wanted))
        share = np.where(self.owner[rows] == wanted[:, None], self.share[rows], 0.0)
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
    curves = {key: _merged(scans, model) for key, scans in units.items()}
    grids = _grids(units, curves, model)
    found = _Gathered(model, grids)
    for key in sorted(units):
        found.add(key, units[key], curves[key])
    sources: dict[str, Counter[str]] = defaultdict(Counter)
    for (element, _), scans in units.items():
        sources[element].update(about.source for _, about in scans)
    return found.compounds(records, sources, tuple(left_out))


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
    if inside.mean() < _LEAST_KNOWN:
        return (
            f"its energies ({energy[0]:.0f} to {energy[-1]:.0f} eV) hardly overlap the window of "
            f"{record.element} ({card.grid.e_min:.0f} to {card.grid.e_max:.0f} eV)"
        )
    try:
        edge = measured_edge(energy, record.norm)
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
    """Return the model's grids, moved down where measured edges lie below their start.

    FEFF's absolute energies are off by up to 34 eV (SPEC section 6).
    """
    grids = {}
    for element in sorted({element for element, _ in units}):
        grid = model.elements[element].grid
        edges = [measured_edge(*curves[key]) for key in units if key[0] == element]
        lowest = min(edges)
        if lowest < grid.e_min + _MARGIN:
            start = float(np.floor(lowest - _PRE_EDGE))
            grid = EnergyGrid(start, start + grid.e_max - grid.e_min, grid.n_points)
        grids[element] = grid
    return grids


def measured_edge(energy: FloatArray, norm: FloatArray) -> float:
    """Return half the step of a normalised measured curve, eV; NaN values are left out.

    Raises:
        SpectrumError: it has no edge.
    """
    known = np.isfinite(norm)
    return normalised_edge(energy[known], norm[known])


class _Gathered:
    """Compounds on their way into arrays."""

    def __init__(self, model: Checkpoint, grids: Mapping[str, EnergyGrid]) -> None:
        self.model, self.grids, self.network = model, grids, model.network()
        self.rows: list[dict[str, object]] = []
        self.sites: list[Sites] = []
        self.simulated: list[FloatArray] = []
        self.owner: list[int] = []
        self.share: list[float] = []

    def add(
        self,
        key: tuple[str, str],
        scans: Sequence[tuple[Record, Annotation]],
        curve: tuple[FloatArray, FloatArray],
    ) -> None:
        """Add a compound with its sites."""
        element, name = key
        (record, about), (energy, norm) = scans[0], curve
        grid = self.grids[element]
        known = np.isfinite(norm)
        filled = np.interp(energy, energy[known], norm[known])
        target = np.interp(grid.energies, energy, norm)
        self._add_sites(record)
        self.rows.append(
            {
                "name": name,
                "element": element,
                "group": about.group or record.material.formula,
                "formula": record.material.formula,
                "n_scans": len(scans),
                "energy": energy,
                "norm": filled,
                "target": target,
                "e0": measured_edge(grid.energies, np.interp(grid.energies, energy, filled)),
            }
        )

    @torch.no_grad()
    def _add_sites(self, record: Record) -> None:
        config, card = self.network.config, self.model.elements[record.element]
        graph, nodes_of_site = site_graph(record.material.cell, config)
        vectors = self.network.embed(collate([graph]))
        distinct, share = members(record.sites, nodes_of_site)
        theory = None
        if card.fidelity is not None:
            theory = torch.tensor(config.fidelity_index(card.fidelity))
        valence, ligands = chemical_state(graph)
        sites, simulated = sites_of(
            self.network,
            vectors[distinct],
            atomic_number(record.element),
            card.grid,
            theory,
            (valence[distinct], ligands[distinct]),
        )
        self.owner += [len(self.rows)] * len(distinct)
        self.share += share.tolist()
        self.sites.append(sites)
        self.simulated.append(simulated)

    def compounds(
        self,
        data: Records,
        sources: Mapping[str, Mapping[str, int]],
        left_out: tuple[tuple[str, str], ...],
    ) -> Compounds:
        """Return what was added, of which data, and what was not."""
        names = self.rows[0] if self.rows else ()
        columns = {name: np.array([row[name] for row in self.rows]) for name in names}
        tensors = [sites.tensors for sites in self.sites]
        return Compounds(
            **columns,
            owner=np.array(self.owner),
            share=np.array(self.share),
            sites=Sites(**{n: torch.cat([each[n] for each in tensors]) for n in tensors[0]}),
            simulated=np.concatenate(self.simulated),
            grids=self.grids,
            model=self.model,
            network=self.network,
            data=data,
            sources=sources,
            left_out=left_out,
        )
