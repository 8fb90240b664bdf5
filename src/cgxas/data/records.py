"""A data-set folder: crystals once (materials.parquet), spectra by reference (spectra.parquet)."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
from numpy.typing import NDArray

from cgxas.crystals.canonical import Cell
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
    """One spectrum of one site.

    Attributes:
        spectrum_id: name within its source.
        material: the crystal.
        element: absorber.
        site: 0-based index into the material's sites.
        site_certain: whether the source states the site, or it was inferred.
        energy: (P,) eV, strictly increasing.
        mu: (P,) about 1 above the edge.
        theory: code and settings.
    """

    spectrum_id: str
    material: Material
    element: str
    site: int
    site_certain: bool
    energy: NDArray[np.float64]
    mu: NDArray[np.float64]
    theory: str


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
    """Read data-set folders; spectra whose site is unknown are left out.

    Raises:
        DatasetError: a table or column is missing, or a row refers to what is not there.
    """
    digest = hashlib.sha256()
    records: list[Record] = []
    for folder in folders:
        materials = _materials(
            _table(folder / "materials.parquet", _MATERIAL_COLUMNS, digest), folder
        )
        rows = _table(folder / "spectra.parquet", _SPECTRUM_COLUMNS, digest)
        records += [
            _record(row, materials, folder) for row in rows if row["site_index"] is not None
        ]
    return Records(tuple(records), digest.hexdigest(), tuple(folder.name for folder in folders))


def _table(path: Path, columns: tuple[str, ...], digest: Any) -> list[dict[str, Any]]:
    try:
        digest.update(path.read_bytes())
        file = pyarrow.parquet.ParquetFile(path)
        missing = [name for name in columns if name not in file.schema_arrow.names]
        if missing:
            raise DatasetError(f"{path} has no column {missing[0]!r}")
        table = file.read(columns=list(columns))
    except FileNotFoundError as error:
        raise DatasetError(f"{path} is missing; a data set has one") from error
    except (OSError, pyarrow.ArrowException) as error:
        raise DatasetError(f"{path} is not a readable Parquet table") from error
    return list(table.to_pylist())


def _materials(rows: list[dict[str, Any]], folder: Path) -> dict[str, Material]:
    return {row["material_id"]: _material(row, folder) for row in rows}


def _material(row: dict[str, Any], folder: Path) -> Material:
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
    site, numbers = int(row["site_index"]), material.cell.numbers
    if not 0 <= site < len(numbers) or numbers[site] != atomic_number(row["element"]):
        raise DatasetError(f"{name}: site {site} is not {row['element']}")
    energy, mu = np.array(row["energy"], dtype=float), np.array(row["mu"], dtype=float)
    if energy.shape != mu.shape or not (np.isfinite(energy).all() and np.isfinite(mu).all()):
        raise DatasetError(f"{name}: energy and mu must be finite and of one length")
    return Record(
        row["spectrum_id"],
        material,
        row["element"],
        site,
        bool(row["site_certain"]),
        energy,
        mu,
        row["theory"],
    )
