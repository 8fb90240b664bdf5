"""What a trained model says of each absorber: energies, counts, scores."""

from collections.abc import Sequence

import numpy as np

from cgxas.data.compile import CompiledData
from cgxas.data.record import Record
from cgxas.elements import SYMBOLS, atomic_number
from cgxas.evaluation.scores import Distribution, Evaluation
from cgxas.model.architecture import ArchitectureSettings
from cgxas.model.description import AbsorberCard, EdgeAxis
from cgxas.model.edges import is_computed
from cgxas.spectra.axis import FEFF_POINTS
from cgxas.spectra.metrics import half_step_or_nan
from cgxas.spectra.spectrum import EnergyGrid
from cgxas.spectra.xray import answer_grid, k_hole_width, windows
from cgxas.typing import IntArray


def cards(
    config: ArchitectureSettings, data: CompiledData, learnt: IntArray, evaluation: Evaluation
) -> dict[tuple[str, str], AbsorberCard]:
    """Return what a model knows of each absorber it has learnt.

    Args:
        config: the network.
        data: all spectra.
        learnt: numbers of those it learnt from.
        evaluation: how it was tested.
    """
    records = data.records.records
    found = {}
    for symbol in SYMBOLS:
        rows = np.array([n for n in learnt if records[n].element == symbol], dtype=np.int64)
        if not len(rows):
            continue
        mine = [records[n] for n in rows]
        scores = evaluation.elements.get(symbol)
        on_edge = config.axis == "edge"
        found[symbol, "K"] = AbsorberCard(
            grid=_grid(mine) if on_edge else windows(config.n_outputs)[symbol],
            n_train=len(rows),
            n_test=scores.n if scores else 0,
            test_rse=scores.rse.mean if scores else None,
            test_pcc=scores.pcc.mean if scores else None,
            test_half_step_error=_mean(scores.half_step_error) if scores else None,
            fidelity=_usual_fidelity(mine) if config.fidelities else None,
            edge_axis=_edge_axis(data, symbol, rows) if on_edge else None,
        )
    return found


def _mean(found: Distribution | None) -> float | None:
    return found.mean if found else None


def _usual_fidelity(learnt: Sequence[Record]) -> str:
    """Return the theory most spectra of an absorber were made with."""
    names = [record.fidelity for record in learnt]
    return max(sorted(set(names)), key=names.count)


def _grid(learnt: Sequence[Record]) -> EnergyGrid:
    """Return the energies that an absorber is answered on, whatever the crystal."""
    known = np.array([half_step_or_nan(record.energy, record.norm) for record in learnt])
    if np.isnan(known).all():  # no curve has an edge
        known = np.array([record.energy.mean() for record in learnt])
    return answer_grid(known[~np.isnan(known)])


def _edge_axis(data: CompiledData, symbol: str, rows: IntArray) -> EdgeAxis:
    """Return how outputs for an absorber become energies, as its spectra tell."""
    dataset, records = data.dataset, data.records.records
    if dataset.edge is None:
        raise ValueError("the data were compiled for fixed windows")
    edges, last = dataset.edge.numpy(), dataset.computed.numpy()[:, 1] - 1
    reach: dict[str, float] = {}
    for n in rows:
        name = records[n].fidelity
        reach[name] = max(reach.get(name, 0.0), float(FEFF_POINTS[last[n]]))
    theories = {record.fidelity for record in records if record.element == symbol}
    origins = {
        theory: next(
            float(edge)
            for edge, record in zip(edges, records, strict=True)
            if (record.fidelity, record.element) == (theory, symbol)
        )
        for theory in sorted(theories)
        if not is_computed(theory, symbol)
    }
    return EdgeAxis(origins, reach, k_hole_width(atomic_number(symbol)))
