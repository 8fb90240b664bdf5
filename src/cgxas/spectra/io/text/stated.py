"""Element and edge out of the header of a text file, where it states them in words."""

import re
from collections.abc import Iterable

from cgxas.elements import atomic_number
from cgxas.errors import UnknownElement
from cgxas.spectra.absorber import plain_edge

_LINE = 500  # characters; a longer line states nothing
# "Element.symbol: Fe", "Element=Fe  Edge=K" of Athena, "Absorber: Cu", "edge = La L3"
_ELEMENT = re.compile(
    r"\b(?:element(?:\.symbol)?|absorber|absorbing[ _](?:atom|element)) *[:=] *[\"']?"
    r"([a-z]{1,2})\b",
    re.IGNORECASE,
)
_EDGE = re.compile(
    r"\bedge *[:=] *[\"']?(?:([a-z]{1,2})[ _-]+)?(K|L_?[123]|LI{1,3})\b", re.IGNORECASE
)


def stated_edge(header: Iterable[str]) -> tuple[str, str]:
    """Return the element and edge that the lines of a header state.

    Each is empty if no line states it, or lines contradict each other.
    """
    elements: set[str] = set()
    edges: set[str] = set()
    for line in header:
        if len(line) > _LINE:
            continue
        edge = _EDGE.search(line)
        if edge:
            edges.add(plain_edge(edge[2]))
        named = [found[1] for found in (_ELEMENT.search(line), edge) if found and found[1]]
        elements.update(filter(_is_element, (name.capitalize() for name in named)))
    return (
        elements.pop() if len(elements) == 1 else "",
        edges.pop() if len(edges) == 1 else "",
    )


def _is_element(symbol: str) -> bool:
    try:
        atomic_number(symbol)
    except UnknownElement:
        return False
    return True
