"""A scan as a file gives it, and whether its points can be used."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from cgxas.errors import BadMeasurement
from cgxas.typing import FloatArray

MIN_POINTS = 20
"""Fewer points than these are no XANES scan."""

JITTER = 0.1
"""Steps backward in eV that an encoder makes while the monochromator moves on."""

FLAT_POINTS = 5
"""As many equal points at the very top of a scan are a saturated detector."""

AS_GIVEN = ("normalised", "simulated")
"""Kinds of scans that are never normalised again."""

KINDS = ("transmission", "fluorescence", "reference", "mu", *AS_GIVEN)
"""What the curve of a scan can be; "mu": the file does not tell how it was measured."""

SHOWN_NAMES = 20
"""As many columns or groups are named in a message."""


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


def listed(names: Sequence[str]) -> str:
    """Return names for a message: the first 20, and how many more there are."""
    shown = ", ".join(names[:SHOWN_NAMES])
    return shown if len(names) <= SHOWN_NAMES else f"{shown} and {len(names) - SHOWN_NAMES} more"


def tidy(scan: Scan) -> Scan:
    """Return the scan with finite points of strictly increasing energy.

    A scan from high to low energy is turned round. Points of equal energy are averaged. Steps
    backward up to 0.1 eV, the jitter of an encoder, are sorted; larger ones are refused.

    Raises:
        BadMeasurement: too few points, not finite, zig-zag, impossible energies, or saturated.
    """
    energy, mu, name = scan.energy, scan.mu, scan.source
    if energy.size < MIN_POINTS:
        raise BadMeasurement(
            f"{name} holds only {energy.size} points: a XANES scan needs at least {MIN_POINTS}."
        )
    bad = int((~np.isfinite(energy) | ~np.isfinite(mu)).sum())
    if bad:
        raise BadMeasurement(
            f"{name}: energy or mu is not finite at {bad} of {energy.size} points: remove those "
            "points, or choose other columns."
        )
    if energy.min() < 20.0 or energy.max() > 200_000.0:
        raise BadMeasurement(
            f"{name}: energies from {energy.min():g} to {energy.max():g} are neither eV nor keV: "
            "convert them to eV, or choose another energy column."
        )
    done = list(scan.done)
    if energy[-1] < energy[0]:
        energy, mu = energy[::-1], mu[::-1]
        done.append("turned round: the energies descended")
    energy, mu, said = _increasing(energy, mu, name)
    if energy.size < MIN_POINTS:
        raise BadMeasurement(f"{name} has only {energy.size} different energies.")
    if scan.kind not in AS_GIVEN:
        _refuse_saturated(mu, name)
    return replace(scan, energy=energy, mu=mu, done=(*done, *said))


def _increasing(
    energy: FloatArray, mu: FloatArray, name: str
) -> tuple[FloatArray, FloatArray, list[str]]:
    done = []
    steps = np.diff(energy)
    if steps.min() < -JITTER:
        first = int(np.argmin(steps))
        raise BadMeasurement(
            f"{name}: the energies go back from {energy[first]:g} to {energy[first + 1]:g} eV: "
            "if these are several scans in a row, split the file."
        )
    if steps.min() < 0:
        order = np.argsort(energy, kind="stable")
        energy, mu = energy[order], mu[order]
        done.append(f"sorted: the energies went back at {int((steps < 0).sum())} points")
    unique, where = np.unique(energy, return_inverse=True)
    if unique.size < energy.size:
        done.append(f"averaged points of equal energy ({energy.size - unique.size})")
        mu = np.bincount(where, mu) / np.bincount(where)
    return unique, mu, done


def _refuse_saturated(mu: FloatArray, name: str) -> None:
    height = float(np.ptp(mu))
    if height == 0:
        raise BadMeasurement(f"{name}: mu is the same everywhere: choose another column.")
    top = mu >= mu.max() - 1e-6 * height
    windows = np.lib.stride_tricks.sliding_window_view(top, FLAT_POINTS)
    if windows.all(axis=1).any():
        raise BadMeasurement(
            f"{name} is saturated: {int(top.sum())} points have the same highest value of mu; "
            "take a scan with a thinner sample or a detector in range."
        )
