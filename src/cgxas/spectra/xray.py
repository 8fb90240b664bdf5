"""Tabulated edges and core-hole widths, from xraydb (which comes with Larch); energy windows.

The widths of K holes, which answers rest on, stand here: xraydb is an optional extra.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

import numpy as np

from cgxas.errors import MissingExtra, UnknownElement, WrongEdge
from cgxas.spectra.spectrum import EnergyGrid
from cgxas.typing import FloatArray

NEAR = 40.0
"""An edge further than this from the table, in eV, is that of another element."""

EDGES: Final = ("K", "L1", "L2", "L3")
"""The edges that are read, and among which one is guessed."""

_UNLIKELY = frozenset(["Pm", "Po", "At", "Rn", "Fr", "Ra", "Ac", "Pa", "Cm", "Bk", "Cf"])
_BELOW = 2.0
_RARE: Final = {"K": 0.0, "L3": 0.0, "L2": 15.0, "L1": 15.0}  # eV
_TOLD, _MOST_TOLD = 25.0, 2  # eV, edges


@dataclass(frozen=True)
class Guess:
    """The tabulated edge that a measured one is taken for.

    Attributes:
        element: symbol.
        edge: one of `EDGES`.
        distance: eV by which the measured edge lies above the tabulated one.
        others: as above, of further edges within 25 eV, the likeliest first; at most 2.
    """

    element: str
    edge: str
    distance: float
    others: tuple[tuple[str, str, float], ...] = ()

    @property
    def words(self) -> str:
        """How it was guessed, and what else it could be."""
        nearer = any(abs(each[2]) < abs(self.distance) for each in self.others)
        rule = "likeliest" if nearer else "nearest"
        found = f"{rule} tabulated edge, {abs(self.distance):.1f} eV away"
        others = [f"{e} {edge} is {abs(far):.1f} eV away" for e, edge, far in self.others]
        return "; ".join([found, *others])


def tabulated_edge(element: str, edge: str = "K") -> float:
    """Return the tabulated energy of an edge in eV.

    Raises:
        UnknownElement: xraydb does not know the element or the edge.
        MissingExtra: xraydb is not installed.
    """
    try:
        found = _xray_edge(element, edge)
    except ValueError:  # no such element
        found = None
    if found is None:
        raise UnknownElement(f"{element} {edge} is not an edge in the tables; write Fe, not iron.")
    return float(found.energy)


def core_hole_width(element: str, edge: str = "K") -> float:
    """Return the core-hole width (full width at half maximum of a Lorentzian) in eV.

    Source: Krause and Oliver 1979, Keski-Rahkonen and Krause 1974, by way of xraydb.

    Raises:
        MissingExtra: xraydb is not installed.
    """
    return float(_core_width(element, edge))


def guess_edge(
    half_step: float, edges: Sequence[str] = EDGES, element: str | None = None
) -> Guess | None:
    """Return the tabulated edge that lies nearest to a measured one, as such things are measured.

    A half step lies above its tabulated edge far more often than below, since the tables are of
    metals and oxidation moves edges up: a distance below counts twice. L1 and L2 edges are hardly
    measured without the L3 edge, and some lie a few eV above the K edges of Mn, Fe and P: they
    count as 15 eV further. Elements without stable isotopes are left out, but Tc, Th, U, Np, Pu
    and Am.

    Of 437 scans of K edges of known elements this finds 432; the plainly nearest edge is the right
    one of 342 (Nd L1 for iron oxides, Ce L1 for manganese oxides).

    Args:
        half_step: of the measured curve, eV.
        edges: those it may be.
        element: the only one it may be of, if that is known.

    Returns:
        The guess; None if no such edge lies within 40 eV.

    Raises:
        MissingExtra: xraydb is not installed.
    """
    near = sorted(
        (_unlikeliness(half_step - energy, edge), symbol, edge, half_step - energy)
        for symbol, edge, energy in _table()
        if edge in edges and element in (None, symbol) and abs(half_step - energy) <= NEAR
    )
    if not near:
        return None
    found = [(symbol, edge, distance) for _, symbol, edge, distance in near]
    others = [each for each in found[1:] if abs(each[2]) <= _TOLD]
    return Guess(*found[0], tuple(others[:_MOST_TOLD]))


def _unlikeliness(distance: float, edge: str) -> float:
    return (distance if distance >= 0 else -_BELOW * distance) + _RARE[edge]


@cache
def _table() -> tuple[tuple[str, str, float], ...]:
    """Return element, edge and energy in eV of all edges that are guessed."""
    database = _xraydb()
    symbols = (database.atomic_symbol(n) for n in range(1, 99))
    return tuple(
        (symbol, edge, float(found.energy))
        for symbol in symbols
        if symbol not in _UNLIKELY
        for edge, found in database.xray_edges(symbol).items()
        if edge in EDGES
    )


def edges_within(element: str, first: float, last: float) -> list[str]:
    """Return the K and L edges of an element that a scan may be of; it must end above its edge.

    Args:
        element: symbol.
        first: energy of the scan, eV.
        last: energy of the scan, eV.
    """
    return [
        edge
        for edge in EDGES
        if (found := _xray_edge(element, edge)) is not None and first - NEAR <= found.energy <= last
    ]


def neighbours(element: str, edge: str) -> tuple[float, float]:
    """Return the energies in eV of the element's next K or L edges below and above an edge.

    They are minus and plus infinity where there is none.
    """
    own = tabulated_edge(element, edge)
    known = [_xray_edge(element, each) for each in EDGES]
    energies = [float(found.energy) for found in known if found]
    below = max((e for e in energies if e < own), default=float("-inf"))
    return below, min((e for e in energies if e > own), default=float("inf"))


def check_edge(e0: float, element: str, edge: str, name: str) -> None:
    """Refuse an edge that is not that of an element.

    Args:
        e0: the edge found, eV.
        element: the one it should be of.
        edge: name of the edge.
        name: of the spectrum, for the message.

    Raises:
        WrongEdge: it lies more than 40 eV from the table.
    """
    expected = tabulated_edge(element, edge)
    if abs(e0 - expected) <= NEAR:
        return
    found = guess_edge(e0)
    advice = (
        f"this looks like {found.element} {found.edge}"
        if found
        else "no other K or L edge is near; choose another file or column"
    )
    raise WrongEdge(
        f"{name} has its edge at {e0:.1f} eV, but the {element} {edge} edge lies at "
        f"{expected:.0f} eV: {advice}."
    )


@cache
def _xray_edge(element: str, edge: str) -> Any:
    """Return an edge of the database, which is asked several times for every scan."""
    return _xraydb().xray_edge(element, edge)


@cache
def _core_width(element: str, edge: str) -> Any:
    """Return a width of the database, which is asked for every scan."""
    return _xraydb().core_width(element, edge)


def _xraydb() -> Any:
    try:
        import xraydb
    except ImportError as error:
        raise MissingExtra.of("xraydb", "larch") from error
    return xraydb


_FIRST_ENERGIES: Final = """
Li:55 Be:114 B:189 C:276 N:396 O:526 F:675
Na:1072 Mg:1302 Al:1560 Si:1838 P:2140 S:2465 Cl:2815
K:3609 Ca:4040 Sc:4493 Ti:4970 V:5466 Cr:5991 Mn:6546 Fe:7112 Co:7717 Ni:8338 Cu:8985 Zn:9664
Ga:10374 Ge:11109 As:11871 Se:12659 Br:13476
Rb:15210 Sr:16118 Y:17051 Zr:18011 Nb:18999 Mo:20018 Tc:21062 Ru:22135 Rh:23239 Pd:24371 Ag:25539
Cd:26739 In:27969 Sn:29231 Sb:30523 Te:31847 I:33203
"""
_WIDTH: Final = 55.0
_POINTS: Final = 100

WINDOWS: Final[dict[tuple[str, str], EnergyGrid]] = {
    (symbol, "K"): EnergyGrid(float(first), float(first) + _WIDTH, _POINTS)
    for symbol, first in (word.split(":") for word in _FIRST_ENERGIES.split())
}
"""(element, edge) -> the energies that new models answer on."""


def windows(n_points: int = _POINTS, edge: str = "K") -> dict[str, EnergyGrid]:
    """Return the windows of an edge by element, with as many points as are wanted."""
    return {
        symbol: replace(window, n_points=n_points)
        for (symbol, its_edge), window in WINDOWS.items()
        if its_edge == edge
    }


BEFORE, AFTER = 15.0, 50.0
"""eV before and after its half step that every answer covers at least."""

STEP = 0.2
"""eV from one energy of an answer to the next."""

_SPREAD = 22.0  # eV that a half step may lie away from the middle of those that are known
_LOWEST = 1.0  # eV


def answer_grid(half_steps: FloatArray) -> EnergyGrid:
    """Return the energies on which all crystals of an absorber are answered, so that they compare.

    They cover `BEFORE` and `AFTER` eV around every half step within 22 eV of the middle of the
    known ones: from metals to the highest oxides it is some 20 eV. All absorbers have as many.

    Args:
        half_steps: (N,) of spectra of the absorber, eV; at least one.
    """
    middle = float(np.min(half_steps) + np.max(half_steps)) / 2
    start = max(float(np.floor(middle)) - _SPREAD - BEFORE, _LOWEST)
    whole = BEFORE + 2 * _SPREAD + AFTER + 1.0
    return EnergyGrid(start, start + whole, round(whole / STEP) + 1)


_K_WIDTHS: Final = """
.02 .027 .036 .048 .065 .087 .116 .156 .209 .24 .3 .36 .42 .48 .53 .59 .64 .68 .74 .81 .86 .94 1.01
1.08 1.16 1.25 1.33 1.44 1.55 1.67 1.82 1.96 2.14 2.33 2.52 2.75 2.99 3.25 3.52 3.84 4.14 4.52 4.91
5.33 5.77 6.24 6.75 7.28 7.91 8.49 9.16 9.89 10.6 11.4 12.3 13.2 14.1 15.1 16.2 17.3 18.5 19.7 21.0
22.3 23.8 25.2 26.8 28.4 30.1 31.9 33.7 35.7 37.7 39.9 42.1 44.4 46.8 49.3 52.0 54.6 57.4 60.4 63.4
66.6 69.8 73.3 76.8 80.4 84.1 88.0 91.9 96.1 100 105 109 114 119 124
"""


def k_hole_width(atomic_number: int) -> float:
    """Return the width of a K core hole (full width at half maximum of a Lorentzian) in eV.

    Beyond californium that of californium stands in.

    Source: Krause and Oliver, J. Phys. Chem. Ref. Data 8 (1979) 329, from neon on;
    Keski-Rahkonen and Krause, At. Data Nucl. Data Tables 14 (1974) 139, below.
    """
    widths = _K_WIDTHS.split()
    return float(widths[min(atomic_number, len(widths)) - 1])
