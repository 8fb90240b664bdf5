"""What fits a calibration to measured compounds, by name.

A new way to calibrate is a `Calibrator` and a line in `CALIBRATORS`; what it returns is a
`Calibration`, of a kind that there is or of one of its own (cgxas.model.calibration.base).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from cgxas.calibration.gaussian import fit_gaussian
from cgxas.calibration.measured import Compounds
from cgxas.calibration.paper import tune_paper
from cgxas.calibration.repeats import Repeat
from cgxas.calibration.rigid import fit_rigid
from cgxas.errors import ConfigError
from cgxas.model.calibration.base import Calibration, Uncalibrated
from cgxas.model.calibration.curves import CurvesCalibration
from cgxas.typing import FloatArray, IntArray

DEFAULT = "gaussian"
UNCALIBRATED = "uncalibrated"
PROGRAM, PROGRAM_RIGID = "program", "program rigid"


class Calibrator(Protocol):
    """What fits a calibration."""

    @property
    def together(self) -> bool:
        """Whether one fit serves all elements, each helped by the others."""

    @property
    def chooses(self) -> bool:
        """Whether it chooses by the validation part, which it must not learn from."""

    def fit(self, compounds: Compounds, parts: Repeat) -> Calibration:
        """Learn from measured compounds.

        Args:
            compounds: all of them.
            parts: which to learn from and to choose by; the test part is not looked at.
        """


@dataclass(frozen=True)
class PlainCalibrator:
    """A calibrator that is a function.

    Attributes:
        function: compounds and parts -> a calibration.
        together: whether one fit serves all elements.
        chooses: whether it chooses by the validation part.
    """

    function: Callable[[Compounds, Repeat], Calibration]
    together: bool = False
    chooses: bool = False

    def fit(self, compounds: Compounds, parts: Repeat) -> Calibration:
        """Learn from measured compounds."""
        return self.function(compounds, parts)


def _with_others(parts: Repeat) -> IntArray:
    return np.concatenate([parts.train, parts.support])


CALIBRATORS: dict[str, Calibrator] = {
    DEFAULT: PlainCalibrator(lambda c, p: fit_gaussian(c, _with_others(p)), together=True),
    "alone": PlainCalibrator(lambda c, p: fit_gaussian(c, p.train)),
    "offset": PlainCalibrator(
        lambda c, p: fit_gaussian(c, _with_others(p)).without_shape(), together=True
    ),
    "paper": PlainCalibrator(lambda c, p: tune_paper(c, p.train, p.validation), chooses=True),
    "rigid": PlainCalibrator(lambda c, p: fit_rigid(c, p.train)),
    UNCALIBRATED: PlainCalibrator(lambda _, __: Uncalibrated(), together=True),
}
"""The first is the default, `rigid` the baseline; docs tell what each does."""


def calibrator(name: str) -> Calibrator:
    """Return a calibrator by name.

    Raises:
        ConfigError: there is none.
    """
    if name not in CALIBRATORS:
        raise ConfigError(f"there is no method {name!r}; there are {', '.join(CALIBRATORS)}")
    return CALIBRATORS[name]


def of_program(curves: CurvesCalibration) -> Mapping[str, Calibrator]:
    """Return calibrators that answer with the curves of a program, as they are and moved."""
    return {
        PROGRAM: PlainCalibrator(lambda _, __: curves),
        PROGRAM_RIGID: PlainCalibrator(lambda c, p: fit_rigid(c, p.train, curves)),
    }


@dataclass(frozen=True, eq=False)
class Answers:
    """What a calibration says of some compounds of one element, (n,) of them.

    Attributes:
        norm: (n, P) spectra.
        sigma: (n, P) their standard deviations; None where the calibration does not tell.
        edge_sigma: (n,) those of the measured edges, eV; None likewise.
    """

    norm: FloatArray
    sigma: FloatArray | None
    edge_sigma: FloatArray | None


def answers(compounds: Compounds, calibration: Calibration, wanted: IntArray) -> Answers:
    """Return what a calibration says of some compounds of one element."""
    grid = compounds.grids[str(compounds.element[wanted[0]])]
    found = [calibration.spectra(compounds.sites[int(each)], grid) for each in wanted]
    sigma = [each.sigma for each in found if each.sigma is not None]
    edge_sigma = [each.edge_sigma for each in found if each.edge_sigma is not None]
    return Answers(
        norm=np.array([each.mean for each in found]),
        sigma=np.array(sigma) if len(sigma) == len(found) else None,
        edge_sigma=np.array(edge_sigma) if len(edge_sigma) == len(found) else None,
    )
