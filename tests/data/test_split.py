import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from cgxas.data.folder import read_records
from cgxas.data.split import (
    PARTS,
    Split,
    find_split,
    read_split,
    split_by_formula,
    split_by_material,
    split_by_spectrum,
    split_records,
    write_split,
)
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


def test_by_material_keeps_crystals_together_but_not_formulas():
    formulas, elements = many()
    rng = np.random.default_rng(1)
    materials = [f"{formula}-{rng.integers(3)}" for formula in formulas]
    split = split_by_material(materials, elements)
    sets = [{materials[n] for n in part} for part in parts(split)]
    assert not sets[0] & sets[1]
    assert not sets[0] & sets[2]
    assert not sets[1] & sets[2]
    assert sorted(np.concatenate(parts(split))) == list(range(len(formulas)))
    assert {formulas[n] for n in split.train} & {formulas[n] for n in split.test}


def test_by_spectrum_does_not_change():
    """Written down: it reproduces the authors' split."""
    split = split_by_spectrum(20)
    assert split.train.tolist() == [9, 5, 3, 11, 7, 13, 19, 12, 1, 0, 2, 14]
    assert split.sha256 == "1f64f83847df03d77c8b0435d514e46a7c881277dd3278deebad0940b25329ea"


@pytest.fixture
def records(folder):
    return read_records([folder])


@pytest.mark.parametrize("by", ["formula", "material", "spectrum"])
def test_records_are_split_as_asked(shared, by):
    records = read_records([shared / "data" / "sim_feff10_references"])
    elements = [record.element for record in records.records]
    formulas = [record.material.formula for record in records.records]
    materials = [record.material.material_id for record in records.records]
    direct = {
        "formula": lambda: split_by_formula(formulas, elements, (0.5, 0.3), 7),
        "material": lambda: split_by_material(materials, elements, (0.5, 0.3), 7),
        "spectrum": lambda: split_by_spectrum(len(records), (0.5, 0.3), 7),
    }
    assert split_records(records, by, (0.5, 0.3), 7).sha256 == direct[by]().sha256


def test_unknown_way_to_split(records):
    with pytest.raises(ConfigError, match="a split is by formula, material, spectrum"):
        split_records(records, "colour")


@pytest.fixture
def saved(records, tmp_path) -> Path:
    """A split's file: b and c to train with, a to validate, the mean to test."""
    split = Split(np.array([2, 1]), np.array([0]), np.array([3]))
    write_split(tmp_path / "s.json", split, records, "spectrum", (0.6, 0.2), 64)
    return tmp_path / "s.json"


def test_saved_split_comes_back(saved, records):
    values = json.loads(saved.read_text())
    name = records.names[0]
    assert values["train"] == [f"{name}/c", f"{name}/b"]
    assert (values["format"], values["by"], values["seed"]) == (1, "spectrum", 64)
    assert values["fractions"] == [0.6, 0.2, 0.2]
    assert values["data"] == [name]
    assert values["data_sha256"] == records.sha256
    found = read_split(saved, records)
    assert [part.tolist() for part in parts(found)] == [[2, 1], [0], [3]]


def test_saved_split_finds_its_records_among_others(saved, folder, tmp_path_factory):
    other = shutil.copytree(folder, tmp_path_factory.mktemp("o") / "other")
    both = read_records([other, folder])
    assert [part.tolist() for part in parts(read_split(saved, both))] == [[6, 5], [4], [7]]
    keys = [record.key for record in both.records]
    assert find_split(saved, keys).sha256 == read_split(saved, both).sha256
    with pytest.raises(ConfigError, match=f"{folder.name}/c and 3 more spectra that the data lack"):
        read_split(saved, read_records([other]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text[:30], "not a readable split"),
        (lambda text: "[]", "not a readable split"),
        (lambda text: text.replace('"seed"', '"sead"'), "not a readable split"),
        (lambda text: text.replace('"format": 1', '"format": 9'), "of format 9"),
        (lambda text: text.replace('/b"', '/z"'), "not those its hash was made of"),
        (
            lambda text: text.replace('"train"', '"x"').replace('"test"', '"train"'),
            "not a readable",
        ),
    ],
)
def test_damaged_saved_split(saved, records, change, message):
    saved.write_text(change(saved.read_text()))
    with pytest.raises(ConfigError, match=message):
        read_split(saved, records)


def test_missing_saved_split(tmp_path, records):
    with pytest.raises(ConfigError, match="make one with cgxas dataset split"):
        read_split(tmp_path / "none.json", records)
