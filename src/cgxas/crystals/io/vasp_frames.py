"""All steps of VASP's OUTCAR and vasprun.xml, one by one in bounded memory."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from cgxas import limits
from cgxas.crystals.io.base import Frame, last_of, one_line
from cgxas.crystals.io.content import Content
from cgxas.crystals.io.frames import bare, line_of, opened
from cgxas.errors import CrystalError, UnreadableCrystal

if TYPE_CHECKING:
    from ase import Atoms

_ENTITIES = (b"<!ENTITY", b"<!DOCTYPE")


def outcar_frames(path: Path) -> Iterator[tuple[float, Frame]]:
    """Yield the ionic steps of an OUTCAR that were finished.

    Args:
        path: the file; a packed one is taken up to `limits.FILE_SIZE`.

    Yields:
        The share of the file up to and with a step; and its atoms.

    Raises:
        UnreadableCrystal: it is damaged, or holds no step; those before were yielded.
    """
    with opened(path) as (file, size):
        for atoms in _steps(_lines(file, path), path):
            yield min(file.tell() / size, 1.0), atoms


def read_outcar(content: Content) -> "Atoms":
    """Return the last finished step of an OUTCAR.

    Raises:
        UnreadableCrystal: it is damaged, or holds no step.
    """
    number, last = 0, None
    for number, last in enumerate(_steps(content.lines(), content.path), start=1):  # noqa: B007
        pass
    if last is None:
        raise UnreadableCrystal(
            f"{content.path} holds no finished step: wait until VASP has done one"
        )
    last_of(content, number, "steps")
    return last


def _lines(file: BinaryIO, path: Path) -> Iterator[str]:
    while line := line_of(file, path):
        yield line.decode(errors="replace")


def _steps(lines: Iterator[str], path: Path) -> "Iterator[Atoms]":
    """Yield steps, read by ASE's parts of a parser; the whole looks for files beside this one."""
    from ase.io.vasp_parsers import vasp_outcar_parsers as vasp

    text: Any = lines
    chunk = vasp.OutcarChunkParser(parsers=[vasp.Cell(), vasp.PositionsAndForces()])
    number = 0
    try:
        header = vasp.OutcarHeaderParser().build(vasp.build_header(text))
        limits.ATOMS.refuse_beyond(int(header["natoms"]), f"{path} lists", UnreadableCrystal)
        chunk.header = header
        while step := _step(text):
            yield bare(chunk.build(step))
            number += 1
    except CrystalError:
        raise
    except Exception as error:  # other people's parser
        raise UnreadableCrystal(
            f"{path}:{number} is not a readable step of an OUTCAR: {one_line(error)}"
        ) from error


def _step(lines: Any) -> list[str]:
    """Return the lines of the next step; none where it is not finished."""
    from ase.io.vasp_parsers.vasp_outcar_parsers import build_chunk

    try:
        return list(build_chunk(lines))
    except StopIteration:
        return []


def vasprun_frames(path: Path) -> Iterator[tuple[float, Frame]]:
    """Yield the ionic steps of a vasprun.xml; as `outcar_frames`."""
    number = 0
    with opened(path) as (file, size):
        try:
            for atoms in _calculations(file, path):
                yield min(file.tell() / size, 1.0), atoms
                number += 1
        except CrystalError:
            raise
        except Exception as error:  # damaged: a number or an element is missing
            raise UnreadableCrystal(
                f"{path}:{number} is not a readable step of a vasprun.xml: {one_line(error)}"
            ) from error


def _calculations(file: Any, path: Path) -> "Iterator[Atoms]":
    from ase import Atoms

    symbols: list[str] = []
    for _, found in ET.iterparse(_Watched(file, path)):
        if found.tag == "atominfo":
            kinds = found.findall("array[@name='atoms']/set/rc")
            symbols = [(kind[0].text or "").strip() for kind in kinds]
            limits.ATOMS.refuse_beyond(len(symbols), f"{path} lists", UnreadableCrystal)
        elif found.tag == "calculation":
            structure = found.find("structure")
            if structure is not None:
                yield Atoms(
                    symbols=symbols,
                    cell=_rows(structure, "crystal/varray[@name='basis']/v"),
                    scaled_positions=_rows(structure, "varray[@name='positions']/v"),
                    pbc=True,
                )
            found.clear()


def _rows(found: ET.Element, where: str) -> Any:
    return np.array(
        [[float(word) for word in (v.text or "").split()] for v in found.findall(where)]
    )


class _Watched:
    """A file that defines no entities, which may grow without bound when they are resolved."""

    def __init__(self, file: Any, path: Path) -> None:
        self._file, self._path, self._before = file, path, b""

    def read(self, count: int = -1) -> bytes:
        """Return the next bytes.

        Raises:
            UnreadableCrystal: they define entities.
        """
        data: bytes = self._file.read(count)
        if any(each in self._before + data for each in _ENTITIES):
            raise UnreadableCrystal(f"{self._path} defines XML entities, which VASP does not write")
        self._before = data[-len(_ENTITIES[0]) :]
        return data
