"""What a crystal's atoms would be like if they did not feel each other: overlapped free atoms.

The potential and the density that a superposition of neutral free atoms has at a nucleus and
between the atoms are where FEFF's self-consistency starts from, and say much of where it ends: the
muffin-tin zero and the Fermi level.

Everything rests on averages over spheres around the atoms, which are integrals in closed form: the
mean over a sphere of radius r of what an atom at distance R contributes is

    1 / (2 r R) times the integral of x f(x) from |R - r| to R + r.

So there are no points in space and no grid: the numbers are continuous in the positions, and depend
on neither cell nor orientation nor order. As in FEFF, an atom reaches to its Norman radius, whose
sphere holds Z electrons; its muffin tin follows from where the Norman spheres of its neighbours
meet its own, and the space between the atoms is the shells between the two radii.
"""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

from cgxas.crystals.neighbours import Neighbours, neighbours
from cgxas.physics.free_atoms import BOHR, HARTREE, free_atoms, refuse_heavier
from cgxas.physics.hydrogen import lengthened
from cgxas.typing import FloatArray, IntArray

if TYPE_CHECKING:
    from cgxas.crystals.canonical import Cell

_REACH: Final = 12.0  # bohr, where an atom no longer counts
_FADE: Final = 2.0  # bohr before that, over which it fades
_STEP: Final = 0.02  # bohr, of the tables of integrals
_RADII: Final[FloatArray] = np.geomspace(0.9, 6.0, 20)  # bohr, among which Norman's are found
_OVERLAP: Final = 1.15
"""FEFF lets muffin tins grow by this at most, and by 0.7 of what is missing to Norman's radius."""
_THINNEST: Final = 0.02
"""Share of the Norman radius that a shell has at least."""


@dataclass(frozen=True, eq=False)
class Overlap:
    """The overlapped free atoms of a cell of N atoms.

    Densities are 4 pi times the number of electrons per cubic bohr, as FEFF has them.

    Attributes:
        potential: (N,) Coulomb potential of all other atoms at the nucleus, eV (negative).
        density: (N,) density of all other atoms there.
        norman_radius: (N,) of the sphere that holds as many electrons as the nucleus has charge,
            bohr.
        muffin_tin_radius: (N,) bohr.
        shell_potential: (N,) mean Coulomb potential between the two radii, eV.
        shell_density: (N,) mean density there.
        interstitial_potential: mean of all shells by their volume, eV.
        interstitial_density: mean of all shells.
        interstitial_third: mean of the cube root of the density over all shells.
        interstitial_two_thirds: mean of the square of that.
        interstitial_xc: mean of the exchange-correlation potential over all shells, eV.
    """

    potential: FloatArray
    density: FloatArray
    norman_radius: FloatArray
    muffin_tin_radius: FloatArray
    shell_potential: FloatArray
    shell_density: FloatArray
    interstitial_potential: float
    interstitial_density: float
    interstitial_third: float
    interstitial_two_thirds: float
    interstitial_xc: float

    def descriptor(self, atoms: IntArray) -> FloatArray:
        """Return (S, 13) numbers of atoms, to learn from.

        In order: potential and density at the nucleus, their means over the cell, the two radii,
        potential and density of the shell, and the five of the space between the atoms.
        """
        of_cell = (
            self.interstitial_potential,
            self.interstitial_density,
            self.interstitial_third,
            self.interstitial_two_thirds,
            self.interstitial_xc,
        )
        return np.column_stack(
            [
                self.potential[atoms],
                self.density[atoms],
                np.full(len(atoms), self.potential.mean()),
                np.full(len(atoms), self.density.mean()),
                self.norman_radius[atoms],
                self.muffin_tin_radius[atoms],
                self.shell_potential[atoms],
                self.shell_density[atoms],
                np.tile(of_cell, (len(atoms), 1)),
            ]
        )


