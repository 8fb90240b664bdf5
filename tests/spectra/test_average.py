"""Standard errors of correlated frames, held against processes whose truth is known."""

import numpy as np
import pytest

from cgxas.errors import SpectrumError
from cgxas.spectra.average import averaged, correlation_times
from cgxas.spectra.spectrum import Spectrum

P = 60
MODES = np.sin(np.outer([1, 2, 3], np.linspace(0.1, 3.0, P))) * 0.01


def frames(count: int, memory: float | list[float], seed: int = 64) -> np.ndarray:
    """(F, P) curves whose three modes each follow an autoregressive process of unit variance."""
    random, kept = np.random.default_rng(seed), np.broadcast_to(memory, 3)
    kicks = random.normal(size=(count + 1000, 3)) * np.sqrt(1 - kept**2)
    state = np.zeros_like(kicks)
    for n in range(1, len(kicks)):
        state[n] = kept * state[n - 1] + kicks[n]
    return 1.0 + state[1000:] @ MODES


def mean_of(norm: np.ndarray) -> Spectrum:
    return Spectrum(7100 + np.arange(P) * 0.5, norm.mean(axis=0), "Fe", formula="FeO")


def true_error(count: int, memory: float | list[float]) -> np.ndarray:
    """(P,) standard errors of the mean, of each mode sigma^2 (1 + a) / (1 - a) / F."""
    kept = np.broadcast_to(memory, 3)
    return np.sqrt(((1 + kept) / (1 - kept)) @ MODES**2 / count)


def rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values**2)))


@pytest.mark.parametrize("memory", [0.0, 0.6, 0.9, 0.97])
def test_the_standard_error_is_that_of_the_process(memory):
    """For 0.97 that of independent frames would be too small by a factor of eight."""
    found = []
    for seed in range(20):
        norm = frames(8192, memory, seed)
        each = averaged(norm, mean_of(norm))
        assert each.is_settled
        found.append(rms(each.standard_error))
    assert np.median(found) == pytest.approx(rms(true_error(8192, memory)), rel=0.1)


def test_the_time_is_that_of_the_process():
    """Of an autoregressive process it is (1 + a) / (1 - a): 3 frames for 0.5, 9 for 0.8."""
    for memory, time in ((0.0, 1.0), (0.5, 3.0), (0.8, 9.0)):
        found = [correlation_times(frames(4096, memory, seed))[1] for seed in range(20)]
        assert np.median(found) == pytest.approx(time, rel=0.1)


@pytest.mark.parametrize("memory", [0.0, 0.8, [0.3, 0.6, 0.95]])
def test_it_covers_the_truth(memory):
    """The true mean, 1, lies within one standard error about two times of three."""
    inside = []
    for seed in range(100):
        norm = frames(1024, memory, seed)
        inside.append(np.abs(norm.mean(axis=0) - 1) < averaged(norm, mean_of(norm)).standard_error)
    assert 0.6 < np.mean(inside) < 0.76


def test_energies_that_move_slowly_are_not_told_by_those_that_move_fast():
    """Two halves of a spectrum, one with a memory of 0.95: each has an error of its own."""
    norm = np.hstack([5 * frames(8192, 0.0, 1), frames(8192, 0.95, 2)])
    errors = averaged(norm, mean_of(norm[:, :P])).standard_error
    assert rms(errors[P:]) == pytest.approx(rms(true_error(8192, 0.95)), rel=0.2)


@pytest.mark.parametrize("count", [16, 64, 256, 1024])
@pytest.mark.parametrize("memory", [0.6, 0.9, 0.99])
def test_an_error_that_is_far_too_small_is_not_called_settled(count, memory):
    for seed in range(40):
        norm = frames(count, memory, seed)
        found = averaged(norm, mean_of(norm))
        if found.is_settled:
            assert rms(found.standard_error) > 0.6 * rms(true_error(count, memory))


def test_a_trajectory_too_short_to_tell_says_so():
    drifting = 1.0 + np.linspace(0, 1, 64)[:, None] * np.ones(P)
    assert not averaged(drifting, mean_of(drifting)).is_settled
    few = frames(6, 0.0)
    assert not averaged(few, mean_of(few)).is_settled
    with pytest.raises(SpectrumError, match="two frames"):
        averaged(few[:1], mean_of(few))


def test_frames_that_are_all_alike_have_no_error():
    still = np.ones((100, P))
    found = averaged(still, mean_of(still))
    assert (found.correlation_time, found.is_settled) == (1.0, True)
    assert not found.standard_error.any()


def test_convergence_ends_with_all_frames():
    norm = frames(300, 0.5)
    found = averaged(norm, mean_of(norm)).convergence
    assert [each.n_frames for each in found] == [2, 4, 8, 16, 32, 64, 128, 256, 300]
    assert found[-1].distance == 0.0
    errors = [each.standard_error for each in found]
    assert errors == sorted(errors, reverse=True)
    assert found[3].distance < 4 * found[3].standard_error
