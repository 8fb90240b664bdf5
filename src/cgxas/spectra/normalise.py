"""Measured spectra: a scan -> its pre-edge and post-edge lines, its normalised curve, its edge."""

import warnings
from dataclasses import replace
from typing import Any

import numpy as np

from cgxas.errors import BadMeasurement, ReadingWarning, SpectrumError
from cgxas.spectra.absorber import Absorber, absorber_of, refuse_elsewhere
from cgxas.spectra.edge import e0, half_step
from cgxas.spectra.io.larch import import_larch, quiet
from cgxas.spectra.io.scan import AS_GIVEN, MIN_POINTS, Scan, tidy
from cgxas.spectra.measurement import Measurement
from cgxas.spectra.ranges import (
    MIN_POST_EDGE,
    MIN_PRE_EDGE,
    Ranges,
    default_ranges,
    on_steep_background,
)
from cgxas.spectra.xray import neighbours, tabulated_edge
from cgxas.typing import FloatArray

_BEFORE, _AFTER = 60.0, 100.0
_BEHIND_EDGE, _BEFORE_EDGE, _ROOM = 40.0, 15.0, 40.0  # eV, between two edges of one element
_NOISE_STEPS = 3.0
_LEVEL = 0.03
_THIN = 0.05  # of ln(i0/it)
_LEAST_HEIGHT = 0.4  # of what is said to be normalised; the white line of a thick sample is damped
_ROUNDS, _AGREE = 10, 1e-3  # eV; they agree in the second round or the third
FEW_POINTS = 5
_LEAST_FITTED = 4  # points; a parabola through three is no fit


def normalise(scan: Scan, element: str | None = None, edge: str | None = None) -> Measurement:
    """Normalise a scan through Larch, with ranges counted from the e0 of the normalised curve.

    Data that are normalised already, and simulations, are left as they are. Of a scan of several
    edges of an element the points of lower ones are left out, and fits end before higher ones.

    Args:
        scan: as read.
        element: the absorber, if it is known.
        edge: its edge, K, L1, L2 or L3, if that is known.

    Raises:
        UnknownElement: the element is none.
        UnclearSpectrum: the file states an element or edge that there is not, or no edge is near
            enough for a guess.
        BadMeasurement: the points cannot be normalised.
        WrongEdge: the edge is not that of the element.
        MissingExtra: Larch is not installed.
    """
    scan = tidy(scan)
    absorber = absorber_of(scan, element, edge)
    scan = _without_lower_edge(scan, absorber)
    inside = _near_edge(scan, absorber)
    if scan.kind in AS_GIVEN or _is_normalised(scan, inside):
        return _as_given(scan, absorber)
    rise = _steepest(scan.energy[inside], scan.mu[inside])
    ranges, group = _settled(scan, rise, absorber)
    found = absorber.settled(half_step(scan.energy, group.norm), scan.source)
    if found != absorber:
        scan = _without_lower_edge(scan, found)
        ranges, group = _settled(scan, rise, found)
    _warn_of_thin(scan, float(group.edge_step))
    return _measurement(
        scan,
        found,
        norm=group.norm,
        flat=group.flat,
        kind=scan.kind,
        edge_step=float(group.edge_step),
        ranges=ranges,
        pre_line=group.pre_edge,
        post_line=group.post_edge,
        done=(*scan.done, *ranges.said),
    )


def renormalised(measured: Measurement, ranges: Ranges) -> Measurement:
    """Normalise a measurement again, with other ranges.

    They are counted from the e0 that it had, so that the same ranges always give the same curve.

    Args:
        measured: as `normalise` returns it.
        ranges: of the pre-edge and post-edge fits, eV from its e0.

    Returns:
        The measurement with the lines, curve and edge step that follow.

    Raises:
        BadMeasurement: it was normalised already, the ranges hold too few points, or no edge is
            left between them.
        MissingExtra: Larch is not installed.
    """
    if measured.ranges is None:
        raise BadMeasurement(
            f"{measured.source} was left as it is, {measured.kind}: there are no ranges to change."
        )
    origin = measured.e0
    _refuse_ranges(ranges, measured.energy - origin, measured.source)
    import_larch()
    scan = Scan(measured.energy, measured.mu, measured.kind, measured.format, measured.source)
    group = _fitted(scan, origin, ranges)
    said = measured.ranges.said
    return replace(
        measured,
        norm=group.norm,
        flat=group.flat,
        edge_step=float(group.edge_step),
        ranges=ranges,
        pre_line=group.pre_edge,
        post_line=group.post_edge,
        done=(*(each for each in measured.done if each not in said), *ranges.said),
    )


