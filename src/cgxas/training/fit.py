"""One plain training loop: it can be stopped at any moment and goes on where it was."""

import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cgxas.data.dataset import Dataset
from cgxas.data.split import Split
from cgxas.errors import ConfigError, Interrupted
from cgxas.evaluation.asking import TARGETS_PER_PASS, Answer, predict_targets
from cgxas.model.architecture import Architecture, ArchitectureSettings, build
from cgxas.training.batches import CrystalBatches, spectrum_weights, targets_of
from cgxas.training.loss import rse_loss, slope_rse
from cgxas.training.processes import ALONE, Processes
from cgxas.training.settings import TrainingSettings
from cgxas.training.state import State, append_row

LAST = "state/last.pt"
BEST = "state/best.pt"
LOG = "log.csv"
_SECONDS_BETWEEN_SAVES = 300.0


@dataclass(frozen=True)
class Epoch:
    """What one epoch gave.

    Attributes:
        epoch: its number, from 1.
        train_loss: mean loss over the steps.
        validation_rse: mean RSE over the validation spectra, computed points only.
        learning_rate: at its end.
        seconds: wall time of the training steps.
        spectra_per_second: training speed.
    """

    epoch: int
    train_loss: float
    validation_rse: float
    learning_rate: float
    seconds: float
    spectra_per_second: float


class Watcher(Protocol):
    """Whoever follows a run: a progress bar, a test, a scheduler that wants the machine back."""

    def on_data(self, dataset: Dataset) -> None:
        """Called once the data are ready, in the first process."""

    def on_start(self, steps: int, done: int) -> None:
        """Called once: steps of the whole run, and those done before it was interrupted."""

    def on_step(self, n_spectra: int) -> None:
        """Called after each step with the spectra it learnt from."""

    def on_epoch(self, epoch: Epoch) -> None:
        """Called after each epoch."""

    def wants_to_stop(self) -> bool:
        """Asked after each step; the run then saves its state and raises Interrupted."""


class Silent:
    """A watcher that says nothing and never stops a run."""

    def on_data(self, dataset: Dataset) -> None:
        """Say nothing."""

    def on_start(self, steps: int, done: int) -> None:
        """Say nothing."""

    def on_step(self, n_spectra: int) -> None:
        """Say nothing."""

    def on_epoch(self, epoch: Epoch) -> None:
        """Say nothing."""

    def wants_to_stop(self) -> bool:
        """Go on."""
        return False


SILENT = Silent()


@dataclass(frozen=True, eq=False)
class Job:
    """What is to be learnt, from what, and where.

    Attributes:
        dataset: graphs and targets.
        split: which targets to learn from and which to choose the best epoch by.
        config: how.
        folder: run folder, for the states and the log.
        processes: who shares the work.
        watcher: who is told.
    """

    dataset: Dataset
    split: Split
    config: TrainingSettings
    folder: Path
    processes: Processes = ALONE
    watcher: Watcher = SILENT


def new_network(job: Job, config: ArchitectureSettings) -> Architecture:
    """Return an untrained network that answers with typical spectra."""
    with torch.random.fork_rng():
        torch.manual_seed(job.config.seed)
        network = build(config)
    network.start_from(targets_of(job.dataset, job.split.train))
    return network


def fit(network: Architecture, job: Job) -> Architecture:
    """Train those parameters of a network that want a gradient; a run in the folder goes on.

    Returns:
        The network of the epoch with the lowest validation RSE, in evaluation mode.

    Raises:
        Interrupted: the watcher wanted to stop; the state is saved.
        ConfigError: the folder holds the state of another run.
    """
    if job.processes.is_first:
        (job.folder / LAST).parent.mkdir(parents=True, exist_ok=True)
    network.to(job.processes.device)
    weights = spectrum_weights(job.dataset, job.split.train, job.config)
    learnt = job.split.train[weights[job.split.train] > 0]
    if not len(learnt):
        raise ConfigError("no training spectrum counts: all sites are uncertain, and weigh 0")
    if job.config.batch_crystals < job.processes.count:
        raise ConfigError(
            f"{job.processes.count} processes cannot share batches of {job.config.batch_crystals} "
            "crystals; raise batch_crystals"
        )
    batches = CrystalBatches(job.dataset.crystal.numpy(), learnt, job.config.batch_crystals)
    optimiser = _optimiser(network, job.config)
    schedule = _schedule(optimiser, job.config, len(batches))
    state = State(network, optimiser, schedule)
    with torch.random.fork_rng():
        if (job.folder / LAST).exists():
            state.load(job.folder / LAST)
        _Loop(job, state, batches, torch.from_numpy(weights)).run()
        job.processes.wait()
        state.load(job.folder / BEST)
    return network.eval()


