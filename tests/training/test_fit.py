"""The loop: it learns, can be stopped at any step, and tells of both."""

import csv
from dataclasses import replace

import numpy as np
import pytest
import torch

from cgxas.crystals.spec import GraphSpec
from cgxas.data.compile import build_dataset
from cgxas.data.split import Split
from cgxas.errors import ConfigError, Interrupted
from cgxas.evaluation.asking import Answer, predict_targets
from cgxas.model.cgxas.config import CGXASConfig
from cgxas.model.cgxas.network import CGXAS
from cgxas.spectra.xray import windows
from cgxas.training.fit import (
    BEST,
    LAST,
    LOG,
    SILENT,
    Job,
    _optimiser,
    _schedule,
    fit,
    new_network,
    site_vectors,
)
from cgxas.training.settings import TrainingSettings


def log(job: Job) -> list[dict[str, str]]:
    with (job.folder / LOG).open() as file:
        return list(csv.DictReader(file))


def losses(job: Job) -> list[float]:
    return [float(row["train_loss"]) for row in log(job)]


def saved(job: Job, name: str) -> dict:
    return torch.load(job.folder / name, weights_only=True)


def assert_equal_weights(one: CGXAS, other: CGXAS, within: float = 1e-6) -> None:
    for name, tensor in one.state_dict().items():
        torch.testing.assert_close(other.state_dict()[name], tensor, rtol=0, atol=within)


def test_untrained_network_answers_with_the_typical_spectrum(job, model, dataset, split):
    network = new_network(job(), model).eval()
    mean = dataset.norm[torch.from_numpy(split.train)].mean(dim=0)
    spectra = network(dataset.batch(np.array([0, 1])).graphs).detach()
    assert float((spectra - mean).abs().max()) < 0.5
    other = new_network(job(seed=1), model)
    torch.testing.assert_close(other.head_layers[-1].norm.bias, network.head_layers[-1].norm.bias)


def test_loss_goes_down(job, model, watcher):
    told = watcher()
    one = job(watcher=told, epochs=15, schedule="constant")
    network = fit(new_network(one, model), one)
    assert told.start == (30, 0)
    assert [epoch.epoch for epoch in told.epochs] == list(range(1, 16))
    assert np.mean(losses(one)[-3:]) < 0.7 * losses(one)[0]
    assert losses(one) == pytest.approx([epoch.train_loss for epoch in told.epochs], rel=1e-5)
    assert told.epochs[0].learning_rate == 3e-3
    assert told.epochs[0].spectra_per_second > 0
    assert not network.training


def test_log_has_a_row_per_epoch_with_what_was_told(job, model, watcher):
    told = watcher()
    one = job(watcher=told)
    fit(new_network(one, model), one)
    for row, epoch in zip(log(one), told.epochs, strict=True):
        assert row.keys() == vars(epoch).keys()
        for name, value in vars(epoch).items():
            assert float(row[name]) == pytest.approx(value, rel=1e-5)


def test_best_epoch_is_returned(job, model, watcher):
    told = watcher()
    one = job(watcher=told, epochs=6, learning_rate=0.03, schedule="constant")
    network = fit(new_network(one, model), one)
    best = min(told.epochs, key=lambda epoch: epoch.validation_rse)
    state = saved(one, BEST)
    assert state["best"] == best.validation_rse
    assert state["epoch"] == best.epoch
    for name, tensor in state["network"].items():
        assert torch.equal(network.state_dict()[name], tensor)
    if best.epoch < 6:
        last = saved(one, LAST)["network"]
        assert any(not torch.equal(network.state_dict()[name], last[name]) for name in last)


