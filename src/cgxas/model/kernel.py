"""Spectra of sites from spectra of sites like them: the second opinion beside the network.

Kernel ridge regression, one for all absorbers of a theory: the spectrum of a site is the typical
one of its element plus a sum over known sites j,

    mu(E) = mean_Z(E) + sum_j exp(-|x - x_j| / L - |p - p_j| / M) a_j(E)

with x the surroundings of a site (cgxas.physics.surroundings) and p the properties of its element.
Where few spectra are known it is as good as a network; where the two disagree, both are doubtful.
Source: Rupp et al., doi:10.1103/PhysRevLett.108.058301, who take the same Laplace kernel.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Self

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from cgxas.elements import MAX_ATOMIC_NUMBER
from cgxas.physics.surroundings import AROUND, PROPERTIES
from cgxas.settings import Settings
from cgxas.typing import FloatArray, IntArray

_Length = Annotated[float, Field(gt=0, le=1000)]
_NUMBER_UNIT = 10.0  # atomic numbers that count as one unit of a property


@dataclass(frozen=True)
class KernelSettings(Settings):
    """How sites are compared.

    Attributes:
        fidelity: theory of the spectra it learns from and answers with; empty: no kernel.
        length: L, in units of the surroundings.
        element_length: M, in units of the elements' properties.
        noise: what is added to the diagonal of the kernel.
    """

    title: ClassVar[str] = "kernel"

    fidelity: str = ""
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
        weights: (T, P) float32, a_j.
        usual: (104, P) float32, mean spectrum of each element by atomic number.
        share: (104,) float32, what the kernel counts of each element beside a network, 0 to 1.
    """

    settings: KernelSettings
    around: Tensor
    absorber: Tensor
    weights: Tensor
    usual: Tensor
    share: Tensor

    @classmethod
    def fitted(
        cls, described: FloatArray, absorber: IntArray, norm: FloatArray, settings: KernelSettings
    ) -> Self:
        """Learn from sites.

        Args:
            described: (T, D) descriptions of the sites (`surroundings`).
            absorber: (T,) their atomic numbers.
            norm: (T, P) their spectra.
            settings: how they are compared.
        """
        # Here and not above: a machine that only trains has no scipy.
        from scipy.linalg import cho_factor, cho_solve

        kept = torch.from_numpy(described[:, AROUND].astype(np.float16))
        around = kept.double().numpy()
        usual = np.tile(norm.mean(axis=0), (MAX_ATOMIC_NUMBER + 1, 1))
        for number in np.unique(absorber):
            usual[number] = norm[absorber == number].mean(axis=0)
        kernel = _kernel(around, absorber, around, absorber, settings)
        kernel[np.diag_indices_from(kernel)] += settings.noise
        weights = cho_solve(cho_factor(kernel, overwrite_a=True), norm - usual[absorber])
        return cls(
            settings,
            kept,
            torch.from_numpy(absorber.astype(np.uint8)),
            torch.from_numpy(weights.astype(np.float32)),
            torch.from_numpy(usual.astype(np.float32)),
            torch.full((MAX_ATOMIC_NUMBER + 1,), 0.5),
        )

    def with_sites(self, described: FloatArray, absorber: int, missing: FloatArray) -> Self:
        """Return a kernel that has learnt some sites besides; what it knew it keeps.

        With K the kernel between known sites, k_x that of a site with them, what is added at x is

            S(x, X) (S(X, X) + noise)^-1 missing,  S(x, y) = k(x, y) - k_x^T (K + noise)^-1 k_y

        the posterior mean of a Gaussian process after the known sites (Rasmussen & Williams 2006,
        chapter 2). With `missing` what the kernel itself lacks it is what fitting all anew gives.

        Args:
            described: (T, D) descriptions of the sites.
            absorber: atomic number of all of them.
            missing: (T, P) what its answers there lack.
        """
        from scipy.linalg import cho_factor, cho_solve

        kept = torch.from_numpy(described[:, AROUND].astype(np.float16))
        new, numbers = kept.double().numpy(), np.full(len(kept), absorber)
        known, of = self.around.double().numpy(), self.absorber.numpy().astype(np.int64)
        among = _kernel(known, of, known, of, self.settings)
        among[np.diag_indices_from(among)] += self.settings.noise
        across = _kernel(known, of, new, numbers, self.settings)
        told = cho_solve(cho_factor(among, overwrite_a=True), across)
        left = _kernel(new, numbers, new, numbers, self.settings) - across.T @ told
        left[np.diag_indices_from(left)] += self.settings.noise
        weights = np.linalg.solve(left, missing)
        old = self.weights.double().numpy() - told @ weights
        return replace(
            self,
            around=torch.cat([self.around, kept]),
            absorber=torch.cat([self.absorber, torch.from_numpy(numbers.astype(np.uint8))]),
            weights=torch.from_numpy(np.concatenate([old, weights]).astype(np.float32)),
        )

    def spectra(self, described: FloatArray, absorber: int) -> FloatArray:
        """Return (S, P) spectra of sites of an element.

        Args:
            described: (S, D) descriptions of the sites.
            absorber: atomic number of the element.
        """
        around = described[:, AROUND]
        numbers = np.full(len(around), absorber)
        known, of = self.around.double().numpy(), self.absorber.numpy().astype(np.int64)
        kernel = _kernel(around, numbers, known, of, self.settings)
        correction = kernel @ self.weights.double().numpy()
        return np.asarray(self.usual[absorber].double().numpy() + correction)

    def share_of(self, absorber: int) -> float:
        """Return what the kernel counts beside a network for an element."""
        return float(self.share[absorber])

    @property
    def tensors(self) -> dict[str, Tensor]:
        """All numbers that were learnt, by name, for a file."""
        names = ("around", "absorber", "weights", "usual", "share")
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
        kinds = {
            "around": ((sites, width), torch.float16),
            "absorber": ((sites,), torch.uint8),
            "weights": ((sites, n_outputs), torch.float32),
            "usual": ((MAX_ATOMIC_NUMBER + 1, n_outputs), torch.float32),
            "share": ((MAX_ATOMIC_NUMBER + 1,), torch.float32),
        }
        for name, (shape, kind) in kinds.items():
            tensor = found.tensors[name]
            if tuple(tensor.shape) != shape or tensor.dtype != kind:
                raise ValueError(f"{name} of the kernel is {tuple(tensor.shape)} {tensor.dtype}")
        if int(found.absorber.max()) > MAX_ATOMIC_NUMBER or not int(found.absorber.min()):
            raise ValueError("an absorber of the kernel is no element")
        return found


def _kernel(
    around: FloatArray,
    absorber: IntArray,
    other_around: FloatArray,
    other_absorber: IntArray,
    settings: KernelSettings,
) -> FloatArray:
    """Return (S, T) likenesses of sites."""
    from scipy.spatial.distance import cdist

    far = cdist(around, other_around) / settings.length
    elements = np.column_stack([PROPERTIES, np.arange(1, MAX_ATOMIC_NUMBER + 1) / _NUMBER_UNIT])
    apart = cdist(elements, elements) / settings.element_length
    far += apart[np.ix_(absorber - 1, other_absorber - 1)]
    return np.asarray(np.exp(-far))
