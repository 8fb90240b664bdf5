"""More compounds for a reference that was made before, of a model that has learnt on."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from cgxas.model.trust.met import Met
from cgxas.model.trust.reference import Reference
from cgxas.physics.fingerprint import Fingerprints


def with_compounds(reference: Reference, sites: Fingerprints, formulas: Sequence[str]) -> Reference:
    """Return a reference that also tells of some compounds, all else as it was.

    The borders stay, which were found by compounds that nothing was learnt from.

    Args:
        reference: of the model as it was.
        sites: (S,) absorbing sites that it has learnt besides.
        formulas: (S,) of their compounds.
    """
    old = reference.simulated
    new = Met.of(sites, formulas, reference.axes, old.verb)
    names = tuple(sorted({*old.names, *new.names}))
    number = {name: n for n, name in enumerate(names)}
    compound = np.array(
        [number[met.names[n]] for met in (old, new) for n in met.compound.tolist()], dtype=np.int32
    )
    element = torch.cat([old.element, new.element])
    order = torch.from_numpy(np.lexsort((compound, element.numpy())))
    known = torch.from_numpy(np.isin(np.arange(1, len(old.border) + 1), old.element.numpy()))
    low, high = _range(old, new)
    met = replace(
        old,
        names=names,
        element=element[order],
        compound=torch.from_numpy(compound)[order],
        place=torch.cat([old.place, new.place])[order],
        present=torch.maximum(old.present, new.present),
        bonded=torch.maximum(old.bonded, new.bonded),
        coordination=torch.stack([low, high], dim=1),
        border=torch.where(known, old.border, new.border),
    )
    return replace(reference, simulated=met)


def _range(old: Met, new: Met) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the least and the largest coordination of each absorber; 0 where none was met."""
    low, high = old.coordination.clone().T
    for z in np.unique(new.element.numpy()).tolist():
        least, most = new.coordination[z - 1]
        is_new = not bool((old.element == z).any())
        low[z - 1] = least if is_new else torch.minimum(low[z - 1], least)
        high[z - 1] = most if is_new else torch.maximum(high[z - 1], most)
    return low, high
