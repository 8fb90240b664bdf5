"""Names and units of columns, out of the header of a text file."""

import re
from collections.abc import Sequence
from typing import Any

_COMMENT = re.compile(r"^\s*(#[LC]\b|[#%;!*$]+)?\s*")
_UNIT = re.compile(r"\s*[(\[]\s*(k?eV|deg(?:rees)?)\s*[)\]]", re.IGNORECASE)
# "# Column.1: energy eV || address" of XDI, "Col 1 ENERGY DOUBLE" of DESY's .fio
_NUMBERED = re.compile(
    r"[#\s]*Col(?:umn\.|\s+)(\d+)\s*:?\s+([^\s|#]+)(?:\s+(?:units=)?([^\s|#]+))?"
)
_TYPES = ("DOUBLE", "FLOAT", "INTEGER")
_LAST_LINES = 3


def column_names(group: Any, n_columns: int) -> tuple[Sequence[str], Sequence[str]]:
    """Return names and units of the columns; none at all if the file does not name them.

    Larch splits "Energy (eV)" into two names and knows no ``Col 1 ENERGY``, so headers are read
    here once more, unless Larch knows the beamline.

    Args:
        group: what Larch's read_ascii gave, with the lines of the header.
        n_columns: columns of numbers below it.
    """
    from larch.io import guess_beamline

    if guess_beamline(group.header).name == "generic":
        lines = group.header[-_LAST_LINES:][::-1]
        below = next(filter(None, (_split(line, n_columns) for line in lines)), [])
    else:
        known = list(group.array_labels)
        below = known if len(known) == n_columns else []
    found = {int(each[1]): each for each in map(_NUMBERED.match, group.header) if each}
    if not found:
        return [_UNIT.sub("", name) for name in below], [_unit(name) for name in below]
    names = below or [f"column{n}" for n in range(1, n_columns + 1)]
    units = [""] * n_columns
    for n, each in found.items():
        if 1 <= n <= n_columns:
            names[n - 1] = each[2]
            units[n - 1] = "" if each[3] in (None, *_TYPES) else each[3]
    return names, units


def _split(line: str, n_columns: int) -> list[str] | None:
    """Return the names in a line of the header, if there are as many as columns."""
    text = _COMMENT.sub("", line.strip(), count=1)
    joined = _UNIT.sub(lambda found: f"({found[1]})", text)  # "Energy (eV)" is one name
    for separator in (r"\s*[,;]\s*", r"\t+", r"\s{2,}", r"\s+"):
        for each in (text, joined):
            words = [word for word in re.split(separator, each) if word.strip("\"' ")]
            if len(words) == n_columns and re.search(r"[A-Za-z]", each):
                return [word.strip("\"' ") for word in words]
    return None


def _unit(name: str) -> str:
    found = _UNIT.search(name)
    return found[1] if found else ""