def test_a_network_that_only_gets_worse_is_returned_as_it_was(job, model, watcher):
    first = job("first", epochs=6)
    trained = fit(new_network(first, model), first)
    told = watcher()
    spoiling = job("spoiling", told, epochs=2, learning_rate=1.0, schedule="constant")
    before = {name: tensor.clone() for name, tensor in trained.state_dict().items()}
    after = fit(trained, spoiling)
    assert min(epoch.validation_rse for epoch in told.epochs) > saved(first, BEST)["best"]
    assert saved(spoiling, BEST)["epoch"] == 0
    for name, tensor in before.items():
        assert torch.equal(after.state_dict()[name], tensor)


def test_validation_counts_certain_sites_and_computed_points(job, model, dataset, split, watcher):
    told = watcher()
    one = job(watcher=told, epochs=1)
    computed = dataset.computed.clone()
    computed[:, 1] = 70
    mu = dataset.norm.clone()
    mu[:, 70:] = 0
    one = replace(one, dataset=replace(dataset, norm=mu, computed=computed))
    fit(new_network(one, model), one)
    assert len(split.validation) > dataset.certain[split.validation].sum()
    network = CGXAS(model).eval()
    network.load_state_dict(saved(one, LAST)["network"])
    errors = []
    for targets, _, found in predict_targets(Answer(network), dataset, split.validation):
        for target, spectrum in zip(targets, found[:, :70], strict=True):
            if dataset.certain[target]:
                misfit = ((spectrum - mu[target, :70]) ** 2).sum() / (mu[target, :70] ** 2).sum()
                errors.append(float(misfit))
    assert told.epochs[0].validation_rse == pytest.approx(np.mean(errors), rel=1e-5)


@pytest.mark.parametrize("schedule", ["cosine", "step"])
@pytest.mark.parametrize("stops", [[1], [2], [3, 2, 1], [7]])
def test_resumed_run_equals_the_unbroken_one(job, model, watcher, schedule, stops):
    """Two steps make an epoch: 1, 3 and 7 lie in the middle of one, 2 and 5 at the end."""
    one, told = job("whole", schedule=schedule), watcher()
    whole = fit(new_network(one, model), one)
    done = 0
    for steps in stops:
        stopped = watcher(stop_after=steps)
        broken = job("parts", stopped, schedule=schedule)
        with pytest.raises(Interrupted, match="resume the run to go on"):
            fit(new_network(broken, model), broken)
        assert stopped.start == (8, done)
        done += steps
        torch.rand(7)  # what else happened in between must not matter
    rest = job("parts", told, schedule=schedule)
    resumed = fit(new_network(rest, model), rest)
    assert told.start == (8, done)
    assert len(told.spectra) == 8 - done
    assert_equal_weights(whole, resumed)
    assert [row["epoch"] for row in log(rest)] == ["1", "2", "3", "4"]
    assert losses(rest) == pytest.approx(losses(one), rel=1e-5)
    assert saved(rest, LAST)["best"] == pytest.approx(saved(one, LAST)["best"], rel=1e-6)


class Crash(Exception):
    """The machine went down."""


@pytest.mark.parametrize("what", ["append_row", "save"])
def test_run_that_broke_while_an_epoch_was_kept_goes_on(job, model, monkeypatch, what):
    one = job("whole")
    whole = fit(new_network(one, model), one)
    broken = job("parts")
    calls = 0

    def breaks(real):
        def call(*values):
            nonlocal calls
            calls += 1
            if calls == 4:
                raise Crash
            return real(*values)

        return call

    with monkeypatch.context() as patch:
        place = "cgxas.training.fit.append_row"
        if what == "save":
            place = "cgxas.training.state.State.save"
        patch.setattr(place, breaks(getattr(*resolved(place))))
        with pytest.raises(Crash):
            fit(new_network(broken, model), broken)
    resumed = fit(new_network(broken, model), broken)
    assert_equal_weights(whole, resumed)
    assert [row["epoch"] for row in log(broken)] == ["1", "2", "3", "4"]
    assert losses(broken) == pytest.approx(losses(one), rel=1e-5)


def resolved(place: str) -> tuple[object, str]:
    """Return what holds a dotted name, and the last part of it."""
    from cgxas.training import fit as module
    from cgxas.training.state import State

    return (State if "State" in place else module), place.rsplit(".", 1)[1]


