from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text

from cgxas.errors import OutputError
from cgxas.figures import (
    CalibrationOverlay,
    plot_calibration,
    plot_measured_among,
    plot_overlays,
    write_figure,
)
from cgxas.figures.calibration import free_places
from cgxas.figures.style import COLOURS

METHODS = ("uncalibrated", "gaussian", "rigid")


def errors(scale: float, deviation: float = 0.1) -> dict:
    return {
        part: {
            "rse": {"mean": scale * n, "deviation": scale * deviation},
            "half_step": {"mean": 10 * scale * n, "deviation": 20 * scale * n},
        }
        for n, part in enumerate(("train", "validation", "test"), start=1)
    }


def scores(*elements: str, methods=METHODS) -> dict:
    return {e: {m: errors(0.1 / (n + 1)) for n, m in enumerate(methods)} for e in elements}


def shown(figure) -> list:
    return [ax for ax in figure.axes if ax.axison]


def named(figure) -> dict:
    (legend,) = figure.legends
    return {
        text.get_text(): to_hex(patch.get_facecolor())
        for text, patch in zip(legend.get_texts(), legend.get_patches(), strict=True)
    }


def test_an_element_has_bars_of_each_method_and_part_for_both_errors():
    upper, lower = shown(plot_calibration(scores("S")))
    assert upper.get_title() == "S"
    assert upper.get_ylabel() == "RSE (square-root scale)"
    assert lower.get_ylabel() == "half-step error (eV)"
    labels = [text.get_text() for text in lower.get_xticklabels()]
    assert labels == ["training", "validation", "test"]
    heights = [bar.get_height() for bar in upper.patches]
    np.testing.assert_allclose(heights, np.outer(0.1 / np.arange(1, 4), [1, 2, 3]).ravel())
    assert [bar.get_height() for bar in lower.patches] == pytest.approx([10 * h for h in heights])


def test_bars_stand_side_by_side_around_their_part():
    upper, _ = shown(plot_calibration(scores("S")))
    edges = sorted((bar.get_x(), bar.get_x() + bar.get_width()) for bar in upper.patches)
    assert all(end < start for (_, end), (start, _) in pairwise(edges))
    centres = np.reshape([bar.get_x() + bar.get_width() / 2 for bar in upper.patches], (3, 3))
    np.testing.assert_allclose(centres.mean(axis=0), [0, 1, 2], atol=1e-12)


def test_whiskers_are_deviations_and_end_at_zero():
    upper, lower = shown(plot_calibration(scores("S", methods=("uncalibrated",))))
    (rse,) = upper.containers[1].lines[2]
    ends = np.array([segment[:, 1] for segment in rse.get_segments()])
    np.testing.assert_allclose(ends, [[0.09, 0.11], [0.19, 0.21], [0.29, 0.31]])
    (edge,) = lower.containers[1].lines[2]
    ends = np.array([segment[:, 1] for segment in edge.get_segments()])
    np.testing.assert_allclose(ends, [[0, 3], [0, 6], [0, 9]], atol=1e-12)
    assert lower.get_ylim()[1] > 9


def test_the_scale_of_rse_is_a_square_root_with_labels_in_full():
    upper, lower = shown(plot_calibration(scores("S")))
    place = upper.transData.transform([[0, 0.0], [0, 0.04], [0, 0.16]])[:, 1]
    assert place[2] - place[0] == pytest.approx(2 * (place[1] - place[0]))
    ticks = [text.get_text() for text in upper.get_yticklabels()]
    assert ticks == ["0", "0.005", "0.02", "0.05", "0.1", "0.2"]
    np.testing.assert_array_equal(upper.get_yticks(), [float(tick) for tick in ticks])
    assert upper.get_ylim()[0] == lower.get_ylim()[0] == 0


def test_the_uncalibrated_is_grey_and_a_method_has_one_look_everywhere():
    both = scores("S") | scores("Ti", methods=("uncalibrated", "rigid"))
    figure = plot_calibration(both)
    colours = named(figure)
    assert list(colours) == list(METHODS)
    grey = {colours["uncalibrated"][n : n + 2] for n in (1, 3, 5)}
    assert len(grey) == 1
    assert colours["rigid"] == COLOURS[1].lower()
    titanium = next(ax for ax in figure.axes if ax.get_title() == "Ti")
    assert len(titanium.patches) == 6
    assert {to_hex(bar.get_facecolor()) for bar in titanium.patches[3:]} == {colours["rigid"]}


