"""What turns simulated spectra into measured ones: learnt from measured spectra, kept with a model.

A calibrated spectrum is the network's own, broadened, plus a correction of its shape, moved by an
offset of its energy. Offset and correction are Gaussian processes over what is known of a site:
its vector in the network, its simulated spectrum, and its chemical state. The offset must come
from the site: it runs from -8 eV (metals) to +10 eV (sulfates) within one element.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cgxas.elements import MAX_ATOMIC_NUMBER
from cgxas.errors import SpectrumError
from cgxas.model.calibration.kernels import KernelSum, Scale, Sites, Term
from cgxas.model.cgxas.network import CGXAS
from cgxas.spectra.edge import half_step
from cgxas.spectra.resample import broadened
from cgxas.spectra.spectrum import EnergyGrid
from cgxas.typing import FloatArray

BROADENING = 2.5
"""Full width at half maximum, eV, of the Gaussian that simulated spectra are broadened with."""

RELATIVE = np.arange(-16.0, 54.01, 55 / 99)
"""Energies relative to the edge, eV, at which shapes are compared and corrected."""

_WHOLE = "sites.element"  # the one tensor of whole numbers

# Gauss-Hermite: where a standard normal variable is looked at, and with which weights.
_NODES, _NODE_WEIGHTS = np.polynomial.hermite_e.hermegauss(9)
_NODE_WEIGHTS = _NODE_WEIGHTS / _NODE_WEIGHTS.sum()


@dataclass(frozen=True, eq=False)
class Process:
    """A Gaussian process over compounds, conditioned on measured ones.

    Attributes:
        terms: its kernels.
        parameters: (2 T,) logarithms of their strengths and lengths.
        noise: variance of one measurement, in units of the outputs.
        weights: (C, K) what each training compound adds to the K outputs.
        inverse: (C, C) inverse covariance of the training compounds.
    """

    terms: tuple[Term, ...]
    parameters: Tensor
    noise: Tensor
    weights: Tensor
    inverse: Tensor

    def mean(self, kernels: Tensor) -> Tensor:
        """Return (A, K) expected outputs of what has (A, C) kernels with the training compounds."""
        return kernels @ self.weights

    def variance(self, kernels: Tensor, own: Tensor) -> Tensor:
        """Return (A,) variances of a measurement, in units of the outputs.

        Args:
            kernels: (A, C) with the training compounds.
            own: (A,) of each with itself.
        """
        known = ((kernels @ self.inverse) * kernels).sum(1)
        return (own - known).clamp_min(0) + self.noise

    @property
    def tensors(self) -> dict[str, Tensor]:
        """The tensors by name, for a file."""
        return {
            field.name: getattr(self, field.name) for field in fields(self) if field.name != "terms"
        }


@dataclass(frozen=True, eq=False)
class Calibrated:
    """Calibrated spectra of the sites of one compound.

    Attributes:
        sites: (S, P) of each site.
        mean: (P,) of all, weighted.
        sigma: (P,) standard deviation of a measured spectrum around the mean.
        edge_sigma: that of a measured edge energy, eV.
    """

    sites: FloatArray
    mean: FloatArray
    sigma: FloatArray
    edge_sigma: float


@dataclass(frozen=True, eq=False)
class Calibration:
    """What was learnt from measured compounds, (C,) of them with (S,) sites.

    Attributes:
        sites: what is known of their sites.
        share: (C, S) how much of each compound's absorbers a site stands for; rows sum to 1.
        scale: units of the features.
        usual: (103,) mean offset of the compounds of each element, eV, by atomic number from 1; 0
            for elements without any.
        offset: gives what a site adds to it, in units of `offset_unit`.
        shape: gives the coefficients of the correction.
        offset_unit: eV.
        basis: (K, X) curves which corrections are made of.
    """

    sites: Sites
    share: Tensor
    scale: Scale
    usual: Tensor
    offset: Process
    shape: Process
    offset_unit: Tensor
    basis: Tensor

    def spectra(
        self, sites: Sites, share: FloatArray, grid: EnergyGrid, window_start: float
    ) -> Calibrated:
        """Return the calibrated spectra of one compound.

        Args:
            sites: its absorbing sites.
            share: (S,) weights of the mean, their sum is 1.
            grid: wanted energies.
            window_start: first energy of the network's own grid, eV.
        """
        weight = torch.from_numpy(share).to(self.share)[None]
        offsets, offset_variance = self._answer(self.offset, sites, weight)
        coefficients, variance = self._answer(self.shape, sites, weight)
        edges: Tensor = (sites.edge + offsets * self.offset_unit)[:, 0]
        centre = (edges + self.usual[sites.element - 1]).numpy() + window_start
        curves = (sites.curve + coefficients @ self.basis).numpy()
        energies = grid.energies
        each = np.array(
            [
                np.interp(energies, RELATIVE + c, curve)
                for c, curve in zip(centre, curves, strict=True)
            ]
        )
        mean = share @ each
        width = (variance * (self.basis**2).sum(0)).sqrt().numpy()
        shape_sigma = np.interp(energies, RELATIVE + float(share @ centre), width)
        edge_sigma = float(offset_variance.sqrt() * self.offset_unit)
        # Not slope times sigma: an edge that may lie elsewhere never leaves the curve's range.
        moved = [np.interp(energies, energies + edge_sigma * z, mean) for z in _NODES]
        shift_sigma = np.sqrt(_NODE_WEIGHTS @ (np.array(moved) - mean) ** 2)
        return Calibrated(each, mean, np.hypot(shape_sigma, shift_sigma), edge_sigma)

    def without_shape(self) -> Self:
        """Return the same with offsets only."""
        return replace(self, basis=torch.zeros_like(self.basis))

    def _answer(self, process: Process, sites: Sites, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Return (S, K) outputs of the sites, and () variance of their (1, S) weighted mean."""
        kernel = KernelSum(process.terms, self.scale, sites, self.sites)(process.parameters)
        kernels = kernel @ self.share.T
        own = KernelSum(process.terms, self.scale, sites, sites)(process.parameters)
        together = (weight @ own * weight).sum(1)
        return process.mean(kernels), process.variance(weight @ kernels, together)[0]

    @property
    def tensors(self) -> dict[str, Tensor]:
        """All numbers by name, for a file."""
        parts = {
            "sites": self.sites.tensors,
            "scale": self.scale.tensors,
            "offset": self.offset.tensors,
            "shape": self.shape.tensors,
        }
        flat = {f"{part}.{n}": t for part, tensors in parts.items() for n, t in tensors.items()}
        return flat | {
            "share": self.share,
            "usual": self.usual,
            "offset_unit": self.offset_unit,
            "basis": self.basis,
        }

    @property
    def terms(self) -> dict[str, list[dict[str, Any]]]:
        """The kernels, as plain values for a file."""
        return {
            name: [dict(vars(term)) for term in process.terms]
            for name, process in (("offset", self.offset), ("shape", self.shape))
        }

    @classmethod
    def restore(
        cls, tensors: Mapping[str, Tensor], terms: Mapping[str, Sequence[Mapping[str, Any]]]
    ) -> Self:
        """Undo `tensors` and `terms`; KeyError, TypeError or ValueError if they do not fit."""

        def part(name: str) -> dict[str, Tensor]:
            start = f"{name}."
            return {n.removeprefix(start): t for n, t in tensors.items() if n.startswith(start)}

        def process(name: str) -> Process:
            return Process(tuple(Term(**values) for values in terms[name]), **part(name))

        found = cls(
            sites=Sites(**part("sites")),
            scale=Scale.from_tensors(part("scale")),
            offset=process("offset"),
            shape=process("shape"),
            share=tensors["share"],
            usual=tensors["usual"],
            offset_unit=tensors["offset_unit"],
            basis=tensors["basis"],
        )
        if extra := sorted(tensors.keys() - found.tensors.keys()):
            raise ValueError(f"a calibration has no {extra[0]!r}")
        found._check_shapes()
        return found

    def _check_shapes(self) -> None:
        compounds, sites = self.share.shape
        vector = self.sites.vector.shape[1:]
        widths = {"vector": vector, "curve": (len(RELATIVE),), "edge": (1,), "state": (2,)}
        expected: dict[str, tuple[int, ...]] = {
            "sites.element": (sites,),
            "share": (compounds, sites),
            "usual": (MAX_ATOMIC_NUMBER,),
            "offset_unit": (),
            "basis": (len(self.basis), len(RELATIVE)),
        }
        for name, width in widths.items():
            expected |= {f"sites.{name}": (sites, *width), f"scale.distance.{name}": ()}
            expected |= {f"scale.{unit}.{name}": (*width,) for unit in ("zero", "width")}
        for part, process, outputs in (
            ("offset", self.offset, 1),
            ("shape", self.shape, len(self.basis)),
        ):
            expected |= {
                f"{part}.parameters": (2 * len(process.terms),),
                f"{part}.noise": (),
                f"{part}.weights": (compounds, outputs),
                f"{part}.inverse": (compounds, compounds),
            }
        found = {name: tuple(tensor.shape) for name, tensor in self.tensors.items()}
        if found != expected:
            wrong = next(n for n in expected | found if found.get(n) != expected.get(n))
            raise ValueError(f"{wrong!r} of the calibration is missing or does not fit")
        mixed = [n for n, t in self.tensors.items() if t.is_floating_point() != (n != _WHOLE)]
        if mixed or len({t.dtype for n, t in self.tensors.items() if n != _WHOLE}) > 1:
            raise ValueError("the numbers of the calibration are of several kinds")


