"""The dull baseline: one energy shift and one broadening for all compounds of an element.

Any curves may be put through it: the network's, or those of a program such as FEFF.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cgxas.calibration.measured import Compounds
from cgxas.model.calibration.gaussian import simulated_edge
from cgxas.spectra.resample import PAD_POINTS, broadened
from cgxas.spectra.spectrum import EnergyGrid
from cgxas.typing import FloatArray

IntArray = NDArray[np.int64]
Curve = tuple[FloatArray, FloatArray]

Answer = Callable[[IntArray], FloatArray]
"""(n,) numbers of compounds -> (n, P) calibrated spectra on the grid of their element."""

# Farther shifts of least RSE exist: they move a bad white line out of the window. Great widths
# are the best one can do for sulfur, whose simulated white lines are far too high.
FARTHEST, WIDEST = 10.0, 24.0
"""Greatest shift from where the edges meet, and greatest width at half maximum, eV."""

_STEP = 0.5  # eV, of the grid of shifts and widths
_TOLERANCE = 0.005
_REACH = FARTHEST + WIDEST
_FINE = 0.25


@dataclass(frozen=True, eq=False)
class Rigid:
    """A shift and a broadening; called, it answers with spectra of compounds.

    Attributes:
        curves: compound -> its uncalibrated energies, eV, and norm, both (Q,).
        grid: wanted energies.
        shift: eV that are added to the uncalibrated energies.
        width: full width at half maximum of the Gaussian, eV.
    """

    curves: Mapping[int, Curve]
    grid: EnergyGrid
    shift: float
    width: float

    def __call__(self, wanted: IntArray) -> FloatArray:
        """(n,) numbers of compounds -> (n, P)."""
        return np.array([self.moved(*self.curves[int(each)]) for each in wanted])

    def moved(self, energy: FloatArray, norm: FloatArray) -> FloatArray:
        """Return a curve, (Q,) and (Q,), shifted and broadened on the wanted energies, (P,)."""
        wide, curve = _extended(energy, norm)
        broad = broadened(wide, curve, self.width)
        return np.interp(self.grid.energies - self.shift, wide, broad)

    def operator(self, own: EnergyGrid) -> FloatArray:
        """Return the same as a linear map, (P, P'), of spectra on an uncalibrated grid."""
        unit = np.eye(own.n_points)
        return np.stack([self.moved(own.energies, each) for each in unit], axis=1)


def fit_rigid(compounds: Compounds, element: str, train: IntArray) -> Rigid:
    """Fit a shift and a broadening of the uncalibrated network to measured compounds.

    Args:
        compounds: all of them.
        element: absorber.
        train: numbers of the compounds of that element to learn from.
    """
    return fit_rigid_curves(compounds, network_curves(compounds, element), element, train)


def network_curves(compounds: Compounds, element: str) -> dict[int, Curve]:
    """Return compound -> energies, eV, and norm of the uncalibrated network, of an element."""
    curves = {}
    for compound in np.flatnonzero(compounds.element == element):
        rows = compounds.rows_of(int(compound))
        mean = compounds.share[rows] @ compounds.simulated[rows]
        curves[int(compound)] = compounds.simulated_grid(int(compound)).energies, mean
    return curves


def fit_rigid_curves(
    compounds: Compounds, curves: Mapping[int, Curve], element: str, train: IntArray
) -> Rigid:
    """Fit a shift and a broadening of other curves, such as FEFF's, to measured compounds.

    The two numbers of least mean RSE on the training compounds: a grid of shifts (within 10 eV
    of the one that brings the edges together) and widths (up to 24 eV), then ever smaller steps
    around its best point.

    Args:
        compounds: all of them.
        curves: compound -> uncalibrated energies, eV, and norm, both (Q,).
        element: absorber.
        train: numbers of the compounds of that element to learn from; all have a curve.
    """
    grid = compounds.grids[element]
    learnt = [curves[int(each)] for each in train]
    score = _Score(learnt, compounds.target[train], grid)
    lags = [
        compounds.e0[each] - simulated_edge(*curve)
        for each, curve in zip(train, learnt, strict=True)
    ]
    centre = float(np.median(lags))
    shifts = np.arange(centre - FARTHEST, centre + FARTHEST + _STEP / 2, _STEP)
    widths = np.arange(0.0, WIDEST + _STEP / 2, _STEP)
    best = min((score(s, w), s, w) for w in widths.tolist() for s in shifts.tolist())
    step = _STEP / 2
    while step > _TOLERANCE:
        _, shift, width = best
        around = np.array([-step, 0.0, step])
        beside = np.clip(shift + around, shifts[0], shifts[-1])
        wider = np.clip(width + around, 0.0, WIDEST)
        best = min((score(s, w), s, w) for w in wider.tolist() for s in beside.tolist())
        if best[1:] == (shift, width):
            step /= 2
    return Rigid(curves, grid, shift=best[1], width=best[2])


class _Score:
    """Mean RSE of some curves as a function of shift and width."""

    def __init__(self, curves: list[Curve], target: FloatArray, grid: EnergyGrid) -> None:
        self.energies = grid.energies
        self.known = np.isfinite(target)
        self.target = np.where(self.known, target, 0.0)
        self.power = (self.target**2).sum(axis=1)
        extended = [_extended(*curve) for curve in curves]
        start = min(energy[0] for energy, _ in extended)
        end = max(energy[-1] for energy, _ in extended)
        self.wide = np.arange(start, end, _FINE)
        self.curves = [np.interp(self.wide, *each) for each in extended]
        self.broad: dict[float, FloatArray] = {}

    def __call__(self, shift: float, width: float) -> float:
        """Return the mean RSE of curves broadened to a width and moved by a shift, both in eV."""
        if width not in self.broad:
            each = [broadened(self.wide, curve, width) for curve in self.curves]
            self.broad[width] = np.array(each)
        place = (self.energies - shift - self.wide[0]) / _FINE
        place = place.clip(0, self.wide.size - 1.001)
        left = place.astype(np.int64)
        part = place - left
        curves = self.broad[width]
        moved = (1 - part) * curves[:, left] + part * curves[:, left + 1]
        misfit = (self.known * (moved - self.target) ** 2).sum(axis=1)
        return float((misfit / self.power).mean())


def _extended(energy: FloatArray, norm: FloatArray) -> Curve:
    """Return a curve that goes on beyond its ends: with its first value, and its last five."""
    left = np.arange(energy[0] - _REACH, energy[0] - _FINE / 2, _FINE)
    right = np.arange(energy[-1] + _FINE, energy[-1] + _REACH, _FINE)
    ends = np.full(left.size, norm[0]), np.full(right.size, norm[-PAD_POINTS:].mean())
    return np.concatenate([left, energy, right]), np.concatenate([ends[0], norm, ends[1]])