def overlap(cell: "Cell") -> Overlap:
    """Overlap the free atoms of a cell, hydrogen where FEFF puts it.

    Raises:
        CrystalError: an atom has no free atom in the table.
    """
    refuse_heavier(cell.numbers)
    pairs = _Pairs.of(lengthened(cell))
    table = free_atoms()
    at_nucleus = table.potential(pairs.z, pairs.distance), table.density_at(pairs.z, pairs.distance)
    norman = _norman_radii(pairs)
    muffin_tin = _muffin_tin_radii(pairs, norman)
    nodes, weights = np.polynomial.legendre.leggauss(3)
    thickness = (norman - muffin_tin)[:, None]
    radius = muffin_tin[:, None] + thickness * (nodes + 1) / 2
    volume = weights * radius**2 * thickness
    potential, density = (pairs.around(kind, radius) for kind in (0, 1))
    each, whole = volume.sum(axis=1), volume.sum()
    return Overlap(
        potential=pairs.summed(at_nucleus[0]) * HARTREE,
        density=pairs.summed(at_nucleus[1]),
        norman_radius=norman,
        muffin_tin_radius=muffin_tin,
        shell_potential=(potential * volume).sum(axis=1) / each * HARTREE,
        shell_density=(density * volume).sum(axis=1) / each,
        interstitial_potential=float((potential * volume).sum() / whole * HARTREE),
        interstitial_density=float((density * volume).sum() / whole),
        interstitial_third=float((density ** (1 / 3) * volume).sum() / whole),
        interstitial_two_thirds=float((density ** (2 / 3) * volume).sum() / whole),
        interstitial_xc=float((_xc(density) * volume).sum() / whole * HARTREE),
    )


def _xc(density: FloatArray) -> FloatArray:
    """Return the exchange-correlation potential of a density (times 4 pi), Hartree.

    Source: von Barth & Hedin, doi:10.1088/0022-3719/5/13/012, without spin.
    """
    spacing = np.cbrt(3 / np.maximum(density, 1e-12))  # Wigner-Seitz radius, bohr
    return np.asarray(-0.6109 / spacing - 0.0252 * np.log(1 + 30 / spacing))


@dataclass(frozen=True, eq=False)
class _Pairs:
    """All (P,) pairs of atoms of a cell and their neighbours.

    Attributes:
        own: (N,) atomic numbers of the atoms of the cell.
        centre: (P,) number of the atom.
        other: (P,) number of the atom that the neighbour is an image of.
        z: (P,) atomic number of the neighbour.
        distance: (P,) bohr.
        weight: (P,) 1, less where the neighbour fades out.
    """

    own: IntArray
    centre: IntArray
    other: IntArray
    z: IntArray
    distance: FloatArray
    weight: FloatArray

    @classmethod
    def of(cls, cell: "Cell") -> "_Pairs":
        found: Neighbours = neighbours(cell, np.arange(len(cell.numbers)), _REACH * BOHR)
        distance = found.distance / BOHR
        left = np.clip((_REACH - distance) / _FADE, 0.0, 1.0)
        weight = left**3 * (10 - 15 * left + 6 * left**2)
        z = cell.numbers[found.atom]
        return cls(cell.numbers, found.centre, found.atom, z, distance, weight)

    def summed(self, each: FloatArray) -> FloatArray:
        """Return (N,) sums over the neighbours."""
        total = np.bincount(self.centre, each * self.weight, len(self.own))
        return np.asarray(total, dtype=np.float64)

    def around(self, kind: int, radius: FloatArray) -> FloatArray:
        """Return (N, K) means over spheres around the atoms, of all atoms and the central one.

        Args:
            kind: 0: potential, 1: density.
            radius: (N, K) of the spheres, bohr.
        """
        table = free_atoms()
        own = np.repeat(self.own, radius.shape[1])
        at = (table.potential, table.density_at)[kind](own, radius.ravel()).reshape(radius.shape)
        return at + self.of_others(kind, radius)

    def of_others(self, kind: int, radius: FloatArray) -> FloatArray:
        """Return (N, K) the same without the central atom."""
        r, distance = radius[self.centre], self.distance[:, None]
        upper = _integral(kind, self.z, distance + r)
        lower = _integral(kind, self.z, np.abs(distance - r))
        mean = (upper - lower) / (2 * r * distance) * self.weight[:, None]
        summed = np.zeros(radius.shape)
        present, first = np.unique(self.centre, return_index=True)  # pairs are sorted by centre
        if len(present):
            summed[present] = np.add.reduceat(mean, first, axis=0)
        return summed


