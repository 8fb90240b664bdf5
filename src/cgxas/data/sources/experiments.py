"""Measured spectra and the crystals they belong to, by a table of pairs -> a data-set folder."""

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from cgxas.crystals.canonical import Cell
from cgxas.data.folder import check_new_folder
from cgxas.data.manifest import Manifest, Origin
from cgxas.data.record import EDGE, EXPERIMENT, Annotation, edge_name
from cgxas.data.sources.collect import write_collected
from cgxas.data.sources.crystal import cell_and_formula
from cgxas.data.sources.item import OTHER_EDGE, ImportedSpectrum, Item, LeftOut, Unusable
from cgxas.elements import ABSORBERS, atomic_number
from cgxas.errors import (
    BadMeasurement,
    DatasetError,
    SpectrumError,
    UnclearSpectrum,
    UnknownElement,
    UnreadableSpectrum,
    WrongEdge,
)
from cgxas.spectra.io.larch import need_larch
from cgxas.spectra.io.read import read_spectrum
from cgxas.spectra.measurement import Measurement

NEEDED = ("spectrum", "crystal", "element")
"""Columns a table of pairs must have."""

OPTIONAL = ("group", "compound", "shift", "weight", "energy", "mu", "edge")
"""Columns it may have; an empty field is as good as none."""

_REASONS: dict[type[SpectrumError], str] = {
    UnreadableSpectrum: "spectrum is not readable",
    UnclearSpectrum: "group or columns of the spectrum are not chosen",
    WrongEdge: "edge is not that of the element",
    BadMeasurement: "spectrum cannot be normalised",
}


@dataclass(frozen=True)
class Pair:
    """One row of the table.

    Attributes:
        line: in the file, for messages.
        spectrum: file of the spectrum, below the folder of spectra.
        crystal: file of the crystal, below the folder of crystals.
        element: absorber.
        group: of an Athena project or NeXus file, or empty.
        compound: what replicates and polymorphs share, or empty.
        shift: eV to be added to the energies to calibrate them; None: unknown.
        weight: how much the spectrum counts.
        energy: energy column, or empty.
        mu: column or formula of mu, or empty; as `cgxas.read_spectrum` takes them.
        edge: of the spectrum, or empty: that its file states.
    """

    line: int
    spectrum: str
    crystal: str
    element: str
    group: str = ""
    compound: str = ""
    shift: float | None = None
    weight: float = 1.0
    energy: str = ""
    mu: str = ""
    edge: str = ""

    @property
    def name(self) -> str:
        """Name of the spectrum in the data set: crystal, file, group and what mu is made of.

        The file keeps its suffix, which often counts the scans: fe.001, fe.002.
        """
        crystal = Path(self.crystal).with_suffix("").as_posix()
        words = [crystal, Path(self.spectrum).as_posix(), self.group, self.mu]
        return "-".join(filter(None, words)).replace("/", "-") + f"-XANES-K-{self.element}"


