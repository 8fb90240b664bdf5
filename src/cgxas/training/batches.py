"""What each training step learns from: the order of crystals and the weight of spectra."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from cgxas.data.dataset import Dataset
from cgxas.model.architecture import Targets
from cgxas.training.settings import TrainingSettings


class CrystalBatches:
    """Targets grouped by crystal, so that a crystal's graph is passed once for all of them."""

    def __init__(self, crystal: NDArray[np.int64], targets: NDArray[np.int64], size: int) -> None:
        """Group targets.

        Args:
            crystal: (T,) crystal of every target of the data set.
            targets: those to learn from.
            size: crystals in a batch.
        """
        order = np.argsort(crystal[targets], kind="stable")
        self._targets = targets[order]
        starts = np.flatnonzero(np.diff(crystal[self._targets])) + 1
        self._starts = np.concatenate([[0], starts, [len(targets)]])
        self._size = size

    def __len__(self) -> int:
        # A last batch that is not full is left out: batch statistics of a few atoms are noise.
        return max(1, (len(self._starts) - 1) // self._size)

    def shuffled(self, seed: int, epoch: int) -> Iterator[list[NDArray[np.int64]]]:
        """Yield each batch, the targets of each of its crystals; seed and epoch decide alone."""
        order = np.random.default_rng((seed, epoch)).permutation(len(self._starts) - 1)
        for n in range(len(self)):
            chosen = order[n * self._size : (n + 1) * self._size]
            yield [self._targets[self._starts[c] : self._starts[c + 1]] for c in chosen]


def targets_of(dataset: Dataset, train: NDArray[np.int64]) -> Targets:
    """Return what is to be learnt."""
    wanted = torch.from_numpy(train)
    _, weight = dataset.weights(wanted)
    return Targets(dataset.norm[wanted], weight, dataset.absorber[wanted].long())


def spectrum_weights(
    dataset: Dataset, train: NDArray[np.int64], config: TrainingSettings
) -> NDArray[np.float32]:
    """Return the weight of every spectrum in the loss, 1 on average over the training part."""
    numbers = dataset.absorber.numpy()
    counts = np.maximum(np.bincount(numbers[train], minlength=256), 1)
    weights = counts[numbers] ** -config.balance
    weights *= np.where(dataset.certain.numpy(), 1.0, config.uncertain_weight)
    mean = weights[train].mean()
    return np.asarray(weights / (mean if mean > 0 else 1.0), dtype=np.float32)
