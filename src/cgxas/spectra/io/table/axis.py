"""What a column of numbers looks like: energies, a count of rows, a clear edge; angles in eV."""

import numpy as np

from cgxas.typing import FloatArray

HC = 12398.419843
"""eV A; CODATA 2018, from exact constants."""

_KEV_SPAN = 3.0
_KEV_MAX = 150.0
_LOWEST, _HIGHEST, _SPAN = 20.0, 200_000.0, 3.0  # eV
_CLEAR = 0.5  # of what lies below the edge
_ONE_WAY = 0.8  # of the steps


def angle_to_energy(angle: FloatArray, spacing: float) -> FloatArray:
    """Return the energies in eV, (P,), of angles of a monochromator.

    Args:
        angle: (P,) degrees.
        spacing: of its planes, Angstrom.
    """
    with np.errstate(all="ignore"):
        return np.asarray(HC / (2.0 * spacing * np.sin(np.radians(angle))))


def looks_kev(energy: FloatArray) -> bool:
    """Tell keV by its narrow range: no scan in eV covers less than 3 eV."""
    known = energy[np.isfinite(energy)]
    return bool(known.size and known.max() < _KEV_MAX and np.ptp(known) <= _KEV_SPAN)


def looks_like_energies(values: FloatArray) -> bool:
    """Tell whether a column could be the energies of a scan, in eV or keV.

    Nine tenths of it lie in a range that has edges, and at least four fifths of its steps go
    one way.
    """
    known = values[np.isfinite(values)]
    if known.size < 0.5 * values.size or known.size < 2:
        return False
    steps = np.sign(np.diff(known))
    taken = np.count_nonzero(steps)
    if taken == 0 or max((steps > 0).sum(), (steps < 0).sum()) < _ONE_WAY * taken:
        return False
    low, high = np.quantile(known, [0.05, 0.95])
    is_ev = low >= _LOWEST and high <= _HIGHEST and high - low >= _SPAN
    is_kev = low >= _LOWEST / 1000 and high <= _KEV_MAX and high - low >= _SPAN / 1000
    return bool(is_ev or is_kev)


def is_count(values: FloatArray) -> bool:
    """Tell a column that only counts the rows: 0, 1, 2 ... or 1, 2, 3 ..."""
    return values.size > 1 and values[0] in (0.0, 1.0) and bool((np.diff(values) == 1.0).all())


def has_clear_edge(mu: FloatArray) -> bool:
    """Tell a curve whose last third lies above its first tenth by half of that or more."""
    known = mu[np.isfinite(mu)]
    if known.size < 10:
        return False
    below = float(np.median(known[: max(3, known.size // 10)]))
    above = float(np.median(known[-(known.size // 3) :]))
    return above - below > _CLEAR * abs(below)
