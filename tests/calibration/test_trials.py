"""Errors of single compounds, their means, and the file that keeps them."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from cgxas.calibration.repeats import Repeat
from cgxas.calibration.trials import Summary, Trial, append_trial, by_method, read_trials, score
from cgxas.errors import ConfigError
from cgxas.spectra.spectrum import EnergyGrid

GRID = EnergyGrid(7110.0, 7165.0, 100)
NAMES = np.array(["other", "a", "b", "c", "d"])


def curve(e0: float) -> np.ndarray:
    return 0.5 + np.arctan((GRID.energies - e0) / 0.8) / np.pi


@pytest.fixture
def compounds() -> Any:
    """Four iron compounds behind one of another element; d was measured to 7140 eV only."""
    target = np.array([curve(e0) for e0 in (7120, 7125, 7126, 7127, 7128)])
    target[4, GRID.energies > 7140] = np.nan
    e0 = np.array([7120.0, 7125.0, 7126.0, 7127.0, 7128.0])
    return SimpleNamespace(name=NAMES, grids={"Fe": GRID}, target=target, e0=e0)


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
        edge={"a": 1.0, "b": -3.0, "c": 0.0, "d": -0.5, "e": 0.5},
        curves={"d": [0.0, 1.25], "e": [0.125, 1.0]},
        sigma={},
    )


def test_points_that_were_not_measured_do_not_count(compounds, repeat):
    spectra = np.nan_to_num(compounds.target[1:], nan=55.0)
    found = score(compounds, repeat, "m", spectra)
    assert found.rse["d"] == 0
    known = np.isfinite(compounds.target[4])
    found = score(compounds, repeat, "m", spectra + 0.1)
    expected = 0.01 * known.sum() / np.sum(compounds.target[4][known] ** 2)
    assert found.rse["d"] == pytest.approx(expected)
    assert found.rse["d"] != pytest.approx(found.rse["a"], rel=0.01)


def test_edge_errors_have_a_sign(compounds, repeat):
    moved = np.array([curve(e0) for e0 in (7127.0, 7124.5, 7127.0, 7128.0)])
    found = score(compounds, repeat, "m", moved)
    assert found.edge == pytest.approx({"a": 2.0, "b": -1.5, "c": 0.0, "d": 0.0}, abs=0.15)


def test_a_trial_tells_parts_and_keeps_test_curves_alone(compounds, repeat):
    spectra = np.array([curve(e0) for e0 in (7125, 7126, 7127, 7128)])
    sigma = np.full_like(spectra, 0.0123456789)
    found = score(compounds, repeat, "m", spectra, sigma)
    assert (found.method, found.element, found.repeat) == ("m", "Fe", 7)
    assert found.parts == {"train": ["a", "b"], "validation": ["c"], "test": ["d"]}
    assert set(found.rse) == set(found.edge) == {"a", "b", "c", "d"}
    assert set(found.curves) == set(found.sigma) == {"d"}
    np.testing.assert_allclose(found.curves["d"], spectra[3], atol=1e-5)
    np.testing.assert_allclose(found.sigma["d"], sigma[3], atol=1e-5)
    assert score(compounds, repeat, "m", spectra).sigma == {}


def test_means_are_of_absolute_values(trial):
    assert trial.mean("edge", "train") == pytest.approx(2.0)
    assert trial.mean("edge", "test") == pytest.approx(0.5)
    assert trial.mean("rse", "train") == pytest.approx(0.02)


def test_a_summary_is_the_mean_and_deviation_of_the_trials_means(trial):
    other = replace(trial, rse={**trial.rse, "d": 0.5, "e": 0.7})
    found = Summary.of([trial, other], "rse", "test")
    assert found.mean == pytest.approx((0.2 + 0.6) / 2)
    assert found.deviation == pytest.approx(0.2)
    assert Summary.of([trial], "rse", "test").deviation == 0


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
    for each in trials:
        append_trial(path, each)
    assert read_trials(path) == trials
    assert len(path.read_text().splitlines()) == 2
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
    with pytest.raises(ConfigError, match="damaged; start the calibration anew"):
        read_trials(path)
    assert path.read_bytes() == damaged
