from dataclasses import replace

import numpy as np
import pytest
import torch

from cgxas.training.batches import CrystalBatches, spectrum_weights, targets_of


@pytest.fixture
def batches(dataset, split) -> CrystalBatches:
    return CrystalBatches(dataset.crystal.numpy(), split.train, 3)


def test_batches_hold_each_crystal_once_with_all_its_targets(batches, dataset):
    crystal = dataset.crystal.numpy()
    assert len(batches) == 2  # of 8 crystals; the last two are not a full batch
    for epoch in range(5):
        seen: list[int] = []
        for groups in batches.shuffled(0, epoch):
            assert len(groups) == 3
            for targets in groups:
                (own,) = set(crystal[targets])
                assert sorted(targets) == np.flatnonzero(crystal == own).tolist()
                seen.append(own)
        assert len(seen) == len(set(seen)) == 6


def test_every_crystal_is_learnt_from_sooner_or_later(batches, dataset, split):
    every = {int(t) for epoch in range(9) for g in batches.shuffled(0, epoch) for t in sum_(g)}
    assert every == set(split.train.tolist())


def sum_(groups: list[np.ndarray]) -> list[int]:
    return np.concatenate(groups).tolist()


def test_few_crystals_are_one_batch(dataset):
    few = CrystalBatches(dataset.crystal.numpy(), np.array([0, 1, 4]), 32)
    assert len(few) == 1
    (groups,) = few.shuffled(0, 1)
    assert sorted(sum_(groups)) == [0, 1, 4]
    assert len(groups) == 2


def test_order_follows_seed_and_epoch_alone(batches):
    def order(seed: int, epoch: int) -> list[list[int]]:
        return [sum_(groups) for groups in batches.shuffled(seed, epoch)]

    assert order(0, 1) == order(0, 1)
    assert order(0, 1) != order(0, 2)
    assert order(0, 1) != order(1, 1)


def test_what_was_not_computed_has_no_weight_among_the_targets(dataset):
    computed = dataset.computed.clone()
    computed[0, 1] = 60
    found = targets_of(replace(dataset, computed=computed), np.array([0, 2]))
    assert torch.equal(found.norm, dataset.norm[[0, 2]])
    assert not found.weight[0, 60:].any()
    assert found.weight[1].all()
    assert torch.equal(found.absorber, dataset.absorber[[0, 2]].long())


def test_weights_are_one_on_average(dataset, split, training):
    config = replace(training, uncertain_weight=0.25, balance=0.5)
    weights = spectrum_weights(dataset, split.train, config)
    assert weights.dtype == np.float32
    assert weights.shape == (len(dataset),)
    assert weights[split.train].mean() == pytest.approx(1, rel=1e-6)


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_uncertain_sites_weigh_what_they_are_told_to(dataset, split, training, share):
    weights = spectrum_weights(dataset, split.train, replace(training, uncertain_weight=share))
    certain = dataset.certain.numpy()
    assert weights[~certain] == pytest.approx(share * weights[certain][0])
    assert np.ptp(weights[certain]) == 0


@pytest.mark.parametrize("balance", [0.0, 0.5, 1.0])
def test_balance_favours_rare_elements(dataset, split, training, balance):
    weights = spectrum_weights(dataset, split.train, replace(training, balance=balance))
    numbers = dataset.absorber.numpy()[split.train]
    counts = {z: int((numbers == z).sum()) for z in (8, 26)}
    assert counts[8] < counts[26]
    of = {z: weights[split.train][numbers == z][0] for z in counts}
    assert of[8] / of[26] == pytest.approx((counts[26] / counts[8]) ** balance, rel=1e-6)
