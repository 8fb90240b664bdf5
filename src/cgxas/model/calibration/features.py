"""What a calibration compares absorbing sites by: vector, predicted curve, surroundings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import torch
from pydantic import Field

from cgxas.elements import atomic_number
from cgxas.errors import SpectrumError
from cgxas.model.calibration.kernels import SiteFeatures
from cgxas.model.sites import AbsorberSites
from cgxas.physics.potentials import Sites, joined, potential_kernel
from cgxas.settings import Settings
from cgxas.spectra.edge import half_step
from cgxas.spectra.resample import broadened
from cgxas.typing import FloatArray


@dataclass(frozen=True)
class FeatureSpec(Settings):
    """How predicted curves are compared: part of every calibrated model's file.

    Attributes:
        broadening: full width at half maximum, eV, of the Gaussian they are broadened with.
        first: first of the energies relative to the edge, eV, at which shapes are looked at.
        last: these energies end before it, eV.
        step: from one of them to the next, eV.
        surroundings: whether what surrounds a site is looked at.
    """

    title: ClassVar[str] = "features"

    broadening: Annotated[float, Field(ge=0, le=50)] = 2.5
    first: Annotated[float, Field(ge=-500, lt=0)] = -16.0
    last: Annotated[float, Field(gt=0, le=5000)] = 54.01
    step: Annotated[float, Field(ge=0.01, le=10)] = 55 / 99
    surroundings: bool = False  # as in files that do not tell

    @property
    def relative(self) -> FloatArray:
        """(X,) the energies relative to the edge, eV."""
        return np.arange(self.first, self.last, self.step)


def site_features(
    several: Sequence[AbsorberSites], spec: FeatureSpec, without: Sequence[str] = ()
) -> SiteFeatures:
    """Return what sites are compared by.

    Args:
        several: of each compound, at least one.
        spec: how.
        without: reduced formulas whose runs of FEFF say nothing of the potential.

    Raises:
        CrystalError: the potential around an element so heavy is not known.
    """
    edges, curves = [], []
    for sites in several:
        energies, simulated = sites.curves
        for norm in simulated:
            broad = broadened(energies, norm, spec.broadening)
            edge = edge_of(energies, broad)
            curves.append(np.interp(spec.relative, energies - edge, broad))
            edges.append(edge - sites.start)
    around, potential = _surroundings(several, spec, without)
    numbers = [atomic_number(sites.absorber) for sites in several for _ in range(len(sites))]
    return SiteFeatures(
        element=torch.tensor(numbers),
        vector=torch.cat([sites.vectors.double() for sites in several]),
        curve=torch.from_numpy(np.array(curves)),
        edge=torch.tensor(edges, dtype=torch.float64)[:, None],
        state=torch.from_numpy(np.concatenate([sites.state for sites in several])),
        around=torch.from_numpy(around),
        potential=torch.from_numpy(potential),
    )


def _surroundings(
    several: Sequence[AbsorberSites], spec: FeatureSpec, without: Sequence[str]
) -> tuple[FloatArray, FloatArray]:
    """Return (S, D) surroundings and (S, 3) Fermi level, 1s level and charge."""
    if not spec.surroundings:
        nothing = np.empty((sum(map(len, several)), 0))
        return nothing, nothing
    found = joined([Sites.of(each.cell, each.atoms, each.surroundings) for each in several])
    learnt = potential_kernel()(found, without)
    return found.around, np.column_stack([learnt.fermi, learnt.level, learnt.charge])


def edge_of(energy: FloatArray, norm: FloatArray) -> float:
    """Return the half step of a predicted curve, eV; its steepest point if it has no edge."""
    try:
        return half_step(energy, norm)
    except SpectrumError:
        return float(energy[np.argmax(np.gradient(norm))])
