"""JSON documents of one spectrum each: the raw archive of 2018, and what others write like it.

The archive of Mathew et al. (doi:10.1038/sdata.2018.151, figshare collection 3946561) holds one
document per absorbing site: `structure`, `absorbing_atom`, `spectrum` (the rows of FEFF's
xmu.dat), and ids in `metadata`. A plain document says `energy` and `mu` instead of `spectrum`.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cgxas.data.record import EDGE, edge_name, fidelity_of
from cgxas.data.sources.containers import Named, documents
from cgxas.data.sources.crystal import cell_and_formula, structure_of
from cgxas.data.sources.item import OTHER_EDGE, ImportedSpectrum, Item, LeftOut, Unusable
from cgxas.elements import SYMBOLS
from cgxas.limits import POINTS

NAMES = {
    "structure": ("structure",),
    "spectrum": ("spectrum", "xmu", "xas"),
    "energy": ("energy", "energies", "x"),
    "mu": ("mu", "intensity", "y"),
    "site": ("absorbing_atom", "absorbing_atom_index", "absorbing_index", "site_index", "site"),
    "element": ("absorbing_element", "absorber", "element"),
    "edge": ("edge",),
    "type": ("spectrum_type", "calc_type"),
    "name": ("spectrum_id", "xas_id", "id"),
    "material": ("mp_id", "material_id", "task_id"),
    "theory": ("theory",),
    "fidelity": ("fidelity",),
}
"""What is looked for, and under which names: in a document, then in its `metadata`."""

ARCHIVE_THEORY = "FEFF9 (Mathew 2018, Materials Project)"
AVERAGED_THEORY = "FEFF9 (Materials Project)"
UNKNOWN = "unknown"

_SITE_NAME = re.compile(r"(?P<material>.+)-(?P<site>\d+)-XANES-K-(?P<element>[A-Z][a-z]?)$")
_MEAN_NAME = re.compile(r"(?P<material>.+)-XANES-(?P<element>[A-Z][a-z]?)-K$")
_XMU_COLUMNS = 6
_PAIRS = 2
_LONGEST = 500  # of a name


def read_documents(path: Path, theory: str = "") -> Iterator[Item]:
    """Yield the spectra of all documents in a file or folder.

    Args:
        path: what holds them.
        theory: code and settings of documents that do not state them.
    """
    for document in documents(path):
        yield document if isinstance(document, LeftOut) else read_document(document, theory)


def read_document(document: Named, theory: str = "") -> Item:
    """Return the spectrum of one document, or why there is none."""
    name, content = document
    try:
        return _spectrum(name, content, theory)
    except Unusable as error:
        return LeftOut(_word(content, "name") or name, str(error))


def _spectrum(file: str, content: Mapping[str, Any], theory: str) -> ImportedSpectrum:
    spectrum = _find(content, "spectrum")
    if isinstance(spectrum, Mapping):
        # The Materials Project's mean over an element: the structure inside is the right one, and
        # the site only tells which atom stood for all.
        content = {**content, **spectrum, "absorbing_index": None}
    _refuse_other_edges(content)
    energy, norm = _curve(content)
    cell, formula = cell_and_formula(structure_of(_find(content, "structure")))
    given = _word(content, "name")
    told = _told_by(given) or _told_by(file)
    site, element = _absorber(content, told, cell.numbers)
    stated = _word(content, "theory") or theory or _usual_theory(spectrum)
    return ImportedSpectrum(
        name=given,
        material_id=_word(content, "material") or told.get("material") or given or file,
        formula=formula,
        cell=cell,
        element=element,
        site=site,
        site_certain=True,
        energy=energy,
        norm=norm,
        theory=stated,
        fidelity=_word(content, "fidelity") or fidelity_of(stated),
    )


def _find(content: Mapping[str, Any], wanted: str) -> Any:
    inner = content.get("metadata")
    for place in (content, inner if isinstance(inner, Mapping) else {}):
        for name in NAMES[wanted]:
            if place.get(name) is not None:
                return place[name]
    return None


def _word(content: Mapping[str, Any], wanted: str) -> str:
    """Return a name or number as a text, empty if there is none."""
    found = _find(content, wanted)
    if isinstance(found, bool) or not isinstance(found, str | int):
        return ""
    return str(found)[:_LONGEST].encode("utf-8", "replace").decode()


def _refuse_other_edges(content: Mapping[str, Any]) -> None:
    kind = str(_find(content, "type") or "XANES")
    if edge_name(_find(content, "edge")) != EDGE or kind != "XANES":
        raise Unusable(OTHER_EDGE)


def _curve(content: Mapping[str, Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return energy and norm as given, (P,) each."""
    spectrum = _find(content, "spectrum")
    if isinstance(spectrum, list):
        return _columns(spectrum)
    energy, norm = _find(content, "energy"), _find(content, "mu")
    if energy is None or norm is None:
        raise Unusable("document holds no spectrum")
    try:
        return _few(np.array(energy, dtype=np.float64)), _few(np.array(norm, dtype=np.float64))
    except (TypeError, ValueError, OverflowError) as error:
        raise Unusable("spectrum is not two rows of numbers") from error


