"""How a prediction differs from a measurement of the same crystal, as a covariance.

The difference of a measured curve and a predicted one p, shifted and broadened, is an error with
the covariance

    C = diag((f sigma)^2 + (j p')^2 + floor^2) + sum (a_k u_k)(a_k u_k)'

sigma is the band of the prediction without the part that its edge adds, which the shift stands
for; j p' says that single features lie elsewhere. The directions u, in which all points err
together, are the fine structure (p less itself broadened by 30 eV), what a broadening by 2 eV
changes (resolution and temperature), p itself (the edge step), p (1 - p) (a white line damped by
fluorescence, or not enough), and ten curves that were learnt: the principal components of what
measured compounds differed by from models that had not learnt from them, in units of their band
(`errors.json`, benchmarks/match_numbers.py).
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal, Self

import numpy as np

from cgxas.matching.points import Points
from cgxas.spectra.resample import broadened
from cgxas.spectra.spectrum import Spectrum
from cgxas.typing import FloatArray

SMOOTH, BLUR = 30.0, 2.0  # eV
LEAST_BAND: Final = 0.03
"""Of the edge step: no band is narrower as the unit of what was learnt."""

_FILE: Final = Path(__file__).with_name("errors.json")


@dataclass(frozen=True)
class Belief:
    """What is believed of predictions before a measurement is looked at.

    Attributes:
        band: how much of the band is taken.
        floor: error of a point without any band.
        feature: how far single features lie elsewhere, eV.
        fine: of the fine structure as a whole, relative.
        blur: of the broadening, in units of one by 2 eV.
        step: of the edge step, relative.
        damping: of the white line by fluorescence.
        learnt: of the curves that were learnt, in units of the band; 0 for not at all.
        pieces: independent pieces per point.
        edge: scale of the shift, eV, beside what the model says of its edges.
        farthest: largest shift, in units of its scale.
        width: scale of the broadening, full width at half maximum, eV.
        widest: largest broadening, eV.
        curves: which of the curves that were learnt.
        doubt: (3,) logarithm of the odds that none fits: where one candidate has a misfit of 1,
            what it gains with the logarithm of the misfit, and with that of their number.
    """

    band: float
    floor: float
    feature: float
    fine: float
    blur: float
    step: float
    damping: float
    learnt: float
    pieces: float
    edge: float
    farthest: float
    width: float
    widest: float
    curves: Literal["calibrated", "simulated"]
    doubt: tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Shapes:
    """What errors of a prediction look like at the points of a measurement, (P,) of them.

    Attributes:
        sigma: (P,) the band without what its edge adds.
        slope: (P,) of the curve, 1/eV.
        fine: (P,) fine structure.
        blur: (P,) what a broadening changes.
        step: (P,) the curve itself.
        damping: (P,) what fluorescence changes.
        size: of the band over all energies, at least `LEAST_BAND`.
        learnt: (K, P) the curves that were learnt, in units of their size.
    """

    sigma: FloatArray
    slope: FloatArray
    fine: FloatArray
    blur: FloatArray
    step: FloatArray
    damping: FloatArray
    size: float
    learnt: FloatArray

    @classmethod
    def of(cls, points: Points, spectrum: Spectrum, shift: float, belief: Belief) -> Self:
        """Return those of a prediction that is moved by some eV."""
        energy, norm = spectrum.energy, spectrum.norm
        shape = spectrum.shape_sigma
        sigma = np.zeros_like(norm) if shape is None else shape
        relative, learnt = learnt_curves(belief.curves)
        own = points.energy - points.half_step

        def there(curve: FloatArray) -> FloatArray:
            return np.asarray(np.interp(points.energy - shift, energy, curve))

        return cls(
            sigma=there(sigma),
            slope=there(np.gradient(norm, energy)),
            fine=there(norm - broadened(energy, norm, SMOOTH)),
            blur=there(norm - broadened(energy, norm, BLUR)),
            step=there(norm),
            damping=there(norm * (1.0 - norm)),
            size=float(np.hypot(np.sqrt(np.mean(sigma**2)), LEAST_BAND)),
            learnt=np.array([np.interp(own, relative, each) for each in learnt]),
        )

    def covariance(self, belief: Belief) -> FloatArray:
        """Return (P, P) the covariance of errors."""
        b = belief
        own = (b.band * self.sigma) ** 2 + (b.feature * self.slope) ** 2 + b.floor**2
        directions = [
            b.fine * self.fine,
            b.blur * self.blur,
            b.step * self.step,
            b.damping * self.damping,
            *(b.learnt * self.size * self.learnt),
        ]
        together = np.array(directions)
        return np.asarray(np.diag(own) + together.T @ together)


@cache
def learnt_curves(name: str) -> tuple[FloatArray, FloatArray]:
    """Return (X,) energies relative to the half step, eV, and (K, X) curves by their name."""
    told = json.loads(_FILE.read_text(encoding="utf-8"))
    return np.array(told["relative"]), np.array(told[name])
