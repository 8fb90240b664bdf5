import numpy as np
import pytest

from cgxas.spectra.io.read import read_spectrum
from cgxas.spectra.io.text.stated import stated_edge


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("# Element=Fe   Edge=K", ("Fe", "K")),
        ("# E0: 5487.0, Element: La, Edge: L3", ("La", "L3")),
        ("# Element.symbol: Pt", ("Pt", "")),
        ("# Element.edge: LIII", ("", "L3")),
        ("Absorber: cu", ("Cu", "")),
        ("; absorbing atom = Pb", ("Pb", "")),
        ("# Edge: Au L2", ("Au", "L2")),
        ("edge = 'La-L_3'", ("La", "L3")),
        ("# Element: Xx", ("", "")),
        ("# elements: Fe, O", ("", "")),
        ("# edge: 7112", ("", "")),
        ("# the absorber was thick, K edge", ("", "")),
        ("element: Fe " + 1000 * "x", ("", "")),
        ("edge" + 400 * " ", ("", "")),
    ],
)
def test_what_a_line_states(line, found):
    assert stated_edge([line]) == found


def test_lines_that_contradict_each_other_state_nothing():
    assert stated_edge(["Element: Fe", "Absorber: Cu", "Edge: K"]) == ("", "K")
    assert stated_edge(["Element: Fe", "Edge: Fe K"]) == ("Fe", "K")
    assert stated_edge([]) == ("", "")


@pytest.mark.parametrize(
    ("e0", "header", "edge"),
    [
        (5487.0, "Element=La   Edge=L3", ("La", "L3", "stated")),
        (5484.0, "Element=V   Edge=K", ("V", "K", "stated")),
        (11567.0, "Absorber: Pt", ("Pt", "L3", "stated")),
        (5487.0, "edge: K", ("V", "K", "guessed")),
    ],
)
def test_the_header_of_columns_goes_before_a_guess(tmp_path, scanned, e0, header, edge):
    pytest.importorskip("larch")
    path = tmp_path / "a.dat"
    np.savetxt(path, np.transpose(scanned(e0)), header=f"{header}\nenergy xmu")
    found = read_spectrum(path)
    assert (found.element, found.edge, found.edge_source) == edge
