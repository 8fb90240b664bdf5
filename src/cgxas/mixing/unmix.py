"""A series without references: its own components, by multivariate curve resolution (MCR-ALS)."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from scipy.optimize import nnls

from cgxas.errors import MissingExtra, SpectrumError
from cgxas.typing import FloatArray

MOST_ROUNDS = 500
"""Rounds of alternating regressions."""

_SETTLED = 1e-5  # of the mean square of what is left
_SPARE = 2  # scans beyond the number of components


class _Nnls:
    """Non-negative least squares for pyMCR: as its own, on the small triangle of a QR instead."""

    coef_: FloatArray

    def fit(self, design: FloatArray, targets: FloatArray) -> None:
        """Solve design @ x = targets for x at least 0; `coef_` is x transposed."""
        q, r = np.linalg.qr(design)
        self.coef_ = np.array([nnls(r, each)[0] for each in (q.T @ targets).T])


def unmixed(norm: FloatArray, count: int) -> FloatArray:
    """Return the spectra of the components of a series, (count, P).

    Fractions and spectra are at least 0, and the fractions of a scan sum to 1. It begins with the
    scans that are most unlike each other. Where no scan is pure, other components explain the
    series as well: what is found is bound by the purest scans.

    Source: pyMCR, https://doi.org/10.6028/jres.124.018; Jaumot et al.,
    https://doi.org/10.1016/j.chemolab.2014.10.003.

    Args:
        norm: (N, P) scans.
        count: number of components, at least 2.

    Raises:
        SpectrumError: there are too few scans.
        MissingExtra: pyMCR is not installed.
    """
    if len(norm) < max(count, 2) + _SPARE:
        scans = f"{len(norm)} scans are" if len(norm) > 1 else "1 scan is"
        raise SpectrumError(
            f"{scans} too few to be parted into {max(count, 2)} components: give references"
        )
    if count < 2:
        raise SpectrumError(
            "the series carries only one component, so that there is nothing to part: its scans "
            "do not differ beyond their noise; give references, or say --components 2"
        )
    MissingExtra.refuse_without("pymcr", "pyMCR", "mix")
    from pymcr.constraints import ConstraintNorm
    from pymcr.mcr import McrAR

    smooth = _within(norm, count)
    start = np.clip(smooth[most_unlike(smooth, count)], 0.0, None)
    square = float(np.mean((norm - smooth) ** 2))
    solver = McrAR(
        c_regr=_Nnls(),
        st_regr=_Nnls(),
        c_constraints=[ConstraintNorm()],
        st_constraints=[],
        max_iter=MOST_ROUNDS,
        tol_increase=1e-3,
        tol_err_change=_SETTLED * max(square, 1e-12),
    )
    with _silent():
        solver.fit(norm, ST=start)
    found = np.asarray(solver.ST_opt_)
    where = np.asarray(solver.C_opt_)
    centre = (np.arange(len(norm)) @ where) / np.maximum(where.sum(axis=0), 1e-12)
    return found[np.argsort(centre, kind="stable")]


@contextmanager
def _silent() -> Iterator[None]:
    """Keep what pyMCR logs of its rounds from the screen."""
    logger = logging.getLogger("pymcr.mcr")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


def _within(norm: FloatArray, count: int) -> FloatArray:
    """Return the scans as their first components give them, (N, P)."""
    u, s, v = np.linalg.svd(norm, full_matrices=False)
    return np.asarray((u[:, :count] * s[:count]) @ v[:count])


def most_unlike(norm: FloatArray, count: int) -> list[int]:
    """Return the numbers of scans that span the largest simplex, one after the other."""
    centred = norm - norm.mean(axis=0)
    chosen = [int(np.argmax((centred**2).sum(axis=1)))]
    while len(chosen) < count:
        away = norm - norm[chosen[0]]
        if len(chosen) > 1:
            q, _ = np.linalg.qr(away[chosen[1:]].T)
            away = away - away @ q @ q.T
        chosen.append(int(np.argmax((away**2).sum(axis=1))))
    return chosen
