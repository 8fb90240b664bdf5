import pytest

from cgxas.elements import ABSORBERS
from cgxas.errors import UnknownElement, WrongEdge
from cgxas.spectra.edge import half_step
from cgxas.spectra.xray import (
    WINDOWS,
    check_edge,
    core_hole_width,
    edges_within,
    guess_edge,
    neighbours,
    tabulated_edge,
)

pytest.importorskip("xraydb")


def test_the_table_agrees_with_the_windows_of_the_absorbers():
    far = {s: tabulated_edge(s) - WINDOWS[s, "K"].e_min for s in ABSORBERS}
    assert min(far.values()) > -45.0
    assert max(far.values()) < 40.0


def test_core_hole_widths_grow_with_the_element():
    assert core_hole_width("S") < core_hole_width("Fe") < core_hole_width("Mo")
    assert core_hole_width("Fe") == pytest.approx(1.25, abs=0.1)


def guessed(half_step: float) -> tuple[str, str]:
    found = guess_edge(half_step)
    assert found is not None
    return found.element, found.edge


@pytest.mark.parametrize("element", ["S", "Ti", "V", "Cr", "Fe", "Zn", "Sr", "Mo", "Sn"])
@pytest.mark.parametrize("shift", [0.0, 5.0, 10.0])
def test_a_k_edge_is_recognised_although_shifted(element, shift):
    assert guessed(tabulated_edge(element) + shift) == (element, "K")


@pytest.mark.parametrize("shift", [-3.0, 0.0, 4.5])
@pytest.mark.parametrize(
    "edge",
    [
        *((e, "L3") for e in ("La", "Ce", "Pr", "Nd", "Eu", "Gd", "Yb", "Hf", "W", "Pt", "Au")),
        *((e, "L3") for e in ("Hg", "Pb", "Th", "U", "Ba", "Cs", "Ag", "Cd")),
        *((e, "L2") for e in ("La", "Ce", "W", "Pt", "Au")),
        *((e, "L1") for e in ("La", "Au", "Pb")),
    ],
)
def test_an_l_edge_is_recognised_where_it_is_the_nearest(edge, shift):
    assert guessed(tabulated_edge(*edge) + shift) == edge


@pytest.mark.parametrize(
    ("half_step", "edge", "other"),
    [
        (5486.2, "La L3", "V K is 21.2 eV away"),
        (5968.5, "Pr L3", "Cr K is 20.5 eV away"),
        (7122.0, "Fe K", "Nd L1 is 4.0 eV away"),  # a ferric oxide
        (6551.0, "Mn K", "Ce L1 is 3.0 eV away"),
        (11566.0, "Pt L3", "W L2 is 22.0 eV away"),
    ],
)
def test_what_else_an_edge_could_be_is_told(half_step, edge, other):
    found = guess_edge(half_step)
    assert found is not None
    assert f"{found.element} {found.edge}" == edge
    assert other in found.words
    nearest = abs(found.distance) < min(abs(each[2]) for each in found.others)
    assert found.words.startswith("nearest" if nearest else "likeliest")


def test_a_guess_can_be_bound_to_edges_or_an_element():
    assert guess_edge(5486.2, ("K",)).element == "V"
    assert guess_edge(7126.0, element="Nd").edge == "L1"
    assert guess_edge(5486.2, element="Fe") is None
    assert guess_edge(8500.0) is None


def test_edges_that_a_scan_may_hold():
    assert edges_within("Pt", 11400, 12500) == ["L3"]
    assert edges_within("La", 5400, 6500) == ["L1", "L2", "L3"]
    assert edges_within("Fe", 5400, 6500) == []


def test_the_neighbours_of_an_edge():
    assert neighbours("La", "L2") == (tabulated_edge("La", "L3"), tabulated_edge("La", "L1"))
    assert neighbours("La", "K") == (tabulated_edge("La", "L1"), float("inf"))
    assert neighbours("La", "L3")[0] == float("-inf")


def test_most_measured_k_edges_are_guessed_right(measured_spectra):
    """The figures that the docstring of `guess_edge` tells."""
    names, half_steps = measured_spectra
    found = [guessed(each) for each in half_steps]
    right = sum(each == (name, "K") for each, name in zip(found, names, strict=True))
    assert (right, len(names)) == (432, 437)
    energies = {(e, edge): tabulated_edge(e, edge) for e, edge in _all_edges()}
    plain = [min(energies, key=lambda k: abs(energies[k] - each)) for each in half_steps]
    assert sum(each == (name, "K") for each, name in zip(plain, names, strict=True)) == 342


def _all_edges():
    import xraydb

    for number in range(1, 99):
        symbol = xraydb.atomic_symbol(number)
        yield from ((symbol, e) for e in xraydb.xray_edges(symbol) if e in ("K", "L1", "L2", "L3"))


@pytest.fixture(scope="module")
def measured_spectra(shared):
    """Elements and half steps of measured K edges."""
    table = pytest.importorskip("pyarrow.parquet")
    path = shared / "data" / "exp" / "spectra.parquet"
    if not path.is_file():
        pytest.skip(f"no {path}")
    rows = table.read_table(path, columns=["element", "energy", "mu"]).to_pylist()
    return [r["element"] for r in rows], [half_step(r["energy"], r["mu"]) for r in rows]


@pytest.mark.parametrize("wanted", [("Xx", "K"), ("Fe", "Q"), ("", "K")])
def test_what_is_not_in_the_table_is_refused(wanted):
    with pytest.raises(UnknownElement, match="not an edge"):
        tabulated_edge(*wanted)


def test_the_edge_of_another_element_is_refused():
    check_edge(7125.0, "Fe", "K", "a.dat")
    with pytest.raises(WrongEdge, match=r"a\.dat .*8980.0 eV.*Fe K edge .*7112.*Cu K"):
        check_edge(8980.0, "Fe", "K", "a.dat")
