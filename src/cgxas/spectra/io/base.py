"""What a file format is: how it is recognised, read and written."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from cgxas.errors import CgxasError
from cgxas.spectra.io.scan import Scan
from cgxas.spectra.measurement import Measurement
from cgxas.spectra.spectrum import Spectrum

Curve = Spectrum | Measurement
"""What is written: a predicted or a measured spectrum."""

NamedScan: TypeAlias = tuple[str, Scan | CgxasError]
"""A scan of a file that holds many, by its name there; an error in place of one that is none."""


@dataclass(frozen=True)
class Choice:
    """What is wanted of a file that holds several things.

    Attributes:
        group: name of a group of a project, of an entry of a NeXus file, or number of a scan of a
            text.
        energy: name or number (from 1) of the energy column.
        mu: name, number or formula ("(if1+if2)/i0") of mu, or transmission, fluorescence,
            reference.
        columns: where all scans of a file are read, which of its columns are scans: names with
            wildcards and numbers ("mu*", "2-30", "a,b"); None: it is no table of scans.
    """

    group: str | None = None
    energy: str | None = None
    mu: str | None = None
    columns: str | None = None


@dataclass(frozen=True)
class Format:
    """One kind of file.

    A writer gets a path that becomes the wanted file only when it returns, so that it need not
    care for half a file; its last argument asks for the curves of the distinct sites as well.

    Attributes:
        name: as it is shown, and told in `Scan.format`.
        suffixes: lower case, with their dots; no other format has them.
        recognises: tells, by the path and the first bytes of the file, whether it is of this kind.
        read: gives the scan that was chosen; None: such files are only written. Raises
            UnreadableSpectrum, UnclearSpectrum, BadMeasurement, MissingExtra.
        read_all: gives every scan of a file with its name; None: a file holds one. Raises as
            `read` where none can be told.
        write_one: writes a single curve, for a format that holds one; None: it does not.
        write_many: writes any number of curves, for a format that holds many; None: it does not.
        prepare: refuses to write, before any work, where a library is missing; None: none needed.
        has_groups: whether a file holds several spectra, told apart by name.
        has_columns: whether the columns of energy and mu can be chosen.
        is_read_in_parts: whether the size of a file is no matter, for only parts of it are read.
    """

    name: str
    suffixes: tuple[str, ...]
    recognises: Callable[[Path, bytes], bool]
    read: Callable[[Path, Choice], Scan] | None = None
    read_all: Callable[[Path, Choice], Sequence[NamedScan]] | None = None
    write_one: Callable[[Path, Curve, bool], None] | None = None
    write_many: Callable[[Path, Iterable[Curve], bool], None] | None = None
    prepare: Callable[[], None] | None = None
    has_groups: bool = False
    has_columns: bool = False
    is_read_in_parts: bool = False

    @property
    def is_writable(self) -> bool:
        """Whether a single spectrum can be written to such a file."""
        return self.write_one is not None or self.write_many is not None
