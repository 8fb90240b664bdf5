"""Curves as non-negative sums of references: weights, shifts, and how sure they are.

The weights of a scan are found by the non-negative least squares of Lawson and Hanson
(`scipy.optimize.nnls`), under a covariance of the points that holds their noise and, of predicted
references, the bands. Shifts are fitted around that by lmfit. Fractions are weights divided by
their sum, which takes up errors of the normalisation.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import minimize_scalar, nnls

from cgxas.mixing.faults import point_noise
from cgxas.mixing.references import Reference
from cgxas.mixing.shifts import MAX_SHIFT, Shifts, moved, moved_often
from cgxas.typing import FloatArray

_LEAST_NOISE = 5e-4  # of a point; the curves are no better known
_AT_BOUND = 0.02  # eV
_FREE_OTHERS = 40  # shifts of references that are tried for a scan with one of its own


@dataclass(frozen=True, eq=False)
class Fits:
    """Weights of (N,) scans on (R,) references.

    Attributes:
        weights: (N, R) at least 0.
        covariance: (N, R, R) of the weights; as if none were bound to be positive.
        shift: (N,) eV added to the energies of the references.
        shift_error: (N,) its standard deviation, eV; 0 where it is not fitted.
        fitted: (N, P) the sums.
        misfit: (N,) what is left, in standard deviations of noise and bands (reduced, 1 is right);
            NaN where noise is told by the misfit itself.
    """

    weights: FloatArray
    covariance: FloatArray
    shift: FloatArray
    shift_error: FloatArray
    fitted: FloatArray
    misfit: FloatArray

    @classmethod
    def joined(cls, parts: Sequence["Fits"]) -> "Fits":
        """Return the fits of one after the other."""
        names = [field.name for field in fields(cls)]
        return cls(**{n: np.concatenate([getattr(part, n) for part in parts]) for n in names})

    def at(self, scan: int) -> "Fits":
        """Return the fit of one scan."""
        return Fits(**{f.name: getattr(self, f.name)[scan : scan + 1] for f in fields(self)})

    @property
    def on_bound(self) -> FloatArray:
        """(N,) 1 where the shift ended on its bound, else 0."""
        return np.asarray(np.abs(self.shift) > MAX_SHIFT - _AT_BOUND, dtype=np.float64)

    @property
    def fractions(self) -> FloatArray:
        """(N, R) weights divided by their sum."""
        total = np.maximum(self.weights.sum(axis=1, keepdims=True), 1e-12)
        return np.asarray(self.weights / total)

    @property
    def errors(self) -> FloatArray:
        """(N, R) standard deviations of the fractions."""
        total = np.maximum(self.weights.sum(axis=1), 1e-12)[:, None, None]
        n = self.weights.shape[1]
        turn = (np.eye(n) - self.fractions[:, :, None]) / total
        spread = turn @ self.covariance @ np.swapaxes(turn, 1, 2)
        return np.asarray(np.sqrt(np.clip(np.diagonal(spread, axis1=1, axis2=2), 0.0, None)))


@dataclass(frozen=True, eq=False)
class Whitened:
    """Points made equally and independently noisy.

    Attributes:
        factor: (P, P) lower Cholesky factor of their covariance; None where they are so already.
        noise: standard deviation of a point.
    """

    factor: FloatArray | None
    noise: float

    @classmethod
    def of(
        cls, references: Sequence[Reference], weights: FloatArray, energy: FloatArray, noise: float
    ) -> "Whitened":
        """Return it for the bands of references in a mixture.

        Args:
            references: (R,).
            weights: (R,) how much of each is in it.
            energy: (P,) eV.
            noise: standard deviation of a point.
        """
        noise = max(noise, _LEAST_NOISE)
        if not any(each.is_predicted for each in references):
            return cls(None, noise)
        bands = sum(w**2 * r.covariance(energy) for w, r in zip(weights, references, strict=True))
        return cls(cholesky(bands + noise**2 * np.eye(energy.size), lower=True), noise)

    def __call__(self, columns: FloatArray) -> FloatArray:
        """Return (P, ...) columns so that the noise of each of their points is 1."""
        if self.factor is None:
            return columns / self.noise
        return np.asarray(solve_triangular(self.factor, columns, lower=True))

    def curves(self, curves: FloatArray) -> FloatArray:
        """Return (..., P) curves likewise."""
        flat = curves.reshape(-1, curves.shape[-1])
        return np.asarray(self(flat.T).T.reshape(curves.shape))


def fit_all(
    norm: FloatArray,
    energy: FloatArray,
    references: Sequence[Reference],
    shifts: Shifts,
    is_free: bool = False,
    white: Whitened | None = None,
) -> Fits:
    """Fit scans, each by itself, with shifts that are given or, if they are free, its own.

    Args:
        norm: (N, P) scans.
        energy: (P,) eV.
        references: (R,).
        shifts: of the references, and how sure they are.
        is_free: fit a shift of each scan, around the given one.
        white: how sure the points are; as the scans themselves tell if None.
    """
    curves, slopes = moved(references, energy, shifts.each)
    white = usual_noise(norm, energy, references, curves) if white is None else white
    if is_free:
        each = [_fit_free(y, energy, references, shifts, white) for y in norm]
    else:
        weights = nnls_all(white(curves.T).T, white(norm.T).T)
        each = [(w, shifts.common, curves, slopes) for w in weights]
    judge = _Judge.of(references, energy, shifts, white, is_free)
    others: Sequence[FloatArray]
    if is_free and shifts.drawn.size:
        others = [
            _free_others(y, energy, references, shifts, white, fit)
            for y, fit in zip(norm, each, strict=True)
        ]
    else:
        others = list(_others(norm, energy, references, shifts, white))
    found = [judge(*about) for about in zip(norm, each, others, strict=True)]
    return Fits(
        weights=np.array([w for w, *_ in each]),
        covariance=np.array([c for c, *_ in found]),
        shift=np.array([s for _, s, *_ in each]),
        shift_error=np.array([e for _, e, *_ in found]),
        fitted=np.array([w @ c for w, _, c, _ in each]),
        misfit=np.array([m for *_, m in found]),
    )


def usual_noise(
    norm: FloatArray, energy: FloatArray, references: Sequence[Reference], curves: FloatArray
) -> Whitened:
    """Return how sure the points of scans are: their noise, and the bands in the mean mixture."""
    noise = float(np.median([point_noise(each) for each in norm]))
    usual = np.sqrt(np.mean(nnls_all(curves, norm) ** 2, axis=0))
    return Whitened.of(references, usual, energy, noise)


def nnls_all(curves: FloatArray, norm: FloatArray) -> FloatArray:
    """Return (N, R) the non-negative weights of (R, P) curves in each of (N, P) scans."""
    q, r = np.linalg.qr(curves.T)
    return np.array([nnls(r, target)[0] for target in norm @ q])


def nnls_often(curves: FloatArray, norm: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Fit scans by several sets of curves.

    Args:
        curves: (S, R, P).
        norm: (N, P).

    Returns:
        Weights, (S, N, R), and the squares of what is left, (S, N).
    """
    q, r = np.linalg.qr(np.swapaxes(curves, 1, 2))
    seen = norm @ q  # (S, N, R)
    found = [
        [nnls(triangle, each) for each in rows] for triangle, rows in zip(r, seen, strict=True)
    ]
    weights = np.array([[w for w, _ in rows] for rows in found])
    inside = np.array([[left**2 for _, left in rows] for rows in found])
    return weights, (norm**2).sum(axis=1) - (seen**2).sum(axis=2) + inside


