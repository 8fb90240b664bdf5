import numpy as np
import pytest
from pymatgen.core import Lattice

from cgxas.crystals.io.cif.operations import IDENTITY, parsed, products
from cgxas.errors import UnreadableCrystal


def test_operations_as_people_write_them():
    texts = ["x,y,z", "-X+1/2, y, Z+.5", "0.3333+x-y,x,z-1/4", "x,y,z,+1"]
    found = parsed(texts, "a.cif")
    assert len(found) == 3
    np.testing.assert_array_equal(found.rotations[2], [[1, -1, 0], [1, 0, 0], [0, 0, 1]])
    np.testing.assert_allclose(found.translations, [[0] * 3, [0.5, 0, 0.5], [1 / 3, 0, 0.75]])


@pytest.mark.parametrize(
    "text", ["", "x,y", "x,y,z,u", "x,x,z", "x1,x2,x3", "x/0,y,z", "x,y,q", "2x,y,z", "x,y,z,2"]
)
def test_what_is_no_operation_is_refused(text):
    with pytest.raises(UnreadableCrystal, match="not a symmetry operation"):
        parsed([text], "a.cif")


def test_generators_make_their_group():
    fourfold = parsed(["-y,x,z", "-x,-y,-z"], "a.cif")
    assert len(fourfold.completed()) == 8
    assert len(parsed(["x+y,y,z"], "a.cif").completed() or ()) == 0


def test_centrings_go_with_each_operation():
    centrings = parsed(["x,y,z", "x+1/2,y+1/2,z+1/2"], "a.cif")
    assert len(products(centrings, parsed(["x,y,z", "-x,-y,-z"], "a.cif"))) == 4


def test_operations_fit_a_cell_or_not():
    threefold = parsed(["-y,x-y,z", "-x+y,-x,z"], "a.cif")
    assert threefold.fit(Lattice.hexagonal(3, 5))
    assert not threefold.fit(Lattice.rhombohedral(3, 60))
    assert IDENTITY.fit(Lattice.from_parameters(3, 4, 5, 70, 80, 100))


def test_a_moved_origin_keeps_the_identity_and_moves_centres():
    moved = parsed(["x,y,z", "-x,-y,-z"], "a.cif").moved(np.array([0.25, 0, 0]))
    np.testing.assert_allclose(moved.translations, [[0, 0, 0], [0.5, 0, 0]])
