"""Asking a network for the spectra of a data set: needs torch and numpy only, as training does."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cgxas.data.dataset import Batch, Dataset
from cgxas.model.architecture import Architecture

TARGETS_PER_PASS = 128
"""Targets that go through a network together where nothing is learnt."""


class Answer(nn.Module):
    """A network as training calls it: from a batch to the spectra of its targets."""

    def __init__(
        self, network: Architecture, compiled: bool = False, vectors: Tensor | None = None
    ) -> None:
        """Wrap a network.

        Args:
            network: the network.
            compiled: let torch.compile fuse the graph part in training.
            vectors: (S, H) site vectors of all members of the data set, if the graph part is
                frozen: then it has run for the last time.
        """
        super().__init__()
        self.network = network
        self._embed = torch.compile(network.embed, dynamic=True) if compiled else network.embed
        self._vectors = vectors

    def forward(self, batch: Batch) -> Tensor:
        """Return (T, P) spectra."""
        if self._vectors is not None:
            vectors = self._vectors[batch.members]
        else:
            embed = self._embed if self.training else self.network.embed
            vectors = embed(batch.graphs, batch.nodes)
        return batch.pool(self.network.head(vectors, batch.fidelity[batch.target_of_node]))


def answers_to(
    network: Architecture, dataset: Dataset, wanted: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return (T, P) what a network answers to targets, in the order they are asked for.

    Args:
        network: on its device.
        dataset: its fidelities counted as the network counts them.
        wanted: (T,) numbers of the targets.
    """
    found = np.zeros((len(wanted), network.config.n_outputs))
    place = {int(target): row for row, target in enumerate(wanted)}
    for targets, _, spectra in predict_targets(Answer(network), dataset, wanted):
        found[[place[int(target)] for target in targets]] = spectra.cpu().double().numpy()
    return found


@torch.no_grad()
def predict_targets(
    answer: Answer, dataset: Dataset, wanted: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int64], Batch, Tensor]]:
    """Yield targets, batch and (T, P) predictions, in evaluation mode; crystals in a row."""
    answer.eval()
    device = next(answer.network.parameters()).device
    wanted = wanted[np.argsort(dataset.crystal.cpu().numpy()[wanted], kind="stable")]
    for n in range(0, len(wanted), TARGETS_PER_PASS):
        chosen = wanted[n : n + TARGETS_PER_PASS]
        batch = dataset.batch(chosen).to(device)
        yield chosen, batch, answer(batch)
