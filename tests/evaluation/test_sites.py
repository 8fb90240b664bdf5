import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from cgxas.errors import DatasetError, MissingExtra, OutputError, UnknownElement
from cgxas.evaluation.sites import SiteVectors, fair_sample, tsne


@pytest.fixture
def sites() -> SiteVectors:
    """Twelve sites in three far clusters: Fe and O of one crystal, O of another."""
    random = np.random.default_rng(1)
    centre = np.repeat(np.eye(3, 8) * 50, 4, axis=0)
    return SiteVectors(
        source=np.repeat(["a/m1", "a/m1", "b.cif"], 4),
        formula=np.repeat(["FeO", "FeO", "SiO2"], 4),
        element=np.repeat(["Fe", "O", "O"], 4),
        neighbour=np.repeat(["O", "Fe", ""], 4),
        site=np.arange(12),
        multiplicity=np.full(12, 2),
        vector=(centre + random.standard_normal((12, 8))).astype(np.float32),
        model="m",
    )


def test_file_gives_back_what_was_written(sites, tmp_path: Path):
    sites.write(tmp_path / "s.parquet")
    read = SiteVectors.read(tmp_path / "s.parquet")
    assert read.model == "m"
    for name in ("source", "formula", "element", "neighbour", "site", "multiplicity", "vector"):
        np.testing.assert_array_equal(getattr(read, name), getattr(sites, name))
        assert getattr(read, name).dtype == getattr(sites, name).dtype
    assert [path.name for path in tmp_path.iterdir()] == ["s.parquet"]


def test_other_files_are_refused(sites, tmp_path: Path):
    with pytest.raises(DatasetError, match="is missing; 'cgxas embed'"):
        SiteVectors.read(tmp_path / "no.parquet")
    pyarrow.parquet.write_table(pyarrow.table({"a": [1]}), tmp_path / "other.parquet")
    (tmp_path / "text.parquet").write_text("no table")
    (tmp_path / "flat.parquet").mkdir()
    for name in ("other", "text", "flat"):
        with pytest.raises(DatasetError, match=r"is not a table of site vectors|is a folder"):
            SiteVectors.read(tmp_path / f"{name}.parquet")
    with pytest.raises(OutputError):
        sites.write(tmp_path / "s.csv")


def test_a_column_of_the_wrong_kind_is_refused(sites, tmp_path: Path):
    sites.write(tmp_path / "s.parquet")
    table = pyarrow.parquet.read_table(tmp_path / "s.parquet")
    flat = table.drop_columns("vector").append_column("vector", table["site"])
    pyarrow.parquet.write_table(flat, tmp_path / "s.parquet")
    with pytest.raises(DatasetError, match="is not a table of site vectors"):
        SiteVectors.read(tmp_path / "s.parquet")


def test_sites_of_an_element(sites):
    assert set(sites.of(["Fe"]).element) == {"Fe"}
    assert len(sites.of(["Fe", "O"])) == len(sites.of([])) == 12
    with pytest.raises(DatasetError, match="no site of Ni; there are sites of Fe, O"):
        sites.of(["Ni"])
    with pytest.raises(UnknownElement):
        sites.of(["Qq"])


def test_parts_are_joined_in_order(sites):
    joined = SiteVectors.joined([sites.of(["O"]), sites.of(["Fe"])])
    np.testing.assert_array_equal(joined.site, [*range(4, 12), *range(4)])
    np.testing.assert_array_equal(joined.vector[8:], sites.vector[:4])


def test_map_is_written_with_its_labels(sites, tmp_path: Path):
    sites.write_map(tmp_path / "m.csv", np.arange(24.0).reshape(12, 2))
    lines = (tmp_path / "m.csv").read_text().splitlines()
    assert lines[0] == '"source","formula","element","neighbour","site","multiplicity","x","y"'
    assert lines[-1] == '"b.cif","SiO2","O","",11,2,22,23'
    assert len(lines) == 13


def test_common_labels_give_way_first():
    labels = np.array(["Cu"] * 900 + ["V"] * 90 + ["Li"] * 10)
    chosen = fair_sample(labels, 100, seed=0)
    assert Counter(labels[chosen].tolist()) == {"Cu": 45, "V": 45, "Li": 10}
    assert (np.diff(chosen) > 0).all()
    np.testing.assert_array_equal(chosen, fair_sample(labels, 100, seed=0))
    assert not np.array_equal(chosen, fair_sample(labels, 100, seed=1))
    assert chosen.max() > 500, "not the first of each label, but any of them"


def test_small_sets_are_taken_whole():
    np.testing.assert_array_equal(fair_sample(np.array(["O", "Fe"]), 5, 0), [0, 1])


def test_map_keeps_neighbours_together_and_can_be_repeated(sites):
    places = tsne(sites.vector, seed=3)
    np.testing.assert_array_equal(places, tsne(sites.vector, seed=3))
    apart = np.linalg.norm(places[:, None] - places, axis=2) + np.diag(np.full(12, np.inf))
    np.testing.assert_array_equal(apart.argmin(axis=1) // 4, np.arange(12) // 4)


def test_too_few_different_sites_are_refused(sites):
    with pytest.raises(DatasetError, match="5 different sites or more, not 4"):
        tsne(np.repeat(sites.vector[:4], 10, axis=0))
    assert tsne(sites.vector[:5]).shape == (5, 2)


def test_without_scikit_learn_the_cure_is_told(sites, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.manifold", None)
    with pytest.raises(MissingExtra, match=r"\.\[report\]"):
        tsne(sites.vector)