def test_more_methods_than_colours_are_hatched():
    many = ("uncalibrated", *(f"method {n}" for n in range(9)))
    upper, _ = shown(plot_calibration(scores("S", methods=many)))
    looks = {(to_hex(bar.get_facecolor()), bar.get_hatch()) for bar in upper.patches}
    assert len(looks) == len(many)


@pytest.mark.parametrize(("count", "columns"), [(1, 1), (3, 3), (4, 4), (5, 3), (7, 4), (8, 4)])
def test_elements_stand_in_blocks_of_up_to_four(count, columns):
    elements = ["S", "Ti", "V", "Cr", "Mn", "Fe", "Cu", "Zn"][:count]
    figure = plot_calibration(scores(*elements))
    axes = shown(figure)
    assert len(axes) == 2 * count
    assert axes[0].get_gridspec().ncols == columns
    assert sorted(ax.get_title() for ax in axes if ax.get_title()) == sorted(elements)
    assert sum(ax.get_ylabel() != "" for ax in axes) == (2 if count <= 4 else 4)
    assert len(figure.legends) == 1


def test_a_single_repeat_perfect_answers_and_missing_edges_are_drawn(tmp_path):
    perfect = errors(0.0)
    perfect["test"]["half_step"] = {"mean": float("nan"), "deviation": float("nan")}
    figure = plot_calibration({"S": {"gaussian": perfect}})
    assert [ax.get_ylim() for ax in shown(figure)] == [(0, 1), (0, 1)]
    write_figure(lambda: figure, tmp_path / "a.png", dpi=30)
    assert (tmp_path / "a.png").stat().st_size > 1000


def test_no_element_is_refused():
    with pytest.raises(OutputError, match="run the calibration"):
        plot_calibration({})


def overlay(sigma: float | None = 0.05, **changed) -> CalibrationOverlay:
    energy = np.linspace(2465.0, 2520.0, 100)
    measured = 0.5 + np.arctan(energy - 2480) / np.pi
    calibrated = measured + 0.02
    measured[90:] = np.nan
    made = CalibrationOverlay(
        title="CaSO4 (anhydrite), S",
        energy=energy,
        measured=measured,
        uncalibrated=calibrated + 0.4,
        calibrated=calibrated,
        sigma=None if sigma is None else np.full(100, sigma),
        rse=0.0123,
        edge_error=-0.44,
    )
    return replace(made, **changed)


def test_a_panel_shows_three_curves_the_band_and_the_errors():
    (ax,) = plot_overlays([overlay()]).axes
    lines = {line.get_label(): line for line in ax.lines}
    assert list(lines) == ["measured", "uncalibrated", "calibrated"]
    for name, line in lines.items():
        np.testing.assert_array_equal(line.get_ydata(), getattr(overlay(), name))
    assert (lines["measured"].get_color(), lines["uncalibrated"].get_linestyle()) == ("black", "--")
    (band,) = ax.collections
    height = band.get_paths()[0].get_extents()
    assert height.ymin == pytest.approx(overlay().calibrated.min() - 0.05)
    assert height.ymax == pytest.approx(overlay().calibrated.max() + 0.05)
    assert ax.get_title() == "CaSO₄ (anhydrite), S"
    assert ax.texts[0].get_text() == "RSE 0.012\nΔ half step −0.4 eV"
    assert ax.get_xlim() == (2465.0, 2520.0)


