"""Neural calibration: the head of the network tuned to measured compounds, its graph frozen.

Site vectors are computed once, so that nothing of the graph can change, and a fit takes a second.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from cgxas.calibration.measured import Compounds
from cgxas.model.cgxas.layers import DenseLayer
from cgxas.training.loss import rse_loss
from cgxas.typing import FloatArray, IntArray

_EPOCHS = 30
# Least mean validation RSE of 20 splits each of eight elements, among 1e-4 to 5e-2.
_LEARNING_RATE = 1e-2


@dataclass(frozen=True, eq=False)
class TunedHead:
    """A tuned copy of the head; called, it answers with spectra of compounds.

    Attributes:
        compounds: all of them.
        element: absorber.
        layers: of the head.
        operator: (P, P') what turns its outputs into a spectrum on the grid of the element.
    """

    compounds: Compounds
    element: str
    layers: Sequence[DenseLayer]
    operator: Tensor

    @torch.no_grad()
    def __call__(self, wanted: IntArray) -> FloatArray:
        """(n,) numbers of compounds -> (n, P)."""
        examples = _examples(self.compounds, self.element, wanted)
        curves: FloatArray = _curves(self.layers, self.operator, examples).double().numpy()
        return curves


def tune_paper(
    compounds: Compounds, element: str, train: IntArray, validation: IntArray
) -> TunedHead:
    """Re-learn the head layer by layer, input side first, 30 epochs each, as in the paper.

    A layer starts from its pre-trained weights, moves alone, and goes back to its best epoch on
    the validation part. Each epoch is one step of Adam on all compounds. Where the grid of the
    element was moved, the outputs are the values at the new energies from the start: a mere
    change of labels, and the head must learn the rest of the shift.

    Args:
        compounds: all of them.
        element: absorber.
        train: numbers of the compounds of that element to learn from.
        validation: numbers of those that choose the epoch, at least one.

    Source: SPEC section 5; Lin et al., arXiv:2512.23449. The learning rate is our choice.
    """
    layers = _copied_layers(compounds)
    operator = torch.eye(compounds.grids[element].n_points)
    learnt, checked = (_examples(compounds, element, part) for part in (train, validation))
    for number in range(len(layers)):
        _relearn(layers[number:], operator, learnt, checked)
        learnt, checked = (each.after(layers[number : number + 1]) for each in (learnt, checked))
    return TunedHead(compounds, element, layers, operator)


@dataclass(frozen=True, eq=False)
class _Examples:
    """Measured compounds as a head sees them.

    Attributes:
        vectors: (S, H) what enters the head, or the layer.
        share: (C, S) shares of the sites in the compounds.
        target: (C, P) measured, 0 where it was not.
        known: (C, P) 1 where it was measured, else 0.
    """

    vectors: Tensor
    share: Tensor
    target: Tensor
    known: Tensor

    def after(self, layers: Sequence[DenseLayer]) -> "_Examples":
        """Return the same behind some layers."""
        with torch.no_grad():
            return replace(self, vectors=_through(layers, self.vectors))

    def rse(self, curves: Tensor) -> Tensor:
        """Return () mean over the compounds of the RSE of (C, P) spectra."""
        return rse_loss(curves, self.target, self.known).mean()


def _examples(compounds: Compounds, element: str, wanted: IntArray) -> _Examples:
    rows, share = compounds.sharing(wanted)
    network, card = compounds.network, compounds.model.elements[element]
    vectors = compounds.sites.vector[rows].float()
    if network.config.fidelities:
        theory = network.config.fidelity_index(card.fidelity) if card.fidelity else 0
        vectors = vectors + network.fidelity_vectors.detach()[theory]
    target = torch.from_numpy(compounds.target[wanted]).float()
    known = target.isfinite()
    return _Examples(vectors, share.float(), target.nan_to_num(), known.float())


def _copied_layers(compounds: Compounds) -> list[DenseLayer]:
    """Return a copy of the head.

    It stays in evaluation mode: a batch of a dozen compounds of one element has statistics so
    unlike those of pre-training that batch norms which follow it destroy what the head knows.
    """
    copied = [deepcopy(layer) for layer in compounds.network.head_layers]
    return [layer.eval().requires_grad_(False) for layer in copied]


def _through(layers: Sequence[DenseLayer], vectors: Tensor) -> Tensor:
    for layer in layers:
        vectors = layer(vectors)
    return vectors


def _curves(layers: Sequence[DenseLayer], operator: Tensor, examples: _Examples) -> Tensor:
    """Return the (C, P) spectra of the compounds."""
    outputs = torch.relu(_through(layers, examples.vectors))
    return examples.share @ outputs @ operator.T


def _relearn(
    layers: Sequence[DenseLayer], operator: Tensor, learnt: _Examples, checked: _Examples
) -> None:
    """Re-learn the first of some layers, and leave it as it was in its best epoch."""
    first = layers[0].requires_grad_(True)
    optimiser = torch.optim.Adam(first.parameters(), lr=_LEARNING_RATE)
    best = _Best(list(first.parameters()), lambda: checked.rse(_curves(layers, operator, checked)))
    for _ in range(_EPOCHS):
        optimiser.zero_grad()
        learnt.rse(_curves(layers, operator, learnt)).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        best.look()
    best.restore()
    first.requires_grad_(False)


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
