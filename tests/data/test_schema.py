"""The columns, and their tables in the documentation."""

from pathlib import Path

import pytest

from cgxas.data.schema import (
    TABLES,
    Column,
    Kind,
    MaterialRow,
    SpectrumRow,
    columns_of,
)

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "data_sets.md"


def of(row_type) -> dict[str, Column]:
    return {column.name: column for column in columns_of(row_type)}


def documented(column: Column) -> str:
    """The column's line in the table of the documentation."""
    if column.is_needed:
        is_list = column.kind in (Kind.NUMBERS, Kind.TEXTS)
        missing = "needed, may be empty" if column.may_be_empty and not is_list else "needed"
    else:
        has_default = column.default not in (None, "", ())
        missing = f"{column.default:g} if missing" if has_default else "optional"
    meaning = column.meaning if column.is_read else f"{column.meaning}; not read"
    return f"| `{column.name}` | {column.kind.value} | {missing} | {meaning} |"


@pytest.mark.parametrize("row_type", [MaterialRow, SpectrumRow])
def test_the_documentation_tells_every_column_and_no_other(row_type):
    section = PAGE.read_text(encoding="utf-8").split(f"`{row_type.FILE}`:\n\n", maxsplit=1)[1]
    _, _, *lines = section.split("\n\n", maxsplit=1)[0].splitlines()
    wanted = [documented(column) for column in columns_of(row_type)]
    assert lines == wanted, "the table should be\n" + "\n".join(wanted)


def test_what_a_column_is_follows_from_its_field():
    spectra = of(SpectrumRow)
    assert spectra["mu"] == Column(
        "mu",
        Kind.NUMBERS,
        "normalised absorption, an edge step of 1 (`Record.norm` in Python)",
        is_needed=True,
        may_be_empty=True,
        default=None,
        is_read=True,
    )
    assert (spectra["weight"].kind, spectra["weight"].default) == (Kind.NUMBER, 1.0)
    assert not spectra["weight"].is_needed
    assert spectra["site_index"].is_needed
    assert spectra["site_index"].may_be_empty
    assert not spectra["theory"].may_be_empty
    assert not spectra["mu_raw"].is_read


def test_what_is_needed():
    """The contract with folders that others have written: no name may be added."""
    needed = [
        [column.name for column in columns_of(row_type) if column.is_needed]
        for row_type in (MaterialRow, SpectrumRow)
    ]
    assert needed == [
        ["material_id", "formula", "lattice", "species", "frac_coords"],
        [
            *("spectrum_id", "material_id", "element", "site_index", "site_certain"),
            *("energy", "mu", "theory"),
        ],
    ]
    assert TABLES == ("materials.parquet", "spectra.parquet")


def test_what_is_not_read_has_a_default():
    for row_type in (MaterialRow, SpectrumRow):
        assert all(column.is_read or not column.is_needed for column in columns_of(row_type))


def test_first_column_is_the_name():
    """Messages name a row by it."""
    for row_type in (MaterialRow, SpectrumRow):
        first, *_ = columns_of(row_type)
        assert (first.kind, first.is_needed, first.is_read) == (Kind.TEXT, True, True)


def test_the_columns_are_named_nowhere_else():
    """What only these tables call so stands in no other module of the room."""
    own = {
        *("frac_coords", "site_index", "formula_group", "quality_flags"),
        *("energy_shift", "mu_raw", "as_provided", "source_file", "spectrum_id"),
    }
    room = Path(__file__).parents[2] / "src" / "cgxas" / "data"
    for path in room.glob("*.py"):
        if path.name not in {"schema.py", "potentials.py"}:  # further tables, of their own
            words = path.read_text(encoding="utf-8")
            quoted = [name for name in own if f'"{name}"' in words]
            assert not quoted, f"{path.name} names {quoted}"
