"""The scattering as part of a model: averaged with what the model answers without it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from torch import Tensor

from cgxas.crystals.canonical import Cell
from cgxas.elements import MAX_ATOMIC_NUMBER
from cgxas.model.scattering.phases import PhaseModel
from cgxas.typing import FloatArray, IntArray

_SHARE, _FIDELITY = "share", "fidelity"


@dataclass(frozen=True, eq=False)
class Scattering:
    """Learnt potentials, and what their spectra count.

    Attributes:
        phases: the potentials.
        share: (104,) float32, what the scattering counts of each absorber, 0 to 1; 0 where it was
            not tried.
        fidelity: theory of its spectra.
    """

    phases: PhaseModel
    share: Tensor
    fidelity: str

    def averaged(
        self, others: FloatArray, cell: Cell, atoms: IntArray, fidelity: str
    ) -> FloatArray:
        """Return (S, P) spectra of some sites of an element, averaged with what others say.

        Args:
            others: (S, P) what is answered without scattering.
            cell: the crystal.
            atoms: (S,) numbers of the sites in it.
            fidelity: theory that is asked for; another than its own is left alone, as are
                crystals with elements of which no potential was learnt.
        """
        share = float(self.share[int(cell.numbers[atoms[0]])])
        if fidelity != self.fidelity or not share or not self.phases.answers(cell, int(atoms[0])):
            return others
        own = np.array([self.phases.mu(cell, int(atom)) for atom in atoms])
        return np.maximum(others + share * (own - others), 0.0)

    @property
    def tensors(self) -> dict[str, Tensor]:
        """All numbers that were learnt, by name, for a file."""
        return {**self.phases.tensors(), _SHARE: self.share}

    @property
    def values(self) -> dict[str, Any]:
        """Whatever else decides its answers, as plain values for a file."""
        return {_FIDELITY: self.fidelity}

    @classmethod
    def restore(cls, tensors: Mapping[str, Tensor], values: Mapping[str, Any]) -> Self:
        """Undo `tensors` and `values`; KeyError, TypeError or ValueError if they do not fit."""
        share, fidelity = tensors[_SHARE], values[_FIDELITY]
        if tuple(share.shape) != (MAX_ATOMIC_NUMBER + 1,) or not isinstance(fidelity, str):
            raise ValueError("what the scattering counts does not fit together")
        rest = {name: tensor for name, tensor in tensors.items() if name != _SHARE}
        found = cls(PhaseModel.of(rest), share, fidelity)
        if extra := sorted(rest.keys() - found.phases.tensors().keys()):
            raise ValueError(f"the scattering has no {extra[0]!r}")
        return found
