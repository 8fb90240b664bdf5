"""Training, validation and test parts."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from cgxas.data.record import Records
from cgxas.errors import ConfigError
from cgxas.jsonfile import JsonFile
from cgxas.settings import Seed, Settings
from cgxas.writing import atomic_path

Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = ("train", "validation", "test")

SplitBy = Literal["formula", "material", "spectrum"]
"""What stays in one part: all spectra of a formula, of a crystal, or nothing."""

SEED = 64
FORMAT: Final = 1
"""Number of the format of a split's file."""


_Share = Annotated[float, Field(gt=0, lt=1)]


@dataclass(frozen=True)
class SplitSettings(Settings):
    """How records are divided.

    Attributes:
        by: what stays in one part: all spectra of a reduced formula, of a crystal, or nothing.
        train: share for training.
        validation: share for validation; the rest is for testing.
        seed: of the shuffle.
    """

    title: ClassVar[str] = "split"

    by: SplitBy = "formula"
    train: _Share = 0.6
    validation: _Share = 0.2
    seed: Seed = SEED

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.train + self.validation >= 1:
            raise ConfigError(
                f"{self.path('train')} = {self.train} and {self.path('validation')} = "
                f"{self.validation} leave no test part; together they must be below 1"
            )

    @property
    def fractions(self) -> tuple[float, float]:
        """Shares for training and validation."""
        return self.train, self.validation


@dataclass(frozen=True, eq=False)
class Split:
    """Indices of records in each part.

    Attributes:
        train: indices to learn from.
        validation: indices to choose by.
        test: indices to report on, never to choose by.
    """

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]

    @property
    def sha256(self) -> str:
        """Hash of which index stands in which part."""
        digest = hashlib.sha256()
        for part in PARTS:
            digest.update(part.encode() + np.asarray(getattr(self, part), dtype="<i8").tobytes())
        return digest.hexdigest()


def _check_fractions(fractions: tuple[float, float]) -> None:
    if min(fractions) <= 0 or sum(fractions) >= 1:
        raise ConfigError(
            f"fractions {fractions} for training and validation must be positive and leave a rest"
        )


def split_records(
    records: Records,
    by: SplitBy = "formula",
    fractions: tuple[float, float] = (0.6, 0.2),
    seed: int = SEED,
) -> Split:
    """Split the records of data-set folders.

    Args:
        records: of one or several folders.
        by: what stays in one part.
        fractions: shares for training and validation; the rest is the test part.
        seed: of the shuffle.

    Raises:
        ConfigError: impossible fractions, or an unknown way to split.
    """
    elements = [record.element for record in records.records]
    materials = [record.material for record in records.records]
    match by:
        case "formula":
            return split_by_formula([each.formula for each in materials], elements, fractions, seed)
        case "material":
            names = [each.material_id for each in materials]
            return split_by_material(names, elements, fractions, seed)
        case "spectrum":
            return split_by_spectrum(len(records), fractions, seed)
        case _:
            raise ConfigError(f"by = {by!r}; a split is by {', '.join(get_args(SplitBy))}")


def split_by_formula(
    formulas: Sequence[str],
    elements: Sequence[str],
    fractions: tuple[float, float] = (0.6, 0.2),
    seed: int = SEED,
) -> Split:
    """Split so that no reduced formula stands in two parts.

    Every formula counts for its rarest absorber, and the formulas of each absorber are shuffled
    and divided on their own, so that an element with ten formulas still has some in every part.

    Args:
        formulas: reduced formula of each record.
        elements: absorber of each record.
        fractions: shares for training and validation; the rest is the test part.
        seed: of the shuffle.
    """
    return _split_groups(formulas, elements, fractions, seed)


def split_by_material(
    materials: Sequence[str],
    elements: Sequence[str],
    fractions: tuple[float, float] = (0.6, 0.2),
    seed: int = SEED,
) -> Split:
    """Split so that no crystal stands in two parts; polymorphs of one formula may.

    Divided as in `split_by_formula`, with the names of crystals in place of formulas. A name that
    several folders share counts as one crystal.

    Args:
        materials: name of the crystal of each record.
        elements: absorber of each record.
        fractions: shares for training and validation; the rest is the test part.
        seed: of the shuffle.
    """
    return _split_groups(materials, elements, fractions, seed)


