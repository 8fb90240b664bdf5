"""What FEFF10 is told of one absorbing site: its feff.inp."""

from dataclasses import dataclass

import numpy as np

from cgxas.crystals.canonical import Cell
from cgxas.elements import SYMBOLS
from cgxas.simulation.presets import CARDS, Preset
from cgxas.typing import FloatArray, IntArray

RADIUS = 10.0
"""Atoms within these Angstrom of the absorber are written out."""

_ABSORBERS = 1e-4  # what the absorber counts in the balance of charges, as pymatgen sets it
_SELF = 1e-6  # Angstrom; nearer than this there is only the absorber itself
_ROUND = 6  # digits after which atoms at one distance are told apart by direction


@dataclass(frozen=True, eq=False)
class Cluster:
    """The atoms around an absorbing site, the site itself first, then by distance.

    Attributes:
        numbers: (N,) atomic numbers.
        places: (N, 3) relative to the absorber, Angstrom.
        distances: (N,) Angstrom, ascending, 0 first.
    """

    numbers: IntArray
    places: FloatArray
    distances: FloatArray


def cluster_around(cell: Cell, atom: int, radius: float = RADIUS) -> Cluster:
    """Cut the atoms around one of a crystal out of it.

    Args:
        cell: the crystal.
        atom: number of the absorbing atom.
        radius: of the cluster, Angstrom.
    """
    from pymatgen.optimization.neighbors import find_points_in_spheres

    _, other, image, distance = find_points_in_spheres(
        np.ascontiguousarray(cell.cart),
        np.ascontiguousarray(cell.cart[[atom]]),
        radius,
        np.ones(3, dtype=np.int64),
        np.ascontiguousarray(cell.lattice),
    )
    places = cell.cart[other] + image @ cell.lattice - cell.cart[atom]
    numbers, distance = cell.numbers[other], np.where(distance < _SELF, 0.0, distance)
    # FEFF takes the first atom of an element for all of it: the order must not depend on chance.
    keys = np.round(np.column_stack([places, numbers, distance]), _ROUND)
    order = np.lexsort(keys.T)
    return Cluster(numbers[order], places[order], distance[order])


def feff_input(cluster: Cluster, preset: Preset) -> str:
    """Return the text of a feff.inp for the K edge of the atom in the middle of a cluster.

    The absorber has a potential of its own, all other atoms that of their element, as pymatgen
    writes it.

    Args:
        cluster: the atoms.
        preset: settings of FEFF10.
    """
    absorber = int(cluster.numbers[0])
    elements = np.unique(cluster.numbers[1:])
    potential = {int(z): n for n, z in enumerate(elements, start=1)}
    counts = {int(z): int((cluster.numbers == z).sum()) for z in elements}
    scf = preset.scf.radius(cluster.distances)
    fms = preset.fms(absorber).radius(cluster.distances)
    waves = preset.waves(absorber)
    lines = [
        f"TITLE {SYMBOLS[absorber - 1]} K edge, {preset.model}",
        "CONTROL 1 1 1 1 1 1",
        "PRINT 1 0 0 0 0 0",
        *CARDS,
        f"SCF {scf:.4f} 0 30 .2 1",
        f"FMS {fms:.4f} 0",
        "",
        "POTENTIALS",
        _potential(0, absorber, waves, _ABSORBERS),
        *(_potential(n, z, waves, counts[z]) for z, n in potential.items()),
        "",
        "ATOMS",
    ]
    for number, place, distance in zip(
        cluster.numbers.tolist(), cluster.places + 0.0, cluster.distances, strict=True
    ):
        n = potential[number] if distance > 0 else 0
        x, y, z = (f"{value:12.6f}" for value in np.round(place, 6) + 0.0)
        lines.append(f"{x} {y} {z} {n:3d} {SYMBOLS[number - 1]:2s} {distance:10.5f}")
    return "\n".join([*lines, "END", ""])


def _potential(n: int, number: int, waves: int, count: float) -> str:
    """Return a line of POTENTIALS: the largest angular momenta, -1 for FEFF's own, and the share.

    The counts, by which the charges add up to nought, are those of the cluster, as in pymatgen.
    """
    return f"{n:3d} {number:3d} {SYMBOLS[number - 1]:2s} {waves:2d} {waves:2d} {count:g}"
