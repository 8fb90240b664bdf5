import numpy as np
import pytest

from cgxas.figures.measured import plot_comparison, plot_measurement
from cgxas.spectra.compare import Curves
from cgxas.spectra.io.scan import Scan
from cgxas.spectra.normalise import normalise


def test_a_measurement_is_drawn_raw_with_its_lines_and_normalised(scanned):
    pytest.importorskip("larch")
    found = normalise(Scan(*scanned(), "mu", "columns", "a.dat", "Fe2O3"), "Fe")
    raw, normal = plot_measurement(found).axes
    labels = [line.get_label() for line in raw.lines]
    assert labels[:3] == ["as measured", "pre-edge", "post-edge"]
    np.testing.assert_array_equal(raw.lines[0].get_ydata(), found.mu)
    np.testing.assert_array_equal(normal.lines[0].get_ydata(), found.norm)
    assert normal.get_xlim() == pytest.approx((found.e0 - 30, found.e0 + 80))
    assert normal.get_ylabel() == "μ(E), normalised"
    assert len(raw.patches) == 2
    assert raw.get_title() == "Fe2O3, Fe K edge"


def test_a_measurement_is_drawn_flattened_only_if_it_can_be(scanned):
    pytest.importorskip("larch")
    found = normalise(Scan(*scanned(), "mu", "columns", "a.dat"), "Fe")
    _, normal = plot_measurement(found, flatten=True).axes
    np.testing.assert_array_equal(normal.lines[0].get_ydata(), found.flat)
    assert normal.get_ylabel() == "μ(E), flattened"
    as_given = normalise(Scan(found.energy, found.norm, "normalised", "columns", "a.dat"), "Fe")
    _, normal = plot_measurement(as_given, flatten=True).axes
    np.testing.assert_array_equal(normal.lines[0].get_ydata(), found.norm)
    assert normal.get_ylabel() == "μ(E), normalised"


def test_a_comparison_shows_both_curves_and_their_difference():
    energy = np.linspace(7100.0, 7155.0, 100)
    mu = 0.5 + np.arctan(energy - 7115.0) / np.pi
    curves = Curves(energy, mu, energy + 2.0, mu, 7117.0)
    after = curves.best()
    figure = plot_comparison(curves.overlay(), after, "scan12.cif / $a$")
    upper, lower = figure.axes
    assert upper.get_title() == r"scan12.cif / \$a\$"
    labels = [line.get_label() for line in upper.lines]
    assert labels[:2] == ["measured", "predicted, as it is"]
    assert labels[2].startswith("predicted, +2.0")
    np.testing.assert_allclose(lower.lines[2].get_ydata(), after.predicted - after.measured)
