"""Fermi level, 1s level and charge of a site without a run of FEFF."""

from dataclasses import replace

import numpy as np
import pytest

from cgxas.crystals.canonical import Cell
from cgxas.errors import CrystalError
from cgxas.physics.potentials import (
    PotentialKernel,
    Sites,
    potential_kernel,
    potentials,
    save,
)


def rock_salt(metal: int, anion: int, edge: float) -> Cell:
    lattice = np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]]) * edge / 2
    return Cell(lattice, np.array([[0, 0, 0], [0.5, 0.5, 0.5]]), np.array([metal, anion]))


def body_centred(z: int, edge: float) -> Cell:
    lattice = np.array([[-1, 1, 1], [1, -1, 1], [1, 1, -1]]) * edge / 2
    return Cell(lattice, np.zeros((1, 3)), np.array([z]))


FIRST = np.array([0])


def test_a_metal_differs_from_its_oxide_as_runs_say():
    """FEFF10 has -18.4 and -12.6 eV for the Fermi levels of iron and FeO."""
    iron, oxide = (
        potentials(cell, FIRST) for cell in (body_centred(26, 2.866), rock_salt(26, 8, 4.33))
    )
    assert iron.fermi[0] == pytest.approx(-18.4, abs=0.7)
    assert oxide.fermi[0] == pytest.approx(-12.6, abs=0.7)
    assert abs(iron.charge[0]) < 0.3


def test_a_cation_binds_its_1s_electron_more_than_an_anion():
    """Sulphur in MgS and in the anion of a sulfate: 7 eV, by which their edges lie apart."""
    sulfide = potentials(rock_salt(16, 12, 5.2), FIRST)
    tetrahedron = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) * 1.48 / 3**0.5
    frac = np.concatenate([[[0, 0, 0]], tetrahedron / 5.2, [[0.5, 0.5, 0.5]]])
    sulfate = potentials(Cell(np.eye(3) * 5.2, frac, np.array([16, 8, 8, 8, 8, 20])), FIRST)
    assert sulfate.level[0] - sulfide.level[0] > 4
    assert sulfate.charge[0] < -0.5 < sulfide.charge[0]


def test_small_displacements_change_little():
    rng = np.random.default_rng(2)
    cell = rock_salt(22, 8, 4.2)
    step = rng.normal(size=(2, 3)) @ np.linalg.inv(cell.lattice)
    usual = potentials(cell, FIRST)
    changes = []
    for size in (1e-2, 1e-3):
        moved = potentials(replace(cell, frac=cell.frac + size * step), FIRST)
        changes.append([abs(moved.fermi[0] - usual.fermi[0]), abs(moved.level[0] - usual.level[0])])
    assert np.max(changes[0]) < 0.2
    assert np.max(changes[1]) < 0.2 * np.max(changes[0]) + 1e-9


def test_cell_and_orientation_do_not_matter():
    cell = rock_salt(26, 8, 4.33)
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    basis = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 2]])
    frac = np.concatenate([cell.frac, cell.frac + np.array([0, 0, 1])]) @ np.linalg.inv(basis)
    other = Cell(basis @ cell.lattice @ turn.T, frac, np.tile(cell.numbers, 2))
    one, two = potentials(cell, FIRST), potentials(other, FIRST)
    assert two.fermi == pytest.approx(one.fermi, abs=1e-4)
    assert two.level == pytest.approx(one.level, abs=1e-4)


def test_the_farther_from_all_runs_the_less_sure():
    known = potentials(rock_salt(26, 8, 4.33), FIRST)
    strange = potentials(rock_salt(26, 8, 3.4), FIRST)
    assert (strange.sigma[0] > 1.2 * known.sigma[0]).all()
    blind = potentials(rock_salt(26, 8, 4.33), FIRST, without=("FeO", "CoO", "NiO", "MnO"))
    assert (blind.sigma[0] > known.sigma[0]).all()


def made(formulas: tuple[str, ...]) -> PotentialKernel:
    """A kernel conditioned on made-up values of rock salts."""
    anions = (8, 9, 16, 17, 34)
    each = [Sites.of(rock_salt(26, z, 4 + 0.2 * n), FIRST) for n, z in enumerate(anions)]
    rows = np.concatenate([one.overlap for one in each])
    count, rng = len(each), np.random.default_rng(0)
    kernel = PotentialKernel(
        number=np.full(count, 26),
        around=np.concatenate([one.around for one in each]),
        overlap=(rows - rows.mean(0)) / rows.std(0),
        zero=rows.mean(0),
        width=rows.std(0),
        mean=np.zeros(4),
        noise=rng.uniform(1, 2, size=(count, 4)),
        weight=np.zeros((count, 4)),
        spread=np.ones((4, 2)),
        formula=formulas,
    )
    values = rng.normal(size=(count, 4))
    return replace(kernel, weight=kernel.conditioned(values))


def test_a_formula_that_is_left_out_says_nothing():
    kernel = made(("A", "B", "B", "C", "D"))
    rest = np.array([0, 3, 4])
    values = np.random.default_rng(0)
    values.uniform(1, 2, size=(5, 4))
    few = replace(
        kernel,
        **{n: getattr(kernel, n)[rest] for n in ("number", "around", "overlap", "noise", "weight")},
        formula=("A", "C", "D"),
    )
    few = replace(few, weight=few.conditioned(values.normal(size=(5, 4))[rest]))
    wanted = Sites.of(rock_salt(26, 16, 5.0), FIRST)
    one, two = kernel(wanted, without=("B",)), few(wanted)
    for name in ("fermi", "muffin_tin", "level", "charge", "sigma"):
        np.testing.assert_allclose(getattr(one, name), getattr(two, name), rtol=1e-8)
    assert abs(one.fermi - kernel(wanted).fermi) > 1e-3


def test_errors_of_left_out_formulas_are_those_of_asking_without_them():
    kernel = made(("A", "B", "B", "C", "D"))
    values = np.random.default_rng(0)
    values.uniform(1, 2, size=(5, 4))
    known = values.normal(size=(5, 4))
    apart = kernel.left_out(known)
    wanted = Sites.of(rock_salt(26, 9, 4.2), FIRST)
    asked = kernel(wanted, without=("B",))
    assert apart[1, 0] == pytest.approx(known[1, 0] - asked.fermi[0])
    assert apart[1, 2] == pytest.approx(known[1, 2] - asked.level[0])


def test_it_survives_its_file(tmp_path, monkeypatch):
    kernel = made(("A", "B", "B", "C", "D"))
    save(kernel, tmp_path / "kernel.safetensors")
    monkeypatch.setattr("cgxas.physics.potentials._FILE", tmp_path / "kernel.safetensors")
    potential_kernel.cache_clear()
    try:
        found = potential_kernel()
    finally:
        monkeypatch.undo()
        potential_kernel.cache_clear()
    assert list(found.formula) == list(kernel.formula)
    np.testing.assert_allclose(found.weight, kernel.weight, rtol=1e-6)
    np.testing.assert_allclose(found.around, kernel.around, atol=2e-3)


def test_heavier_than_plutonium_is_refused():
    with pytest.raises(CrystalError, match="Am"):
        potentials(rock_salt(95, 8, 5.0), FIRST)
