"""What a trained model has learnt from, and what errors to expect: how its answers are judged.

The training spectra tell what was met. The validation spectra, of compounds that the weights were
not fitted to, tell where its border lies, how large errors are, and how wide the bands.
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from cgxas.crystals.formula import formula_of
from cgxas.data.compile import CompiledData
from cgxas.data.dataset import Dataset
from cgxas.data.record import Record
from cgxas.data.split import Split
from cgxas.elements import atomic_number
from cgxas.evaluation.testing import curves
from cgxas.model.architecture import Architecture
from cgxas.model.kernel import SiteKernel
from cgxas.model.trust.reference import KeptBack, Reference
from cgxas.physics.fingerprint import Fingerprints, fingerprints, joined
from cgxas.spectra.axis import trapezoid_widths
from cgxas.spectra.metrics import rse
from cgxas.spectra.xray import windows
from cgxas.training.kernel import answers_of_network, mixed
from cgxas.typing import FloatArray, IntArray

MOST_SPECTRA: Final = 4000
"""Of an absorber with more spectra only so many are looked at, drawn at random."""


def learnt_from(
    data: CompiledData,
    split: Split,
    network: Architecture,
    kernel: SiteKernel | None = None,
    scattered: Callable[[IntArray, FloatArray], FloatArray] | None = None,
) -> Reference:
    """Return what the answers of a trained network are judged by.

    Args:
        data: all spectra.
        split: its parts.
        network: the network.
        kernel: what it is averaged with.
        scattered: what comes of (T, P) answers of these to spectra by their numbers, (T,), where
            the model has scattering.
    """
    records = data.records.records
    learnt = _some(records, split.train)
    certain = [n for n in split.validation if records[n].site_certain]
    kept = _some(records, np.array(certain, dtype=np.int64))
    sites, of = _sites(records, learnt)
    others = [fingerprints(records[n].material.cell, records[n].sites) for n in kept]
    names = [formula_of(records[n].material.cell.numbers) for n in kept]
    if not len(kept):
        return Reference.learnt_from(sites, of)
    repeated = [name for name, each in zip(names, others, strict=True) for _ in range(len(each))]
    reference = Reference.learnt_from(sites, of, (joined(others), repeated))
    new = [
        reference.judge(each, np.full(len(each), 1 / len(each)), name).newness
        for each, name in zip(others, names, strict=True)
    ]
    relative, true = _relative(data.dataset), curves(data.dataset, kept)
    alone = predicted = answers_of_network(network, data, kept)
    element = np.array([atomic_number(records[n].element) for n in kept])
    disagreement = None
    if kernel is not None:
        predicted = mixed(alone, kernel, data, kept)
        theory = [records[n].fidelity for n in kept]
        share = np.array(
            [kernel.share_of(int(z), name)[0] for z, name in zip(element, theory, strict=True)]
        )
        apart = _apart(alone, predicted, share)
        weight = trapezoid_widths(relative, np.isfinite(true))
        disagreement = rse(predicted, predicted + apart, weight)
    if scattered is not None:
        predicted = scattered(kept, predicted)
    return reference.with_errors(
        KeptBack(relative, true, predicted, element, np.array(new), disagreement)
    )


def _apart(network: FloatArray, both: FloatArray, share: FloatArray) -> FloatArray:
    """Return (n, P) how far a kernel is from a network, by what both together answer.

    NaN where the kernel has no (n,) share in it.
    """
    return (both - network) / np.where(share > 0, share, np.nan)[:, None]


def _some(records: Sequence[Record], given: IntArray) -> IntArray:
    """Return numbers of spectra, at most so many of an element."""
    draw = np.random.default_rng(0)
    elements = np.array([records[n].element for n in given])
    chosen = [draw.permutation(given[elements == e])[:MOST_SPECTRA] for e in np.unique(elements)]
    return np.sort(np.concatenate([given[:0], *chosen]))


def _sites(records: Sequence[Record], wanted: IntArray) -> tuple[Fingerprints, list[str]]:
    """Return the absorbing sites of some spectra, each once, and their formulas."""
    seen, found, names = set(), [], []
    for record in (records[n] for n in wanted):
        key = id(record.material), tuple(record.sites.tolist())
        if key in seen:  # the same in another theory
            continue
        seen.add(key)
        found.append(fingerprints(record.material.cell, record.sites))
        names += [formula_of(record.material.cell.numbers)] * len(record.sites)
    return joined(found), names


def _relative(dataset: Dataset) -> FloatArray:
    """Return (P,) energies of the outputs, counted from the first, eV."""
    if dataset.points is not None:
        points = dataset.points.double().numpy()
    else:
        points = next(iter(windows(dataset.norm.shape[1]).values())).energies
    return np.asarray(points - points[0])
