import numpy as np
import pytest

from cgxas.data.sources.crystal import cell_and_formula, structure_of
from cgxas.data.sources.item import Unusable


def test_both_ways_of_writing_a_crystal_give_the_same(rutile):
    plain = {
        "lattice": rutile.lattice.matrix.ravel().tolist(),
        "species": [each.specie.symbol for each in rutile],
        "frac_coords": rutile.frac_coords.ravel().tolist(),
    }
    (ours, formula), (theirs, _) = (
        cell_and_formula(structure_of(each)) for each in (plain, rutile.as_dict())
    )
    assert formula == "TiO2"
    np.testing.assert_allclose(ours.lattice, theirs.lattice)
    np.testing.assert_allclose(ours.frac, theirs.frac)
    assert ours.numbers.tolist() == theirs.numbers.tolist()


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "structure is missing"),
        ([1, 2], "structure is missing"),
        ({}, "crystal is not readable"),
        ({"sites": "none"}, "crystal is not readable"),
        ({"lattice": [1] * 9, "species": ["?"], "frac_coords": [0, 0, 0]}, "is not readable"),
    ],
)
def test_what_is_no_crystal_has_a_reason(value, reason):
    with pytest.raises(Unusable, match=reason):
        structure_of(value)


def test_unusable_crystals_have_a_reason(rutile):
    shared, flat = rutile.copy(), rutile.copy()
    shared[0] = {"Ti": 0.5, "Zr": 0.5}
    flat.lattice = [[4.5, 0, 0], [4.5, 0, 0], [0, 0, 3]]
    for structure, reason in ((shared, "disordered"), (flat, "no volume")):
        with pytest.raises(Unusable, match=reason):
            cell_and_formula(structure)
