import runpy
from pathlib import Path

import pytest
from pymatgen.core import Structure

import cgxas

EXAMPLES = Path(__file__).parents[1] / "examples"
GUESTS = {
    "site_average.py": "larch",
    "screen_with_dask.py": "distributed",
    "screen_with_parsl.py": "parsl",
}
SCRIPTS = sorted(path.name for path in EXAMPLES.glob("*.py"))

# file -> space group, number of atoms, and the range of every bond of a pair with how many.
CRYSTALS = {
    "TiO2_rutile.cif": (136, 6, [("Ti", "O", 6, 1.93, 2.0)]),
    "TiO2_anatase.cif": (141, 12, [("Ti", "O", 6, 1.93, 2.0)]),
    "Fe2O3.cif": (167, 30, [("Fe", "O", 6, 1.94, 2.12)]),
    "FeS2_pyrite.cif": (205, 12, [("Fe", "S", 6, 2.25, 2.27)]),
    "LiCoO2.cif": (166, 12, [("Co", "O", 6, 1.91, 1.93)]),
    "LiFePO4.cif": (62, 28, [("Fe", "O", 6, 2.0, 2.3), ("P", "O", 4, 1.52, 1.56)]),
}


def test_every_crystal_is_described():
    assert {path.name for path in EXAMPLES.glob("*.cif")} == set(CRYSTALS)


@pytest.mark.parametrize("name", CRYSTALS)
def test_symmetry_and_bond_lengths(name):
    group, size, bonds = CRYSTALS[name]
    crystal = Structure.from_file(EXAMPLES / name)
    assert crystal.get_space_group_info()[1] == group
    assert len(crystal) == size
    for centre, other, count, shortest, longest in bonds:
        for site in (site for site in crystal if site.specie.symbol == centre):
            near = [n for n in crystal.get_neighbors(site, 2.6) if n.specie.symbol == other]
            lengths = [neighbour.nn_distance for neighbour in near]
            assert len([length for length in lengths if length < 2.4]) == count
            assert shortest <= min(lengths)
            assert sorted(lengths)[count - 1] <= longest


@pytest.mark.parametrize("name", CRYSTALS)
def test_source_is_told(name):
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    assert "Lattice constant" in text.split("data_")[0]


@pytest.mark.skipif("universal" not in cgxas.bundled(), reason="no bundled model")
@pytest.mark.parametrize("name", SCRIPTS)
@pytest.mark.filterwarnings("ignore::cgxas.errors.FewTrainingSpectraWarning")
def test_script_runs(name, tmp_path, monkeypatch, capsys):
    if guest := GUESTS.get(name):
        pytest.importorskip(guest)
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(EXAMPLES / name), run_name="__main__")
    printed = capsys.readouterr().out
    # A script of practice writes what a tutorial works on.
    assert any(tmp_path.iterdir()) if name.startswith("practice_") else "E0" in printed
