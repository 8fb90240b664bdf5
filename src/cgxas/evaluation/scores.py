"""How a model does on records it never saw, per absorber and in all, beside the baselines."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from cgxas.data.record import Record
from cgxas.elements import SYMBOLS
from cgxas.errors import ConfigError
from cgxas.evaluation.baselines import compositions, mean_spectrum, nearest_by_composition
from cgxas.evaluation.tested import TestedSpectra
from cgxas.spectra.metrics import (
    coverage,
    half_step_errors,
    negative_log_likelihood,
    pcc,
    rse,
)
from cgxas.typing import FloatArray, IntArray

_N_WORST = 10


@dataclass(frozen=True)
class Distribution:
    """How a figure is distributed over spectra.

    Attributes:
        mean: its mean.
        q10: what 10 % of the spectra stay below.
        median: what half of them stay below.
        q90: what 90 % of them stay below.
        q99: what 99 % of them stay below.
    """

    mean: float
    q10: float
    median: float
    q90: float
    q99: float

    @classmethod
    def of(cls, values: FloatArray) -> "Distribution | None":
        """Return that of the values that are numbers, None if none is."""
        known = values[np.isfinite(values)]
        if not len(known):
            return None
        q10, median, q90, q99 = (float(q) for q in np.quantile(known, (0.1, 0.5, 0.9, 0.99)))
        return cls(float(known.mean()), q10, median, q90, q99)


@dataclass(frozen=True)
class Scores:
    """Errors of a set of spectra.

    Attributes:
        n: number of tested spectra.
        n_train: number of training spectra.
        rse: relative squared errors.
        pcc: Pearson correlations.
        half_step_error: absolute differences of the half steps, eV; None without an edge.
        rse_mean_spectrum: mean RSE of the baseline that answers the mean training spectrum;
            None without training spectra.
        rse_nearest: mean RSE of the baseline that answers the nearest training spectrum by
            composition; None likewise.
        within_1: mean share of points within one standard deviation; None where the model tells
            none.
        within_2: the same within two.
        nll: mean negative log likelihood of a point; None likewise.
    """

    n: int
    n_train: int
    rse: Distribution
    pcc: Distribution
    half_step_error: Distribution | None
    rse_mean_spectrum: float | None
    rse_nearest: float | None
    within_1: float | None = None
    within_2: float | None = None
    nll: float | None = None


@dataclass(frozen=True)
class Evaluation:
    """Scores per absorber and in all.

    Attributes:
        elements: absorber symbol -> scores, by atomic number.
        overall: over all spectra.
        worst: (key, absorber, RSE) of the worst answers, worst first.
        tested: every spectrum with its answer.
    """

    elements: Mapping[str, Scores]
    overall: Scores
    worst: tuple[tuple[str, str, float], ...]
    tested: TestedSpectra

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
        energy: (T, P) eV.
        target: (T, P) spectra there; NaN where they were not computed.
        predicted: (T, P) spectra.
        sigma: (T, P) their standard deviations; None where the model tells none.
        weight: (T, P) how much energy each point stands for in errors; None where they are even.
    """

    records: Sequence[Record]
    energy: FloatArray
    target: FloatArray
    predicted: FloatArray
    sigma: FloatArray | None = None
    weight: FloatArray | None = None

    def rse(self, predicted: FloatArray, rows: IntArray) -> FloatArray:
        """Return (R,) relative squared errors of (R, P) answers to some of the records."""
        weight = 1.0 if self.weight is None else self.weight[rows]
        return rse(self.target[rows], predicted, weight)


def scored(
    answers: Answers,
    train: Sequence[Record],
    train_mu: FloatArray,
) -> Evaluation:
    """Score a model's answers, each absorber against baselines from its own training spectra.

    Args:
        answers: what is tested.
        train: the training records.
        train_mu: (T, P) their spectra; NaN where they were not computed.
    """
    columns = _per_spectrum(answers, train, train_mu)
    element = np.array([record.element for record in answers.records])
    trained = np.array([record.element for record in train])
    elements = {
        symbol: _scores(columns[element == symbol], int((trained == symbol).sum()))
        for symbol in SYMBOLS
        if (element == symbol).any()
    }
    order = np.argsort(-columns[:, 0])[:_N_WORST]
    worst = tuple(
        (answers.records[n].key, answers.records[n].element, float(columns[n, 0]))
        for n in order.tolist()
    )
    tested = _tested(answers, columns)
    return Evaluation(elements, _scores(columns, len(train)), worst, tested)


def _tested(answers: Answers, columns: FloatArray) -> TestedSpectra:
    records = answers.records
    return TestedSpectra(
        key=np.array([record.key for record in records]),
        element=np.array([record.element for record in records]),
        fidelity=np.array([record.fidelity for record in records]),
        formula=np.array([record.material.formula for record in records]),
        energy=answers.energy,
        target=answers.target,
        predicted=answers.predicted,
        rse=columns[:, 0],
        pcc=columns[:, 1],
        half_step_error=columns[:, 2],
    )


def _per_spectrum(
    answers: Answers,
    train: Sequence[Record],
    train_mu: FloatArray,
) -> FloatArray:
    """Return (T, 8): RSE, PCC, half-step error, RSE of two baselines, coverages, likelihood."""
    columns = np.full((len(answers.records), 8), np.nan)
    columns[:, 0] = answers.rse(answers.predicted, np.arange(len(columns)))
    weight = 1.0 if answers.weight is None else answers.weight
    columns[:, 1] = pcc(answers.target, answers.predicted, weight)
    columns[:, 2] = np.abs(half_step_errors(answers.energy, answers.target, answers.predicted))
    if answers.sigma is not None:
        band = answers.target, answers.predicted, answers.sigma
        columns[:, 5], columns[:, 6] = coverage(*band, 1), coverage(*band, 2)
        columns[:, 7] = negative_log_likelihood(*band)
    element = np.array([record.element for record in answers.records])
    trained = np.array([record.element for record in train])
    for symbol in np.unique(element):
        rows, known = np.flatnonzero(element == symbol), np.flatnonzero(trained == symbol)
        if len(known):
            columns[rows, 3] = answers.rse(mean_spectrum(train_mu[known], len(rows)), rows)
            nearest = nearest_by_composition(
                train_mu[known],
                compositions([train[int(n)].material.cell.numbers for n in known]),
                compositions([answers.records[int(n)].material.cell.numbers for n in rows]),
            )
            columns[rows, 4] = answers.rse(nearest, rows)
    return columns


def _scores(columns: NDArray[np.float64], n_train: int) -> Scores:
    errors, correlations = Distribution.of(columns[:, 0]), Distribution.of(columns[:, 1])
    if errors is None or correlations is None:
        raise ConfigError("there is no spectrum to test")
    others = [Distribution.of(column) for column in columns[:, 3:].T]
    mean, nearest, within_1, within_2, nll = (each.mean if each else None for each in others)
    return Scores(
        n=len(columns),
        n_train=n_train,
        rse=errors,
        pcc=correlations,
        half_step_error=Distribution.of(columns[:, 2]),
        rse_mean_spectrum=mean,
        rse_nearest=nearest,
        within_1=within_1,
        within_2=within_2,
        nll=nll,
    )
