"""Heads learn what rigid curves cannot, touch nothing of the model, and look at no test part."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from cgxas.calibration import paper
from cgxas.calibration.calibrators import answers
from cgxas.calibration.paper import tune_paper
from cgxas.calibration.rigid import fit_rigid
from cgxas.model.calibration.base import Uncalibrated
from cgxas.model.calibration.head import HeadCalibration
from cgxas.spectra.metrics import rse
from cgxas.spectra.xray import WINDOWS

TRAIN, VALIDATION, TEST = np.arange(12), np.arange(12, 14), np.arange(14, 16)


@pytest.fixture(scope="module")
def compounds(make_compounds):
    """Sixteen of iron, whose white lines are lower than any broadening makes them."""
    found = make_compounds(("Fe",), 16, shift=0.5, width=2.0)
    damped = np.where(found.target > 1, 1 + 0.5 * (found.target - 1), found.target)
    return replace(found, target=damped)


@pytest.fixture(scope="module")
def tuned(compounds) -> HeadCalibration:
    return tune_paper(compounds, TRAIN, VALIDATION)


def said(compounds, calibration, part) -> np.ndarray:
    return answers(compounds, calibration, part).norm


def mean_rse(compounds, part, calibration) -> float:
    return float(rse(compounds.target[part], said(compounds, calibration, part)).mean())


def uncalibrated(compounds, part) -> np.ndarray:
    return said(compounds, Uncalibrated(), part)


def states(network) -> list[dict[str, torch.Tensor]]:
    return [layer.state_dict() for layer in network.head_layers]


def same(one, two) -> bool:
    return all(torch.equal(one[name], two[name]) for name in one)


def test_heads_learn_and_are_better_than_the_baseline(compounds, tuned):
    rigid = fit_rigid(compounds, TRAIN)
    assert mean_rse(compounds, TRAIN, tuned) < 0.7 * mean_rse(compounds, TRAIN, rigid)
    assert mean_rse(compounds, TEST, tuned) < mean_rse(compounds, TEST, rigid)


def test_the_model_is_left_alone(compounds):
    network = compounds.model.network
    before = {n: tensor.clone() for n, tensor in network.state_dict().items()}
    vectors = [sites.vectors.clone() for sites in compounds.sites]
    found = tune_paper(compounds, TRAIN, VALIDATION)
    assert same(before, network.state_dict())
    assert all(torch.equal(v, s.vectors) for v, s in zip(vectors, compounds.sites, strict=True))
    assert not any(p.requires_grad for p in network.parameters())
    assert not any(p.requires_grad for p in found.network.parameters())


def test_nothing_but_the_head_is_relearnt(compounds, tuned):
    old, new = (each.state_dict() for each in (compounds.model.network, tuned.network))
    changed = [name for name in old if not torch.equal(old[name], new[name])]
    assert changed
    assert all(name.startswith("head_layers.") for name in changed)


def test_statistics_are_frozen_even_if_the_network_is_training(compounds):
    network = compounds.model.network
    network.train()
    found = tune_paper(compounds, TRAIN, VALIDATION)
    network.eval()
    assert not found.network.training
    for layer, old in zip(found.network.head_layers, network.head_layers, strict=True):
        for name in ("running_mean", "running_var", "num_batches_tracked"):
            assert torch.equal(getattr(layer.norm, name), getattr(old.norm, name))


def test_the_same_again_gives_the_same(compounds, tuned):
    again = tune_paper(compounds, TRAIN, VALIDATION)
    np.testing.assert_array_equal(said(compounds, again, TEST), said(compounds, tuned, TEST))


def test_test_measurements_and_other_random_numbers_do_not_matter(compounds, tuned):
    target, half_step = compounds.target.copy(), compounds.half_step.copy()
    target[TEST], half_step[TEST] = 4.0, 1.0
    wrong = {"target": target, "half_step": half_step, "norm": np.ones_like(compounds.norm)}
    torch.manual_seed(99)
    found = tune_paper(replace(compounds, **wrong), TRAIN, VALIDATION)
    np.testing.assert_array_equal(said(compounds, found, TEST), said(compounds, tuned, TEST))


def test_points_nobody_measured_teach_nothing(compounds):
    target = compounds.target.copy()
    target[:, -10:] = np.nan
    found = tune_paper(replace(compounds, target=target), TRAIN, VALIDATION)
    new, old = (n.head_layers[-1].linear for n in (found.network, compounds.model.network))
    assert torch.equal(new.weight[-10:], old.weight[-10:])
    assert (new.weight[20:50] != old.weight[20:50]).any()
    assert np.isfinite(said(compounds, found, TEST)).all()


def test_misfits_are_those_of_the_measured_points(compounds):
    examples = paper._examples(compounds, TRAIN)
    assert np.isnan(compounds.target[TRAIN]).any()
    curves = torch.rand(len(examples.vectors), examples.target.shape[1])

    def misfit(curves: torch.Tensor) -> float:
        """The misfit of a network whose sites have these curves."""
        return float(examples.rse(SimpleNamespace(head=lambda *_: curves)))

    means = (examples.share @ curves).double().numpy()
    expected = rse(compounds.target[TRAIN], means).mean()
    assert misfit(curves) == pytest.approx(expected, rel=1e-5)
    unknown = (examples.share > 0).T.float() @ (1 - examples.known) > 0  # of the site's compound
    assert misfit(torch.where(unknown, torch.tensor(9.0), curves)) == misfit(curves)


def test_examples_come_in_the_order_they_are_wanted(compounds):
    forth, back = (paper._examples(compounds, part) for part in (TRAIN, TRAIN[::-1]))
    assert not torch.equal(forth.target, back.target)
    network = compounds.model.network
    forth, back = (each.share @ network.head(each.vectors, each.fidelity) for each in (forth, back))
    torch.testing.assert_close(forth, back.flip(0), rtol=0, atol=1e-6)
    expected = uncalibrated(compounds, TRAIN)
    np.testing.assert_allclose(forth.numpy(), expected, atol=2e-6)


def test_an_untouched_head_is_the_network(compounds):
    head = HeadCalibration(compounds.model.network)
    found = said(compounds, head, TEST)
    np.testing.assert_allclose(found, uncalibrated(compounds, TEST), atol=2e-6)
    np.testing.assert_array_equal(found, said(compounds, head, TEST[::-1])[::-1])


def test_layers_are_relearnt_one_by_one_from_the_input_side(compounds, monkeypatch):
    real, seen = paper._relearn, []

    def watched(network, layer, learnt, checked):
        before = [{n: t.clone() for n, t in state.items()} for state in states(network)]
        real(network, layer, learnt, checked)
        pairs = zip(before, states(network), strict=True)
        changed = {n for n, (old, new) in enumerate(pairs) if not same(old, new)}
        (number,) = (n for n, each in enumerate(network.head_layers) if each is layer)
        seen.append((number, number in changed, bool(changed - {number})))

    monkeypatch.setattr(paper, "_relearn", watched)
    tune_paper(compounds, TRAIN, VALIDATION)
    assert [number for number, _, _ in seen] == [0, 1, 2, 3, 4]
    assert not any(others for _, _, others in seen)
    assert sum(own for _, own, _ in seen) >= 3  # a layer may stay as it was


def test_each_layer_moves_for_thirty_steps(compounds, monkeypatch):
    steps = []
    real = torch.optim.Adam.step
    monkeypatch.setattr(
        torch.optim.Adam, "step", lambda self, *a: (steps.append(1), real(self, *a))[1]
    )
    tune_paper(compounds, TRAIN, VALIDATION)
    assert len(steps) == 5 * 30


def test_the_validation_part_never_gets_worse(compounds):
    before = rse(compounds.target[VALIDATION], uncalibrated(compounds, VALIDATION)).mean()
    # Nothing that can be learnt holds for validation: its curves are turned around.
    target = compounds.target.copy()
    target[VALIDATION] = uncalibrated(compounds, VALIDATION)
    contrary = replace(compounds, target=target)
    found = tune_paper(contrary, TRAIN, VALIDATION)
    assert mean_rse(contrary, VALIDATION, found) < 1e-9
    assert before > 1e-3
    pairs = zip(states(found.network), states(compounds.model.network), strict=True)
    assert all(same(new, old) for new, old in pairs)


def test_answers_stand_on_a_moved_grid(make_compounds):
    compounds = make_compounds(("Mn",), 10, shift=-5.0, width=2.0)
    train, validation, test = np.arange(6), np.arange(6, 8), np.arange(8, 10)
    # To the paper's method a moved grid is a change of labels: the network's numbers stay.
    own = replace(compounds, grids={"Mn": WINDOWS["Mn", "K"]})
    assert own.grids != compounds.grids
    one, two = (said(each, tune_paper(each, train, validation), test) for each in (compounds, own))
    np.testing.assert_array_equal(one, two)
