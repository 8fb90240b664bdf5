"""A predicted curve beside a measured one: errors, edges, best rigid shift, best broadening.

numpy only. The measured curve never moves: the predicted one is shifted and broadened.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cgxas.errors import SpectrumError
from cgxas.spectra.edge import half_step_energy
from cgxas.spectra.resample import broadened
from cgxas.typing import FloatArray

MAX_SHIFT = 20.0
"""Shifts are looked for within these eV of the one that brings the two edges together."""

MAX_GAUSSIAN = 8.0
"""Largest full width at half maximum of a Gaussian that is tried, eV."""

MIN_OVERLAP = 0.5
"""Share of the predicted points that must lie within the measured range."""

_SHIFT_STEP, _WIDTH_STEP = 0.5, 0.5
_TOLERANCE = 1e-3
_GOLDEN = (np.sqrt(5.0) - 1.0) / 2.0


@dataclass(frozen=True, eq=False)
class Overlay:
    """A predicted curve, shifted and broadened, beside the measured one.

    Attributes:
        energy: (P,) eV, those of the measured scale at which both are known.
        measured: (P,) normalised.
        predicted: (P,) normalised.
        rse: sum (m - p)^2 / sum m^2.
        pcc: Pearson's correlation.
        e0_error: edge of the predicted minus edge of the measured curve, eV; NaN without an edge.
        shift: eV that were added to the predicted energies.
        gaussian: full width at half maximum of the Gaussian, eV.
        lorentzian: full width at half maximum of the Lorentzian, eV.
    """

    energy: FloatArray
    measured: FloatArray
    predicted: FloatArray
    rse: float
    pcc: float
    e0_error: float
    shift: float = 0.0
    gaussian: float = 0.0
    lorentzian: float = 0.0


@dataclass(frozen=True, eq=False)
class Curves:
    """The two curves of a comparison.

    Attributes:
        energy: (P,) eV, increasing, of the predicted curve.
        predicted: (P,) normalised.
        measured_energy: (Q,) eV, increasing, of the measured curve.
        measured: (Q,) normalised.
    """

    energy: FloatArray
    predicted: FloatArray
    measured_energy: FloatArray
    measured: FloatArray

    def overlay(
        self, shift: float = 0.0, gaussian: float = 0.0, lorentzian: float = 0.0
    ) -> Overlay:
        """Return the curves where both are known.

        Args:
            shift: eV to add to the predicted energies.
            gaussian: full width at half maximum in eV.
            lorentzian: full width at half maximum in eV.

        Raises:
            SpectrumError: less than half of the predicted points lie in the measured range.
        """
        predicted = broadened(self.energy, self.predicted, gaussian, lorentzian)
        moved = self.energy + shift
        known = self._known(moved)
        if known.mean() < MIN_OVERLAP:
            raise SpectrumError(
                f"The predicted curve ({moved[0]:.0f} to {moved[-1]:.0f} eV) and the measured one "
                f"({self.measured_energy[0]:.0f} to {self.measured_energy[-1]:.0f} eV) hardly "
                "overlap: compare the same edge."
            )
        energy, p = moved[known], predicted[known]
        m = np.interp(energy, self.measured_energy, self.measured)
        return Overlay(
            energy,
            m,
            p,
            _rse(m, p),
            _pcc(m, p),
            self._edge_difference(predicted) + shift,
            shift,
            gaussian,
            lorentzian,
        )

    def _edge_difference(self, predicted: FloatArray) -> float:
        try:
            return self._edges(predicted)
        except SpectrumError:
            return float("nan")

    def _edges(self, predicted: FloatArray) -> float:
        """Find both edges by the same rule, on grids of the same step, about as far above them."""
        p = half_step_energy(self.energy, predicted)
        rough = half_step_energy(self.measured_energy, self.measured, step=1.0)
        grid = self.energy + (rough - p)
        grid = grid[self._known(grid)]
        if grid.size == 0:
            raise SpectrumError("The two curves have no energies in common.")
        return p - half_step_energy(grid, np.interp(grid, self.measured_energy, self.measured))

    def _known(self, energy: FloatArray) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
        inside = (energy >= self.measured_energy[0]) & (energy <= self.measured_energy[-1])
        return np.asarray(inside)

    def best(
        self,
        shift: float | None = None,
        gaussian: float | None = None,
        lorentzians: tuple[float, ...] = (0.0,),
    ) -> Overlay:
        """Return the overlay of smallest RSE.

        A grid of shifts and widths, then golden sections around its best point. Shifts stay
        within 20 eV of the one that brings the edges together, so that the edge cannot be laid
        on another feature.

        Args:
            shift: eV, if it is given and not to be fitted.
            gaussian: full width at half maximum in eV, if it is given and not to be fitted.
            lorentzians: full widths in eV that are tried, such as none and the core-hole width.

        Raises:
            SpectrumError: the curves do not overlap, or have no edge to begin with.
        """
        centre = -self._edges(self.predicted) if shift is None else shift
        tried = [self._best_width(each, gaussian, shift, centre) for each in lorentzians]
        _, moved, width, lorentzian = min(tried)
        return self.overlay(moved, width, lorentzian)

    def _best_width(
        self, lorentzian: float, gaussian: float | None, shift: float | None, centre: float
    ) -> tuple[float, float, float, float]:
        """Return the smallest RSE with a Lorentzian, and its shift, Gaussian and Lorentzian."""

        def score(width: float) -> tuple[float, float]:
            curve = broadened(self.energy, self.predicted, width, lorentzian)
            if shift is not None:
                return self._score(curve, shift), shift
            return self._best_shift(curve, centre)

        width = gaussian
        if width is None:
            widths = np.arange(0.0, MAX_GAUSSIAN + _WIDTH_STEP / 2, _WIDTH_STEP)
            width = _minimum(lambda each: score(each)[0], widths)
        return (*score(width), width, lorentzian)

    def _best_shift(self, predicted: FloatArray, centre: float) -> tuple[float, float]:
        """Return the smallest RSE of a curve, and the shift in eV that gives it."""
        shifts = centre + np.arange(-MAX_SHIFT, MAX_SHIFT + _SHIFT_STEP / 2, _SHIFT_STEP)
        best = _minimum(lambda each: self._score(predicted, each), shifts)
        return self._score(predicted, best), best

    def _score(self, predicted: FloatArray, shift: float) -> float:
        moved = self.energy + shift
        known = self._known(moved)
        if known.mean() < MIN_OVERLAP:
            return float("inf")
        m = np.interp(moved[known], self.measured_energy, self.measured)
        return _rse(m, predicted[known])


def _minimum(score: Callable[[float], float], grid: FloatArray) -> float:
    """Return where a function of one number is smallest: best of a grid, then golden section.

    Args:
        score: the function.
        grid: (G,) increasing; the minimum is looked for between the neighbours of its best.
    """
    values = [score(float(each)) for each in grid]
    at = int(np.argmin(values))
    low, high = float(grid[max(at - 1, 0)]), float(grid[min(at + 1, len(grid) - 1)])
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = score(left), score(right)
    while high - low > _TOLERANCE:
        if at_left < at_right:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = score(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = score(right)
    found = (low + high) / 2
    return found if score(found) < values[at] else float(grid[at])


def _rse(measured: FloatArray, predicted: FloatArray) -> float:
    return float(np.sum((measured - predicted) ** 2) / np.sum(measured**2))


def _pcc(measured: FloatArray, predicted: FloatArray) -> float:
    m, p = measured - measured.mean(), predicted - predicted.mean()
    return float((m * p).sum() / max(np.sqrt((m**2).sum() * (p**2).sum()), 1e-300))