def test_finished_run_is_not_trained_again(job, model, watcher):
    one = job()
    network = fit(new_network(one, model), one)
    told = watcher()
    again = job(watcher=told)
    assert_equal_weights(network, fit(new_network(again, model), again), within=0)
    assert told.start == (8, 8)
    assert (told.spectra, told.epochs) == ([], [])


def test_state_of_another_network_is_refused(job, model):
    fit(new_network(job(epochs=1), model), job(epochs=1))
    other = replace(model, hidden=16)
    with pytest.raises(ConfigError, match="of another network"):
        fit(new_network(job(epochs=1), other), job(epochs=1))


def test_state_is_saved_from_time_to_time_within_an_epoch(job, model, monkeypatch):
    class Crashing(type(SILENT)):
        def on_step(self, n_spectra: int) -> None:
            steps.append(n_spectra)
            if len(steps) == 2:
                raise Crash

    steps: list[int] = []
    monkeypatch.setattr("cgxas.training.fit._SECONDS_BETWEEN_SAVES", 0.0)
    one = job(watcher=Crashing())
    with pytest.raises(Crash):
        fit(new_network(one, model), one)
    assert (saved(one, LAST)["epoch"], saved(one, LAST)["step"]) == (0, 1)


def test_training_leaves_the_random_state_alone(job, model):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    fit(new_network(job(epochs=1), model), job(epochs=1))
    assert torch.equal(torch.rand(3), expected)


def test_seed_decides(job, model):
    weights = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        one = job(name, epochs=1, seed=seed)
        weights.append(fit(new_network(one, model), one).embedding.linear.weight)
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_uncertain_sites_are_left_out_at_weight_zero(job, model, dataset, split):
    settings = {"epochs": 2, "uncertain_weight": 0.0}
    one = job("as they are", **settings)
    fit(new_network(one, model), one)
    # If they are left out, what they say cannot matter.
    mu = dataset.norm.clone()
    uncertain = np.intersect1d(split.train, np.flatnonzero(~dataset.certain.numpy()))
    mu[uncertain] = mu[uncertain].flip(0)  # among themselves, so that the typical spectrum stays
    other = replace(job("exchanged", **settings), dataset=replace(dataset, norm=mu))
    fit(new_network(other, model), other)
    assert losses(other) == pytest.approx(losses(one), abs=1e-6)
    counted = replace(job("counted", epochs=2), dataset=other.dataset)
    fit(new_network(counted, model), counted)
    assert losses(counted) != pytest.approx(losses(one), abs=1e-4)


def test_slopes_count_if_they_are_wanted(job, model):
    plain, both = job("plain", epochs=1), job("both", epochs=1, slope_weight=2.0)
    for one in (plain, both):
        fit(new_network(one, model), one)
    assert losses(both)[0] > losses(plain)[0] + 0.01


def test_frozen_graph_part_stays_and_its_vectors_are_computed_once(job, model, dataset):
    network = new_network(job(), model).requires_grad_(False)
    network.head_layers.requires_grad_(True)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    passes = []
    network.embedding.register_forward_hook(lambda *_: passes.append(1))
    one = job(epochs=3)
    trained = fit(network, one)
    assert len(passes) == 1
    last = saved(one, LAST)["network"]
    moved = {name for name, tensor in last.items() if not torch.equal(tensor, before[name])}
    # The statistics of the head stay, too: they are those of all elements.
    assert moved == {f"head_layers.0.{p}" for p, _ in network.head_layers[0].named_parameters()}
    kept = Answer(trained, vectors=site_vectors(trained, dataset, np.arange(4)))
    found = next(predict_targets(kept, dataset, np.arange(4)))[2]
    again = next(predict_targets(Answer(trained), dataset, np.arange(4)))[2]
    torch.testing.assert_close(found, again, rtol=1e-5, atol=1e-6)


