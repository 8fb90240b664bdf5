"""How far answers can be trusted: seen, near, far, and why."""

import numpy as np
import pytest
import torch
from pymatgen.core import Lattice, Structure

from cgxas.crystals.canonical import Cell
from cgxas.elements import SYMBOLS
from cgxas.model.trust.reference import Judgement, KeptBack, Reference
from cgxas.physics.fingerprint import Fingerprints, fingerprints, joined

METALS = {"Mg": 4.21, "Mn": 4.44, "Fe": 4.33, "Co": 4.26, "Ni": 4.18, "Ca": 4.81}
STRAINS = (0.985, 1.0, 1.015)


def prints(structure: Structure, symbol: str) -> Fingerprints:
    """The fingerprint of one site of an element, or of two if it has two."""
    numbers = np.array([site.specie.Z for site in structure])
    cell = Cell(np.array(structure.lattice.matrix), np.array(structure.frac_coords), numbers)
    return fingerprints(cell, np.flatnonzero(numbers == SYMBOLS.index(symbol) + 1)[:1])


def salt(metal: str = "Fe", a: float = 4.33, other: str = "O") -> Structure:
    places = [[0, 0, 0], [0.5, 0.5, 0.5]]
    return Structure.from_spacegroup("Fm-3m", Lattice.cubic(a), [metal, other], places)


def learnt() -> tuple[Fingerprints, list[str]]:
    """Oxygen and metal of six oxides, each in three sizes."""
    sites, names = [], []
    for metal, a in METALS.items():
        for strain in STRAINS:
            for symbol in ("O", metal):
                sites.append(prints(salt(metal, a * strain), symbol))
                names.append(salt(metal).composition.reduced_formula)
    return joined(sites), names


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference.learnt_from(*learnt())


def judged(reference: Reference, structure: Structure, symbol: str) -> Judgement:
    name = structure.composition.reduced_formula
    return reference.judge(prints(structure, symbol), np.ones(1), name)


def test_what_was_learnt_from_is_seen(reference):
    for metal, a in METALS.items():
        trust = judged(reference, salt(metal, a), "O").trust
        assert (trust.word, trust.nearest, trust.reason) == ("seen", f"{metal}O", "")
        assert trust.distance < 0.02
        assert trust.expected_rse is None


def test_the_same_formula_in_another_structure_is_not_seen(reference):
    places = [[0, 0, 0], [0.25, 0.25, 0.25]]
    blende = Structure.from_spacegroup("F-43m", Lattice.cubic(4.7), ["Fe", "O"], places)
    trust = judged(reference, blende, "O").trust
    assert trust.word != "seen"
    assert trust.distance > 0.3


def test_a_mixture_of_what_was_learnt_from_is_near(reference):
    mixed = salt("Fe", 4.30)
    mixed[0] = "Co"
    trust = judged(reference, mixed, "O").trust
    assert trust.word == "near"
    assert trust.nearest in {"FeO", "CoO"}
    assert 0 < trust.distance < 1


@pytest.mark.parametrize(
    ("metal", "a", "symbol", "reason"),
    [
        ("Ba", 5.52, "O", "never met Ba bonded to O"),
        ("Ba", 5.52, "Ba", "nothing of Ba was met"),
        ("Fe", 4.33 * 0.86, "O", "bonds shorter than usual"),
        ("Fe", 4.33 * 1.14, "O", "bonds longer than usual"),
        ("Fe", 40.0, "O", "no other atom near"),
    ],
)
def test_what_was_never_met_is_far(reference, metal, a, symbol, reason):
    trust = judged(reference, salt(metal, a), symbol).trust
    assert trust.word == "far"
    assert trust.distance > 1
    assert trust.reason == reason


def test_a_coordination_never_met_is_far(reference):
    chain = Structure(Lattice.tetragonal(9.0, 4.0), ["Fe", "O"], [[0, 0, 0], [0, 0, 0.5]])
    found = judged(reference, chain, "O")
    assert found.trust.word == "far"
    (near, _) = reference._newness(prints(chain, "O"), np.ones(1), "FeO")
    assert near.coordination > 1


def test_the_sites_of_a_compound_count_by_their_share(reference):
    both = joined([prints(salt(), "O"), prints(salt("Fe", 4.33 * 1.14), "O")])
    little = reference.judge(both, np.array([0.99, 0.01]), "Fe8O8").trust
    much = reference.judge(both, np.array([0.2, 0.8]), "Fe8O8").trust
    assert little.distance < much.distance
    assert (little.word, much.word) == ("near", "far")