def entries(figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_the_band_is_named_where_one_is_drawn():
    without = plot_overlays([overlay(None)])
    assert not without.axes[0].collections
    assert entries(without) == ["measured", "uncalibrated", "calibrated"]
    assert entries(plot_overlays([overlay(None), overlay()])) == [*entries(without), "± 1 σ"]


def test_a_wide_band_does_not_flatten_the_curves():
    (ax,) = plot_overlays([overlay(5.0)]).axes
    low, high = ax.get_ylim()
    assert -0.2 < low < 0
    assert 1.3 < high < 1.7


@pytest.mark.parametrize(
    ("rse", "error", "text"),
    [(0.0100001, -0.02, "0.010|+0.0"), (0.45, 1.96, "0.45|+2.0"), (12.0, 3.0, "12|+3.0")],
)
def test_errors_have_two_digits_and_no_minus_zero(rse, error, text):
    (ax,) = plot_overlays([overlay(rse=rse, edge_error=error)]).axes
    number, moved = text.split("|")
    assert ax.texts[0].get_text() == f"RSE {number}\nΔ half step {moved} eV"


def test_up_to_24_panels_with_labels_once():
    figure = plot_overlays([overlay()] * 24)
    assert len(figure.axes) == 24
    assert (figure.get_supxlabel(), figure.get_supylabel()) == (
        "Energy (eV)",
        "μ(E), normalised",
    )
    assert not any(ax.get_xlabel() or ax.get_ylabel() for ax in figure.axes)
    with pytest.raises(OutputError, match="1 to 24 spectra, not 25"):
        plot_overlays([overlay()] * 25)
    with pytest.raises(OutputError, match="not 0"):
        plot_overlays([])


def scattered(n: int) -> np.ndarray:
    return 100 * np.random.default_rng(3).random((n, 2))


def test_stars_are_measured_and_dots_simulated():
    places, kinds = scattered(60), np.resize(["O", "O", "S"], 56)
    measured = np.isin(np.arange(60), [5, 20, 40, 59])
    ax = plot_measured_among(places, kinds, measured, ["CaSO4", "pyrite", "", "MgS"])
    (stars,) = ax.lines
    np.testing.assert_array_equal(stars.get_xydata(), places[measured])
    assert stars.get_marker() == "*"
    dots = np.concatenate([each.get_offsets() for each in ax.collections])
    assert {tuple(dot) for dot in dots} == {tuple(place) for place in places[~measured]}
    assert [text.get_text() for text in ax.texts] == ["CaSO₄", "pyrite", "MgS"]
    np.testing.assert_array_equal([text.xy for text in ax.texts], places[[5, 20, 59]])
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend == ["measured (4)", "O (38)", "S (18)"]


def test_names_hide_neither_each_other_nor_stars():
    places, measured = scattered(300), np.arange(300) < 16
    places[:8] = 20 + 0.06 * places[:8]
    ax = plot_measured_among(places, np.full(284, "O"), measured, [f"sample{n}" for n in range(16)])
    figure = ax.figure
    figure.draw_without_rendering()
    extents = [Text.get_window_extent(text).extents for text in ax.texts]  # without their lines
    boxes = np.array(extents) * 72 / figure.dpi
    low, high = boxes[:, :2], boxes[:, 2:]
    overlap = np.minimum(high[:, None], high) - np.maximum(low[:, None], low)
    assert np.triu(overlap.min(axis=2), 1).max() < 2, "points"
    stars = ax.transData.transform(places[measured]) * 72 / figure.dpi
    inside = ((stars[:, None] > low) & (stars[:, None] < high)).all(axis=2)
    assert not inside.any()


def test_a_map_without_measured_samples_and_of_the_callers_axes():
    ax, kinds = Figure().add_subplot(), np.full(20, "O")
    assert plot_measured_among(scattered(20), kinds, np.zeros(20, bool), [], ax) is ax
    assert not ax.texts


def test_a_box_stays_near_its_point_and_in_the_room():
    points = np.array([[5.0, 50.0], [50.0, 50.0], [195.0, 98.0]])
    boxes = np.full((3, 2), (40.0, 10.0))
    shifts = free_places(points, boxes, np.array([200.0, 100.0]))
    centres = points + shifts
    assert (centres - boxes / 2 >= -1e-9).all()
    assert (centres + boxes / 2 <= [200 + 1e-9, 100 + 1e-9]).all()
    assert (np.abs(shifts) <= boxes / 2 + 7 + 1e-9).all()
    assert (np.abs(shifts) > 5).any(axis=1).all()
