"""The table of all file formats, and where to look one up."""

from pathlib import Path

from cgxas.errors import UnreadableSpectrum
from cgxas.reading import read_head
from cgxas.spectra.io import csv, json, parquet, photon_factory, plain, xdi
from cgxas.spectra.io.athena import project
from cgxas.spectra.io.base import Format
from cgxas.spectra.io.nexus import nxxas

FORMATS: tuple[Format, ...] = (
    xdi.FORMAT,
    project.FORMAT,
    json.FORMAT,
    parquet.FORMAT,
    nxxas.FORMAT,
    photon_factory.FORMAT,
    csv.FORMAT,
    plain.FORMAT,
)
"""Asked in this order what a file is; the last one takes whatever is left."""

_HEAD = 1024


def format_of(path: Path) -> Format:
    """Return the format of an existing file, by what it holds and by its suffix."""
    head = read_head(path, _HEAD, UnreadableSpectrum)
    return next(each for each in FORMATS if each.recognises(path, head))


def format_to_write(path: Path) -> Format | None:
    """Return the format a file is to be written in, by its suffix; None if there is none."""
    suffix = path.suffix.lower()
    return next((each for each in FORMATS if suffix in each.suffixes and each.is_writable), None)


def readable_suffixes() -> tuple[str, ...]:
    """Return the suffixes of files that can be read."""
    return tuple(suffix for each in FORMATS if each.read for suffix in each.suffixes)


def writable_suffixes() -> tuple[str, ...]:
    """Return the suffixes a single spectrum can be written to: first those of files of one."""
    one = (suffix for each in FORMATS if each.write_one for suffix in each.suffixes)
    return (*one, *table_suffixes())


def table_suffixes() -> tuple[str, ...]:
    """Return the suffixes of files that hold any number of spectra."""
    return tuple(suffix for each in FORMATS if each.write_many for suffix in each.suffixes)