def _norman_radii(pairs: _Pairs) -> FloatArray:
    """Return (N,) where the spheres around atoms hold as many electrons as their nuclei ask for."""
    from scipy.integrate import cumulative_simpson  # takes long to import

    n = len(pairs.own)
    radius = np.tile(_RADII, (n, 1))
    others = pairs.of_others(1, radius) * _RADII**3
    step = np.log(_RADII[1] / _RADII[0])
    charge = others[:, :1] / 3  # the density of the others is level within the first
    charge = charge + cumulative_simpson(others, dx=step, axis=1, initial=0)
    lacking = charge - _outside()[pairs.own]
    # Where the sum first becomes positive; lacking grows with the radius.
    right = np.clip((lacking < 0).sum(axis=1), 1, len(_RADII) - 1)
    row = np.arange(n)
    below, above = lacking[row, right - 1], lacking[row, right]
    part = np.clip(below / np.where(below == above, -1.0, below - above), 0.0, 1.0)
    volume = _RADII**3
    return np.asarray(np.cbrt(volume[right - 1] + part * (volume[right] - volume[right - 1])))


def _muffin_tin_radii(pairs: _Pairs, norman: FloatArray) -> FloatArray:
    """Return (N,) FEFF's muffin-tin radii, bohr.

    Every neighbour whose Norman sphere meets the atom's own divides the distance by their radii;
    the mean of that is weighted by the volume that the two spheres share, and then enlarged.
    """
    own, other = norman[pairs.centre], norman[pairs.other]
    apart = np.maximum(pairs.distance, np.abs(own - other))  # nearer, one lies within the other
    depth = np.maximum(own + other - apart, 0.0)
    shared = depth**2 * (apart**2 + 2 * apart * (own + other) - 3 * (own - other) ** 2) / apart
    total = np.bincount(pairs.centre, shared, len(norman))
    parts = np.bincount(pairs.centre, shared * pairs.distance * own / (own + other), len(norman))
    touching = np.where(total > 0, parts / np.where(total > 0, total, 1.0), norman)
    grown = np.minimum(_OVERLAP * touching, touching + 0.7 * (norman - touching))
    return np.asarray(np.minimum(grown, (1 - _THINNEST) * norman))


@cache
def _outside() -> FloatArray:
    """Return (95, radii) electrons of free atoms beyond radii."""
    table = free_atoms()
    r = table.radius
    shells = table.density * r**3
    step = np.log(r[1] / r[0])
    beyond = np.zeros_like(shells)
    beyond[:, :-1] = np.cumsum(((shells[:, 1:] + shells[:, :-1]) / 2)[:, ::-1], axis=1)[:, ::-1]
    at = np.array([np.interp(np.log(_RADII), np.log(r), each) for each in beyond * step])
    return np.asarray(at)


@cache
def _integrals() -> FloatArray:
    """Return (2, 95, X) integrals of x f(x) from 0, f potential and density, by steps of x."""
    table = free_atoms()
    x = np.arange(0.0, _REACH + _RADII[-1] + 2 * _STEP, _STEP)
    log_r = np.log(table.radius)
    found = np.zeros((2, len(table.density), len(x)))
    for kind, tabulated in enumerate((table.r_times_v, table.density * table.radius)):
        grown = tabulated * table.radius
        sums = np.cumsum((grown[:, 1:] + grown[:, :-1]) / 2, axis=1) * (log_r[1] - log_r[0])
        first = grown[:, :1]  # x f(x) is constant or nothing within the first radius
        sums = np.concatenate([first, first + sums], axis=1)
        for z, each in enumerate(sums):
            found[kind, z, 1:] = np.interp(np.log(x[1:]), log_r, each)
    return found


def _integral(kind: int, z: IntArray, x: FloatArray) -> FloatArray:
    """Return (P, K) the integrals of (P,) atoms up to (P, K) distances, bohr."""
    place = x / _STEP
    left = place.astype(np.int64)
    part = place - left
    table = _integrals()[kind].ravel()
    at = left + (z * _integrals().shape[2])[:, None]
    low = table[at]
    return np.asarray(low + part * (table[at + 1] - low), dtype=np.float64)
