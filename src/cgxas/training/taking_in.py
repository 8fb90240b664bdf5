"""A model with a kernel takes in new spectra: the kernel is fitted on, the network stays.

At the sites of the new spectra the whole model falls short by some curves. The kernel, which knows
how sure it is of every site, spreads them: they are mended in full where it knew nothing, and less
the more it knew there already. At sites unlike the new ones nothing changes.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cgxas.crystals.canonical import settled_cell
from cgxas.crystals.formula import formula_of
from cgxas.data.record import Record
from cgxas.elements import atomic_number
from cgxas.errors import ConfigError
from cgxas.model.checkpoint import Checkpoint
from cgxas.model.kernel import SiteKernel
from cgxas.model.model import Model
from cgxas.model.trust.more import with_compounds
from cgxas.physics.fingerprint import fingerprints, joined
from cgxas.physics.surroundings import surroundings
from cgxas.typing import FloatArray


def can_take_in(model: Checkpoint, element: str, fidelity: str) -> bool:
    """Tell whether the kernel of a model has a say in spectra of a theory."""
    return model.kernel is not None and _say(model, model.kernel, element, fidelity) > 0


def taken_in(model: Checkpoint, records: Sequence[Record], norm: FloatArray) -> Checkpoint:
    """Return a model whose kernel has learnt some spectra besides.

    Args:
        model: it stays as it is.
        records: (T,) spectra of one absorber and of theories of the kernel, each of one site.
        norm: (T, P) the same on the points of the model.

    Raises:
        ConfigError: the kernel has no say in them.
    """
    kernel, element = model.kernel, records[0].element
    theory = np.array([each.fidelity for each in records])
    if kernel is None or not all(can_take_in(model, element, each) for each in set(theory)):
        raise ConfigError(f"{model.name} has no kernel that could learn of {element}")
    number = atomic_number(element)
    described = np.array([surroundings(each.material.cell, each.sites[:1])[0] for each in records])
    lacking = norm - answers(model, records)
    for each in sorted(set(theory)):
        mine, say = theory == each, _say(model, kernel, element, each)
        kernel = kernel.with_sites(described[mine], number, each, lacking[mine] / say)
    sites = [fingerprints(each.material.cell, each.sites) for each in records]
    names = [formula_of(each.material.cell.numbers) for each in records]
    repeated = [n for n, each in zip(names, records, strict=True) for _ in each.sites]
    trust = model.trust
    return replace(
        model,
        kernel=kernel,
        trust=None if trust is None else with_compounds(trust, joined(sites), repeated),
    )


def _say(model: Checkpoint, kernel: SiteKernel, element: str, fidelity: str) -> float:
    """Return what the kernel counts in answers of a model, where it counts most."""
    number = atomic_number(element)
    left = 1.0 if model.scattering is None else 1.0 - float(model.scattering.share[number])
    return left * float(kernel.share_of(number, fidelity).max())


def answers(model: Checkpoint, records: Sequence[Record]) -> FloatArray:
    """Return (T, P) what a model answers to some spectra, on its points.

    Args:
        model: of simulations.
        records: (T,) spectra of theories that it knows.
    """
    asked = Model(model)
    crystals = (settled_cell(each.material.cell, model.config.graph) for each in records)
    found = []
    for record, crystal in zip(records, asked.sites(crystals), strict=True):
        sites, _ = asked.absorber_sites(crystal, record.element, record.sites, record.fidelity)
        found.append(sites.share @ sites.simulated)
    return np.array(found)
