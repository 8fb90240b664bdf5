import numpy as np

from cgxas.crystals.canonical import Cell
from cgxas.data.distinct import DistinctMaterials, crystal_key
from cgxas.data.record import Material


def test_crystals_are_compared_to_a_millionth():
    iron = Cell(2.87 * np.eye(3), np.array([[0.0, 0, 0], [0.5, 0.5, 0.5]]), np.array([26, 26]))
    near = Cell(iron.lattice + 1e-8, iron.frac - 1e-9, iron.numbers)
    far = Cell(iron.lattice + 1e-4, iron.frac, iron.numbers)
    other = Cell(iron.lattice, iron.frac, np.array([26, 27]))
    assert crystal_key(iron) == crystal_key(near)
    assert len({crystal_key(each) for each in (iron, far, other)}) == 3
    distinct = DistinctMaterials()
    kept = [distinct.kept(Material("a", "Fe", cell)) for cell in (iron, near, far, other)]
    assert [each.material_id for each in kept] == ["a", "a", "a_v2", "a_v3"]
    assert [each.material_id for each in distinct] == ["a", "a_v2", "a_v3"]


def test_a_negative_zero_is_a_zero():
    cell = Cell(2.87 * np.eye(3), np.array([[0.0, 0, 0]]), np.array([26]))
    assert crystal_key(cell) == crystal_key(Cell(cell.lattice, -cell.frac, cell.numbers))
