"""Standard errors of correlated frames, held against processes whose truth is known."""

import numpy as np
import pytest

from cgxas.errors import SpectrumError
from cgxas.spectra.average import averaged, block_length, standard_error
from cgxas.spectra.spectrum import Spectrum

P = 60


def frames(count: int, memory: float, seed: int = 64) -> np.ndarray:
    """(F, P) curves whose three modes each follow an autoregressive process of unit variance."""
    random = np.random.default_rng(seed)
    kicks = random.normal(size=(count + 1000, 3)) * np.sqrt(1 - memory**2)
    state = np.zeros_like(kicks)
    for n in range(1, len(kicks)):
        state[n] = memory * state[n - 1] + kicks[n]
    modes = np.sin(np.outer([1, 2, 3], np.linspace(0.1, 3.0, P))) * 0.01
    return 1.0 + state[1000:] @ modes


def mean_of(norm: np.ndarray) -> Spectrum:
    return Spectrum(7100 + np.arange(P) * 0.5, norm.mean(axis=0), "Fe", formula="FeO")


def true_error(count: int, memory: float) -> float:
    """Root mean square standard error of the mean: sigma^2 (1 + a) / (1 - a) / F."""
    modes = np.sin(np.outer([1, 2, 3], np.linspace(0.1, 3.0, P))) * 0.01
    variance = (modes**2).sum(axis=0).mean()
    return float(np.sqrt(variance * (1 + memory) / (1 - memory) / count))


@pytest.mark.parametrize("memory", [0.0, 0.6, 0.9])
def test_the_standard_error_is_that_of_the_process(memory):
    found = []
    for seed in range(12):
        norm = frames(4096, memory, seed)
        each = averaged(norm, mean_of(norm))
        assert each.is_settled
        found.append(np.sqrt(np.mean(each.standard_error**2)))
    assert np.median(found) == pytest.approx(true_error(4096, memory), rel=0.2)


def test_it_covers_the_truth():
    """The true mean, 1, lies within one standard error about two times of three."""
    inside = []
    for seed in range(60):
        norm = frames(1024, 0.8, seed)
        error = standard_error(norm, block_length(norm)[0])
        inside.append(np.abs(norm.mean(axis=0) - 1) < error)
    assert 0.58 < np.mean(inside) < 0.76


def test_frames_that_are_independent_need_no_long_blocks():
    assert max(block_length(frames(2048, 0.0, seed))[0] for seed in range(8)) <= 4


def test_a_trajectory_too_short_to_tell_says_so():
    drifting = 1.0 + np.linspace(0, 1, 64)[:, None] * np.ones(P)
    assert not averaged(drifting, mean_of(drifting)).is_settled
    few = frames(6, 0.0)
    assert not averaged(few, mean_of(few)).is_settled
    with pytest.raises(SpectrumError, match="two frames"):
        averaged(few[:1], mean_of(few))


def test_convergence_ends_with_all_frames():
    norm = frames(300, 0.5)
    found = averaged(norm, mean_of(norm)).convergence
    assert [each.n_frames for each in found] == [2, 4, 8, 16, 32, 64, 128, 256, 300]
    assert found[-1].distance == 0.0
    errors = [each.standard_error for each in found]
    assert errors == sorted(errors, reverse=True)
    assert found[3].distance < 4 * found[3].standard_error
