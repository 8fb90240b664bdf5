"""What measured data sets tell of each spectrum."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cgxas.data.annotations import Annotation, read_annotations
from cgxas.errors import DatasetError


@pytest.fixture
def folder(tmp_path):
    def write(**columns):
        rows = len(next(iter(columns.values())))
        names = [f"s{n}" for n in range(rows)]
        folder = tmp_path / "measured"
        folder.mkdir(exist_ok=True)
        pq.write_table(pa.table({"spectrum_id": names, **columns}), folder / "spectra.parquet")
        return folder

    return write


def test_a_table_without_the_columns_tells_nothing(folder):
    assert read_annotations([folder(mu=[1.0])]) == {"measured/s0": Annotation()}


def test_columns_are_read(folder):
    found = read_annotations(
        [
            folder(
                compound=["a", None],
                formula_group=["FeO", "FeO"],
                source=["lab", "beamline"],
                energy_shift=[1.5, None],
                weight=[2.0, None],
                multiplicity=[None, 4],
                technique=["XAS", "HERFD-XANES"],
                quality_flags=[["low_white_line"], ["post<60eV"]],
            )
        ]
    )
    assert found["measured/s0"] == Annotation("a", "FeO", "lab", 1.5, 2.0, 1.0, True)
    assert "HERFD" in found["measured/s1"].unusable
    assert found["measured/s1"].multiplicity == 4
    assert found["measured/s1"].source == "beamline"


def test_a_scale_that_is_off_is_of_no_use(folder):
    found = read_annotations([folder(quality_flags=[["energy_scale_off"]])])
    assert found["measured/s0"].unusable == "its energy scale is known to be off"


@pytest.mark.parametrize(
    "column",
    [
        {"weight": [0.0]},
        {"weight": [float("nan")]},
        {"energy_shift": [float("inf")]},
        {"energy_shift": [float("nan")]},
        {"multiplicity": [-1.0]},
        {"weight": ["heavy"]},
        {"quality_flags": [3]},
    ],
)
def test_impossible_values_are_refused(folder, column):
    with pytest.raises(DatasetError, match="s0"):
        read_annotations([folder(**column)])


def test_a_missing_or_foreign_table_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="not a readable table"):
        read_annotations([tmp_path])
    (tmp_path / "spectra.parquet").write_text("no table")
    with pytest.raises(DatasetError, match="not a readable table"):
        read_annotations([tmp_path])