def _refuse_ranges(ranges: Ranges, x: FloatArray, source: str) -> None:
    """Refuse ranges that are in disorder, or hold too few of the points, eV from the edge."""
    if not ranges.pre1 < ranges.pre2 < 0 < ranges.norm1 < ranges.norm2:
        raise BadMeasurement(
            f"{source}: the pre-edge must end before the edge and the post-edge begin behind it, "
            f"not {ranges.pre1:g} to {ranges.pre2:g} and {ranges.norm1:g} to {ranges.norm2:g} eV."
        )
    if ranges.npre not in (0, 1) or ranges.nnorm not in (0, 1, 2):
        raise BadMeasurement(
            f"{source}: the pre-edge is of degree 0 or 1, the post-edge of 0 to 2, not "
            f"{ranges.npre} and {ranges.nnorm}."
        )
    fits = (("pre-edge", ranges.pre1, ranges.pre2), ("post-edge", ranges.norm1, ranges.norm2))
    for name, low, high in fits:
        count = int(((x >= low) & (x <= high)).sum())
        if count < _LEAST_FITTED:
            raise BadMeasurement(
                f"{source} has only {count} points in the {name} range of {low:g} to {high:g} eV: "
                "make it wider."
            )


def _warn_of_thin(scan: Scan, step: float) -> None:
    """Warn of an edge in transmission so small that another curve of the file may be meant."""
    if scan.hint and step < _THIN:
        warnings.warn(
            f"{scan.source}: the edge step in transmission is only {step:.2g}, and {scan.hint}",
            ReadingWarning,
            stacklevel=3,
        )


def _near_edge(scan: Scan, absorber: Absorber) -> Any:
    """Return which points may belong to the edge: those around the tabulated one, if known."""
    if not absorber.is_known:
        return slice(None)
    refuse_elsewhere(scan, absorber)
    expected = tabulated_edge(absorber.element, absorber.edge)
    inside = (scan.energy >= expected - _BEFORE) & (scan.energy <= expected + _AFTER)
    return inside if inside.sum() >= MIN_POINTS else slice(None)


def _steepest(energy: FloatArray, mu: FloatArray) -> float:
    import_larch()
    from larch.xafs import find_e0

    with quiet():
        return float(find_e0(energy, mu))


def _settled(scan: Scan, rise: float, absorber: Absorber) -> tuple[Ranges, Any]:
    """Return ranges counted from an edge, and Larch's group of the curve whose e0 it is.

    Args:
        scan: of raw mu.
        rise: where mu is steepest, eV.
        absorber: what the scan is of; where that is known, fits end before its next edge.
    """
    origin, alone = rise, _below_next_edge(scan.energy, absorber)
    for _ in range(_ROUNDS):
        ranges = default_ranges(alone, origin, rise, scan.source)
        ranges = on_steep_background(ranges, scan.energy, scan.mu, origin)
        group = _fitted(scan, origin, ranges)
        try:
            found = e0(scan.energy, group.norm)
        except SpectrumError as error:
            raise BadMeasurement(f"{scan.source}: {error} Choose another column of mu.") from error
        if abs(found - origin) < _AGREE:
            break
        origin = found
    return ranges, group


def _without_lower_edge(scan: Scan, absorber: Absorber) -> Scan:
    """Return the scan without the points of the element's next lower edge, if it holds them.

    Such an edge, L3 below L2, would be the first of the curve.
    """
    if not absorber.is_known:
        return scan
    own = tabulated_edge(absorber.element, absorber.edge)
    below, _ = neighbours(absorber.element, absorber.edge)
    first = below + _BEHIND_EDGE
    kept = scan.energy >= first
    if kept.all() or scan.energy[0] > below or own - first < _ROOM or kept.sum() < MIN_POINTS:
        return scan
    said = f"left out {int((~kept).sum())} points below {first:.0f} eV: they are of a lower edge"
    return replace(scan, energy=scan.energy[kept], mu=scan.mu[kept], done=(*scan.done, said))


def _below_next_edge(energy: FloatArray, absorber: Absorber) -> FloatArray:
    """Return the energies below the element's next higher edge, if that leaves enough."""
    if not absorber.is_known:
        return energy
    _, above = neighbours(absorber.element, absorber.edge)
    last = above - _BEFORE_EDGE
    is_room = last - tabulated_edge(absorber.element, absorber.edge) > _ROOM
    return energy[energy <= last] if is_room else energy


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


def _as_given(scan: Scan, absorber: Absorber) -> Measurement:
    middle = _half_step_as_given(scan)
    kind = scan.kind if scan.kind == "simulated" else "normalised"
    return _measurement(
        scan,
        absorber.settled(middle, scan.source, is_checked=kind != "simulated"),
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


def _measurement(scan: Scan, absorber: Absorber, **found: Any) -> Measurement:
    """Return a measurement with what the scan tells and what was found."""
    return Measurement(
        energy=scan.energy,
        mu=scan.mu,
        element=absorber.element,
        edge=absorber.edge,
        edge_source=absorber.source,
        edge_guess=absorber.guess,
        format=scan.format,
        source=scan.source,
        label=scan.label,
        energy_shift=scan.energy_shift,
        trust=scan.trust,
        **found,
    )
