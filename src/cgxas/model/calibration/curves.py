"""What a program such as FEFF says of known compounds, as a calibration to compare others with."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from cgxas.errors import UnsupportedAbsorber
from cgxas.model.architecture import Architecture
from cgxas.model.calibration.base import Calibrated, Calibration
from cgxas.model.sites import AbsorberSites
from cgxas.spectra.spectrum import EnergyGrid
from cgxas.typing import FloatArray

Curve = tuple[FloatArray, FloatArray]
"""Energies, eV, and norm, both (Q,)."""


class CurvesCalibration(Calibration):
    """Spectra that were computed elsewhere, looked up by absorber and name of the compound.

    Attributes:
        curves: absorber -> name of the compound -> its curve.
    """

    kind = "curves"

    def __init__(self, curves: Mapping[str, Mapping[str, Curve]]) -> None:
        self.curves = curves

    def curve(self, sites: AbsorberSites) -> Curve:
        """Return the curve of a compound.

        Raises:
            UnsupportedAbsorber: there is none.
        """
        found = self.curves.get(sites.absorber, {}).get(sites.name)
        if found is None:
            raise UnsupportedAbsorber(
                f"there is no curve of {sites.absorber} in {sites.name or 'this compound'}"
            )
        return found

    def spectra(self, sites: AbsorberSites, grid: EnergyGrid) -> Calibrated:
        """Return the curve of the compound for each of its sites."""
        mean = np.interp(grid.energies, *self.curve(sites))
        return Calibrated(np.tile(mean, (len(sites), 1)), mean)

    @property
    def tensors(self) -> dict[str, Tensor]:
        """The curves, (2, Q) each, by absorber and place."""
        return {
            f"{absorber}.{n}": torch.from_numpy(np.stack(curve))
            for absorber, named in self.curves.items()
            for n, curve in enumerate(named.values())
        }

    @property
    def values(self) -> dict[str, Any]:
        """The names of the compounds by absorber."""
        return {"names": {absorber: list(named) for absorber, named in self.curves.items()}}

    @classmethod
    def restore(
        cls, tensors: Mapping[str, Tensor], values: Mapping[str, Any], network: Architecture
    ) -> Self:
        """Undo `tensors` and `values`; KeyError, TypeError or ValueError if they do not fit."""
        curves: dict[str, dict[str, Curve]] = {}
        for absorber, names in values["names"].items():
            rows = [tensors[f"{absorber}.{n}"].numpy() for n in range(len(names))]
            curves[absorber] = {name: _curve(row) for name, row in zip(names, rows, strict=True)}
        if len(tensors) != sum(map(len, curves.values())):
            raise ValueError("there are curves without names")
        return cls(curves)


def _curve(row: FloatArray) -> Curve:
    energy, norm = row
    if row.ndim != 2 or not (np.diff(energy) > 0).all():
        raise ValueError("a curve has a norm at each of some energies that increase")
    return energy, norm
