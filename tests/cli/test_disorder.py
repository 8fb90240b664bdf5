"""--disorder of cgxas predict and cgxas compare: what is refused, shown and written."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from pymatgen.core import Lattice, Structure


@pytest.fixture
def mineral(tmp_path):
    """A CIF of (Fe0.9Mg0.1)O."""
    path = tmp_path / "mineral.cif"
    Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(4.3), [{"Fe": 0.9, "Mg": 0.1}, "O"], [[0] * 3, [0.5] * 3]
    ).to(str(path), fmt="cif")
    return path


def test_a_shared_site_is_refused_with_what_goes_on(cgxas, mineral, random_model):
    answer = cgxas("predict", mineral, "-a", "Fe", "--model", random_model)
    assert answer.code == 2
    (line,) = answer.err.splitlines()
    assert "Mg 0.1, Fe 0.9" in line
    assert "--disorder majority or --disorder sample" in line
    assert line.count("mineral.cif") == 1


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--disorder", "often"), "not 'often'"),
        (("--disorder", "sample:0"), "1 to 100, not 0"),
        (("--disorder", "sample:1e9"), "1 to 100"),
        (("--disorder", "sample", "--seed", "-1"), "--seed"),
    ],
)
def test_bad_words_are_refused_before_any_work(cgxas, tmp_path, words, reason):
    answer = cgxas("predict", tmp_path / "none.cif", "-a", "Fe", "--model", "none", *words)
    assert answer.code == 2
    (line,) = answer.err.splitlines()
    assert reason in line


def test_the_majority_is_shown_as_such(predict, mineral):
    answer = predict(mineral, "-a", "Fe", "--disorder", "majority")
    assert "majority" in answer.out
    assert "×4" in answer.out
    assert "FeO for Mg0.1Fe0.9O" in answer.err


def test_a_sample_is_shown_and_written_as_such(predict, mineral, tmp_path):
    words = mineral, "-a", "Fe", "--disorder", "sample:3", "--seed", "4"
    answer = predict(*words, "-o", "fe.json", "--plot", "fe.svg")
    assert "sample of 3, seed 4" in answer.out
    assert "×3.556" in answer.out
    assert "3 random arrangements" in answer.err
    data = json.loads((tmp_path / "fe.json").read_text())
    assert data["disorder"] == "sample of 3, seed 4"
    assert data["formula"] == "Mg0.1Fe0.9O"
    assert max(data["sigma"]) > 0
    assert data["sites"][0]["occupancy"] == pytest.approx(0.9, abs=0.02)
    figure = (tmp_path / "fe.svg").read_text()
    assert "sample of 3, seed 4" in figure
    predict(*words, "-o", "fe.xdi", "--sites")
    text = (tmp_path / "fe.xdi").read_text()
    assert "# Cgxas.disorder: sample of 3, seed 4" in text
    assert "# Cgxas.multiplicity_0: 4" in text
    assert "# Cgxas.occupancy_0: 0." in text
    predict(*words, "-o", "fe.parquet", "--sites")
    rows = pq.read_table(tmp_path / "fe.parquet").to_pylist()
    assert [row["disorder"] for row in rows] == ["sample of 3, seed 4"] * 2
    assert rows[0]["occupancy"] == pytest.approx(rows[1]["occupancy"])
    np.testing.assert_allclose(rows[0]["sigma"], data["sigma"])


def test_an_ordered_crystal_says_nothing_of_disorder(predict, crystals, tmp_path):
    answer = predict(crystals / "iron.cif", "-a", "Fe", "--disorder", "sample", "-o", "fe.xdi")
    assert "sample" not in answer.out
    assert "disorder" not in (tmp_path / "fe.xdi").read_text()


def test_compare_predicts_a_disordered_crystal(cgxas, mineral, random_model, scanned, tmp_path):
    pytest.importorskip("larch")
    measured = tmp_path / "measured.dat"
    np.savetxt(measured, np.transpose(scanned(7117.0)), header="energy xmu")
    words = "compare", mineral, measured, "--model", random_model
    assert "--disorder sample" in cgxas(*words).err
    answer = cgxas(*words, "--disorder", "sample:2", "--seed", 1)
    assert answer.code == 0, answer.err
    assert answer.out.startswith("mineral.cif / measured.dat, Fe K: RSE")
