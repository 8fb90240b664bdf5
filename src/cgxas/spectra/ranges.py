"""Where pre-edge and post-edge are fitted: for long scans as usual, for short ones shorter."""

from dataclasses import dataclass, replace

import numpy as np

from cgxas.errors import BadMeasurement
from cgxas.typing import FloatArray

MIN_PRE_EDGE = 5.0
"""A scan that begins less than this below its edge, in eV, has no pre-edge."""

MIN_POST_EDGE = 20.0
"""A scan that ends less than this above its edge, in eV, has no post-edge."""

_SHORT_PRE, _SHORT_POST = 60.0, 60.0
_PRE_EDGE_PEAK = 25.0  # those of chromates lie 15 eV below e0
_LINE = 30.0
_CONSTANT, _PARABOLA = 100.0, 300.0
_STRAIGHT = 0.6  # ratio of the slopes of both halves of a short pre-edge
_STEEP = 0.15  # of the step, over a short pre-edge
_STEP_FROM, _STEP_TO = 10.0, 40.0  # eV from the edge
_FEW_POINTS = 6


@dataclass(frozen=True)
class Ranges:
    """Ranges of the fits, in eV from e0.

    Attributes:
        pre1: begin of the pre-edge, negative.
        pre2: end of the pre-edge, negative.
        npre: degree of the pre-edge: 0 constant, 1 line.
        norm1: begin of the post-edge.
        norm2: end of the post-edge.
        nnorm: degree of the post-edge: 0 to 2.
        said: what the user should know of them.
    """

    pre1: float
    pre2: float
    npre: int
    norm1: float
    norm2: float
    nnorm: int
    said: tuple[str, ...] = ()


def default_ranges(energy: FloatArray, e0: float, rise: float, name: str) -> Ranges:
    """Choose the ranges by how far a scan reaches.

    Long scans: -150 to -30 eV, a line; 100 to 500 eV, a parabola (a line below 300 eV). Short
    ones: the lower 60 % of the pre-edge, a constant if there are less than 30 eV, because
    a line would follow the foot of the edge; the upper half of the post-edge, a constant below
    100 eV, because a line would follow the white line. The pre-edge ends before a pre-edge peak
    as it does before the edge.

    Args:
        energy: (P,) eV, increasing.
        e0: the edge, eV; what the ranges are counted from.
        rise: where mu itself is steepest, eV: e0, or on a pre-edge peak.
        name: of the spectrum, for the message.

    Raises:
        BadMeasurement: there is no pre-edge, or no post-edge.
    """
    below, above = e0 - float(energy[0]), float(energy[-1]) - e0
    peak = max(0.0, e0 - rise) if e0 - rise < _PRE_EDGE_PEAK else 0.0
    if below - peak < MIN_PRE_EDGE or np.sum(energy < e0 - peak - MIN_PRE_EDGE / 2) < 3:
        raise BadMeasurement(
            f"{name} has no pre-edge: it begins at {energy[0]:.1f} eV and its edge is at {e0:.1f} "
            f"eV; a scan must begin at least {MIN_PRE_EDGE:g} eV below the edge."
        )
    if above < MIN_POST_EDGE:
        raise BadMeasurement(
            f"{name} has no post-edge: it ends at {energy[-1]:.1f} eV and its edge is at {e0:.1f} "
            f"eV; a scan must end at least {MIN_POST_EDGE:g} eV above the edge."
        )
    norm2 = min(500.0, above)
    said = []
    if below < _SHORT_PRE:
        said.append(f"short pre-edge ({below:.0f} eV): the step is less sure")
    if above < _SHORT_POST:
        said.append(f"short post-edge ({above:.0f} eV): the step is less sure")
    return Ranges(
        pre1=-min(150.0, below),
        pre2=-peak - min(30.0, max(0.4 * (below - peak), MIN_PRE_EDGE / 2)),
        npre=1 if below >= _LINE else 0,
        norm1=min(100.0, (0.5 if above < _CONSTANT else 0.4) * norm2),
        norm2=norm2,
        nnorm=0 if above < _CONSTANT else 1 if above < _PARABOLA else 2,
        said=tuple(said),
    )


def on_steep_background(ranges: Ranges, energy: FloatArray, mu: FloatArray, e0: float) -> Ranges:
    """Return the ranges with a line in place of a constant where a short pre-edge asks for one.

    The pre-edge of sulfides and of thin layers is often short and lies on a background that
    falls, or rises, by more than the edge. It is told from the foot of an edge by its straightness:
    the slopes of its halves differ by less than two fifths, and it runs over the pre-edge by
    more than a seventh of the step that the line leaves.

    Args:
        ranges: as `default_ranges` gives them.
        energy: (P,) eV, increasing.
        mu: (P,) raw.
        e0: the edge, eV.
    """
    inside = (energy >= e0 + ranges.pre1) & (energy <= e0 + ranges.pre2)
    above = (energy >= e0 + _STEP_FROM) & (energy <= e0 + _STEP_TO)
    if ranges.npre or inside.sum() < _FEW_POINTS or not above.any():
        return ranges
    x, y = energy[inside], mu[inside]
    half = x.size // 2
    lower, upper, whole = (
        _slope(x[part], y[part]) for part in (np.s_[:half], np.s_[half:], np.s_[:])
    )
    line = y.mean() + whole * (energy - x.mean())
    step = float((mu - line)[above].mean())
    is_straight = lower * upper > 0 and min(lower / upper, upper / lower) > _STRAIGHT
    if not is_straight or not 0 < step < abs(whole) * np.ptp(x) / _STEEP:
        return ranges
    said = "a line through the short pre-edge: the background is steep"
    return replace(ranges, npre=1, said=(*ranges.said, said))


def _slope(x: FloatArray, y: FloatArray) -> float:
    return float(np.polyfit(x - x.mean(), y, 1)[0])
