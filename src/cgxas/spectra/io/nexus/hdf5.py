"""HDF5 files, read so that no link leads out of the file and nothing large is unpacked unseen."""

import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from cgxas.errors import CgxasError, UnclearSpectrum, UnreadableSpectrum
from cgxas.limits import FILE_SIZE, OBJECTS, POINTS
from cgxas.spectra.io.larch import need_larch
from cgxas.spectra.io.scan import listed
from cgxas.typing import FloatArray

_MOST_LINKS = 40  # from link to link, and of a path
_DEPTH = 12
_TEXT_BYTES = 20_000
_HEAP_HEADER = 16  # bytes of a global heap, and of each object in it


@dataclass(frozen=True)
class Row:
    """A row of numbers in a file, not yet read.

    Attributes:
        path: in the file.
        size: how many numbers.
        units: as the file states them, or empty.
        dataset: h5py's.
    """

    path: str
    size: int
    units: str
    dataset: Any

    @property
    def told(self) -> str:
        """Path, length and unit in words."""
        return f"{self.path} ({', '.join(filter(None, [str(self.size), self.units]))})"


@dataclass(frozen=True)
class Tree:
    """An open HDF5 file; links out of it are not followed, but noted.

    Attributes:
        root: h5py's file.
        source: its name.
        passed_over: what was not followed or read, in words.
    """

    root: Any
    source: str
    passed_over: dict[str, str] = field(default_factory=dict)

    def find(self, path: str, start: Any = None) -> Any:
        """Return the group or dataset at a path, None if there is none in this file."""
        return self._found(self.root if start is None else start, path, _MOST_LINKS)

    def _found(self, start: Any, path: str, links_left: int) -> Any:
        here = self.root if path.startswith("/") else start
        for name in filter(None, path.split("/")[:_MOST_LINKS]):
            if name == ".":
                continue
            here = self._step(here, name, links_left)
            if here is None:
                return None
        return here

    def _step(self, group: Any, name: str | bytes, links_left: int) -> Any:
        """Follow one link; those out of the file, and rings of links, lead nowhere."""
        import h5py

        links = getattr(group.id, "links", None)  # a dataset has none
        key = name if isinstance(name, bytes) else name.encode("utf-8", "surrogateescape")
        name = key.decode("utf-8", "replace")
        if links is None or b"\0" in key or not links.exists(key):
            return None
        kind = links.get_info(key).type
        if kind == h5py.h5l.TYPE_HARD:
            return group[key]
        if kind == h5py.h5l.TYPE_SOFT and links_left > 0:
            target = links.get_val(key).decode("utf-8", "surrogateescape")
            return self._found(group, target, links_left - 1)
        what = "a link out of the file" if kind != h5py.h5l.TYPE_SOFT else "a ring of links"
        self.passed_over[_joined(group, name)] = what
        return None

    def members(self, group: Any) -> Iterator[tuple[str, Any]]:
        """Yield name and object of what lies in a group, if it is one."""
        if group is None or not hasattr(group, "keys"):
            return
        names: list[bytes] = []

        def note(name: bytes) -> bool | None:
            names.append(name)
            return len(names) > OBJECTS.value or None  # a damaged index may go round for ever

        group.id.links.iterate(note)
        OBJECTS.refuse_beyond(
            len(names), f"{self.source}: {group.name} holds at least", UnreadableSpectrum
        )
        for key in names:
            name = key.decode("utf-8", "surrogateescape")
            found = self._step(group, name, _MOST_LINKS)
            if found is not None:
                yield name, found

    def row(self, found: Any) -> Row | None:
        """Return a dataset as a row of numbers, None if it is none that may be read."""
        if not hasattr(found, "dtype") or not hasattr(found, "shape") or not found.shape:
            return None
        long = [n for n in found.shape if n != 1]
        if found.dtype.kind not in "fiu" or len(long) != 1 or found.dtype.itemsize > 16:
            return None
        if found.is_virtual or found.external:
            self.passed_over[str(found.name)] = "numbers that lie in other files"
            return None
        return Row(str(found.name), long[0], self.attribute(found, "units"), found)

    def read(self, row: Row) -> FloatArray:
        """Return the numbers of a row, (P,).

        Raises:
            UnreadableSpectrum: there are too many of them, or a filter is missing.
        """
        POINTS.refuse_beyond(row.size, f"{self.source}: {row.path} holds", UnreadableSpectrum)
        chunk = int(np.prod(row.dataset.chunks or (0,), dtype=object)) * row.dataset.dtype.itemsize
        FILE_SIZE.refuse_beyond(
            chunk, f"{self.source}: a chunk of {row.path} holds", UnreadableSpectrum
        )
        try:
            return np.asarray(row.dataset[()], dtype=np.float64).reshape(-1)
        except (OSError, RuntimeError) as error:
            raise UnreadableSpectrum(
                f"{self.source}: the numbers of {row.path} cannot be unpacked: the file is "
                "damaged, or packed by a filter that is not installed (see hdf5plugin)."
            ) from error

    def rows(self, group: Any = None) -> list[Row]:
        """Return all rows of numbers below a group, each once."""
        start = self.root if group is None else group
        return [row for row in self._walk(start, _DEPTH, set()) if row.size > 1]

    def _walk(self, group: Any, depth: int, seen: set[Any]) -> Iterator[Row]:
        import h5py

        for _, found in self.members(group):
            address = h5py.h5o.get_info(found.id).addr
            if address in seen:
                continue
            seen.add(address)
            OBJECTS.refuse_beyond(len(seen), f"{self.source} holds", UnreadableSpectrum)
            if hasattr(found, "keys"):
                if depth > 0:
                    yield from self._walk(found, depth - 1, seen)
            elif row := self.row(found):
                yield row

    def text(self, found: Any) -> str:
        """Return a short text or number that a dataset holds, empty if it is none."""
        if not hasattr(found, "shape") or found.size != 1 or found.is_virtual or found.external:
            return ""
        return _decoded(found[()]) if found.dtype.itemsize <= _TEXT_BYTES else ""

    def attribute(self, found: Any, name: str) -> str:
        """Return a short attribute as text, empty if there is none."""
        texts = self.attributes(found, name)
        return texts[0] if texts else ""

    @staticmethod
    def attributes(found: Any, name: str) -> list[str]:
        """Return the texts of an attribute that may hold several."""
        try:
            if name not in found.attrs:
                return []
            about = found.attrs.get_id(name)
            if (
                about.dtype.itemsize > _TEXT_BYTES
                or np.prod(about.shape, dtype=object) > POINTS.value
            ):
                return []
            value = found.attrs[name]
        except (OSError, RuntimeError, TypeError, ValueError, KeyError):  # of a type h5py lacks
            return []
        return [_decoded(each) for each in islice(np.ravel(np.asarray(value, dtype=object)), 20)]

    def candidates(self, group: Any = None) -> str:
        """Return in words what could be chosen, and what was not followed."""
        sizes: dict[int, list[Row]] = {}
        for row in self.rows(group):
            sizes.setdefault(row.size, []).append(row)
        rows = [row.told for size in sizes for row in sizes[size] if len(sizes[size]) > 1]
        held = f"it holds {listed(rows)}" if rows else "it holds no two rows of equal length"
        return f"{held}{self.not_followed}"

    @property
    def not_followed(self) -> str:
        """What was passed over, as the end of a sentence, or empty."""
        told = [f"{path} ({what})" for path, what in self.passed_over.items()]
        return f"; not followed: {listed(told)}" if told else ""


