"""A source, recognised by what it holds -> a data-set folder."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from cgxas.data.folder import (
    TABLES,
    Manifest,
    Origin,
    check_new_folder,
    dataset_name,
    write_dataset,
)
from cgxas.data.sources.containers import document_files
from cgxas.data.sources.documents import read_documents
from cgxas.data.sources.feff import SPECTRUM_FILE, read_runs
from cgxas.data.sources.imported import ImportedSpectrum, LeftOut, collect, refuse_empty
from cgxas.errors import DatasetError

Item = ImportedSpectrum | LeftOut


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
    found = collect(_told(recognised(source, theory), on_item), dataset_name(folder))
    refuse_empty(found, source)
    return write_dataset(folder, found.records, origin, found.left_out)


def recognised(source: Path, theory: str = "") -> Iterator[Item]:
    """Return what a source yields.

    Raises:
        DatasetError: it is missing, or holds nothing that is known.
    """
    if not source.exists():
        raise DatasetError(f"{source}: no such file or folder")
    if all((source / name).exists() for name in TABLES):
        raise DatasetError(f"{source} is a data set already; use it as it is")
    if source.is_dir() and next(source.rglob(SPECTRUM_FILE), None):
        return read_runs(source)
    if not document_files(source):
        raise DatasetError(f"{source} holds neither FEFF runs ({SPECTRUM_FILE}) nor JSON documents")
    return read_documents(source, theory)


def _told(items: Iterable[Item], on_item: Callable[[], None]) -> Iterator[Item]:
    for item in items:
        yield item
        on_item()
