"""Measured spectra: a scan -> its edge, its pre-edge and post-edge lines, its normalised curve."""

from typing import Any

import numpy as np

from cgxas.elements import atomic_number
from cgxas.errors import BadMeasurement, SpectrumError, UnclearSpectrum, UnknownElement, WrongEdge
from cgxas.spectra.edge import half_step_energy
from cgxas.spectra.io.larch import quiet
from cgxas.spectra.io.scan import AS_GIVEN, MIN_POINTS, Scan, tidy
from cgxas.spectra.measurement import Measurement
from cgxas.spectra.ranges import MIN_POST_EDGE, MIN_PRE_EDGE, Ranges, default_ranges
from cgxas.spectra.xray import NEAR, check_edge, guess_edge, tabulated_edge
from cgxas.typing import FloatArray

_BEFORE, _AFTER = 60.0, 100.0
_NOISE_STEPS = 3.0
_LEVEL = 0.03
FEW_POINTS = 5


def normalise(scan: Scan, element: str | None = None, flatten: bool = False) -> Measurement:
    """Find the edge of a scan and normalise it through Larch.

    Data that are normalised already, and simulations, are left as they are.

    Args:
        scan: as read.
        element: the absorber, if it is known.
        flatten: make the post-edge curve level.

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
    e0 = _steepest(scan.energy[inside], scan.mu[inside])
    ranges = default_ranges(scan.energy, e0, scan.source)
    group = _fitted(scan, e0, ranges)
    if not wanted:
        wanted, edge = guess_edge(e0)
    check_edge(e0, wanted, edge, scan.source)
    return _measurement(
        scan,
        wanted,
        edge,
        norm=group.flat if flatten else group.norm,
        kind=scan.kind,
        e0=e0,
        edge_step=float(group.edge_step),
        ranges=ranges,
        pre_line=group.pre_edge,
        post_line=group.post_edge,
        flattened=flatten,
        done=(*scan.done, *ranges.said),
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
    from larch.xafs import find_e0

    with quiet():
        return float(find_e0(energy, mu))


def _fitted(scan: Scan, e0: float, ranges: Ranges) -> Any:
    """Return Larch's group of the normalised scan, or refuse a scan without an edge."""
    from larch import Group
    from larch.xafs import pre_edge

    group: Any = Group(energy=scan.energy.copy(), mu=scan.mu.copy())
    with quiet():
        pre_edge(
            group,
            e0=e0,
            pre1=ranges.pre1,
            pre2=ranges.pre2,
            norm1=ranges.norm1,
            norm2=ranges.norm2,
            nnorm=ranges.nnorm,
            npre=ranges.npre,
        )
    before = scan.energy <= e0 + ranges.pre2
    noise = float(np.std((scan.mu - group.pre_edge)[before]))
    at = int(np.argmin(np.abs(scan.energy - e0)))
    step = float((group.post_edge - group.pre_edge)[at])  # Larch's edge_step has lost its sign
    if not step > _NOISE_STEPS * noise:
        way = "falls" if step < 0 else "rises"
        raise BadMeasurement(
            f"{scan.source} has no edge: mu {way} by {abs(step):.3g} at {e0:.1f} eV, with a noise "
            f"of {noise:.2g} before; choose another column of mu, or the element."
        )
    return group


def _is_normalised(scan: Scan, inside: Any) -> bool:
    """Tell data that begin at 0 and end at 1: normalising them again would only add noise."""
    try:
        e0 = half_step_energy(scan.energy[inside], scan.mu[inside], step=1.0)
    except SpectrumError:
        return False
    above = float(scan.energy[-1]) - e0
    before = scan.energy < e0 - MIN_PRE_EDGE
    after = scan.energy > e0 + min(100.0, above / 2)  # beyond the white line
    if above < MIN_POST_EDGE or min(before.sum(), after.sum()) < FEW_POINTS:
        return False
    ends = np.abs([scan.mu[before][:FEW_POINTS].mean(), scan.mu[before].mean()])
    return bool(ends.max() < _LEVEL and abs(scan.mu[after].mean() - 1.0) < _LEVEL)


def _as_given(scan: Scan, element: str, edge: str) -> Measurement:
    try:
        e0 = half_step_energy(scan.energy, scan.mu, step=1.0)
    except SpectrumError as error:
        raise BadMeasurement(
            f"{scan.source} is said to be {scan.kind}, but mu does not reach 1: {error}"
        ) from error
    if not element:
        element, edge = guess_edge(e0)
    elif scan.kind != "simulated":  # calculated energies are off by more than measured ones
        check_edge(e0, element, edge, scan.source)
    kind = scan.kind if scan.kind == "simulated" else "normalised"
    return _measurement(
        scan,
        element,
        edge,
        norm=scan.mu,
        kind=kind,
        e0=e0,
        edge_step=1.0,
        done=(*scan.done, f"left as it is: {kind} already"),
    )


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
