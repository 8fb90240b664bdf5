"""Trajectories, frame by frame in bounded memory: extended XYZ, LAMMPS dumps, ASE's own format.

A frame of a text is handed on as the text it is, so that whoever wants it reads it where and when
it is wanted.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from cgxas import limits
from cgxas.crystals.io.base import one_line
from cgxas.crystals.io.content import HEAD, LONGEST_LINE, Content, read_content
from cgxas.errors import UnreadableCrystal
from cgxas.reading import read_head, refuse_unreadable

if TYPE_CHECKING:
    from ase import Atoms

TRAJECTORY = (b"- of UlmASE-Trajectory", b"AFFormatASE-Trajectory")
"""How a trajectory of ASE begins."""

STEP = b"ITEM: TIMESTEP"
"""How a time step of a LAMMPS dump begins."""

_COUNT = re.compile(rb"[ \t]*\d{1,18}[ \t]*\r?\n?")


@contextmanager
def opened(path: Path) -> Iterator[tuple[BinaryIO, int]]:
    """Lend a text of any size as bytes; what is packed or of wide characters, within limits.

    Yields:
        The file, in UTF-8 or an encoding like it; and its size in bytes.

    Raises:
        UnreadableCrystal: it cannot be read; if packed, it is larger than `limits.FILE_SIZE`.
    """
    size = refuse_unreadable(path, UnreadableCrystal)
    head = read_head(path, HEAD, UnreadableCrystal)
    if head[:1].isascii() and b"\0" not in head and not head.startswith((b"\x1f", b"BZh")):
        with path.open("rb") as file:
            yield file, size
        return
    text = read_content(path).text.encode()
    yield BytesIO(text), len(text)


def line_of(file: BinaryIO, path: Path) -> bytes:
    """Return the next line of a file; empty at its end.

    Raises:
        UnreadableCrystal: it is longer than any of a crystal file.
    """
    line = file.readline(LONGEST_LINE + 1)
    if len(line) > LONGEST_LINE:
        raise UnreadableCrystal(f"{path} has a line of more than {LONGEST_LINE:,} characters")
    return line


def xyz_frames(path: Path) -> Iterator[tuple[float, Content]]:
    """Yield the frames of an XYZ file of any size, as files of one frame each.

    Args:
        path: the file; a packed one is taken up to `limits.FILE_SIZE`.

    Yields:
        The share of the file up to and with the frame; and the frame, named "md.xyz:0".

    Raises:
        UnreadableCrystal: a frame is cut short, or too large; those before it were yielded.
    """
    with opened(path) as (file, size):
        yield from _frames(file, path, size)


def dump_frames(path: Path) -> Iterator[tuple[float, Content]]:
    """Yield the time steps of a LAMMPS dump of any size, as files of one each; as `xyz_frames`."""
    with opened(path) as (file, size):
        units: list[bytes] = []
        lines: list[bytes] = []
        length = number = 0
        while True:
            line = line_of(file, path)
            if not line or line.startswith(STEP):
                whole = min(file.tell() / size, 1.0), Path(f"{path}:{number}")
                if lines and lines[0].startswith(STEP):
                    yield whole[0], Content(whole[1], path.name.lower(), b"".join(units + lines))
                    number += 1
                elif not number:
                    units = lines  # are told above the first step alone
                lines, length = [], 0
            if not line:
                return
            lines.append(line)
            length += len(line)
            limits.FILE_SIZE.refuse_beyond(length, f"{path}:{number} holds", UnreadableCrystal)


def _frames(file: BinaryIO, path: Path, size: int) -> Iterator[tuple[float, Content]]:
    number = 0
    while first := line_of(file, path):
        if first.isspace():
            continue
        name = Path(f"{path}:{number}")
        if not _COUNT.fullmatch(first):
            shown = first[:40].decode(errors="replace").strip()
            raise UnreadableCrystal(
                f"{name} is not a readable XYZ file: {shown!r} stands where the number of atoms "
                "should"
            )
        lines, length = [first], 0
        limits.ATOMS.refuse_beyond(int(first), f"{name} lists", UnreadableCrystal)
        for _ in range(int(first) + 1):
            lines.append(line_of(file, path))
            length += len(lines[-1])
            limits.FILE_SIZE.refuse_beyond(length, f"{name} holds at least", UnreadableCrystal)
        if not lines[-1]:
            raise UnreadableCrystal(
                f"{name} says {int(first):,} atoms and lists fewer: the file is cut short"
            )
        yield min(file.tell() / size, 1.0), Content(name, path.name.lower(), b"".join(lines))
        number += 1


def trajectory_frames(path: Path) -> "Iterator[tuple[float, Atoms | UnreadableCrystal]]":
    """Yield the frames of a trajectory of ASE of any size.

    Yields:
        The share of the frames up to and with it; and the frame, or why it cannot be read.

    Raises:
        UnreadableCrystal: it is not a trajectory, or damaged where it begins.
    """
    from ase.io import ulm

    refuse_unreadable(path, UnreadableCrystal)
    try:
        reader: Any = ulm.open(str(path), "r")  # type: ignore[no-untyped-call]
    except Exception as error:  # other people's parser
        raise _damaged(path, error) from error
    with reader:
        for number in range(len(reader)):
            yield (number + 1) / len(reader), _frame(reader, number, Path(f"{path}:{number}"))


def _frame(reader: Any, number: int, name: Path) -> "Atoms | UnreadableCrystal":
    """Read a frame: its atoms alone, neither what was computed of them nor constraints."""
    from ase import Atoms

    try:
        found = reader[number]
        own = found if "numbers" in found else reader  # or as in the first frame
        numbers = own.numbers
        limits.ATOMS.refuse_beyond(len(numbers), f"{name} lists", UnreadableCrystal)
        return Atoms(
            numbers=numbers,
            positions=found.positions,
            cell=found.cell,
            pbc=own.pbc,
            info=found.get("info"),
        )
    except UnreadableCrystal as error:
        return error
    except Exception as error:  # other people's parser
        return _damaged(name, error)


def bare(atoms: "Atoms") -> "Atoms":
    """Return atoms alone, without what was computed of them."""
    from ase import Atoms

    return Atoms(numbers=atoms.numbers, positions=atoms.positions, cell=atoms.cell, pbc=atoms.pbc)


def _damaged(path: Path, error: Exception) -> UnreadableCrystal:
    return UnreadableCrystal(
        f"{path} is not a readable ASE trajectory: {one_line(error) or 'it is cut short'}"
    )
