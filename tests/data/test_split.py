import numpy as np
import pytest

from cgxas.data.split import PARTS, split_by_formula, split_by_spectrum
from cgxas.errors import ConfigError


def many() -> tuple[list[str], list[str]]:
    """200 formulas of some spectra each; Fe in all, Co in 40, Sc in 10."""
    rng = np.random.default_rng(0)
    formulas, elements = [], []
    for n in range(200):
        absorbers = ["Fe", *(["Co"] if n < 40 else []), *(["Sc"] if 35 <= n < 45 else [])]
        for element in absorbers:
            for _ in range(rng.integers(1, 5)):
                formulas.append(f"X{n}")
                elements.append(element)
    order = rng.permutation(len(formulas))
    return [formulas[n] for n in order], [elements[n] for n in order]


def parts(split) -> list[np.ndarray]:
    return [getattr(split, part) for part in PARTS]


def test_no_formula_stands_in_two_parts():
    formulas, elements = many()
    sets = [{formulas[n] for n in part} for part in parts(split_by_formula(formulas, elements))]
    assert not sets[0] & sets[1]
    assert not sets[0] & sets[2]
    assert not sets[1] & sets[2]


def test_every_record_stands_in_one_part():
    formulas, elements = many()
    together = np.concatenate(parts(split_by_formula(formulas, elements)))
    assert sorted(together) == list(range(len(formulas)))


def test_every_absorber_stands_in_every_part():
    formulas, elements = many()
    for seed in range(10):
        for part in parts(split_by_formula(formulas, elements, seed=seed)):
            assert {elements[n] for n in part} == {"Fe", "Co", "Sc"}


def test_shares_are_those_wanted():
    formulas, elements = many()
    split = split_by_formula(formulas, elements, (0.7, 0.1))
    shares = [len({formulas[n] for n in part}) / 200 for part in parts(split)]
    assert shares == pytest.approx([0.7, 0.1, 0.2], abs=0.01)


def test_seed_and_hash():
    formulas, elements = many()
    first = split_by_formula(formulas, elements)
    assert split_by_formula(formulas, elements).sha256 == first.sha256
    assert split_by_formula(formulas, elements, seed=65).sha256 != first.sha256
    # Written down: a split must not change with a new version of anything.
    written = split_by_formula(list("ABCDEFGHIJ"), ["Fe"] * 10)
    assert (written.train.tolist(), written.test.tolist()) == ([2, 4, 5, 6, 8, 9], [1, 3])


def test_formulas_are_placed_whatever_the_order_of_records():
    formulas, elements = many()
    train = {formulas[n] for n in split_by_formula(formulas, elements).train}
    again = split_by_formula(formulas[::-1], elements[::-1]).train
    assert {formulas[::-1][n] for n in again} == train


@pytest.mark.parametrize("fractions", [(0.0, 0.2), (0.6, 0.0), (0.8, 0.2), (-0.1, 0.5), (0.9, 0.3)])
def test_impossible_fractions(fractions):
    with pytest.raises(ConfigError, match="must be positive and leave a rest"):
        split_by_formula(["A"], ["Fe"], fractions)
    with pytest.raises(ConfigError, match="must be positive and leave a rest"):
        split_by_spectrum(10, fractions)


def test_by_spectrum_gives_disjoint_parts_of_the_wanted_size():
    split = split_by_spectrum(100, (0.7, 0.1))
    assert [len(part) for part in parts(split)] == [70, 10, 20]
    assert len(set(np.concatenate(parts(split)))) == 100
