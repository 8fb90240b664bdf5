"""Heads learn what rigid curves cannot, touch nothing of the model, and look at no test part."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from cgxas.calibration import paper
from cgxas.calibration.paper import tune_paper
from cgxas.calibration.rigid import fit_rigid
from cgxas.spectra.metrics import rse

TRAIN, VALIDATION, TEST = np.arange(12), np.arange(12, 14), np.arange(14, 16)
METHODS = [tune_paper]
each_method = pytest.mark.parametrize("tune", METHODS, ids=lambda tune: tune.__name__)


@pytest.fixture(scope="module")
def compounds(make_compounds):
    """Sixteen of iron, whose white lines are lower than any broadening makes them."""
    found = make_compounds(("Fe",), 16, shift=0.5, width=2.0)
    damped = np.where(found.target > 1, 1 + 0.5 * (found.target - 1), found.target)
    return replace(found, target=damped)


def mean_rse(compounds, part, answer) -> float:
    return float(rse(compounds.target[part], answer(part)).mean())


def uncalibrated(compounds, part) -> np.ndarray:
    return replace(fit_rigid(compounds, "Fe", TRAIN), shift=0.0, width=0.0)(part)


def states(head) -> list[dict[str, torch.Tensor]]:
    return [layer.state_dict() for layer in head.layers]


def same(one, two) -> bool:
    return all(torch.equal(one[name], two[name]) for name in one)


@each_method
def test_heads_learn_and_are_better_than_the_baseline(compounds, tune):
    head = tune(compounds, "Fe", TRAIN, VALIDATION)
    rigid = fit_rigid(compounds, "Fe", TRAIN)
    assert mean_rse(compounds, TRAIN, head) < 0.7 * mean_rse(compounds, TRAIN, rigid)
    assert mean_rse(compounds, TEST, head) < mean_rse(compounds, TEST, rigid)


@each_method
def test_the_model_is_left_alone(compounds, tune):
    before = {n: tensor.clone() for n, tensor in compounds.network.state_dict().items()}
    vectors = compounds.sites.vector.clone()
    tune(compounds, "Fe", TRAIN, VALIDATION)
    assert same(before, compounds.network.state_dict())
    assert torch.equal(vectors, compounds.sites.vector)
    assert not any(p.requires_grad for p in compounds.network.parameters())


@each_method
def test_statistics_are_frozen_even_if_the_network_is_training(compounds, tune):
    compounds.network.train()
    head = tune(compounds, "Fe", TRAIN, VALIDATION)
    compounds.network.eval()
    for member in getattr(head, "members", [head]):
        for layer, old in zip(member.layers, compounds.network.head_layers, strict=True):
            for name in ("running_mean", "running_var", "num_batches_tracked"):
                assert torch.equal(getattr(layer.norm, name), getattr(old.norm, name))


@each_method
def test_the_same_again_gives_the_same(compounds, tune):
    one, two = (tune(compounds, "Fe", TRAIN, VALIDATION)(TEST) for _ in range(2))
    np.testing.assert_array_equal(one, two)


@each_method
def test_test_measurements_and_other_random_numbers_do_not_matter(compounds, tune):
    target, e0 = compounds.target.copy(), compounds.e0.copy()
    target[TEST], e0[TEST] = 4.0, 1.0
    blind = replace(compounds, target=target, e0=e0, norm=np.ones_like(compounds.norm))
    one = tune(compounds, "Fe", TRAIN, VALIDATION)(TEST)
    torch.manual_seed(99)
    np.testing.assert_array_equal(one, tune(blind, "Fe", TRAIN, VALIDATION)(TEST))


def test_points_nobody_measured_teach_nothing(compounds):
    target = compounds.target.copy()
    target[:, -10:] = np.nan
    head = tune_paper(replace(compounds, target=target), "Fe", TRAIN, VALIDATION)
    new, old = head.layers[-1].linear, compounds.network.head_layers[-1].linear
    assert torch.equal(new.weight[-10:], old.weight[-10:])
    assert (new.weight[20:50] != old.weight[20:50]).any()
    assert np.isfinite(head(TEST)).all()


def test_misfits_are_those_of_the_measured_points(compounds):
    examples = paper._examples(compounds, "Fe", TRAIN)
    assert np.isnan(compounds.target[TRAIN]).any()
    curves = torch.rand(examples.target.shape)
    expected = rse(compounds.target[TRAIN], curves.double().numpy()).mean()
    assert float(examples.rse(curves)) == pytest.approx(expected, rel=1e-5)
    anything = torch.where(examples.known == 0, torch.tensor(9.0), curves)
    assert float(examples.rse(anything)) == float(examples.rse(curves))


def test_an_untouched_head_is_the_network(compounds):
    layers, one = paper._copied_layers(compounds), torch.eye(100)
    head = paper.TunedHead(compounds, "Fe", layers, one)
    np.testing.assert_allclose(head(TEST), uncalibrated(compounds, TEST), atol=2e-6)
    np.testing.assert_array_equal(head(TEST), head(TEST[::-1])[::-1])


def test_layers_are_relearnt_one_by_one_from_the_input_side(compounds, monkeypatch):
    real, seen = paper._relearn, []

    def watched(layers, operator, learnt, checked):
        before = [{n: t.clone() for n, t in layer.state_dict().items()} for layer in layers]
        real(layers, operator, learnt, checked)
        changed = [not same(old, new.state_dict()) for old, new in zip(before, layers, strict=True)]
        seen.append((len(layers), changed[0], any(changed[1:])))

    monkeypatch.setattr(paper, "_relearn", watched)
    tune_paper(compounds, "Fe", TRAIN, VALIDATION)
    assert [left for left, _, _ in seen] == [5, 4, 3, 2, 1]
    assert not any(others for _, _, others in seen)
    assert sum(first for _, first, _ in seen) >= 3  # a layer may stay as it was


def test_each_layer_moves_for_thirty_steps(compounds, monkeypatch):
    steps = []
    real = torch.optim.Adam.step
    monkeypatch.setattr(
        torch.optim.Adam, "step", lambda self, *a: (steps.append(1), real(self, *a))[1]
    )
    tune_paper(compounds, "Fe", TRAIN, VALIDATION)
    assert len(steps) == 5 * 30


def test_the_validation_part_never_gets_worse(compounds):
    before = rse(compounds.target[VALIDATION], uncalibrated(compounds, VALIDATION)).mean()
    # Nothing that can be learnt holds for validation: its curves are turned around.
    target = compounds.target.copy()
    target[VALIDATION] = uncalibrated(compounds, VALIDATION)
    contrary = replace(compounds, target=target)
    head = tune_paper(contrary, "Fe", TRAIN, VALIDATION)
    assert mean_rse(contrary, VALIDATION, head) < 1e-9
    assert before > 1e-3
    assert all(
        same(new, old.state_dict())
        for new, old in zip(states(head), compounds.network.head_layers, strict=True)
    )


def test_answers_stand_on_a_moved_grid(make_compounds):
    compounds = make_compounds(("Mn",), 10, shift=-5.0, width=2.0)
    train, validation, test = np.arange(6), np.arange(6, 8), np.arange(8, 10)
    # To the paper's method a moved grid is a change of labels: the network's numbers stay.
    own = replace(compounds, grids={"Mn": compounds.simulated_grid(0)})
    one, two = (tune_paper(each, "Mn", train, validation)(test) for each in (compounds, own))
    np.testing.assert_array_equal(one, two)
