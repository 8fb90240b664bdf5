import numpy as np
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from cgxas.elements import ABSORBERS
from cgxas.figures import plot_absorbers, plot_neighbours
from cgxas.figures.maps import spread


def clusters(symbols: list[str], n: int = 20) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(5)
    centres = 100 * random.random((len(symbols), 2))
    places = np.repeat(centres, n, axis=0) + random.standard_normal((n * len(symbols), 2))
    return np.repeat(symbols, n), places


def texts(ax) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_every_absorber_has_a_name_and_a_colour_of_its_own():
    elements, places = clusters(list(ABSORBERS))
    ax = plot_absorbers(elements, places)
    assert [text.get_text() for text in ax.texts] == list(ABSORBERS)
    (dots,) = ax.collections
    assert len(dots.get_offsets()) == len(elements)
    assert len({to_hex(colour) for colour in dots.get_facecolors()}) == 48


def test_names_do_not_overlap():
    ax = plot_absorbers(*clusters(list(ABSORBERS)))
    figure = ax.figure
    figure.canvas.draw()
    boxes = np.array([text.get_window_extent().extents for text in ax.texts]) * 72 / figure.dpi
    low, high = boxes[:, :2], boxes[:, 2:]
    overlap = np.minimum(high[:, None], high) - np.maximum(low[:, None], low)
    shared = np.triu(overlap.min(axis=2), 1)
    assert shared.max() < 3, "points"


def test_a_name_stands_on_the_thickest_part_of_its_sites():
    random = np.random.default_rng(0)
    thick, thin = random.standard_normal((30, 2)), 50 + 20 * random.standard_normal((20, 2))
    ax = plot_absorbers(np.full(50, "Fe"), np.concatenate([thick, thin]))
    assert np.linalg.norm(ax.texts[0].xy) < 2


def test_names_of_few_sites_stand_above_them():
    elements, places = clusters(["Fe"], n=3)
    ax = plot_absorbers(elements, places)
    assert ax.texts[0].get_position()[1] > 5
    ax = plot_absorbers(*clusters(["Fe"], n=30))
    np.testing.assert_allclose(ax.texts[0].get_position(), 0, atol=0.1)


def test_legend_names_families_that_are_there():
    ax = plot_absorbers(*clusters(["Fe", "O", "Ti", "Gd"]))
    assert texts(ax) == ["3d metals\nTi Fe", "group 16\nO", "others\nGd"]


def test_common_neighbours_are_named_and_the_rest_is_grey():
    symbols = list(ABSORBERS[:15])
    neighbours = np.concatenate([np.repeat(s, 30 - n) for n, s in enumerate(symbols)])
    neighbours = np.append(neighbours, "")
    places = np.random.default_rng(0).random((len(neighbours), 2))
    ax = plot_neighbours(neighbours, places)
    entries = texts(ax)
    assert entries[:2] == ["Li (30)", "Be (29)"]
    assert len(entries) == 13
    assert entries[-1] == f"other ({18 + 17 + 16 + 1})"
    grey, named = ax.collections
    assert len(grey.get_offsets()) == 52
    assert len({to_hex(colour) for colour in named.get_facecolors()}) == 12
    assert len(named.get_offsets()) == len(neighbours) - 52


def test_without_rare_neighbours_nothing_is_grey():
    neighbours, places = clusters(["Fe", "Ti"])
    assert texts(plot_neighbours(neighbours, places)) == ["Fe (20)", "Ti (20)"]


def test_maps_draw_into_the_callers_axes():
    ax = Figure().add_subplot()
    elements, places = clusters(["Fe", "O"])
    assert plot_absorbers(elements, places, ax) is ax
    assert plot_neighbours(elements, places, ax) is ax


def test_spread_parts_boxes_and_leaves_others_alone():
    centres = np.array([[0.0, 0.0], [1.0, 0.5], [100.0, 0.0]])
    boxes = np.array([[10.0, 4.0], [10.0, 4.0], [10.0, 4.0]])
    moved = spread(centres, boxes)
    apart = np.abs(moved[0] - moved[1])
    assert (apart >= [10 - 1e-6, 4 - 1e-6]).any()
    np.testing.assert_allclose(moved[2], centres[2], atol=0.01)
    np.testing.assert_allclose(moved[:2].mean(axis=0), centres[:2].mean(axis=0), atol=0.5)
