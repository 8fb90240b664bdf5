"""cgxas predict: what it shows, what it writes, and where."""

import json
import os
import pty
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from pymatgen.core import Lattice, Structure

import cgxas as package

SCRIPT = Path(sys.executable).with_name("cgxas")
N_MANY = 5000


def names_here() -> list[str]:
    return sorted(path.name for path in Path().iterdir())


def rows(out: str) -> list[list[str]]:
    return [line.split() for line in out.splitlines()[1:]]


def test_table_of_one_spectrum(predict, crystals, random_model):
    answer = predict(crystals / "LiFePO4.cif", "--absorber", "Fe")
    assert answer.err == ""
    heading, line = answer.out.splitlines()
    assert heading.split("  ")[0] == "Crystal"
    assert heading.endswith("Site  Mult.  E0 (eV)  Half step (eV)  White line (eV)  Height")
    spectrum = package.load(random_model).predict(crystals / "LiFePO4.cif", "Fe")
    energy, height = spectrum.white_line
    numbers = [f"{spectrum.e0:.2f}", f"{spectrum.half_step:.2f}", f"{energy:.2f}", f"{height:.2f}"]
    about = [str(crystals / "LiFePO4.cif"), "LiFePO4", "Fe", "mean", "×4"]
    assert line.split() == about + numbers


def test_distinct_sites_follow_their_mean(predict, crystals):
    table = rows(predict(crystals / "LiFePO4.cif", "-a", "O").out)
    assert [row[3:5] for row in table] == [
        ["mean", "×16"],
        ["12", "×4"],
        ["16", "×4"],
        ["20", "×8"],
    ]


def test_single_site_is_shown_if_all_are_wanted(predict, crystals):
    table = rows(predict(crystals / "LiFePO4.cif", "-a", "Fe", "--sites").out)
    assert [row[3] for row in table] == ["mean", "4"]


def test_several_crystals_and_elements(predict, crystals):
    files = [crystals / "rutile.cif", crystals / "LiFePO4.cif"]
    table = rows(predict(*files, "-a", "all").out)
    means = [(row[1], row[2]) for row in table if row[3] == "mean"]
    olivine = [("LiFePO4", element) for element in ("Li", "O", "P", "Fe")]
    assert means == [("TiO2", "O"), ("TiO2", "Ti"), *olivine]
    means = rows(predict(*files, "-a", "O", "-a", "O").out)
    assert [row[1] for row in means if row[3] == "mean"] == ["TiO2", "LiFePO4"]


@pytest.fixture
def many_sites(tmp_path) -> Path:
    """20 iron atoms in a row, no two of them alike."""
    places = (np.arange(20) + 0.1 * np.sin(np.arange(20) ** 2)) / 20
    frac = np.stack([np.zeros(20), 0.3 * np.cos(np.arange(20.0)) ** 2, places], axis=1)
    path = tmp_path / "chain.vasp"
    Structure(Lattice.orthorhombic(4, 5, 60), ["Fe"] * 20, frac).to(
        filename=str(path), fmt="poscar"
    )
    return path


def test_many_sites_are_counted(predict, many_sites):
    answer = predict(many_sites, "-a", "Fe")
    table = rows(answer.out)
    assert len(table) == 14
    assert table[-1][3:] == ["…", "8", "more", "×8"]
    assert answer.err == "some spectra have more distinct sites than shown: --sites shows all\n"
    answer = predict(many_sites, "-a", "Fe", "--sites")
    assert len(rows(answer.out)) == 21
    assert answer.err == ""


def test_output_goes_to_its_name(predict, crystals):
    answer = predict(crystals / "iron.cif", "-a", "Fe", "-o", "fe.csv", "--plot", "fe.svg")
    assert answer.err == "wrote fe.csv, fe.svg\n"
    assert names_here() == ["fe.csv", "fe.svg"]
    assert Path("fe.csv").read_text().startswith("energy,norm\n")


def test_several_outputs_are_named_after_crystal_and_element(predict, crystals):
    answer = predict(crystals / "rutile.cif", crystals / "iron.cif", "-a", "all", "-o", "x.json")
    names = ["x_rutile_O.json", "x_rutile_Ti.json", "x_iron_Fe.json"]
    assert answer.err == f"wrote {', '.join(names)}\n"
    assert names_here() == sorted(names)
    assert json.loads(Path("x_rutile_Ti.json").read_text())["absorber"] == "Ti"


