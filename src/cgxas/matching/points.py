"""The points of a measured spectrum that candidates are held against, the same for all."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from cgxas.errors import SpectrumError
from cgxas.spectra.measurement import Measurement
from cgxas.typing import FloatArray

LEAST: Final = (-5.0, 25.0)
"""What a measurement must cover around its half step, eV."""

RELATIVE: Final = np.concatenate(
    [np.arange(-25.0, -12.0, 1.5), np.arange(-12.0, 25.0, 0.75), np.arange(25.0, 62.0, 2.0)]
)
"""(X,) eV relative to the half step where curves are compared: dense where features are narrow."""


@dataclass(frozen=True, eq=False)
class Points:
    """A measured curve where it is compared.

    Attributes:
        energy: (P,) eV, on the scale of the measurement with its energy shift.
        norm: (P,) normalised, flattened if it was normalised here; means around each energy.
        weight: (P,) eV that a point stands for.
        half_step: of the measurement, eV, on the same scale.
    """

    energy: FloatArray
    norm: FloatArray
    weight: FloatArray
    half_step: float

    @classmethod
    def of(cls, measured: Measurement) -> Self:
        """Take the points from 25 eV below to 60 eV above the half step, as far as measured.

        Raises:
            SpectrumError: the measurement has no edge, or does not cover what is around it.
        """
        edge = measured.half_step_or_none()
        if edge is None:
            raise SpectrumError(f"{measured.source} has no edge: there is nothing to match.")
        energy, norm = measured.energy, measured.flattened().norm
        if energy[0] > edge + LEAST[0] or energy[-1] < edge + LEAST[1]:
            raise SpectrumError(
                f"{measured.source} covers {energy[0] - edge:+.0f} to {energy[-1] - edge:+.0f} eV "
                f"around its half step; {LEAST[0]:+.0f} to {LEAST[1]:+.0f} eV are needed for a "
                "match."
            )
        gaps = np.diff(RELATIVE)
        half = np.minimum(np.append(gaps, gaps[-1]), np.insert(gaps, 0, gaps[0])) / 2
        wanted = edge + RELATIVE
        low, high = wanted - half, wanted + half
        inside = (low >= energy[0]) & (high <= energy[-1])
        # From the integral of the broken line: noise is averaged where points lie denser.
        fine = np.union1d(energy, np.clip([*low, *high], energy[0], energy[-1]))
        curve = np.interp(fine, energy, norm)
        area = np.concatenate([[0.0], np.cumsum(np.diff(fine) * (curve[1:] + curve[:-1]) / 2)])
        means = (np.interp(high, fine, area) - np.interp(low, fine, area)) / (high - low)
        return cls(
            wanted[inside] + measured.energy_shift,
            means[inside],
            np.gradient(RELATIVE)[inside],
            edge + measured.energy_shift,
        )
