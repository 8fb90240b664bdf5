"""Whether the bonds of a site are as long as is usual in its chemistry.

The strength of all bonds of a site follows smoothly from its chemistry (kernel ridge regression
with a Laplace kernel, one for all elements). What is found beside what is expected, in units of
what is uncertain where few like it were met, tells compressed and expanded lattices.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Final, Self

import numpy as np
import torch
from torch import Tensor

from cgxas.physics.fingerprint import CHEMISTRY_SIZE, Fingerprints
from cgxas.physics.likeness import squared_distances
from cgxas.typing import FloatArray

MOST_PER_ELEMENT: Final = 300
"""As many sites of an element are learnt from; more change little."""

_LENGTH: Final = 12.0
_NOISE: Final = 0.02
_QUANTILE: Final = 0.975  # of sites that were not learnt from lie within the border
_LEAST: Final = 50  # sites that the border is found by
# Variances of what is found beside what is expected, and how they grow with the distance to the
# nearest site: those are tried.
_VARIANCES: Final = (0.0005, 0.001, 0.002, 0.004, 0.008, 0.016)
_GROWTHS: Final = (0.01, 0.02, 0.04, 0.06, 0.08, 0.12)


@dataclass(frozen=True, eq=False, repr=False)
class UsualLengths:
    """How strong the bonds of a site are expected to be, learnt from M sites.

    Attributes:
        chemistry: (M, 17) float16, of the sites that were learnt from.
        weight: (M,) what each adds.
        mean: () of the logarithm of the strength.
        scale: (3,) variance, its growth with the distance, border in standard deviations.
    """

    chemistry: Tensor
    weight: Tensor
    mean: Tensor
    scale: Tensor

    @classmethod
    def fit(cls, learnt: Fingerprints, others: Fingerprints | None = None) -> Self:
        """Learn from sites.

        Args:
            learnt: the sites.
            others: of compounds that are not among these, by which the border is found; if there
                are too few, each site is left out in turn.
        """
        known = learnt.take(learnt.coordination > 0)
        known = known.take(np.sort(np.concatenate(list(_some_of_each(known)))))
        chemistry = torch.from_numpy(known.chemistry).half()
        strength, place = known.strength, chemistry.double().numpy()
        mean = strength.mean()
        inverse = np.linalg.inv(_kernel(_distances(place, place)) + _NOISE * np.eye(len(place)))
        weight = inverse @ (strength - mean)
        own = cls(
            chemistry,
            torch.from_numpy(weight).float(),
            torch.tensor(mean).float(),
            torch.ones(3),
        )
        if others is not None and (others.coordination > 0).sum() >= _LEAST:
            apart, nearest = own._apart(others.take(others.coordination > 0))
        else:
            distances = _distances(place, place) + np.diag(np.full(len(place), np.inf))
            apart, nearest = weight / np.diag(inverse), distances.min(axis=1, initial=10.0)
        return cls(own.chemistry, own.weight, own.mean, _scale(apart, nearest))

    def strain(self, sites: Fingerprints) -> FloatArray:
        """Return (S,) how far bonds are from the usual: above 1 in size beyond the border.

        Positive where they are too short, negative where they are too long, 0 for lonely atoms.
        """
        variance, growth, border = self.scale.double().tolist()
        apart, nearest = self._apart(sites)
        found = apart / np.sqrt(variance + growth * nearest) / border
        return np.where(sites.coordination > 0, found, 0.0)

    def _apart(self, sites: Fingerprints) -> tuple[FloatArray, FloatArray]:
        """Return (S,) strength found less expected, and (S,) distance of the nearest site."""
        chemistry, weight = self._numbers
        distances = _distances(sites.chemistry, chemistry)
        expected = float(self.mean) + _kernel(distances) @ weight
        return sites.strength - expected, distances.min(axis=1)

    @cached_property
    def _numbers(self) -> tuple[FloatArray, FloatArray]:
        return self.chemistry.double().numpy(), self.weight.double().numpy()

    @property
    def tensors(self) -> dict[str, Tensor]:
        """All numbers by name, for a file."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def restore(cls, tensors: Mapping[str, Tensor]) -> Self:
        """Undo `tensors`; TypeError or ValueError if they do not fit."""
        found = cls(**tensors)
        shapes = [tuple(each.shape) for each in found.tensors.values()]
        if shapes != [(len(found.chemistry), CHEMISTRY_SIZE), (len(found.chemistry),), (), (3,)]:
            raise ValueError("the usual lengths of bonds do not fit together")
        return found


def _some_of_each(sites: Fingerprints) -> "list[FloatArray]":
    draw = np.random.default_rng(0)
    numbers = [np.flatnonzero(sites.element == z) for z in np.unique(sites.element)]
    return [draw.permutation(each)[:MOST_PER_ELEMENT] for each in numbers]


def _distances(one: FloatArray, other: FloatArray) -> FloatArray:
    return np.asarray(np.sqrt(squared_distances(one, other)))


def _kernel(distances: FloatArray) -> FloatArray:
    return np.asarray(np.exp(-distances / _LENGTH))


def _scale(apart: FloatArray, nearest: FloatArray) -> Tensor:
    """Return variance, growth and border that fit (n,) deviations at (n,) distances."""

    def misfit(choice: tuple[float, float]) -> float:
        variance = choice[0] + choice[1] * nearest
        return float((np.log(variance) + apart**2 / variance).mean())

    variance, growth = min(((v, g) for v in _VARIANCES for g in _GROWTHS), key=misfit)
    sizes = np.abs(apart) / np.sqrt(variance + growth * nearest)
    return torch.tensor([variance, growth, max(1.5, float(np.quantile(sizes, _QUANTILE)))])
