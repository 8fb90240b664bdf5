"""A calibration that is the network's own head, re-learnt on measured spectra."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from cgxas.model.architecture import Architecture
from cgxas.model.calibration.base import Calibrated, Calibration
from cgxas.model.sites import AbsorberSites
from cgxas.spectra.spectrum import EnergyGrid


class HeadCalibration(Calibration):
    """Another head behind the same graph part.

    Where the wanted energies are not those of the network, its outputs are the values at the new
    ones: a mere change of labels, and the head has learnt the rest of the shift.

    Attributes:
        network: the network with the re-learnt head.
    """

    kind = "head"

    def __init__(self, network: Architecture) -> None:
        self.network = network

    @torch.no_grad()
    def spectra(self, sites: AbsorberSites, grid: EnergyGrid) -> Calibrated:
        """Return what the re-learnt head answers."""
        fidelity = None if sites.fidelity is None else torch.tensor(sites.fidelity)
        each = self.network.head(sites.vectors.float(), fidelity).double().numpy()
        return Calibrated(each, np.asarray(sites.share @ each))

    @property
    def tensors(self) -> dict[str, Tensor]:
        """Those of the head's layers, by number and name."""
        return {
            f"{n}.{name}": tensor
            for n, layer in enumerate(self.network.head_layers)
            for name, tensor in layer.state_dict().items()
        }

    @classmethod
    def restore(
        cls, tensors: Mapping[str, Tensor], values: Mapping[str, Any], network: Architecture
    ) -> Self:
        """Undo `tensors`; ValueError if they are not those of the network's head."""
        found = cls(deepcopy(network))
        for name, tensor in found.tensors.items():
            given = tensors.get(name)
            if given is None or given.shape != tensor.shape or given.dtype != tensor.dtype:
                raise ValueError(f"{name!r} of the head is missing or does not fit")
            tensor.copy_(given)
        if values or len(tensors) != len(found.tensors):
            raise ValueError("a head has nothing but its layers")
        return found
