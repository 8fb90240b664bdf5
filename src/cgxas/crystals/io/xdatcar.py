"""XDATCAR of VASP: arrangements one below the other, each of which is a POSCAR with its header.

Where the cell moves the header stands above every arrangement, else above the first alone.
"""

from collections.abc import Iterator, Sequence
from itertools import count, islice
from pathlib import Path
from typing import BinaryIO

from cgxas import limits
from cgxas.crystals.io import poscar
from cgxas.crystals.io.base import CrystalFormat, Found, last_of
from cgxas.crystals.io.content import Content
from cgxas.crystals.io.frames import line_of, opened
from cgxas.errors import UnreadableCrystal

_MARK = "Direct configuration="
_MOST_HEADER = 1000  # lines: VASP breaks symbols and counts after 20 words


def _recognises(content: Content) -> bool:
    return _MARK in content.head and poscar.FORMAT.recognises(content)


def _read(content: Content) -> Found:
    number, last = 0, content
    for number, last in enumerate(_frames(content.lines(), content.path), start=1):  # noqa: B007
        pass
    last_of(content, number, "arrangements")
    return poscar.FORMAT.read(Content(content.path, content.name, last.data))


def xdatcar_frames(path: Path) -> Iterator[tuple[float, Content]]:
    """Yield the arrangements of an XDATCAR of any size, as files of one each.

    Args:
        path: the file; a packed one is taken up to `limits.FILE_SIZE`.

    Yields:
        The share of the file up to and with the arrangement; and the arrangement, "XDATCAR:0".

    Raises:
        UnreadableCrystal: an arrangement is cut short, or too large; those before were yielded.
    """
    with opened(path) as (file, size):
        for frame in _frames(_lines(file, path), path):
            yield min(file.tell() / size, 1.0), frame


def _lines(file: BinaryIO, path: Path) -> Iterator[str]:
    while line := line_of(file, path):
        yield line.decode(errors="replace").rstrip("\r\n")


def _frames(lines: Iterator[str], path: Path) -> Iterator[Content]:
    header: list[str] = []
    n_atoms = 0
    for number in count():
        name, above = Path(f"{path}:{number}"), list(islice(_above(lines), _MOST_HEADER))
        if not above:
            return
        if any(above[:-1]):
            header = above[:-1]
            n_atoms = sum(poscar.header_of(_content(name, above)).counts)
            limits.ATOMS.refuse_beyond(n_atoms, f"{name} lists", UnreadableCrystal)
        atoms = list(islice(lines, n_atoms))
        if not above[-1].startswith(_MARK) or not header or len(atoms) < n_atoms:
            raise UnreadableCrystal(f"{name} lists fewer atoms than it says: the file is cut short")
        yield _content(name, [*header, above[-1], *atoms])


def _above(lines: Iterator[str]) -> Iterator[str]:
    """Yield lines up to and with that above an arrangement, without the empty ones."""
    for line in lines:
        if line := line.strip():
            yield line
        if line.startswith(_MARK):
            return


def _content(path: Path, lines: Sequence[str]) -> Content:
    return Content(path, "xdatcar", "\n".join([*lines, ""]).encode())


FORMAT = CrystalFormat(
    name="XDATCAR",
    recognises=_recognises,
    read=_read,
    names=("*xdatcar*",),
    frames=xdatcar_frames,
)
