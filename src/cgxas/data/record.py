"""A data-set folder: crystals once (materials.parquet), spectra by reference (spectra.parquet)."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
from numpy.typing import NDArray

from cgxas.crystals.canonical import Cell
from cgxas.data.folder import TABLES, dataset_name, read_manifest
from cgxas.elements import atomic_number
from cgxas.errors import DatasetError

_MATERIAL_COLUMNS = ("material_id", "formula", "lattice", "species", "frac_coords")
_SPECTRUM_COLUMNS = (
    "spectrum_id",
    "material_id",
    "element",
    "site_index",
    "site_certain",
    "energy",
    "mu",
    "theory",
)
_OPTIONAL_COLUMNS = ("fidelity", "license")
_PIECE = 1 << 20
_ROWS = 1000


@dataclass(frozen=True, eq=False)
class Material:
    """A crystal of a data set.

    Attributes:
        material_id: name within its source.
        formula: reduced formula; splits keep all of one formula on one side.
        cell: the crystal as stored.
    """

    material_id: str
    formula: str
    cell: Cell


@dataclass(frozen=True, eq=False)
class Record:
    """One spectrum: of one site, or the mean of all sites of an element.

    Attributes:
        spectrum_id: name within its source.
        material: the crystal.
        element: absorber.
        sites: (S,) 0-based indices into the material's sites; the spectrum is their mean.
        site_certain: whether the source states the site, or it was inferred.
        energy: (P,) eV, strictly increasing.
        norm: (P,) about 1 above the edge.
        theory: code and settings.
        fidelity: what sets of spectra are told apart by: the code and its version, "FEFF9".
        dataset: name of the folder it came from.
    """

    spectrum_id: str
    material: Material
    element: str
    sites: NDArray[np.int64]
    site_certain: bool
    energy: NDArray[np.float64]
    norm: NDArray[np.float64]
    theory: str
    fidelity: str
    dataset: str

    @property
    def key(self) -> str:
        """Name that no other record has, "sim_feff9/mp-2657-0-XANES-K-Ti"."""
        return f"{self.dataset}/{self.spectrum_id}"


@dataclass(frozen=True, eq=False)
class Records:
    """The records of one or several data-set folders.

    Attributes:
        records: in the order of the folders and their tables.
        sha256: hash of the folders' tables, in order.
        names: the folders' names.
    """

    records: tuple[Record, ...]
    sha256: str
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.records)


def read_records(folders: Sequence[Path]) -> Records:
    """Read data-set folders.

    A spectrum without a site index is the mean over all sites of its element. The column
    `fidelity` is optional: without it the name and version of the code are read off `theory`.

    Raises:
        DatasetError: a table or column is missing, a row refers to what is not there, a table is
            not the one its manifest tells of, or two spectra would have one key.
    """
    digest = hashlib.sha256()
    records: list[Record] = []
    for folder in folders:
        for path in (folder / name for name in TABLES):
            _checksum(path, digest)
        materials = {row["material_id"]: material_of(row, folder) for row in material_rows(folder)}
        records += [_record(row, materials, folder) for row in spectrum_rows(folder)]
    names = tuple(dataset_name(folder) for folder in folders)
    _refuse_equal_keys(records, names)
    return Records(tuple(records), digest.hexdigest(), names)


def fidelity_of(theory: str) -> str:
    """Return the name and main version of the code a description of a theory begins with."""
    found = re.match(r"\s*([A-Za-z]+)[ -]?(\d*)", theory)
    return "".join(found.groups()) if found else theory


def material_rows(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a folder's table of crystals, unchecked.

    Raises:
        DatasetError: the table or one of its columns is missing or not readable.
    """
    return _rows(folder / TABLES[0], _MATERIAL_COLUMNS)


def spectrum_rows(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a folder's table of spectra, unchecked.

    Raises:
        DatasetError: the table or one of its columns is missing or not readable.
    """
    return _rows(folder / TABLES[1], _SPECTRUM_COLUMNS)


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    try:
        file = pyarrow.parquet.ParquetFile(path)
        missing = [name for name in columns if name not in file.schema_arrow.names]
        if missing:
            raise DatasetError(f"{path} has no column {missing[0]!r}")
        also = [name for name in _OPTIONAL_COLUMNS if name in file.schema_arrow.names]
        for batch in file.iter_batches(_ROWS, columns=[*columns, *also]):
            yield from batch.to_pylist()
    except FileNotFoundError as error:
        raise DatasetError(f"{path} is missing; a data set has one") from error
    except (OSError, pyarrow.ArrowException) as error:
        raise DatasetError(f"{path} is not a readable Parquet table") from error


def _checksum(path: Path, digest: Any) -> None:
    """Add a table to the hash of all, and compare it with what the manifest says."""
    own = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                own.update(piece)
                digest.update(piece)
    except FileNotFoundError as error:
        raise DatasetError(f"{path} is missing; a data set has one") from error
    except OSError as error:
        raise DatasetError(f"{path} is not a readable Parquet table") from error
    manifest = read_manifest(path.parent)
    if manifest and manifest.sha256.get(path.name) != own.hexdigest():
        raise DatasetError(
            f"{path} is not the table its manifest tells of: it was changed or damaged; copy or "
            "import the data set again"
        )


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


def material_of(row: dict[str, Any], folder: Path) -> Material:
    """Return the crystal of a row.

    Raises:
        DatasetError: its lists do not make a crystal.
        UnknownElement: a species is no element.
    """
    name = f"{folder / 'materials.parquet'}: {row['material_id']}"
    try:
        lattice = np.array(row["lattice"], dtype=np.float64).reshape(3, 3)
        places = np.array(row["frac_coords"], dtype=np.float64).reshape(-1, 3)
        numbers = np.array([atomic_number(symbol) for symbol in row["species"]], dtype=np.int64)
    except (TypeError, ValueError) as error:
        raise DatasetError(f"{name} is not a crystal: {error}") from error
    if not len(numbers) or len(places) != len(numbers):
        raise DatasetError(f"{name} has {len(numbers)} species but {len(places)} places")
    if not (np.isfinite(lattice).all() and np.isfinite(places).all()):
        raise DatasetError(f"{name}: lattice and coordinates must be finite")
    return Material(row["material_id"], row["formula"], Cell(lattice, places, numbers))


def _record(row: dict[str, Any], materials: dict[str, Material], folder: Path) -> Record:
    name = f"{folder / 'spectra.parquet'}: {row['spectrum_id']}"
    material = materials.get(row["material_id"])
    if material is None:
        raise DatasetError(f"{name} refers to {row['material_id']}, which is not in materials")
    sites = np.flatnonzero(material.cell.numbers == atomic_number(row["element"]))
    if row["site_index"] is not None:
        sites = sites[sites == row["site_index"]]
    if not len(sites):
        which = "no site" if row["site_index"] is None else f"site {row['site_index']} is not"
        raise DatasetError(f"{name}: {which} {row['element']}")
    energy, norm = np.array(row["energy"], dtype=float), np.array(row["mu"], dtype=float)
    if energy.shape != norm.shape or not (np.isfinite(energy).all() and np.isfinite(norm).all()):
        raise DatasetError(f"{name}: energy and mu must be finite and of one length")
    return Record(
        row["spectrum_id"],
        material,
        row["element"],
        sites,
        bool(row["site_certain"]),
        energy,
        norm,
        row["theory"],
        row.get("fidelity") or fidelity_of(row["theory"]),
        dataset_name(folder),
    )
