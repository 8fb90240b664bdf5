"""The edges that spectra are counted from: computed where a theory allows it, else one constant."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from cgxas.data.record import Record
from cgxas.model.edges import is_computed
from cgxas.physics.edges import edge_energies
from cgxas.spectra.metrics import half_step_or_nan
from cgxas.typing import FloatArray

Origins = Mapping[tuple[str, str], float]
"""(fidelity, absorber) -> the edge of all its spectra, eV."""

_USUAL_LAG = 5.0  # eV from the edge to the half step, where no computed edge of the absorber is
_EARLIER = 5.0  # eV; one edge for all is late for some, whose pre-edge is to be learnt too


def origins_of(records: Sequence[Record], edges: FloatArray) -> dict[tuple[str, str], float]:
    """Return the edges of theories in which they cannot be computed.

    It is the median half step of the spectra, less what half steps of the same absorber lie above
    computed edges in the median, so that curves of all theories stand one over the other; less
    5 eV, so that pre-edges are not cut.

    Args:
        records: the spectra.
        edges: (T,) their computed edges, eV; NaN where there is none.
    """
    lags: dict[str, list[float]] = defaultdict(list)
    unknown: dict[tuple[str, str], list[float]] = defaultdict(list)
    wanted = {records[n].element for n in np.flatnonzero(np.isnan(edges)).tolist()}
    for record, edge in zip(records, edges, strict=True):
        if record.element not in wanted:
            continue
        found = half_step_or_nan(record.energy, record.norm)
        if np.isnan(found):  # no edge: the middle of the curve is as good
            found = float(record.energy[len(record.energy) // 2])
        if np.isnan(edge):
            unknown[record.fidelity, record.element].append(found)
        else:
            lags[record.element].append(found - edge)
    usual = {element: float(np.median(each)) for element, each in lags.items()}
    return {
        (fidelity, element): float(np.median(each)) - usual.get(element, _USUAL_LAG) - _EARLIER
        for (fidelity, element), each in unknown.items()
    }


def computed_edges(records: Sequence[Record]) -> FloatArray:
    """Return (T,) computed edges of spectra, eV; NaN where the theory does not allow it.

    That of a mean over several sites is the mean of their edges.
    """
    groups: dict[tuple[int, str], list[int]] = defaultdict(list)
    for n, record in enumerate(records):
        if is_computed(record.fidelity, record.element):
            groups[id(record.material), record.fidelity].append(n)
    edges = np.full(len(records), np.nan)
    for (_, theory), rows in groups.items():
        cell = records[rows[0]].material.cell
        sites = np.unique(np.concatenate([records[n].sites for n in rows]))
        found = edge_energies(cell, sites, theory)
        for n in rows:
            edges[n] = found[np.searchsorted(sites, records[n].sites)].mean()
    return edges


def edges_of(records: Sequence[Record]) -> FloatArray:
    """Return (T,) edges that spectra are counted from, eV."""
    edges = computed_edges(records)
    origins = origins_of(records, edges)
    known = [origins.get((record.fidelity, record.element), np.nan) for record in records]
    return np.where(np.isnan(edges), known, edges)
