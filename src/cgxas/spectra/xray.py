"""Tabulated edges and core-hole widths, from xraydb (which comes with Larch)."""

from dataclasses import replace
from typing import Any, Final

from cgxas.errors import MissingExtra, UnknownElement, WrongEdge
from cgxas.spectra.spectrum import EnergyGrid

NEAR = 40.0
"""An edge further than this from the table, in eV, is that of another element."""

SURE = 15.0
"""A K edge as near as this is taken for one, although an L edge may lie nearer."""


def tabulated_edge(element: str, edge: str = "K") -> float:
    """Return the tabulated energy of an edge in eV.

    Raises:
        UnknownElement: xraydb does not know the element or the edge.
        MissingExtra: xraydb is not installed.
    """
    try:
        found = _xraydb().xray_edge(element, edge)
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
    return float(_xraydb().core_width(element, edge))


def guess_edge(e0: float) -> tuple[str, str]:
    """Return the element and edge that lie nearest to an energy in eV; K edges come first."""
    database = _xraydb()
    element, edge = database.guess_edge(e0, edges=["K"])
    if abs(tabulated_edge(element, edge) - e0) > SURE:
        element, edge = database.guess_edge(e0)
    return str(element), str(edge)


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
    other, its_edge = guess_edge(e0)
    raise WrongEdge(
        f"{name} has its edge at {e0:.1f} eV, but the {element} {edge} edge lies at "
        f"{expected:.0f} eV: this looks like {other} {its_edge}."
    )


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