@pytest.fixture(scope="module")
def measured(reference) -> Reference:
    """The same, where only oxides of iron, nickel and magnesium were measured at the O edge."""
    sites, names = learnt()
    kept = [n for n, name in enumerate(names) if name in {"FeO", "NiO", "MgO"}]
    only = np.array([n for n in kept if sites.element[n] == 8])
    return reference.with_measured(sites.take(only), [names[n] for n in only])


def test_a_calibrated_answer_is_judged_by_what_was_measured(measured):
    assert judged(measured, salt(), "O").trust.word == "seen"
    trust = judged(measured, salt("Ca", 4.81), "O").trust
    assert (trust.word, trust.reason) == ("far", "never measured Ca bonded to O")
    trust = judged(measured, salt(), "Fe").trust
    assert (trust.word, trust.nearest, trust.reason) == ("far", "", "nothing of Fe was measured")
    assert measured.measured.compounds("O") == ("FeO", "MgO", "NiO")
    assert measured.measured.absorbers == ("O",)


def test_what_is_far_from_all_simulations_is_far_although_near_to_a_measurement(measured):
    trust = judged(measured, salt("Fe", 4.33 * 0.86), "O").trust
    assert (trust.word, trust.reason) == ("far", "bonds shorter than usual")


def kept(reference: Reference, two: bool = False) -> KeptBack:
    """Curves whose errors grow with the distance from what was met."""
    draw = np.random.default_rng(0)
    n, relative = 400, np.linspace(0.0, 55.0, 56)
    new = np.stack([draw.uniform(0.05, 1.0, n), np.zeros(n), draw.uniform(0, 0.5, n)], axis=1)
    true = 1 - np.exp(-relative / 3) + 0.0 * new[:, :1]
    size = 0.05 * new[:, :1] * np.exp(0.3 * draw.standard_normal((n, 1)))
    predicted = true + size * draw.standard_normal((n, 56))
    other = (size[:, 0] ** 2) * np.exp(0.2 * draw.standard_normal(n)) if two else None
    return KeptBack(relative, true, predicted, np.full(n, 8), new, other)


def test_errors_and_bands_are_told_after_they_were_learnt(reference):
    known = reference.with_errors(kept(reference))
    near, far = judged(known, salt(), "O"), judged(known, salt("Ba", 5.52), "O")
    assert 0 < near.trust.expected_rse < far.trust.expected_rse
    relative = np.linspace(-30.0, 80.0, 111)
    curve = np.clip(1 - np.exp(-relative / 3), 0, None)
    bands = [known.sigma(relative, curve, "O", each) for each in (near, far)]
    assert (bands[1] > bands[0]).all()
    assert (bands[0] > 0).all()
    assert bands[0][0] < 0.05 * bands[0].max()  # far below the edge nothing is unsure
    assert reference.sigma(relative, curve, "O", near) is None


def test_errors_that_need_two_predictors_are_not_told_of_one(reference):
    known = reference.with_errors(kept(reference, two=True))
    site = prints(salt("Fe", 4.30), "O"), np.ones(1), "FeO"
    assert known.judge(*site).trust.expected_rse is None
    few, many = (known.judge(*site, disagreement=each).trust.expected_rse for each in (1e-4, 1e-2))
    assert few < many


def test_it_goes_through_a_file(reference, measured):
    known = reference.with_errors(kept(reference))
    for each in (reference, measured, known):
        tensors = {name: tensor.clone() for name, tensor in each.tensors.items()}
        again = Reference.restore(tensors, each.values)
        for structure in (salt(), salt("Ba", 5.52), salt("Ca", 4.81), salt("Fe", 4.0)):
            assert judged(again, structure, "O").trust == judged(each, structure, "O").trust


@pytest.mark.parametrize(
    "change",
    [
        lambda t, v: t.pop("axes.mean"),
        lambda t, v: t.update({"axes.mean": torch.zeros(3)}),
        lambda t, v: t.update({"lengths.weight": torch.zeros(3)}),
        lambda t, v: t.update({"simulated.border": torch.zeros(3)}),
        lambda t, v: t.update({"other.mean": torch.zeros(3)}),
        lambda t, v: v["simulated"].pop("names"),
        lambda t, v: v["simulated"].update(names=["FeO"]),
        lambda t, v: v["simulated"].update(verb="dreamt"),
        lambda t, v: v.update(other={}),
    ],
)
def test_what_does_not_fit_together_is_refused(reference, change):
    tensors, values = dict(reference.tensors), {n: dict(v) for n, v in reference.values.items()}
    change(tensors, values)
    with pytest.raises((KeyError, TypeError, ValueError)):
        Reference.restore(tensors, values)
