"""A data-set folder's birth certificate, and writing one.

A folder is materials.parquet (crystals, once each), spectra.parquet (spectra, by reference to the
crystals) and manifest.json, which says where they come from and holds the tables' checksums.
"""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow
import pyarrow.parquet

from cgxas.elements import SYMBOLS
from cgxas.errors import DatasetError, OutputError
from cgxas.writing import atomic_folder

if TYPE_CHECKING:
    from cgxas.crystals.canonical import Cell
    from cgxas.data.record import Material, Record

FORMAT = 1
"""Number of the folder's format."""

MANIFEST = "manifest.json"
TABLES = ("materials.parquet", "spectra.parquet")
NOT_STATED = "not stated"

_MATERIALS = pyarrow.schema(
    [
        ("material_id", pyarrow.string()),
        ("formula", pyarrow.string()),
        ("lattice", pyarrow.list_(pyarrow.float64())),
        ("species", pyarrow.list_(pyarrow.string())),
        ("frac_coords", pyarrow.list_(pyarrow.float64())),
        ("n_sites", pyarrow.int32()),
        ("structure_source", pyarrow.string()),
        ("license", pyarrow.string()),
    ]
)
_SPECTRA = pyarrow.schema(
    [
        ("spectrum_id", pyarrow.string()),
        ("material_id", pyarrow.string()),
        ("element", pyarrow.string()),
        ("site_index", pyarrow.int32()),
        ("site_certain", pyarrow.bool_()),
        ("energy", pyarrow.list_(pyarrow.float64())),
        ("mu", pyarrow.list_(pyarrow.float64())),
        ("theory", pyarrow.string()),
        ("fidelity", pyarrow.string()),
        ("source", pyarrow.string()),
        ("license", pyarrow.string()),
        ("edge", pyarrow.string()),
    ]
)


@dataclass(frozen=True)
class Origin:
    """What the tables cannot tell about themselves.

    Attributes:
        name: of the data set.
        origin: where it comes from: an address, a DOI, a folder's name.
        licence: under which terms.
    """

    name: str
    origin: str = NOT_STATED
    licence: str = NOT_STATED


@dataclass(frozen=True)
class Manifest:
    """A data set's birth certificate.

    Attributes:
        format: number of the folder's format.
        name: of the data set.
        origin: where it comes from.
        licence: under which terms.
        date: when the folder was written.
        theories: code and settings -> number of spectra.
        fidelities: what sets are told apart by -> number of spectra.
        counts: materials, formulas, spectra.
        elements: absorber -> number of spectra.
        sha256: table -> checksum.
        left_out: reason -> names of what the source held, but the folder does not.
    """

    format: int
    name: str
    origin: str
    licence: str
    date: str
    theories: dict[str, int]
    fidelities: dict[str, int]
    counts: dict[str, int]
    elements: dict[str, int]
    sha256: dict[str, str]
    left_out: dict[str, list[str]] = field(default_factory=dict)


def read_manifest(folder: Path) -> Manifest | None:
    """Return a folder's manifest, or None if it has none.

    Raises:
        DatasetError: it is damaged, or of a format this version does not know.
    """
    path = folder / MANIFEST
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        number = values["format"]
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise DatasetError(f"{path} is not a readable manifest; restore it or remove it") from error
    if number != FORMAT:
        raise DatasetError(f"{path} is of format {number}, this cgxas reads {FORMAT}; update cgxas")
    known = {each.name for each in fields(Manifest)}
    missing = known - {"left_out"} - set(values)
    if missing or not all(isinstance(values[name], dict) for name in ("sha256", "counts")):
        raise DatasetError(f"{path} does not say all it should; restore it or remove it")
    return Manifest(**{name: value for name, value in values.items() if name in known})