@torch.no_grad()
def site_vectors(network: Architecture, dataset: Dataset, wanted: NDArray[np.int64]) -> Tensor:
    """Return (S, H) site vectors of the members of the data set, in evaluation mode.

    Those of targets that are not wanted are not computed, but left NaN.
    """
    network.eval()
    device = next(network.parameters()).device
    size = (len(dataset.member), network.vector_size)
    vectors = torch.full(size, torch.nan, device=device)
    for n in range(0, len(wanted), TARGETS_PER_PASS):
        batch = dataset.batch(wanted[n : n + TARGETS_PER_PASS]).to(device)
        vectors[batch.members] = network.embed(batch.graphs, batch.nodes)
    return vectors


def graph_is_frozen(network: Architecture) -> bool:
    """Whether only the head of a network learns, so that site vectors never change."""
    head = {id(p) for layer in network.head_layers for p in layer.parameters()}
    return not any(p.requires_grad and id(p) not in head for p in network.parameters())


class _Loop:
    """Epochs of steps, with validation after each."""

    def __init__(self, job: Job, state: State, batches: CrystalBatches, weights: Tensor) -> None:
        self.job, self.state, self.batches, self.weights = job, state, batches, weights
        self.dataset = _resident(job.dataset, job.processes.device)
        self.frozen = graph_is_frozen(state.network)
        used = np.concatenate([job.split.train, job.split.validation])
        vectors = site_vectors(state.network, self.dataset, used) if self.frozen else None
        self.answer = Answer(state.network, job.config.compile and not self.frozen, vectors)
        self.shared = job.processes.shared(self.answer)
        self.certain = job.split.validation[job.dataset.certain.numpy()[job.split.validation]]

    def run(self) -> None:
        """Train until all epochs are done."""
        steps = self.job.config.epochs * len(self.batches)
        done = self.state.epoch * len(self.batches) + self.state.step
        self.job.watcher.on_start(steps, done)
        if not done:  # a network that was trained before may already be the best
            self.state.best = self._validate()
            self._save(BEST)
        while self.state.epoch < self.job.config.epochs:
            self._epoch()

    def _epoch(self) -> None:
        state, config = self.state, self.job.config
        number, first = state.epoch + 1, state.step
        if not first:
            torch.manual_seed(hash((config.seed, number)))
        # The statistics of a trained head are those of all elements; one element's would make
        # it another function at once, to be learnt again.
        self.shared.train(not self.frozen)
        started = saved = time.perf_counter()
        n_learnt = 0
        for groups in islice(self.batches.shuffled(config.seed, number), first, None):
            state.losses.append(self._step(groups))
            state.step += 1
            n_learnt += sum(map(len, groups))
            self.job.watcher.on_step(sum(map(len, groups)))
            if self._must_stop():
                self._save(LAST)
                self.job.processes.wait()  # or another goes on from an older state
                raise Interrupted(
                    f"stopped in epoch {number}, after {state.step} of {len(self.batches)} steps; "
                    "resume the run to go on"
                )
            if time.perf_counter() - saved > _SECONDS_BETWEEN_SAVES:
                self._save(LAST)
                saved = time.perf_counter()
        loss = float(torch.stack(state.losses).mean())
        seconds = time.perf_counter() - started
        validation = self._validate()
        rate = float(state.schedule.get_last_lr()[0])
        epoch = Epoch(number, loss, validation, rate, seconds, n_learnt / seconds)
        state.epoch, state.step, state.losses = number, 0, []
        self._keep(epoch)

    def _keep(self, epoch: Epoch) -> None:
        """Log the epoch, save the state, and tell of it."""
        if epoch.validation_rse < self.state.best:
            self.state.best = epoch.validation_rse
            self._save(BEST)
        # The row first: a run killed in between does the epoch over, and its row with it.
        if self.job.processes.is_first:
            append_row(self.job.folder / LOG, asdict(epoch))
        self._save(LAST)
        self.job.watcher.on_epoch(epoch)

    def _step(self, groups: Sequence[NDArray[np.int64]]) -> Tensor:
        """Take one step down the weighted mean loss of a batch, and return that mean."""
        config, processes = self.job.config, self.job.processes
        mine = np.concatenate(groups[processes.rank :: processes.count])
        batch = self.dataset.batch(mine).to(processes.device)
        weight = self.weights[mine].to(processes.device)
        predicted = self.shared(batch)
        losses = rse_loss(predicted, batch.norm, batch.weight)
        if config.slope_weight:
            losses = losses + config.slope_weight * slope_rse(
                predicted, batch.norm, batch.slope_weight
            )
        share = (losses * weight).sum() / float(self.weights[np.concatenate(groups)].sum())
        self.state.optimiser.zero_grad(set_to_none=True)
        # The gradients are averaged over the processes, and are wanted as their sum.
        (share * processes.count).backward()  # type: ignore[no-untyped-call]
        # Their gradients are rounding errors, and Adam takes steps of full length along those.
        for bias in self.state.network.idle_parameters() if self.shared.training else ():
            if bias.grad is not None:
                bias.grad.zero_()
        torch.nn.utils.clip_grad_norm_(self.state.network.parameters(), config.clip_norm)
        self.state.optimiser.step()
        self.state.schedule.step()
        return processes.sum(share)

    def _validate(self) -> float:
        """Return the mean RSE over computed points; sites that are not certain are left out."""
        processes = self.job.processes
        total = torch.zeros(2, dtype=torch.float64, device=processes.device)
        mine = self.certain[processes.rank :: processes.count]
        for _, batch, predicted in predict_targets(self.answer, self.dataset, mine):
            errors = rse_loss(predicted, batch.norm, batch.computed)
            total += torch.stack([errors.double().sum(), errors.new_tensor(len(errors)).double()])
        misfit, count = processes.sum(total).tolist()
        return misfit / count if count else math.inf

    def _must_stop(self) -> bool:
        """Whether any process is wanted to stop."""
        wish = torch.tensor([float(self.job.watcher.wants_to_stop())])
        if self.job.processes.count > 1:
            wish = self.job.processes.sum(wish.to(self.job.processes.device))
        return bool(wish > 0)

    def _save(self, name: str) -> None:
        if self.job.processes.is_first:
            self.state.save(self.job.folder / name)


