"""Valence and ligands of atoms."""

import numpy as np
import pytest

from cgxas.crystals.bonds import chemical_state, usual_bonds
from cgxas.crystals.canonical import Cell, canonical_cell
from cgxas.crystals.graph import crystal_graph
from cgxas.crystals.spec import GraphSpec
from cgxas.elements import atomic_number


def cell(lattice, *atoms) -> Cell:
    lattice = np.eye(3) * lattice if np.isscalar(lattice) else np.array(lattice, dtype=float)
    numbers = np.array([atomic_number(symbol) for symbol, *_ in atoms])
    return Cell(lattice, np.array([place for _, *place in atoms], dtype=float), numbers)


def state(of: Cell, symbol: str) -> tuple[float, float]:
    graph = crystal_graph(of, GraphSpec())
    valence, ligands = chemical_state(graph, usual_bonds())
    n = int(np.flatnonzero(graph.numbers == atomic_number(symbol))[0])
    return float(valence[n]), float(ligands[n])


NACL = np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
PEROVSKITE = (
    ("Ba", 0, 0, 0),
    ("Ti", 0.5, 0.5, 0.5),
    ("O", 0.5, 0.5, 0),
    ("O", 0.5, 0, 0.5),
    ("O", 0, 0.5, 0.5),
)


@pytest.mark.parametrize(
    ("a", "metal", "other", "charge"),
    [(4.21, "Mg", "O", 2), (4.44, "Mn", "O", 2), (5.69, "Ca", "S", 2), (4.33, "Fe", "O", 2)],
)
def test_rock_salts_have_their_formal_charges(a, metal, other, charge):
    crystal = cell(a * NACL, (metal, 0, 0, 0), (other, 0.5, 0.5, 0.5))
    assert state(crystal, metal)[0] == pytest.approx(charge, abs=0.35)
    assert state(crystal, other)[0] == pytest.approx(-charge, abs=0.35)


def test_a_metal_has_none_and_is_its_own_ligand():
    valence, ligands = state(cell(3.52 * NACL, ("Ni", 0, 0, 0)), "Ni")
    assert valence == 0
    assert ligands == pytest.approx(1.91)


def test_the_second_shell_does_not_count():
    valence, ligands = state(cell(4.0, *PEROVSKITE), "Ti")
    assert valence == pytest.approx(4, abs=0.5)
    assert ligands == pytest.approx(3.44, abs=0.01)


def test_sulfate_and_sulfide_lie_eight_apart():
    tetrahedron = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) * 1.47 / 3**0.5 / 12
    oxygens = [("O", *(0.5 + place)) for place in tetrahedron]
    sulfate = state(cell(12.0, ("S", 0.5, 0.5, 0.5), *oxygens), "S")[0]
    sulfide = state(cell(5.69 * NACL, ("Ca", 0, 0, 0), ("S", 0.5, 0.5, 0.5)), "S")[0]
    assert sulfate - sulfide == pytest.approx(8, abs=0.6)


def test_an_atom_alone_has_no_charge():
    assert state(cell(20.0, ("Fe", 0, 0, 0)), "Fe") == (0.0, pytest.approx(1.83))


def test_elements_without_tables_still_get_numbers():
    valence, ligands = chemical_state(
        crystal_graph(cell(3.0, ("Lr", 0, 0, 0), ("He", 0.5, 0.5, 0.5)), GraphSpec()),
        usual_bonds(),
    )
    assert np.isfinite(valence).all()
    assert np.isfinite(ligands).all()


def test_neither_cell_nor_turn_matters():
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    one = cell(4.0, *PEROVSKITE)
    other = Cell(one.lattice @ turn, one.frac + 0.3, one.numbers)
    double = Cell(
        one.lattice * [[2], [1], [1]],
        np.concatenate([one.frac / [2, 1, 1], one.frac / [2, 1, 1] + [0.5, 0, 0]]),
        np.tile(one.numbers, 2),
    )
    expected = state(one, "Ti")
    assert state(other, "Ti") == pytest.approx(expected, abs=1e-9)
    assert state(double, "Ti") == pytest.approx(expected, abs=1e-9)
    assert state(canonical_cell(double, GraphSpec().symprec).cell, "Ti") == pytest.approx(
        expected, abs=1e-6
    )
