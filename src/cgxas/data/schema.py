"""The two tables of a data-set folder: every column, named here and nowhere else.

A row is a dataclass whose fields are the columns. A field without a default is a column the table
must have; the default of another is what a missing column or an empty value counts as. A value
that may be None may be empty in a column that must be there. A list without values counts as empty.
"""

from dataclasses import MISSING, dataclass, fields
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, TypeAlias, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

Numbers: TypeAlias = NDArray[np.float64]
Texts: TypeAlias = tuple[str, ...]

NOT_READ = "for the user of the folder; cgxas does not read it"
"""Mark of a column that is written, but never read."""


class Kind(Enum):
    """What a column holds, as a message says it."""

    TEXT = "text"
    WHOLE = "whole numbers"
    NUMBER = "numbers"
    FLAG = "true or false"
    NUMBERS = "lists of numbers"
    TEXTS = "lists of texts"


_KINDS: dict[Any, Kind] = {
    str: Kind.TEXT,
    int: Kind.WHOLE,
    float: Kind.NUMBER,
    bool: Kind.FLAG,
    Numbers: Kind.NUMBERS,
    Texts: Kind.TEXTS,
}


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        name: in the file.
        kind: what it holds.
        meaning: with the unit.
        is_needed: whether the table must have it.
        may_be_empty: whether a row may leave it out (null).
        default: what it counts as where it is missing.
        is_read: whether cgxas reads it, or only writes it for the user of the folder.
    """

    name: str
    kind: Kind
    meaning: str
    is_needed: bool
    may_be_empty: bool
    default: Any
    is_read: bool


@dataclass(frozen=True, eq=False, kw_only=True)
class MaterialRow:
    """A crystal, stored once."""

    FILE: ClassVar[str] = "materials.parquet"

    material_id: Annotated[str, "name within the data set"]
    formula: Annotated[str, "reduced formula; splits keep all of one formula on one side"]
    lattice: Annotated[Numbers, "9 numbers, Å: the lattice vectors as rows"]
    species: Annotated[Texts, "element of each site"]
    frac_coords: Annotated[Numbers, "fractional coordinates, 3 per site, one after the other"]
    n_sites: Annotated[int | None, "number of sites", NOT_READ] = None
    structure_source: Annotated[str | None, "where the crystal comes from", NOT_READ] = None
    license: Annotated[str | None, "terms of the crystal", NOT_READ] = None


@dataclass(frozen=True, eq=False, kw_only=True)
class SpectrumRow:
    """A spectrum of one site, or the mean over all sites of an element."""

    FILE: ClassVar[str] = "spectra.parquet"

    spectrum_id: Annotated[str, "name within the data set"]
    material_id: Annotated[str, "the crystal, by its name in materials.parquet"]
    element: Annotated[str, "absorber"]
    site_index: Annotated[
        int | None,
        "0-based index into the crystal's sites; empty: the mean over all sites of the element",
    ]
    site_certain: Annotated[bool, "whether the source states the site, or it was inferred"]
    energy: Annotated[Numbers, "eV, strictly increasing"]
    mu: Annotated[Numbers, "normalised absorption, an edge step of 1 (`Record.norm` in Python)"]
    theory: Annotated[str, "code and its settings in free text; `experiment` if measured"]
    fidelity: Annotated[
        str | None,
        "short name that kinds of spectra are told apart by, `FEFF9`, `experiment`; missing: the "
        "code and main version that `theory` begins with",
    ] = None
    edge: Annotated[str | None, "edge; missing: K, and any other is refused"] = None
    source: Annotated[str, "who computed or measured it"] = ""
    license: Annotated[str, "terms of the spectrum"] = ""
    compound: Annotated[str, "what replicates share"] = ""
    formula_group: Annotated[
        str, "what stays in one part when measured spectra are split; missing: `formula`"
    ] = ""
    technique: Annotated[str, "of a measurement; HERFD is not learnt from"] = ""
    energy_shift: Annotated[
        float | None,
        "eV to be added to `energy` to bring sources onto one scale; missing: unknown",
    ] = None
    weight: Annotated[float, "how much it counts among the spectra of its compound, above 0"] = 1.0
    multiplicity: Annotated[float, "sites of the cell its one site stands for, above 0"] = 1.0
    quality_flags: Annotated[
        Texts,
        "doubts: `energy_scale_off` is not learnt from; `energy_deviates_from_other_sources`, "
        "`shape_deviates_from_other_sources` and `low_white_line` only where there is no other",
    ] = ()
    sample: Annotated[str | None, "name of the sample, as its file states it", NOT_READ] = None
    source_file: Annotated[str | None, "file it was read from", NOT_READ] = None
    mu_raw: Annotated[Numbers | None, "absorption as measured, not normalised", NOT_READ] = None
    e0: Annotated[float | None, "eV, steepest rise of `mu_raw`", NOT_READ] = None
    edge_step: Annotated[float | None, "edge step of `mu_raw`", NOT_READ] = None
    as_provided: Annotated[
        bool | None, "whether the source had normalised it, and that was kept", NOT_READ
    ] = None


TABLES = (MaterialRow.FILE, SpectrumRow.FILE)
"""The files of a data-set folder, in the order in which they are hashed."""


def columns_of(row_type: type[MaterialRow] | type[SpectrumRow]) -> tuple[Column, ...]:
    """Return the columns of a table, in order."""
    hints = get_type_hints(row_type, include_extras=True)
    return tuple(_column(each.name, hints[each.name], each.default) for each in fields(row_type))


def _column(name: str, hint: Any, default: Any) -> Column:
    stated, meaning, *marks = get_args(hint)
    parts = get_args(stated) if get_origin(stated) is UnionType else (stated,)
    (kind,) = (_KINDS[part] for part in parts if part is not NoneType)
    is_needed = default is MISSING
    may_be_empty = not is_needed or NoneType in parts or kind in (Kind.NUMBERS, Kind.TEXTS)
    return Column(
        name=name,
        kind=kind,
        meaning=meaning,
        is_needed=is_needed,
        may_be_empty=may_be_empty,
        default=None if is_needed else default,
        is_read=NOT_READ not in marks,
    )
