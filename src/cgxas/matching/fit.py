"""One candidate beside a measured spectrum: the likeliest shift and broadening, and how likely.

The difference of a measured curve y and a predicted one p, shifted by s and broadened by a
Gaussian of width w, is taken as an error with the covariance

    C = diag((f sigma)^2 + floor^2) + (a u)(a u)' + (b v)(b v)' + (c p)(c p)'

sigma is the band of the prediction without the part that its edge adds, which the shift stands
for. u is the fine structure (p less itself broadened by 30 eV): white lines come out too high or
too low as a whole. v is what a broadening by 2 eV changes: resolution and temperature. c p is a
wrong edge step. What is left is correlated over some 10 eV, so that a scan holds fewer
independent pieces than points: its likelihood, that of a Student t distribution, is taken to the
power of a tenth.

The shift has a t distribution around 0 as wide as the model says its edges are uncertain, the
width a half-normal one. The numbers were chosen by measured compounds that the models had not
learnt from (benchmarks/match.py).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from cgxas.matching.points import Points
from cgxas.spectra.metrics import rse
from cgxas.spectra.resample import broadened
from cgxas.spectra.spectrum import Spectrum
from cgxas.typing import FloatArray

_SHIFT_STEP, _WIDTH_STEP = 0.5, 1.0  # eV, of the grid; refined to a tenth
_SMOOTH, _BLUR = 30.0, 2.0  # eV
_TAILS = 4.0  # degrees of freedom of the curve
_EDGE_TAILS = 3.0  # of the shift
_PIECES = 0.1  # independent pieces per point


@dataclass(frozen=True)
class Belief:
    """What is believed of predictions before a measurement is looked at.

    Attributes:
        band: how much of the band is taken.
        floor: error of a point without any band.
        fine: of the fine structure as a whole, relative.
        blur: of the broadening, in units of one by 2 eV.
        step: of the edge step, relative.
        edge: scale of the shift, eV, beside what the model says of its edges.
        farthest: largest shift, in units of its scale.
        width: scale of the broadening, full width at half maximum, eV.
        widest: largest broadening, eV.
    """

    band: float
    floor: float
    fine: float
    blur: float
    step: float
    edge: float
    farthest: float
    width: float
    widest: float


CALIBRATED: Final = Belief(0.6, 0.037, 0.06, 0.7, 0.03, 1.5, 3.0, 2.2, 4.0)
"""Of a model on the scale of measurements."""

SIMULATED: Final = Belief(0.6, 0.06, 0.2, 0.7, 0.03, 5.0, 3.0, 3.0, 8.0)
"""Of a simulation: its energies lie off by up to 10 eV, its white lines are too high."""


@dataclass(frozen=True, eq=False)
class Fit:
    """The likeliest shift and broadening of a candidate.

    Attributes:
        shift: eV added to the predicted energies.
        gaussian: full width at half maximum, eV.
        on_bound: whether the shift or the width ended on the largest that is allowed.
        bounds: (least shift, largest shift, largest width), eV.
        rse: sum w (y - p)^2 / sum w y^2 over the points.
        misfit: squared error per point in units of what is expected: about 1 or less if it fits.
        log_likelihood: of the measured curve.
        size: logarithm of the volume of errors that are allowed for, part of the likelihood.
        predicted: (P,) shifted and broadened, at the points.
    """

    shift: float
    gaussian: float
    on_bound: bool
    bounds: tuple[float, float, float]
    rse: float
    misfit: float
    log_likelihood: float
    size: float
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

    def at_start(self, curve: FloatArray) -> FloatArray:
        return np.asarray(np.interp(self.points.energy - self.start, self.spectrum.energy, curve))

    @cached_property
    def root(self) -> FloatArray:
        """(P, P) inverse Cholesky factor of the covariance, with the edges together."""
        b, norm = self.belief, self.spectrum.norm
        p = self.at_start(norm)
        directions = (
            (b.fine, p - self.at_start(self.curve(_SMOOTH))),
            (b.blur, p - self.at_start(self.curve(_BLUR))),
            (b.step, p),
        )
        shape = self.spectrum.shape_sigma
        band = self.at_start(np.zeros_like(self.spectrum.norm) if shape is None else shape)
        covariance = np.diag((b.band * band) ** 2 + b.floor**2)
        for size, direction in directions:
            covariance += size**2 * np.outer(direction, direction)
        return np.asarray(np.linalg.inv(np.linalg.cholesky(covariance)))

    def losses(self, shifts: FloatArray, width: float) -> tuple[FloatArray, FloatArray]:
        """Return (S,) what is to be least, and (S,) squared errors, of shifts with one width."""
        moved = self.points.energy[:, None] - shifts
        predicted = np.interp(moved, self.spectrum.energy, self.curve(width))
        apart = self.root @ (self.points.norm[:, None] - predicted)
        squared = (apart**2).sum(axis=0)
        count = len(self.points.energy)
        of_curve = (_TAILS + count) / 2 * np.log1p(squared / _TAILS) * _PIECES
        of_shift = (_EDGE_TAILS + 1) / 2 * np.log1p((shifts / self.scale) ** 2 / _EDGE_TAILS)
        return of_curve + of_shift + (width / self.belief.width) ** 2 / 2, squared

    def best(self) -> Fit:
        least, most, widest = self.bounds
        shifts = np.linspace(least, most, int(np.ceil((most - least) / _SHIFT_STEP)) + 1)
        widths = np.arange(0.0, widest + _WIDTH_STEP / 2, _WIDTH_STEP)
        shift, width = self._least(shifts, widths)
        around = np.linspace(-1.0, 1.0, 21)
        shifts = np.clip(shift + around * (shifts[1] - shifts[0]), least, most)
        wide = np.unique(np.clip(width + around[::4] * _WIDTH_STEP, 0.0, widest))
        shift, width = self._least(shifts, wide)
        (loss,), (squared,) = self.losses(np.array([shift]), width)
        size = -2.0 * float(np.log(np.diag(self.root)).sum())
        predicted = np.interp(self.points.energy - shift, self.spectrum.energy, self.curve(width))
        own = (self.points.norm[None], predicted[None], self.points.weight)
        return Fit(
            shift=shift,
            gaussian=width,
            on_bound=not (least < shift < most and width < widest),
            bounds=self.bounds,
            rse=float(rse(*own)[0]),
            misfit=float(squared) / len(self.points.energy),
            log_likelihood=float(-loss - size / 2 * _PIECES - np.log(self.scale)),
            size=size,
            predicted=predicted,
        )

    def _least(self, shifts: FloatArray, widths: FloatArray) -> tuple[float, float]:
        found = []
        for width in widths.tolist():
            losses, _ = self.losses(shifts, width)
            at = int(losses.argmin())
            found.append((float(losses[at]), float(shifts[at]), width))
        return min(found)[1:]


def likelihood_of_misfit(misfit: float, count: int, like: Fit) -> float:
    """Return the log likelihood of a candidate with another misfit, and all else as of one.

    Args:
        misfit: squared error per point.
        count: points.
        like: the fit it is like; its shift and width are what is expected.
    """
    of_curve = (_TAILS + count) / 2 * np.log1p(misfit * count / _TAILS) * _PIECES
    own = (_TAILS + count) / 2 * np.log1p(like.misfit * count / _TAILS) * _PIECES
    return like.log_likelihood + float(own - of_curve)
