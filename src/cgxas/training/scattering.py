"""A model with scattering: potentials learnt from runs of FEFF, beside a trained network."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np
import torch

from cgxas.data.compile import CompiledData
from cgxas.data.record import Record
from cgxas.data.split import Split
from cgxas.elements import MAX_ATOMIC_NUMBER, atomic_number
from cgxas.errors import ConfigError
from cgxas.model.architecture import Architecture
from cgxas.model.checkpoint import Checkpoint
from cgxas.model.kernel import SiteKernel
from cgxas.model.scattering.known import KnownDepth, KnownPotentials
from cgxas.model.scattering.part import Scattering
from cgxas.model.scattering.phases import PhaseModel
from cgxas.training.kernel import averaged, shares_of
from cgxas.training.trust import learnt_from
from cgxas.typing import FloatArray, IntArray

Potentials: TypeAlias = tuple[Sequence[KnownPotentials], Sequence[KnownDepth]]
"""Sites with all potentials, and further sites of which only the depth is known."""

_FIDELITY = "FEFF10"


def with_scattering(
    parent: Checkpoint,
    data: CompiledData,
    split: Split,
    potentials: Potentials,
) -> Checkpoint:
    """Return a model that averages its answers with scattering.

    Args:
        parent: a trained model of simulations.
        data: the data it was trained with.
        split: their parts; the validation part tells what the scattering counts.
        potentials: of spectra of the training part (`cgxas.data.potentials`).

    Raises:
        ConfigError: the model is calibrated, or does not answer as FEFF10.
    """
    parent.refuse_calibrated("scattering goes with simulations")
    if parent.config.axis != "edge" or _FIDELITY not in parent.config.fidelities:
        raise ConfigError(f"{parent.name} does not answer as {_FIDELITY} about the computed edge")
    network, kernel = parent.network(), parent.kernel
    found, scattered = fitted_scattering(network, kernel, data, split, potentials)
    return replace(
        parent,
        name="scattering",
        scattering=found,
        trust=learnt_from(data, split, network, kernel, scattered),
    )


def fitted_scattering(
    network: Architecture,
    kernel: SiteKernel | None,
    data: CompiledData,
    split: Split,
    potentials: Potentials,
) -> tuple[Scattering, Callable[[IntArray, FloatArray], FloatArray]]:
    """Learn potentials, and weigh their spectra beside what else answers on the validation part.

    Args:
        network: a trained network.
        kernel: what it is averaged with.
        data: the data it was trained with.
        split: their parts.
        potentials: of spectra of the training part.

    Returns:
        The scattering; and what makes of numbers of validation spectra (T,) and answers to them
        (T, P) the answers averaged with scattering.
    """
    phases, records = PhaseModel.fitted(*potentials), data.records.records
    known = {each.cell.numbers[each.atom] for each in potentials[0]}
    every = Scattering(phases, torch.ones(MAX_ATOMIC_NUMBER + 1), _FIDELITY)
    tried = np.array([n for n in split.validation if _can(every, records[n], known)], np.int64)
    before = averaged(network, kernel, data, tried)
    alone = np.array([_curve(every, records[n], row) for n, row in zip(tried, before, strict=True)])
    weight, _ = data.dataset.weights(torch.from_numpy(tried))
    absorber = np.array([atomic_number(records[n].element) for n in tried])
    norm = data.dataset.norm.double().numpy()[tried]
    share = shares_of(before, alone, norm, weight.double().numpy(), absorber)
    share[[z for z in range(MAX_ATOMIC_NUMBER + 1) if z not in known]] = 0.0
    place = {int(n): row for row, n in enumerate(tried)}

    def scattered(wanted: IntArray, others: FloatArray) -> FloatArray:
        curves = others.copy()
        for row, n in enumerate(wanted):
            if int(n) in place:
                mine = share[atomic_number(records[n].element)]
                curves[row] += mine * (alone[place[int(n)]] - curves[row])
        return curves

    return replace(every, share=torch.from_numpy(share.astype(np.float32))), scattered


def _can(scattering: Scattering, record: Record, known: set[int]) -> bool:
    """Return whether a spectrum is of the theory and the scattering answers for its site."""
    cell, atom = record.material.cell, int(record.sites[0])
    return (
        record.fidelity == scattering.fidelity
        and record.site_certain
        and int(cell.numbers[atom]) in known
        and scattering.phases.answers(cell, atom)
    )


def _curve(scattering: Scattering, record: Record, other: FloatArray) -> FloatArray:
    cell, atoms = record.material.cell, record.sites[:1]
    found = scattering.averaged(other[None], cell, atoms, scattering.fidelity)
    return np.asarray(found[0])
