import pytest

from cgxas.crystals.io.cif.blocks import blocks_of
from cgxas.crystals.io.cif.settings import settings_of
from cgxas.crystals.io.cif.stated import stated_in


def settings(cell: str, group: str) -> tuple[list[str], bool]:
    tags = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
    lines = [f"_cell_{tag} {value}" for tag, value in zip(tags, cell.split(), strict=True)]
    (block,) = blocks_of("\n".join(["data_a", *lines, group]), "a.cif")
    found, is_sure = settings_of(stated_in(block, "a.cif"))
    return [each.name for each in found], is_sure


CUBE, BRICK, HEXAGON = "5 5 5 90 90 90", "5 6 7 90 90 90", "5 5 7 90 90 120"


@pytest.mark.parametrize(
    ("cell", "symbol", "first"),
    [
        (CUBE, "F m -3 m", "F m -3 m"),
        (CUBE, "Fm3m", "F m -3 m"),
        (CUBE, "F d -3 m S", "F d -3 m :1"),
        (CUBE, "Fd-3m (origin choice 2)", "F d -3 m :2"),
        (CUBE, "P a 3", "P a -3"),
        (BRICK, "C m c a", "C m c e"),
        (BRICK, "B m a b", "B m e b :a-cb"),
        (BRICK, "P 21/n 21/m 21/a", "P n m a"),
        (BRICK, "Pbnm", "P b n m :cab"),
        ("5 6 7 90 99 90", "P2(1)/c", "P 1 21/c 1 :b1"),
        ("5 6 7 90 99 90", "P 1 21/n 1", "P 1 21/n 1 :b2"),
        ("5 6 7 90 99 90", "I 2/a", "I 1 2/a 1 :b3"),
        ("5 6 7 90 90 99", "P 1 1 2/m", "P 1 1 2/m :c"),
        (HEXAGON, "P 6_3/m m c", "P 63/m m c"),
        (HEXAGON, "R-3m", "R -3 m :H"),
        ("5 5 5 60 60 60", "R-3m", "R -3 m :R"),
    ],
)
def test_symbols_in_all_spellings(cell, symbol, first):
    names, is_sure = settings(cell, f"_symmetry_space_group_name_H-M '{symbol}'")
    assert is_sure
    assert names[0] == first


def test_two_origins_are_a_choice():
    names, is_sure = settings(CUBE, "_space_group_IT_number 227")
    assert not is_sure
    assert names == ["F d -3 m :2", "F d -3 m :1"]


def test_hall_symbols_say_it_all():
    assert settings(CUBE, "_space_group_name_Hall '-F 4vw 2vw 3'") == (["F d -3 m :2"], True)


def test_settings_of_other_cells_are_none():
    assert settings(BRICK, "_space_group_IT_number 227") == ([], False)