def test_all_elements_of_one_crystal_are_named(predict, crystals):
    predict(crystals / "iron.cif", "-a", "all", "-o", "x.json")
    assert names_here() == ["x_iron_Fe.json"]


def test_many_files_are_counted(predict, crystals):
    answer = predict(crystals / "rutile.cif", crystals / "LiFePO4.cif", "-a", "all", "-o", "x.xdi")
    assert answer.err == "wrote 6 files, x_rutile_O.xdi to x_LiFePO4_Fe.xdi\n"


def test_one_table_for_all(predict, crystals):
    answer = predict(crystals / "rutile.cif", crystals / "iron.cif", "-a", "all", "-o", "x.parquet")
    assert answer.err == "wrote x.parquet\n"
    assert pq.read_table("x.parquet")["absorber"].to_pylist() == ["O", "Ti", "Fe"]


def test_sites_are_columns(predict, crystals):
    predict(crystals / "LiFePO4.cif", "-a", "O", "--sites", "-o", "o.csv")
    header = Path("o.csv").read_text().splitlines()[0]
    assert header == "energy,norm,norm_12,norm_16,norm_20"


def test_all_files_or_none(cgxas, random_model, crystals, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x_rutile_Ti.csv").mkdir()
    words = ["predict", crystals / "rutile.cif", "-a", "all", "-m", random_model]
    answer = cgxas(*words, "-o", "x.csv", "--plot", "x.png")
    assert answer.code == 2
    assert answer.err == (
        "cgxas: x_rutile_Ti.csv is not a regular file: choose the name of a file.\n"
    )
    assert names_here() == ["x_rutile_Ti.csv"]


def test_few_training_spectra_give_a_warning(predict, tmp_path):
    path = tmp_path / "tc.cif"
    Structure(
        Lattice.hexagonal(2.74, 4.4), ["Tc"] * 2, [[1 / 3, 2 / 3, 0.25], [2 / 3, 1 / 3, 0.75]]
    ).to(filename=str(path))
    answer = predict(path, "-a", "Tc")
    assert answer.err.startswith("cgxas: warning: random saw few training spectra of Tc (12)")
    assert answer.err.count("\n") == 1


def terminal(*words: object, columns: int = 100) -> str:
    """What a person at a terminal sees."""
    leader, follower = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm"}
    process = subprocess.Popen(
        [SCRIPT, *map(str, words)], stdout=follower, stderr=follower, env=environment
    )
    os.close(follower)
    seen = b""
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        seen += part
    assert process.wait() == 0, seen
    os.close(leader)
    return seen.decode()


def test_terminal_shows_names_once_and_a_progress_bar(
    random_model, crystals, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    for n in range(24):
        Path(f"{n}.cif").write_bytes((crystals / "iron.cif").read_bytes())
    Path("LiFePO4.cif").write_bytes((crystals / "LiFePO4.cif").read_bytes())
    seen = terminal("predict", ".", "-a", "all", "--model", random_model)
    assert "25/25" in seen
    assert seen.count("LiFePO4.cif") == 4
    assert "─" in seen


def displaced(cells: int, atoms_in_cell: int) -> Structure:
    """A cubic supercell whose atoms all stand a little off their places."""
    places = {
        1: [[0, 0, 0]],
        5: [[0, 0, 0], [0.5] * 3, [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]],
    }
    elements = {1: ["Fe"], 5: ["Sr", "Ti", "O", "O", "O"]}[atoms_in_cell]
    structure = Structure(Lattice.cubic(3.905), elements, places[atoms_in_cell])
    return structure.make_supercell([cells] * 3)


@pytest.mark.parametrize("noise", [0.0, 0.05], ids=["perfect", "displaced"])
def test_cell_of_5000_atoms(noise, predict, tmp_path):
    structure = displaced(10, 5)
    random = np.random.default_rng(64)
    shifts = noise * random.standard_normal((len(structure), 3))
    cart = structure.cart_coords + shifts
    moved = Structure(structure.lattice, structure.species, cart, coords_are_cartesian=True)
    assert len(moved) == N_MANY
    path = tmp_path / "large.vasp"
    moved.to(filename=str(path), fmt="poscar")
    started = time.perf_counter()
    answer = predict(path, "-a", "Ti", "-o", "ti.csv")
    assert time.perf_counter() - started < 120
    first, *others = rows(answer.out)
    assert first[1:5] == ["SrTiO3", "Ti", "mean", "×1000"]
    assert len(others) == (13 if noise else 0)
