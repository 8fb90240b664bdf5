"""Learning the kernel beside a network, and what each counts."""

from dataclasses import replace

import numpy as np
import torch

from cgxas.data.compile import CompiledData
from cgxas.data.split import Split
from cgxas.elements import MAX_ATOMIC_NUMBER, atomic_number
from cgxas.evaluation.asking import answers_to
from cgxas.evaluation.testing import curves
from cgxas.model.architecture import Architecture
from cgxas.model.kernel import KernelSettings, SiteKernel
from cgxas.physics.surroundings import surroundings
from cgxas.typing import FloatArray, IntArray

_PRIOR = 20.0  # validation spectra that all elements together count as for each


def fitted_kernel(
    network: Architecture, data: CompiledData, split: Split, settings: KernelSettings
) -> SiteKernel:
    """Return a kernel learnt from the training part, and weighed on the validation part.

    Args:
        network: what it stands beside, trained.
        data: the data set.
        split: its parts.
        settings: how sites are compared.
    """
    learnt, tried = (_own(data, part, settings) for part in (split.train, split.validation))
    absorber = data.dataset.absorber.numpy().astype(np.int64)
    theory = _theories(data, settings)
    norm = curves(data.dataset, np.arange(len(absorber)))
    described = _described(data, learnt)
    kernel = SiteKernel.fitted(described, absorber[learnt], theory[learnt], norm[learnt], settings)
    if not len(tried):
        return kernel
    own, other = answers_of_network(network, data, tried), _answers(kernel, data, tried)
    weight, _ = data.dataset.weights(torch.from_numpy(tried))
    share = np.full(tuple(kernel.share.shape), 0.5)
    for n in np.unique(theory[tried]):
        mine = theory[tried] == n
        true = np.nan_to_num(norm[tried[mine]])  # where it is not known the weight is 0
        weights = weight[torch.from_numpy(mine)].double().numpy()
        share[n] = shares_of(own[mine], other[mine], true, weights, absorber[tried[mine]])
    return replace(kernel, share=torch.from_numpy(share.astype(np.float32)))


def averaged(
    network: Architecture, kernel: SiteKernel | None, data: CompiledData, wanted: IntArray
) -> FloatArray:
    """Return (T, P) what a network and the kernel beside it answer together.

    Args:
        network: the network.
        kernel: the kernel; None if the network stands alone.
        data: the data set.
        wanted: (T,) numbers of the spectra.
    """
    found = answers_of_network(network, data, wanted)
    return found if kernel is None else mixed(found, kernel, data, wanted)


def mixed(
    alone: FloatArray, kernel: SiteKernel, data: CompiledData, wanted: IntArray
) -> FloatArray:
    """Return (T, P) what the kernel makes of a network's (T, P) answers; as in `averaged`."""
    found, records = alone.copy(), data.records.records
    for row, n in enumerate(wanted):
        record = records[n]
        z = atomic_number(record.element)
        if kernel.knows(record.fidelity):
            share = kernel.share_of(z, record.fidelity)
            described = surroundings(record.material.cell, record.sites)
            other = kernel.spectra(described, z, record.fidelity).mean(axis=0)
            found[row] += share * (other - found[row])
    return np.maximum(found, 0.0)


def _own(data: CompiledData, part: IntArray, settings: KernelSettings) -> IntArray:
    """Return the spectra of a part that are of the theories, of one site, and begin on the axis."""
    records, computed = data.records.records, data.dataset.computed.numpy()
    return np.array(
        [
            n
            for n in part
            if records[n].fidelity in settings.fidelities
            and records[n].site_certain
            and computed[n, 0] == 0
        ],
        dtype=np.int64,
    )


def _theories(data: CompiledData, settings: KernelSettings) -> IntArray:
    """Return (n,) the number of the theory of each spectrum among the kernel's; -1 if of none."""
    number = {fidelity: n for n, fidelity in enumerate(settings.fidelities)}
    return np.array([number.get(each.fidelity, -1) for each in data.records.records])


def _answers(kernel: SiteKernel, data: CompiledData, wanted: IntArray) -> FloatArray:
    """Return (T, P) what the kernel answers for the first site of some spectra."""
    records = [data.records.records[n] for n in wanted]
    return np.array(
        [
            kernel.spectra(one[None], atomic_number(record.element), record.fidelity)[0]
            for one, record in zip(_described(data, wanted), records, strict=True)
        ]
    )


def _described(data: CompiledData, wanted: IntArray) -> FloatArray:
    """Return (T, D) the surroundings of the first site of some spectra."""
    records = data.records.records
    rows = [surroundings(records[n].material.cell, records[n].sites[:1])[0] for n in wanted]
    return np.array(rows)


def answers_of_network(network: Architecture, data: CompiledData, wanted: IntArray) -> FloatArray:
    """Return (T, P) what the network answers."""
    return answers_to(network, data.dataset.renumbered(network.config.fidelities), wanted)


def shares_of(
    own: FloatArray, other: FloatArray, norm: FloatArray, weight: FloatArray, absorber: IntArray
) -> FloatArray:
    """Return (104,) what the kernel counts of each element, so that the mean RSE is least.

    The RSE of a mix is a parabola in its share. Few spectra of an element are joined by all.
    """
    apart, off = other - own, norm - own
    scale = (weight * norm**2).sum(axis=1)
    bend = (weight * apart**2).sum(axis=1) / scale
    slope = (weight * apart * off).sum(axis=1) / scale
    # Relative to what an element's RSE is: else oxygen would speak for silver.
    usual = np.array([bend[absorber == z].mean() for z in absorber])
    all_bend, all_slope = (bend / usual).mean(), (slope / usual).mean()
    shares = np.full(MAX_ATOMIC_NUMBER + 1, all_slope / all_bend)
    for z in np.unique(absorber):
        mine = absorber == z
        level = bend[mine].mean()
        top = slope[mine].sum() / level + _PRIOR * all_slope
        shares[z] = top / (bend[mine].sum() / level + _PRIOR * all_bend)
    return np.asarray(np.clip(shares, 0.0, 1.0))
