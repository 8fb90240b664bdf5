from pathlib import Path

import pytest
from matplotlib.figure import Figure

from cgxas.errors import OutputError
from cgxas.figures import FIGURE_SUFFIXES, STYLE, write_figure
from cgxas.figures.style import COLOURS, typeset


def draw() -> Figure:
    figure = Figure(figsize=(2, 1))
    figure.add_subplot().set_title("title")
    return figure


@pytest.mark.parametrize("suffix", FIGURE_SUFFIXES)
def test_a_figure_or_its_axes_give_the_same_file(tmp_path: Path, suffix):
    write_figure(draw, tmp_path / f"a{suffix}")
    write_figure(lambda: draw().axes[0], tmp_path / f"b{suffix}")
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_resolution_decides_the_size(tmp_path: Path):
    for dpi in (100, 200):
        write_figure(draw, tmp_path / f"{dpi}.png", dpi)
    sizes = [(tmp_path / f"{dpi}.png").read_bytes()[16:24] for dpi in (100, 200)]
    assert sizes == [bytes([0, 0, 0, 200, 0, 0, 0, 100]), bytes([0, 0, 1, 144, 0, 0, 0, 200])]


def test_house_style_is_in_force_while_drawing_only(tmp_path: Path):
    from matplotlib import rcParams

    before = rcParams["font.size"]
    seen = []
    write_figure(lambda: seen.append(rcParams["font.size"]) or draw(), tmp_path / "a.png")
    assert seen == [STYLE["font.size"]]
    assert rcParams["font.size"] == before


def test_nothing_is_written_where_drawing_fails_or_the_type_is_unknown(tmp_path: Path):
    with pytest.raises(ZeroDivisionError):
        write_figure(lambda: 1 / 0, tmp_path / "a.png")
    with pytest.raises(OutputError, match=r"use \.png"):
        write_figure(draw, tmp_path / "a.jpg")
    assert list(tmp_path.iterdir()) == []


def test_numbers_of_formulas_are_subscripts():
    assert typeset("Fe2O3") == "Fe₂O₃"
    assert typeset("a$b") == r"a\$b"


def test_colours_differ():
    assert len(set(COLOURS)) == len(COLOURS) == 6
