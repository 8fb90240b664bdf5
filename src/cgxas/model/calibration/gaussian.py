"""What turns simulated spectra into measured ones: learnt from measured spectra, kept with a model.

A calibrated spectrum is the network's own, broadened, plus a correction of its shape, moved by an
offset of its energy. Offset and correction are Gaussian processes over what is known of a site:
its vector in the network, its simulated spectrum, its chemical state, its surroundings. The offset
must come from the site: it runs from -8 eV (metals) to +10 eV (sulfates) within one element. Most
of it is theory, which the process starts from: the Fermi level and the 1s level in the
self-consistent potential, which FEFF leaves out of its edge.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from cgxas.elements import MAX_ATOMIC_NUMBER
from cgxas.model.architecture import Architecture
from cgxas.model.calibration.base import Calibrated, Calibration
from cgxas.model.calibration.features import FeatureSpec, site_features
from cgxas.model.calibration.kernels import KernelSum, Scale, SiteFeatures, Term
from cgxas.model.sites import AbsorberSites
from cgxas.spectra.axis import continued
from cgxas.spectra.resample import variance_of_edge
from cgxas.spectra.spectrum import EnergyGrid
from cgxas.typing import FloatArray

_POTENTIAL = ("fermi", "level", "charge")
_WHOLE = "sites.element"  # the one tensor of whole numbers

_NEXT_TO_NOTHING = 4e-3  # of the edge step: how smoothly curves stay above zero


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
class GaussianCalibration(Calibration):
    """What was learnt from measured compounds, (C,) of them with (S,) sites.

    Attributes:
        sites: what is known of their sites.
        share: (C, S) how much of each compound's absorbers a site stands for; rows sum to 1.
        scale: units of the features.
        usual: (103,) mean of what theory leaves of the offsets of each element, eV, by atomic
            number from 1; interpolated for elements without measured compounds.
        doubt: (103,) variance of those, eV^2; 0 where there are compounds.
        slopes: (2,) by how much offsets follow the Fermi level and the 1s level; (0,) for not at
            all.
        damping: (103,) how much white lines are lower than simulated: 0 for not at all.
        widening: (103, 2) by what factor compounds that were left out lie farther off than the
            processes say: edges, and shapes.
        offset: gives what a site adds to it, in units of `offset_unit`.
        shape: gives the coefficients of the correction.
        offset_unit: eV.
        basis: (K, X) curves which corrections are made of.
        features: how sites are compared.
    """

    kind = "gaussian"

    sites: SiteFeatures
    share: Tensor
    scale: Scale
    usual: Tensor
    doubt: Tensor
    slopes: Tensor
    damping: Tensor
    widening: Tensor
    offset: Process
    shape: Process
    offset_unit: Tensor
    basis: Tensor
    features: FeatureSpec

    def spectra(self, sites: AbsorberSites, grid: EnergyGrid) -> Calibrated:
        """Return the calibrated spectra of one compound.

        Args:
            sites: its absorbing sites.
            grid: wanted energies.
        """
        return self.of_several([sites], grid)[0]

    def of_several(self, several: Sequence[AbsorberSites], grid: EnergyGrid) -> list[Calibrated]:
        """Return the calibrated spectra of compounds, all compared with what is known at once.

        Args:
            several: absorbing sites of each, of one element.
            grid: wanted energies.
        """
        own = site_features(several, self.features)
        start, width = several[0].start, several[0].width
        energies, relative = grid.energies, self.features.relative
        ends = np.cumsum([len(each) for each in several])
        share = np.zeros((len(several), ends[-1]))
        for row, each, last in zip(share, several, ends, strict=True):
            row[last - len(each) : last] = each.share
        weight = torch.from_numpy(share).to(self.share)
        offsets, offset_variance, coefficients, variance = self._answers(own, weight)
        element = own.element - 1
        edges: Tensor = (own.edge + offsets * self.offset_unit)[:, 0] + self.theory(own)
        centre = (edges + self.usual[element]).numpy() + start
        basis = blurred(self.basis, self.features.step, width or 0.0)
        curves = (damped(own.curve, self.damping[element]) + coefficients @ basis).numpy()
        if width is None:
            pairs = zip(centre, curves, strict=True)
            norm = np.array([np.interp(energies, relative + c, curve) for c, curve in pairs])
        else:
            norm = continued(relative, curves, energies - centre[:, None], width)
            norm = (norm + np.hypot(norm, _NEXT_TO_NOTHING)) / 2  # absorption is never negative
        wider_edge, wider_shape = self.widening[element[0]]
        edge_variance = offset_variance * (self.offset_unit * wider_edge) ** 2
        edge_sigma = (edge_variance + self.doubt[element[0]]).sqrt().tolist()
        parts, means = np.split(norm, ends[:-1]), share @ norm
        if not self.basis.any():  # how far the shape is off was not learnt
            told = zip(parts, means, edge_sigma, strict=True)
            return [Calibrated(each, mean, edge_sigma=sigma) for each, mean, sigma in told]
        size = (basis**2).sum(0)
        of_shape = (wider_shape * (variance[:, None] * size).sqrt()).numpy()
        return [
            Calibrated(each, mean, _band(energies, mean, sigma, (relative + at, width)), sigma)
            for each, mean, sigma, at, width in zip(
                parts, means, edge_sigma, share @ centre, of_shape, strict=True
            )
        ]

    def without_shape(self) -> Self:
        """Return the same with offsets only; it tells no standard deviation but the edge's."""
        return replace(self, basis=torch.zeros_like(self.basis))

    def theory(self, sites: SiteFeatures) -> Tensor:
        """Return (S,) the part of the offsets that follows from the potential, eV."""
        return followed(sites, self.slopes)

    def _answers(self, sites: SiteFeatures, weight: Tensor) -> tuple[Tensor, ...]:
        """Return outputs of both processes, each with the variances of weighted means.

        Args:
            sites: (S,) absorbing sites.
            weight: (A, S) of theirs in each of the means.

        Returns:
            (S, 1) offsets, (A,) variances, (S, K) coefficients of the shape, (A,) variances.
        """
        terms, one = (*self.offset.terms, *self.shape.terms), self.scale.applied(sites)
        # Both look at the same features: what is compared once serves both.
        far = KernelSum(terms, self.scale, one, self._known)
        near = KernelSum(terms, self.scale, one, one)
        found: list[Tensor] = []
        for process in (self.offset, self.shape):
            kernels = far.of(process.terms)(process.parameters) @ self.share.T
            own = near.of(process.terms)(process.parameters)
            together = (weight @ own * weight).sum(1)
            found += [process.mean(kernels), process.variance(weight @ kernels, together)]
        return tuple(found)

    @cached_property
    def _known(self) -> SiteFeatures:
        """The sites that were learnt from, in the units they are compared in."""
        return self.scale.applied(self.sites)

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
            "doubt": self.doubt,
            "slopes": self.slopes,
            "damping": self.damping,
            "widening": self.widening,
            "offset_unit": self.offset_unit,
            "basis": self.basis,
        }

    @property
    def values(self) -> dict[str, Any]:
        """The kernels and how sites are compared, as plain values for a file."""
        terms = {
            name: [dict(vars(term)) for term in process.terms]
            for name, process in (("offset", self.offset), ("shape", self.shape))
        }
        return {"features": self.features.to_dict(), "terms": terms}

    @classmethod
    def restore(
        cls, tensors: Mapping[str, Tensor], values: Mapping[str, Any], network: Architecture
    ) -> Self:
        """Undo `tensors` and `values`; KeyError, TypeError or ValueError if they do not fit."""
        terms, features = values["terms"], FeatureSpec.from_dict(values["features"])
        if not features.surroundings:
            tensors = {**_without_surroundings(tensors), **tensors}

        def part(name: str) -> dict[str, Tensor]:
            start = f"{name}."
            return {n.removeprefix(start): t for n, t in tensors.items() if n.startswith(start)}

        def process(name: str) -> Process:
            return Process(tuple(Term(**term) for term in terms[name]), **part(name))

        found = cls(
            sites=SiteFeatures(**part("sites")),
            scale=Scale.from_tensors(part("scale")),
            offset=process("offset"),
            shape=process("shape"),
            share=tensors["share"],
            usual=tensors["usual"],
            doubt=tensors["doubt"],
            slopes=tensors["slopes"],
            damping=tensors["damping"],
            widening=tensors["widening"],
            offset_unit=tensors["offset_unit"],
            basis=tensors["basis"],
            features=features,
        )
        if extra := sorted(tensors.keys() - found.tensors.keys()):
            raise ValueError(f"a calibration has no {extra[0]!r}")
        found._check_shapes(network.vector_size)
        return found

    def _check_shapes(self, vector_size: int) -> None:
        compounds, sites = self.share.shape
        points = len(self.features.relative)
        widths = {"vector": (vector_size,), "curve": (points,), "edge": (1,), "state": (2,)}
        widths |= {"around": (self.sites.around.shape[1],), "potential": (len(_POTENTIAL),)}
        if not self.features.surroundings:
            widths |= {"around": (0,), "potential": (0,)}
        expected: dict[str, tuple[int, ...]] = {
            "sites.element": (sites,),
            "share": (compounds, sites),
            "usual": (MAX_ATOMIC_NUMBER,),
            "doubt": (MAX_ATOMIC_NUMBER,),
            "slopes": (len(self.slopes),),
            "damping": (MAX_ATOMIC_NUMBER,),
            "widening": (MAX_ATOMIC_NUMBER, 2),
            "offset_unit": (),
            "basis": (len(self.basis), points),
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


def _band(
    energies: FloatArray, mean: FloatArray, edge_sigma: float, shape: tuple[FloatArray, FloatArray]
) -> FloatArray:
    """Return (P,) standard deviations of a curve.

    Args:
        energies: (P,) eV.
        mean: (P,) the curve.
        edge_sigma: standard deviation of its edge, eV.
        shape: (X,) energies, eV, and (X,) standard deviations there of its shape.
    """
    of_edge = np.sqrt(variance_of_edge(energies, mean, edge_sigma))
    return np.hypot(np.interp(energies, *shape), of_edge)


def followed(sites: SiteFeatures, slopes: Tensor) -> Tensor:
    """Return (S,) what slopes make of the first features of the potential, eV."""
    return sites.potential[:, : len(slopes)] @ slopes


def blurred(curves: Tensor, step: float, width: float) -> Tensor:
    """Return (K, X) curves convolved with a Gaussian: none is sharper than the core hole allows.

    Corrections are learnt from all elements together, from the narrow lines of sulfur as well.

    Args:
        curves: (K, X) on points that are evenly spaced.
        step: from one point to the next, eV.
        width: full width at half maximum, eV; 0 for none.
    """
    if not width:
        return curves
    place = step * torch.arange(curves.shape[1], dtype=curves.dtype)
    apart = (place[:, None] - place) / width
    weight = torch.exp(-4 * np.log(2) * apart**2)
    return curves @ (weight / weight.sum(dim=1, keepdim=True)).T


def damped(curves: Tensor, damping: Tensor) -> Tensor:
    """Return (S, X) curves as fluorescence of a concentrated sample shows them.

    What is absorbed more is fluoresced from nearer to the surface: a signal in proportion to
    mu / (mu + b), which is normalised again, so that 1 stays 1.

    Args:
        curves: (S, X) normalised.
        damping: (S,) of each, 1 / b; 0 for a dilute sample.
    """
    strength = damping[:, None]
    return curves * (1 + strength) / (1 + strength * curves.clamp_min(0))


def _without_surroundings(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return what files that know nothing of surroundings do not hold."""
    usual = tensors["usual"]
    empty, one = usual.new_empty(0), usual.new_ones(())
    added = {
        "doubt": torch.zeros_like(usual),
        "slopes": empty,
        "damping": torch.zeros_like(usual),
        "widening": usual.new_ones(len(usual), 2),
    }
    for name in ("around", "potential"):
        added |= {f"sites.{name}": usual.new_empty(len(tensors["sites.element"]), 0)}
        added |= {f"scale.{unit}.{name}": empty for unit in ("zero", "width")}
        added |= {f"scale.distance.{name}": one}
    return added
