import gzip

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111, molecule
from pymatgen.core import Lattice, Molecule, Structure

from cgxas.crystals.io.read import read_crystal
from cgxas.crystals.structure import standardise
from cgxas.errors import (
    CrystalError,
    DisorderedCrystal,
    InvalidCell,
    ReadingWarning,
    UnreadableCrystal,
)


@pytest.fixture
def rutile() -> Structure:
    return Structure.from_spacegroup(
        "P4_2/mnm", Lattice.tetragonal(4.594, 2.958), ["Ti", "O"], [[0, 0, 0], [0.305, 0.305, 0]]
    )


def test_structure_is_taken_as_it_is(rutile):
    assert read_crystal(rutile) is rutile


@pytest.mark.parametrize("name", ["a.cif", "POSCAR", "CONTCAR", "a.vasp", "a.json", "a.xsf"])
def test_files_pymatgen_writes(rutile, tmp_path, name):
    path = tmp_path / name
    fmt = "poscar" if path.suffix in ("", ".vasp") else ""
    rutile.to(str(path), **({"fmt": fmt} if fmt else {}))
    for given in (path, str(path)):
        found = read_crystal(given)
        assert found.atomic_numbers == rutile.atomic_numbers
        np.testing.assert_allclose(found.distance_matrix, rutile.distance_matrix, atol=1e-4)


@pytest.mark.parametrize("name", ["a.extxyz", "a.traj", "a.cfg"])
def test_files_only_ase_reads(rutile, tmp_path, name):
    crystal = bulk("NaCl", "rocksalt", a=5.64, cubic=True)
    ase.io.write(tmp_path / name, crystal)
    found = read_crystal(tmp_path / name)
    assert sorted(found.atomic_numbers) == sorted(crystal.numbers)
    assert found.volume == pytest.approx(5.64**3, rel=1e-4)


def test_compressed_cif(rutile, tmp_path):
    path = tmp_path / "a.cif.gz"
    path.write_bytes(gzip.compress(rutile.to(fmt="cif").encode(), mtime=0))
    assert read_crystal(path).composition == rutile.composition


def test_ase_atoms_keep_their_order():
    crystal = bulk("NaCl", "rocksalt", a=5.64, cubic=True)
    found = read_crystal(crystal)
    assert list(found.atomic_numbers) == list(crystal.numbers)
    np.testing.assert_allclose(found.cart_coords, crystal.positions, atol=1e-12)


def test_slab_gets_vacuum_and_the_caller_keeps_theirs():
    slab = fcc111("Cu", (1, 1, 3))
    cell = slab.cell.array.copy()
    found = read_crystal(slab)
    assert found.lattice.c == pytest.approx(np.ptp(slab.positions[:, 2]) + 16)
    np.testing.assert_array_equal(slab.cell.array, cell)


@pytest.mark.parametrize("kind", ["ase", "pymatgen", "xyz"])
def test_molecules_are_boxed(kind, tmp_path):
    atoms = molecule("CH4")
    given = {
        "ase": atoms,
        "pymatgen": Molecule(atoms.get_chemical_symbols(), atoms.positions),
        "xyz": tmp_path / "a.xyz",
    }[kind]
    ase.io.write(tmp_path / "a.xyz", atoms, format="xyz")
    found = read_crystal(given)
    assert found.symbol_set == ("C", "H")
    assert min(found.lattice.abc) > 16
    assert found.properties["boxed"] is True
    assert found.get_distance(0, 1) == pytest.approx(atoms.get_distance(0, 1), abs=1e-6)


def test_last_image_of_a_trajectory(tmp_path):
    images = [bulk("Cu", a=a) for a in (3.5, 3.6)]
    ase.io.write(tmp_path / "a.traj", images)
    with pytest.warns(ReadingWarning, match="the last of its 2"):
        assert read_crystal(tmp_path / "a.traj").volume == pytest.approx(3.6**3 / 4)


def test_what_is_no_crystal_is_refused():
    with pytest.raises(CrystalError, match="a int is not a crystal"):
        read_crystal(26)
    with pytest.raises(CrystalError, match="holds no atom"):
        read_crystal(Atoms())
    with pytest.raises(CrystalError, match="holds no atom"):
        read_crystal(Structure(Lattice.cubic(3), [], []))


def test_unreadable_paths(tmp_path):
    (tmp_path / "empty.cif").touch()
    for path, message in [
        (tmp_path, "is a folder"),
        (tmp_path / "none.cif", "no such file"),
        (tmp_path / "empty.cif", "is empty"),
    ]:
        with pytest.raises(UnreadableCrystal, match=message):
            read_crystal(path)


def test_disorder_is_refused():
    alloy = Structure(Lattice.cubic(2.87), [{"Fe": 0.5, "Ni": 0.5}], [[0, 0, 0]])
    with pytest.raises(DisorderedCrystal, match="choose one ordered arrangement"):
        read_crystal(alloy)
    vacancies = Structure(Lattice.cubic(2.87), [{"Fe": 0.9}], [[0, 0, 0]])
    with pytest.raises(DisorderedCrystal):
        read_crystal(vacancies)


def test_impossible_cells_are_refused():
    flat = Structure([[3, 0, 0], [0, 3, 0], [3, 3, 1e-9]], ["Fe"], [[0, 0, 0]])
    with pytest.raises(InvalidCell, match="volume"):
        read_crystal(flat)
    with pytest.raises(InvalidCell, match="not a finite number"):
        read_crystal(Structure(Lattice.cubic(3), ["Fe"], [[np.nan, 0, 0]]))
    with pytest.raises(InvalidCell, match="not a finite number"):
        read_crystal(Atoms("Fe", positions=[[np.inf, 0, 0]], cell=[3, 3, 3], pbc=True))


def test_atoms_far_outside_of_their_cell_are_refused_and_near_ones_are_in_it():
    lattice = Lattice.cubic(4.2)
    near = Structure(lattice, ["Mg", "O"], [[300, 0, 0], [0.5, -200.5, 0.5]])
    assert len(read_crystal(near)) == 2
    assert len(standardise(near).numbers) == 2
    with pytest.raises(InvalidCell, match="cells away"):
        read_crystal(Structure(lattice, ["Mg", "O"], [[5e8, 0, 0], [0.5, 0.5, 0.5]]))


def test_a_huge_cell_with_few_atoms_takes_little_memory():
    far_apart = Structure(Lattice.cubic(900), ["Mg", "O"], [[0, 0, 0], [2 / 900, 0, 0]])
    assert len(standardise(far_apart).numbers) == 2
