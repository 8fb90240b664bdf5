"""The density of neighbours around atoms, and the numbers in it that no rotation changes.

    A_lm,c = sum over neighbours j of phi_lc(r_j) Y_lm(direction of j) (W x_j)_c
    B_l,p  = sum over m of (U A_lm)_p (V A_lm)_p

A_0 and all B_l are returned: how much of what lies how far away, and how it is spread over the
directions. Products of more densities come from atoms looking at atoms that have looked around.
Source: the power spectrum of Bartok, Kondor & Csanyi, doi:10.1103/PhysRevB.87.184115, with learnt
densities as in Drautz, doi:10.1103/PhysRevB.99.014104.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cgxas.crystals.batch import GraphBatch
from cgxas.model.smooth.harmonics import RadialFunctions, harmonics

_TYPICAL = 0.5  # brings densities of some ten neighbours to unit size
_GROUPS, _FEW = 4, 16


@dataclass(frozen=True, eq=False)
class Shell:
    """Some (S,) atoms with their (K,) neighbours each; those who have fewer lack the last ones.

    Attributes:
        distance: (S, K) Angstrom; beyond any reach in empty slots.
        harmonics: of each degree, (S, K, 2 l + 1).
        other: (S, K) number of the neighbour in the batch.
    """

    distance: Tensor
    harmonics: list[Tensor]
    other: Tensor


@dataclass(frozen=True, eq=False)
class Shells:
    """The wanted atoms in groups of about as many neighbours, so that few slots are empty.

    Attributes:
        groups: the groups.
        place: (S,) where in their order each wanted atom is.
    """

    groups: Sequence[Shell]
    place: Tensor


def shells(batch: GraphBatch, atoms: Tensor, reach: float, degree: int) -> Shells:
    """Return the neighbours of some atoms within a reach.

    Args:
        batch: graphs; neighbours are sorted by distance.
        atoms: (S,) numbers of the wanted atoms.
        reach: Angstrom, at most the cutoff of the graphs.
        degree: highest degree of the harmonics.
    """
    if batch.vector is None:
        raise ValueError("the smooth network needs vectors to the neighbours")
    near = (batch.mask & (batch.distance < reach))[atoms]
    count = near.sum(dim=1)
    order = torch.argsort(count, descending=True)
    groups = []
    for some in torch.chunk(order, _GROUPS if len(order) >= _FEW else 1):
        most = max(int(count[some[0]]), 1)
        rows, inside = atoms[some], near[some, :most]
        distance = batch.distance[rows, :most]
        direction = batch.vector[rows, :most] / distance[..., None]
        groups.append(
            Shell(
                distance=torch.where(inside, distance, 2 * reach),
                harmonics=harmonics(direction, degree),
                other=batch.neighbour_index[rows, :most],
            )
        )
    return Shells(groups, torch.argsort(order))


class Density(nn.Module):
    """Densities of neighbours, and what no rotation changes in them.

    Attributes:
        n_outputs: how many numbers that is.
    """

    def __init__(
        self, width: int, channels: int, products: int, n_radial: int, reach: float, degree: int
    ) -> None:
        super().__init__()
        self.channels, self.degree = channels, degree
        self.n_outputs = channels + products * (degree + 1)
        self.radial = RadialFunctions(n_radial, reach)
        self.profile = nn.Linear(n_radial, channels * (degree + 1), bias=False)
        self.amount = nn.Linear(width, channels, bias=False)
        pairs = [torch.randn(channels, 2 * products) / channels**0.5 for _ in range(degree + 1)]
        self.pairs = nn.ParameterList([nn.Parameter(pair) for pair in pairs])

    def forward(self, x: Tensor, around: Shells) -> Tensor:
        """Return (S, n_outputs) of the wanted atoms.

        Args:
            x: (N, width) all atoms of the batch.
            around: the neighbours of the wanted ones.
        """
        amount = self.amount(x)
        found = torch.cat([self._group(amount, shell) for shell in around.groups])
        return found.index_select(0, around.place)

    def _group(self, amount: Tensor, shell: Shell) -> Tensor:
        size = (*shell.distance.shape, self.degree + 1, self.channels)
        profile = self.profile(self.radial(shell.distance)).view(size)
        carried = amount.index_select(0, shell.other.flatten()).view(*size[:2], 1, size[3])
        found = []
        for degree, weights in enumerate((profile * carried).unbind(2)):
            spread = shell.harmonics[degree].transpose(1, 2)
            density = torch.bmm(spread, weights) * _TYPICAL
            left, right = (density @ self.pairs[degree]).chunk(2, dim=-1)
            if not degree:
                found.append(density[:, 0])
            found.append((left * right).sum(1) / (2 * degree + 1) ** 0.5)
        return torch.cat(found, dim=-1)
