"""Shifts of references, fitted to all scans of a series at once."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.optimize import nnls

from cgxas.errors import MissingExtra
from cgxas.mixing.drawing import Chances, drawn
from cgxas.mixing.fit import Whitened, usual_noise
from cgxas.mixing.references import Reference
from cgxas.mixing.shifts import MAX_SHIFT, MAX_SIGMAS, Shifts, moved
from cgxas.typing import FloatArray

_SCANS = 12  # tell the shifts as well as all do
_STEP = 0.5  # eV between the common shifts that are tried first
_NEAR = 0.02  # eV from a bound
_LEAST = 0.05  # eV, of a predicted reference
_BETTER = 0.5  # in the logarithm of the likelihood: another fit is to be preferred
_ROUNDS = 2  # the bands count by the weights, which follow from the shifts


def fitted_shifts(
    norm: FloatArray,
    energy: FloatArray,
    references: Sequence[Reference],
    is_common: bool,
    start: float = 0.0,
) -> Shifts:
    """Fit a shift that all references share, and one of each predicted one within its band.

    The band of a prediction is partly a doubt about where its edge lies. That is the same for all
    scans: it is fitted, and counts as so many standard deviations. What is left of the doubt, all
    shifts that scans and bands allow as well, goes into the errors. A series tells no more of it
    than one scan would.

    Args:
        norm: (N, P) scans.
        energy: (P,) eV.
        references: (R,).
        is_common: whether they share one that is fitted.
        start: the shared one where it is not, eV.

    Raises:
        MissingExtra: Larch, which brings lmfit, or emcee is not installed.
    """
    own_of = tuple(n for n, each in enumerate(references) if each.edge_sigma > 0)
    none = Shifts(start, np.zeros(len(references)))
    if not own_of and not is_common:
        return none
    MissingExtra.refuse_without("lmfit", "lmfit", "larch")
    some = norm[np.unique(np.linspace(0, len(norm) - 1, min(len(norm), _SCANS)).astype(int))]
    doubt = tuple(references[n].edge_sigma for n in own_of)
    found = replace(none, has_common=is_common, own_of=own_of, doubt=doubt)
    for n in range(_ROUNDS):
        curves, _ = moved(references, energy, found.each, with_slopes=False)
        white = usual_noise(some, energy, references, curves)
        found = _one_round(some, energy, references, white, found, is_first=n == 0)
    return _with_others(some, energy, references, white, found) if own_of else found


def _with_others(
    norm: FloatArray,
    energy: FloatArray,
    references: Sequence[Reference],
    white: Whitened,
    found: Shifts,
) -> Shifts:
    """Return the shifts with others that are likely, and the better one if one of them is."""
    chances = Chances(norm, energy, references, white, found)
    each, likeliest = drawn(chances)
    before = chances.flat(found)
    if np.diff(chances(np.array([before, likeliest])))[0] > _BETTER:
        own = np.zeros(len(references))
        own[list(found.own_of)] = likeliest[int(found.has_common) :]
        common = float(likeliest[0]) if found.has_common else found.common
        start = replace(found, common=common, own=own)
        found = _one_round(norm, energy, references, white, start, is_first=False)
    error = float(np.std((each - found.own).mean(axis=1))) if found.has_common else 0.0
    return replace(found, drawn=each, common_error=error)


def _one_round(
    norm: FloatArray,
    energy: FloatArray,
    references: Sequence[Reference],
    white: Whitened,
    before: Shifts,
    is_first: bool,
) -> Shifts:
    from lmfit import Parameters, minimize

    doubt = np.array(before.doubt)
    targets = white(norm.T).T

    def left(common: float, own: FloatArray) -> FloatArray:
        shift = np.full(len(references), common)
        shift[list(before.own_of)] += own
        design = white(moved(references, energy, shift, with_slopes=False)[0].T)
        rest = [target - design @ nnls(design, target)[0] for target in targets]
        return np.concatenate([np.ravel(rest) / len(norm) ** 0.5, own / doubt])

    first = before.common
    if is_first and before.has_common:
        tried = np.arange(-MAX_SHIFT + _STEP, MAX_SHIFT, _STEP)
        zero = np.zeros(len(doubt))
        first = float(tried[int(np.argmin([np.sum(left(s, zero) ** 2) for s in tried]))])
    parameters: Any = Parameters()
    parameters.add("common", first, before.has_common, -MAX_SHIFT, MAX_SHIFT)
    for n, most in zip(before.own_of, MAX_SIGMAS * doubt, strict=True):
        parameters.add(f"own{n}", before.own[n], True, -most, most)
    names = [f"own{n}" for n in before.own_of]
    result = minimize(
        lambda p: left(p["common"].value, np.array([p[name].value for name in names])),
        parameters,
        epsfcn=1e-6,
        scale_covar=white.factor is None,
    )
    p = result.params
    own = np.zeros(len(references))
    own[list(before.own_of)] = [p[name].value for name in names]
    on_bound = [
        what
        for what, name in (("the shared shift", "common"), *_told(references, before.own_of))
        if p[name].vary and min(p[name].max - p[name].value, p[name].value - p[name].min) < _NEAR
    ]
    return replace(
        before,
        common=float(p["common"].value),
        own=own,
        common_error=float(p["common"].stderr or 0.0),
        on_bound=", ".join(on_bound),
    )


def _told(references: Sequence[Reference], own_of: Sequence[int]) -> list[tuple[str, str]]:
    return [(f"the shift of {references[n].name}", f"own{n}") for n in own_of]
