"""Stacks of spectra in HDF5 files: one dataset of many scans on the same energies."""

from typing import Any

import numpy as np

from cgxas.errors import UnclearSpectrum, UnreadableSpectrum
from cgxas.limits import FILE_SIZE
from cgxas.spectra.io.nexus.hdf5 import Row, Tree
from cgxas.typing import FloatArray

_BYTES = 8


def stack_of(
    tree: Tree, energy: str, mu: str, start: Any
) -> tuple[Row, FloatArray, FloatArray] | None:
    """Return the scans of a dataset of two dimensions.

    Args:
        tree: the file.
        energy: path of the energies, absolute or from the start.
        mu: path of the stack, (N, P) or (P, N); a square one has a scan in each row.
        start: a group.

    Returns:
        The row of energies, energies (P,) in its units, and mu (N, P); None if the dataset has
        not two dimensions.

    Raises:
        UnclearSpectrum: there are no energies of one of its lengths.
        UnreadableSpectrum: it is too large, or lies in other files.
    """
    found = tree.find(mu.strip("\"'"), start)
    shape: tuple[int, ...] = getattr(found, "shape", None) or ()
    if len(shape) != 2 or min(shape) < 2 or getattr(found, "dtype", None) is None:
        return None
    row = tree.row(tree.find(energy.strip("\"'"), start))
    if row is None or row.size not in shape:
        raise UnclearSpectrum(
            f"{tree.source}: {found.name} is a stack of {shape[0]} by {shape[1]}: name energies of "
            f"one of these lengths with --energy PATH; {tree.candidates(start)}."
        )
    if found.dtype.kind not in "fiu" or found.is_virtual or found.external:
        raise UnreadableSpectrum(
            f"{tree.source}: {found.name} holds no numbers of its own: copy them into the file."
        )
    size = found.size * _BYTES
    FILE_SIZE.refuse_beyond(size, f"{tree.source}: {found.name} holds", UnreadableSpectrum)
    stack = np.asarray(found[()], dtype=np.float64)
    return row, tree.read(row), stack if shape[1] == row.size else stack.T