def _few(values: NDArray[np.float64]) -> NDArray[np.float64]:
    if values.ndim and len(values) > POINTS.value:
        raise Unusable(f"spectrum has too many points; {POINTS.variable} takes more")
    return values


def _columns(rows: list[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return energy and norm of the rows of xmu.dat (omega, e, k, mu, mu0, chi), or of pairs."""
    try:
        table = _few(np.array(rows, dtype=np.float64))
    except (TypeError, ValueError, OverflowError) as error:
        raise Unusable("spectrum is not rows of numbers") from error
    if table.ndim != 2 or table.shape[1] not in (_PAIRS, _XMU_COLUMNS):
        raise Unusable("spectrum has neither 2 nor 6 columns")
    return table[:, 0], table[:, 3 if table.shape[1] == _XMU_COLUMNS else 1]


def _told_by(name: str) -> dict[str, str]:
    """Return what mp-561304-56-XANES-K-S or mp-779827-XANES-O-K says."""
    found = _SITE_NAME.match(name) or _MEAN_NAME.match(name)
    return found.groupdict() if found else {}


def _absorber(
    content: Mapping[str, Any], told: Mapping[str, str], numbers: NDArray[np.int64]
) -> tuple[int | None, str]:
    """Return the absorbing site (None: all of the element) and its element."""
    site, element = _find(content, "site"), _find(content, "element")
    if isinstance(element, Mapping):  # as pymatgen writes an Element
        element = element.get("element")
    if isinstance(site, str) and site in SYMBOLS:  # pymatgen: the first atom of the element
        element, site = site, _first(numbers, site)
    if site is None and told.get("site"):
        site = told["site"]
    try:
        if isinstance(site, bool) or (isinstance(site, float) and not site.is_integer()):
            raise ValueError(site)
        site = None if site is None else int(site)
    except (TypeError, ValueError, OverflowError) as error:
        raise Unusable("site is not an index") from error
    element = element or told.get("element")
    if element is None and site is None:
        raise Unusable("document names no absorber")
    if site is not None and not 0 <= site < len(numbers):
        raise Unusable("site is not in the crystal")
    return site, str(element) if element else SYMBOLS[numbers[site] - 1]


def _first(numbers: NDArray[np.int64], element: str) -> int:
    found = np.flatnonzero(numbers == SYMBOLS.index(element) + 1)
    if not len(found):
        raise Unusable("absorber is not in the crystal")
    return int(found[0])


def _usual_theory(spectrum: Any) -> str:
    """Return what documents of this form usually hold, when they do not say it."""
    if isinstance(spectrum, list):
        return ARCHIVE_THEORY
    return AVERAGED_THEORY if isinstance(spectrum, Mapping) else UNKNOWN