@torch.no_grad()
def sites_of(
    network: CGXAS,
    vectors: Tensor,
    element: int,
    grid: EnergyGrid,
    theory: Tensor | None,
    state: tuple[FloatArray, FloatArray],
) -> tuple[Sites, NDArray[np.float64]]:
    """Return what is known of absorbing sites of one element, and (S, P) simulated spectra.

    Args:
        network: the network.
        vectors: (S, H) their site vectors.
        element: atomic number.
        grid: energies the network answers on.
        theory: number of the theory it answers in.
        state: (S,) bond-valence sums and (S,) electronegativities of the ligands.
    """
    simulated = network.head(vectors, theory).double().numpy()
    energies = grid.energies
    edges, curves = [], []
    for norm in simulated:
        broad = broadened(energies, norm, BROADENING)
        edges.append(simulated_edge(energies, broad))
        curves.append(np.interp(RELATIVE, energies - edges[-1], broad))
    sites = Sites(
        element=torch.full((len(vectors),), element),
        vector=vectors.double(),
        curve=torch.from_numpy(np.array(curves)),
        edge=torch.tensor(edges, dtype=torch.float64)[:, None] - grid.e_min,
        state=torch.from_numpy(np.stack(state, axis=1)),
    )
    return sites, simulated


def normalised_edge(energy: FloatArray, norm: FloatArray) -> float:
    """Return the half step, eV; SpectrumError if there is no edge."""
    return half_step(energy, norm)


def simulated_edge(energy: FloatArray, norm: FloatArray) -> float:
    """Return the edge of a predicted spectrum, eV; its steepest point if it has no step."""
    try:
        return normalised_edge(energy, norm)
    except SpectrumError:
        return float(energy[np.argmax(np.gradient(norm))])
