"""A small data-set folder, written as the real ones are."""

import copy
from collections.abc import Callable
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from cgxas.data.folder import read_records
from cgxas.data.record import Record

MATERIALS = [
    {
        "material_id": "rutile",
        "formula": "TiO2",
        "lattice": [[4.594, 0.0, 0.0], [0.0, 4.594, 0.0], [0.0, 0.0, 2.958]],
        "species": ["Ti", "Ti", "O", "O", "O", "O"],
        "frac_coords": [
            [0.0, 0.0, 0.0],
            [0.5, 0.5, 0.5],
            [0.305, 0.305, 0.0],
            [0.695, 0.695, 0.0],
            [0.195, 0.805, 0.5],
            [0.805, 0.195, 0.5],
        ],
    },
    {
        "material_id": "iron",
        "formula": "Fe",
        "lattice": [[2.87, 0.0, 0.0], [0.0, 2.87, 0.0], [0.0, 0.0, 2.87]],
        "species": ["Fe", "Fe"],
        "frac_coords": [[0.0, 0.0, 0.0], [0.5, 0.5, 0.5]],
    },
]


def spectrum(name: str, material: str, element: str, site: int | None, **others) -> dict:
    first = {"Ti": 4970.0, "O": 526.0, "Fe": 7112.0}[element]
    energy = [first + n for n in range(60)]
    return {
        "spectrum_id": name,
        "material_id": material,
        "element": element,
        "site_index": site,
        "site_certain": True,
        "energy": energy,
        "mu": [0.2 + min(n, 20) / 20 for n in range(60)],
        "theory": "made up",
        **others,
    }


SPECTRA = [
    spectrum("a", "rutile", "Ti", 0),
    spectrum("b", "rutile", "O", 4, site_certain=False),
    spectrum("c", "iron", "Fe", 1),
    spectrum("averaged", "iron", "Fe", None),
]


@pytest.fixture
def materials() -> list[dict]:
    """Rows of the table of materials, to be changed at will."""
    return copy.deepcopy(MATERIALS)


@pytest.fixture
def spectra() -> list[dict]:
    """Rows of the table of spectra, to be changed at will."""
    return copy.deepcopy(SPECTRA)


@pytest.fixture
def write(tmp_path) -> Callable[[list[dict], list[dict]], Path]:
    """Writes the two tables of a data-set folder."""

    def write_tables(materials: list[dict], spectra: list[dict]) -> Path:
        for name, rows in (("materials", materials), ("spectra", spectra)):
            table = pyarrow.Table.from_pylist(rows)
            pyarrow.parquet.write_table(table, tmp_path / f"{name}.parquet")
        return tmp_path

    return write_tables


@pytest.fixture
def folder(write, materials, spectra) -> Path:
    """The data-set folder."""
    return write(materials, spectra)


@pytest.fixture
def records(folder) -> tuple[Record, ...]:
    """The records of the folder."""
    return read_records([folder]).records


@pytest.fixture
def target(tmp_path_factory) -> Path:
    """A folder that is not there yet, nor the one above it."""
    return tmp_path_factory.mktemp("out") / "above" / "mine"
