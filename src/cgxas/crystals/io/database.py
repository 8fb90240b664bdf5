"""ASE's SQLite databases, read only: the one row of a small one, or row after row of any."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cgxas import limits
from cgxas.crystals.io.base import CrystalFormat
from cgxas.crystals.io.content import Content
from cgxas.errors import UnreadableCrystal

if TYPE_CHECKING:
    from ase import Atoms

MAGIC = b"SQLite format 3\0"
"""How a database begins."""

_MEMBERS = "numbers, positions, cell, pbc"
_MOST_STEPS = 1000
"""Of a thousand instructions each, after which a query is stopped."""


def _recognises(content: Content) -> bool:
    return content.data.startswith(MAGIC)


def _read(content: Content) -> "Atoms":
    with closing(sqlite3.connect(":memory:")) as connection:
        try:
            connection.deserialize(content.data)
            _guard(connection, content.path)
            rows = connection.execute(f"SELECT {_MEMBERS} FROM systems LIMIT 2").fetchall()
        except sqlite3.Error as error:
            raise _unreadable(content.path, error) from error
    if len(rows) != 1:
        raise UnreadableCrystal(
            f"{content.path} is a database of {'several' if rows else 'no'} rows; write the one "
            "row to a file, with ase db"
        )
    return _atoms(rows[0], str(content.path))


def database_rows(path: Path) -> "Iterator[tuple[int, float, Atoms | UnreadableCrystal]]":
    """Yield the rows of a database of any size, in the order of their numbers.

    Args:
        path: the file, which is not changed.

    Yields:
        The row's number; the share of the table up to it; and its crystal, or why there is none.

    Raises:
        UnreadableCrystal: it is no database of ASE.
    """
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        try:
            refresh = _guard(connection, path)
            last = connection.execute("SELECT max(id) FROM systems").fetchone()[0] or 1
            for number, *row in connection.execute(
                f"SELECT id, {_MEMBERS} FROM systems ORDER BY id"
            ):
                refresh()
                try:
                    found = _atoms(row, f"{path}:{number}")
                except UnreadableCrystal as problem:
                    yield number, number / last, problem
                else:
                    yield number, number / last, found
        except (sqlite3.Error, OverflowError) as error:
            raise _unreadable(path, error) from error


def _guard(connection: sqlite3.Connection, path: Path) -> Callable[[], None]:
    """Keep a file from running anything, and return what grants time for another row.

    It could define views that run without end, or functions; neither is ASE's.
    """
    steps = iter(range(_MOST_STEPS))

    def refresh() -> None:
        nonlocal steps
        steps = iter(range(_MOST_STEPS))

    connection.set_progress_handler(lambda: next(steps, None) is None, 1000)
    connection.execute("PRAGMA trusted_schema=OFF")
    kinds = connection.execute("SELECT type FROM sqlite_master WHERE name='systems'").fetchall()
    if kinds != [("table",)]:
        raise UnreadableCrystal(f"{path} is an SQLite file, but no database of ASE")
    return refresh


def _atoms(row: Sequence[Any], name: str) -> "Atoms":
    from ase import Atoms

    numbers, positions, cell, pbc = row
    try:
        limits.ATOMS.refuse_beyond(len(numbers) // 4, f"{name} lists", UnreadableCrystal)
        atoms: Atoms = Atoms(
            numbers=np.frombuffer(numbers, dtype="<i4"),
            positions=np.frombuffer(positions, dtype="<f8").reshape(-1, 3),
            cell=np.frombuffer(cell, dtype="<f8").reshape(3, 3),
            pbc=[bool(pbc & 1 << axis) for axis in range(3)],
        )
    except (TypeError, ValueError, AttributeError) as error:
        if isinstance(error, UnreadableCrystal):
            raise
        raise UnreadableCrystal(f"{name} is no crystal as ASE stores it: {error}") from error
    return atoms


def _unreadable(path: Path, error: Exception) -> UnreadableCrystal:
    return UnreadableCrystal(f"{path} is not a readable database: {error}")


FORMAT = CrystalFormat(name="ASE database", recognises=_recognises, read=_read, names=("*.db",))
