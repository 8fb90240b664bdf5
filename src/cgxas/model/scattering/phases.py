"""The phase model: from a crystal to the potentials of its atoms, and to a spectrum."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cgxas.crystals.canonical import Cell
from cgxas.elements import MAX_ATOMIC_NUMBER, SYMBOLS
from cgxas.errors import CrystalError, UnsupportedAbsorber
from cgxas.model.scattering.described import described
from cgxas.model.scattering.kernel import ANY_ELEMENT, CurveKernel, Likeness
from cgxas.model.scattering.known import KnownDepth, KnownPotentials
from cgxas.physics.scattering.absorption import absorption
from cgxas.physics.scattering.cluster import SIZE, Cluster, cluster
from cgxas.physics.scattering.potentials import NODES, Potentials
from cgxas.typing import FloatArray, IntArray

_MOMENTA: Final = 3  # s, p and d waves
_ATOMS: Final = Likeness((1.0, 2.0, 0.5, 1.0), length=4.0, element_length=10.0, noise=1e-3)
_CRYSTALS: Final = Likeness((0.0, 0.5, 2.0, 2.0), length=6.0, element_length=1.0, noise=1e-3)


@dataclass(frozen=True, eq=False)
class PhaseModel:
    """Learnt potentials.

    Attributes:
        scatterers: atom -> its phase shifts, s, p, d.
        absorbers: atom -> its phase shifts with a core hole, the self-energy, its own absorption
            and the dipole curve.
        crystals: atom -> depth of the muffin-tin zero.
        half_width: (104,) half the core-hole width by atomic number, Hartree; 0 where unknown.
    """

    scatterers: CurveKernel
    absorbers: CurveKernel
    crystals: CurveKernel
    half_width: Tensor

    @classmethod
    def fitted(cls, known: Sequence[KnownPotentials], depths: Sequence[KnownDepth] = ()) -> Self:
        """Learn from runs of FEFF.

        Args:
            known: runs with all potentials.
            depths: further runs of which no more than that is known.
        """
        at_absorbers = [described(each.cell, np.array([each.atom])) for each in known]
        absorber = np.array([each.cell.numbers[each.atom] for each in known])
        of_scatterers = [described(each.cell, each.scatterers) for each in known]
        scatterer = np.concatenate([each.cell.numbers[each.scatterers] for each in known])
        phases = _one_branch(np.concatenate([each.phases for each in known]), scatterer)
        own_phases = _one_branch(np.stack([each.absorber for each in known]), absorber)
        own = np.stack([[each.self_energy, each.own, each.dipole] for each in known])
        at_depths = [*at_absorbers, *(described(e.cell, np.array([e.atom])) for e in depths)]
        depth = np.array([each.depth for each in known] + [each.depth for each in depths])
        half_width = torch.zeros(MAX_ATOMIC_NUMBER + 1, dtype=torch.float64)
        for z, each in zip(absorber, known, strict=True):
            half_width[z] = each.half_width
        return cls(
            scatterers=CurveKernel.fitted(_joined(of_scatterers), scatterer, _real(phases), _ATOMS),
            absorbers=CurveKernel.fitted(
                _joined(at_absorbers),
                absorber,
                _real(np.concatenate([own_phases, own], axis=1)),
                _ATOMS,
            ),
            crystals=CurveKernel.fitted(
                _joined(at_depths), np.full(len(depth), ANY_ELEMENT), depth[:, None], _CRYSTALS
            ),
            half_width=half_width,
        )

    def mu(self, cell: Cell, atom: int, size: float = SIZE) -> FloatArray:
        """Return (100,) the normalised absorption of a site on FEFF's points.

        Args:
            cell: the crystal.
            atom: number of the absorber.
            size: how many atoms scatter (`cgxas.physics.scattering.cluster`).

        Raises:
            UnsupportedAbsorber: nothing was learnt of the absorber.
            CrystalError: nothing was learnt of another element of the crystal.
        """
        around = cluster(cell, atom, size)
        return absorption(around, self.potentials(cell, around))

    def potentials(self, cell: Cell, around: Cluster) -> Potentials:
        """Return the potentials of the atoms of a cluster; the absorber is its first atom.

        Raises:
            UnsupportedAbsorber: nothing was learnt of the absorber.
            CrystalError: nothing was learnt of another element of the crystal.
        """
        self._refuse_unknown(cell, int(around.atom[0]))
        atoms, place = np.unique(around.atom, return_inverse=True)
        parts = described(cell, atoms)
        absorber = tuple(part[place[:1]] for part in parts)
        z = cell.numbers[around.atom[:1]]
        own = _complex(self.absorbers(absorber, z))[0]
        phases = _complex(self.scatterers(parts, cell.numbers[atoms]))[place]
        phases[0] = own[:_MOMENTA]
        return Potentials(
            half_width=float(self.half_width[z[0]]),
            depth=float(self.crystals(absorber, np.array([ANY_ELEMENT]))[0, 0]),
            self_energy=own[_MOMENTA],
            phases=phases,
            own=own[_MOMENTA + 1],
            dipole=own[_MOMENTA + 2],
        )

    def answers(self, cell: Cell, atom: int) -> bool:
        """Tell whether something was learnt of the absorber and of all elements around it."""
        known = (self.scatterers.knows(int(z)) for z in np.unique(cell.numbers))
        return self.absorbers.knows(int(cell.numbers[atom])) and all(known)

    def tensors(self) -> dict[str, Tensor]:
        """Return what is stored, by name."""
        return {
            **self.scatterers.tensors("scatterers"),
            **self.absorbers.tensors("absorbers"),
            **self.crystals.tensors("crystals"),
            "half_width": self.half_width,
        }

    @classmethod
    def of(cls, tensors: Mapping[str, Tensor]) -> Self:
        """Restore what `tensors` gave."""
        names = ("scatterers", "absorbers", "crystals")
        kernels = {name: CurveKernel.of(tensors, name) for name in names}
        return cls(**kernels, half_width=tensors["half_width"])

    def _refuse_unknown(self, cell: Cell, atom: int) -> None:
        z = int(cell.numbers[atom])
        if not self.absorbers.knows(z):
            raise UnsupportedAbsorber(
                f"no potentials of {SYMBOLS[z - 1]} with a core hole were learnt; take a network "
                "for this absorber"
            )
        unknown = [SYMBOLS[z - 1] for z in np.unique(cell.numbers) if not self.scatterers.knows(z)]
        if unknown:
            raise CrystalError(
                f"no phase shifts of {', '.join(unknown)} were learnt; take a network for this "
                "crystal"
            )


def _one_branch(phases: NDArray[np.complex128], element: IntArray) -> NDArray[np.complex128]:
    """Return phases, which are known up to multiples of pi, smooth and near those of the element.

    Args:
        phases: (T, momenta, nodes).
        element: (T,) atomic numbers.
    """
    smooth = np.unwrap(phases.real, axis=2, period=np.pi) + 1j * phases.imag
    for z in np.unique(element):
        last = smooth[element == z, :, -1].real
        usual = np.angle(np.exp(2j * last).mean(axis=0)) / 2
        smooth[element == z] -= (np.round((last - usual) / np.pi) * np.pi)[:, :, None]
    return np.asarray(smooth)


def _joined(descriptions: Sequence[tuple[FloatArray, ...]]) -> tuple[FloatArray, ...]:
    return tuple(np.concatenate(part) for part in zip(*descriptions, strict=True))


def _real(curves: NDArray[np.complex128]) -> FloatArray:
    """Return (T, 2 x curves x nodes) real numbers."""
    return np.ascontiguousarray(curves).view(np.float64).reshape(len(curves), -1)


def _complex(numbers: FloatArray) -> NDArray[np.complex128]:
    """Return (T, curves, nodes) what `_real` was made of."""
    return np.ascontiguousarray(numbers).view(np.complex128).reshape(len(numbers), -1, len(NODES))
