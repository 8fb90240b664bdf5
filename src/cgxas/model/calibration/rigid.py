"""The dull calibration: one energy shift and one broadening for all compounds of an element."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from torch import Tensor

from cgxas.model.architecture import Architecture
from cgxas.model.calibration.base import Calibrated, Calibration
from cgxas.model.calibration.curves import Curve, CurvesCalibration
from cgxas.model.sites import AbsorberSites
from cgxas.spectra.resample import PAD_POINTS, broadened
from cgxas.spectra.spectrum import EnergyGrid
from cgxas.typing import FloatArray

REACH = 34.0
"""How far curves are continued beyond their ends, eV: the greatest shift and width together."""

_FINE = 0.25


@dataclass(frozen=True, eq=False)
class RigidCalibration(Calibration):
    """A shift and a broadening.

    Attributes:
        shift: eV that are added to the uncalibrated energies.
        width: full width at half maximum of the Gaussian, eV.
        program: whose curves are moved; the network's own if None.
    """

    kind = "rigid"

    shift: float
    width: float
    program: CurvesCalibration | None = None

    def spectra(self, sites: AbsorberSites, grid: EnergyGrid) -> Calibrated:
        """Return the curves, shifted and broadened."""
        if self.program is not None:
            mean = self.moved(*self.program.curve(sites), grid)
            return Calibrated(np.tile(mean, (len(sites), 1)), mean)
        energies, curves = sites.curves
        each = np.array([self.moved(energies, curve, grid) for curve in curves])
        return Calibrated(each, self.moved(*sites.mean, grid))

    def moved(self, energy: FloatArray, norm: FloatArray, grid: EnergyGrid) -> FloatArray:
        """Return a curve, (Q,) and (Q,), shifted and broadened on the wanted energies, (P,)."""
        wide, curve = extended(energy, norm)
        broad = broadened(wide, curve, self.width)
        return np.interp(grid.energies - self.shift, wide, broad)

    @property
    def tensors(self) -> Mapping[str, Tensor]:
        """Those of the program's curves."""
        return {} if self.program is None else self.program.tensors

    @property
    def values(self) -> dict[str, Any]:
        """Shift and width, and what the curves are of."""
        program = None if self.program is None else dict(self.program.values)
        return {"shift": self.shift, "width": self.width, "program": program}

    @classmethod
    def restore(
        cls, tensors: Mapping[str, Tensor], values: Mapping[str, Any], network: Architecture
    ) -> Self:
        """Undo `tensors` and `values`; KeyError, TypeError or ValueError if they do not fit."""
        shift, width, program = (values[name] for name in ("shift", "width", "program"))
        if not np.isfinite([shift, width]).all() or width < 0:
            raise ValueError("a shift is a finite number, and a width one of at least 0")
        if tensors and program is None:
            raise ValueError("there are tensors, but no program whose curves they are")
        curves = None if program is None else CurvesCalibration.restore(tensors, program, network)
        return cls(float(shift), float(width), curves)


def extended(energy: FloatArray, norm: FloatArray) -> Curve:
    """Return a curve that goes on beyond its ends: with its first value, and its last five."""
    left = np.arange(energy[0] - REACH, energy[0] - _FINE / 2, _FINE)
    right = np.arange(energy[-1] + _FINE, energy[-1] + REACH, _FINE)
    ends = np.full(left.size, norm[0]), np.full(right.size, norm[-PAD_POINTS:].mean())
    return np.concatenate([left, energy, right]), np.concatenate([ends[0], norm, ends[1]])
