"""A source, recognised by what it holds -> a data-set folder."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cgxas.data.folder import check_new_folder
from cgxas.data.manifest import Manifest, Origin
from cgxas.data.schema import TABLES
from cgxas.data.sources import documents, feff
from cgxas.data.sources.collect import write_collected
from cgxas.data.sources.containers import document_files
from cgxas.data.sources.item import Item
from cgxas.errors import DatasetError


@dataclass(frozen=True)
class Source:
    """A kind of source.

    Attributes:
        name: what it holds, as a message says it.
        is_in: whether a file or folder holds it.
        read: path, and the theory of what does not state its own -> its spectra.
    """

    name: str
    is_in: Callable[[Path], bool]
    read: Callable[[Path, str], Iterator[Item]]


SOURCES = (
    Source(
        name=f"FEFF runs ({feff.SPECTRUM_FILE})",
        is_in=feff.holds_runs,
        read=lambda path, theory: feff.read_runs(path),
    ),
    Source(
        name="JSON documents",
        is_in=lambda path: bool(document_files(path)),
        read=documents.read_documents,
    ),
)
"""What is looked for, in this order."""


def import_source(
    source: Path,
    folder: Path,
    origin: Origin,
    theory: str = "",
    on_item: Callable[[], None] = lambda: None,
) -> Manifest:
    """Write all that can be used of a source to a new data-set folder.

    Args:
        source: a folder of FEFF runs, or a file or folder of JSON documents.
        folder: a new or empty folder.
        origin: for the manifest.
        theory: code and settings of documents that do not state them.
        on_item: told after each spectrum, used or not.

    Raises:
        DatasetError: the source is unknown, or nothing of it can be used.
        OutputError: the folder cannot be written.
    """
    check_new_folder(folder)
    return write_collected(_told(recognised(source, theory), on_item), source, folder, origin)


def recognised(source: Path, theory: str = "") -> Iterator[Item]:
    """Return what a source yields.

    Raises:
        DatasetError: it is missing, or holds nothing that is known.
    """
    if not source.exists():
        raise DatasetError(f"{source}: no such file or folder")
    if all((source / name).exists() for name in TABLES):
        raise DatasetError(f"{source} is a data set already; use it as it is")
    kind = next((each for each in SOURCES if each.is_in(source)), None)
    if kind is None:
        raise DatasetError(f"{source} holds neither {' nor '.join(e.name for e in SOURCES)}")
    return kind.read(source, theory)


def _told(items: Iterable[Item], on_item: Callable[[], None]) -> Iterator[Item]:
    for item in items:
        yield item
        on_item()
