"""What turns a network's spectra into measured ones: a class, and the kinds there are.

A new kind is a subclass of `Calibration` and a line in `_HOMES`; what fits one to measured
compounds is a `Calibrator` (cgxas.calibration.calibrators).
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar, Self

import numpy as np
from torch import Tensor

from cgxas.errors import ForeignCheckpoint
from cgxas.model.architecture import Architecture
from cgxas.model.sites import AbsorberSites
from cgxas.spectra.spectrum import EnergyGrid
from cgxas.spectra.trust import Trust
from cgxas.typing import FloatArray


@dataclass(frozen=True, eq=False)
class Calibrated:
    """Calibrated spectra of the absorbing sites of one compound.

    Attributes:
        sites: (S, P) of each site.
        mean: (P,) of all, weighted.
        sigma: (P,) standard deviation of a measured spectrum around the mean; None where the
            calibration does not tell.
        edge_sigma: that of a measured edge energy, eV; None likewise.
        trust: how far this can be trusted; None where the model does not tell.
    """

    sites: FloatArray
    mean: FloatArray
    sigma: FloatArray | None = None
    edge_sigma: float | None = None
    trust: Trust | None = None


class Calibration(ABC):
    """Something fitted to measured compounds that answers, says how sure it is, and can be saved.

    Attributes:
        kind: its name in a model file.
    """

    kind: ClassVar[str]

    @abstractmethod
    def spectra(self, sites: AbsorberSites, grid: EnergyGrid) -> Calibrated:
        """Return the calibrated spectra of one compound.

        Args:
            sites: its absorbing sites.
            grid: wanted energies.
        """

    def of_several(self, several: Sequence[AbsorberSites], grid: EnergyGrid) -> list[Calibrated]:
        """Return the calibrated spectra of compounds; a kind may be faster at that than one by one.

        Args:
            several: absorbing sites of each, of one element.
            grid: wanted energies.
        """
        return [self.spectra(each, grid) for each in several]

    @property
    def tensors(self) -> Mapping[str, Tensor]:
        """All numbers that were learnt, by name, for a file."""
        return {}

    @property
    def values(self) -> Mapping[str, Any]:
        """Whatever else decides its answers, as plain values for a file."""
        return {}

    @classmethod
    @abstractmethod
    def restore(
        cls, tensors: Mapping[str, Tensor], values: Mapping[str, Any], network: Architecture
    ) -> Self:
        """Undo `tensors` and `values`.

        Args:
            tensors: by name.
            values: plain values.
            network: the network of the model.

        Raises:
            KeyError, TypeError or ValueError: they do not fit together.
        """


class Uncalibrated(Calibration):
    """The network's own spectra, as they are."""

    kind = "uncalibrated"

    def spectra(self, sites: AbsorberSites, grid: EnergyGrid) -> Calibrated:
        """Return the network's spectra; beyond its own energies they go on as the sites tell."""
        curves = sites.at(grid.energies)
        return Calibrated(curves, np.asarray(sites.share @ curves))

    @classmethod
    def restore(
        cls, tensors: Mapping[str, Tensor], values: Mapping[str, Any], network: Architecture
    ) -> Self:
        """Return another of the kind; there is nothing to restore."""
        if tensors or values:
            raise ValueError("nothing is known of an uncalibrated model")
        return cls()


class PerElement(Calibration):
    """Calibrations of elements, each fitted on its own.

    Attributes:
        parts: absorber -> its calibration.
    """

    kind = "per element"

    def __init__(self, parts: Mapping[str, Calibration]) -> None:
        self.parts = parts

    def spectra(self, sites: AbsorberSites, grid: EnergyGrid) -> Calibrated:
        """Return what the calibration of the absorber answers; KeyError if there is none."""
        return self.parts[sites.absorber].spectra(sites, grid)

    @property
    def tensors(self) -> dict[str, Tensor]:
        """All numbers by absorber and name."""
        return {f"{e}.{n}": t for e, part in self.parts.items() for n, t in part.tensors.items()}

    @property
    def values(self) -> dict[str, Any]:
        """Kind and values by absorber."""
        return {e: {"kind": p.kind, "values": dict(p.values)} for e, p in self.parts.items()}

    @classmethod
    def restore(
        cls, tensors: Mapping[str, Tensor], values: Mapping[str, Any], network: Architecture
    ) -> Self:
        """Undo `tensors` and `values`; ValueError if a tensor belongs to no absorber."""
        own: dict[str, dict[str, Tensor]] = {absorber: {} for absorber in values}
        for name, tensor in tensors.items():
            absorber, _, rest = name.partition(".")
            if absorber not in own:
                raise ValueError(f"{name!r} belongs to no absorber")
            own[absorber][rest] = tensor
        return cls(
            {
                absorber: calibration_kind(about["kind"]).restore(
                    own[absorber], about["values"], network
                )
                for absorber, about in values.items()
            }
        )


_HOMES: dict[str, str] = {
    Uncalibrated.kind: "cgxas.model.calibration.base:Uncalibrated",
    PerElement.kind: "cgxas.model.calibration.base:PerElement",
    "gaussian": "cgxas.model.calibration.gaussian:GaussianCalibration",
    "rigid": "cgxas.model.calibration.rigid:RigidCalibration",
    "head": "cgxas.model.calibration.head:HeadCalibration",
    "curves": "cgxas.model.calibration.curves:CurvesCalibration",
}
"""Kind of calibration -> module and class; a module is imported when it is asked for."""


def register(kind: str, home: str) -> None:
    """Make a kind of calibration of another package known: "package.module:Class"."""
    _HOMES[kind] = home


def calibration_kind(kind: object) -> type[Calibration]:
    """Return a kind of calibration by name.

    Raises:
        ForeignCheckpoint: there is none.
    """
    if not isinstance(kind, str) or kind not in _HOMES:
        raise ForeignCheckpoint(
            f"there is no calibration of the kind {kind!r:.60}; import the package that brings it"
        )
    module, _, attribute = _HOMES[kind].partition(":")
    found: type[Calibration] = getattr(import_module(module), attribute)
    return found
