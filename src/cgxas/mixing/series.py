"""Named scans -> a series on common energies."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from cgxas.errors import BadMeasurement
from cgxas.limits import FITTED
from cgxas.mixing.faults import same_numbers
from cgxas.mixing.scans import Scans
from cgxas.spectra.measurement import Measurement
from cgxas.typing import FloatArray

FIRST, LAST = -20.0, 80.0
"""The usual range of a fit, eV from the edge."""

LEAST_POINTS = 20
"""A fit needs so many."""

LEAST_ABOVE = 15.0
"""And reaches as many eV over the edge."""

MAX_GAP = 10.0
"""Points further apart, eV, tell nothing of the curve between them."""

_SLACK = 2.0  # eV by which a scan may be shorter than the range


@dataclass(frozen=True, eq=False)
class Series:
    """Scans on common energies, (N,) of them with (P,) points.

    Attributes:
        names: (N,) of the scans.
        element: absorber.
        edge: its edge.
        axis_name: what the scans are laid along, with its unit: "order", "time_s".
        axis: (N,) where each stands on it; NaN where that is not known.
        energy: (P,) eV, the range of the fit.
        norm: (N, P) normalised.
        edge_energy: median half step, eV, from which the range is counted.
        half_step: (N,) eV.
        notes: (N,) what is worth knowing of a scan, or empty.
        left_out: name and reason of each scan that is none.
    """

    names: tuple[str, ...]
    element: str
    edge: str
    axis_name: str
    axis: FloatArray
    energy: FloatArray
    norm: FloatArray
    edge_energy: float
    half_step: FloatArray
    notes: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]

    def __len__(self) -> int:
        return len(self.names)

    def only(self, scans: Sequence[int]) -> "Series":
        """Return the series with some of its scans alone, by their numbers."""
        at = list(scans)
        return replace(
            self,
            names=tuple(self.names[n] for n in at),
            axis=self.axis[at],
            norm=self.norm[at],
            half_step=self.half_step[at],
            notes=tuple(self.notes[n] for n in at),
        )


def series_of(
    scans: Scans,
    axis: tuple[str, FloatArray],
    window: tuple[float, float] = (FIRST, LAST),
    energy: FloatArray | None = None,
) -> Series:
    """Lay scans on common energies, those of the scan with the usual number of points.

    Args:
        scans: as read.
        axis: what they are laid along, and where each stands on it, (N,).
        window: the range, eV from the median half step.
        energy: (P,) eV that are kept, of a series that grows; the window is not used then.

    Raises:
        BadMeasurement: no scan can be used, or the range holds too few points.
    """
    good, left_out = scans.good, list(scans.left_out)
    if not good:
        raise _none(left_out)
    half = np.array([scan.data.half_step + scan.data.energy_shift for scan in good])
    middle = float(np.median(half))
    points = _points([each.data for each in good], middle, window) if energy is None else energy
    reasons = [_too_short(each.data, points) for each in good]
    norm = np.array([_on(points, each.data) for each in good])
    left_out += [(each.name, why) for each, why in zip(good, reasons, strict=True) if why]
    kept = np.flatnonzero([not reason for reason in reasons])
    if not kept.size:
        raise _none(left_out)
    kept = kept[np.argsort(axis[1][kept], kind="stable")]
    first = good[kept[0]].data
    twins = same_numbers([good[n].name for n in kept], [good[n].data.mu for n in kept])
    notes = ["; ".join(filter(None, [good[n].note, t])) for n, t in zip(kept, twins, strict=True)]
    return Series(
        tuple(good[n].name for n in kept),
        first.element,
        first.edge,
        axis[0],
        axis[1][kept],
        points,
        norm[kept],
        middle,
        half[kept],
        tuple(notes),
        tuple(left_out),
    )


def _none(left_out: Sequence[tuple[str, str]]) -> BadMeasurement:
    if not left_out:
        return BadMeasurement("there is no scan: name files of some, or other columns")
    name, why = left_out[0]
    return BadMeasurement(f"none of the {len(left_out)} scans can be used; {name}: {why}")


def _points(scans: Sequence[Measurement], middle: float, window: tuple[float, float]) -> FloatArray:
    """Return the energies of the scan that has the median number of points in the window.

    The window ends where half of the scans do.
    """
    ends = np.array([(s.energy + s.energy_shift)[[0, -1]] for s in scans])
    first = max(middle + window[0], float(np.median(ends[:, 0])))
    last = min(middle + window[1], float(np.median(ends[:, 1])))
    inside = []
    for scan in scans:
        energy = scan.energy + scan.energy_shift
        inside.append(energy[(energy >= first) & (energy <= last)])
    sizes = np.array([len(each) for each in inside])
    points = inside[int(np.argmin(np.abs(sizes - np.median(sizes))))]
    if points.size < LEAST_POINTS or points[-1] < middle + LEAST_ABOVE:
        raise BadMeasurement(
            f"the scans have {points.size} points between {first:.1f} and {last:.1f} eV: a fit "
            f"needs {LEAST_POINTS}, and {LEAST_ABOVE:g} eV behind the edge; choose another --range"
        )
    where = f"between {first:.1f} and {last:.1f} eV the scans have"
    FITTED.refuse_beyond(points.size, where, BadMeasurement)
    return points


def _too_short(scan: Measurement, points: FloatArray) -> str:
    first, last = (scan.energy + scan.energy_shift)[[0, -1]]
    if last < points[-1] - _SLACK:
        return f"it ends at {last:.1f} eV, and the fit at {points[-1]:.1f} eV"
    if first > points[0] + _SLACK:
        return f"it begins at {first:.1f} eV, and the fit at {points[0]:.1f} eV"
    if gap := hole(scan.energy + scan.energy_shift, points[0], points[-1]):
        return f"it has no points between {gap[0]:.1f} and {gap[1]:.1f} eV"
    return ""


def hole(energy: FloatArray, first: float, last: float) -> tuple[float, float] | None:
    """Return the ends of a gap too wide to be bridged between two energies, None without one."""
    steps = np.diff(energy)
    inside = (energy[1:] > first) & (energy[:-1] < last) & (steps > MAX_GAP)
    at = int(np.argmax(inside))
    return (float(energy[at]), float(energy[at + 1])) if inside.any() else None


def _on(points: FloatArray, scan: Measurement) -> FloatArray:
    return np.interp(points, scan.energy + scan.energy_shift, scan.flattened().norm)
