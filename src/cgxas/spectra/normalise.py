"""Measured spectra: a scan -> its pre-edge and post-edge lines, its normalised curve, its edge."""

import warnings
from typing import Any

import numpy as np

from cgxas.elements import atomic_number
from cgxas.errors import (
    BadMeasurement,
    ReadingWarning,
    SpectrumError,
    UnclearSpectrum,
    UnknownElement,
    WrongEdge,
)
from cgxas.spectra.edge import e0, half_step
from cgxas.spectra.io.larch import need_larch, quiet
from cgxas.spectra.io.scan import AS_GIVEN, MIN_POINTS, Scan, tidy
from cgxas.spectra.measurement import Measurement
from cgxas.spectra.ranges import (
    MIN_POST_EDGE,
    MIN_PRE_EDGE,
    Ranges,
    default_ranges,
    on_steep_background,
)
from cgxas.spectra.xray import NEAR, check_edge, guess_edge, tabulated_edge
from cgxas.typing import FloatArray

_BEFORE, _AFTER = 60.0, 100.0
_NOISE_STEPS = 3.0
_LEVEL = 0.03
_THIN = 0.05  # of ln(i0/it)
_LEAST_HEIGHT = 0.4  # of what is said to be normalised; the white line of a thick sample is damped
_ROUNDS, _AGREE = 10, 1e-3  # eV; they agree in the second round or the third
FEW_POINTS = 5


def normalise(scan: Scan, element: str | None = None) -> Measurement:
    """Normalise a scan through Larch, with ranges counted from the e0 of the normalised curve.

    Data that are normalised already, and simulations, are left as they are.

    Args:
        scan: as read.
        element: the absorber, if it is known.

    Raises:
        UnknownElement: the element is none.
        UnclearSpectrum: the file states an element or edge that there is not.
        BadMeasurement: the points cannot be normalised.
        WrongEdge: the edge is not that of the element.
        MissingExtra: Larch is not installed.
    """
    if element:
        atomic_number(element)
    scan = tidy(scan)
    wanted, edge = _stated(scan) if element in (None, scan.element) else (element or "", "K")
    inside = _near_edge(scan, wanted, edge)
    if scan.kind in AS_GIVEN or _is_normalised(scan, inside):
        return _as_given(scan, wanted, edge)
    origin, ranges, group = _settled(scan, _steepest(scan.energy[inside], scan.mu[inside]))
    if not wanted:
        wanted, edge = guess_edge(origin)
    check_edge(origin, wanted, edge, scan.source)
    _warn_of_thin(scan, float(group.edge_step))
    return _measurement(
        scan,
        wanted,
        edge,
        norm=group.norm,
        flat=group.flat,
        kind=scan.kind,
        edge_step=float(group.edge_step),
        ranges=ranges,
        pre_line=group.pre_edge,
        post_line=group.post_edge,
        done=(*scan.done, *ranges.said),
    )


def _warn_of_thin(scan: Scan, step: float) -> None:
    """Warn of an edge in transmission so small that another curve of the file may be meant."""
    if scan.hint and step < _THIN:
        warnings.warn(
            f"{scan.source}: the edge step in transmission is only {step:.2g}, and {scan.hint}",
            ReadingWarning,
            stacklevel=3,
        )


def _stated(scan: Scan) -> tuple[str, str]:
    """Return the element and edge that a file states; no element if it states none."""
    edge = scan.edge or "K"
    if scan.element:
        try:
            tabulated_edge(scan.element, edge)
        except UnknownElement as error:
            raise UnclearSpectrum(
                f"{scan.source} states an edge that there is not, {scan.element} {edge}: correct "
                "it, or choose another element with --element."
            ) from error
    return scan.element, edge


def _near_edge(scan: Scan, element: str, edge: str) -> Any:
    """Return which points may belong to the edge: those around the tabulated one, if known."""
    if not element:
        return slice(None)
    expected = tabulated_edge(element, edge)
    energy = scan.energy
    if energy[-1] < expected - NEAR or energy[0] > expected + NEAR:
        raise WrongEdge(
            f"{scan.source} reaches from {energy[0]:.0f} to {energy[-1]:.0f} eV, but the "
            f"{element} {edge} edge lies at {expected:.0f} eV: choose another element or file."
        )
    inside = (energy >= expected - _BEFORE) & (energy <= expected + _AFTER)
    return inside if inside.sum() >= MIN_POINTS else slice(None)


def _steepest(energy: FloatArray, mu: FloatArray) -> float:
    need_larch()
    from larch.xafs import find_e0

    with quiet():
        return float(find_e0(energy, mu))


