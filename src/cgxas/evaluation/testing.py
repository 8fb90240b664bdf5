"""Testing a model on a part of a data set: the one place where that is done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cgxas.arguments import as_choice
from cgxas.crystals.canonical import settled_cell
from cgxas.data.compile import CompiledData
from cgxas.data.dataset import Dataset
from cgxas.data.record import Record
from cgxas.data.split import PARTS, Part, Split, SplitSettings
from cgxas.elements import atomic_number
from cgxas.errors import ConfigError
from cgxas.evaluation.asking import answers_to
from cgxas.evaluation.scores import Answers, Evaluation, scored
from cgxas.jsonfile import as_kind
from cgxas.model.architecture import Architecture
from cgxas.model.checkpoint import Checkpoint
from cgxas.model.model import Model, usable_device
from cgxas.spectra.resample import resample
from cgxas.spectra.spectrum import EnergyGrid
from cgxas.spectra.xray import windows
from cgxas.typing import FloatArray, IntArray


@dataclass(frozen=True)
class Division:
    """What a model's provenance tells of the data it was trained with.

    Attributes:
        data: names of the folders.
        data_sha256: hash of their tables.
        split_sha256: hash of the split.
        configuration: table of the settings file -> its values; "split" is among them.
    """

    data: tuple[str, ...]
    data_sha256: str
    split_sha256: str
    configuration: dict[str, dict[str, Any]]


def divided_as_told(checkpoint: Checkpoint) -> Division | None:
    """Return how a model's data were split, as it tells; None if it does not."""
    try:
        told = as_kind(Division, dict(checkpoint.provenance))
    except ValueError:
        return None
    return told if "split" in told.configuration else None


def split_of(checkpoint: Checkpoint, data: CompiledData) -> Split:
    """Return the split a model was trained with.

    Raises:
        ConfigError: the model does not tell, or the data are not those it came from.
    """
    told = divided_as_told(checkpoint)
    if told is None:
        raise ConfigError(f"{checkpoint.name} does not tell how its data were split")
    if data.records.sha256 != told.data_sha256:
        raise ConfigError(
            f"these are not the data {checkpoint.name} was trained with "
            f"({', '.join(told.data)}); name a split with --split, or test on all of them with "
            "--part all"
        )
    split = data.divide(SplitSettings.from_dict(told.configuration["split"]))
    if split.sha256 != told.split_sha256:
        raise ConfigError(
            f"{checkpoint.name} was trained with a split of its own; name its file with --split"
        )
    return split


def retest(
    checkpoint: Checkpoint,
    data: CompiledData,
    split: Split,
    part: Part = "test",
    device: torch.device | str = "cpu",
) -> Evaluation:
    """Score a model on a part of a data set.

    A model of simulations is asked for each spectrum as its fidelity, or, if it does not know
    that, as the usual one of the element. A calibrated model answers as measured.

    Args:
        checkpoint: the model.
        data: the data set.
        split: its parts; the training part gives the baselines.
        part: which one is tested.
        device: where the network computes.

    Raises:
        ConfigError: the part holds no spectrum the model has an answer for.
    """
    as_choice(part, PARTS, "part", ConfigError)
    device = usable_device(device)
    usual = {atomic_number(s): card.fidelity or "" for s, card in checkpoint.elements.items()}
    known = np.isin(data.dataset.absorber.numpy(), list(usual))
    parts = Split(*(p[known[p]] for p in (split.train, split.validation, split.test)))
    if checkpoint.is_calibrated:
        return _test_calibrated(Model(checkpoint, device), data, parts, part)
    if checkpoint.config.axis == "edge":
        return _test_on_edges(Model(checkpoint, device), data, parts, part)
    fidelities = checkpoint.config.fidelities
    other = dict.fromkeys(range(256), fidelities[0] if fidelities else "")  # not tested at all
    dataset = data.dataset.renumbered(fidelities, other | usual)
    told = CompiledData(data.folders, data.records, dataset)
    return test_network(checkpoint.network().to(device), told, parts, part)


def test_network(
    network: Architecture,
    data: CompiledData,
    split: Split,
    part: Part = "test",
    element: str | None = None,
) -> Evaluation:
    """Score a network, on its device, on the spectra of a part whose site is certain.

    Args:
        network: the network.
        data: the data set.
        split: its parts; the training part gives the baselines.
        part: which one is tested.
        element: the only absorber to test; None for all.
    """
    mine = data.dataset.only(split, element)
    tested = _certain(data, getattr(mine, part))
    dataset = data.dataset.renumbered(network.config.fidelities)
    return _scored(data, tested, answers_to(network, dataset, tested), mine.train)


