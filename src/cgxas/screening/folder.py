"""The folder of a screening: its parts, what was asked, and what is made of the parts in the end.

A part holds a fixed run of the crystals, whoever computes it, and appears whole or not at all. So
what there is never has to be kept a record of: a part that is there is done.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cgxas.errors import OutputError
from cgxas.jsonfile import parsed_bytes
from cgxas.reading import read_bounded
from cgxas.screening.rows import About, Rows, read_about, write_failures, write_remarks
from cgxas.writing import atomic_path

ASKED, FAILURES, REMARKS = "screen.json", "failures.parquet", "warnings.parquet"
_PARTS: Final = "part-*.parquet"


@dataclass(frozen=True)
class ScreenFolder:
    """A folder of parts.

    Attributes:
        path: the folder.
        part_size: crystals of each part but the last.
    """

    path: Path
    part_size: int

    @classmethod
    def open(cls, path: Path, asked: Mapping[str, Any], part_size: int) -> "ScreenFolder":
        """Make the folder, or go on in one where the same was asked.

        Args:
            path: the folder.
            asked: all that changes what is answered, as plain values.
            part_size: crystals of a part; where there are parts already, theirs is kept.

        Raises:
            OutputError: it holds something else, or what something else was asked of.
        """
        told = path / ASKED
        if told.exists():
            return cls(path, _agreed(told, asked))
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise OutputError(f"{path} holds something else than a screening; choose a new folder")
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{path} cannot be made: {error.strerror}") from error
        with atomic_path(told) as temporary:
            text = json.dumps({**asked, "part_size": part_size}, indent=2)
            temporary.write_text(text + "\n", encoding="utf-8")
        return cls(path, part_size)

    def part(self, number: int) -> Path:
        """Return where a part is, or will be."""
        return self.path / f"part-{number:06d}.parquet"

    def done(self, number: int) -> About | None:
        """Return what a part that is done tells; None: it is still to be made."""
        path = self.part(number)
        return read_about(path) if path.exists() else None

    def add(self, number: int, rows: Rows) -> None:
        """Write a part."""
        rows.write(self.part(number))

    def summed_up(self) -> list[About]:
        """Write the tables of failures and warnings of all parts, and return what parts tell.

        Several processes may end at a time: whoever ends last sees all parts.
        """
        while True:
            paths = sorted(self.path.glob(_PARTS))
            about = [read_about(path) for path in paths]
            write_failures(self.path / FAILURES, [each.failures for each in about])
            write_remarks(self.path / REMARKS, [each.remarks for each in about])
            if sorted(self.path.glob(_PARTS)) == paths:
                return about


def _agreed(told: Path, asked: Mapping[str, Any]) -> int:
    """Return the size of the parts of a screening that asked for the same."""
    before = parsed_bytes(read_bounded(told, OutputError), str(told), OutputError)
    size = before.pop("part_size", None) if isinstance(before, dict) else None
    if not isinstance(size, int) or size < 1:
        raise OutputError(f"{told} is damaged; choose a new folder")
    other = [name for name, value in asked.items() if before.get(name) != value]
    if other:
        name = other[0]
        raise OutputError(
            f"{told.parent} holds a screening with {name} {before.get(name)!r}, not "
            f"{asked[name]!r}; ask for the same to go on with it, or choose a new folder"
        )
    return size
