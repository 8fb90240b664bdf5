import pytest

from cgxas.crystals.io.cif.blocks import blocks_of
from cgxas.errors import UnreadableCrystal

TEXT = """#\\#CIF_1.1
data_one
_cell_length_a 'a b' # a comment
_CELL_length_B
;first
second
;
_atom_site.label "O1'"
loop_ _atom_site_x _atom_site_y 1 2 '3' ? # no more
_refln_index_h 1
save_frame _cell_length_c 5 save_
data_two
_symmetry_x y
_cell_length_a 1 _cell_length_a 2
"""


def test_items_loops_and_blocks():
    one, two = blocks_of(TEXT, "a.cif")
    assert (one.name, two.name) == ("one", "two")
    assert one.first("_cell_length_a") == "a b"
    assert one.first("_cell_length_b") == "first second"
    assert one.first("_atom_site_label") == "O1'"
    assert one.column("a.cif", "_atom_site_y") == ["2", "?"]
    assert one.first("_cell_length_c") is None
    assert one.column("a.cif", "_atom_site_z") is None
    assert two.repeated == ["_cell_length_a"]


def test_a_loop_with_values_missing_is_refused_when_it_is_asked_for():
    (block,) = blocks_of("loop_ _atom_site_x _atom_site_y 1 2 3", "a.cif")
    with pytest.raises(UnreadableCrystal, match=r"a\.cif: the loop of _atom_site_x has 2 columns"):
        block.column("a.cif", "_atom_site_x")


@pytest.mark.parametrize(
    "text",
    [
        "data_a\n" * 1_001,
        "'a' " * 500_001,
        "_cell_a " * 10_001,
        "\n".join(f"_cell_{n} 1" for n in range(10_001)),
        "\n1" * 5_000_001,
    ],
)
def test_floods_are_refused(text):
    with pytest.raises(UnreadableCrystal, match=r"a\.cif .* more than"):
        blocks_of(text, "a.cif")
