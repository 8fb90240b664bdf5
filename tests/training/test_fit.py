import csv
from dataclasses import replace

import numpy as np
import pytest
import torch

from cgxas.crystals.canonical import Cell
from cgxas.data.dataset import Dataset, build_dataset
from cgxas.data.records import Material, Record
from cgxas.data.split import Split
from cgxas.model.config import ModelConfig
from cgxas.spectra.windows import WINDOWS
from cgxas.training.config import TrainingConfig
from cgxas.training.fit import (
    CrystalBatches,
    _optimiser,
    _schedule,
    fit,
    rse_loss,
    spectrum_weights,
    typical_spectrum,
)

MODEL = ModelConfig(hidden=8, n_modules=1, n_head_layers=1, wave_numbers=2, dropout=0.1)
TRAINING = TrainingConfig(epochs=4, batch_crystals=3, learning_rate=3e-3)


def material(n: int) -> Material:
    """Rock salt of iron or cobalt with oxygen, a little larger each time."""
    metal, length = (26, 27)[n % 2], 4.1 + 0.02 * n
    corners = np.array([[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])
    places = np.concatenate([corners, np.add(corners, [0.5, 0, 0])])
    numbers = np.array([metal] * 4 + [8] * 4)
    return Material(f"m{n}", f"X{n}", Cell(np.eye(3) * length, places, numbers))


def record(name: str, crystal: Material, element: str, site: int, shift: float) -> Record:
    energy = WINDOWS[element].energies
    mu = 0.5 + np.arctan(energy - energy[0] - 15 - shift) / np.pi
    return Record(name, crystal, element, site, True, energy, mu, "made up")


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    """Twelve crystals with a metal and an oxygen spectrum each; every third is uncertain."""
    records = []
    for n in range(12):
        crystal = material(n)
        metal = ("Fe", "Co")[n % 2]
        records.append(record(f"{n}a", crystal, metal, 0, 0.3 * n))
        if n % 3 == 0:
            uncertain = record(f"{n}b", crystal, "O", 5, -0.3 * n)
            records.append(replace(uncertain, site_certain=False))
    return build_dataset(records, WINDOWS, MODEL)


@pytest.fixture(scope="module")
def split(dataset) -> Split:
    crystal = dataset.targets.crystal
    return Split(*(np.flatnonzero(part) for part in (crystal < 8, crystal // 2 == 4, crystal > 9)))


def losses(folder) -> list[float]:
    with (folder / "log.csv").open() as file:
        return [float(row["train_loss"]) for row in csv.DictReader(file)]


def test_rse_loss_counts_weighted_points():
    target, predicted = torch.tensor([[1.0, 2.0, 9.0]]), torch.tensor([[2.0, 2.0, 0.0]])
    weight = torch.tensor([[1.0, 0.5, 0.0]])
    assert rse_loss(predicted, target, weight).tolist() == pytest.approx([1 / 3])


def test_loss_goes_down(dataset, split, tmp_path):
    told = []
    config = replace(TRAINING, epochs=15, schedule="constant")
    network = fit(dataset, split, MODEL, config, tmp_path, told.append)
    assert [epoch.epoch for epoch in told] == list(range(1, 16))
    assert np.mean(losses(tmp_path)[-3:]) < 0.7 * losses(tmp_path)[0]
    assert losses(tmp_path) == pytest.approx([epoch.train_loss for epoch in told], rel=1e-5)
    assert not network.training


def test_best_epoch_is_returned(dataset, split, tmp_path):
    told = []
    network = fit(dataset, split, MODEL, TRAINING, tmp_path, told.append)
    best = min(told, key=lambda epoch: epoch.validation_rse)
    saved = torch.load(tmp_path / "best.pt", weights_only=True)
    assert saved["epoch"] == best.epoch
    assert saved["best"] == best.validation_rse
    state = network.state_dict()
    assert all(torch.equal(state[name], tensor) for name, tensor in saved["network"].items())


class Stopped(Exception):
    """The run was interrupted."""


@pytest.mark.parametrize("schedule", ["cosine", "step"])
def test_resumed_run_equals_the_unbroken_one(dataset, split, tmp_path, schedule):
    config = replace(TRAINING, schedule=schedule)
    whole = fit(dataset, split, MODEL, config, tmp_path / "whole")

    def stop_after_two(epoch):
        if epoch.epoch == 2:
            raise Stopped

    with pytest.raises(Stopped):
        fit(dataset, split, MODEL, config, tmp_path / "parts", stop_after_two)
    torch.rand(7)  # what else happened in between must not matter
    resumed = fit(dataset, split, MODEL, config, tmp_path / "parts")
    for name, tensor in whole.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[name], tensor, rtol=0, atol=1e-6)
    assert losses(tmp_path / "parts") == pytest.approx(losses(tmp_path / "whole"), abs=1e-6)


def test_training_leaves_the_random_state_alone(dataset, split, tmp_path):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    fit(dataset, split, MODEL, replace(TRAINING, epochs=1), tmp_path)
    assert torch.equal(torch.rand(3), expected)


def test_seed_decides(dataset, split, tmp_path):
    one = replace(TRAINING, epochs=1)
    states = [
        fit(dataset, split, MODEL, replace(one, seed=seed), tmp_path / name).state_dict()
        for name, seed in (("a", 0), ("b", 0), ("c", 1))
    ]
    weights = [state["embedding.linear.weight"] for state in states]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_uncertain_sites_are_left_out_at_weight_zero(dataset, split, tmp_path):
    config = replace(TRAINING, epochs=2, uncertain_weight=0.0)
    weights = spectrum_weights(dataset, split.train, config)
    assert (weights[~dataset.targets.certain] == 0).all()
    assert weights[split.train].mean() == pytest.approx(1, rel=1e-6)
    fit(dataset, split, MODEL, config, tmp_path / "as they are")
    # If they are left out, what they say cannot matter.
    mu = dataset.targets.mu.copy()
    uncertain = np.intersect1d(split.train, np.flatnonzero(~dataset.targets.certain))
    mean, spread = typical_spectrum(dataset, split.train)
    mu[uncertain] = mu[uncertain][::-1]  # among themselves, so that the typical spectrum stays
    changed = Dataset(dataset.graphs, replace(dataset.targets, mu=mu))
    torch.testing.assert_close(typical_spectrum(changed, split.train), (mean, spread))
    fit(changed, split, MODEL, config, tmp_path / "exchanged")
    assert losses(tmp_path / "exchanged") == pytest.approx(
        losses(tmp_path / "as they are"), abs=1e-6
    )


def test_uncertain_sites_count_otherwise(dataset, split):
    weights = spectrum_weights(dataset, split.train, replace(TRAINING, uncertain_weight=0.25))
    certain = dataset.targets.certain
    assert weights[~certain][0] == pytest.approx(0.25 * weights[certain][0])


@pytest.mark.parametrize("balance", [0.0, 0.5, 1.0])
def test_balance_favours_rare_elements(dataset, split, balance):
    weights = spectrum_weights(dataset, split.train, replace(TRAINING, balance=balance))
    numbers = dataset.targets.numbers[split.train]
    counts = {z: int((numbers == z).sum()) for z in (8, 26)}
    assert counts[8] < counts[26]
    of = {z: weights[split.train][numbers == z][0] for z in counts}
    assert of[8] / of[26] == pytest.approx((counts[26] / counts[8]) ** balance)


def test_batches_hold_each_crystal_once(dataset, split):
    batches = CrystalBatches(dataset, split.train, 3)
    assert len(batches) == 2  # of 8 crystals; the last two are not a full batch
    for epoch in range(5):
        seen = [dataset.targets.crystal[wanted] for wanted in batches.shuffled(0, epoch)]
        assert [len(set(crystals)) for crystals in seen] == [3, 3]
        assert not set(seen[0]) & set(seen[1])
        for wanted, crystals in zip(batches.shuffled(0, epoch), seen, strict=True):
            every = np.flatnonzero(np.isin(dataset.targets.crystal, crystals))
            assert sorted(wanted) == every.tolist()


def test_order_of_batches_follows_seed_and_epoch(dataset, split):
    batches = CrystalBatches(dataset, split.train, 3)

    def order(seed: int, epoch: int) -> list[int]:
        return np.concatenate(list(batches.shuffled(seed, epoch))).tolist()

    assert order(0, 1) == order(0, 1)
    assert order(0, 1) != order(0, 2)
    assert order(0, 1) != order(1, 1)


def test_typical_spectrum_is_the_weighted_mean(dataset):
    mu, weight = dataset.targets.mu.copy(), dataset.targets.weight.copy()
    weight[0, :10] = 0
    mu[0, :10] = 100
    changed = Dataset(dataset.graphs, replace(dataset.targets, mu=mu, weight=weight))
    mean, spread = typical_spectrum(changed, np.array([0, 1, 2]))
    np.testing.assert_allclose(mean[:10], mu[1:3, :10].mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(spread[10:], mu[:3, 10:].std(axis=0), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("schedule", "factors"),
    [
        ("constant", {0: 1.0, 50: 1.0, 99: 1.0}),
        ("step", {0: 1.0, 49: 1.0, 50: 0.8, 99: 0.8}),
        ("cosine", {0: 0.2, 4: 1.0, 5: 1.0, 52: 0.5082666, 99: 0.000273}),
    ],
)
def test_schedule(schedule, factors):
    config = TrainingConfig(epochs=20, schedule=schedule, learning_rate=1.0)
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], 1.0)
    rates = _schedule(optimiser, config, steps_per_epoch=5).lr_lambdas[0]
    assert {step: rates(step) for step in factors} == pytest.approx(factors, abs=1e-4)


def test_optimisers():
    network = torch.nn.Linear(2, 2)
    adam = _optimiser(network, replace(TRAINING, optimiser="adam"))
    adamw = _optimiser(network, replace(TRAINING, optimiser="adamw", weight_decay=0.03))
    assert type(adam) is torch.optim.Adam
    assert adam.defaults["weight_decay"] == 0
    assert type(adamw) is torch.optim.AdamW
    assert adamw.defaults["weight_decay"] == 0.03
