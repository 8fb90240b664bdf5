"""9809, the text files of XAFS beamlines in Japan: Photon Factory, SPring-8, Aichi SR, SAGA-LS.

A header of about ten lines, three rows that tell the columns, and counts over the angles of the
monochromator:

     9809     KEK-PF   BL9A
    Mono :   Si(111)       D=  3.13551 A    Initial angle= 13.93250 deg
     Angle(c)  Angle(o)    time/s         2         3
         Mode         0         0         1         3
       Offset         0         0  7753.700  7157.100

Angle(c) is what the monochromator was told, Angle(o) what its encoder observed, both in degrees.
Mode tells what a channel counts: 1 is I0, 2 transmission, 3 fluorescence, 4 electron yield, any
other something else. Offset is the dark counts per second.

Sources: the plugin PFBL12C of Demeter, which reads the same files; the control program of Aichi SR
BL5S1, which writes Mode and Offset so.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from cgxas.errors import UnreadableSpectrum
from cgxas.spectra.io.base import Choice, Format
from cgxas.spectra.io.scan import Scan
from cgxas.spectra.io.table.axis import angle_to_energy, looks_like_energies
from cgxas.spectra.io.table.columns import Columns, columns_of
from cgxas.spectra.io.text.read import lines_of, scan_of, table_of
from cgxas.typing import FloatArray

_SPACING = re.compile(r"\bD\s{0,9}=\s{0,9}(\d{1,3}\.\d{1,9})\s{0,9}A", re.IGNORECASE)
_FIRST = ("Angle(c)", "Angle(o)", "time")
_CALLED = {1: "i0", 2: "it", 3: "if", 4: "iey"}
_FLUORESCENCE = {"if", "if1"}
_CONTROLLED, _OBSERVED, _TIME = 0, 1, 2


def _recognises(path: Path, head: bytes) -> bool:
    first = head.lstrip(b" \t\r\n\xef\xbb\xbf#").split(b"\n", maxsplit=1)[0].split()
    return len(first) > 1 and first[0] == b"9809"


def _read(path: Path, choice: Choice) -> Scan:
    lines = lines_of(path)
    start = _first_row(lines)
    table, _ = table_of(lines[start:], path.name, replace(choice, energy="1"))
    found = _counted(table, lines[:start])
    if choice.mu is None and _is_fluorescence(lines[:start]) and _FLUORESCENCE & set(found.names):
        choice = replace(choice, mu="fluorescence")
    at = _OBSERVED if looks_like_energies(_energy(found, _OBSERVED, lines)) else _CONTROLLED
    if choice.energy:
        at = found.index(choice.energy)
    if at not in (_CONTROLLED, _OBSERVED):
        return scan_of(found, choice, format=FORMAT.name)
    return scan_of(_with_energy(found, at, lines), replace(choice, energy=None), format=FORMAT.name)


def _is_fluorescence(header: Sequence[str]) -> bool:
    """Tell what the file says it is: ``BL9A  Fluorescence( 3)``."""
    return any("fluorescence(" in line.lower().replace(" ", "") for line in header)


def _first_row(lines: Sequence[str]) -> int:
    """Return where the rows of counts begin: below the last line that tells the columns."""
    told = ("angle(c)", "mode", "offset")
    rows = [_words(line) for line in lines[:200]]
    found = [n for n, words in enumerate(rows) if words and words[0].lower() in told]
    return found[-1] + 1 if found else 0


def _words(line: str) -> list[str]:
    return line.lstrip("#").split()


def _row(header: Sequence[str], first: str) -> list[str]:
    """Return the words of a line that begins with one, without it; none if there is none."""
    rows = [_words(line) for line in header]
    return next((row[1:] for row in reversed(rows) if row and row[0].lower() == first), [])


def _counted(table: Columns, header: Sequence[str]) -> Columns:
    """Return the columns with their names, less their dark counts."""
    n_channels = len(table.data) - len(_FIRST)
    modes = [int(word) for word in _row(header, "mode")[2:] if word.isdecimal()]
    offsets = [_number(word) for word in _row(header, "offset")[2:]]
    data, done = table.data.copy(), list(table.done)
    if n_channels >= len(offsets) and any(offsets):
        dark = np.outer(offsets, data[_TIME])
        data[len(_FIRST) : len(_FIRST) + len(offsets)] -= dark
        done.append("the dark counts of Offset are taken off, times the seconds of each point")
    fits = n_channels >= len(modes) > 0
    doubt = "" if fits else "its row Mode does not fit its columns"
    names = [*_FIRST, *_called(modes, n_channels)] if fits else ()
    return columns_of(names, data, (), table.source, doubt, done)


def _called(modes: Sequence[int], n_channels: int) -> list[str]:
    """Return names of channels by what they count, numbered where several count the same."""
    total, seen = Counter(modes), Counter[int]()
    names = []
    for n in range(n_channels):
        mode = modes[n] if n < len(modes) else 0
        seen[mode] += 1
        if mode not in _CALLED:
            names.append(f"channel{n + 1}")
        else:
            names.append(_CALLED[mode] + (str(seen[mode]) if total[mode] > 1 else ""))
    return names


def _with_energy(table: Columns, at: int, header: Sequence[str]) -> Columns:
    energy = _energy(table, at, header)
    what = "observed" if at == _OBSERVED else "of the set point"
    other = _FIRST[1 - at]
    spacing = _spacing(table.source, header)
    said = (
        f"energies are computed from column {at + 1}, {_FIRST[at]}, the angle {what}, and "
        f"D = {spacing:g} A ({other} stands beside it)"
    )
    names = (*table.names, "energy") if table.names else ()
    if not names:
        names = (*(f"column{n}" for n in range(1, len(table.data) + 1)), "energy")
    units = (*("",) * len(table.data), "eV")
    data = np.vstack([table.data, energy])
    return columns_of(names, data, units, table.source, table.doubt, (*table.done, said))


def _energy(table: Columns, at: int, header: Sequence[str]) -> FloatArray:
    return angle_to_energy(table.data[at], _spacing(table.source, header))


def _spacing(source: str, header: Sequence[str]) -> float:
    found = next((match for match in map(_SPACING.search, header[:30]) if match), None)
    if found is None:
        raise UnreadableSpectrum(
            f"{source} does not tell the spacing of its monochromator's planes (D= 3.13551 A): "
            "the angles cannot be turned into energies."
        )
    return float(found[1])


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        return 0.0


FORMAT = Format(
    name="9809",
    suffixes=(),
    recognises=_recognises,
    read=_read,
    has_groups=True,
    has_columns=True,
)
