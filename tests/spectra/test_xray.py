import pytest

from cgxas.elements import ABSORBERS
from cgxas.errors import UnknownElement, WrongEdge
from cgxas.spectra.xray import WINDOWS, check_edge, core_hole_width, guess_edge, tabulated_edge

pytest.importorskip("xraydb")


def test_the_table_agrees_with_the_windows_of_the_absorbers():
    far = {s: tabulated_edge(s) - WINDOWS[s, "K"].e_min for s in ABSORBERS}
    assert min(far.values()) > -45.0
    assert max(far.values()) < 40.0


def test_core_hole_widths_grow_with_the_element():
    assert core_hole_width("S") < core_hole_width("Fe") < core_hole_width("Mo")
    assert core_hole_width("Fe") == pytest.approx(1.25, abs=0.1)


@pytest.mark.parametrize("element", ["S", "Ti", "Fe", "Zn", "Sr", "Mo", "Sn"])
@pytest.mark.parametrize("shift", [-8.0, 0.0, 10.0])
def test_a_k_edge_is_recognised_although_shifted(element, shift):
    assert guess_edge(tabulated_edge(element) + shift) == (element, "K")


def test_an_l_edge_is_recognised_where_no_k_edge_is_near():
    assert guess_edge(tabulated_edge("Pt", "L3") + 1.0) == ("Pt", "L3")


@pytest.mark.parametrize("wanted", [("Xx", "K"), ("Fe", "Q"), ("", "K")])
def test_what_is_not_in_the_table_is_refused(wanted):
    with pytest.raises(UnknownElement, match="not an edge"):
        tabulated_edge(*wanted)


def test_the_edge_of_another_element_is_refused():
    check_edge(7125.0, "Fe", "K", "a.dat")
    with pytest.raises(WrongEdge, match=r"a\.dat .*8980.0 eV.*Fe K edge .*7112.*Cu K"):
        check_edge(8980.0, "Fe", "K", "a.dat")
