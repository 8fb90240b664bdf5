"""What came of a mixture: fractions with errors, and what should be known of them."""

import csv
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cgxas.errors import MissingExtra
from cgxas.mixing.components import Components
from cgxas.mixing.earlier import Row, continued
from cgxas.mixing.series import Series
from cgxas.spectra.io.write import check_output
from cgxas.typing import BoolArray, FloatArray
from cgxas.writing import atomic_path

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SUFFIXES = (".csv", ".parquet", ".json")
"""File types of the table."""

RESERVED = (
    "scan",
    "total",
    "rse",
    "shift_ev",
    "shift_err_ev",
    "on_bound",
    "note",
    "order",
    "time_s",
)
"""Columns of the table beside the fractions."""


@dataclass(frozen=True, eq=False)
class Mixture:
    """Scans as fractions of references; (N,) scans, (R,) references, (P,) points.

    Attributes:
        series: the scans on common energies, and what was left out; its notes also tell of fits.
        references: (R,) names; component_1 and so on where none were given.
        told: (R,) what each reference is.
        fractions: (N, R) at least 0, of a scan they sum to 1; 0 where a reference is not used.
        errors: (N, R) standard deviations of them; NaN where a reference is not used.
        total: (N,) sum of the weights before; 1 where scan and references are normalised alike.
        rse: (N,) sum (scan - fit)^2 / sum scan^2.
        shift: (N,) eV added to the energies of the references.
        shift_error: (N,) standard deviation of that, eV; 0 where it was not fitted.
        on_bound: (N,) whether the shift ended on its bound.
        own_shift: (R,) eV added besides to a predicted reference, within its band.
        fitted: (N, P) the sums of references.
        curves: (R, P) the references as they were used.
        components: what principal components tell of the number of references.
        warnings: what is worth knowing of the whole, in sentences.
    """

    series: Series
    references: tuple[str, ...]
    told: tuple[str, ...]
    fractions: FloatArray
    errors: FloatArray
    total: FloatArray
    rse: FloatArray
    shift: FloatArray
    shift_error: FloatArray
    on_bound: BoolArray
    own_shift: FloatArray
    fitted: FloatArray
    curves: FloatArray
    components: Components
    warnings: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """(N,) names of the scans."""
        return self.series.names

    @property
    def element(self) -> str:
        """The absorber."""
        return self.series.element

    @property
    def edge(self) -> str:
        """Its edge."""
        return self.series.edge

    @property
    def axis_name(self) -> str:
        """What the series is laid along, with its unit."""
        return self.series.axis_name

    @property
    def axis(self) -> FloatArray:
        """(N,) where each scan stands on it."""
        return self.series.axis

    @property
    def energy(self) -> FloatArray:
        """(P,) eV."""
        return self.series.energy

    @property
    def norm(self) -> FloatArray:
        """(N, P) the scans."""
        return self.series.norm

    @property
    def notes(self) -> tuple[str, ...]:
        """(N,) what is worth knowing of a scan, or empty."""
        return self.series.notes

    @property
    def left_out(self) -> tuple[tuple[str, str], ...]:
        """Name and reason of each scan that was not fitted."""
        return self.series.left_out

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        return (
            f"Mixture({len(self)} scans of {self.element} {self.edge}, "
            f"{', '.join(self.references)}; {len(self.left_out)} left out)"
        )

    def table(self) -> dict[str, list[Any]]:
        """Return the columns of the table, (N,) each: scan, the axis, fractions, how they fit."""
        columns: dict[str, list[Any]] = {
            "scan": list(self.names),
            self.axis_name: _listed(self.axis),
        }
        for n, name in enumerate(self.references):
            columns[name] = _listed(self.fractions[:, n])
            columns[f"{name}_err"] = _listed(self.errors[:, n])
        return columns | {
            "total": _listed(self.total),
            "rse": _listed(self.rse),
            "shift_ev": _listed(self.shift),
            "shift_err_ev": _listed(self.shift_error),
            "on_bound": [bool(each) for each in self.on_bound],
            "note": list(self.notes),
        }

    def rows(self) -> list[Row]:
        """Return the table row by row, (N,)."""
        table = self.table()
        return [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]

    def values(self, every: int = 1) -> dict[str, Any]:
        """Return what a JSON file tells: a row per scan, the curves, and what is to be known.

        Args:
            every: of how many scans one has its curves in it, from the first.
        """
        c = self.components
        return {
            "element": self.element,
            "edge": self.edge,
            "axis": self.axis_name,
            "references": [
                {"name": name, "told": told, "own_shift_ev": float(shift), "norm": curve.tolist()}
                for name, told, shift, curve in zip(
                    self.references, self.told, self.own_shift, self.curves, strict=True
                )
            ],
            "components": {
                "count": c.count,
                "above_noise": c.above_noise,
                "indicator": c.indicator,
                "singular_values": c.singular[:20].tolist(),
            },
            "warnings": list(self.warnings),
            "left_out": [{"scan": name, "reason": reason} for name, reason in self.left_out],
            "scans": self.rows(),
            "energy": self.energy.tolist(),
            "norm": self.norm[::every].tolist(),
            "fitted": self.fitted[::every].tolist(),
        }

    def save(self, path: str | os.PathLike[str], earlier: Sequence[Row] = ()) -> None:
        """Write the table, a row per scan, in the format of the suffix.

        Args:
            path: ``.csv``, ``.parquet``, or ``.json``, which also holds the components, what was
                left out, the warnings and the curves; an existing file is replaced.
            earlier: rows of a table that is gone on with: they stay as they are, and come first.

        Raises:
            OutputError: it cannot be written there, or the earlier rows have other columns.
            MissingExtra: pyarrow, which writes Parquet, is not installed.
        """
        target = check_output(path, SUFFIXES)
        rows = continued(earlier, self.rows(), target)
        write = {".csv": _write_csv, ".json": self._write_json}.get(
            target.suffix.lower(), _write_parquet
        )
        with atomic_path(target) as temporary:
            write(rows, temporary)

    def plot(self) -> "Figure":
        """Draw the fractions along the series, its spectra and what is left; or the only scan."""
        from cgxas.figures.mixing import plot_mixture

        return plot_mixture(
            self.names,
            (self.axis_name, self.axis),
            self.references,
            (self.fractions, self.errors),
            self.curves * self.total[0] if len(self) == 1 else self.curves,
            (self.energy, self.norm, self.fitted),
            f"{self.element} {self.edge} edge, {len(self)} scan{'s' if len(self) > 1 else ''}",
        )

    def _write_json(self, rows: Sequence[Row], path: Path) -> None:
        values = self.values() | {"scans": rows}
        path.write_text(json.dumps(values, ensure_ascii=False, allow_nan=False) + "\n", "utf-8")


def _write_csv(rows: Sequence[Row], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(rows[0])
        writer.writerows([_cell(each) for each in row.values()] for row in rows)


def _write_parquet(rows: Sequence[Row], path: Path) -> None:
    MissingExtra.refuse_without("pyarrow", "pyarrow", "data")
    import pyarrow as pa
    import pyarrow.parquet as pq

    # Told by name: a column that is empty in every row has a type as well.
    texts, marks = ("scan", "note"), ("on_bound",)
    types = {
        n: pa.string() if n in texts else pa.bool_() if n in marks else pa.float64()
        for n in rows[0]
    }
    pq.write_table(pa.Table.from_pylist([dict(row) for row in rows], pa.schema(types)), path)


def _listed(values: FloatArray) -> list[float | None]:
    """Return numbers, and nothing for those that are not known."""
    return [float(each) if np.isfinite(each) else None for each in values]


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.6g}" if isinstance(value, float) else value