def _resident(dataset: Dataset, device: torch.device) -> Dataset:
    """Return the data set on the device if it takes less than half of its free memory."""
    if device.type != "cuda":
        return dataset
    free, _ = torch.cuda.mem_get_info(device)
    size = sum(tensor.nbytes for tensor in dataset.tensors.values())
    return dataset.to(device) if size < free / 2 else dataset


def _optimiser(network: Architecture, config: TrainingSettings) -> torch.optim.Optimizer:
    parameters = [p for p in network.parameters() if p.requires_grad]
    betas = 0.9, config.beta2
    if config.optimiser == "adam":
        return torch.optim.Adam(parameters, config.learning_rate, betas, fused=True)
    return torch.optim.AdamW(
        parameters, config.learning_rate, betas, weight_decay=config.weight_decay, fused=True
    )


def _schedule(
    optimiser: torch.optim.Optimizer, config: TrainingSettings, steps_per_epoch: int
) -> torch.optim.lr_scheduler.LambdaLR:
    total = config.epochs * steps_per_epoch
    warm_up = max(1, total // 20)

    def factor(step: int) -> float:
        if config.schedule == "constant":
            return 1.0
        if config.schedule == "step":
            return float(0.8 ** (step // (10 * steps_per_epoch)))
        if step < warm_up:
            return (step + 1) / warm_up
        return 0.5 + 0.5 * math.cos(math.pi * (step - warm_up) / max(1, total - warm_up))

    return torch.optim.lr_scheduler.LambdaLR(optimiser, factor)
