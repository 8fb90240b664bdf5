"""How much a file may hold before it is refused, and how that is changed.

Each limit has a default that no honest file of its kind reaches, and an environment variable that
sets another one: ``CGXAS_MAX_ATOMS=100000 cgxas predict big.cif --absorber Fe``.
"""

import os
from dataclasses import dataclass

from cgxas.errors import CgxasError, ConfigError


@dataclass(frozen=True)
class Limit:
    """The most that is taken of one thing.

    Attributes:
        variable: environment variable that sets it.
        default: its value where the variable is not set.
        unit: what it counts, as it stands behind a number in a message.
    """

    variable: str
    default: int
    unit: str

    @property
    def value(self) -> int:
        """The limit in force.

        Raises:
            ConfigError: the variable holds no positive whole number.
        """
        text = os.environ.get(self.variable)
        if text is None:
            return self.default
        if not (text.isascii() and text.isdecimal() and len(text) <= 18 and int(text) > 0):
            raise ConfigError(f"{self.variable}={text!r} must be a whole number above 0")
        return int(text)

    def refuse_beyond(self, amount: float, what: str, error: type[CgxasError]) -> None:
        """Refuse more than the limit in one sentence that names it and how to raise it.

        Args:
            amount: of what was found.
            what: subject and verb of the sentence, such as "big.cif lists".
            error: the class to raise.
        """
        most = self.value
        if not amount <= most:
            shown = f"{amount:,}" if isinstance(amount, int) else f"{amount:,.12g}"
            raise error(
                f"{what} {shown} {self.unit}, more than the {most:,} that are taken; set "
                f"{self.variable} to take more"
            )


ATOMS = Limit("CGXAS_MAX_ATOMS", 20_000, "atoms")
"""In a crystal file, and in its cell after symmetry."""

CELL_EDGE = Limit("CGXAS_MAX_CELL_EDGE", 1_000, "A")
"""Length of a cell vector."""

FILE_SIZE = Limit("CGXAS_MAX_FILE_BYTES", 50_000_000, "bytes")
"""A file that is read whole, and what a compressed one unpacks to."""

POINTS = Limit("CGXAS_MAX_POINTS", 100_000, "points")
"""Of one spectrum."""

COLUMNS = Limit("CGXAS_MAX_COLUMNS", 2_000, "columns")
"""Of a table of numbers."""

ROWS = Limit("CGXAS_MAX_ROWS", 10_000_000, "rows")
"""Of a table of a data set."""

MEMBERS = Limit("CGXAS_MAX_MEMBERS", 200_000, "files")
"""Of a zip archive: what it lists of them is held in memory."""

GROUPS = Limit("CGXAS_MAX_GROUPS", 1_000, "groups")
"""Of an Athena project."""

PARAMETERS = Limit("CGXAS_MAX_PARAMETERS", 5_000, "parameters")
"""Of a group of an Athena project, the lines of its titles included."""

JSON_VALUES = Limit("CGXAS_MAX_JSON_VALUES", 2_000_000, "values")
"""Of a JSON file: Python takes up to a hundred times the space of the file for them."""

MODEL_SIZE = Limit("CGXAS_MAX_MODEL_BYTES", 500_000_000, "bytes")
"""Of a model file."""

OBJECTS = Limit("CGXAS_MAX_OBJECTS", 20_000, "objects")
"""Groups and datasets of an HDF5 file that are looked through."""

UPLOAD = Limit("CGXAS_MAX_UPLOAD_BYTES", 20_000_000, "bytes")
"""Of one request to a server."""

UPLOADED = Limit("CGXAS_MAX_UPLOADED_FILES", 100, "files")
"""Of one request to a server, scans of a series not counted."""

SERIES = Limit("CGXAS_MAX_SERIES_FILES", 2_000, "files")
"""Of the scans of a series in one request to a server."""

FITTED = Limit("CGXAS_MAX_FITTED_POINTS", 5_000, "points")
"""Of the range in which scans are fitted by references: errors are told for each pair of them."""

WAITING = Limit("CGXAS_MAX_WAITING", 64, "requests")
"""That wait for a server; more are asked to come back."""

SECONDS = Limit("CGXAS_MAX_SECONDS", 60, "seconds")
"""That a server gives to one request, and to a client to send it."""
