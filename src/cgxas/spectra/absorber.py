"""Which edge a scan is of: the one asked for, the one its file states, or a guess."""

import re
from dataclasses import dataclass
from typing import Literal

from cgxas.elements import atomic_number
from cgxas.errors import UnclearSpectrum, UnknownElement, WrongEdge
from cgxas.spectra.io.scan import Scan
from cgxas.spectra.xray import (
    EDGES,
    NEAR,
    check_edge,
    edges_within,
    guess_edge,
    tabulated_edge,
)

Source = Literal["asked", "stated", "guessed"]

_ROMAN = {"LI": "L1", "LII": "L2", "LIII": "L3"}


@dataclass(frozen=True)
class Absorber:
    """The edge that a scan is of, as far as it is known.

    Attributes:
        element: symbol; empty: to be guessed.
        edges: the one edge, or those among which it is to be guessed.
        source: who says so.
        guess: how it was guessed, and what else it could be; empty otherwise.
    """

    element: str
    edges: tuple[str, ...]
    source: Source
    guess: str = ""

    @property
    def is_known(self) -> bool:
        """Whether nothing is left to be guessed."""
        return bool(self.element) and len(self.edges) == 1

    @property
    def edge(self) -> str:
        """The edge, or the first of those it may be."""
        return self.edges[0]

    def settled(self, half_step: float, name: str, is_checked: bool = True) -> "Absorber":
        """Return the same with what was left to be guessed, held against the table.

        Args:
            half_step: of the normalised curve, eV.
            name: of the spectrum, for the message.
            is_checked: whether the energies are measured; calculated ones are off by more.

        Raises:
            WrongEdge: the edge is not that of the element.
            UnclearSpectrum: no edge is near enough for a guess.
        """
        if self.is_known:
            if is_checked:
                check_edge(half_step, self.element, self.edge, name)
            return self
        found = guess_edge(half_step, self.edges, self.element or None)
        if found:
            return Absorber(found.element, (found.edge,), "guessed", found.words)
        if self.element:
            check_edge(half_step, self.element, self.edge, name)
        raise UnclearSpectrum(
            f"{name} has its edge at {half_step:.1f} eV, and no {' or '.join(self.edges)} edge is "
            f"tabulated within {NEAR:g} eV: correct its energies, or say what it is with "
            "--element and --edge."
        )


def absorber_of(scan: Scan, element: str | None, edge: str | None) -> Absorber:
    """Return what is asked for, else what the file states, else what is to be guessed.

    An element whose edge nobody tells is of the one edge of it that the scan can hold.

    Args:
        scan: tidied.
        element: the absorber, if it is asked for.
        edge: its edge, if that is asked for.

    Raises:
        UnknownElement: the element is none, or has no such edge.
        UnclearSpectrum: the edge asked for is none, or the file states one that there is not.
        WrongEdge: no edge of the element lies in the scan.
    """
    if element:
        atomic_number(element)
    wish = _asked_edge(edge)
    is_other = bool(element) and element != scan.element
    stated = "" if is_other and scan.element else plain_edge(scan.edge)
    symbol, its_edge = element or scan.element, wish or stated
    source: Source = "asked" if element or wish else "stated"
    if not symbol:
        return Absorber("", (its_edge,) if its_edge in EDGES else EDGES, source)
    if its_edge:
        _check_exists(scan, symbol, its_edge, is_stated=not wish and not is_other)
        if source == "stated" and scan.edge_guess:  # what was a guess when it was written
            return Absorber(symbol, (its_edge,), "guessed", scan.edge_guess)
        return Absorber(symbol, (its_edge,), source)
    _check_exists(scan, symbol, "K", is_stated=not is_other)
    held = edges_within(symbol, float(scan.energy[0]), float(scan.energy[-1]))
    return Absorber(symbol, tuple(held) or ("K",), source)


def plain_edge(stated: str) -> str:
    """Return the name of an edge as the tables have it: ``L3`` for "LIII", "l3", "L3-edge"."""
    text = re.sub(r"EDGE|[\s_,-]", "", stated.upper())
    return _ROMAN.get(text, text)


def _asked_edge(edge: str | None) -> str:
    name = plain_edge(edge or "")
    if edge is not None and name not in EDGES:
        raise UnclearSpectrum(f"An edge is one of {', '.join(EDGES)}, not {edge!r}.")
    return name


def _check_exists(scan: Scan, element: str, edge: str, is_stated: bool) -> None:
    try:
        tabulated_edge(element, edge)
    except UnknownElement as error:
        if not is_stated:
            raise
        raise UnclearSpectrum(
            f"{scan.source} states an edge that there is not, {element} {edge}: correct "
            "it, or choose another with --element and --edge."
        ) from error


def refuse_elsewhere(scan: Scan, absorber: Absorber) -> None:
    """Refuse a scan that does not reach the edge it should be of.

    Raises:
        WrongEdge: it ends before, or begins behind.
    """
    expected = tabulated_edge(absorber.element, absorber.edge)
    energy = scan.energy
    if energy[-1] < expected - NEAR or energy[0] > expected + NEAR:
        raise WrongEdge(
            f"{scan.source} reaches from {energy[0]:.0f} to {energy[-1]:.0f} eV, but the "
            f"{absorber.element} {absorber.edge} edge lies at {expected:.0f} eV: choose another "
            "element or file."
        )
