import pytest

from cgxas.crystals.io.cif.agreement import Findings, written
from cgxas.errors import InvalidCell


def test_counts_as_a_formula():
    assert written({"Fe": 4, "O": 6.0, "Mg": 1.0, "H": 0.25}) == "Fe4 O6 Mg H0.25"


def test_refusals_weigh_more_than_doubts():
    refused = Findings(refusals=[InvalidCell("x")])
    doubted = Findings(doubts=["a", "b"])
    assert min((refused, doubted, Findings()), key=lambda each: each.rank).rank == (0, 0)
    assert doubted.rank < refused.rank


@pytest.mark.parametrize("count", [1.0, 1.0004])
def test_one_is_not_written(count):
    assert written({"O": count}) == "O"