def test_predictions_come_with_their_targets(job, model, dataset, monkeypatch):
    monkeypatch.setattr("cgxas.evaluation.asking.TARGETS_PER_PASS", 3)
    answer = Answer(new_network(job(), model))
    wanted = np.array([15, 0, 7, 8, 3])
    seen = [chosen.tolist() for chosen, _, _ in predict_targets(answer, dataset, wanted)]
    assert [len(chosen) for chosen in seen] == [3, 2]
    assert sorted(n for chosen in seen for n in chosen) == sorted(wanted.tolist())
    for chosen, batch, spectra in predict_targets(answer, dataset, wanted):
        assert torch.equal(batch.norm, dataset.norm[chosen])
        for target, spectrum in zip(chosen, spectra, strict=True):
            alone = next(predict_targets(answer, dataset, np.array([target])))[2]
            torch.testing.assert_close(spectrum, alone[0], rtol=1e-5, atol=1e-6)


def test_network_of_two_theories_answers_each_in_its_own(record, tmp_path):
    """The second theory has its edges 6 eV higher; a network of one can only take the middle."""
    records = []
    for n in range(8):
        one = record(n, ("Fe", "Co")[n % 2], 0, 0.1 * n, "FEFF9")
        two = record(n, ("Fe", "Co")[n % 2], 0, 0.1 * n + 6, "VASP")
        records += [one, replace(two, material=one.material)]
    config = CGXASConfig(
        hidden=16, n_modules=1, n_head_layers=2, wave_numbers=0, graph=GraphSpec(per_orbit=True)
    )
    dataset = build_dataset(records, windows(), config)
    everything = np.arange(16)
    split = Split(everything, everything, everything)
    training = TrainingSettings(epochs=40, batch_crystals=4, learning_rate=2e-2)
    errors = {}
    for names in ((), ("VASP", "FEFF9")):
        told = replace(config, fidelities=names)
        job = Job(dataset.renumbered(names), split, training, tmp_path / str(len(names)))
        network = fit(new_network(job, told), job)
        errors[names] = saved(job, BEST)["best"]
    assert errors["VASP", "FEFF9"] < 0.1 * errors[()]
    batch = job.dataset.batch(np.array([4, 5]))
    with torch.no_grad():
        vectors = network.embed(batch.graphs)[batch.nodes]
        vasp, feff = (network.head(vectors, torch.tensor(n)) for n in range(2))
    feff9, higher = dataset.norm[4], dataset.norm[5]
    assert float((feff[0] - feff9).abs().max()) < 0.25
    assert float((vasp[0] - higher).abs().max()) < 0.25
    assert float((higher - feff9).abs().max()) > 0.7


@pytest.mark.parametrize(
    ("schedule", "factors"),
    [
        ("constant", {0: 1.0, 50: 1.0, 99: 1.0}),
        ("step", {0: 1.0, 49: 1.0, 50: 0.8, 99: 0.8}),
        ("cosine", {0: 0.2, 4: 1.0, 5: 1.0, 52: 0.5082666, 99: 0.000273}),
    ],
)
def test_schedule(schedule, factors):
    config = TrainingSettings(epochs=20, schedule=schedule, learning_rate=1.0)
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], 1.0)
    rates = _schedule(optimiser, config, steps_per_epoch=5).lr_lambdas[0]
    assert {step: rates(step) for step in factors} == pytest.approx(factors, abs=1e-4)


def test_optimisers(training):
    network = torch.nn.Linear(2, 2)
    network.bias.requires_grad_(False)
    adam = _optimiser(network, replace(training, optimiser="adam"))
    adamw = _optimiser(network, replace(training, optimiser="adamw", weight_decay=0.03))
    assert type(adam) is torch.optim.Adam
    assert adam.defaults["weight_decay"] == 0
    assert type(adamw) is torch.optim.AdamW
    assert adamw.defaults["weight_decay"] == 0.03
    assert [p is network.weight for p in adamw.param_groups[0]["params"]] == [True]
