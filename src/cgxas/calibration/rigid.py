"""The dull baseline: one energy shift and one broadening for all compounds of an element.

Any curves may be put through it: the network's, or those of a program such as FEFF.
"""

import numpy as np

from cgxas.calibration.measured import Compounds
from cgxas.model.calibration.curves import Curve, CurvesCalibration
from cgxas.model.calibration.features import edge_of
from cgxas.model.calibration.rigid import RigidCalibration, extended
from cgxas.spectra.resample import broadened
from cgxas.spectra.spectrum import EnergyGrid
from cgxas.typing import FloatArray, IntArray

# Farther shifts of least RSE exist: they move a bad white line out of the window. Great widths
# are the best one can do for sulfur, whose simulated white lines are far too high.
FARTHEST, WIDEST = 10.0, 24.0
"""Greatest shift from where the edges meet, and greatest width at half maximum, eV."""

_STEP = 0.5  # eV, of the grid of shifts and widths
_TOLERANCE = 0.005
_FINE = 0.25


def fit_rigid(
    compounds: Compounds, train: IntArray, program: CurvesCalibration | None = None
) -> RigidCalibration:
    """Fit a shift and a broadening of uncalibrated curves to measured compounds of one element.

    The two numbers of least mean RSE on the training compounds: a grid of shifts (within 10 eV
    of the one that brings the edges together) and widths (up to 24 eV), then ever smaller steps
    around its best point.

    Args:
        compounds: all of them.
        train: numbers of the compounds to learn from, of one element.
        program: whose curves are fitted, all compounds among them; the network's own if None.
    """
    grid = compounds.grids[str(compounds.element[train[0]])]
    sites = [compounds.sites[int(each)] for each in train]
    learnt = [program.curve(s) if program else s.mean for s in sites]
    score = _Score(learnt, compounds.target[train], grid)
    lags = [
        compounds.half_step[each] - edge_of(*curve)
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
    return RigidCalibration(shift=best[1], width=best[2], program=program)


class _Score:
    """Mean RSE of some curves as a function of shift and width."""

    def __init__(self, curves: list[Curve], target: FloatArray, grid: EnergyGrid) -> None:
        self.energies = grid.energies
        self.known = np.isfinite(target)
        self.target = np.where(self.known, target, 0.0)
        self.power = (self.target**2).sum(axis=1)
        continued = [extended(*curve) for curve in curves]
        start = min(energy[0] for energy, _ in continued)
        end = max(energy[-1] for energy, _ in continued)
        self.wide = np.arange(start, end, _FINE)
        self.curves = [np.interp(self.wide, *each) for each in continued]
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
