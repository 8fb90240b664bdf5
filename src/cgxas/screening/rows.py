"""What came of some crystals: rows of a table, failures, remarks; and the file that keeps them."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from cgxas.errors import MissingExtra, OutputError
from cgxas.predict import Answered
from cgxas.spectra.spectrum import Spectrum
from cgxas.spectra.trust import Trust
from cgxas.writing import atomic_path

try:
    import pyarrow
    import pyarrow.parquet
except ImportError as error:
    raise MissingExtra.of("pyarrow", "data") from error

_NUMBERS = ("trust_distance", "trust_expected_rse")
_CURVES = ("energy", "norm", "sigma")
_KEY = b"cgxas.screen"

SCHEMA = pyarrow.schema(
    {
        **{name: pyarrow.string() for name in ("id", "formula", "absorber")},
        **{name: pyarrow.list_(pyarrow.float64()) for name in _CURVES},
        **{
            name: pyarrow.float64() if name in _NUMBERS else pyarrow.string()
            for name in Trust("near").facts
        },
    }
)
"""Columns of the parts: energy in eV, norm with an edge step of 1, its standard deviation sigma
(null where the model tells none), trust ("seen", "near", "far") and what it rests on."""

_FAILURES = pyarrow.schema({name: pyarrow.string() for name in ("id", "reason", "error")})
_REMARKS = pyarrow.schema({name: pyarrow.string() for name in ("id", "remark")})


class Failed(NamedTuple):
    """A crystal that was not answered: its id, why, and the class of the error."""

    id: str
    reason: str
    error: str


class Remark(NamedTuple):
    """What reading a crystal gave cause to say: something was missing, mended or guessed."""

    id: str
    remark: str


@dataclass(frozen=True, eq=False)
class Rows:
    """What came of some crystals, in their order.

    Attributes:
        ids: of all of them.
        spectra: pyarrow table with the columns of `SCHEMA`, a row per spectrum.
        failures: those that were not answered.
        remarks: what was said when they were read.
        n_absent: how many hold none of the wanted absorbers.
    """

    ids: tuple[str, ...]
    spectra: "pyarrow.Table"
    failures: tuple[Failed, ...] = ()
    remarks: tuple[Remark, ...] = ()
    n_absent: int = 0

    @classmethod
    def of(cls, answers: Sequence[Answered], remarks: Sequence[Remark] = ()) -> "Rows":
        """Return the rows of what came of some crystals."""
        failed = [each for each in answers if each.failure is not None and not each.is_absent]
        rows = [_row(a.crystal.id, spectrum) for a in answers for spectrum in a.spectra]
        return cls(
            ids=tuple(each.crystal.id for each in answers),
            spectra=pyarrow.Table.from_pylist(rows, schema=SCHEMA),
            failures=tuple(
                Failed(each.crystal.id, each.failure.reason, type(each.failure.error).__name__)
                for each in failed
                if each.failure is not None
            ),
            remarks=tuple(remarks),
            n_absent=sum(each.is_absent for each in answers),
        )

    @classmethod
    def lost(cls, name: str, reason: str) -> "Rows":
        """Return the rows of one crystal that no process lived to answer."""
        failure = Failed(name, reason, "WorkerEnded")
        return cls((name,), SCHEMA.empty_table(), (failure,))

    @classmethod
    def joined(cls, several: "Sequence[Rows]") -> "Rows":
        """Return those of several runs of crystals, one after the other."""
        return cls(
            ids=tuple(name for each in several for name in each.ids),
            spectra=pyarrow.concat_tables([each.spectra for each in several]),
            failures=tuple(failure for each in several for failure in each.failures),
            remarks=tuple(remark for each in several for remark in each.remarks),
            n_absent=sum(each.n_absent for each in several),
        )

    @property
    def about(self) -> "About":
        """What a part tells beside its table."""
        return About(
            len(self.ids),
            hash_of(self.ids),
            len(self.spectra),
            self.n_absent,
            self.failures,
            self.remarks,
        )

    def write(self, path: Path) -> None:
        """Write a part: the table, and all else in its metadata, so that one file holds all of it.

        Raises:
            OutputError: it cannot be written.
        """
        told = json.dumps(self.about).encode()
        table = self.spectra.replace_schema_metadata({_KEY: told})
        with atomic_path(path) as temporary:
            pyarrow.parquet.write_table(table, temporary, compression="zstd")


class About(NamedTuple):
    """What a part tells beside its table.

    Attributes:
        n_crystals: of the part.
        sha256: of their ids, in order.
        n_spectra: rows.
        n_absent: crystals that hold none of the wanted absorbers.
        failures: those that were not answered.
        remarks: what was said when they were read.
    """

    n_crystals: int
    sha256: str
    n_spectra: int
    n_absent: int
    failures: Sequence[Failed]
    remarks: Sequence[Remark]


def hash_of(ids: Sequence[str]) -> str:
    """Return a hash of the ids of some crystals, in order."""
    return hashlib.sha256(json.dumps(list(ids)).encode()).hexdigest()


def read_about(path: Path) -> About:
    """Read what a part tells beside its table, without the table.

    Raises:
        OutputError: the file is no part of a screening, or damaged.
    """
    try:
        metadata = pyarrow.parquet.read_schema(path).metadata or {}
        about = About(*json.loads(metadata[_KEY]))
        return about._replace(
            failures=[Failed(*each) for each in about.failures],
            remarks=[Remark(*each) for each in about.remarks],
        )
    except (OSError, ValueError, KeyError, TypeError, pyarrow.ArrowException) as error:
        raise OutputError(
            f"{path} is no readable part of a screening; remove it, and it is made again"
        ) from error


def write_failures(path: Path, several: Sequence[Sequence[Failed]]) -> None:
    """Write the table of what was not answered."""
    _write_tuples(path, several, _FAILURES)


def write_remarks(path: Path, several: Sequence[Sequence[Remark]]) -> None:
    """Write the table of what was said when crystals were read."""
    _write_tuples(path, several, _REMARKS)


def _write_tuples(path: Path, several: Sequence[Sequence[Any]], schema: Any) -> None:
    rows = [dict(zip(schema.names, each, strict=True)) for part in several for each in part]
    table = pyarrow.Table.from_pylist(rows, schema=schema)
    with atomic_path(path) as temporary:
        pyarrow.parquet.write_table(table, temporary, compression="zstd")


def _row(name: str, spectrum: Spectrum) -> dict[str, Any]:
    trust = {} if spectrum.trust is None else spectrum.trust.facts
    curves = {each: getattr(spectrum, each) for each in _CURVES}
    return {
        "id": name,
        "formula": spectrum.formula,
        "absorber": spectrum.absorber,
        **curves,
        **trust,
    }
