import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from cgxas.data.folder import read_records
from cgxas.data.schema import MaterialRow, SpectrumRow, columns_of
from cgxas.data.tables import Incomplete, read_rows, write_rows
from cgxas.errors import DatasetError


def test_large_tables_are_read_whole(write, materials, spectra):
    many = [{**spectra[n % 4], "spectrum_id": str(n)} for n in range(2500)]
    found = read_records([write(materials, many)])
    assert [record.spectrum_id for record in found.records] == [str(n) for n in range(2500)]


@pytest.mark.parametrize("name", ["materials.parquet", "spectra.parquet"])
def test_missing_and_unreadable_tables(folder, name):
    (folder / name).write_bytes(b"PAR1 and nothing else")
    with pytest.raises(DatasetError, match="not a readable Parquet table"):
        read_records([folder])
    (folder / name).unlink()
    with pytest.raises(DatasetError, match="is missing"):
        read_records([folder])


@pytest.mark.parametrize("column", ["site_certain", "mu", "theory"])
def test_missing_column_of_spectra(write, materials, spectra, column):
    for row in spectra:
        del row[column]
    with pytest.raises(DatasetError, match=f"no column '{column}'"):
        read_records([write(materials, spectra)])


def test_missing_column_of_materials(write, materials, spectra):
    for row in materials:
        del row["formula"]
    with pytest.raises(DatasetError, match="no column 'formula'"):
        read_records([write(materials, spectra)])


def spectrum_row(**others) -> SpectrumRow:
    needed = {
        "spectrum_id": "a",
        "material_id": "iron",
        "element": "Fe",
        "site_index": None,
        "site_certain": True,
        "energy": np.array([7112.0, 7113.0]),
        "mu": np.array([0.0, 1.0]),
        "theory": "made up",
    }
    return SpectrumRow(**{**needed, **others})


def names(folder, file: str) -> list[str]:
    return pyarrow.parquet.read_schema(folder / file).names


def test_what_is_written_is_read_again(tmp_path):
    rows = [
        spectrum_row(weight=2.0, quality_flags=("x", "y"), energy_shift=1.5, edge="K"),
        spectrum_row(spectrum_id="b", site_index=3, compound="metal"),
    ]
    write_rows(tmp_path, SpectrumRow, rows)
    first, second = read_rows(tmp_path, SpectrumRow)
    assert (first.weight, first.quality_flags, first.energy_shift) == (2.0, ("x", "y"), 1.5)
    assert (second.weight, second.quality_flags, second.energy_shift) == (1.0, (), None)
    assert (first.site_index, second.site_index) == (None, 3)
    assert (first.edge, second.edge, second.compound) == ("K", None, "metal")
    assert second.mu.tolist() == [0.0, 1.0]


def test_optional_columns_are_written_where_something_is_told(tmp_path):
    write_rows(tmp_path, SpectrumRow, [])
    needed = names(tmp_path, "spectra.parquet")
    assert needed == [c.name for c in columns_of(SpectrumRow) if c.is_needed]
    assert list(read_rows(tmp_path, SpectrumRow)) == []
    write_rows(tmp_path, SpectrumRow, [spectrum_row(), spectrum_row(mu_raw=np.array([3.0, 4.0]))])
    assert names(tmp_path, "spectra.parquet") == [*needed, "mu_raw"]
    rows = pyarrow.parquet.read_table(tmp_path / "spectra.parquet").to_pylist()
    assert [row["mu_raw"] for row in rows] == [None, [3.0, 4.0]]
    assert [row.mu_raw for row in read_rows(tmp_path, SpectrumRow)] == [None, None]  # not read


def test_unknown_columns_are_not_read(write, materials, spectra):
    for row in spectra:
        row["n_left_pad"] = {"any": "thing"}
    assert len(read_records([write(materials, spectra)])) == 4


@pytest.mark.parametrize(
    "column",
    ["spectrum_id", "material_id", "element", "site_certain", "theory"],
)
def test_empty_needed_value_is_refused_by_name(write, materials, spectra, column):
    spectra[2][column] = None
    folder = write(materials, spectra)
    name = "row 3" if column == "spectrum_id" else "c"
    assert list(read_rows(folder, SpectrumRow))[2] == Incomplete(name, column)
    with pytest.raises(DatasetError, match=rf"spectra\.parquet: {name} has no {column}; fill"):
        read_records([folder])


@pytest.mark.parametrize("column", ["material_id", "formula"])
def test_empty_needed_value_of_a_crystal(write, materials, spectra, column):
    materials[1][column] = None
    with pytest.raises(DatasetError, match=rf"materials\.parquet: (row 2|iron) has no {column};"):
        read_records([write(materials, spectra)])