def _split_groups(
    groups: Sequence[str],
    elements: Sequence[str],
    fractions: tuple[float, float],
    seed: int,
) -> Split:
    _check_fractions(fractions)
    absorbers: dict[str, set[str]] = defaultdict(set)
    for group, element in zip(groups, elements, strict=True):
        absorbers[group].add(element)
    common = {e: sum(e in found for found in absorbers.values()) for e in set(elements)}
    strata: dict[str, list[str]] = defaultdict(list)
    for group in sorted(absorbers):
        strata[min(absorbers[group], key=lambda e: (common[e], e))].append(group)
    part_of: dict[str, int] = {}
    rng = np.random.default_rng(seed)
    for element in sorted(strata):
        order = rng.permutation(len(strata[element]))
        ends = np.round(np.cumsum(fractions) * len(order))
        for place, which in enumerate(order):
            part_of[strata[element][which]] = int(np.searchsorted(ends, place, side="right"))
    parts = np.array([part_of[group] for group in groups])
    return Split(*(np.flatnonzero(parts == n) for n in range(3)))


def split_by_spectrum(
    n_spectra: int, fractions: tuple[float, float] = (0.6, 0.2), seed: int = SEED
) -> Split:
    """Split at random as the authors do; one crystal's spectra may stand in two parts.

    What int() cuts off the three shares is left out, as in their code.
    """
    _check_fractions(fractions)
    order = np.random.RandomState(seed).permutation(n_spectra)
    n_train, n_validation = (int(share * n_spectra) for share in fractions)
    n_test = int(round(1 - sum(fractions), 9) * n_spectra)
    ends = np.cumsum([n_train, n_validation, n_test])
    return Split(order[: ends[0]], order[ends[0] : ends[1]], order[ends[1] : ends[2]])


@dataclass(frozen=True)
class SavedSplit:
    """A split as its file holds it: names instead of indices, so that data may be added.

    Attributes:
        format: number of the file's format.
        by: what stays in one part.
        fractions: shares of training, validation and test.
        seed: of the shuffle.
        data: names of the folders.
        data_sha256: hash of their tables.
        sha256: hash of the three lists.
        train: keys of records.
        validation: keys of records.
        test: keys of records.
    """

    format: Literal[1]
    by: SplitBy
    fractions: tuple[_Share, _Share, _Share]
    seed: Seed
    data: list[str]
    data_sha256: str
    sha256: str
    train: list[str]
    validation: list[str]
    test: list[str]


def write_split(
    path: Path,
    split: Split,
    records: Records,
    by: SplitBy,
    fractions: tuple[float, float],
    seed: int,
) -> SavedSplit:
    """Write a split to a JSON file.

    Raises:
        OutputError: the file cannot be written.
    """
    keys = [record.key for record in records.records]
    lists = {part: [keys[n] for n in getattr(split, part)] for part in PARTS}
    train, validation = fractions
    saved = SavedSplit(
        format=FORMAT,
        by=by,
        fractions=(train, validation, round(1 - train - validation, 9)),
        seed=seed,
        data=list(records.names),
        data_sha256=records.sha256,
        sha256=_hash(lists),
        **lists,
    )
    with atomic_path(path) as temporary:
        text = json.dumps(saved.__dict__, indent=1, ensure_ascii=False) + "\n"
        temporary.write_text(text, encoding="utf-8")
    return saved


def read_split(path: Path, records: Records) -> Split:
    """Read a split, and find its records.

    Args:
        path: a file that `write_split` wrote.
        records: they must hold all that the split names; what it does not name is in no part.

    Raises:
        ConfigError: not a split, changed by hand, or naming spectra that the records lack.
    """
    keys = [record.key for record in records.records]
    return find_split(path, keys)


def find_split(path: Path, keys: Sequence[str]) -> Split:
    """Read a split, and find its spectra among these keys; errors as in `read_split`."""
    saved = read_saved_split(path)
    place = {key: n for n, key in enumerate(keys)}
    missing = [key for part in PARTS for key in getattr(saved, part) if key not in place]
    if missing:
        raise ConfigError(
            f"{path} names {missing[0]} and {len(missing) - 1} more spectra that the data lack; "
            f"it was made of {', '.join(saved.data)}"
        )
    parts = ([place[key] for key in getattr(saved, part)] for part in PARTS)
    return Split(*(np.array(part, dtype=np.int64) for part in parts))


def read_saved_split(path: Path) -> SavedSplit:
    """Read a split's file.

    Raises:
        ConfigError: it is not a split, of another format, or its lists were changed.
    """
    cure = "make one with cgxas dataset split"
    saved = JsonFile(path, ConfigError, "split", cure).as_kind(SavedSplit, newest=FORMAT)
    lists = {part: getattr(saved, part) for part in PARTS}
    if saved.sha256 != _hash(lists):
        raise ConfigError(f"the lists of {path} are not those its hash was made of; make it anew")
    every = [key for part in PARTS for key in lists[part]]
    if len(set(every)) < len(every):
        raise ConfigError(f"{path} names a spectrum twice; {cure}")
    return saved


def _hash(lists: Mapping[Part, list[str]]) -> str:
    digest = hashlib.sha256()
    for part in PARTS:
        digest.update("\n".join([part, *lists[part], ""]).encode())
    return digest.hexdigest()
