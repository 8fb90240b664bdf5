"""ASE's SQLite databases of one row, opened in memory and read only."""

import sqlite3
from typing import TYPE_CHECKING

import numpy as np

from cgxas import limits
from cgxas.crystals.io.base import CrystalFormat
from cgxas.crystals.io.content import Content
from cgxas.errors import UnreadableCrystal

if TYPE_CHECKING:
    from ase import Atoms

_MAGIC = b"SQLite format 3\0"
_MOST_STEPS = 1000
"""Of a thousand instructions each, after which a query is stopped."""


def _recognises(content: Content) -> bool:
    return content.data.startswith(_MAGIC)


def _read(content: Content) -> "Atoms":
    from ase import Atoms

    numbers, positions, cell, pbc = _row(content)
    limits.ATOMS.refuse_beyond(len(numbers) // 4, f"{content.path} lists", UnreadableCrystal)
    atoms: Atoms = Atoms(
        numbers=np.frombuffer(numbers, dtype="<i4"),
        positions=np.frombuffer(positions, dtype="<f8").reshape(-1, 3),
        cell=np.frombuffer(cell, dtype="<f8").reshape(3, 3),
        pbc=[bool(pbc & 1 << axis) for axis in range(3)],
    )
    return atoms


def _row(content: Content) -> tuple[bytes, bytes, bytes, int]:
    """Return numbers, places, cell and periodicity of the one row, as ASE stores them."""
    connection = sqlite3.connect(":memory:")
    steps = iter(range(_MOST_STEPS))
    try:
        # A file could define views that run without end, or functions; neither is ASE's.
        connection.set_progress_handler(lambda: next(steps, None) is None, 1000)
        connection.execute("PRAGMA trusted_schema=OFF")
        connection.deserialize(content.data)
        kinds = connection.execute("SELECT type FROM sqlite_master WHERE name='systems'").fetchall()
        if kinds != [("table",)]:
            raise UnreadableCrystal(f"{content.path} is an SQLite file, but no database of ASE")
        rows = connection.execute(
            "SELECT numbers, positions, cell, pbc FROM systems LIMIT 2"
        ).fetchall()
    except sqlite3.Error as error:
        raise UnreadableCrystal(f"{content.path} is not a readable database: {error}") from error
    finally:
        connection.close()
    if len(rows) != 1:
        raise UnreadableCrystal(
            f"{content.path} is a database of {'several' if rows else 'no'} rows; write the one "
            "row to a file, with ase db"
        )
    numbers, positions, cell, pbc = rows[0]
    return numbers, positions, cell, pbc


FORMAT = CrystalFormat(name="ASE database", recognises=_recognises, read=_read, names=("*.db",))