@contextmanager
def opened(path: Path) -> Iterator[Tree]:
    """Open an HDF5 file to read it.

    Raises:
        UnreadableSpectrum: it is damaged, or no HDF5 file.
        MissingExtra: Larch, which brings h5py, is not installed.
    """
    need_larch()
    import h5py

    _refuse_damaged_heap(path)
    try:
        with h5py.File(path, "r") as root:
            yield Tree(root, path.name)
    except CgxasError:
        raise
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:  # of HDF5
        raise UnreadableSpectrum(f"{path.name} is a damaged HDF5 file: copy it again.") from error


def _refuse_damaged_heap(path: Path) -> None:
    """Refuse a global heap, where texts lie, with an object that reaches out of it.

    HDF5 2.0 walks through such a heap for ever. Files too large to be read whole are not looked at.
    """
    if not path.is_file() or path.stat().st_size > FILE_SIZE.value:
        return
    data = path.read_bytes()
    for found in re.finditer(rb"GCOL\x01\0\0\0", data):
        (size,) = struct.unpack_from("<Q", data.ljust(found.end() + 8, b"\0"), found.end())
        heap = data[found.start() : found.start() + size]
        at = _HEAP_HEADER
        while len(heap) == size and at + _HEAP_HEADER <= size:
            number, _, length = struct.unpack_from("<HHxxxxQ", heap, at)
            step = -(-length // 8) * 8 + _HEAP_HEADER if number else length
            if at + step > size or step < _HEAP_HEADER:
                raise UnreadableSpectrum(f"{path.name} is a damaged HDF5 file: copy it again.")
            at += step


def named_rows(tree: Tree, paths: list[str], start: Any) -> list[Row]:
    """Return the rows of numbers at paths that were asked for, all as long as the first.

    Args:
        tree: the file.
        paths: absolute, or from the start.
        start: a group.

    Raises:
        UnclearSpectrum: there is no such row, or they are of different lengths.
    """
    rows = []
    for path in paths:
        found = tree.find(path, start)
        row = tree.row(found)
        if row is None:
            what = "no row of numbers" if found is not None else "no"
            raise UnclearSpectrum(f"{tree.source} has {what} {path!r}: {tree.candidates(start)}.")
        rows.append(row)
    if len({row.size for row in rows}) > 1:
        raise UnclearSpectrum(
            f"{tree.source}: {listed([row.told for row in rows])} are not equally long: choose "
            "others with --energy and --mu."
        )
    return rows


def _joined(group: Any, name: str) -> str:
    return f"{str(group.name).rstrip('/')}/{name}"


def _decoded(value: Any) -> str:
    if isinstance(value, np.ndarray):  # how some programs write a text
        value = value.item() if value.size == 1 else ""
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
