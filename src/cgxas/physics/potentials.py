"""What self-consistency makes of a site, learnt from runs of FEFF10: Fermi level, 1s level, charge.

These few numbers are all that the shift between FEFF's edge and a measured one rests on, and they
are smooth and local: a kernel on the surroundings of a site and on the overlapped free atoms there
knows them for any element. Runs whose self-consistency went astray (a level off by 10 eV and more)
count less, so that a learnt level can be better than that of a single run.

`potentials.safetensors` holds what was learnt; benchmarks/potentials.py makes it, and measures the
errors on formulas that were left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import numpy as np
from scipy.spatial.distance import cdist

from cgxas.physics.likeness import squared_distances
from cgxas.physics.overlap import overlap
from cgxas.physics.surroundings import AROUND, OWN, surroundings
from cgxas.typing import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from cgxas.crystals.canonical import Cell

QUANTITIES: Final = ("fermi", "muffin_tin", "level", "charge")
"""What is learnt, in the order of the columns."""

_ROUGH: Final = np.array([False, False, True, True])  # which kernel each is learnt with
_OVERLAP_SHARE: Final = 3.0  # of the overlapped atoms in squared distances
_NUMBER: Final = 10.0  # unit of the atomic number where elements are compared
_SMOOTH_LENGTH, _SMOOTH_ELEMENT = 6.0, 3.0
_ROUGH_LENGTH, _ROUGH_ELEMENT = 5.0, 5.0
NOISE: Final[FloatArray] = np.array([3e-3, 3e-3, 3e-2, 3e-2])
"""(4,) variance of each quantity that no kernel explains, in units of the kernel."""

_FILE: Final = Path(__file__).with_name("potentials.safetensors")


@dataclass(frozen=True, eq=False)
class Potentials:
    """The self-consistent potential at (S,) sites, as FEFF10 would find it.

    Attributes:
        fermi: (S,) Fermi level, eV.
        muffin_tin: (S,) muffin-tin zero, eV.
        level: (S,) how much more than in the median site of its element the 1s electron is bound,
            beyond what the edge of FEFF counts, eV.
        charge: (S,) electrons that the absorber has gained inside its Norman sphere.
        sigma: (S, 4) standard deviations of the four.
    """

    fermi: FloatArray
    muffin_tin: FloatArray
    level: FloatArray
    charge: FloatArray
    sigma: FloatArray


@dataclass(frozen=True, eq=False)
class Sites:
    """What sites are compared by.

    Attributes:
        number: (S,) atomic numbers.
        around: (S, D) their surroundings.
        overlap: (S, F) the overlapped free atoms there.
    """

    number: IntArray
    around: FloatArray
    overlap: FloatArray

    @classmethod
    def of(cls, cell: "Cell", atoms: IntArray, described: FloatArray | None = None) -> Self:
        """Return those of some atoms of a crystal.

        Args:
            cell: the crystal.
            atoms: (S,) numbers of the atoms.
            described: (S, D) their `surroundings`, where they are known already.

        Raises:
            CrystalError: an atom has no free atom in the table.
        """
        around = surroundings(cell, atoms) if described is None else described
        return cls(cell.numbers[atoms], around, overlap(cell).descriptor(atoms))


def joined(several: Sequence[Sites]) -> Sites:
    """Return the sites of several crystals, at least one, as one."""
    names = [field.name for field in fields(Sites)]
    return Sites(**{name: np.concatenate([getattr(s, name) for s in several]) for name in names})


@dataclass(frozen=True, eq=False)
class PotentialKernel:
    """Kernels conditioned on (T,) sites of runs, for the four `QUANTITIES`.

    Attributes:
        number: (T,) atomic numbers.
        around: (T, D) surroundings.
        overlap: (T, F) overlapped free atoms, in units of `zero` and `width`.
        zero: (F,) what is subtracted from overlapped free atoms.
        width: (F,) what they are divided by then.
        mean: (4,) of the quantities.
        noise: (T, 4) how many times the usual variance a run has; endless where it tells nothing.
        weight: (T, 4) what each run adds.
        spread: (4, 2) standard deviations of what is learnt, beside a known site and far from all.
        formula: (T,) reduced formula.
    """

    number: IntArray
    around: FloatArray
    overlap: FloatArray
    zero: FloatArray
    width: FloatArray
    mean: FloatArray
    noise: FloatArray
    weight: FloatArray
    spread: FloatArray
    formula: Sequence[str]

    def __call__(self, sites: Sites, without: Sequence[str] = ()) -> Potentials:
        """Return the potentials at sites.

        Args:
            sites: where.
            without: reduced formulas whose runs are not learnt from.
        """
        both = self.kernels(sites)
        weight, left = self.weight, np.ones(len(self.number), dtype=bool)
        if without:
            left = ~np.isin(np.array(self.formula), list(without))
            weight = self._without(~left)
        values = [both[int(r)] @ weight[:, n] + self.mean[n] for n, r in enumerate(_ROUGH)]
        nearest = both[1][:, left].max(axis=1, initial=0.0)
        known, far = self.spread.T
        sigma = np.sqrt(known**2 + far**2 * (1 - nearest[:, None] ** 2))
        fermi, muffin_tin, level, charge = values
        return Potentials(fermi, muffin_tin, level, charge, sigma)

    def kernels(self, sites: Sites) -> tuple[FloatArray, FloatArray]:
        """Return the (S, T) smooth and rough kernels of sites with those that were learnt from."""
        other = (sites.overlap - self.zero) / self.width
        share = np.sqrt(_OVERLAP_SHARE / other.shape[1])
        both = np.hstack([sites.around[:, AROUND], share * other])
        squared = squared_distances(both, *self._compared)
        element = cdist(
            np.column_stack([sites.around[:, OWN], sites.number / _NUMBER]), self._elements
        )
        away = np.sqrt(3 * (squared + (element / _SMOOTH_ELEMENT) ** 2)) / _SMOOTH_LENGTH
        rough = np.exp(-np.sqrt(squared) / _ROUGH_LENGTH - element / _ROUGH_ELEMENT)
        return (1 + away) * np.exp(-away), rough

    @cached_property
    def _compared(self) -> tuple[FloatArray, FloatArray]:
        """What sites are compared with: (T, D + F) numbers, and (T,) sums of their squares."""
        share = np.sqrt(_OVERLAP_SHARE / self.overlap.shape[1])
        both = np.hstack([self.around[:, AROUND], share * self.overlap])
        return both, (both**2).sum(axis=1)

    @cached_property
    def _elements(self) -> FloatArray:
        """(T, 5) what elements are compared by."""
        return np.column_stack([self.around[:, OWN], self.number / _NUMBER])

    def _without(self, out: BoolArray) -> FloatArray:
        """Return (T, 4) the weights without some (T,) runs: exact, by blocks of the inverse."""
        gone = np.flatnonzero(out)
        weight = self.weight.copy()
        if not len(gone):
            return weight
        for n, inverse in enumerate(self._inverses):
            block = np.linalg.solve(inverse[np.ix_(gone, gone)], weight[gone, n])
            weight[:, n] -= inverse[:, gone] @ block
            weight[gone, n] = 0.0
        return weight

    @cached_property
    def _inverses(self) -> list[FloatArray]:
        """The four (T, T) inverse covariances of the runs."""
        each = Sites(self.number, self.around, self.overlap * self.width + self.zero)
        both = self.kernels(each)
        return [
            np.asarray(np.linalg.inv(both[int(r)] + np.diag(NOISE[n] * self.noise[:, n])))
            for n, r in enumerate(_ROUGH)
        ]

    def conditioned(self, values: FloatArray) -> FloatArray:
        """Return (T, 4) the weights that (T, 4) values of the quantities ask for."""
        each = [i @ (v - m) for i, v, m in zip(self._inverses, values.T, self.mean, strict=True)]
        return np.stack(each, axis=1)

    def left_out(self, values: FloatArray) -> FloatArray:
        """Return (T, 4) how far values lie from what runs of other formulas tell."""
        apart = np.empty_like(values)
        names = np.array(self.formula)
        for n, inverse in enumerate(self._inverses):
            weight = inverse @ (values[:, n] - self.mean[n])
            for name in np.unique(names):
                own = np.flatnonzero(names == name)
                apart[own, n] = np.linalg.solve(inverse[np.ix_(own, own)], weight[own])
        return apart


@cache
def potential_kernel() -> PotentialKernel:
    """Return what was learnt from runs, read from its file once."""
    from safetensors import safe_open

    with safe_open(_FILE, "np") as file:
        formula = file.metadata()["formula"].split(" ")
        read = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    number = read.pop("number").astype(np.int64)
    others = {name: value.astype(np.float64) for name, value in read.items()}
    return PotentialKernel(number=number, formula=formula, **others)


def save(kernel: PotentialKernel, path: Path = _FILE) -> None:
    """Write a kernel to a file."""
    from safetensors.numpy import save_file

    half = {"around", "overlap"}
    tensors = {
        field.name: np.asarray(
            getattr(kernel, field.name), dtype=np.float16 if field.name in half else np.float32
        )
        for field in fields(kernel)
        if field.name not in ("formula", "number")
    }
    tensors["number"] = kernel.number.astype(np.uint8)
    save_file(tensors, path, metadata={"formula": " ".join(kernel.formula)})


def potentials(cell: "Cell", atoms: IntArray, without: Sequence[str] = ()) -> Potentials:
    """Return the self-consistent potential at some atoms of a crystal, without a run of FEFF.

    Args:
        cell: the crystal.
        atoms: (S,) numbers of the atoms.
        without: reduced formulas whose runs are not learnt from.

    Raises:
        CrystalError: an atom has no free atom in the table.
    """
    return potential_kernel()(Sites.of(cell, atoms), without)
