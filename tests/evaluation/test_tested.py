import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from cgxas.errors import DatasetError, OutputError
from cgxas.evaluation.tested import TestedSpectra


@pytest.fixture
def tested() -> TestedSpectra:
    """Three spectra, one of them half known and without an edge."""
    random = np.random.default_rng(1)
    target = random.random((3, 20)).astype(np.float32).astype(np.float64)
    target[1, 12:] = np.nan
    return TestedSpectra(
        key=np.array(["a/1", "a/Größe", "b/1"]),
        element=np.array(["Fe", "Fe", "O"]),
        fidelity=np.array(["FEFF9", "VASP", "FEFF9"]),
        formula=np.array(["FeO", "Fe", "FeO"]),
        energy=np.linspace(7112.0, 7167.0, 20) + np.zeros((3, 1)),
        target=target,
        predicted=random.random((3, 20)).astype(np.float32).astype(np.float64),
        rse=np.array([0.1, 0.2, 1 / 3]),
        pcc=np.array([0.9, 0.8, 0.7]),
        half_step_error=np.array([0.5, np.nan, 0.0]),
    )


def test_file_gives_everything_back(tested, tmp_path):
    tested.write(tmp_path / "t.parquet")
    found = TestedSpectra.read(tmp_path / "t.parquet")
    assert len(found) == 3
    for name, values in vars(tested).items():
        np.testing.assert_array_equal(getattr(found, name), values)
        assert getattr(found, name).dtype.kind == values.dtype.kind
    assert [path.name for path in tmp_path.iterdir()] == ["t.parquet"]


def test_file_is_a_table_others_can_read(tested, tmp_path):
    tested.write(tmp_path / "t.parquet")
    table = pyarrow.parquet.read_table(tmp_path / "t.parquet")
    assert table.num_rows == 3
    row = table.to_pylist()[2]
    assert (row["key"], row["element"], row["rse"]) == ("b/1", "O", 1 / 3)
    assert row["target"] == tested.target[2].tolist()
    assert table.schema.field("predicted").type == pyarrow.list_(pyarrow.float32(), 20)
    assert table.schema.field("energy").type == pyarrow.list_(pyarrow.float64(), 20)


@pytest.mark.parametrize("case", ["missing", "a text", "cut short", "another table"])
def test_what_is_no_such_table_is_refused(tested, tmp_path, case):
    path = tmp_path / "t.parquet"
    tested.write(path)
    if case == "missing":
        path.unlink()
    elif case == "a text":
        path.write_text("no table")
    elif case == "cut short":
        path.write_bytes(path.read_bytes()[:-30])
    else:
        pyarrow.parquet.write_table(pyarrow.table({"key": ["a"]}), path)
    with pytest.raises(DatasetError, match="not a readable table of tested spectra"):
        TestedSpectra.read(path)


def test_no_folder_to_write_to(tested, tmp_path):
    with pytest.raises(OutputError, match="cannot be written"):
        tested.write(tmp_path / "none" / "t.parquet")
