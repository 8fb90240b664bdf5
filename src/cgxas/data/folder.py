"""A data-set folder: crystals once (materials.parquet), spectra by reference (spectra.parquet).

manifest.json says where they come from and holds the tables' checksums. The columns stand in
`cgxas.data.schema`.
"""

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cgxas.crystals.canonical import Cell
from cgxas.data.distinct import DistinctMaterials
from cgxas.data.manifest import Manifest, Origin, hash_tables, write_manifest
from cgxas.data.record import EDGE, Annotation, Material, Record, Records, edge_name, fidelity_of
from cgxas.data.schema import MaterialRow, SpectrumRow
from cgxas.data.tables import Incomplete, Row, read_rows, write_rows
from cgxas.elements import SYMBOLS, atomic_number
from cgxas.errors import DatasetError, InvalidCell, OutputError
from cgxas.limits import ATOMS
from cgxas.spectra.measurement import Measurement
from cgxas.writing import atomic_folder


def dataset_name(folder: Path) -> str:
    """Return the name of a folder, of the working folder too."""
    return folder.absolute().name


def read_records(folders: Sequence[Path]) -> Records:
    """Read data-set folders.

    A spectrum without a site index is the mean over all sites of its element. The column
    `fidelity` is optional: without it the name and version of the code are read off `theory`.

    Raises:
        DatasetError: a table or column is missing, a row refers to what is not there, holds
            impossible values or is of another edge than K, a table is not the one its manifest
            tells of, or two crystals or spectra would have one name.
    """
    digest = hashlib.sha256()
    records: list[Record] = []
    for folder in folders:
        hash_tables(folder, digest)
        materials = _materials(folder)
        rows = _complete(read_rows(folder, SpectrumRow), folder / SpectrumRow.FILE)
        records += [record_of(row, materials, folder) for row in rows]
    names = tuple(dataset_name(folder) for folder in folders)
    _refuse_equal_keys(records, names)
    return Records(tuple(records), digest.hexdigest(), names)


def _materials(folder: Path) -> dict[str, Material]:
    """Return the crystals of a folder by their names."""
    path = folder / MaterialRow.FILE
    materials: dict[str, Material] = {}
    for row in _complete(read_rows(folder, MaterialRow), path):
        if row.material_id in materials:
            raise DatasetError(f"{path} holds two crystals called {row.material_id}; rename one")
        materials[row.material_id] = material_of(row, folder)
    return materials


def _complete(rows: Iterable[Row | Incomplete], path: Path) -> Iterator[Row]:
    for row in rows:
        if isinstance(row, Incomplete):
            raise DatasetError(
                f"{path}: {row.name} has no {row.column}; fill it in, or take the row out"
            )
        yield row


def material_of(row: MaterialRow, folder: Path) -> Material:
    """Return the crystal of a row.

    Raises:
        DatasetError: its lists do not make a crystal.
        InvalidCell: its cell has no volume, or its numbers are not finite.
    """
    name = f"{folder / MaterialRow.FILE}: {row.material_id}"
    try:
        lattice, places = row.lattice.reshape(3, 3), row.frac_coords.reshape(-1, 3)
        numbers = np.array([atomic_number(symbol) for symbol in row.species], dtype=np.int64)
    except ValueError as error:  # an unknown element is one too
        raise DatasetError(f"{name} is not a crystal: {error}") from error
    if not len(numbers) or len(places) != len(numbers):
        raise DatasetError(f"{name} has {len(numbers)} species but {len(places)} places")
    cell = Cell(lattice, places, numbers)
    ATOMS.refuse_beyond(len(numbers), f"{name} has", DatasetError)
    try:
        cell.refuse_impossible()
    except InvalidCell as error:
        raise InvalidCell(f"{name}: {error}") from error
    return Material(row.material_id, row.formula, cell)


def absorbing_sites(row: SpectrumRow, cell: Cell) -> NDArray[np.int64]:
    """Return the sites of a crystal a spectrum is of, (S,); none if there is no such absorber."""
    if row.element not in SYMBOLS:
        return np.empty(0, dtype=np.int64)
    sites = np.flatnonzero(cell.numbers == atomic_number(row.element))
    return sites if row.site_index is None else sites[sites == row.site_index]


def is_curve(energy: NDArray[np.float64], norm: NDArray[np.float64]) -> bool:
    """Tell whether energies and values are finite, of one length, and not empty."""
    finite = np.isfinite(energy).all() and np.isfinite(norm).all()
    return energy.size > 0 and energy.shape == norm.shape and bool(finite)


def record_of(row: SpectrumRow, materials: Mapping[str, Material], folder: Path) -> Record:
    """Return the record of a row.

    Raises:
        DatasetError: it refers to what is not there, or holds impossible values.
    """
    name = f"{folder / SpectrumRow.FILE}: {row.spectrum_id}"
    edge = edge_name(row.edge)
    if edge != EDGE:
        raise DatasetError(
            f"{name} is of the {edge} edge; cgxas answers for K edges only: take it out"
        )
    material = materials.get(row.material_id)
    if material is None:
        raise DatasetError(f"{name} refers to {row.material_id}, which is not in materials")
    sites = absorbing_sites(row, material.cell)
    if not len(sites):
        which = "no site is" if row.site_index is None else f"site {row.site_index} is not"
        raise DatasetError(f"{name}: {which} {row.element}")
    if not is_curve(row.energy, row.mu):
        raise DatasetError(f"{name}: energy and mu must be finite and of one length")
    if (np.diff(row.energy) <= 0).any():
        raise DatasetError(f"{name}: the energies must increase strictly")
    return Record(
        row.spectrum_id,
        material,
        row.element,
        sites,
        row.site_certain,
        row.energy,
        row.mu,
        row.theory,
        row.fidelity or fidelity_of(row.theory),
        dataset_name(folder),
        edge,
        annotation_of(row, name),
    )


