"""What a data-set folder holds, in numbers."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cgxas.data.folder import read_records
from cgxas.data.manifest import NOT_STATED, read_manifest
from cgxas.data.record import Record
from cgxas.elements import SYMBOLS


@dataclass(frozen=True)
class Counts:
    """Numbers of a set of spectra.

    Attributes:
        spectra: how many.
        materials: how many crystals they are of.
        formulas: how many reduced formulas.
        fidelities: short names of the kinds of spectra, sorted.
        energies: lowest and highest energy, eV; None without spectra.
    """

    spectra: int
    materials: int
    formulas: int
    fidelities: tuple[str, ...]
    energies: tuple[float, float] | None


@dataclass(frozen=True)
class Summary:
    """What a folder holds.

    Attributes:
        name: of the folder.
        all: numbers of all spectra.
        elements: absorber -> numbers of its spectra, by atomic number.
        licences: the terms, those of the manifest or of the table.
        has_manifest: whether the tables were compared with a manifest's checksums.
    """

    name: str
    all: Counts
    elements: dict[str, Counts]
    licences: tuple[str, ...]
    has_manifest: bool


def summarise(folder: Path) -> Summary:
    """Read and count a folder.

    Raises:
        DatasetError: it is not a data set, or damaged.
    """
    found = read_records([folder])
    manifest = read_manifest(folder)
    present = {record.element for record in found.records}
    of_element = {
        symbol: _counts(record for record in found.records if record.element == symbol)
        for symbol in SYMBOLS
        if symbol in present
    }
    licences = {record.annotation.licence or NOT_STATED for record in found.records}
    return Summary(
        name=found.names[0],
        all=_counts(found.records),
        elements=of_element,
        licences=(manifest.licence,) if manifest else tuple(sorted(licences)),
        has_manifest=manifest is not None,
    )


def _counts(records: Iterable[Record]) -> Counts:
    chosen = list(records)
    ends = [(float(record.energy.min()), float(record.energy.max())) for record in chosen]
    return Counts(
        spectra=len(chosen),
        materials=len({record.material.material_id for record in chosen}),
        formulas=len({record.material.formula for record in chosen}),
        fidelities=tuple(sorted({record.fidelity for record in chosen})),
        energies=(min(low for low, _ in ends), max(high for _, high in ends)) if ends else None,
    )
