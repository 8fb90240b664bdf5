"""How a model does on records it never saw, per absorber and in all, beside the baselines."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from cgxas.data.records import Record
from cgxas.elements import SYMBOLS
from cgxas.errors import SpectrumError
from cgxas.evaluation.baselines import compositions, mean_spectrum, nearest_by_composition
from cgxas.evaluation.metrics import FloatArray, pcc, rse
from cgxas.spectra.normalise import edge_energy
from cgxas.spectra.spectrum import EnergyGrid

_QUANTILES = (0.5, 0.9)
_N_WORST = 10


@dataclass(frozen=True)
class Scores:
    """Errors of a set of spectra.

    Attributes:
        n: number of test spectra.
        n_train: number of training spectra.
        rse: mean relative squared error.
        rse_median: its median.
        rse_90: its 90 % quantile.
        pcc: mean Pearson correlation.
        e0_error: mean absolute difference of the edge energies, eV; None without an edge.
        rse_mean_spectrum: mean RSE of the baseline that answers the mean training spectrum.
        rse_nearest: mean RSE of the baseline that answers the nearest training spectrum by
            composition.
    """

    n: int
    n_train: int
    rse: float
    rse_median: float
    rse_90: float
    pcc: float
    e0_error: float | None
    rse_mean_spectrum: float
    rse_nearest: float


@dataclass(frozen=True)
class Evaluation:
    """Scores per absorber and in all.

    Attributes:
        elements: absorber symbol -> scores, by atomic number.
        overall: over all spectra.
        worst: (spectrum id, absorber, RSE) of the worst answers, worst first.
    """

    elements: Mapping[str, Scores]
    overall: Scores
    worst: tuple[tuple[str, str, float], ...]

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        return {
            "overall": asdict(self.overall),
            "elements": {symbol: asdict(scores) for symbol, scores in self.elements.items()},
            "worst": [list(row) for row in self.worst],
        }


@dataclass(frozen=True, eq=False)
class Answers:
    """Targets and predictions of the records under test.

    Attributes:
        records: the records.
        target: (T, P) spectra on the grid; NaN where they were not computed.
        predicted: (T, P) spectra.
    """

    records: Sequence[Record]
    target: FloatArray
    predicted: FloatArray


def evaluate(
    answers: Answers,
    train: Sequence[Record],
    train_mu: FloatArray,
    grids: Mapping[str, EnergyGrid],
) -> Evaluation:
    """Score a model's answers, each absorber against baselines from its own training spectra.

    Args:
        answers: what is tested.
        train: the training records.
        train_mu: (T, P) their spectra; NaN where they were not computed.
        grids: energies of each absorber.
    """
    columns = _per_spectrum(answers, train, train_mu, grids)
    element = np.array([record.element for record in answers.records])
    trained = np.array([record.element for record in train])
    elements = {
        symbol: _scores(columns[element == symbol], int((trained == symbol).sum()))
        for symbol in SYMBOLS
        if (element == symbol).any()
    }
    order = np.argsort(-columns[:, 0])[:_N_WORST]
    worst = tuple(
        (answers.records[n].spectrum_id, answers.records[n].element, float(columns[n, 0]))
        for n in order.tolist()
    )
    return Evaluation(elements, _scores(columns, len(train)), worst)


def _per_spectrum(
    answers: Answers,
    train: Sequence[Record],
    train_mu: FloatArray,
    grids: Mapping[str, EnergyGrid],
) -> FloatArray:
    """Return (T, 5): RSE, PCC, E0 error, and the RSE of the two baselines."""
    columns = np.full((len(answers.records), 5), np.nan)
    columns[:, 0] = rse(answers.target, answers.predicted)
    columns[:, 1] = pcc(answers.target, answers.predicted)
    element = np.array([record.element for record in answers.records])
    trained = np.array([record.element for record in train])
    for symbol in np.unique(element):
        rows, known = np.flatnonzero(element == symbol), np.flatnonzero(trained == symbol)
        target = answers.target[rows]
        energy = grids[symbol].energies
        columns[rows, 2] = [
            _e0_difference(energy, t, p)
            for t, p in zip(target, answers.predicted[rows], strict=True)
        ]
        if len(known):
            columns[rows, 3] = rse(target, mean_spectrum(train_mu[known], len(rows)))
            nearest = nearest_by_composition(
                train_mu[known],
                compositions([train[int(n)].material.cell.numbers for n in known]),
                compositions([answers.records[int(n)].material.cell.numbers for n in rows]),
            )
            columns[rows, 4] = rse(target, nearest)
    return columns


def _e0_difference(energy: FloatArray, target: FloatArray, predicted: FloatArray) -> float:
    """Return |E0 - E0| in eV over the points both have, NaN if a curve has no edge there."""
    predicted = np.where(np.isfinite(target), predicted, np.nan)
    try:
        return abs(edge_energy(energy, target) - edge_energy(energy, predicted))
    except SpectrumError:
        return float("nan")


def _scores(columns: NDArray[np.float64], n_train: int) -> Scores:
    median, ninety = np.quantile(columns[:, 0], _QUANTILES)
    e0 = columns[np.isfinite(columns[:, 2]), 2]
    baselines = columns[np.isfinite(columns[:, 3:]).all(axis=1), 3:]
    means = baselines.mean(axis=0) if len(baselines) else (float("nan"), float("nan"))
    return Scores(
        n=len(columns),
        n_train=n_train,
        rse=float(columns[:, 0].mean()),
        rse_median=float(median),
        rse_90=float(ninety),
        pcc=float(columns[:, 1].mean()),
        e0_error=float(e0.mean()) if len(e0) else None,
        rse_mean_spectrum=float(means[0]),
        rse_nearest=float(means[1]),
    )
