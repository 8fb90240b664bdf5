"""The ways to calibrate, by name: each learns from a repeat and answers for its compounds."""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from cgxas.calibration.gaussian import fit_calibration
from cgxas.calibration.measured import Compounds
from cgxas.calibration.paper import tune_paper
from cgxas.calibration.repeats import Repeat
from cgxas.calibration.rigid import Rigid, fit_rigid, network_curves
from cgxas.errors import ConfigError
from cgxas.model.calibration.gaussian import Calibration
from cgxas.typing import FloatArray

Spectra = tuple[FloatArray, FloatArray | None]
"""(n, P) spectra of compounds, and their standard deviations from methods that tell them."""

DEFAULT = "gaussian"
UNCALIBRATED = "uncalibrated"
MAKERS = (DEFAULT, "paper")
"""The methods that make a model; the others are there to compare with."""


Method = Callable[[Compounds, Repeat, NDArray[np.int64]], Spectra]
"""Compounds, a repeat to learn from, and numbers of compounds of its element -> their spectra."""


def calibrated(
    compounds: Compounds, calibration: Calibration, wanted: NDArray[np.int64]
) -> Spectra:
    """Return the spectra of compounds and their standard deviations, (n, P) both."""
    found = []
    for compound in wanted.tolist():
        rows = compounds.rows_of(compound)
        found.append(
            calibration.spectra(
                compounds.sites.take(torch.from_numpy(rows)),
                compounds.share[rows],
                compounds.grids[str(compounds.element[compound])],
                compounds.simulated_grid(compound).e_min,
            )
        )
    return np.array([each.mean for each in found]), np.array([each.sigma for each in found])


def _gaussian(compounds: Compounds, repeat: Repeat, wanted: NDArray[np.int64]) -> Spectra:
    train = np.concatenate([repeat.train, repeat.support])
    return calibrated(compounds, fit_calibration(compounds, train), wanted)


def _alone(compounds: Compounds, repeat: Repeat, wanted: NDArray[np.int64]) -> Spectra:
    return calibrated(compounds, fit_calibration(compounds, repeat.train), wanted)


def _offset(compounds: Compounds, repeat: Repeat, wanted: NDArray[np.int64]) -> Spectra:
    train = np.concatenate([repeat.train, repeat.support])
    found = fit_calibration(compounds, train).without_shape()
    return calibrated(compounds, found, wanted)[0], None


def _rigid(compounds: Compounds, repeat: Repeat, wanted: NDArray[np.int64]) -> Spectra:
    return fit_rigid(compounds, repeat.element, repeat.train)(wanted), None


def uncalibrated(compounds: Compounds, repeat: Repeat, wanted: NDArray[np.int64]) -> Spectra:
    """Return what the model says before any calibration."""
    curves = network_curves(compounds, repeat.element)
    return Rigid(curves, compounds.grids[repeat.element], shift=0.0, width=0.0)(wanted), None


def _tuned(
    tune: Callable[..., Callable[[NDArray[np.int64]], FloatArray]],
) -> Method:
    def answer(compounds: Compounds, repeat: Repeat, wanted: NDArray[np.int64]) -> Spectra:
        found = tune(compounds, repeat.element, repeat.train, repeat.validation)
        return found(wanted), None

    return answer


METHODS: Mapping[str, Method] = {
    DEFAULT: _gaussian,
    "alone": _alone,
    "offset": _offset,
    "paper": _tuned(tune_paper),
    "rigid": _rigid,
}
"""The first is the default, the last the baseline; docs/howto/calibrate.md tells what each does."""


def method(name: str) -> Method:
    """Return a method by name.

    Raises:
        ConfigError: there is none.
    """
    if name not in METHODS:
        raise ConfigError(f"there is no method {name!r}; there are {', '.join(METHODS)}")
    return METHODS[name]
