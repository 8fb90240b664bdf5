"""Spectra of sites from spectra of sites like them: the second opinion beside the network.

Kernel ridge regression, one of each theory for all its absorbers: the spectrum of a site is the
typical one of its element plus a sum over sites j that are known in the theory,

    mu(E) = mean_Z(E) + sum_j exp(-|x - x_j| / L - |p - p_j| / M) a_j(E)

with x the surroundings of a site (cgxas.physics.surroundings) and p the properties of its element.
Where few spectra are known it is as good as a network; where the two disagree, both are doubtful.
Source: Rupp et al., doi:10.1103/PhysRevLett.108.058301, who take the same Laplace kernel.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, Any, ClassVar, Self

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from cgxas.elements import MAX_ATOMIC_NUMBER
from cgxas.physics.likeness import squared_distances
from cgxas.physics.surroundings import AROUND, PROPERTIES
from cgxas.settings import Settings
from cgxas.typing import FloatArray, IntArray

_Length = Annotated[float, Field(gt=0, le=1000)]
_FADE = 10  # points over which the kernel fades out at the end of its spectra
_NEARLY_ALL = 0.9
_NUMBER_UNIT = 10.0  # atomic numbers that count as one unit of a property


@dataclass(frozen=True)
class KernelSettings(Settings):
    """How sites are compared.

    Attributes:
        fidelities: theories of the spectra it learns from and answers with; none: no kernel.
        length: L, in units of the surroundings.
        element_length: M, in units of the elements' properties.
        noise: what is added to the diagonal of the kernel.
    """

    title: ClassVar[str] = "kernel"

    fidelities: tuple[str, ...] = ()
    length: _Length = 2.5
    element_length: _Length = 0.8
    noise: Annotated[float, Field(gt=0, le=1)] = 3e-3


@dataclass(frozen=True, eq=False)
class SiteKernel:
    """What was learnt from (T,) sites.

    Attributes:
        settings: how sites are compared.
        around: (T, D) float16, their surroundings.
        absorber: (T,) uint8, their atomic numbers.
        theory: (T,) uint8, number of their theory among the F of the settings.
        weights: (T, P) float32, a_j.
        usual: (F, 104, P) float32, mean spectrum of each element by atomic number.
        share: (F, 104) float32, what the kernel counts of each element beside a network, 0 to 1.
        reach: (F, 104) uint8, how many of the P points the spectra of each element reached.
    """

    settings: KernelSettings
    around: Tensor
    absorber: Tensor
    theory: Tensor
    weights: Tensor
    usual: Tensor
    share: Tensor
    reach: Tensor

    @classmethod
    def fitted(
        cls,
        described: FloatArray,
        absorber: IntArray,
        theory: IntArray,
        norm: FloatArray,
        settings: KernelSettings,
    ) -> Self:
        """Learn from sites.

        Args:
            described: (T, D) descriptions of the sites (`surroundings`).
            absorber: (T,) their atomic numbers.
            theory: (T,) numbers of the theories of their spectra.
            norm: (T, P) their spectra; NaN where none is known: taken as typical there.
            settings: how they are compared.
        """
        kept = torch.from_numpy(described[:, AROUND].astype(np.float16))
        around = kept.double().numpy()
        n_theories, n_points = len(settings.fidelities), norm.shape[1]
        usual = np.zeros((n_theories, MAX_ATOMIC_NUMBER + 1, n_points))
        weights, reach = np.zeros(norm.shape), np.zeros(usual.shape[:2])
        for n in range(n_theories):
            mine = theory == n
            usual[n], reach[n] = _usual(norm[mine], absorber[mine])
            apart = np.nan_to_num(norm[mine] - usual[n, absorber[mine]])
            weights[mine] = _solved(around[mine], absorber[mine], apart, settings)
        return cls(
            settings,
            kept,
            torch.from_numpy(absorber.astype(np.uint8)),
            torch.from_numpy(theory.astype(np.uint8)),
            torch.from_numpy(weights.astype(np.float32)),
            torch.from_numpy(usual.astype(np.float32)),
            torch.full((n_theories, MAX_ATOMIC_NUMBER + 1), 0.5),
            torch.from_numpy(reach.astype(np.uint8)),
        )

    def knows(self, fidelity: str) -> bool:
        """Tell whether it has learnt from a theory."""
        return fidelity in self.settings.fidelities

    def with_sites(
        self, described: FloatArray, absorber: int, fidelity: str, missing: FloatArray
    ) -> Self:
        """Return a kernel that has learnt some sites besides; what it knew it keeps.

        With K the kernel between known sites, k_x that of a site with them, what is added at x is

            S(x, X) (S(X, X) + noise)^-1 missing,  S(x, y) = k(x, y) - k_x^T (K + noise)^-1 k_y

        the posterior mean of a Gaussian process after the known sites (Rasmussen & Williams 2006,
        chapter 2). With `missing` what the kernel itself lacks it is what fitting all anew gives.

        Args:
            described: (T, D) descriptions of the sites.
            absorber: atomic number of all of them.
            fidelity: theory of their spectra, one that the kernel `knows`.
            missing: (T, P) what its answers there lack.
        """
        kept = torch.from_numpy(described[:, AROUND].astype(np.float16))
        new, numbers = kept.double().numpy(), np.full(len(kept), absorber)
        number = self.settings.fidelities.index(fidelity)
        mine = self.theory == number
        known, of, _, _ = self._of_theory[number]
        across = _kernel(known, of, new, numbers, self.settings)
        told = _solved(known, of, across, self.settings)
        left = _kernel(new, numbers, new, numbers, self.settings) - across.T @ told
        left[np.diag_indices_from(left)] += self.settings.noise
        weights = np.linalg.solve(left, missing)
        old = self.weights.double().numpy()
        old[mine.numpy()] -= told @ weights
        return replace(
            self,
            around=torch.cat([self.around, kept]),
            absorber=torch.cat([self.absorber, torch.from_numpy(numbers.astype(np.uint8))]),
            theory=torch.cat([self.theory, torch.full((len(kept),), number, dtype=torch.uint8)]),
            weights=torch.from_numpy(np.concatenate([old, weights]).astype(np.float32)),
        )

    def spectra(self, described: FloatArray, absorber: int, fidelity: str) -> FloatArray:
        """Return (S, P) spectra of sites of an element.

        Args:
            described: (S, D) descriptions of the sites.
            absorber: atomic number of the element.
            fidelity: theory that is answered, one that it `knows`.
        """
        number = self.settings.fidelities.index(fidelity)
        known, of, weights, squared = self._of_theory[number]
        around = described[:, AROUND]
        numbers = np.full(len(around), absorber)
        kernel = _kernel(around, numbers, known, of, self.settings, squared)
        return np.asarray(self.usual[number, absorber].double().numpy() + kernel @ weights)

    @cached_property
    def _of_theory(self) -> list[tuple[FloatArray, IntArray, FloatArray, FloatArray]]:
        """Surroundings, elements, weights and squared lengths of the sites of each theory."""
        found = []
        for number in range(len(self.settings.fidelities)):
            mine = self.theory == number
            around, weights = (each[mine].double().numpy() for each in (self.around, self.weights))
            absorber = self.absorber[mine].numpy().astype(np.int64)
            found.append((around, absorber, weights, (around**2).sum(axis=1)))
        return found

    def share_of(self, absorber: int, fidelity: str) -> FloatArray:
        """Return (P,) what the kernel counts beside a network for an element; 0 if nothing.

        It fades out towards the end of what spectra reached, so that no curve has a kink there.
        """
        n_points = self.weights.shape[1]
        if not self.knows(fidelity):
            return np.zeros(n_points)
        number = self.settings.fidelities.index(fidelity)
        share, reach = float(self.share[number, absorber]), int(self.reach[number, absorber])
        if reach == n_points:
            return np.full(n_points, share)
        return np.asarray(share * np.clip((reach - 1 - np.arange(n_points)) / _FADE, 0.0, 1.0))

    @property
    def tensors(self) -> dict[str, Tensor]:
        """All numbers that were learnt, by name, for a file."""
        names = ("around", "absorber", "theory", "weights", "usual", "share", "reach")
        return {name: getattr(self, name) for name in names}

    @property
    def values(self) -> dict[str, Any]:
        """Whatever else decides its answers, as plain values for a file."""
        return self.settings.to_dict()

    @classmethod
    def restore(
        cls, tensors: Mapping[str, Tensor], values: Mapping[str, Any], n_outputs: int
    ) -> Self:
        """Undo `tensors` and `values`.

        Args:
            tensors: by name.
            values: plain values.
            n_outputs: P of the model.

        Raises:
            ConfigError, KeyError, TypeError or ValueError: they do not fit together.
        """
        found = cls(KernelSettings.from_dict(values), **tensors)
        sites, width = found.around.shape
        theories = len(found.settings.fidelities)
        kinds = {
            "around": ((sites, width), torch.float16),
            "absorber": ((sites,), torch.uint8),
            "theory": ((sites,), torch.uint8),
            "weights": ((sites, n_outputs), torch.float32),
            "usual": ((theories, MAX_ATOMIC_NUMBER + 1, n_outputs), torch.float32),
            "share": ((theories, MAX_ATOMIC_NUMBER + 1), torch.float32),
            "reach": ((theories, MAX_ATOMIC_NUMBER + 1), torch.uint8),
        }
        for name, (shape, kind) in kinds.items():
            tensor = found.tensors[name]
            if tuple(tensor.shape) != shape or tensor.dtype != kind:
                raise ValueError(f"{name} of the kernel is {tuple(tensor.shape)} {tensor.dtype}")
        if int(found.absorber.max()) > MAX_ATOMIC_NUMBER or not int(found.absorber.min()):
            raise ValueError("an absorber of the kernel is no element")
        if int(found.theory.max()) >= theories:
            raise ValueError("a site of the kernel is of no theory")
        if int(found.reach.max()) > n_outputs:
            raise ValueError("the kernel reaches beyond its points")
        return found


def _usual(norm: FloatArray, absorber: IntArray) -> tuple[FloatArray, IntArray]:
    """Return (104, P) mean spectra of elements, and (104,) how many points nearly all have.

    Those of all together, where an element is not known.
    """
    mean, reach = _mean(norm, np.zeros(norm.shape[1]))
    means = np.tile(mean, (MAX_ATOMIC_NUMBER + 1, 1))
    reaches = np.full(MAX_ATOMIC_NUMBER + 1, reach)
    for number in np.unique(absorber):
        means[number], reaches[number] = _mean(norm[absorber == number], mean)
    return means, reaches


def _mean(norm: FloatArray, otherwise: FloatArray) -> tuple[FloatArray, int]:
    """Return (P,) the mean of what is known of (T, P) spectra, and how far nearly all are."""
    known = np.isfinite(norm)
    count = known.sum(axis=0)
    total = np.where(known, norm, 0.0).sum(axis=0)
    mean = np.where(count > 0, total / np.maximum(count, 1), otherwise)
    return mean, int((count > _NEARLY_ALL * len(norm)).sum())


def _solved(
    around: FloatArray, absorber: IntArray, wanted: FloatArray, settings: KernelSettings
) -> FloatArray:
    """Return (T, P) the weights that (T,) sites need for (T, P) wanted values at them."""
    # Here and not above: a machine that only trains has no scipy.
    from scipy.linalg import cho_factor, cho_solve

    kernel = _kernel(around, absorber, around, absorber, settings)
    kernel[np.diag_indices_from(kernel)] += settings.noise
    return np.asarray(cho_solve(cho_factor(kernel, overwrite_a=True), wanted))


def _kernel(
    around: FloatArray,
    absorber: IntArray,
    other_around: FloatArray,
    other_absorber: IntArray,
    settings: KernelSettings,
    other_squared: FloatArray | None = None,
) -> FloatArray:
    """Return (S, T) likenesses of sites; (T,) squared lengths of the others spare their sum."""
    from scipy.spatial.distance import cdist

    far = np.sqrt(squared_distances(around, other_around, other_squared)) / settings.length
    elements = np.column_stack([PROPERTIES, np.arange(1, MAX_ATOMIC_NUMBER + 1) / _NUMBER_UNIT])
    apart = cdist(elements, elements) / settings.element_length
    far += apart[np.ix_(absorber - 1, other_absorber - 1)]
    return np.asarray(np.exp(-far))
