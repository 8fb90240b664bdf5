"""Fitting a calibration: strengths and lengths of the kernels by their evidence."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cgxas.calibration.constants import constants
from cgxas.calibration.measured import FEATURES, Compounds
from cgxas.elements import MAX_ATOMIC_NUMBER, atomic_number
from cgxas.model.calibration.gaussian import GaussianCalibration, Process, damped, followed
from cgxas.model.calibration.kernels import KernelSum, Scale, Term
from cgxas.typing import FloatArray, IntArray

OFFSET_TERMS = (
    Term("none", "constant", within=False),
    Term("none", "constant", within=True),
    Term("vector", "matern", within=True),
    Term("edge", "linear", within=False),
    Term("curve", "matern", within=False),
    Term("curve", "matern", within=True),
    Term("state", "matern", within=False),
    Term("state", "matern", within=True),
    Term("around", "matern", within=False),
    Term("potential", "linear", within=False),
    Term("potential", "linear", within=True),
)
"""What the energy offset depends on: within elements, and across them."""

SHAPE_TERMS = (
    Term("none", "constant", within=False),
    Term("none", "constant", within=True),
    Term("vector", "matern", within=True),
    Term("curve", "matern", within=False),
    Term("curve", "linear", within=False),
    Term("around", "matern", within=False),
)
"""What the correction of the shape depends on."""

SLOPES = (1.0, 0.65)
"""How offsets follow Fermi level and 1s level: 1 and 1 by theory; learnt from all elements."""

_DAMPING = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6)
_ALL_COUNT = 2.0  # compounds that all elements together count as many as
_COMPONENTS = 16
_ASTRAY = 12.0  # eV from the middle of its element, where the scale of a measurement is off
_USUAL_COUNT = 5.0  # compounds that the usual width of errors counts as many as
_REACH, _FINENESS = 5.0, 0.1  # eV around the shift that brings the edges together
_NEAR = (-10.0, 40.0)
_STEPS = 80
# Weak log-normal beliefs, which keep unused terms from running away.
_STRENGTH, _NOISE, _BELIEF = np.log(1.0), np.log(0.05), 0.1
_WIDEST = 6.0  # parameters stay within e^6 of what is believed, so that no line search gets lost
_JITTER = 1e-3  # of the variance: no measurement is better than a tenth of an eV


def fit_gaussian(
    compounds: Compounds,
    train: NDArray[np.int64],
    offset_terms: Sequence[Term] = OFFSET_TERMS,
    shape_terms: Sequence[Term] = SHAPE_TERMS,
    like: GaussianCalibration | None = None,
) -> GaussianCalibration:
    """Learn offsets and corrections from measured compounds.

    Args:
        compounds: all of them.
        train: numbers of those to learn from.
        offset_terms: kernels of the offset.
        shape_terms: kernels of the correction.
        like: a calibration with the same kernels, whose strengths, lengths and noise are taken as
            they are, so that a few compounds more or fewer cost no search; found anew if None.
    """
    slopes = torch.tensor(SLOPES, dtype=torch.float64)
    train = on_scale(compounds, train)
    rows, share = compounds.sharing(train)
    sites = compounds.features.take(rows)
    scale = Scale.of(sites)
    number, damping = _numbers(compounds, train), _damping(compounds, train)
    aligned = [
        _alignment(compounds, int(c), damping[z - 1]) for c, z in zip(train, number, strict=True)
    ]
    left = np.array([offset for offset, _, _ in aligned]) - _theory(compounds, train, slopes)
    usual, doubt = constants(number, left, slopes.numpy())
    offsets = torch.from_numpy(left - usual[number - 1])[:, None]
    unit = offsets.std(correction=0).clamp_min(0.1)
    outputs, basis, weight = _components(torch.from_numpy(np.array([r for _, r, _ in aligned])))
    one = torch.ones(1, dtype=torch.float64)
    known = scale.applied(sites)
    kernels = [KernelSum(terms, scale, known, known) for terms in (offset_terms, shape_terms)]
    if like is None:
        offset = _fit(kernels[0], share, offsets / unit, one)
        shape = _fit(kernels[1], share, outputs, weight)
    else:
        one_of, other = like.offset, like.shape
        offset = _conditioned(kernels[0], share, offsets / unit, one_of.parameters, one_of.noise)
        shape = _conditioned(kernels[1], share, outputs, other.parameters, other.noise)
    groups = compounds.group[train]
    widening = [_widening(offset, groups, number, one), _widening(shape, groups, number, weight)]
    return GaussianCalibration(
        sites=sites,
        share=share,
        scale=scale,
        usual=torch.from_numpy(usual),
        doubt=torch.from_numpy(doubt),
        slopes=slopes,
        damping=torch.from_numpy(damping),
        widening=torch.stack(widening, dim=1),
        offset=offset,
        shape=shape,
        offset_unit=unit,
        basis=basis,
        features=FEATURES,
    )


def _numbers(compounds: Compounds, wanted: IntArray) -> IntArray:
    return np.array([atomic_number(str(each)) for each in compounds.element[wanted]])


def _theory(compounds: Compounds, wanted: IntArray, slopes: Tensor) -> FloatArray:
    """Return (C,) what of the offsets of compounds follows from the potential, eV."""
    rows, share = compounds.sharing(wanted)
    return np.asarray((share @ followed(compounds.features.take(rows), slopes)).numpy())


def _damping(compounds: Compounds, wanted: IntArray) -> FloatArray:
    """Return (103,) what the white lines of each element are damped by.

    Where an element has few compounds or none, those of all have a say.
    """
    misfit = np.array(
        [[_alignment(compounds, int(each), s)[2] for s in _DAMPING] for each in wanted]
    )
    number = _numbers(compounds, wanted)
    means = np.array([misfit[number == z].mean(axis=0) for z in np.unique(number)])
    usual = means.mean(axis=0)
    found = np.full(MAX_ATOMIC_NUMBER, _DAMPING[int(usual.argmin())])
    for z in np.unique(number):
        total = misfit[number == z].sum(axis=0) + _ALL_COUNT * usual
        found[z - 1] = _DAMPING[int(total.argmin())]
    return found


def offsets_and_theory(compounds: Compounds, wanted: IntArray) -> tuple[FloatArray, FloatArray]:
    """Return (C,) offsets of compounds, and what of them follows from the potential, eV."""
    offsets = np.array([_alignment(compounds, int(each))[0] for each in wanted])
    return offsets, _theory(compounds, wanted, torch.tensor(SLOPES, dtype=torch.float64))


def on_scale(compounds: Compounds, wanted: IntArray) -> IntArray:
    """Return the compounds without those that were measured on a scale of their own."""
    left = np.subtract(*offsets_and_theory(compounds, wanted))
    elements = compounds.element[wanted]
    middle = {each: np.median(left[elements == each]) for each in np.unique(elements)}
    away = np.abs(left - np.array([middle[each] for each in elements]))
    return np.asarray(wanted[away < _ASTRAY])


def _widening(
    process: Process, groups: NDArray[np.str_], number: IntArray, weight: Tensor
) -> Tensor:
    """Return (103,) by how much compounds that are left out lie farther off than is told.

    Where an element has few, all elements have a say.

    Args:
        process: conditioned on all (C,) compounds.
        groups: (C,) what is left out together.
        number: (C,) atomic numbers.
        weight: (K,) how much each output counts.
    """
    squared = np.empty(len(groups))
    for group in np.unique(groups):
        own = torch.from_numpy(np.flatnonzero(groups == group))
        covariance = torch.linalg.inv(process.inverse[own][:, own])
        apart = covariance @ process.weights[own]
        squared[own.numpy()] = (apart**2 @ weight / covariance.diagonal()).numpy()
    usual = max(float(squared.mean()), 1.0)
    found = np.full(MAX_ATOMIC_NUMBER, usual)
    for each in np.unique(number):
        own_squared = squared[number == each]
        total = usual * _USUAL_COUNT + own_squared.sum()
        found[each - 1] = max(total / (_USUAL_COUNT + len(own_squared)), 1.0)
    return torch.from_numpy(found).sqrt()


@lru_cache(maxsize=8192)
def _alignment(
    compounds: Compounds, compound: int, damping: float = 0.0
) -> tuple[float, FloatArray, float]:
    """Return the offset of a compound in eV, (X,) what its simulated shape lacks, and how much.

    The latter is its relative squared error around the edge.
    """
    rows, relative = compounds.rows_of(compound), FEATURES.relative
    sites, share = compounds.features, compounds.sites[compound].share
    edges = sites.edge[rows, 0].numpy() + compounds.sites[compound].start
    strength = torch.full((len(rows),), damping, dtype=torch.float64)
    curves = damped(sites.curve[rows], strength).numpy()
    energy, norm = compounds.energy[compound], compounds.norm[compound]

    def simulated(offset: float) -> FloatArray:
        moved = [
            np.interp(energy, relative + edge + offset, curve)
            for edge, curve in zip(edges, curves, strict=True)
        ]
        return np.asarray(share @ np.array(moved))

    half_step, edge = compounds.half_step[compound], float(share @ edges)
    near = (energy > half_step + _NEAR[0]) & (energy < half_step + _NEAR[1])
    shifts = half_step - edge + np.arange(-_REACH, _REACH + _FINENESS / 2, _FINENESS)
    misfits = [np.sum((norm - simulated(shift))[near] ** 2) for shift in shifts]
    offset = float(shifts[int(np.argmin(misfits))])
    lacking = norm - simulated(offset)
    error = min(misfits) / float(np.sum(norm[near] ** 2))
    return offset, np.interp(relative, energy - edge - offset, lacking), error


def _components(curves: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return (C, K) coefficients of unit size, (K, X) their curves, and (K,) weights, sum 1.

    A few principal components hold all but the noise of the curves, and none of the curves
    can be read off a calibration.
    """
    u, s, v = torch.linalg.svd(curves, full_matrices=False)
    kept = min(_COMPONENTS, int((s > 1e-9 * s[0]).sum()))
    size = s[:kept] / len(curves) ** 0.5
    return u[:, :kept] * len(curves) ** 0.5, size[:, None] * v[:kept], size**2 / (size**2).sum()


