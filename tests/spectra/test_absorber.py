"""Which edge a scan is of: asked for, stated, or guessed."""

import dataclasses

import numpy as np
import pytest

from cgxas.errors import UnclearSpectrum, UnknownElement, WrongEdge
from cgxas.spectra.absorber import plain_edge
from cgxas.spectra.io.read import read_spectrum
from cgxas.spectra.io.scan import Scan
from cgxas.spectra.measurement import Measurement
from cgxas.spectra.normalise import normalise
from cgxas.spectra.xray import tabulated_edge

pytest.importorskip("larch")

L_EDGES = [("La", "L3"), ("Ce", "L3"), ("Pr", "L3"), ("Pt", "L3"), ("Pb", "L3"), ("Au", "L2")]
K_EDGES_NEAR_L = [("V", 3.0), ("Ti", 6.0), ("Cr", 8.0), ("Fe", 11.0), ("Mn", 12.0)]


def scan(curve, **about) -> Scan:
    return Scan(*curve, **{"kind": "mu", "format": "columns", "source": "a.dat", **about})


def told(found: Measurement) -> tuple[str, str, str]:
    return found.element, found.edge, found.edge_source


@pytest.mark.parametrize(("element", "edge"), L_EDGES)
def test_an_l_edge_is_guessed_and_the_guess_told(scanned, element, edge):
    found = normalise(scan(scanned(tabulated_edge(element, edge) + 4.0)))
    assert told(found) == (element, edge, "guessed")
    assert "tabulated edge, " in found.edge_guess
    assert found.edge_step == pytest.approx(0.8, rel=0.05)


@pytest.mark.parametrize(("element", "shift"), K_EDGES_NEAR_L)
def test_a_k_edge_near_an_l_edge_is_guessed(scanned, element, shift):
    assert told(normalise(scan(scanned(tabulated_edge(element) + shift)))) == (
        element,
        "K",
        "guessed",
    )


@pytest.mark.parametrize(("element", "edge"), L_EDGES)
def test_a_stated_edge_is_taken_even_if_another_is_nearer(scanned, element, edge):
    curve = scanned(tabulated_edge(element, edge) + 12.0)
    found = normalise(scan(curve, element=element, edge=edge))
    assert told(found) == (element, edge, "stated")
    assert found.edge_guess == ""


def test_what_is_asked_for_goes_before_what_is_stated(scanned):
    stated = scan(scanned(5487.0), element="La", edge="L3")
    assert told(normalise(stated, "V")) == ("V", "K", "asked")
    assert told(normalise(stated, "V", "K")) == ("V", "K", "asked")
    assert told(normalise(stated, "La")) == ("La", "L3", "asked")
    with pytest.raises(WrongEdge, match="La K edge lies at 38925"):
        normalise(stated, edge="K")


@pytest.mark.parametrize(("element", "edge"), L_EDGES)
def test_an_element_is_enough_where_a_scan_holds_one_edge_of_it(scanned, element, edge):
    curve = scanned(tabulated_edge(element, edge) + 4.0, after=200.0)
    assert told(normalise(scan(curve), element)) == (element, edge, "asked")


def test_of_several_edges_of_an_element_the_steepest_is_guessed(scanned):
    """A long scan from La L3 to beyond La L1, with steps of all three."""
    energy, mu = scanned(5487.0, after=900.0)
    for edge, height in (("L2", 0.35), ("L1", 0.12)):
        mu = mu + height * (0.5 + np.arctan((energy - tabulated_edge("La", edge)) / 2) / np.pi)
    found = normalise(scan((energy, mu)), "La")
    assert told(found) == ("La", "L3", "guessed")
    # the post-edge of L3 ends before L2
    assert found.ranges is not None
    assert found.e0 + found.ranges.norm2 < tabulated_edge("La", "L2")
    assert found.edge_step == pytest.approx(0.8, rel=0.05)
    assert told(normalise(scan((energy, mu)))) == ("La", "L3", "guessed")
    second = normalise(scan((energy, mu)), "La", "L2")
    assert told(second) == ("La", "L2", "asked")
    assert any("of a lower edge" in each for each in second.done)
    assert second.half_step == pytest.approx(tabulated_edge("La", "L2"), abs=3.0)
    assert second.edge_step == pytest.approx(0.35, rel=0.1)


def test_an_edge_alone_narrows_the_guess(scanned):
    curve = scanned(5487.0)
    assert told(normalise(scan(curve), edge="K")) == ("V", "K", "guessed")
    assert told(normalise(scan(curve, edge="K"))) == ("V", "K", "guessed")
    assert told(normalise(scan(curve), edge="l3"))[:2] == ("La", "L3")


@pytest.mark.parametrize(
    ("stated", "edge"),
    [("LIII", "L3"), ("l_3", "L3"), ("L3-edge", "L3"), ("LII", "L2"), ("K edge", "K"), ("", "")],
)
def test_names_of_edges(stated, edge):
    assert plain_edge(stated) == edge


def test_what_is_no_edge_is_refused(scanned):
    with pytest.raises(UnclearSpectrum, match="one of K, L1, L2, L3, not 'M5'"):
        normalise(scan(scanned()), edge="M5")
    with pytest.raises(UnknownElement, match="He L3 is not an edge"):
        normalise(scan(scanned()), "He", "L3")
    with pytest.raises(UnclearSpectrum, match=r"8500\.\d eV, and no K or L1 .* --element"):
        normalise(scan(scanned(8500.0)))


def test_a_guess_that_was_written_is_read_as_a_guess(tmp_path, scanned):
    found = normalise(scan(scanned(5487.0)))
    for name in ("a.xdi", "a.json"):
        found.save(tmp_path / name)
        again = read_spectrum(tmp_path / name)
        assert told(again) == ("La", "L3", "guessed")
        assert again.edge_guess == found.edge_guess
        assert told(read_spectrum(tmp_path / name, edge="L3"))[2] == "asked"
    stated = dataclasses.replace(found, edge_source="stated", edge_guess="")
    stated.save(tmp_path / "b.xdi")
    assert told(read_spectrum(tmp_path / "b.xdi")) == ("La", "L3", "stated")
