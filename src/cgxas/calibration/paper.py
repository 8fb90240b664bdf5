"""The paper's transfer: the head of the network re-learnt on measured compounds, its graph frozen.

Site vectors are computed once, so that nothing of the graph can change, and a fit takes seconds.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cgxas.calibration.measured import Compounds
from cgxas.errors import ConfigError
from cgxas.model.architecture import Architecture
from cgxas.model.calibration.head import HeadCalibration
from cgxas.training.loss import rse_loss
from cgxas.typing import IntArray

_EPOCHS = 30
# Least mean validation RSE of 20 splits each of eight elements, among 1e-4 to 5e-2.
_LEARNING_RATE = 1e-2


def tune_paper(compounds: Compounds, train: IntArray, validation: IntArray) -> HeadCalibration:
    """Re-learn the head layer by layer, input side first, 30 epochs each, as in the paper.

    A layer starts from its pre-trained weights, moves alone, and goes back to its best epoch on
    the validation part. Each epoch is one step of Adam on all compounds. Where the grid of the
    element was moved, the outputs are the values at the new energies from the start: a mere
    change of labels, and the head must learn the rest of the shift.

    Args:
        compounds: all of them.
        train: numbers of the compounds to learn from, of one element.
        validation: numbers of those that choose the epoch, at least one.

    Raises:
        ConfigError: the outputs of the network are counted from the edge, which the head cannot
            move.

    Source: SPEC section 5; Lin et al., arXiv:2512.23449. The learning rate is our choice.
    """
    if compounds.model.checkpoint.config.axis == "edge":
        raise ConfigError(
            f"the method 'paper' re-learns outputs in a fixed window, and those of "
            f"{compounds.model.checkpoint.name} are counted from the edge; take another method"
        )
    # It stays in evaluation mode: a batch of a dozen compounds of one element has statistics so
    # unlike those of pre-training that batch norms which follow it destroy what the head knows.
    network = deepcopy(compounds.model.network).cpu().eval().requires_grad_(False)
    learnt, checked = (_examples(compounds, part) for part in (train, validation))
    for layer in network.head_layers:
        _relearn(network, layer, learnt, checked)
    return HeadCalibration(network)


@dataclass(frozen=True, eq=False)
class _Examples:
    """Measured compounds of one element as a head sees them.

    Attributes:
        vectors: (S, H) what enters the head.
        fidelity: number of the fidelity it answers in.
        share: (C, S) shares of the sites in the compounds.
        target: (C, P) measured, 0 where it was not.
        known: (C, P) 1 where it was measured, else 0.
    """

    vectors: Tensor
    fidelity: Tensor | None
    share: Tensor
    target: Tensor
    known: Tensor

    def rse(self, network: Architecture) -> Tensor:
        """Return () mean over the compounds of the RSE of a network's spectra."""
        curves = self.share @ network.head(self.vectors, self.fidelity)
        return rse_loss(curves, self.target, self.known).mean()


def _examples(compounds: Compounds, wanted: IntArray) -> _Examples:
    sites = [compounds.sites[int(each)] for each in wanted]
    _, share = compounds.sharing(wanted)
    # The rows of `sharing` are in the order of all compounds.
    ordered = [compounds.sites[n] for n in sorted({int(each) for each in wanted})]
    target = torch.from_numpy(compounds.target[wanted]).float()
    known = target.isfinite()
    number = sites[0].fidelity
    return _Examples(
        vectors=torch.cat([each.vectors for each in ordered]).float(),
        fidelity=None if number is None else torch.tensor(number),
        share=share.float(),
        target=target.nan_to_num(),
        known=known.float(),
    )


def _relearn(
    network: Architecture, layer: nn.Module, learnt: _Examples, checked: _Examples
) -> None:
    """Re-learn a layer, and leave it as it was in its best epoch."""
    moving = list(layer.requires_grad_(True).parameters())
    optimiser = torch.optim.Adam(moving, lr=_LEARNING_RATE)
    best = _Best(moving, lambda: checked.rse(network))
    for _ in range(_EPOCHS):
        optimiser.zero_grad()
        learnt.rse(network).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        best.look()
    best.restore()
    layer.requires_grad_(False)


class _Best:
    """The best parameters so far by some misfit, those of the beginning included."""

    def __init__(self, parameters: Sequence[nn.Parameter], misfit: Callable[[], Tensor]) -> None:
        self.parameters, self.misfit = parameters, misfit
        self.least = float("inf")
        self.look()

    @torch.no_grad()
    def look(self) -> None:
        """Keep the parameters if they are better than all before."""
        misfit = float(self.misfit())
        if misfit < self.least:
            self.least, self.kept = misfit, [each.clone() for each in self.parameters]

    @torch.no_grad()
    def restore(self) -> None:
        """Go back to the best."""
        for parameter, kept in zip(self.parameters, self.kept, strict=True):
            parameter.copy_(kept)
