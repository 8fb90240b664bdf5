"""Trajectories, frame by frame in bounded memory: extended XYZ and ASE's own format.

A frame of an XYZ file is handed on as the text it is, so that whoever wants it reads it where and
when it is wanted.
"""

import re
from collections.abc import Iterator
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

_COUNT = re.compile(rb"[ \t]*\d{1,18}[ \t]*\r?\n?")


def xyz_frames(path: Path) -> Iterator[tuple[float, Content]]:
    """Yield the frames of an XYZ file of any size, as files of one frame each.

    Args:
        path: the file; a packed one is taken up to `limits.FILE_SIZE`.

    Yields:
        The share of the file up to and with the frame; and the frame, named "md.xyz:0".

    Raises:
        UnreadableCrystal: a frame is cut short, or too large; those before it were yielded.
    """
    size = refuse_unreadable(path, UnreadableCrystal)
    if read_head(path, HEAD, UnreadableCrystal).lstrip()[:1].isdigit():
        with path.open("rb") as file:
            yield from _frames(file, path, size)
        return
    text = read_content(path).text.encode()  # packed, or in another encoding
    yield from _frames(BytesIO(text), path, len(text))


def _frames(file: BinaryIO, path: Path, size: int) -> Iterator[tuple[float, Content]]:
    number = 0
    while first := _line(file, path):
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
            lines.append(_line(file, path))
            length += len(lines[-1])
            limits.FILE_SIZE.refuse_beyond(length, f"{name} holds at least", UnreadableCrystal)
        if not lines[-1]:
            raise UnreadableCrystal(
                f"{name} says {int(first):,} atoms and lists fewer: the file is cut short"
            )
        yield min(file.tell() / size, 1.0), Content(name, path.name.lower(), b"".join(lines))
        number += 1


def _line(file: BinaryIO, path: Path) -> bytes:
    line = file.readline(LONGEST_LINE + 1)
    if len(line) > LONGEST_LINE:
        raise UnreadableCrystal(f"{path} has a line of more than {LONGEST_LINE:,} characters")
    return line


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


def _damaged(path: Path, error: Exception) -> UnreadableCrystal:
    return UnreadableCrystal(
        f"{path} is not a readable ASE trajectory: {one_line(error) or 'it is cut short'}"
    )
