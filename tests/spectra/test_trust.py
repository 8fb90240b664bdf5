"""The value that tells how far an answer can be trusted."""

import math

import pytest

from cgxas.errors import SpectrumError
from cgxas.spectra.trust import Trust

FAR = Trust("far", "CaSO4", 1.9, 0.25, "never met Ba beside S")


def test_it_is_told_in_a_few_words():
    assert FAR.text == "far from CaSO4 (1.90)"
    assert Trust("near", "FeO", 0.417, 0.01).text == "near FeO (0.42)"
    assert Trust("seen", "FeO").text == "seen, FeO"
    assert (
        Trust("far", reason="nothing of Tc was measured").text == "far: nothing of Tc was measured"
    )
    assert Trust("far").text == "far"


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"word": "sure"}, "one of seen, near, far, not 'sure'"),
        ({"word": "near", "distance": -0.1}, "The distance of a trust is a number from 0"),
        ({"word": "near", "distance": math.inf}, "The distance of a trust is a number from 0"),
        ({"word": "near", "expected_rse": math.nan}, "The expected RSE of a trust is a number"),
        ({"word": "near", "expected_rse": True}, "The expected RSE of a trust is a number"),
        ({"word": "near", "nearest": None}, "nearest of a trust is a text"),
    ],
)
def test_what_is_no_trust_is_refused(values, told):
    with pytest.raises(SpectrumError, match=told):
        Trust(**values)


@pytest.mark.parametrize("trust", [FAR, Trust("seen", "FeO"), Trust("near", "FeO", 0.5)])
def test_facts_are_undone_from_numbers_and_from_texts(trust):
    assert Trust.of_facts(trust.facts) == trust
    texts = {name: "" if value is None else str(value) for name, value in trust.facts.items()}
    assert Trust.of_facts({**texts, "model": "m1"}) == trust


def test_facts_without_a_trust_tell_none():
    assert Trust.of_facts({"model": "m1", "trust_nearest": "FeO"}) is None


@pytest.mark.parametrize("wrong", [{"trust_distance": "far"}, {"trust_distance": [1]}])
def test_facts_that_are_no_trust_are_refused(wrong):
    with pytest.raises(SpectrumError, match="a trust in the answer that is none"):
        Trust.of_facts({"trust": "near", **wrong})


def test_the_worst_of_several_has_the_largest_error():
    near = Trust("near", "FeO", 0.9, 0.5)
    farther = Trust("far", "SrSO4", 2.5, 0.1, "never met Pb beside S")
    assert Trust.worst([near, FAR, farther]) == Trust(
        "far", "SrSO4", 2.5, 0.5, "never met Pb beside S"
    )
    assert Trust.worst([Trust("seen", "FeO"), Trust("near", "FeO", 0.2)]).word == "near"
    assert Trust.worst([near]) == near
    assert Trust.worst([]) is None
