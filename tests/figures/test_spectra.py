from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from cgxas.errors import OutputError
from cgxas.figures import FIGURE_SUFFIXES, plot_spectrum, save_figure
from cgxas.spectra.spectrum import SiteSpectrum, Spectrum
from cgxas.spectra.trust import Trust


def many_sites(n: int) -> Spectrum:
    energy = np.linspace(33169.0, 33224.0, 100)
    mu = 0.5 + np.arctan(energy - 33185.0) / np.pi
    sites = tuple(SiteSpectrum((2 * site, 2 * site + 1), mu, energy) for site in range(n))
    return Spectrum(energy, mu, "I", sites=sites, formula="Cs2(AgI4)0.5")


def legend(ax) -> list[str]:
    return [] if ax.get_legend() is None else [t.get_text() for t in ax.get_legend().get_texts()]


def test_mean_is_thick_and_sites_are_thin_and_named(spectrum):
    ax = plot_spectrum(spectrum)
    curves = {line.get_label(): line for line in ax.lines if not line.get_label().startswith("_")}
    assert list(curves) == ["Fe site 4 (×4)", "Fe site 9 (×1)", "mean"]
    np.testing.assert_array_equal(curves["mean"].get_ydata(), spectrum.norm)
    np.testing.assert_array_equal(curves["Fe site 9 (×1)"].get_ydata(), spectrum.sites[1].norm)
    assert curves["mean"].get_linewidth() > curves["Fe site 4 (×4)"].get_linewidth()
    assert legend(ax) == ["mean", "Fe site 4 (×4)", "Fe site 9 (×1)"]


def test_legend_colours_are_those_of_the_curves(spectrum):
    ax = plot_spectrum(spectrum)
    drawn = {line.get_label(): to_rgba(line.get_color()) for line in ax.lines}
    for text, line in zip(legend(ax), ax.get_legend().get_lines(), strict=True):
        assert to_rgba(line.get_color()) == drawn[text]


def test_edge_is_marked_and_axes_are_named(spectrum):
    ax = plot_spectrum(spectrum)
    assert any(set(line.get_xdata()) == {spectrum.e0} for line in ax.lines)
    assert [text.get_text() for text in ax.texts] == [f"E₀ {spectrum.e0:.1f}", spectrum.model]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("Energy (eV)", "μ(E), normalised")
    assert ax.get_title() == "Fe₂O₃, Fe K edge"
    assert ax.get_xlim() == (7100.0, 7155.0)


def test_title_has_fractions_and_brackets_as_subscripts():
    assert plot_spectrum(many_sites(1)).get_title() == "Cs₂(AgI₄)$_{0.5}$, I K edge"


def test_single_site_or_no_sites_wanted_need_no_legend(spectrum):
    assert legend(plot_spectrum(many_sites(1))) == []
    assert legend(plot_spectrum(spectrum, sites=False)) == []


def test_long_legend_counts_the_rest():
    ax = plot_spectrum(many_sites(40))
    entries = legend(ax)
    assert len(entries) == 8
    assert (entries[0], entries[1], entries[-2]) == ("mean", "I site 0 (×2)", "I site 78 (×2)")
    assert entries[-1] == "and 34 more sites"
    assert len(legend(plot_spectrum(many_sites(7)))) == 8


def test_small_panel_has_a_shorter_legend():
    ax = Figure(figsize=(4, 2)).add_subplot()
    assert plot_spectrum(many_sites(40), ax) is ax
    assert len(legend(ax)) == 4


def with_band(spectrum: Spectrum) -> Spectrum:
    return replace(spectrum, sigma=np.linspace(0.0, 0.2, spectrum.energy.size))


def test_a_calibrated_mean_has_a_band_of_one_sigma_behind_it():
    calibrated = with_band(many_sites(1))
    ax = plot_spectrum(calibrated)
    (band,) = ax.collections
    assert band.get_zorder() < min(line.get_zorder() for line in ax.lines)
    corners = {tuple(corner) for corner in band.get_paths()[0].vertices.round(9)}
    for sign in (-1, 1):
        edge = calibrated.norm + sign * calibrated.sigma
        assert set(zip(calibrated.energy.round(9), edge.round(9), strict=True)) <= corners
    assert legend(ax) == []
    assert not plot_spectrum(many_sites(1)).collections


