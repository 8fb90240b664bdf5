import csv
import sys
from pathlib import Path

import numpy as np
import pytest

from cgxas.evaluation.sites import SiteVectors


@pytest.fixture
def table(cgxas, random_model, oxides, tmp_path) -> Path:
    """A table of the sites of the oxides."""
    answer = cgxas("embed", random_model, oxides, "-o", tmp_path / "sites.parquet")
    assert (answer.code, answer.out) == (0, "")
    assert answer.err == f"wrote {tmp_path / 'sites.parquet'}: 18 sites of 9 crystals\n"
    return tmp_path / "sites.parquet"


def test_embed_reads_folders_and_files(cgxas, random_model, oxides, crystals, tmp_path):
    out = tmp_path / "sites.parquet"
    words = [oxides, crystals / "rutile.cif", crystals / "LiFePO4.cif", "-o", out]
    assert cgxas("embed", random_model, *words, "--element", "O", "--element", "Ti").code == 0
    sites = SiteVectors.read(out)
    assert set(sites.element) == {"O", "Ti"}
    here = sites.source == "rutile.cif"
    assert sites.neighbour[here].tolist() == ["O", "Ti"]
    assert sites.multiplicity[here].tolist() == [2, 4]
    assert (sites.neighbour[sites.source == "LiFePO4.cif"] == "P").all()
    assert len(sites) == 9 + 2 + 3


def test_embed_refuses(refused, random_model, oxides, tmp_path):
    assert "no site of Xe" in refused(
        "embed", random_model, oxides, "--element", "Xe", "-o", "s.parquet"
    )
    assert "'Qq' is not" in refused(
        "embed", random_model, oxides, "--element", "Qq", "-o", "s.parquet"
    )
    assert ".parquet" in refused("embed", random_model, oxides, "-o", "s.csv")
    assert "no such file" in refused("embed", random_model, tmp_path / "no.cif", "-o", "s.parquet")
    assert "no model 'none'" in refused("embed", "none", oxides, "-o", "s.parquet")


@pytest.mark.parametrize("colour", ["absorber", "neighbour"])
def test_tsne_draws_a_map_and_writes_its_table(cgxas, table, tmp_path, colour):
    figure, places = tmp_path / "map.svg", tmp_path / "map.csv"
    words = ["tsne", table, "-o", figure, "--csv", places, "--colour", colour, "--limit", 12]
    answer = cgxas(*words)
    assert (answer.code, answer.err) == (0, f"wrote {figure}: 12 of 18 sites\n")
    first = figure.read_bytes(), places.read_bytes()
    rows = list(csv.DictReader(places.open()))
    assert len(rows) == 12
    assert {row["element"] for row in rows} == {"O", "Mg", "Fe", "Ni"}
    assert np.isfinite([float(row["x"]) for row in rows]).all()
    assert cgxas(*words).code == 0
    assert (figure.read_bytes(), places.read_bytes()) == first
    assert cgxas(*words, "--seed", 1).code == 0
    assert places.read_bytes() != first[1]


def test_tsne_refuses(refused, table, tmp_path):
    assert "9 sites" not in refused("tsne", table, "--element", "Xe", "-o", "m.png")
    assert "5 different sites or more, not 3" in refused(
        "tsne", table, "--element", "Fe", "-o", "m.png", "--csv", "m.csv"
    )
    assert "use .png" in refused("tsne", table, "-o", "m.gif")
    assert ".csv" in refused("tsne", table, "-o", "m.png", "--csv", "m.txt")
    assert "is missing" in refused("tsne", tmp_path / "no.parquet", "-o", "m.png")
    assert "--limit" in refused("tsne", table, "-o", "m.png", "--limit", 4)


def test_tsne_without_scikit_learn_tells_the_cure(refused, table, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.manifold", None)
    assert '".[report]"' in refused("tsne", table, "-o", "m.png")
