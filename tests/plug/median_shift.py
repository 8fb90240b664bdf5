"""A calibration as another package would bring it: the median shift, and how far that is off."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from cgxas.calibration.measured import Compounds
from cgxas.calibration.repeats import Repeat
from cgxas.model.architecture import Architecture
from cgxas.model.calibration.base import Calibrated, Calibration
from cgxas.model.calibration.features import edge_of
from cgxas.model.sites import AbsorberSites
from cgxas.spectra.spectrum import EnergyGrid


@dataclass(frozen=True, eq=False)
class MedianShift(Calibration):
    """All spectra moved by as much.

    Attributes:
        shift: eV.
        misfit: (P,) root mean square of what the moved spectra of the training part lack.
        scatter: standard deviation of the half steps around the moved ones, eV.
    """

    kind = "median shift"

    shift: float
    misfit: Tensor
    scatter: float

    def spectra(self, sites: AbsorberSites, grid: EnergyGrid) -> Calibrated:
        """Return the moved spectra."""
        each = moved(sites, self.shift, grid)
        return Calibrated(each, sites.share @ each, self.misfit.numpy(), self.scatter)

    @property
    def tensors(self) -> Mapping[str, Tensor]:
        """The misfit."""
        return {"misfit": self.misfit}

    @property
    def values(self) -> Mapping[str, Any]:
        """Shift and scatter."""
        return {"shift": self.shift, "scatter": self.scatter}

    @classmethod
    def restore(
        cls, tensors: Mapping[str, Tensor], values: Mapping[str, Any], network: Architecture
    ) -> Self:
        """Undo both."""
        return cls(float(values["shift"]), tensors["misfit"], float(values["scatter"]))


def moved(sites: AbsorberSites, shift: float, grid: EnergyGrid) -> np.ndarray:
    """Return (S, P) spectra of the network, moved by some eV."""
    return sites.at(grid.energies - shift)


class MedianShiftCalibrator:
    """Fits it to the training part of an element."""

    together = False
    chooses = False

    def fit(self, compounds: Compounds, parts: Repeat) -> MedianShift:
        """Learn the median."""
        train = parts.train.tolist()
        sites, grid = [compounds.sites[n] for n in train], compounds.grids[parts.element]
        own = np.array([edge_of(*each.mean) for each in sites])
        lags = compounds.half_step[train] - own
        shift = float(np.median(lags))
        curves = np.array([each.share @ moved(each, shift, grid) for each in sites])
        lacking = np.nan_to_num(compounds.target[train] - curves)
        misfit = np.sqrt((lacking**2).mean(axis=0)) + 1e-3
        return MedianShift(shift, torch.from_numpy(misfit), float(lags.std()) + 0.1)
