"""One candidate beside a measured spectrum: the likeliest shift and broadening, and how likely.

What is left after both is weighed by the covariance of errors (`cgxas.matching.errors`). It is
correlated over some 10 eV, so that a scan holds fewer independent pieces than points: its
likelihood, that of a Student t distribution, is taken to the power of a tenth or so.

The shift has a t distribution around 0 as wide as the model says its edges are uncertain, the
width a half-normal one. The numbers were fitted to measured compounds that the models had not
learnt from: those of greatest probability of the right one among some sixty candidates
(benchmarks/match_numbers.py).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from cgxas.matching.errors import Belief, Shapes
from cgxas.matching.points import Points
from cgxas.spectra.metrics import rse
from cgxas.spectra.resample import broadened
from cgxas.spectra.spectrum import Spectrum
from cgxas.typing import FloatArray

_SHIFT_STEP, _WIDTH_STEP = 0.5, 1.0  # eV, of the grid; refined to a tenth
_NEAR = 0.1  # eV from the largest shift, which counts as having ended on it
TAILS: Final = 4.0
"""Degrees of freedom of the curve."""
EDGE_TAILS: Final = 3.0
"""Degrees of freedom of the shift."""

CALIBRATED: Final = Belief(
    band=0.282,
    floor=0.0286,
    feature=0.064,
    fine=0.0614,
    blur=0.604,
    step=0.00749,
    damping=0.0637,
    learnt=0.511,
    pieces=0.0996,
    edge=1.14,
    farthest=3.0,
    width=3.58,
    widest=4.0,
    curves="calibrated",
    doubt=(-0.26, 1.2, 0.19),
)
"""Of a model on the scale of measurements."""

SIMULATED: Final = Belief(
    band=2.56,
    floor=0.0154,
    feature=0.307,
    fine=0.201,
    blur=1.22,
    step=0.027,
    damping=0.0813,
    learnt=0.772,
    pieces=0.0646,
    edge=7.74,
    farthest=2.0,
    width=5.86,
    widest=8.0,
    curves="simulated",
    doubt=(0.06, 0.12, -0.01),
)
"""Of a simulation: its energies lie off by up to 10 eV, its white lines are too high."""


@dataclass(frozen=True, eq=False)
class Fit:
    """The likeliest shift and broadening of a candidate.

    Attributes:
        shift: eV added to the predicted energies.
        gaussian: full width at half maximum, eV.
        on_bound: whether the shift ended within 0.1 eV of the largest that is allowed, or the width
            on it.
        bounds: (least shift, largest shift, largest width), eV.
        rse: sum w (y - p)^2 / sum w y^2 over the points.
        misfit: squared error per point in units of what is expected: about 1 or less if it fits.
        log_likelihood: of the measured curve.
        predicted: (P,) shifted and broadened, at the points.
    """

    shift: float
    gaussian: float
    on_bound: bool
    bounds: tuple[float, float, float]
    rse: float
    misfit: float
    log_likelihood: float
    predicted: FloatArray


def fit_of(points: Points, spectrum: Spectrum, belief: Belief) -> Fit:
    """Fit the shift and the broadening of a prediction to a measured curve.

    Args:
        points: of the measured curve.
        spectrum: the prediction.
        belief: what is believed of such predictions.
    """
    return _Fitting(points, spectrum, belief).best()


@dataclass(frozen=True, eq=False)
class _Fitting:
    points: Points
    spectrum: Spectrum
    belief: Belief

    @cached_property
    def scale(self) -> float:
        """Of the shift, eV."""
        return float(np.hypot(self.spectrum.edge_sigma or 0.0, self.belief.edge))

    @cached_property
    def bounds(self) -> tuple[float, float, float]:
        far = self.scale * self.belief.farthest
        return -far, far, self.belief.widest

    @cached_property
    def start(self) -> float:
        """The shift that brings the edges together, within its bounds."""
        own = self.spectrum.half_step_or_none()
        together = 0.0 if own is None else self.points.half_step - own
        return float(np.clip(together, *self.bounds[:2]))

    def curve(self, gaussian: float) -> FloatArray:
        return broadened(self.spectrum.energy, self.spectrum.norm, gaussian)

    def root(self, shift: float) -> FloatArray:
        """Return (P, P) the inverse Cholesky factor of the covariance, with the edges so."""
        errors = Shapes.of(self.points, self.spectrum, shift, self.belief)
        return np.asarray(np.linalg.inv(np.linalg.cholesky(errors.covariance(self.belief))))

    def losses(
        self, root: FloatArray, shifts: FloatArray, width: float
    ) -> tuple[FloatArray, FloatArray]:
        """Return (S,) what is to be least, and (S,) squared errors, of shifts with one width."""
        moved = self.points.energy[:, None] - shifts
        predicted = np.interp(moved, self.spectrum.energy, self.curve(width))
        apart = root @ (self.points.norm[:, None] - predicted)
        squared = (apart**2).sum(axis=0)
        count = len(self.points.energy)
        of_curve = (TAILS + count) / 2 * np.log1p(squared / TAILS) * self.belief.pieces
        of_shift = (EDGE_TAILS + 1) / 2 * np.log1p((shifts / self.scale) ** 2 / EDGE_TAILS)
        return of_curve + of_shift + (width / self.belief.width) ** 2 / 2, squared

    def best(self) -> Fit:
        least, most, widest = self.bounds
        shifts = np.linspace(least, most, int(np.ceil((most - least) / _SHIFT_STEP)) + 1)
        widths = np.arange(0.0, widest + _WIDTH_STEP / 2, _WIDTH_STEP)
        shift, width = self._least(self.root(self.start), shifts, widths)
        root = self.root(shift)  # what errors look like depends on where the curve lies
        around = np.linspace(-1.0, 1.0, 21)
        shifts = np.clip(shift + around * (shifts[1] - shifts[0]), least, most)
        wide = np.unique(np.clip(width + around[::4] * _WIDTH_STEP, 0.0, widest))
        shift, width = self._least(root, shifts, wide)
        (loss,), (squared,) = self.losses(root, np.array([shift]), width)
        volume = float(np.log(np.diag(root)).sum()) * self.belief.pieces
        predicted = np.interp(self.points.energy - shift, self.spectrum.energy, self.curve(width))
        own = (self.points.norm[None], predicted[None], self.points.weight)
        return Fit(
            shift=shift,
            gaussian=width,
            on_bound=min(shift - least, most - shift) < _NEAR or width >= widest,
            bounds=self.bounds,
            rse=float(rse(*own)[0]),
            misfit=float(squared) / len(self.points.energy),
            log_likelihood=float(-loss + volume - np.log(self.scale)),
            predicted=predicted,
        )

    def _least(
        self, root: FloatArray, shifts: FloatArray, widths: FloatArray
    ) -> tuple[float, float]:
        found = []
        for width in widths.tolist():
            losses, _ = self.losses(root, shifts, width)
            at = int(losses.argmin())
            found.append((float(losses[at]), float(shifts[at]), width))
        return min(found)[1:]
