"""A scan as a file gives it, and whether its points can be used."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from cgxas.errors import BadMeasurement, ReadingWarning
from cgxas.spectra.trust import Trust
from cgxas.typing import BoolArray, FloatArray

MIN_POINTS = 20
"""Fewer points than these are no XANES scan."""

SMALL_STEP = 0.5
"""Steps backward in eV that an encoder makes while it moves on, or a hand that digitises."""

LARGE_STEP, FEW_STEPS = 3.0, 3
"""As few steps backward of so many eV are the overlap of regions of one scan."""

LOWEST, HIGHEST = 20.0, 200_000.0
"""Energies in eV beyond these are none."""

FLAT_POINTS = 5
"""As many equal points at the very top of a scan are a saturated detector."""

AS_GIVEN = ("normalised", "simulated")
"""Kinds of scans that are never normalised again."""

KINDS = ("transmission", "fluorescence", "reference", "mu", *AS_GIVEN)
"""What the curve of a scan can be; "mu": the file does not tell how it was measured."""

SHOWN_NAMES = 20
"""As many columns or groups are named in a message."""

LONGEST_NAME = 60
"""Characters of such a name in a message."""

_FEW = 0.01  # of the points may be left out; one always
_FAR = 1000.0  # eV from the median
_OUTLYING = 10.0


@dataclass(frozen=True, eq=False)
class Scan:
    """One scan out of a file.

    Attributes:
        energy: (P,) eV, in the order of the file.
        mu: (P,) absorption, in any units.
        kind: one of `KINDS`.
        format: of the file.
        source: name of the file.
        label: of the sample, or empty.
        element: symbol of the absorber, as the file states it, or empty.
        edge: name of the edge, as the file states it, or empty.
        energy_shift: eV to be added to the energies to calibrate them, as the file states it.
        done: what was understood or changed, in words.
        edge_guess: how element and edge were guessed before they were written to the file, in the
            words of `Measurement.edge_guess`; empty otherwise.
        trust: what the model told of a predicted curve; None otherwise.
        hint: which other curve of the file may be meant if this one shows little of an edge.
    """

    energy: FloatArray
    mu: FloatArray
    kind: str
    format: str
    source: str
    label: str = ""
    element: str = ""
    edge: str = ""
    energy_shift: float = 0.0
    done: tuple[str, ...] = ()
    edge_guess: str = ""
    trust: Trust | None = None
    hint: str = ""


def listed(names: Sequence[str]) -> str:
    """Return names for a message: the first 20, long ones cut, and how many more there are."""
    shown = ", ".join(
        each if len(each) <= LONGEST_NAME else f"{each[: LONGEST_NAME - 3]}..."
        for each in names[:SHOWN_NAMES]
    )
    return shown if len(names) <= SHOWN_NAMES else f"{shown} and {len(names) - SHOWN_NAMES} more"


def tidy(scan: Scan) -> Scan:
    """Return the scan with finite points of strictly increasing energy.

    A scan from high to low energy is turned round. Points of equal energy are averaged. A few
    points that no scan has (not finite, at 0 eV, far beyond all others) are left out and named.
    Steps backward are sorted if they are small (0.5 eV, as of digitised curves) or few and up to
    3 eV; one point out of order is left out; others are refused.

    Raises:
        BadMeasurement: too few points, not finite, zig-zag, impossible energies, or saturated.
    """
    energy, mu, name = scan.energy, scan.mu, scan.source
    if energy.size < MIN_POINTS:
        raise BadMeasurement(
            f"{name} holds only {energy.size} points: a XANES scan needs at least {MIN_POINTS}."
        )
    energy, mu, left_out = _without_absurd(energy, mu, name)
    if energy.min() < LOWEST or energy.max() > HIGHEST:
        raise BadMeasurement(
            f"{name}: energies from {energy.min():g} to {energy.max():g} are neither eV nor keV: "
            "convert them to eV, or choose another energy column."
        )
    done = [*scan.done, *left_out]
    if energy[-1] < energy[0]:
        energy, mu = energy[::-1], mu[::-1]
        done.append("turned round: the energies descended")
    energy, mu, said = _increasing(energy, mu, name)
    if energy.size < MIN_POINTS:
        raise BadMeasurement(f"{name} has only {energy.size} different energies.")
    if scan.kind not in AS_GIVEN:
        _refuse_saturated(mu, name, scan.hint)
    return replace(scan, energy=energy, mu=mu, done=(*done, *said))


def _without_absurd(
    energy: FloatArray, mu: FloatArray, name: str
) -> tuple[FloatArray, FloatArray, list[str]]:
    """Leave out a few points that cannot have been measured, with a warning; refuse many."""
    few = max(1, int(_FEW * energy.size))
    bad = ~np.isfinite(energy) | ~np.isfinite(mu)
    what = "not finite"
    if bad.sum() <= few:
        far = _far_off(energy, ~bad, few) | _far_out(mu, ~bad, few)
        what = "not finite, or far beyond all others," if far.any() else what
        bad |= far
    if not bad.any():
        return energy, mu, []
    first = int(np.argmax(bad))
    named = f"point {first + 1} has energy {energy[first]:g} and mu {mu[first]:g}"
    if bad.sum() > few:
        raise BadMeasurement(
            f"{name}: energy or mu is {what} at {int(bad.sum())} of {energy.size} points "
            f"({named}): remove those points, or choose other columns."
        )
    points = listed([str(n + 1) for n in np.flatnonzero(bad)])
    said = f"left out point {points} of {energy.size}, which no scan has: {named}"
    warnings.warn(f"{name}: {said}", ReadingWarning, stacklevel=2)
    return energy[~bad], mu[~bad], [said]


def _far_off(energy: FloatArray, known: BoolArray, few: int) -> BoolArray:
    """Tell a few energies that are not above zero, or far from the others, (P,)."""
    middle = float(np.median(energy[known]))
    with np.errstate(invalid="ignore"):
        apart = np.abs(energy - middle)
        far = known & ((energy <= 0) | (apart > np.maximum(0.5 * middle, _FAR)))
    return far if middle > 0 and far.sum() <= few else np.zeros_like(known)


def _far_out(mu: FloatArray, known: BoolArray, few: int) -> BoolArray:
    """Tell a few values of mu that lie ten times as far out as all others, (P,)."""
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.where(known, np.abs(mu - np.median(mu[known])), 0.0)
    others = float(np.sort(apart)[-few - 1])
    return np.asarray(known & (apart > _OUTLYING * others) & (others > 0))


def _increasing(
    energy: FloatArray, mu: FloatArray, name: str
) -> tuple[FloatArray, FloatArray, list[str]]:
    done = []
    if stray := _stray(energy):
        done.append(
            f"left out point {stray + 1} of {energy.size}, which is out of order: "
            f"{energy[stray]:g} eV between {energy[stray - 1]:g} and {energy[stray + 1]:g} eV"
        )
        warnings.warn(f"{name}: {done[0]}", ReadingWarning, stacklevel=2)
        energy, mu = np.delete(energy, stray), np.delete(mu, stray)
    steps = np.diff(energy)
    back = int((steps < 0).sum())
    if back:
        by = float(-steps.min())
        if by > SMALL_STEP and (by > LARGE_STEP or back > FEW_STEPS):
            first = int(np.argmin(steps))
            raise BadMeasurement(
                f"{name}: the energies go back from {energy[first]:g} to {energy[first + 1]:g} eV: "
                "if these are several scans in a row, split the file."
            )
        order = np.argsort(energy, kind="stable")
        energy, mu = energy[order], mu[order]
        done.append(f"sorted: the energies went back at {back} points, by up to {by:.2g} eV")
    unique, where = np.unique(energy, return_inverse=True)
    if unique.size < energy.size:
        done.append(f"averaged points of equal energy ({energy.size - unique.size})")
        mu = np.bincount(where, mu) / np.bincount(where)
    return unique, mu, done


def _stray(energy: FloatArray) -> int:
    """Return the one point without which a scan that goes far back runs on; 0 if there is none."""
    steps = np.diff(energy)
    for at in np.flatnonzero(steps < -LARGE_STEP)[:2].tolist():
        for point in (at, at + 1):
            if 0 < point < energy.size - 1 and np.diff(np.delete(energy, point)).min() > 0:
                return int(point)
    return 0


def _refuse_saturated(mu: FloatArray, name: str, hint: str) -> None:
    height = float(np.ptp(mu))
    if height == 0:
        raise BadMeasurement(
            f"{name}: mu is the same everywhere: {hint or 'choose another column'}."
        )
    top = mu >= mu.max() - 1e-6 * height
    windows = np.lib.stride_tricks.sliding_window_view(top, FLAT_POINTS)
    if windows.all(axis=1).any():
        raise BadMeasurement(
            f"{name} is saturated: {int(top.sum())} points have the same highest value of mu; "
            "take a scan with a thinner sample or a detector in range."
        )
