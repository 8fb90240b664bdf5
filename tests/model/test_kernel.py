"""The kernel beside a network: it knows what it has learnt, and says so again from its file."""

import numpy as np
import pytest

from cgxas.errors import ConfigError
from cgxas.model.kernel import KernelSettings, SiteKernel
from cgxas.physics.surroundings import AROUND, OWN, PROPERTIES

SETTINGS = KernelSettings(fidelity="FEFF10", noise=1e-6)
N_POINTS = 7


@pytest.fixture
def known() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Descriptions, elements and spectra of 30 sites that depend on their descriptions."""
    rng = np.random.default_rng(1)
    absorber = np.repeat([8, 9, 26], 10)
    around = rng.normal(size=(30, 20)) / 4
    described = np.zeros((30, AROUND.start + 20))
    described[:, OWN], described[:, AROUND] = PROPERTIES[absorber - 1], around
    norm = 1 + absorber[:, None] / 100 + 0.1 * np.tanh(around @ rng.normal(size=(20, N_POINTS)))
    return described, absorber, norm


@pytest.fixture
def kernel(known) -> SiteKernel:
    return SiteKernel.fitted(*known, SETTINGS)


def test_it_knows_what_it_has_learnt(kernel, known):
    described, absorber, norm = known
    for z in (8, 9, 26):
        mine = absorber == z
        assert kernel.spectra(described[mine], z) == pytest.approx(norm[mine], abs=2e-3)


def test_far_from_all_it_answers_with_the_typical_spectrum(kernel, known):
    described, absorber, norm = known
    far = described[:1] + 1e3
    assert kernel.spectra(far, 8)[0] == pytest.approx(norm[absorber == 8].mean(axis=0), abs=1e-5)
    strange = kernel.spectra(far, 79)[0]
    assert strange == pytest.approx(norm.mean(axis=0), abs=1e-5)


def test_it_is_better_than_the_typical_spectrum(known):
    described, absorber, norm = known
    learnt = np.arange(30) % 3 > 0
    kernel = SiteKernel.fitted(described[learnt], absorber[learnt], norm[learnt], SETTINGS)
    errors, baseline = [], []
    for z in (8, 9, 26):
        mine = ~learnt & (absorber == z)
        errors.append(kernel.spectra(described[mine], z) - norm[mine])
        baseline.append(norm[learnt & (absorber == z)].mean(axis=0) - norm[mine])
    assert np.square(np.concatenate(errors)).sum() < np.square(np.concatenate(baseline)).sum()


def test_it_survives_its_file(kernel, known):
    again = SiteKernel.restore(kernel.tensors, kernel.values, N_POINTS)
    described = known[0]
    assert np.array_equal(again.spectra(described, 8), kernel.spectra(described, 8))
    assert again.share_of(8) == 0.5


def test_what_does_not_fit_together_is_refused(kernel):
    with pytest.raises(ValueError, match="weights of the kernel"):
        SiteKernel.restore(kernel.tensors, kernel.values, N_POINTS + 1)
    with pytest.raises(TypeError):
        SiteKernel.restore({**kernel.tensors, "more": kernel.usual}, kernel.values, N_POINTS)
    with pytest.raises(ConfigError, match=r"kernel\.length"):
        SiteKernel.restore(kernel.tensors, {**kernel.values, "length": -1.0}, N_POINTS)
    wrong = {**kernel.tensors, "absorber": kernel.absorber * 0}
    with pytest.raises(ValueError, match="no element"):
        SiteKernel.restore(wrong, kernel.values, N_POINTS)
