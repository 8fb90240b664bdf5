from pathlib import Path

import numpy as np
import pytest

from cgxas.evaluation.tested import TestedSpectra
from cgxas.report.groups import grouped, in_order, run_names
from cgxas.training.folder import RunFolder, open_run


@pytest.fixture
def runs(finished_run):
    """Opens runs laid down with these arguments."""
    return lambda *each: [open_run(finished_run(*words)) for words in each]


def test_runs_of_single_elements_answer_together(runs):
    opened = runs(
        ("fe", "element", "Fe"), ("uni",), ("ni", "element", "Ni"), ("ft-fe", "finetune", "Fe")
    )
    groups = grouped(opened)
    assert [group.label for group in groups] == ["Uni", "Spec", "FT"]
    assert [run.name for run in groups[1].runs] == ["fe", "ni"]
    assert list(groups[0].elements) == ["O", "Mg", "Fe", "Ni"]
    assert list(groups[1].elements) == ["Fe", "Ni"]
    assert groups[1].overall.n == 6


def test_splits_are_kept_apart(runs):
    opened = runs(("b", "universal", None, "spectrum"), ("a",), ("c", "element", "Fe", "spectrum"))
    groups = grouped(opened)
    assert [(g.split_by, g.label) for g in groups] == [
        ("formula", "Uni"),
        ("spectrum", "Uni"),
        ("spectrum", "Spec"),
    ]


def test_several_answers_to_one_element_make_several_groups(runs):
    opened = runs(
        ("one",), ("two",), ("a", "element", "Fe"), ("b", "element", "Ni"), ("c", "element", "Fe")
    )
    assert [group.label for group in grouped(opened)] == ["Uni one", "Uni two", "Spec 1", "Spec c"]


def test_scores_are_those_of_the_spectra(runs):
    (group,) = grouped(runs(("uni", "universal", None, "formula", 0.01)))
    tested = group.tested
    fe = tested.element == "Fe"
    scores = group.elements["Fe"]
    assert scores.n == fe.sum() == 3
    assert scores.rse == pytest.approx(tested.rse[fe].mean())
    assert scores.rse_median == pytest.approx(np.median(tested.rse[fe]))
    assert scores.rse_90 == pytest.approx(np.quantile(tested.rse[fe], 0.9))
    assert scores.pcc == pytest.approx(1 - scores.rse)
    assert group.overall.rse == pytest.approx(tested.rse.mean())
    assert np.isnan(tested.half_step_error).sum() == 1
    assert group.elements["O"].half_step_error == group.overall.half_step_error == 0.5


def test_runs_without_test_spectra_are_left_out(runs, monkeypatch):
    opened = runs(("uni",), ("fe", "element", "Fe"))
    tested = opened[0].tested()
    nothing = TestedSpectra(**{name: column[:0] for name, column in vars(tested).items()})
    monkeypatch.setattr(RunFolder, "tested", lambda run: nothing if run.element else tested)
    assert [group.label for group in grouped(opened)] == ["Uni"]


def test_order_is_by_kind_and_atomic_number(runs):
    opened = runs(
        ("ft", "finetune", "O"), ("ni", "element", "Ni"), ("o", "element", "O"), ("u",), ("a",)
    )
    assert [run.name for run in in_order(opened)] == ["u", "a", "o", "ni", "ft"]


def test_names_are_told_apart(runs):
    from dataclasses import replace

    one, two = runs(("one",), ("two",))
    assert run_names([one, two]) == ["one", "two"]
    assert run_names([one, replace(two, name="one")]) == ["one", "two"]
    twins = [replace(one, path=Path("a/x")), replace(one, path=Path("b/x"))]
    assert run_names(twins) == ["a/x", "b/x"]
