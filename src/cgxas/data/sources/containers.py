"""JSON documents out of files: one per file, arrays, one per line; plain, gzip, tar."""

import gzip
import tarfile
import zlib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import IO, Any

from cgxas.data.sources.item import LeftOut, Unusable
from cgxas.jsonfile import parsed
from cgxas.limits import FILE_SIZE
from cgxas.reading import refuse_unreadable

SUFFIXES = (".json", ".jsonl", ".ndjson", ".json.gz", ".jsonl.gz", ".ndjson.gz", ".tgz", ".tar.gz")
"""Names of files that are looked for in a folder."""

_BLANK_LINES = 10_000
_GZIP = b"\x1f\x8b"
_NOT_READABLE = (OSError, EOFError, zlib.error, tarfile.TarError)

Named = tuple[str, dict[str, Any]]


def document_files(path: Path) -> list[Path]:
    """Return a file itself, or the files of documents in a folder and those below it, in order."""
    if not path.is_dir():
        return [path]
    return [each for each in sorted(path.rglob("*")) if each.name.lower().endswith(SUFFIXES)]


def documents(path: Path) -> Iterator[Named | LeftOut]:
    """Yield the name and content of every JSON document in a file or folder.

    A document alone in its file has the file's name, others the file's name and a number.
    """
    for file in document_files(path):
        try:
            refuse_unreadable(file, Unusable)
            yield from _in_file(file)
        except (*_NOT_READABLE, Unusable):
            yield LeftOut(file.name, "file is not readable")
        except _TooLarge:
            yield LeftOut(file.name, f"document is too large; {FILE_SIZE.variable} takes larger")


def _in_file(path: Path) -> Iterator[Named | LeftOut]:
    if tarfile.is_tarfile(path):
        with tarfile.open(path) as archive:
            for member in archive:
                content = archive.extractfile(member) if member.isfile() else None
                if content:
                    yield from _in_stream(content, Path(member.name).name)
        return
    with path.open("rb") as file:
        yield from _in_stream(file, path.name)


def _in_stream(stream: Any, name: str) -> Iterator[Named | LeftOut]:
    # Looked at, not read: going back in a compressed archive would mean starting anew.
    is_gzip = stream.peek(len(_GZIP)).startswith(_GZIP)
    yield from _in_lines(gzip.GzipFile(fileobj=stream) if is_gzip else stream, name)


class _TooLarge(Exception):
    """More in one line or document than is taken, whatever it was packed in."""


def _bounded(stream: IO[bytes] | gzip.GzipFile) -> Iterator[bytes]:
    """Yield the lines that hold something, none of them unpacked beyond the limit."""
    most, blank = FILE_SIZE.value, 0
    while line := stream.readline(most + 1):
        blank = 0 if line.strip() else blank + 1
        if len(line) > most or blank > _BLANK_LINES:
            raise _TooLarge
        if not blank:
            yield line


def _rest(stream: IO[bytes] | gzip.GzipFile, beginning: bytes) -> bytes:
    """Return what is left of a document, with its beginning."""
    found = beginning + stream.read(FILE_SIZE.value + 1)
    if len(found) > FILE_SIZE.value:
        raise _TooLarge
    return found


def _in_lines(stream: IO[bytes] | gzip.GzipFile, name: str) -> Iterator[Named | LeftOut]:
    """Read a document per line; if the first line is none, the whole as one document or array."""
    stem = name.split(".json", maxsplit=1)[0].removesuffix(".ndjson")
    lines = _bounded(stream)
    first = next(lines, b"")
    value = None if first.lstrip().startswith(b"[") else _parsed(first)
    if value is None:
        yield from _each(_parsed(_rest(stream, first)), stem)
        return
    second = next(lines, None)
    if second is None:
        yield from _each(value, stem)
        return
    yield from _each(value, f"{stem}:0")
    for number, line in enumerate(chain((second,), lines), start=1):
        yield from _each(_parsed(line), f"{stem}:{number}")


def _each(value: Any, name: str) -> Iterator[Named | LeftOut]:
    if isinstance(value, dict):
        yield name, value
    elif isinstance(value, list):
        for number, each in enumerate(value):
            if isinstance(each, dict):
                yield f"{name}:{number}", each
            else:
                yield LeftOut(f"{name}:{number}", "document is not a JSON object")
    else:
        yield LeftOut(name, "document is not readable JSON")


def _parsed(text: bytes) -> Any:
    """Return the value, or None if the text is no JSON."""
    try:
        return parsed(text, finite=False)  # what is not finite may stand beside the spectrum
    except ValueError:
        return None
