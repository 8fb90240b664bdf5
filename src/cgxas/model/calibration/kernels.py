"""How alike two absorbing sites are: a sum of kernels over what is known of them.

A Gaussian process with these kernels is linear regression on site vectors, spectra and chemical
state with as many features as there are measured spectra, and says how sure it is
(Rasmussen & Williams 2006, chapters 2 and 5).
"""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, fields, replace
from typing import Literal, Self, get_args

import torch
from torch import Tensor

Feature = Literal["none", "vector", "curve", "edge", "state", "around", "potential"]
Shape = Literal["constant", "linear", "matern"]

COMPARED: tuple[str, ...] = ("vector", "curve", "edge", "state", "around", "potential")
"""The features that have units."""


@dataclass(frozen=True)
class Term:
    """One kernel of a sum.

    Attributes:
        feature: what of the sites it compares.
        shape: constant, linear, or Matern of order 3/2.
        within: whether it is zero between sites of different elements.

    Raises:
        ValueError: there is no such feature or shape.
    """

    feature: Feature
    shape: Shape
    within: bool

    def __post_init__(self) -> None:
        if self.feature not in get_args(Feature) or self.shape not in get_args(Shape):
            raise ValueError(f"there is no {self.shape} kernel of {self.feature}")


@dataclass(frozen=True, eq=False)
class SiteFeatures:
    """What is known of absorbing sites without a measurement, (S,) of them.

    Attributes:
        element: (S,) atomic number of the absorber.
        vector: (S, H) site vector of the network.
        curve: (S, X) its predicted spectrum, broadened, on energies relative to its edge.
        edge: (S, 1) edge of that spectrum in eV, relative to the start of the element's window.
        state: (S, 2) bond-valence sum and electronegativity of the ligands.
        around: (S, D) its surroundings; (S, 0) if they are not looked at.
        potential: (S, 3) Fermi level and 1s level in eV, charge; (S, 0) likewise.
    """

    element: Tensor
    vector: Tensor
    curve: Tensor
    edge: Tensor
    state: Tensor
    around: Tensor
    potential: Tensor

    def __len__(self) -> int:
        return len(self.element)

    def take(self, rows: Tensor) -> Self:
        """Return some of them, by their numbers or as a mask."""
        return type(self)(**{name: tensor[rows] for name, tensor in self.tensors.items()})

    @property
    def tensors(self) -> dict[str, Tensor]:
        """The fields by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True, eq=False)
class Scale:
    """Units in which features are compared: zero, width, and a typical distance between sites.

    Attributes:
        zero: feature -> (F,) what is subtracted.
        width: feature -> (F,) what it is divided by then.
        distance: feature -> () median distance between training compounds of one element.
    """

    zero: Mapping[str, Tensor]
    width: Mapping[str, Tensor]
    distance: Mapping[str, Tensor]

    @classmethod
    def of(cls, sites: SiteFeatures) -> Self:
        """Take the units from training sites."""
        zero, width, distance = {}, {}, {}
        same = sites.element[:, None] == sites.element[None]
        for name in COMPARED:
            values: Tensor = getattr(sites, name)
            own_width = name in (
                "edge",
                "state",
                "potential",
            )  # their columns are of different kinds
            zero[name] = values.mean(0)
            spread = values.std(0, correction=0).clamp_min(1e-6)
            width[name] = spread if own_width else torch.ones_like(spread)
            scaled = values / width[name]
            apart = torch.cdist(scaled, scaled)
            wanted = apart[same & (apart > 1e-9)]
            distance[name] = wanted.median() if len(wanted) else torch.ones((), dtype=values.dtype)
        return cls(zero, width, distance)

    def scaled(self, sites: SiteFeatures, name: str) -> Tensor:
        """Return (S, F) a feature in these units."""
        values: Tensor = getattr(sites, name)
        return (values - self.zero[name]) / self.width[name]

    def applied(self, sites: SiteFeatures) -> SiteFeatures:
        """Return all features of sites in these units."""
        return replace(sites, **{name: self.scaled(sites, name) for name in self.zero})

    @property
    def tensors(self) -> dict[str, Tensor]:
        """All by name, for a file."""
        return {
            f"{field.name}.{n}": t
            for field in fields(self)
            for n, t in getattr(self, field.name).items()
        }

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> Self:
        """Undo `tensors`."""
        found: dict[str, dict[str, Tensor]] = {field.name: {} for field in fields(cls)}
        for name, tensor in tensors.items():
            kind, _, feature = name.partition(".")
            found[kind][feature] = tensor
        return cls(**found)


class KernelSum:
    """The kernels of some sites with others, ready to be weighted."""

    def __init__(
        self, terms: Sequence[Term], scale: Scale, one: SiteFeatures, other: SiteFeatures
    ) -> None:
        """Compare (A,) sites with (B,) others.

        Args:
            terms: what is summed.
            scale: whose typical distances are the units of distances.
            one: the sites of the rows, in the units of `Scale.applied`.
            other: those of the columns, likewise.
        """
        self.terms = terms
        self._same = (one.element[:, None] == other.element[None]).to(one.vector.dtype)
        self._raw: dict[tuple[str, str], Tensor] = {}
        for term in terms:
            key = (term.feature, term.shape)
            if key in self._raw:
                continue
            if term.feature == "none":
                self._raw[key] = torch.ones_like(self._same)
                continue
            a, b = getattr(one, term.feature), getattr(other, term.feature)
            self._raw[key] = (
                a @ b.T / a.shape[1]
                if term.shape == "linear"
                else torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")
                / scale.distance[term.feature]
            )

    def of(self, terms: Sequence[Term]) -> "KernelSum":
        """Return the sum of some of the terms alone, without comparing anything again."""
        some = copy(self)
        some.terms = terms
        return some

    def __call__(self, parameters: Tensor) -> Tensor:
        """Return (A, B) kernels.

        Args:
            parameters: (2 T,) logarithms of strength and length of each term, in turn.
        """
        total = torch.zeros_like(self._same)
        for term, (strength, length) in zip(self.terms, parameters.view(-1, 2).exp(), strict=True):
            kernel = self._raw[term.feature, term.shape]
            if term.shape == "matern":
                x = 3**0.5 * kernel / length
                kernel = (1 + x) * torch.exp(-x)
            total = total + strength * (kernel * self._same if term.within else kernel)
        return total
