"""A data-set folder's birth certificate: where it comes from, and the checksums of its tables."""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal

from cgxas.data.record import Record
from cgxas.data.schema import TABLES
from cgxas.elements import SYMBOLS
from cgxas.errors import DatasetError
from cgxas.jsonfile import JsonFile
from cgxas.reading import refuse_unreadable

FORMAT: Final = 1
"""Number of the folder's format."""

MANIFEST = "manifest.json"
NOT_STATED = "not stated"

_PIECE = 1 << 20
_MAGIC = b"PAR1"


@dataclass(frozen=True)
class Origin:
    """What the tables cannot tell about themselves.

    Attributes:
        name: of the data set.
        origin: where it comes from: an address, a DOI, a folder's name.
        licence: under which terms.
    """

    name: str
    origin: str = NOT_STATED
    licence: str = NOT_STATED


@dataclass(frozen=True)
class Manifest:
    """A data set's birth certificate.

    Attributes:
        format: number of the folder's format.
        name: of the data set.
        origin: where it comes from.
        licence: under which terms.
        date: when the folder was written.
        theories: code and settings -> number of spectra.
        fidelities: what kinds of spectra are told apart by -> number of spectra.
        counts: materials, formulas, spectra.
        elements: absorber -> number of spectra.
        sha256: table -> checksum.
        left_out: reason -> names of what the source held, but the folder does not.
    """

    format: Literal[1]
    name: str
    origin: str
    licence: str
    date: str
    theories: dict[str, int]
    fidelities: dict[str, int]
    counts: dict[str, int]
    elements: dict[str, int]
    sha256: dict[str, str]
    left_out: dict[str, list[str]] = field(default_factory=dict)


def read_manifest(folder: Path) -> Manifest | None:
    """Return a folder's manifest, or None if it has none.

    Raises:
        DatasetError: it is damaged, or of a format this version does not know.
    """
    path = folder / MANIFEST
    if not os.path.lexists(path):
        return None
    file = JsonFile(path, DatasetError, "manifest", "restore it or remove it")
    return file.as_kind(Manifest, newest=FORMAT)


def write_manifest(
    folder: Path,
    records: Sequence[Record],
    formulas: Sequence[str],
    origin: Origin,
    left_out: Mapping[str, Sequence[str]],
) -> Manifest:
    """Write the manifest of a folder whose tables are there already.

    Args:
        folder: the folder.
        records: its spectra.
        formulas: reduced formula of each of its crystals.
        origin: what the tables cannot tell.
        left_out: reason -> names of what the source held besides.
    """
    manifest = Manifest(
        format=FORMAT,
        **asdict(origin),
        date=datetime.now(UTC).date().isoformat(),
        theories=_counts(record.theory for record in records),
        fidelities=_counts(record.fidelity for record in records),
        counts={
            "materials": len(formulas),
            "formulas": len(set(formulas)),
            "spectra": len(records),
        },
        elements=_by_number(_counts(record.element for record in records)),
        sha256={name: file_sha256(folder / name) for name in TABLES},
        left_out={reason: list(names) for reason, names in left_out.items()},
    )
    text = json.dumps(asdict(manifest), indent=1, ensure_ascii=False) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    return manifest


def _counts(words: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(words).items()))


def _by_number(counts: Mapping[str, int]) -> dict[str, int]:
    return {symbol: counts[symbol] for symbol in SYMBOLS if symbol in counts}


def file_sha256(path: Path) -> str:
    """Return the checksum of a table; that of nothing for what is no table."""
    with path.open("rb") as file:
        if not _is_parquet(file):
            return hashlib.sha256().hexdigest()
        return hashlib.file_digest(file, "sha256").hexdigest()


def changed_tables(folder: Path) -> list[str]:
    """Return the names of the tables that are there, but not those the manifest tells of.

    Raises:
        DatasetError: the manifest is damaged.
    """
    manifest = read_manifest(folder)
    told = manifest.sha256 if manifest else {}
    return [
        name
        for name in TABLES
        if name in told and (folder / name).is_file() and file_sha256(folder / name) != told[name]
    ]


def hash_tables(folder: Path, digest: Any) -> None:
    """Add the tables of a folder to a hash, and compare each with what the manifest says.

    Raises:
        DatasetError: one is missing, or not the one the manifest tells of.
    """
    manifest = read_manifest(folder)
    for path in (folder / name for name in TABLES):
        if not path.exists():
            raise DatasetError(f"{path} is missing; a data set has one")
        refuse_unreadable(path, DatasetError)
        own = hashlib.sha256()
        try:
            with path.open("rb") as file:
                # A table that was cut short, or is none, may be of any size.
                for piece in iter(lambda: file.read(_PIECE), b"") if _is_parquet(file) else ():
                    own.update(piece)
                    digest.update(piece)
        except OSError as error:
            raise DatasetError(f"{path} is not a readable Parquet table") from error
        if manifest and manifest.sha256.get(path.name) != own.hexdigest():
            raise DatasetError(
                f"{path} is not the table its manifest tells of: it was changed or damaged; copy "
                "or import the data set again"
            )


def _is_parquet(file: BinaryIO) -> bool:
    """Tell a Parquet table by its two ends."""
    head = file.read(len(_MAGIC))
    if len(head) < len(_MAGIC):
        return False
    file.seek(-len(_MAGIC), os.SEEK_END)
    tail = file.read(len(_MAGIC))
    file.seek(0)
    return head == tail == _MAGIC
