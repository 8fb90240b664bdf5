import numpy as np
import pytest

from cgxas.errors import BadMeasurement
from cgxas.spectra.ranges import default_ranges


def ranges(before: float, after: float, step: float = 0.5, rise: float = 7000.0):
    energy = np.arange(7000.0 - before, 7000.0 + after + step / 2, step)
    return default_ranges(energy, 7000.0, rise, "a")


def test_a_long_scan_is_fitted_as_usual():
    found = ranges(200.0, 800.0)
    assert (found.pre1, found.pre2, found.npre) == (-150.0, -30.0, 1)
    assert (found.norm1, found.norm2, found.nnorm) == (100.0, 500.0, 2)
    assert found.said == ()


@pytest.mark.parametrize(("after", "degree"), [(60.0, 0), (99.0, 0), (150.0, 1), (350.0, 2)])
def test_the_shorter_the_post_edge_the_stiffer_its_curve(after, degree):
    found = ranges(100.0, after)
    assert found.nnorm == degree
    assert 0.25 * after < found.norm1 <= 0.5 * after
    assert found.norm2 == after


@pytest.mark.parametrize(("before", "degree"), [(6.0, 0), (9.0, 0), (20.0, 0), (35.0, 1)])
def test_the_shorter_the_pre_edge_the_stiffer_its_line(before, degree):
    found = ranges(before, 200.0)
    assert found.npre == degree
    assert -before <= found.pre1 < found.pre2 <= -2.5
    assert "short pre-edge" in found.said[0]


def test_scans_without_pre_edge_or_post_edge_are_refused():
    with pytest.raises(BadMeasurement, match="a has no pre-edge: it begins at 6996"):
        ranges(4.0, 200.0)
    with pytest.raises(BadMeasurement, match="no pre-edge"):
        ranges(8.0, 200.0, step=4.0)
    with pytest.raises(BadMeasurement, match="a has no post-edge: it ends at 7015"):
        ranges(50.0, 15.0)


def test_the_pre_edge_ends_before_a_pre_edge_peak():
    assert ranges(30.0, 200.0, rise=6985.0).pre2 == pytest.approx(-15.0 - 0.4 * 15.0)
    assert ranges(200.0, 200.0, rise=6985.0).pre2 == -45.0
    with pytest.raises(BadMeasurement, match="no pre-edge"):
        ranges(17.0, 200.0, rise=6985.0)


@pytest.mark.parametrize("rise", [7003.0, 6970.0])
def test_a_rise_above_the_edge_or_far_below_it_is_no_pre_edge_peak(rise):
    assert ranges(60.0, 200.0, rise=rise) == ranges(60.0, 200.0)
