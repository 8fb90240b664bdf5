"""The kernel beside a network: it knows what it has learnt, and says so again from its file."""

import numpy as np
import pytest

from cgxas.errors import ConfigError
from cgxas.model.kernel import KernelSettings, SiteKernel
from cgxas.physics.surroundings import AROUND, OWN, PROPERTIES

SETTINGS = KernelSettings(fidelities=("FEFF10", "FEFF9"), noise=1e-6)
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
    return fitted(*known)


def fitted(described, absorber, norm) -> SiteKernel:
    """Learn spectra of the first theory."""
    return SiteKernel.fitted(described, absorber, np.zeros(len(norm), np.int64), norm, SETTINGS)


def test_it_knows_what_it_has_learnt(kernel, known):
    described, absorber, norm = known
    for z in (8, 9, 26):
        mine = absorber == z
        assert kernel.spectra(described[mine], z, "FEFF10") == pytest.approx(norm[mine], abs=2e-3)


def test_far_from_all_it_answers_with_the_typical_spectrum(kernel, known):
    described, absorber, norm = known
    far = described[:1] + 1e3
    assert kernel.spectra(far, 8, "FEFF10")[0] == pytest.approx(
        norm[absorber == 8].mean(axis=0), abs=1e-5
    )
    strange = kernel.spectra(far, 79, "FEFF10")[0]
    assert strange == pytest.approx(norm.mean(axis=0), abs=1e-5)


def test_it_is_better_than_the_typical_spectrum(known):
    described, absorber, norm = known
    learnt = np.arange(30) % 3 > 0
    kernel = fitted(described[learnt], absorber[learnt], norm[learnt])
    errors, baseline = [], []
    for z in (8, 9, 26):
        mine = ~learnt & (absorber == z)
        errors.append(kernel.spectra(described[mine], z, "FEFF10") - norm[mine])
        baseline.append(norm[learnt & (absorber == z)].mean(axis=0) - norm[mine])
    assert np.square(np.concatenate(errors)).sum() < np.square(np.concatenate(baseline)).sum()


def test_it_survives_its_file(kernel, known):
    again = SiteKernel.restore(kernel.tensors, kernel.values, N_POINTS)
    described = known[0]
    assert np.array_equal(
        again.spectra(described, 8, "FEFF10"), kernel.spectra(described, 8, "FEFF10")
    )
    assert (again.share_of(8, "FEFF10") == 0.5).all()
    assert not again.share_of(8, "VASP").any()


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
    wrong = {**kernel.tensors, "theory": kernel.theory + 2}
    with pytest.raises(ValueError, match="no theory"):
        SiteKernel.restore(wrong, kernel.values, N_POINTS)


def test_what_is_known_in_one_theory_does_not_answer_for_another(known):
    described, absorber, norm = known
    theory = np.arange(30) % 2
    both = SiteKernel.fitted(described, absorber, theory, norm + theory[:, None], SETTINGS)
    for number, name in enumerate(SETTINGS.fidelities):
        mine = theory == number
        alone = SiteKernel.fitted(
            described[mine], absorber[mine], theory[mine], norm[mine] + number, SETTINGS
        )
        assert both.spectra(described, 8, name) == pytest.approx(
            alone.spectra(described, 8, name), abs=1e-6
        )


def test_points_that_no_run_reached_are_taken_as_typical(known):
    described, absorber, norm = known
    short = norm.copy()
    short[absorber == 26, -2:] = np.nan
    short[0, -1] = np.nan
    kernel = fitted(described, absorber, short)
    whole = fitted(described, absorber, norm)
    mine = absorber == 8
    assert np.isfinite(kernel.weights).all()
    assert kernel.spectra(described[mine], 8, "FEFF10")[:, :-1] == pytest.approx(
        whole.spectra(described[mine], 8, "FEFF10")[:, :-1], abs=0.03
    )
    typical = short[mine, -1][1:].mean()
    assert kernel.spectra(described[:1], 8, "FEFF10")[0, -1] == pytest.approx(typical, abs=2e-3)


def test_its_share_fades_where_its_spectra_end(known):
    described, absorber, norm = known
    wide = np.repeat(norm, 5, axis=1)  # 35 points
    wide[absorber == 26, 30:] = np.nan
    kernel = fitted(described, absorber, wide)
    share = kernel.share_of(26, "FEFF10")
    assert (share[:20] == 0.5).all()
    assert not share[29:].any()
    assert np.abs(np.diff(share)).max() < 0.06
    assert (kernel.share_of(8, "FEFF10") == 0.5).all()