def _others(
    norm: FloatArray,
    energy: FloatArray,
    references: Sequence[Reference],
    shifts: Shifts,
    white: Whitened,
) -> FloatArray:
    """Return the weights of scans with each of the other shifts, (N, S, R); (N, 0) without."""
    if not shifts.drawn.size:
        return np.zeros((len(norm), 0))
    curves = white.curves(moved_often(references, energy, shifts.drawn))
    return np.swapaxes(nnls_often(curves, white(norm.T).T)[0], 0, 1)


def _free_others(
    y: FloatArray,
    energy: FloatArray,
    references: Sequence[Reference],
    shifts: Shifts,
    white: Whitened,
    fit: tuple[FloatArray, float, FloatArray, FloatArray],
) -> FloatArray:
    """Return the weights of a scan with a free shift, and by how much that changes, (S, R + 1).

    Only by how much references move against each other counts, for the scan moves by itself.
    """
    weights, shift, _, slopes = fit
    apart = shifts.drawn[:: len(shifts.drawn) // _FREE_OTHERS] - shifts.each
    apart = apart - apart @ (weights / max(float(weights.sum()), 1e-12))[:, None]
    curves = moved_often(references, energy, shifts.own + shift + apart)
    both = np.broadcast_to([weights @ slopes, -weights @ slopes], (len(apart), 2, y.size))
    found, _ = nnls_often(white.curves(np.concatenate([curves, both], axis=1)), white(y)[None])
    found = found[:, 0]
    return np.column_stack([found[:, :-2], found[:, -2] - found[:, -1]])


def _fit_free(
    y: FloatArray,
    energy: FloatArray,
    references: Sequence[Reference],
    shifts: Shifts,
    white: Whitened,
) -> tuple[FloatArray, float, FloatArray, FloatArray]:
    """Return weights, shift, and the moved curves and slopes, of a scan with a shift of its own."""
    target, own = white(y), shifts.each - shifts.common

    def left(shift: float) -> float:
        curves, _ = moved(references, energy, own + shift, with_slopes=False)
        return float(nnls(white(curves.T), target)[1])

    grid = np.linspace(-MAX_SHIFT, MAX_SHIFT, 21)
    scores = [left(s) for s in grid]
    best = int(np.argmin(scores))
    around = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    shift = float(minimize_scalar(left, bounds=around, method="bounded", options={"xatol": 1e-3}).x)
    curves, slopes = moved(references, energy, own + shift)
    return nnls(white(curves.T), target)[0], shift, curves, slopes


@dataclass(frozen=True, eq=False)
class _Judge:
    """Tells how sure the weights of a scan are.

    Attributes:
        shifts: of the references.
        white: how the points were made equally noisy.
        noise: (P, P) covariance of their noise, whitened; None where the misfit tells it.
        bands: (R,) covariance of each band, (P, P), whitened; None of a measured reference.
        is_free: whether each scan has a shift of its own.
    """

    shifts: Shifts
    white: Whitened
    noise: FloatArray | None
    bands: Sequence[FloatArray | None]
    is_free: bool

    @classmethod
    def of(
        cls,
        references: Sequence[Reference],
        energy: FloatArray,
        shifts: Shifts,
        white: Whitened,
        is_free: bool,
    ) -> "_Judge":
        bands = [
            white(white(r.covariance(energy)).T) if r.is_predicted else None for r in references
        ]
        alone = None
        if white.factor is not None:
            each = white(white.noise * np.eye(energy.size))
            alone = each @ each.T
        return cls(shifts, white, alone, bands, is_free)

    def __call__(
        self,
        y: FloatArray,
        fit: tuple[FloatArray, float, FloatArray, FloatArray],
        others: FloatArray,
    ) -> tuple[FloatArray, float, float]:
        """Return covariance of the weights (R, R), error of a free shift, and misfit.

        Args:
            y: (P,) the scan.
            fit: its weights, its shift, the moved references and their slopes.
            others: (S, R) weights with other shifts that are as likely; with a free shift (S,
                R + 1), what that changes by besides; (0,) without.
        """
        weights, _, curves, slopes = fit
        n = len(weights)
        columns = [*curves, weights @ slopes] if self.is_free else list(curves)
        rest = self.white(y - weights @ curves)
        misfit = float(rest @ rest) / max(y.size - len(columns), 1)
        answer = np.linalg.pinv(self.white(np.array(columns).T))  # weights per whitened point
        if self.noise is None:
            spread = answer @ _chain(rest, misfit) @ answer.T
        else:
            inner = self.noise + sum(
                w**2 * band for w, band in zip(weights, self.bands, strict=True) if band is not None
            )
            spread = max(1.0, misfit) * answer @ inner @ answer.T
        if others.size:
            apart = others - np.append(weights, 0.0)[: others.shape[1]]
            spread = spread + apart.T @ apart / len(apart)
        elif self.shifts.has_common and not self.is_free:
            by = answer @ self.white(weights @ slopes)
            spread = spread + self.shifts.common_error**2 * np.outer(by, by)
        error = float(max(spread[n, n], 0.0) ** 0.5) if self.is_free else self.shifts.common_error
        return spread[:n, :n], error, float("nan") if self.noise is None else misfit


def _chain(rest: FloatArray, variance: float) -> FloatArray:
    """Return the covariance (P, P) of points by what is left of the fit.

    They are mostly alike: noise was smoothed or interpolated, or something is missing in the
    references. Each counts as like the one before as the left-over itself says.
    """
    alike = float(np.clip((rest[1:] @ rest[:-1]) / max(float(rest @ rest), 1e-300), 0.0, 0.99))
    apart = np.abs(np.subtract.outer(np.arange(rest.size), np.arange(rest.size)))
    return np.asarray(variance * alike**apart)
