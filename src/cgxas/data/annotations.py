"""What a data set of measured spectra tells of each beyond the curve: optional columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from cgxas.data.folder import TABLES, dataset_name
from cgxas.errors import DatasetError

_COLUMNS: dict[str, Any] = {
    "compound": "",
    "formula_group": "",
    "source": "",
    "technique": "",
    "energy_shift": None,
    "weight": 1.0,
    "multiplicity": 1.0,
    "quality_flags": (),
}
_DOUBTFUL = (
    "energy_deviates_from_other_sources",
    "shape_deviates_from_other_sources",
    "low_white_line",
)
_OFF_SCALE, _ANOTHER_KIND = "energy_scale_off", "HERFD"


@dataclass(frozen=True)
class Annotation:
    """What is told of a measured spectrum.

    Attributes:
        compound: what replicates share, or empty.
        group: what must stand on one side of a split, such as polymorphs of a formula, or empty.
        source: who measured it, or empty.
        shift: eV to be added to the energies to bring sources onto one scale; 0 if unknown.
        weight: how much it counts among the spectra of its compound.
        multiplicity: how many sites of the cell a spectrum of one site stands for.
        doubtful: flagged as off in energy or shape: only wanted where there is no other.
        unusable: why it is not to be learnt from at all, or empty.
    """

    compound: str = ""
    group: str = ""
    source: str = ""
    shift: float = 0.0
    weight: float = 1.0
    multiplicity: float = 1.0
    doubtful: bool = False
    unusable: str = ""


def read_annotations(folders: Sequence[Path]) -> dict[str, Annotation]:
    """Return the annotations of the spectra of some folders by their keys.

    Raises:
        DatasetError: a table is missing or not readable, or a weight or shift is not a number.
    """
    found = {}
    for folder in folders:
        path = folder / TABLES[1]
        try:
            file = pyarrow.parquet.ParquetFile(path)
            there = [name for name in _COLUMNS if name in file.schema_arrow.names]
            rows = file.read(columns=["spectrum_id", *there]).to_pylist()
        except (OSError, KeyError, pyarrow.ArrowException) as error:
            raise DatasetError(f"{path} is not a readable table of spectra") from error
        name = dataset_name(folder)
        for row in rows:
            found[f"{name}/{row['spectrum_id']}"] = _annotation(row, path)
    return found


def _annotation(row: dict[str, Any], path: Path) -> Annotation:
    told = {name: row.get(name) for name in _COLUMNS}
    values = {n: _COLUMNS[n] if value is None else value for n, value in told.items()}
    try:
        shift = float(values["energy_shift"] or 0.0)
        weight, multiplicity = float(values["weight"]), float(values["multiplicity"])
        flags = [str(flag) for flag in values["quality_flags"]]
    except (TypeError, ValueError) as error:
        raise DatasetError(f"{path}: {row['spectrum_id']} has a strange {error}") from error
    if not abs(shift) < 1e4 or not 0 < weight < 1e9 or not 0 < multiplicity < 1e9:
        raise DatasetError(
            f"{path}: {row['spectrum_id']} has energy_shift {shift}, weight {weight} and "
            f"multiplicity {multiplicity}; they must be finite, and the last two above 0"
        )
    unusable = "its energy scale is known to be off" if _OFF_SCALE in flags else ""
    if str(values["technique"]).startswith(_ANOTHER_KIND):
        unusable = "it is no ordinary XANES (HERFD is sharper)"
    return Annotation(
        compound=str(values["compound"]),
        group=str(values["formula_group"]),
        source=str(values["source"]),
        shift=shift,
        weight=weight,
        multiplicity=multiplicity,
        doubtful=any(flag in _DOUBTFUL for flag in flags),
        unusable=unusable,
    )
