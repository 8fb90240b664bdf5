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
from cgxas.physics.potentials import Sites, potential_kernel
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
    sites: AbsorberSites, spec: FeatureSpec, without: Sequence[str] = ()
) -> SiteFeatures:
    """Return what sites are compared by.

    Args:
        sites: of one compound.
        spec: how.
        without: reduced formulas whose runs of FEFF say nothing of the potential.

    Raises:
        CrystalError: the potential around an element so heavy is not known.
    """
    (energies, simulated), relative = sites.curves, spec.relative
    edges, curves = [], []
    for norm in simulated:
        broad = broadened(energies, norm, spec.broadening)
        edges.append(edge_of(energies, broad))
        curves.append(np.interp(relative, energies - edges[-1], broad))
    around, potential = _surroundings(sites, spec, without)
    return SiteFeatures(
        element=torch.full((len(sites),), atomic_number(sites.absorber)),
        vector=sites.vectors.double(),
        curve=torch.from_numpy(np.array(curves)),
        edge=torch.tensor(edges, dtype=torch.float64)[:, None] - sites.start,
        state=torch.from_numpy(sites.state),
        around=torch.from_numpy(around),
        potential=torch.from_numpy(potential),
    )


def _surroundings(
    sites: AbsorberSites, spec: FeatureSpec, without: Sequence[str]
) -> tuple[FloatArray, FloatArray]:
    """Return (S, D) surroundings and (S, 3) Fermi level, 1s level and charge."""
    if not spec.surroundings:
        return np.empty((len(sites), 0)), np.empty((len(sites), 0))
    found = Sites.of(sites.cell, sites.atoms, sites.surroundings)
    learnt = potential_kernel()(found, without)
    return found.around, np.column_stack([learnt.fermi, learnt.level, learnt.charge])


def edge_of(energy: FloatArray, norm: FloatArray) -> float:
    """Return the half step of a predicted curve, eV; its steepest point if it has no edge."""
    try:
        return half_step(energy, norm)
    except SpectrumError:
        return float(energy[np.argmax(np.gradient(norm))])
