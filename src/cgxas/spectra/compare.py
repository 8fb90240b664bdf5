"""A predicted curve beside a measured one: errors, edges, best rigid shift, best broadening.

The measured curve never moves: the predicted one is shifted and broadened. Errors of the edge
are told in half steps, each found on all points of its own curve.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module  # figures know comparisons, not the other way round
from numbers import Real
from typing import Final, Literal

import numpy as np
from scipy.optimize import minimize_scalar

from cgxas.arguments import one_of_kind
from cgxas.errors import SpectrumError, WrongEdge
from cgxas.spectra.edge import half_step
from cgxas.spectra.measurement import Measurement
from cgxas.spectra.metrics import half_step_or_nan, pcc, rse
from cgxas.spectra.resample import broadened
from cgxas.spectra.spectrum import Spectrum
from cgxas.spectra.xray import core_hole_width
from cgxas.typing import FloatArray

MAX_SHIFT = 20.0
"""Shifts are looked for within these eV of the one that brings the two half steps together."""

MAX_GAUSSIAN = 8.0
"""Largest full width at half maximum of a Gaussian that is tried, eV."""

MIN_OVERLAP = 0.5
"""Share of the predicted points that must lie within the measured range."""

FIT: Final = "fit"

_SHIFT_STEP, _WIDTH_STEP = 0.5, 0.5
_TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False)
class Overlay:
    """A predicted curve, shifted and broadened, beside the measured one.

    Attributes:
        energy: (P,) eV, those of the measured scale at which both are known.
        measured: (P,) normalised.
        predicted: (P,) normalised.
        rse: sum (m - p)^2 / sum m^2.
        pcc: Pearson's correlation.
        half_step_error: half step of the predicted minus that of the measured curve, eV; NaN
            without an edge.
        shift: eV that were added to the predicted energies.
        gaussian: full width at half maximum of the Gaussian, eV.
        lorentzian: full width at half maximum of the Lorentzian, eV.
    """

    energy: FloatArray
    measured: FloatArray
    predicted: FloatArray
    rse: float
    pcc: float
    half_step_error: float
    shift: float = 0.0
    gaussian: float = 0.0
    lorentzian: float = 0.0


@dataclass(frozen=True, eq=False)
class Comparison:
    """A predicted spectrum beside a measured one, and what was decided on the way.

    Attributes:
        predicted: the predicted spectrum.
        measured: the measured one.
        before: the two as they are.
        after: the two with the predicted one shifted and broadened.
        flattened: whether the measured curve was laid over with its post-edge made level.
        energy_shift: eV that were added to the measured energies, as their file states.
        core_hole: full width at half maximum in eV of the Lorentzian that was tried; None if
            the broadening was given.
    """

    predicted: Spectrum
    measured: Measurement
    before: Overlay
    after: Overlay
    flattened: bool
    energy_shift: float
    core_hole: float | None

    def _repr_html_(self) -> str:
        """Show itself in a notebook."""
        shown: str = import_module("cgxas.figures.notebook").comparison_html(self)
        return shown


def compare(
    predicted: Spectrum,
    measured: Measurement,
    shift: float | Literal["fit"] = FIT,
    broaden: float | Literal["fit"] = FIT,
) -> Comparison:
    """Compare a predicted spectrum with a measured one, before and after a rigid shift.

    The measured curve is laid over flattened, if it was normalised here, and with the energy
    shift its file states. If the broadening is fitted, it is so with and without the Lorentzian
    of the core hole, which simulations mostly hold already; the nearer one is taken.

    Args:
        predicted: the predicted spectrum.
        measured: the measured one.
        shift: eV to be added to the predicted energies, or "fit".
        broaden: full width at half maximum of a Gaussian in eV, or "fit".

    Raises:
        WrongEdge: they are of different absorbers or edges.
        SpectrumError: the curves do not overlap, a fit finds no edge to begin with, or a number
            is none.
        MissingExtra: a fit needs the tables of core holes, and xraydb is not installed.
    """
    one_of_kind(predicted, Spectrum, "what is compared first is a Spectrum", SpectrumError)
    one_of_kind(measured, Measurement, "what it is compared with is a Measurement", SpectrumError)
    _refuse_other_edge(predicted, measured)
    moved, width = _number(shift, "shift"), _number(broaden, "broadening")
    curves = Curves(
        predicted.energy,
        predicted.norm,
        measured.energy + measured.energy_shift,
        measured.flattened().norm,
        half_step_or_nan(measured.energy, measured.norm) + measured.energy_shift,
    )
    before = curves.overlay()
    hole = core_hole_width(measured.element, measured.edge) if width is None else None
    after = curves.best(moved, width, (0.0,) if hole is None else (0.0, hole))
    return Comparison(
        predicted,
        measured,
        before,
        after,
        measured.flat is not None,
        measured.energy_shift,
        hole,
    )


def _refuse_other_edge(predicted: Spectrum, measured: Measurement) -> None:
    """Refuse to compare what is not of the same edge."""
    if (predicted.absorber, predicted.edge) == (measured.element, measured.edge):
        return
    cure = "compare the same edge"
    if measured.edge_source == "guessed":
        cure = (
            f"that is a guess ({measured.edge_guess}): say what it is with its element and edge, "
            "or compare the same edge"
        )
    raise WrongEdge(
        f"The predicted spectrum is of {predicted.absorber} {predicted.edge}, the measured one of "
        f"{measured.element} {measured.edge}: {cure}."
    )


def _number(wish: float | str, name: str) -> float | None:
    """Return a number that was given, None if it is to be fitted."""
    if isinstance(wish, str) and wish == FIT:
        return None
    if not isinstance(wish, Real) or isinstance(wish, bool) or not np.isfinite(float(wish)):
        raise SpectrumError(f"The {name} is 'fit' or a number of eV, not {wish!r}.")
    return float(wish)


@dataclass(frozen=True, eq=False)
class Curves:
    """The two curves of a comparison.

    Attributes:
        energy: (P,) eV, increasing, of the predicted curve.
        predicted: (P,) normalised.
        measured_energy: (Q,) eV, increasing, of the measured curve.
        measured: (Q,) normalised.
        half_step: of the measured curve, eV; NaN without an edge.
    """

    energy: FloatArray
    predicted: FloatArray
    measured_energy: FloatArray
    measured: FloatArray
    half_step: float

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
            float(pcc(m[None], p[None])[0]),
            half_step_or_nan(self.energy, predicted) + shift - self.half_step,
            shift,
            gaussian,
            lorentzian,
        )

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

        The best of a grid of shifts and widths, refined between its neighbours. Shifts stay
        within 20 eV of the one that brings the half steps together, so that the edge cannot be
        laid on another feature.

        Args:
            shift: eV, if it is given and not to be fitted.
            gaussian: full width at half maximum in eV, if it is given and not to be fitted.
            lorentzians: full widths in eV that are tried, such as none and the core-hole width.

        Raises:
            SpectrumError: the curves do not overlap, or have no edge to begin with.
        """
        centre = shift
        if centre is None:
            centre = self.half_step - half_step(self.energy, self.predicted)
        if not np.isfinite(centre):
            raise SpectrumError("The measured spectrum has no edge: give a shift.")
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
    """Return where a function of one number is smallest: best of a grid, then refined.

    Args:
        score: the function.
        grid: (G,) increasing; the minimum is looked for between the neighbours of its best.
    """
    values = [score(float(each)) for each in grid]
    at = int(np.argmin(values))
    ends = float(grid[max(at - 1, 0)]), float(grid[min(at + 1, len(grid) - 1)])
    found = minimize_scalar(score, bounds=ends, method="bounded", options={"xatol": _TOLERANCE})
    return float(found.x) if found.fun < values[at] else float(grid[at])


def _rse(measured: FloatArray, predicted: FloatArray) -> float:
    return float(rse(measured[None], predicted[None])[0])
