"""Curves of atoms from the curves of atoms like them.

Kernel ridge regression, one for all elements: the curve of an atom is the usual one of its element
plus a sum over known atoms j,

    y = usual_Z + sum_j (1 + d_j) exp(-d_j) exp(-e_j) a_j

with d the distance of the descriptions (Matern's kernel of order 3/2: once differentiable) and e
that of the elements' properties.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import torch
from scipy.linalg import cho_factor, cho_solve
from scipy.spatial.distance import cdist
from torch import Tensor

from cgxas.elements import MAX_ATOMIC_NUMBER
from cgxas.physics.surroundings import PROPERTIES
from cgxas.typing import FloatArray, IntArray

_AXES: Final = 160  # principal axes of the descriptions that are kept
_COMPARED: Final = 500  # atoms that tell how far apart two are usually
_FEW: Final = 20  # columns of a part whose columns have units of their own
_LEAST: Final = 1e-6  # a spread below this is none

ANY_ELEMENT: Final = 0
"""What stands for an element where elements make no difference."""


@dataclass(frozen=True)
class Likeness:
    """How atoms are compared.

    Attributes:
        shares: of the parts of a description in the squared distance.
        length: distance, in units of the usual one, that counts as 1.
        element_length: distance of the elements' properties that counts as 1.
        noise: what is added to the diagonal of the kernel.
    """

    shares: tuple[float, ...]
    length: float
    element_length: float
    noise: float


@dataclass(frozen=True, eq=False)
class CurveKernel:
    """What was learnt from T atoms.

    Attributes:
        centre: (D,) mean description.
        axes: (D, R) principal axes of the descriptions, scaled so that d is a distance in them.
        known: (T, R) float16 descriptions on these axes.
        element: (T,) uint8 atomic numbers.
        element_length: () as in `Likeness`.
        usual: (104, P) mean curve of each element by atomic number; not finite where unknown.
        weights: (T, P) float32, a_j: large numbers that cancel, too much for float16.
    """

    centre: Tensor
    axes: Tensor
    known: Tensor
    element: Tensor
    element_length: Tensor
    usual: Tensor
    weights: Tensor

    @classmethod
    def fitted(
        cls,
        parts: tuple[FloatArray, ...],
        element: IntArray,
        curves: FloatArray,
        likeness: Likeness,
    ) -> Self:
        """Learn from atoms.

        Args:
            parts: (T, ...) each, their descriptions.
            element: (T,) their atomic numbers, or `ANY_ELEMENT`.
            curves: (T, P).
            likeness: how atoms are compared.
        """
        scale = np.concatenate(
            [
                _scale(part) * np.sqrt(share)
                for part, share in zip(parts, likeness.shares, strict=True)
            ]
        )
        scale = scale * np.sqrt(3 / sum(likeness.shares)) / likeness.length
        rows = np.concatenate(parts, axis=1)
        centre = rows.mean(axis=0)
        _, _, axes = np.linalg.svd((rows - centre) * scale, full_matrices=False)
        axes = (axes[:_AXES] * scale).T
        # As they will be read again.
        known = ((rows - centre) @ axes).astype(np.float16)
        usual = np.zeros((MAX_ATOMIC_NUMBER + 1, curves.shape[1]))
        for z in np.unique(element):
            usual[z] = curves[element == z].mean(axis=0)
        compared = _compared(known, element, known, element, likeness.element_length)
        compared[np.diag_indices_from(compared)] += likeness.noise
        weights = cho_solve(cho_factor(compared), curves - usual[element])
        return cls(
            centre=torch.from_numpy(centre).float(),
            axes=torch.from_numpy(axes).float(),
            known=torch.from_numpy(known),
            element=torch.from_numpy(element.astype(np.uint8)),
            element_length=torch.tensor(likeness.element_length),
            usual=torch.from_numpy(usual).float(),
            weights=torch.from_numpy(weights).float(),
        )

    def __call__(self, parts: tuple[FloatArray, ...], element: IntArray) -> FloatArray:
        """Return (S, P) curves of atoms; of no meaning for elements that were never met (`knows`).

        Args:
            parts: (S, ...) each, their descriptions.
            element: (S,) their atomic numbers, or `ANY_ELEMENT`.
        """
        rows = np.concatenate(parts, axis=1) - self.centre.numpy()
        described = rows @ self.axes.numpy()
        compared = _compared(
            described,
            element,
            self.known.numpy(),
            self.element.numpy(),
            float(self.element_length),
        )
        residual = compared @ self.weights.double().numpy()
        return np.asarray(self.usual.double().numpy()[element] + residual)

    def knows(self, z: int) -> bool:
        """Tell whether an element was met."""
        return bool((self.element == z).any())

    def tensors(self, name: str) -> dict[str, Tensor]:
        """Return what is stored, by name."""
        return {f"{name}.{key}": value for key, value in vars(self).items()}

    @classmethod
    def of(cls, tensors: Mapping[str, Tensor], name: str) -> Self:
        """Restore what `tensors` gave."""
        return cls(**{key: tensors[f"{name}.{key}"] for key in cls.__dataclass_fields__})


def _scale(part: FloatArray) -> FloatArray:
    """Return (D,) factors that bring the usual distance of two rows to 1.

    A part of few columns, of different units, has each of them brought to its own spread first.
    """
    spread = part.std(axis=0)
    each = np.where(spread > _LEAST, 1 / np.maximum(spread, _LEAST), 0.0)
    if part.shape[1] > _FEW:
        each = np.ones(part.shape[1])
    some = part[:: max(1, len(part) // _COMPARED)] * each
    usual = np.sqrt(np.median(cdist(some, some, "sqeuclidean")))
    return np.asarray(each / max(float(usual), _LEAST))


def _compared(
    one: FloatArray, z_one: IntArray, other: FloatArray, z_other: IntArray, element_length: float
) -> FloatArray:
    """Return (S, T) the kernel between atoms."""
    distance = cdist(np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64))
    properties = np.concatenate([np.zeros((1, PROPERTIES.shape[1])), PROPERTIES])
    elements = cdist(properties[z_one], properties[z_other]) / element_length
    return np.asarray((1 + distance) * np.exp(-distance - elements))
