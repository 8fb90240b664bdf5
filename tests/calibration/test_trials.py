"""Errors of single compounds, their means, and the file that keeps them."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from cgxas.calibration.calibrators import Answers
from cgxas.calibration.repeats import Repeat
from cgxas.calibration.trials import (
    FIGURES,
    Summary,
    Trial,
    append_trial,
    by_method,
    read_trials,
    score,
)
from cgxas.errors import ConfigError
from cgxas.spectra.metrics import coverage, negative_log_likelihood
from cgxas.spectra.spectrum import EnergyGrid

GRID = EnergyGrid(7110.0, 7165.0, 100)
NAMES = np.array(["other", "a", "b", "c", "d"])


def curve(half_step: float) -> np.ndarray:
    return 0.5 + np.arctan((GRID.energies - half_step) / 0.8) / np.pi


@pytest.fixture
def compounds() -> Any:
    """Four iron compounds behind one of another element; d was measured to 7140 eV only."""
    half_step = np.array([7120.0, 7125.0, 7126.0, 7127.0, 7128.0])
    target = np.array([curve(each) for each in half_step])
    target[4, GRID.energies > 7140] = np.nan
    return SimpleNamespace(name=NAMES, grids={"Fe": GRID}, target=target, half_step=half_step)


@pytest.fixture
def repeat() -> Repeat:
    train, validation, test, none = (np.array(n, int) for n in ([1, 2], [3], [4], []))
    return Repeat("Fe", 7, train, validation, test, none)


@pytest.fixture
def trial() -> Trial:
    return Trial(
        method="rigid",
        element="Fe",
        repeat=0,
        parts={"train": ["a", "b"], "validation": ["c"], "test": ["d", "e"]},
        rse={"a": 0.01, "b": 0.03, "c": 0.5, "d": 0.1, "e": 0.3},
        half_step={"a": 1.0, "b": -3.0, "c": 0.0, "d": -0.5, "e": 0.5},
        within_1={},
        within_2={},
        nll={},
        half_step_within_1={},
        half_step_within_2={},
        half_step_nll={},
        curves={"d": [0.0, 1.25], "e": [0.125, 1.0]},
        sigma={},
    )


def plain(norm: np.ndarray) -> Answers:
    return Answers(norm, sigma=None, edge_sigma=None)


def test_points_that_were_not_measured_do_not_count(compounds, repeat):
    spectra = np.nan_to_num(compounds.target[1:], nan=55.0)
    found = score(compounds, repeat, "m", plain(spectra))
    assert found.rse["d"] == 0
    known = np.isfinite(compounds.target[4])
    found = score(compounds, repeat, "m", plain(spectra + 0.1))
    expected = 0.01 * known.sum() / np.sum(compounds.target[4][known] ** 2)
    assert found.rse["d"] == pytest.approx(expected)
    assert found.rse["d"] != pytest.approx(found.rse["a"], rel=0.01)


def test_edge_errors_have_a_sign(compounds, repeat):
    moved = np.array([curve(each) for each in (7127.0, 7124.5, 7127.0, 7128.0)])
    found = score(compounds, repeat, "m", plain(moved))
    assert found.half_step == pytest.approx({"a": 2.0, "b": -1.5, "c": 0.0, "d": 0.0}, abs=0.15)


def test_a_trial_tells_parts_and_keeps_test_curves_alone(compounds, repeat):
    spectra = np.array([curve(each) for each in (7125, 7126, 7127, 7128)])
    sigma = np.full_like(spectra, 0.0123456789)
    found = score(compounds, repeat, "m", Answers(spectra, sigma, np.ones(4)))
    assert (found.method, found.element, found.repeat) == ("m", "Fe", 7)
    assert found.parts == {"train": ["a", "b"], "validation": ["c"], "test": ["d"]}
    assert all(set(getattr(found, figure)) == {"a", "b", "c", "d"} for figure in FIGURES)
    assert set(found.curves) == set(found.sigma) == {"d"}
    np.testing.assert_allclose(found.curves["d"], spectra[3], atol=1e-5)
    np.testing.assert_allclose(found.sigma["d"], sigma[3], atol=1e-5)
    found = score(compounds, repeat, "m", plain(spectra))
    assert found.sigma == {}
    assert set(found.rse) == set(found.half_step) == {"a", "b", "c", "d"}
    assert all(getattr(found, figure) == {} for figure in FIGURES[2:])


def test_bands_are_scored_on_the_measured_points_alone(compounds, repeat):
    """A band of 0.1 around spectra that are off by 0, 0.15, 0.25 and 0.15."""
    off = np.array([0.0, 0.15, 0.25, -0.15])[:, None]
    spectra = np.nan_to_num(compounds.target[1:], nan=55.0) + off
    found = score(compounds, repeat, "m", Answers(spectra, np.full_like(spectra, 0.1), None))
    assert found.within_1 == {"a": 1.0, "b": 0.0, "c": 0.0, "d": 0.0}
    assert found.within_2 == {"a": 1.0, "b": 1.0, "c": 0.0, "d": 1.0}
    least = np.log(0.1 * np.sqrt(2 * np.pi))
    expected = {"a": 0, "b": 1.5**2 / 2, "c": 2.5**2 / 2, "d": 1.5**2 / 2}
    assert found.nll == pytest.approx({name: least + away for name, away in expected.items()})


def test_the_half_step_is_scored_where_its_sigma_is_told(compounds, repeat):
    """Half steps that are off by about 0, 1.5, 2.5 and -1.5 eV, with a sigma of 1 eV, and 2 eV."""
    moved = np.array([curve(each) for each in (7125.0, 7127.5, 7129.5, 7126.5)])
    found = score(compounds, repeat, "m", Answers(moved, None, np.array([1.0, 1.0, 1.0, 2.0])))
    assert found.half_step_within_1 == {"a": 1.0, "b": 0.0, "c": 0.0, "d": 1.0}
    assert found.half_step_within_2 == {"a": 1.0, "b": 1.0, "c": 0.0, "d": 1.0}
    least = 0.9189385332
    expected = {"a": 0, "b": 1.5**2 / 2, "c": 2.5**2 / 2, "d": 0.75**2 / 2 + np.log(2)}
    found = {name: value - least for name, value in found.half_step_nll.items()}
    assert found == pytest.approx(expected, abs=0.2)
    told = score(compounds, repeat, "m", Answers(moved, None, np.ones(4)))
    assert told.within_1 == told.within_2 == told.nll == told.sigma == {}


def test_coverage_is_the_share_of_known_points_within_the_band():
    target = np.array([[1.0, 2.0, 3.0, np.nan], [0.0, 0.0, np.nan, np.nan]])
    predicted = np.array([[1.5, 2.0, 5.0, 9.0], [1.0, 4.0, 0.0, 0.0]])
    sigma = np.array([[0.5, 0.1, 1.0, 1.0], [0.5, 2.0, 1.0, 1.0]])
    # Away by 1, 0 and 2 sigma; by 2 and 2 sigma. The band's ends belong to it.
    np.testing.assert_allclose(coverage(target, predicted, sigma, 1), [2 / 3, 0])
    np.testing.assert_allclose(coverage(target, predicted, sigma, 1.99), [2 / 3, 0])
    np.testing.assert_allclose(coverage(target, predicted, sigma, 2), [1, 1])
    np.testing.assert_allclose(coverage(target, predicted, sigma, 0), [1 / 3, 0])


def test_likelihood_is_that_of_normal_distributions():
    target = np.array([[0.0, 0.0, np.nan], [1.0, 3.0, 4.0]])
    predicted = np.array([[0.0, 2.0, 7.0], [1.0, 3.0, 4.0]])
    sigma = np.array([[1.0, 2.0, 3.0], [1.0, 1.0, 1.0]])
    # -log N(0; 0, 1) = log(2 pi) / 2 = 0.918939; with sigma 2, one sigma away, log 2 + 1/2 more.
    usual = 0.9189385332
    expected = [usual + (np.log(2) + 0.5) / 2, usual]
    np.testing.assert_allclose(negative_log_likelihood(target, predicted, sigma), expected)


@pytest.mark.parametrize("factor", [0.5, 0.9, 1.1, 2.0])
def test_an_honest_band_is_the_likeliest(factor):
    random = np.random.default_rng(8)
    sigma = random.uniform(0.5, 2.0, size=(1, 20_000))
    target = random.normal(scale=sigma)
    none = np.zeros_like(target)
    honest = negative_log_likelihood(target, none, sigma)
    assert honest < negative_log_likelihood(target, none, factor * sigma)
    assert coverage(target, none, sigma, 1) == pytest.approx(0.6827, abs=0.01)
    assert coverage(target, none, sigma, 2) == pytest.approx(0.9545, abs=0.01)


def test_means_are_of_absolute_values(trial):
    assert trial.mean("half_step", "train") == pytest.approx(2.0)
    assert trial.mean("half_step", "test") == pytest.approx(0.5)
    assert trial.mean("rse", "train") == pytest.approx(0.02)


def test_means_of_likelihoods_keep_their_sign(trial):
    told = replace(trial, nll={"a": -2.0, "b": 1.0, "c": -3.0, "d": -1.0, "e": -2.0})
    assert told.mean("nll", "train") == pytest.approx(-0.5)
    assert told.mean("nll", "test") == pytest.approx(-1.5)


def test_a_summary_is_the_mean_and_deviation_of_the_trials_means(trial):
    other = replace(trial, rse={**trial.rse, "d": 0.5, "e": 0.7})
    found = Summary.of([trial, other], "rse", "test")
    assert found.mean == pytest.approx((0.2 + 0.6) / 2)
    assert found.deviation == pytest.approx(0.2)
    assert Summary.of([trial], "rse", "test").deviation == 0


@pytest.mark.parametrize("figure", FIGURES[2:])
def test_there_is_no_summary_of_what_a_trial_does_not_tell(trial, figure):
    told = replace(trial, **{figure: dict.fromkeys("abcde", 0.5)})
    assert Summary.of([told, told], figure, "test").mean == 0.5
    assert Summary.of([told, trial], figure, "test") is None
    assert Summary.of([trial], figure, "train") is None


def test_methods_come_in_the_order_they_were_tried(trial):
    mine = [
        replace(trial, method=method, repeat=n) for n in range(2) for method in ("uncal", "best")
    ]
    others = [replace(trial, method="foreign", element="Ti")]
    found = {name: [t.repeat for t in each] for name, each in by_method([*others, *mine], "Fe")}
    assert found == {"uncal": [0, 1], "best": [0, 1]}
    assert list(found) == ["uncal", "best"]
    assert list(by_method(mine, "Ti")) == []


def test_trials_come_back_exactly(trial, tmp_path):
    path = tmp_path / "trials.jsonl"
    trials = [trial, replace(trial, repeat=1, sigma={"d": [0.1, 0.2], "e": [1 / 3, 0.3]})]
    shares = dict.fromkeys("abcde", 2 / 3)
    trials.append(replace(trial, repeat=2, within_1=shares, within_2=shares, nll=shares))
    for each in trials:
        append_trial(path, each)
    assert read_trials(path) == trials
    assert len(path.read_text().splitlines()) == 3
    assert read_trials(tmp_path / "none.jsonl") == []


@pytest.mark.parametrize("cut", [1, 40, -2])
def test_a_last_line_that_was_cut_short_is_mended(trial, tmp_path, cut):
    path = tmp_path / "trials.jsonl"
    for n in range(3):
        append_trial(path, replace(trial, repeat=n))
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:2]) + lines[2][:cut])
    assert [each.repeat for each in read_trials(path)] == [0, 1]
    assert path.read_bytes() == b"".join(lines[:2])
    append_trial(path, replace(trial, repeat=2))
    assert path.read_bytes() == b"".join(lines)


@pytest.mark.parametrize(
    "damage",
    [
        lambda line: line[:30] + b"\n",
        lambda line: line.replace(b'"rse"', b'"err"', 1),
        lambda line: line.replace(b'"validation"', b'"checked"', 1),
        lambda _: b"[1, 2]\n",
        lambda _: b"\xff\xfe\n",
        lambda _: b"\n",
    ],
)
def test_damage_before_the_last_line_is_refused(trial, tmp_path, damage):
    path = tmp_path / "trials.jsonl"
    for n in range(3):
        append_trial(path, replace(trial, repeat=n))
    lines = path.read_bytes().splitlines(keepends=True)
    damaged = b"".join([lines[0], damage(lines[1]), lines[2]])
    path.write_bytes(damaged)
    with pytest.raises(ConfigError, match=r"damaged: .*; start the calibration anew"):
        read_trials(path)
    assert path.read_bytes() == damaged
