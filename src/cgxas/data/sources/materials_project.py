"""Spectra of the Materials Project, through mp-api: the only code that uses the network.

The project serves one spectrum per element, the mean over all its sites, with the crystal it was
computed for inside the document. The crystal stored under the same id may have other atoms in
another order (issue 916 of materialsproject/api), so it is never asked for.
"""

import gzip
import json
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from cgxas.elements import ABSORBERS, atomic_number
from cgxas.errors import ConfigError, DatasetError, MissingExtra, OutputError, UnsupportedAbsorber
from cgxas.writing import atomic_path

PAGE = 100
"""Documents per request; one of fewer is an element's last."""

KEY = "MP_API_KEY"
ORIGIN = "https://materialsproject.org, materials/xas (doi:10.1038/sdata.2018.151)"
LICENCE = "CC-BY-4.0"


def rester() -> Any:
    """Return mp-api's client for XAS documents.

    Raises:
        ConfigError: there is no key.
        MissingExtra: mp-api is not installed.
        DatasetError: the project cannot be reached, or refuses the key.
    """
    key = os.environ.get(KEY, "").strip()
    if not key:
        raise ConfigError(
            f"the Materials Project wants a key: set {KEY} to yours, from "
            "https://next-gen.materialsproject.org/api"
        )
    try:
        from mp_api.client import MPRester
    except ImportError as error:
        raise MissingExtra.of("mp-api", "mp") from error
    try:
        client = MPRester(key, use_document_model=False, mute_progress_bars=True)
        return client.materials.xas
    except Exception as error:  # of mp-api, requests or their parts, each with its own errors
        raise DatasetError(f"the Materials Project did not answer: {_one_line(error)}") from error


def partial_folder(folder: Path) -> Path:
    """Return where answers are kept until the data set is complete."""
    return folder.absolute().with_name(f"{folder.absolute().name}.partial")


def fetch(
    elements: Sequence[str],
    folder: Path,
    xas: Any,
    on_page: Callable[[str, int], None] = lambda element, page: None,
) -> Path:
    """Ask for all K-edge XANES spectra of elements; keep every answer.

    A second call asks only for what is not there yet.

    Args:
        elements: absorbers.
        folder: the data set to be; answers lie beside it.
        xas: mp-api's client for XAS documents.
        on_page: told of each page: the element and the page's number, from 1.

    Returns:
        The folder of the answers, gzipped JSON arrays.

    Raises:
        UnsupportedAbsorber: an element outside the 48.
        DatasetError: the connection broke; what came is kept.
        OutputError: the answers cannot be written, or those there are for other elements.
    """
    for element in elements:
        atomic_number(element)
        if element not in ABSORBERS:
            raise UnsupportedAbsorber(f"{element} is not one of the 48 absorbers cgxas knows")
    partial = partial_folder(folder)
    try:
        partial.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"{partial} cannot be written: {error.strerror or error}") from error
    others = {path.name.split("-")[0] for path in partial.glob("*.json.gz")} - set(elements)
    if others:
        raise OutputError(
            f"{partial} holds answers for {', '.join(sorted(others))} from another call: name the "
            "same elements as then, or remove it"
        )
    for element in dict.fromkeys(elements):
        for page in _pages(element, partial, xas):
            on_page(element, page)
    return partial


def _pages(element: str, partial: Path, xas: Any) -> Iterator[int]:
    page, is_last = 0, False
    while not is_last:
        page += 1
        path = partial / f"{element}-{page:05}.json.gz"
        kept = _kept(path)
        found = _asked(element, page, xas, path) if kept is None else kept
        is_last = len(found) < PAGE
        yield page


def _kept(path: Path) -> list[Any] | None:
    try:
        if not path.is_file():
            return None
        found = json.loads(gzip.decompress(path.read_bytes()))
    except (OSError, EOFError, ValueError, RecursionError, zlib.error):
        return None
    return found if isinstance(found, list) else None


def _asked(element: str, page: int, xas: Any, path: Path) -> list[Any]:
    try:
        found = xas.search(
            edge="K",
            spectrum_type="XANES",
            absorbing_element=element,
            chunk_size=PAGE,
            _page=page,
        )
        content = [each if isinstance(each, dict) else _plain(each) for each in found]
    except Exception as error:  # of mp-api, requests or their parts, each with its own errors
        raise DatasetError(
            f"page {page} of {element} did not come: {_one_line(error)}; run the same command "
            "again to go on"
        ) from error
    with atomic_path(path) as temporary:
        # Without a time stamp, so that the same answer makes the same file.
        temporary.write_bytes(gzip.compress(json.dumps(content).encode(), mtime=0))
    return content


def _plain(document: Any) -> Any:
    """Return emmet's XASDoc as plain JSON values."""
    return json.loads(document.model_dump_json())


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 120 else text[:117] + "..."