def _settled(scan: Scan, rise: float) -> tuple[float, Ranges, Any]:
    """Return an edge, ranges counted from it, and Larch's group of the curve whose e0 it is.

    Args:
        scan: of raw mu.
        rise: where mu is steepest, eV.
    """
    origin = rise
    for _ in range(_ROUNDS):
        ranges = default_ranges(scan.energy, origin, rise, scan.source)
        ranges = on_steep_background(ranges, scan.energy, scan.mu, origin)
        group = _fitted(scan, origin, ranges)
        try:
            found = e0(scan.energy, group.norm)
        except SpectrumError as error:
            raise BadMeasurement(f"{scan.source}: {error} Choose another column of mu.") from error
        if abs(found - origin) < _AGREE:
            break
        origin = found
    return origin, ranges, group


def _fitted(scan: Scan, origin: float, ranges: Ranges) -> Any:
    """Return Larch's group of the normalised scan, or refuse a scan without an edge."""
    from larch import Group
    from larch.xafs import pre_edge

    group: Any = Group(energy=scan.energy.copy(), mu=scan.mu.copy())
    with quiet():
        pre_edge(
            group,
            e0=origin,
            pre1=ranges.pre1,
            pre2=ranges.pre2,
            norm1=ranges.norm1,
            norm2=ranges.norm2,
            nnorm=ranges.nnorm,
            npre=ranges.npre,
        )
    before = (scan.energy >= origin + ranges.pre1) & (scan.energy <= origin + ranges.pre2)
    noise = float(np.std((scan.mu - group.pre_edge)[before]))
    at = int(np.argmin(np.abs(scan.energy - origin)))
    step = float((group.post_edge - group.pre_edge)[at])  # Larch's edge_step has lost its sign
    if not step > _NOISE_STEPS * noise:
        way = "falls" if step < 0 else "rises"
        raise BadMeasurement(
            f"{scan.source} has no edge: mu {way} by {abs(step):.3g} at {origin:.1f} eV, with "
            f"a noise of {noise:.2g} before; "
            f"{scan.hint or 'choose another column of mu, or the element'}."
        )
    return group


def _is_normalised(scan: Scan, inside: Any) -> bool:
    """Tell data that begin at 0 and end at 1: normalising them again would only add noise."""
    try:
        middle = half_step(scan.energy[inside], scan.mu[inside])
    except SpectrumError:
        return False
    above = float(scan.energy[-1]) - middle
    before = scan.energy < middle - MIN_PRE_EDGE
    after = scan.energy > middle + min(100.0, above / 2)  # beyond the white line
    if above < MIN_POST_EDGE or min(before.sum(), after.sum()) < FEW_POINTS:
        return False
    ends = np.abs([scan.mu[before][:FEW_POINTS].mean(), scan.mu[before].mean()])
    return bool(ends.max() < _LEVEL and abs(scan.mu[after].mean() - 1.0) < _LEVEL)


def _as_given(scan: Scan, element: str, edge: str) -> Measurement:
    middle = _half_step_as_given(scan)
    if not element:
        element, edge = guess_edge(middle)
    elif scan.kind != "simulated":  # calculated energies are off by more than measured ones
        check_edge(middle, element, edge, scan.source)
    kind = scan.kind if scan.kind == "simulated" else "normalised"
    return _measurement(
        scan,
        element,
        edge,
        norm=scan.mu,
        kind=kind,
        edge_step=1.0,
        done=(*scan.done, f"left as it is: {kind} already"),
    )


def _half_step_as_given(scan: Scan) -> float:
    """Return the half step of data left as they are, or refuse them."""
    if scan.kind == "normalised" and scan.mu.max() < _LEAST_HEIGHT:
        raise BadMeasurement(
            f"{scan.source} is said to be normalised, but mu does not reach 1, only "
            f"{scan.mu.max():.2g}: choose its raw mu with --mu."
        )
    try:
        e0(scan.energy, scan.mu)
        return half_step(scan.energy, scan.mu)
    except SpectrumError as error:
        raise BadMeasurement(f"{scan.source} is said to be {scan.kind}: {error}") from error


def _measurement(scan: Scan, element: str, edge: str, **found: Any) -> Measurement:
    """Return a measurement with what the scan tells and what was found."""
    return Measurement(
        energy=scan.energy,
        mu=scan.mu,
        element=element,
        edge=edge,
        format=scan.format,
        source=scan.source,
        label=scan.label,
        energy_shift=scan.energy_shift,
        **found,
    )
