"""One plain training loop: it writes a checkpoint after every epoch and resumes from it."""

import csv
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cgxas.atomic import atomic_path
from cgxas.data.dataset import Batch, Dataset
from cgxas.data.split import Split
from cgxas.model.config import ModelConfig
from cgxas.model.network import CGXAS
from cgxas.training.config import TrainingConfig

LAST = "last.pt"
BEST = "best.pt"
LOG = "log.csv"


@dataclass(frozen=True)
class Epoch:
    """What one epoch gave.

    Attributes:
        epoch: its number, from 1.
        train_loss: mean loss over the steps.
        validation_rse: mean RSE over the validation spectra, computed points only.
        seconds: wall time.
        spectra_per_second: training speed.
    """

    epoch: int
    train_loss: float
    validation_rse: float
    seconds: float
    spectra_per_second: float


def rse_loss(predicted: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Return (T,) sums of w (p - t)^2 over sums of w t^2 (SPEC section 5)."""
    misfit = (weight * (predicted - target) ** 2).sum(dim=1)
    return misfit / (weight * target**2).sum(dim=1)


def slope_rse(predicted: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Return (T,) RSE of the first differences, where both of their points have weight."""
    return rse_loss(predicted.diff(dim=1), target.diff(dim=1), weight[:, 1:] * weight[:, :-1])


def fit(
    dataset: Dataset,
    split: Split,
    model_config: ModelConfig,
    config: TrainingConfig,
    folder: Path,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> CGXAS:
    """Train a network; whatever a run folder already holds is continued.

    Args:
        dataset: graphs and targets.
        split: which targets to learn from and which to choose the best epoch by.
        model_config: the network.
        config: the training.
        folder: run folder for the checkpoints and the log.
        on_epoch: told about every epoch as it ends.

    Returns:
        The network of the epoch with the lowest validation RSE, in evaluation mode.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with torch.random.fork_rng():
        torch.manual_seed(config.seed)
        network = CGXAS(model_config)
        network.start_from(*typical_spectrum(dataset, split.train))
        weights = spectrum_weights(dataset, split.train, config)
        learnt = split.train[weights[split.train] > 0]
        batches = CrystalBatches(dataset, learnt, config.batch_crystals)
        optimiser = _optimiser(network, config)
        schedule = _schedule(optimiser, config, len(batches))
        state = _State(network, optimiser, schedule)
        done, best = state.load(folder / LAST)
        embed = torch.compile(network.embed, dynamic=True) if config.compile else network.embed
        for number in range(done + 1, config.epochs + 1):
            started = time.perf_counter()
            torch.manual_seed(hash((config.seed, number)))
            network.train()
            losses = []
            for wanted in batches.shuffled(config.seed, number):
                batch = dataset.batch(wanted)
                predicted = batch.pool(network.head(embed(batch.graphs)[batch.nodes]))
                loss = rse_loss(predicted, batch.mu, batch.weight)
                if config.slope_weight:
                    slopes = slope_rse(predicted, batch.mu, batch.weight)
                    loss = loss + config.slope_weight * slopes
                losses.append(_step(state, loss, torch.from_numpy(weights[wanted]), config))
            seconds = time.perf_counter() - started
            validation = validation_rse(network, dataset, split.validation)
            epoch = Epoch(
                number, float(np.mean(losses)), validation, seconds, len(learnt) / seconds
            )
            if validation < best:
                best = validation
                state.save(folder / BEST, number, best)
            state.save(folder / LAST, number, best)
            _log(folder / LOG, epoch)
            on_epoch(epoch)
        state.load(folder / BEST)
    return network.eval()


class CrystalBatches:
    """Targets grouped by crystal, so that a crystal's graph is passed once for all of them."""

    def __init__(self, dataset: Dataset, targets: NDArray[np.int64], n_crystals: int) -> None:
        crystals = dataset.targets.crystal[targets]
        order = np.argsort(crystals, kind="stable")
        starts = np.flatnonzero(np.diff(crystals[order])) + 1
        self._groups = np.split(targets[order], starts)
        self._n_crystals = n_crystals

    def __len__(self) -> int:
        # A last batch that is not full is left out: batch statistics of a few atoms are noise.
        return max(1, len(self._groups) // self._n_crystals)

    def shuffled(self, seed: int, epoch: int) -> Iterator[NDArray[np.int64]]:
        """Yield the targets of each batch, in an order that the seed and epoch alone decide."""
        order = np.random.default_rng((seed, epoch)).permutation(len(self._groups))
        for n in range(len(self)):
            chosen = order[n * self._n_crystals : (n + 1) * self._n_crystals]
            yield np.concatenate([self._groups[group] for group in chosen])


def typical_spectrum(dataset: Dataset, train: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
    """Return the weighted mean and standard deviation of the training targets, (P,) each."""
    mu, weight = dataset.targets.mu[train], dataset.targets.weight[train]
    total = np.maximum(weight.sum(axis=0), 1e-6)
    mean = (weight * mu).sum(axis=0) / total
    spread = np.sqrt((weight * (mu - mean) ** 2).sum(axis=0) / total)
    return torch.from_numpy(mean), torch.from_numpy(spread)


def spectrum_weights(
    dataset: Dataset, train: NDArray[np.int64], config: TrainingConfig
) -> NDArray[np.float32]:
    """Return the weight of every spectrum in the loss, 1 on average over the training part."""
    numbers = dataset.targets.numbers
    counts = np.maximum(np.bincount(numbers[train], minlength=int(numbers.max()) + 1), 1)
    weights = counts[numbers] ** -config.balance
    weights *= np.where(dataset.targets.certain, 1.0, config.uncertain_weight)
    return np.asarray(weights / weights[train].mean(), dtype=np.float32)


@torch.no_grad()
def predict_targets(
    network: CGXAS, dataset: Dataset, wanted: NDArray[np.int64], size: int = 128
) -> Iterator[tuple[NDArray[np.int64], Batch, Tensor]]:
    """Yield targets, batch and (T, P) predictions, in evaluation mode."""
    was_training = network.training
    network.eval()
    for n in range(0, len(wanted), size):
        batch = dataset.batch(wanted[n : n + size])
        yield wanted[n : n + size], batch, batch.pool(network(batch.graphs, batch.nodes))
    network.train(was_training)


def validation_rse(network: CGXAS, dataset: Dataset, wanted: NDArray[np.int64]) -> float:
    """Return the mean RSE over computed points; sites that are not certain are left out."""
    wanted = wanted[dataset.targets.certain[wanted]]
    parts = [
        rse_loss(predicted, batch.mu, batch.computed)
        for _, batch, predicted in predict_targets(network, dataset, wanted)
    ]
    return float(torch.cat(parts).mean()) if parts else math.inf


def _optimiser(network: CGXAS, config: TrainingConfig) -> torch.optim.Optimizer:
    if config.optimiser == "adam":
        return torch.optim.Adam(network.parameters(), config.learning_rate)
    return torch.optim.AdamW(
        network.parameters(), config.learning_rate, weight_decay=config.weight_decay
    )


def _schedule(
    optimiser: torch.optim.Optimizer, config: TrainingConfig, steps_per_epoch: int
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


@dataclass(frozen=True, eq=False)
class _State:
    """What a run needs to go on as if it had never stopped."""

    network: CGXAS
    optimiser: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LambdaLR

    def save(self, path: Path, epoch: int, best: float) -> None:
        values: dict[str, Any] = {
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
            "epoch": epoch,
            "best": best,
        }
        with atomic_path(path) as temporary:
            torch.save(values, temporary)

    def load(self, path: Path) -> tuple[int, float]:
        """Return the epochs done and the best validation RSE: 0 and infinity for a new run."""
        if not path.exists():
            return 0, math.inf
        values = torch.load(path, weights_only=True)
        self.network.load_state_dict(values["network"])
        self.optimiser.load_state_dict(values["optimiser"])
        self.schedule.load_state_dict(values["schedule"])
        return int(values["epoch"]), float(values["best"])


def _step(state: _State, losses: Tensor, weight: Tensor, config: TrainingConfig) -> float:
    """Take one step down the weighted mean of the (T,) losses, and return that mean."""
    loss = (losses * weight).sum() / weight.sum()
    state.optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(state.network.parameters(), config.clip_norm)
    state.optimiser.step()
    state.schedule.step()
    return float(loss.item())


def _log(path: Path, epoch: Epoch) -> None:
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file)
        if new:
            writer.writerow(vars(epoch))
        writer.writerow(f"{value:.6g}" for value in vars(epoch).values())