def read_pairs(table: Path) -> list[Pair]:
    """Read a table of spectra and crystals.

    Raises:
        DatasetError: it is not readable, lacks a column, is empty, or holds a bad number.
    """
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            names = [name.strip() for name in reader.fieldnames or ()]
            reader.fieldnames = names
            rows = [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{table} is not a readable CSV table") from error
    missing = [name for name in NEEDED if name not in names]
    if missing:
        raise DatasetError(
            f"{table} has no column {missing[0]!r}; it needs {', '.join(NEEDED)} and may have "
            f"{', '.join(OPTIONAL)}"
        )
    if not rows:
        raise DatasetError(f"{table} holds no pairs")
    return [_pair(line, row, table) for line, row in rows]


def _pair(line: int, row: Mapping[str, Any], table: Path) -> Pair:
    words = {name: (row.get(name) or "").strip() for name in (*NEEDED, *OPTIONAL)}
    empty = [name for name in NEEDED if not words[name]]
    if empty:
        raise DatasetError(f"{table}, line {line}: the field {empty[0]!r} is empty")
    shift, weight = (_number(words.pop(name), name, table, line) for name in ("shift", "weight"))
    if weight is not None and weight <= 0:
        raise DatasetError(f"{table}, line {line}: weight must be above 0")
    return Pair(line=line, **words, shift=shift, weight=1.0 if weight is None else weight)


def _number(text: str, name: str, table: Path, line: int) -> float | None:
    """Return the number in a field, or None if it is empty."""
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        raise DatasetError(f"{table}, line {line}: {name} is not a number: {text!r}")
    return value


def ingest(
    spectra: Path,
    structures: Path,
    table: Path,
    folder: Path,
    origin: Origin,
    on_pair: Callable[[str], None] = lambda sentence: None,
) -> Manifest:
    """Write measured spectra and their crystals to a new data-set folder.

    Spectra are normalised and flattened; energies stay as published. Each is the mean over all
    sites of its element in the crystal, however many of them are equivalent. Beside the curve the
    table of spectra gets what the pairs tell (compound, energy shift, weight) and the measurement
    as it was.

    Args:
        spectra: folder of the files of spectra.
        structures: folder of the files of crystals.
        table: which belongs to which.
        folder: a new or empty folder.
        origin: for the manifest.
        on_pair: told after each row, with a sentence if it is left out.

    Raises:
        DatasetError: the table or a folder cannot be used, or nothing of it.
        OutputError: the folder cannot be written.
        MissingExtra: Larch is not installed.
    """
    check_new_folder(folder)
    need_larch()
    for each in (spectra, structures):
        if not each.is_dir():
            raise DatasetError(f"{each}: no such folder")
    pairs = read_pairs(table)
    measured: dict[str, Measurement] = {}
    items = _items(pairs, spectra, structures, measured, on_pair)
    return write_collected(items, table, folder, origin, measured)


def _items(
    pairs: list[Pair],
    spectra: Path,
    structures: Path,
    measured: dict[str, Measurement],
    on_pair: Callable[[str], None],
) -> Iterator[Item]:
    """Yield each pair's spectrum, or why it is left out; note what was measured by name."""
    crystal = cache(lambda name: _crystal(structures / name))
    for pair in pairs:
        sentence = ""
        try:
            number = atomic_number(pair.element)
            cell, formula = crystal(pair.crystal)
            _refuse_pair(pair, number in cell.numbers, measured)
            measurement = _measurement(pair, spectra)
            if measurement.edge != EDGE:
                raise Unusable(OTHER_EDGE)
            found = _imported(pair, measurement, cell, formula)
            measured[pair.name] = replace(measurement, source=pair.spectrum)
            yield found
        except (Unusable, UnknownElement, SpectrumError) as error:
            about = f"{pair.spectrum} with {pair.crystal}: " if isinstance(error, Unusable) else ""
            sentence = f"line {pair.line}: {about}{error}"
            yield LeftOut(f"{pair.spectrum} {pair.group}".strip(), _reason(error))
        on_pair(sentence)


def _refuse_pair(pair: Pair, is_inside: bool, measured: Mapping[str, Any]) -> None:
    """Refuse what would be refused when it is collected, while the line can still be told."""
    if not is_inside:
        raise Unusable("absorber is not in the crystal")
    if pair.element not in ABSORBERS:
        raise Unusable(f"absorber is not one of the {len(ABSORBERS)} elements")
    if edge_name(pair.edge) != EDGE:
        raise Unusable(OTHER_EDGE)
    if pair.name in measured:
        raise Unusable("spectrum given twice")


def _crystal(path: Path) -> tuple[Cell, str]:
    if not path.is_file():
        raise Unusable("crystal is missing")
    return cell_and_formula(path)


def _measurement(pair: Pair, spectra: Path) -> Measurement:
    path = spectra / pair.spectrum
    found = read_spectrum(
        path,
        pair.element,
        group=pair.group or None,
        energy=pair.energy or None,
        mu=pair.mu or None,
        edge=pair.edge or None,
    )
    return found.flattened()


def _imported(pair: Pair, measurement: Measurement, cell: Cell, formula: str) -> ImportedSpectrum:
    return ImportedSpectrum(
        name=pair.name,
        material_id=Path(pair.crystal).stem,
        formula=formula,
        cell=cell,
        element=pair.element,
        site=None,
        site_certain=True,
        energy=measurement.energy,
        norm=measurement.norm,
        theory=EXPERIMENT,
        fidelity=EXPERIMENT,
        edge=measurement.edge,
        annotation=_annotation(pair, measurement),
    )


def _reason(error: Exception) -> str:
    if isinstance(error, UnknownElement):
        return "element is unknown"
    return next((text for kind, text in _REASONS.items() if isinstance(error, kind)), str(error))


def _annotation(pair: Pair, measurement: Measurement) -> Annotation:
    """Return what is told beside the curve; the shift of the table goes before that of the file."""
    of_file = measurement.energy_shift or None
    try:
        return Annotation(
            compound=pair.compound or Path(pair.crystal).stem,
            energy_shift=of_file if pair.shift is None else pair.shift,
            weight=pair.weight,
        )
    except DatasetError as error:
        raise Unusable("energy shift or weight is impossible") from error
