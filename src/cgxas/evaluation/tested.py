"""Spectra under test, side by side with a model's answers, and a file that holds them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cgxas.elements import SYMBOLS
from cgxas.errors import DatasetError, MissingExtra
from cgxas.reading import refuse_unreadable
from cgxas.typing import FloatArray
from cgxas.writing import atomic_path

try:
    import pyarrow
    import pyarrow.parquet
except ImportError as error:
    raise MissingExtra.of("pyarrow", "data") from error

_TEXTS = ("key", "element", "fidelity", "formula")
_NUMBERS = ("rse", "pcc", "half_step_error")
_CURVES = ("energy", "target", "predicted")


@dataclass(frozen=True, eq=False)
class TestedSpectra:
    """What a model answered to each spectrum of a part, and how well.

    Attributes:
        key: (T,) names of the spectra.
        element: (T,) absorbers.
        fidelity: (T,) what each spectrum was made with.
        formula: (T,) reduced formulas of the crystals.
        energy: (T, P) eV.
        target: (T, P) the spectra; NaN where they were not computed.
        predicted: (T, P) the answers.
        rse: (T,) relative squared errors.
        pcc: (T,) Pearson correlations.
        half_step_error: (T,) absolute differences of the half steps, eV; NaN without an edge.
    """

    __test__ = False  # not a test, whatever pytest thinks of its name

    key: NDArray[np.str_]
    element: NDArray[np.str_]
    fidelity: NDArray[np.str_]
    formula: NDArray[np.str_]
    energy: FloatArray
    target: FloatArray
    predicted: FloatArray
    rse: FloatArray
    pcc: FloatArray
    half_step_error: FloatArray

    def __len__(self) -> int:
        return len(self.key)

    def write(self, path: Path) -> None:
        """Write a Parquet table with a row per spectrum."""
        columns = {name: pyarrow.array(getattr(self, name).tolist()) for name in _TEXTS}
        columns |= {name: pyarrow.array(getattr(self, name)) for name in _NUMBERS}
        for name in _CURVES:
            curves = np.asarray(getattr(self, name), dtype=np.float32 if name != "energy" else None)
            flat = pyarrow.array(curves.reshape(-1))
            columns[name] = pyarrow.FixedSizeListArray.from_arrays(flat, curves.shape[1])
        with atomic_path(path) as temporary:
            pyarrow.parquet.write_table(pyarrow.table(columns), temporary)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read such a table.

        Raises:
            DatasetError: it is missing, damaged, or another table.
        """
        try:
            if path.exists():
                refuse_unreadable(path, DatasetError)
            table = pyarrow.parquet.ParquetFile(path).read(columns=[*_TEXTS, *_NUMBERS, *_CURVES])
            values = {name: np.array(table[name].to_pylist(), dtype=str) for name in _TEXTS}
            values |= {name: table[name].to_numpy() for name in _NUMBERS}
            for name in _CURVES:
                flat = table[name].combine_chunks().flatten().to_numpy()
                points = table.schema.field(name).type.list_size
                values[name] = flat.reshape(len(table), points).astype(np.float64)
        except DatasetError:
            raise
        except (OSError, ValueError, KeyError, AttributeError, pyarrow.ArrowException) as error:
            raise DatasetError(f"{path} is not a readable table of tested spectra") from error
        found = cls(**values)
        found._check(path)
        return found

    def _check(self, path: Path) -> None:
        """Refuse what no test writes: other elements, numbers of another kind, gaps."""
        numbers = [getattr(self, name) for name in (*_NUMBERS, *_CURVES)]
        if not all(np.issubdtype(array.dtype, np.floating) for array in numbers):
            raise DatasetError(f"{path} holds other values than numbers; test the model again")
        if len({getattr(self, name).shape for name in _CURVES}) > 1:
            raise DatasetError(f"{path} holds curves of several lengths; test the model again")
        if not np.isfinite(self.energy).all():
            raise DatasetError(f"{path} holds energies that are not finite; test the model again")
        if strange := sorted(set(self.element.tolist()) - set(SYMBOLS)):
            raise DatasetError(f"{path} tells of {strange[0]!r}, which is no element")