def dataset_name(folder: Path) -> str:
    """Return the name of a folder, of the working folder too."""
    return folder.absolute().name


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
    records: Sequence["Record"],
    origin: Origin,
    left_out: Mapping[str, Sequence[str]] | None = None,
    columns: Mapping[str, Sequence[Any]] | None = None,
) -> Manifest:
    """Write a data-set folder, whole or not at all.

    Identical crystals are stored once, under the first one's name; two crystals of one name get
    names of their own.

    Args:
        folder: a new folder, or an empty one.
        records: the spectra; their keys' folder names are not kept.
        origin: what the manifest says of their origin.
        left_out: reason -> names of what the source held besides.
        columns: further columns of the table of spectra, a value per record; NaN becomes null.

    Raises:
        OutputError: the folder holds something already, or cannot be written.
        DatasetError: two spectra of one name, or one of some but not all sites of its element.
    """
    check_new_folder(folder)
    distinct = DistinctMaterials()
    kept = {id(each.material): distinct.kept(each.material) for each in records}
    rows = [_spectrum_row(each, kept[id(each.material)].material_id, origin) for each in records]
    _refuse_equal_names(rows)
    with atomic_folder(folder) as temporary:
        crystals = [_material_row(material, origin) for material in distinct]
        _write_table(temporary / TABLES[0], crystals, _MATERIALS)
        _write_table(temporary / TABLES[1], rows, _SPECTRA, columns)
        manifest = Manifest(
            format=FORMAT,
            **asdict(origin),
            date=datetime.now(UTC).date().isoformat(),
            theories=_counts(record.theory for record in records),
            fidelities=_counts(record.fidelity for record in records),
            counts={
                "materials": len(crystals),
                "formulas": len({material.formula for material in distinct}),
                "spectra": len(rows),
            },
            elements=_by_number(_counts(record.element for record in records)),
            sha256={name: file_sha256(temporary / name) for name in TABLES},
            left_out={reason: list(names) for reason, names in (left_out or {}).items()},
        )
        text = json.dumps(asdict(manifest), indent=1, ensure_ascii=False) + "\n"
        (temporary / MANIFEST).write_text(text, encoding="utf-8")
    return manifest


def file_sha256(path: Path) -> str:
    """Return the checksum of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def crystal_key(cell: "Cell") -> bytes:
    """Return what two cells share if they are identical to 1e-6, atom by atom."""
    digest = hashlib.sha256(np.asarray(cell.numbers, dtype="<i8").tobytes())
    for values in (cell.lattice, cell.frac):
        digest.update((np.round(values, 6) + 0.0).tobytes())  # + 0: there is a negative zero
    return digest.digest()


class DistinctMaterials:
    """Crystals, each kept once and under a name of its own."""

    def __init__(self) -> None:
        self._of_crystal: dict[bytes, Material] = {}
        self._names: set[str] = set()

    def __iter__(self) -> Iterator["Material"]:
        return iter(self._of_crystal.values())

    def kept(self, material: "Material") -> "Material":
        """Return the crystal, or the identical one that came first.

        A crystal whose name another one has is called name_v2, name_v3 and so on.
        """
        key = crystal_key(material.cell)
        if key not in self._of_crystal:
            number, name = 1, material.material_id
            while name in self._names:
                number += 1
                name = f"{material.material_id}_v{number}"
            self._names.add(name)
            self._of_crystal[key] = replace(material, material_id=name)
        return self._of_crystal[key]


def _material_row(material: "Material", origin: Origin) -> dict[str, Any]:
    cell = material.cell
    return {
        "material_id": material.material_id,
        "formula": material.formula,
        "lattice": cell.lattice.ravel(),
        "species": [SYMBOLS[z - 1] for z in cell.numbers],
        "frac_coords": cell.frac.ravel(),
        "n_sites": len(cell.numbers),
        "structure_source": origin.origin,
        "license": origin.licence,
    }


def _spectrum_row(record: "Record", material: str, origin: Origin) -> dict[str, Any]:
    of_element = np.sum(record.material.cell.numbers == SYMBOLS.index(record.element) + 1)
    if len(record.sites) not in (1, of_element):
        raise DatasetError(
            f"{record.spectrum_id} is the mean of {len(record.sites)} of {of_element} sites; a "
            "data set holds spectra of one site or of all sites of an element"
        )
    return {
        "spectrum_id": record.spectrum_id,
        "material_id": material,
        "element": record.element,
        "site_index": int(record.sites[0]) if len(record.sites) == 1 else None,
        "site_certain": record.site_certain,
        "energy": record.energy,
        "mu": record.norm,
        "theory": record.theory,
        "fidelity": record.fidelity,
        "source": origin.origin,
        "license": origin.licence,
        "edge": "K",
    }


def _refuse_equal_names(rows: Sequence[Mapping[str, Any]]) -> None:
    names = Counter(row["spectrum_id"] for row in rows)
    twice = [name for name, count in names.items() if count > 1]
    if twice:
        raise DatasetError(f"two spectra are called {twice[0]}; rename one")


def _write_table(
    path: Path,
    rows: list[dict[str, Any]],
    schema: Any,
    further: Mapping[str, Sequence[Any]] | None = None,
) -> None:
    columns = [pyarrow.array([row[each.name] for row in rows], type=each.type) for each in schema]
    table = pyarrow.Table.from_arrays(columns, schema=schema)
    for name, values in (further or {}).items():
        table = table.append_column(name, pyarrow.array(values, from_pandas=True))
    pyarrow.parquet.write_table(table, path, compression="zstd")


def _counts(words: Iterator[str]) -> dict[str, int]:
    return dict(sorted(Counter(words).items()))


def _by_number(counts: Mapping[str, int]) -> dict[str, int]:
    return {symbol: counts[symbol] for symbol in SYMBOLS if symbol in counts}
