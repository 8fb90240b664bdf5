"""Site vectors as a value: their file, fair samples of them, and their map in two dimensions."""

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from cgxas.elements import atomic_number
from cgxas.errors import DatasetError, MissingExtra
from cgxas.reading import refuse_unreadable
from cgxas.spectra.io.write import check_output
from cgxas.writing import atomic_path

try:
    import pyarrow
    import pyarrow.csv
    import pyarrow.parquet
except ImportError as error:
    raise MissingExtra.of("pyarrow", "data") from error

MIN_SITES = 5
"""Different site vectors a map needs: with fewer there are no neighbourhoods to keep."""

_PERPLEXITY = 30.0
_MODEL = b"cgxas.model"
_TEXTS = ("source", "formula", "element", "neighbour")
_LABELS = (*_TEXTS, "site", "multiplicity")


@dataclass(frozen=True, eq=False)
class SiteVectors:
    """What a network makes of sites, before its head turns them into spectra.

    Attributes:
        source: (N,) name of the crystal: data set and material, or a file.
        formula: (N,) reduced formula of the crystal.
        element: (N,) symbol of the atom.
        neighbour: (N,) symbol of the most common atom around it; empty if it stands alone.
        site: (N,) 0-based index of the site in its crystal, the first of equivalent ones.
        multiplicity: (N,) how many sites of the crystal are equivalent to it.
        vector: (N, H) site vectors.
        model: name of the model.
    """

    source: NDArray[np.str_]
    formula: NDArray[np.str_]
    element: NDArray[np.str_]
    neighbour: NDArray[np.str_]
    site: NDArray[np.int64]
    multiplicity: NDArray[np.int64]
    vector: NDArray[np.float32]
    model: str

    def __len__(self) -> int:
        return len(self.source)

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return the sites of one model, one part after the other."""
        columns = {
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in (*_LABELS, "vector")
        }
        return cls(**columns, model=parts[0].model)

    def take(self, rows: NDArray[Any]) -> Self:
        """Return some rows, by their numbers or as a mask."""
        columns = {name: getattr(self, name)[rows] for name in (*_LABELS, "vector")}
        return type(self)(**columns, model=self.model)

    def of(self, elements: Collection[str]) -> Self:
        """Return the sites of some elements; all sites if none is named.

        Raises:
            UnknownElement: one of them is no element.
            DatasetError: there is no such site.
        """
        for symbol in elements:
            atomic_number(symbol)
        wanted = np.isin(self.element, list(elements)) | (not elements)
        if not wanted.any():
            raise DatasetError(
                f"there is no site of {', '.join(elements) or 'any element'}; there are sites of "
                + (", ".join(np.unique(self.element).tolist()) or "none")
            )
        return self.take(wanted)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write a Parquet file, one row per site.

        Raises:
            OutputError: it cannot be written there, or is not called ``.parquet``.
        """
        target = check_output(path, (".parquet",))
        width = self.vector.shape[1]
        flat = pyarrow.array(self.vector.ravel(), pyarrow.float32())
        table = pyarrow.table(
            {**self._labels(), "vector": pyarrow.FixedSizeListArray.from_arrays(flat, width)}
        ).replace_schema_metadata({_MODEL: self.model.encode()})
        with atomic_path(target) as temporary:
            pyarrow.parquet.write_table(table, temporary)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Self:
        """Read such a file.

        Raises:
            DatasetError: it is missing, or not a table of site vectors.
        """
        try:
            if Path(path).exists():
                refuse_unreadable(path, DatasetError)
            table = pyarrow.parquet.ParquetFile(path).read()
            columns = {name: table[name].to_numpy() for name in _LABELS}
            columns |= {name: columns[name].astype(np.str_) for name in _TEXTS}
            vector = table["vector"].combine_chunks()
            flat = np.asarray(vector.flatten(), dtype=np.float32)
            vectors = flat.reshape(len(table), -1)
            model = (table.schema.metadata or {})[_MODEL].decode()
        except DatasetError:
            raise
        except FileNotFoundError as error:
            raise DatasetError(f"{path} is missing; 'cgxas embed' writes such a file") from error
        except (
            OSError,
            KeyError,
            AttributeError,
            TypeError,
            ValueError,
            pyarrow.ArrowException,
        ) as error:
            raise DatasetError(
                f"{path} is not a table of site vectors; 'cgxas embed' writes one"
            ) from error
        if not (len(table) and np.isfinite(vectors).all()):
            raise DatasetError(f"{path} holds no sites, or vectors that are not finite")
        return cls(**columns, vector=vectors, model=model)

    def write_map(self, path: str | os.PathLike[str], places: NDArray[np.float64]) -> None:
        """Write a CSV table of the sites and their places in the map.

        Args:
            path: a ``.csv`` file.
            places: (N, 2) coordinates.

        Raises:
            OutputError: it cannot be written there.
        """
        target = check_output(path, (".csv",))
        table = pyarrow.table({**self._labels(), "x": places[:, 0], "y": places[:, 1]})
        with atomic_path(target) as temporary:
            pyarrow.csv.write_csv(table, temporary)

    def _labels(self) -> dict[str, Any]:
        return {name: pyarrow.array(getattr(self, name).tolist()) for name in _LABELS}


def fair_sample(labels: NDArray[np.str_], limit: int, seed: int) -> NDArray[np.int64]:
    """Return the numbers of at most `limit` rows, in order, chosen at random.

    The common labels give way first: each label keeps up to the same number of rows, so that the
    rare ones, which are most of the elements, stay in the picture.
    """
    _, label, count = np.unique(labels, return_inverse=True, return_counts=True)
    if len(label) <= limit:
        return np.arange(len(label))
    order = np.random.default_rng(seed).permutation(len(label))
    grouped = order[np.argsort(label[order], kind="stable")]
    turn = np.arange(len(label)) - np.repeat(np.cumsum(count) - count, count)
    # By turns: the first row of every label, then the second of every label, and so on.
    return np.sort(grouped[np.argsort(turn, kind="stable")[:limit]])


def tsne(vectors: NDArray[np.float32], seed: int = 0) -> NDArray[np.float64]:
    """Return (N, 2) places in which near vectors stay near (van der Maaten & Hinton 2008).

    Args:
        vectors: (N, H) site vectors.
        seed: of the search; the same seed gives the same map.

    Raises:
        DatasetError: fewer than 5 different vectors.
        MissingExtra: scikit-learn is not installed.
    """
    if len(different := np.unique(vectors, axis=0)) < MIN_SITES:
        raise DatasetError(
            f"a map needs {MIN_SITES} different sites or more, not {len(different)}; "
            "take more crystals or more elements"
        )
    perplexity = min(_PERPLEXITY, (len(vectors) - 1) / 3)
    search = tsne_class()(perplexity=perplexity, init="pca", random_state=seed)
    return np.asarray(search.fit_transform(vectors), dtype=np.float64)


def tsne_class() -> Any:
    """Return scikit-learn's TSNE.

    Raises:
        MissingExtra: scikit-learn is not installed.
    """
    try:
        from sklearn.manifold import TSNE
    except ImportError as error:
        raise MissingExtra.of("scikit-learn", "report") from error
    return TSNE