def test_a_band_is_named_where_there_is_a_legend(spectrum):
    names = ["mean", "± 1 σ", "Fe site 4 (×4)", "Fe site 9 (×1)"]
    assert legend(plot_spectrum(with_band(spectrum))) == names
    entries = legend(plot_spectrum(with_band(many_sites(40))))
    assert len(entries) == 8
    assert entries[-1] == "and 35 more sites"
    small = Figure(figsize=(4, 2)).add_subplot()
    plot_spectrum(with_band(many_sites(40)), small)
    assert legend(small)[2:] == ["I site 0 (×2)", "I site 78 (×2)", "and 38 more sites"]


@pytest.mark.parametrize(
    ("trust", "line"),
    [
        (Trust("near", "FeO", 0.42), "m1: near FeO (0.42)"),
        (Trust("far", "CaSO4", 1.9), "m1: far from CaSO₄ (1.90)"),
        (Trust("far", reason="nothing of Tc was measured"), "m1: far: nothing of Tc was measured"),
    ],
)
def test_model_and_trust_stand_in_a_line_below_the_title(spectrum, trust, line):
    ax = plot_spectrum(replace(spectrum, trust=trust))
    (told,) = [text for text in ax.texts if text.get_text() == line]
    ax.figure.draw_without_rendering()
    title, below = ax.title.get_window_extent(), told.get_window_extent()
    assert title.y0 > below.y1 > below.y0 > ax.get_window_extent().y1
    assert below.x1 - below.x0 < ax.figure.bbox.width
    far = to_rgba(told.get_color()) != to_rgba("0.3")
    assert far == (trust.word == "far")


def test_energies_are_written_in_full():
    ax = plot_spectrum(many_sites(1))
    ax.figure.draw_without_rendering()
    assert ax.xaxis.get_offset_text().get_text() == ""
    assert "33180" in [label.get_text() for label in ax.get_xticklabels()]


def test_spectrum_without_edge_is_drawn_without_mark():
    ax = plot_spectrum(Spectrum(np.arange(40.0), np.zeros(40), "Fe"))
    assert len(ax.lines) == 1
    assert not ax.texts


MAGIC = {".png": b"\x89PNG", ".pdf": b"%PDF", ".svg": b"<?xml"}


@pytest.mark.parametrize("suffix", FIGURE_SUFFIXES)
def test_every_file_type_is_written(spectrum, tmp_path: Path, suffix):
    save_figure([spectrum, many_sites(3), spectrum], tmp_path / f"a{suffix}")
    assert (tmp_path / f"a{suffix}").read_bytes().startswith(MAGIC[suffix])
    assert len(list(tmp_path.iterdir())) == 1


def test_each_spectrum_has_a_panel(spectrum, tmp_path: Path):
    save_figure([spectrum] * 2 + [many_sites(1)], tmp_path / "a.svg")
    text = (tmp_path / "a.svg").read_text()
    assert [f'id="axes_{n}"' in text for n in (1, 2, 3, 4)] == [True, True, True, False]


def test_same_spectrum_gives_the_same_file(spectrum, tmp_path: Path):
    for name in ("a.svg", "b.svg"):
        save_figure(spectrum, tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_too_many_or_no_panels_are_refused(spectrum, tmp_path: Path):
    with pytest.raises(OutputError, match="1 to 24 spectra, not 25"):
        save_figure([spectrum] * 25, tmp_path / "a.png")
    with pytest.raises(OutputError, match="not 0"):
        save_figure([], tmp_path / "a.png")
    with pytest.raises(OutputError, match=r"use \.png"):
        save_figure(spectrum, tmp_path / "a.gif")
    assert list(tmp_path.iterdir()) == []
