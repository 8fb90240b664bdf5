"""Compounds are divided so that nothing that is tested was seen before."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from cgxas.calibration.repeats import draw_repeats
from cgxas.data.split import PARTS
from cgxas.errors import ConfigError, DatasetError

# 16 formulas, one of them with two polymorphs; two of them were measured at sulphur, too.
IRON = [*(f"FeX{n}" for n in range(14)), "FeS2", "FeS2", "FeS"]
SULPHUR = ["FeS2", "FeS", "ZnS", "S8", "BaSO4", "CuS", "MgS", "CaS"]
ZINC = ["ZnO", "ZnS", "ZnSe"]
WAYS = ("formula", "spectrum", "leave-one-out")


def made(**groups: Sequence[str]) -> Any:
    """What a division looks at: elements, and formulas as groups of compounds."""
    pairs = [(element, group) for element, each in groups.items() for group in each]
    return SimpleNamespace(
        element=np.array([element for element, _ in pairs]),
        group=np.array([group for _, group in pairs]),
        name=np.array([f"{group}-{n}" for n, (_, group) in enumerate(pairs)]),
    )


@pytest.fixture
def compounds() -> Any:
    return made(Fe=IRON, S=SULPHUR, Zn=ZINC)


def divided(repeat) -> list[tuple[int, ...]]:
    return [tuple(getattr(repeat, part).tolist()) for part in (*PARTS, "support")]


@pytest.mark.parametrize("by", ["formula", "spectrum"])
def test_parts_are_disjoint_and_complete(compounds, by):
    for repeat in draw_repeats(compounds, "Fe", by, 8):
        numbers = np.concatenate([getattr(repeat, part) for part in PARTS])
        assert sorted(numbers.tolist()) == np.flatnonzero(compounds.element == "Fe").tolist()
        assert all(len(getattr(repeat, part)) for part in PARTS)


def test_no_formula_stands_on_two_sides(compounds):
    for repeat in draw_repeats(compounds, "Fe", "formula", 20):
        train, validation, test = (set(compounds.group[getattr(repeat, p)]) for p in PARTS)
        assert not train & test
        assert not train & validation
        assert not validation & test


def test_single_spectra_may_stand_on_two_sides(compounds):
    polymorphs = set(np.flatnonzero((compounds.group == "FeS2") & (compounds.element == "Fe")))
    inside = [
        len(polymorphs & set(repeat.test.tolist()))
        for repeat in draw_repeats(compounds, "Fe", "spectrum", 20)
    ]
    assert 1 in inside, "two spectra of a formula always went together"


@pytest.mark.parametrize("by", WAYS)
def test_support_holds_neither_what_is_held_nor_the_element_itself(compounds, by):
    everything = []
    for repeat in draw_repeats(compounds, "Fe", by, 20):
        held = set(compounds.group[repeat.test])
        if by != "leave-one-out":
            held |= set(compounds.group[repeat.validation])
        assert set(compounds.element[repeat.support]) == {"S", "Zn"}
        expected = [g for g in SULPHUR + ZINC if g not in held]
        assert compounds.group[repeat.support].tolist() == expected
        everything.append(len(expected))
    assert min(everything) < len(SULPHUR + ZINC), "no shared formula was ever held back"
    assert max(everything) == len(SULPHUR + ZINC)


def test_leaving_one_out_learns_from_all_others(compounds):
    for repeat in draw_repeats(compounds, "Fe", "leave-one-out"):
        numbers = np.concatenate([repeat.train, repeat.test])
        assert sorted(numbers.tolist()) == np.flatnonzero(compounds.element == "Fe").tolist()
        assert not set(compounds.group[repeat.test]) & set(compounds.group[repeat.train])
        assert set(repeat.validation.tolist()) < set(repeat.train.tolist())


def test_leaving_one_out_tests_each_formula_once(compounds):
    repeats = list(draw_repeats(compounds, "Fe", "leave-one-out", 3))
    assert [repeat.number for repeat in repeats] == list(range(16))
    tested = np.concatenate([repeat.test for repeat in repeats])
    assert sorted(tested.tolist()) == list(range(17))
    assert all(len(set(compounds.group[repeat.test])) == 1 for repeat in repeats)


@pytest.mark.parametrize(("size", "expected"), [(5, (3, 1, 1)), (16, (12, 2, 2)), (45, (33, 6, 6))])
def test_parts_are_about_six_to_one_to_one(size, expected):
    compounds = made(Fe=[f"Fe{n}" for n in range(size)])
    for repeat in draw_repeats(compounds, "Fe", "formula", 3):
        assert tuple(len(getattr(repeat, part)) for part in PARTS) == expected


@pytest.mark.parametrize("by", WAYS)
def test_a_seed_gives_the_same_again(compounds, by):
    one, two = ([divided(r) for r in draw_repeats(compounds, "Fe", by, 6)] for _ in range(2))
    assert one == two
    other = [divided(r) for r in draw_repeats(compounds, "Fe", by, 6, seed=65)]
    assert other != one


def test_repeats_differ_and_more_of_them_begin_alike(compounds):
    few, many = ([divided(r) for r in draw_repeats(compounds, "Fe", count=n)] for n in (3, 12))
    assert many[:3] == few
    assert len({str(each) for each in many}) == 12


def test_too_few_formulas_are_refused():
    four = made(Fe=["A", "B", "C", "D", "D", "D"])
    for by in ("formula", "leave-one-out"):
        with pytest.raises(DatasetError, match=r"Fe has measured spectra of 4 compounds; .* 5"):
            next(draw_repeats(four, "Fe", by))
    assert len(next(draw_repeats(four, "Fe", "spectrum")).train) == 4


def test_an_unknown_way_is_refused(compounds):
    with pytest.raises(ConfigError, match="formula, spectrum, leave-one-out, not 'size'"):
        next(draw_repeats(compounds, "Fe", "size"))  # type: ignore[arg-type]


def test_a_repeat_of_some_compounds_alone(compounds):
    repeat = next(draw_repeats(compounds, "Fe"))
    known = {*repeat.train.tolist()[::2], int(repeat.test[0]), 999}
    few = repeat.only(known)
    assert few.train.tolist() == repeat.train.tolist()[::2]
    assert few.test.tolist() == [repeat.test[0]]
    assert few.validation.tolist() == []
    assert few.validation.dtype == few.train.dtype == np.int64
    assert divided(few)[3] == divided(repeat)[3]