def annotation_of(row: SpectrumRow, name: str) -> Annotation:
    """Return what a row tells beyond the curve.

    Args:
        row: of the table of spectra.
        name: what it is called in messages.

    Raises:
        DatasetError: a shift, weight or multiplicity is impossible.
    """
    try:
        return Annotation(
            compound=row.compound,
            group=row.formula_group,
            source=row.source,
            licence=row.license,
            technique=row.technique,
            energy_shift=row.energy_shift,
            weight=row.weight,
            multiplicity=row.multiplicity,
            flags=row.quality_flags,
        )
    except DatasetError as error:
        raise DatasetError(f"{name} has {error}") from error


def _refuse_equal_keys(records: Sequence[Record], names: Sequence[str]) -> None:
    seen: set[str] = set()
    for record in records:
        if record.key in seen:
            twice = [name for name in set(names) if names.count(name) > 1]
            if record.dataset in twice:
                raise DatasetError(
                    f"two data sets are called {record.dataset} and both hold "
                    f"{record.spectrum_id}; name each folder once, or rename one"
                )
            raise DatasetError(f"{record.dataset} holds two spectra called {record.spectrum_id}")
        seen.add(record.key)


def check_new_folder(folder: Path) -> None:
    """Refuse, before any work, a folder that cannot be written.

    Raises:
        OutputError: it holds something, is a file, or may not be written.
    """
    target = folder.absolute()
    if target.exists() and not target.is_dir():
        raise OutputError(f"{folder} is a file; choose the name of a new folder")
    if target.is_dir() and any(target.iterdir()):
        raise OutputError(f"{folder} is not empty; choose the name of a new folder")
    above = next(each for each in target.parents if each.exists())
    if not (above.is_dir() and os.access(above, os.W_OK)):
        raise OutputError(f"{folder} cannot be written: {above} may not be written to")


def write_dataset(
    folder: Path,
    records: Sequence[Record],
    origin: Origin,
    left_out: Mapping[str, Sequence[str]] | None = None,
    measured: Mapping[str, Measurement] | None = None,
) -> Manifest:
    """Write a data-set folder, whole or not at all.

    Identical crystals are stored once, under the first one's name; two crystals of one name get
    names of their own.

    Args:
        folder: a new folder, or an empty one.
        records: the spectra; their keys' folder names are not kept.
        origin: what the manifest says of their origin.
        left_out: reason -> names of what the source held besides.
        measured: spectrum_id -> the measurement it was made from, to be kept beside it.

    Raises:
        OutputError: the folder holds something already, or cannot be written.
        DatasetError: two spectra of one name, or one of some but not all sites of its element.
    """
    check_new_folder(folder)
    _refuse_equal_names(records)
    distinct, scans = DistinctMaterials(), measured or {}
    rows = [
        _spectrum_row(
            each, distinct.kept(each.material).material_id, origin, scans.get(each.spectrum_id)
        )
        for each in records
    ]
    materials = list(distinct)
    with atomic_folder(folder) as temporary:
        write_rows(temporary, MaterialRow, [_material_row(each, origin) for each in materials])
        write_rows(temporary, SpectrumRow, rows)
        formulas = [each.formula for each in materials]
        return write_manifest(temporary, records, formulas, origin, left_out or {})


def _material_row(material: Material, origin: Origin) -> MaterialRow:
    cell = material.cell
    return MaterialRow(
        material_id=material.material_id,
        formula=material.formula,
        lattice=cell.lattice.ravel(),
        species=tuple(SYMBOLS[z - 1] for z in cell.numbers),
        frac_coords=cell.frac.ravel(),
        n_sites=len(cell.numbers),
        structure_source=origin.origin,
        license=origin.licence,
    )


def _spectrum_row(
    record: Record, material_id: str, origin: Origin, scan: Measurement | None
) -> SpectrumRow:
    of_element = np.sum(record.material.cell.numbers == atomic_number(record.element))
    if len(record.sites) not in (1, of_element):
        raise DatasetError(
            f"{record.spectrum_id} is the mean of {len(record.sites)} of {of_element} sites; a "
            "data set holds spectra of one site or of all sites of an element"
        )
    about = record.annotation
    return SpectrumRow(
        spectrum_id=record.spectrum_id,
        material_id=material_id,
        element=record.element,
        site_index=int(record.sites[0]) if len(record.sites) == 1 else None,
        site_certain=record.site_certain,
        energy=record.energy,
        mu=record.norm,
        theory=record.theory,
        fidelity=record.fidelity,
        edge=record.edge,
        source=about.source or origin.origin,
        license=about.licence or origin.licence,
        compound=about.compound,
        formula_group=about.group,
        technique=about.technique,
        energy_shift=about.energy_shift,
        weight=about.weight,
        multiplicity=about.multiplicity,
        quality_flags=about.flags,
        sample=scan.label if scan else None,
        source_file=scan.source if scan else None,
        mu_raw=scan.mu if scan else None,
        e0=scan.e0 if scan else None,
        edge_step=scan.edge_step if scan else None,
        as_provided=scan.ranges is None if scan else None,
    )


def _refuse_equal_names(records: Sequence[Record]) -> None:
    names = Counter(record.spectrum_id for record in records)
    twice = [name for name, count in names.items() if count > 1]
    if twice:
        raise DatasetError(f"two spectra are called {twice[0]}; rename one")