def test_rows_are_counted_through_the_whole_table(write, materials, spectra):
    many = [{**spectra[n % 4], "spectrum_id": str(n)} for n in range(1500)]
    many[1234]["spectrum_id"] = None
    with pytest.raises(DatasetError, match="row 1235 has no spectrum_id"):
        read_records([write(materials, many)])


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("spectrum_id", 3, "column 'spectrum_id' holds int64; it must hold text"),
        ("element", b"Fe", "column 'element' holds binary; it must hold text"),
        ("site_index", "0", "column 'site_index' holds string; it must hold whole numbers"),
        ("site_index", 0.5, "column 'site_index' holds fractions or NaN"),
        ("site_index", float("nan"), "column 'site_index' holds fractions or NaN"),
        ("site_certain", "yes", "column 'site_certain' holds string; it must hold true or false"),
        ("energy", 7112.0, "column 'energy' holds double; it must hold lists of numbers"),
        ("mu", ["0.1"], "column 'mu' holds list<.*string>; it must hold lists of numbers"),
        ("theory", ["a"], "column 'theory' holds list<.*string>; it must hold text"),
        ("fidelity", 9, "column 'fidelity' holds int64; it must hold text"),
        ("edge", 1, "column 'edge' holds int64; it must hold text"),
        ("weight", "heavy", "column 'weight' holds string; it must hold numbers"),
        ("quality_flags", [3], "column 'quality_flags' holds .*; it must hold lists of texts"),
        ("quality_flags", "bad", "column 'quality_flags' holds .*; it must hold lists of texts"),
    ],
)
def test_columns_of_another_type_are_refused(write, materials, spectra, column, value, message):
    for row in spectra:
        row[column] = value
    with pytest.raises(DatasetError, match=message):
        read_records([write(materials, spectra)])


def retyped(folder, **types) -> None:
    path = folder / "spectra.parquet"
    table = pyarrow.parquet.read_table(path)
    for name, each in types.items():
        place = table.schema.names.index(name)
        table = table.set_column(place, name, table.column(name).cast(each))
    pyarrow.parquet.write_table(table, path)


def test_types_other_programs_write_are_read(folder, spectra):
    """As pandas and polars do: categories, large lists, whole numbers with gaps as floats."""
    before = read_records([folder]).records
    retyped(
        folder,
        site_index=pyarrow.float64(),
        element=pyarrow.dictionary(pyarrow.int32(), pyarrow.string()),
        theory=pyarrow.large_string(),
        energy=pyarrow.large_list(pyarrow.float64()),
        mu=pyarrow.list_(pyarrow.float32(), 60),
    )
    for ours, theirs in zip(read_records([folder]).records, before, strict=True):
        assert (ours.key, ours.element, ours.theory) == (theirs.key, theirs.element, theirs.theory)
        assert ours.sites.tolist() == theirs.sites.tolist()
        assert ours.energy.tolist() == theirs.energy.tolist()
        assert ours.norm == pytest.approx(theirs.norm, abs=1e-6)


def test_lists_in_lists_are_taken_as_one(tmp_path):
    """Rows of a lattice, an empty value between them, over several batches."""
    lattices = [[[1.0, 2.0], [3.0]], None, [[4.0, None, 5.0], []], []] * 600
    needed = {"material_id": "x", "formula": "X", "species": ["Fe"], "frac_coords": [0]}
    rows = [{**needed, "lattice": each} for each in lattices]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "materials.parquet")
    found = [row.lattice.tolist() for row in read_rows(tmp_path, MaterialRow)]
    assert found[:2] == [[1.0, 2.0, 3.0], []]
    assert str(found[2]) == "[4.0, nan, 5.0]"
    assert [len(each) for each in found] == [3, 0, 3, 0] * 600


def test_damaged_text_is_one_sentence(folder):
    path = folder / "spectra.parquet"
    table = pyarrow.parquet.read_table(path)
    bad = pyarrow.StringArray.from_buffers(
        4, *pyarrow.array([b"\xff"] * 4, pyarrow.binary()).buffers()[1:]
    )
    table = table.set_column(table.schema.names.index("theory"), "theory", bad)
    pyarrow.parquet.write_table(table, path)
    with pytest.raises(DatasetError, match="not a readable Parquet table"):
        read_records([folder])


def test_two_columns_of_one_name_are_one_sentence(folder):
    path = folder / "spectra.parquet"
    table = pyarrow.parquet.read_table(path)
    pyarrow.parquet.write_table(table.append_column("mu", table.column("mu")), path)
    with pytest.raises(DatasetError, match="several columns 'mu'; keep one"):
        read_records([folder])
