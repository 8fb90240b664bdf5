"""How far apart sites are in what they are described by: what kernels are made of."""

import numpy as np

from cgxas.typing import FloatArray


def squared_distances(
    one: FloatArray, other: FloatArray, other_squares: FloatArray | None = None
) -> FloatArray:
    """Return (S, T) squared distances of sites, by one product of matrices.

    For sites as wide as descriptions are that is several times as fast as one pair at a time.

    Args:
        one: (S, D) descriptions.
        other: (T, D) descriptions.
        other_squares: (T,) sums of their squares, where they are known already.
    """
    squares = (other**2).sum(axis=1) if other_squares is None else other_squares
    apart = (one**2).sum(axis=1)[:, None] + squares - 2 * one @ other.T
    return np.asarray(np.maximum(apart, 0.0))