test_network.__test__ = False  # type: ignore[attr-defined]  # not a test, whatever pytest thinks


def _scored(
    data: CompiledData, tested: IntArray, predicted: FloatArray, train: IntArray
) -> Evaluation:
    """Score (T, P) answers to some targets where these stand."""
    records, dataset = data.records.records, data.dataset
    weight, _ = dataset.weights(torch.from_numpy(tested))
    answers = Answers(
        records=[records[n] for n in tested],
        energy=energies(data, tested),
        target=curves(dataset, tested),
        predicted=predicted,
        weight=None if dataset.points is None else weight.double().numpy(),
    )
    return scored(answers, [records[n] for n in train], curves(dataset, train))


def energies(data: CompiledData, targets: IntArray) -> FloatArray:
    """Return (T, P) energies of targets, eV: of a window, or of points about their edges."""
    dataset = data.dataset
    if dataset.edge is not None and dataset.points is not None:
        edges = dataset.edge[torch.from_numpy(targets)]
        return np.asarray(edges[:, None].numpy() + dataset.points.numpy())
    grids = windows(dataset.norm.shape[1])
    rows = [grids[data.records.records[n].element].energies for n in targets]
    return np.array(rows).reshape(len(targets), dataset.norm.shape[1])


def _test_on_edges(model: Model, data: CompiledData, split: Split, part: Part) -> Evaluation:
    """Score a model whose outputs are counted from the edges that it knows, not the data."""
    tested = _certain(data, getattr(split, part))
    records = [data.records.records[n] for n in tested]
    spec, known = model.checkpoint.config.graph, model.checkpoint.config.fidelities
    crystals = (settled_cell(record.material.cell, spec) for record in records)
    predicted = np.zeros((len(tested), model.checkpoint.config.n_outputs))
    wanted = energies(data, tested)
    for row, (record, crystal) in enumerate(zip(records, model.sites(crystals), strict=True)):
        theory = record.fidelity if record.fidelity in known else None
        sites, _ = model.absorber_sites(crystal, record.element, record.sites, theory)
        predicted[row] = sites.share @ sites.at(wanted[row])
    return _scored(data, tested, predicted, split.train)


def _certain(data: CompiledData, targets: IntArray) -> IntArray:
    """Return those of some targets whose site the source states."""
    certain: IntArray = targets[data.dataset.certain.numpy()[targets]]
    return certain


def _test_calibrated(model: Model, data: CompiledData, split: Split, part: Part) -> Evaluation:
    """Score a calibrated model on its own grids, with the energies of the data calibrated."""
    grids = {symbol: card.grid for symbol, card in model.checkpoint.elements.items()}
    records = [data.records.records[n] for n in _certain(data, getattr(split, part))]
    train = [data.records.records[n] for n in split.train]
    spec = model.checkpoint.config.graph
    crystals = (settled_cell(record.material.cell, spec) for record in records)
    found = []
    for record, crystal in zip(records, model.sites(crystals), strict=True):
        sites, _ = model.absorber_sites(crystal, record.element, record.sites)
        found.append(model.answer(sites))
    sigma = [each.sigma for each in found if each.sigma is not None]
    answers = Answers(
        records,
        np.array([grids[record.element].energies for record in records]),
        _on_grids(records, grids),
        np.array([each.mean for each in found]),
        np.array(sigma) if sigma and len(sigma) == len(found) else None,
    )
    return scored(answers, train, _on_grids(train, grids))


def _on_grids(records: Sequence[Record], grids: Mapping[str, EnergyGrid]) -> FloatArray:
    """Return (T, P) spectra on grids of their elements, NaN where they do not reach."""
    rows = [
        resample(r.energy + r.annotation.shift, r.norm, grids[r.element].energies) for r in records
    ]
    points = next(iter(grids.values())).n_points
    return np.array(rows, dtype=np.float64).reshape(len(rows), points)


def curves(dataset: Dataset, targets: NDArray[np.int64]) -> FloatArray:
    """Return (T, P) spectra on their grids, NaN where the source did not compute them."""
    known, _ = dataset.weights(torch.from_numpy(targets))
    norm = dataset.norm[torch.from_numpy(targets)].double().numpy()
    return np.where(known.numpy() > 0, norm, np.nan)