def _fit(kernels: KernelSum, share: Tensor, outputs: Tensor, weight: Tensor) -> Process:
    """Find the parameters of greatest evidence (with weak beliefs), and condition on the outputs.

    Args:
        kernels: of the training sites with each other.
        share: (C, S) shares of the sites in compounds.
        outputs: (C, K) what is to be learnt.
        weight: (K,) how much each output counts.
    """
    n_terms = len(kernels.terms)
    belief = torch.zeros(2 * n_terms + 1, dtype=torch.float64)
    belief[:-1:2], belief[-1] = _STRENGTH, _NOISE
    free = torch.zeros_like(belief, requires_grad=True)
    identity = torch.eye(len(outputs), dtype=torch.float64)

    def bounded() -> Tensor:
        return belief + _WIDEST * torch.tanh(free / _WIDEST)

    def covariance(parameters: Tensor) -> Tensor:
        between = share @ kernels(parameters[:-1]) @ share.T
        return between + (parameters[-1].exp() + _JITTER) * identity

    def loss() -> Tensor:
        optimiser.zero_grad()
        parameters = bounded()
        factor = torch.linalg.cholesky(covariance(parameters))
        fitted = torch.cholesky_solve(outputs, factor)
        misfit = 0.5 * ((outputs * fitted).sum(0) * weight).sum()
        value: Tensor = misfit + factor.diagonal().log().sum()
        value = value + _BELIEF * ((parameters - belief) ** 2).sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimiser = torch.optim.LBFGS([free], max_iter=_STEPS, line_search_fn="strong_wolfe")
    optimiser.step(loss)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        found = bounded()
        return _conditioned(kernels, share, outputs, found[:-1], found[-1].exp() + _JITTER)


def _conditioned(
    kernels: KernelSum, share: Tensor, outputs: Tensor, parameters: Tensor, noise: Tensor
) -> Process:
    """Condition on outputs with parameters that are known."""
    between = share @ kernels(parameters) @ share.T
    inverse = torch.linalg.inv(between + noise * torch.eye(len(outputs), dtype=outputs.dtype))
    return Process(tuple(kernels.terms), parameters, noise, inverse @ outputs, inverse)
