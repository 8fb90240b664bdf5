"""How far answers can be trusted: what a model has learnt from, and what error to expect.

Two sets of compounds can stand behind an answer: those that were simulated and learnt from, and,
for a calibrated model, those that were measured. An answer is as far as it is from either.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Self

import numpy as np
from torch import Tensor

from cgxas.elements import atomic_number
from cgxas.model.trust.band import Band
from cgxas.model.trust.error import ExpectedError
from cgxas.model.trust.lengths import UsualLengths
from cgxas.model.trust.met import Axes, Met, Newness
from cgxas.physics.fingerprint import Fingerprints
from cgxas.spectra.axis import trapezoid_widths
from cgxas.spectra.metrics import rse
from cgxas.spectra.trust import Trust
from cgxas.typing import BoolArray, FloatArray, IntArray

BORDER: Final = 1.0
_PARTS: Final[Mapping[str, Any]] = {"axes": Axes, "lengths": UsualLengths}
_FITTED: Final[Mapping[str, Any]] = {"error": ExpectedError, "paired": ExpectedError, "band": Band}
_PAIRS: Final = 30  # with fewer spectra of two predictors their disagreement is not learnt from
_SETS: Final = ("simulated", "measured")


@dataclass(frozen=True, eq=False, repr=False)
class KeptBack:
    """Spectra of n compounds that were kept back, as they are and as they were predicted.

    Attributes:
        relative: (P,) energies relative to the edge, eV.
        true: (n, P) spectra; NaN where there is none.
        predicted: (n, P) of the model.
        element: (n,) atomic numbers of the absorbers.
        newness: (n, 3) what is new about the compounds, `Judgement.newness`.
        disagreement: (n,) relative squared differences of two predictors, NaN where there is one;
            None: nowhere are there two.
    """

    relative: FloatArray
    true: FloatArray
    predicted: FloatArray
    element: IntArray
    newness: FloatArray
    disagreement: FloatArray | None = None

    @property
    def rse(self) -> FloatArray:
        """(n,) their relative squared errors; NaN where less than two points are known."""
        weight = trapezoid_widths(self.relative, np.isfinite(self.true))
        known = (weight * np.nan_to_num(self.true) ** 2).sum(axis=1) > 0
        found = np.full(len(known), np.nan)
        found[known] = rse(self.true[known], self.predicted[known], weight[known])
        return found

    def take(self, rows: BoolArray) -> Self:
        """Return some of them."""
        apart = None if self.disagreement is None else self.disagreement[rows]
        each = (self.true[rows], self.predicted[rows], self.element[rows], self.newness[rows])
        return type(self)(self.relative, *each, apart)


@dataclass(frozen=True, eq=False, repr=False)
class Judgement:
    """What is said of one answer.

    Attributes:
        trust: how far it can be trusted.
        newness: (3,) what is new about the compound.
        log_error: expected logarithm of the relative squared error; None where nothing is told.
    """

    trust: Trust
    newness: FloatArray
    log_error: float | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Reference:
    """What the trust in answers rests on.

    Attributes:
        axes: the directions in which surroundings differ.
        lengths: how strong bonds usually are.
        simulated: the compounds that were learnt from.
        measured: those that a calibration learnt from; None: there is none.
        error: what error to expect; None: nothing is told of it.
        paired: the same where two predictors can be compared; None: they never can.
        band: the standard deviations of curves; None likewise.
    """

    axes: Axes
    lengths: UsualLengths
    simulated: Met
    measured: Met | None = None
    error: ExpectedError | None = None
    paired: ExpectedError | None = None
    band: Band | None = None

    @classmethod
    def learnt_from(
        cls,
        sites: Fingerprints,
        formulas: Sequence[str],
        others: tuple[Fingerprints, Sequence[str]] | None = None,
    ) -> Self:
        """Keep what a model has learnt from.

        Args:
            sites: (S,) absorbing sites of the training spectra, each once.
            formulas: (S,) of their compounds.
            others: sites of compounds that were kept back, and their formulas: the borders are
                drawn so that few of them are far.
        """
        axes = Axes.of(sites)
        lengths = UsualLengths.fit(sites, others[0] if others else None)
        return cls(axes, lengths, Met.of(sites, formulas, axes, others=others))

    def __repr__(self) -> str:
        sets = (self.simulated, self.measured)
        counts = [f"{len(s.names)} compounds {s.verb}" for s in sets if s is not None]
        return f"Reference({', '.join(counts)})"

    def with_measured(self, sites: Fingerprints, formulas: Sequence[str]) -> Self:
        """Return the same for a model that was calibrated to measured compounds.

        The errors of simulations say nothing of the errors of calibrated spectra, and are left out.

        Args:
            sites: (S,) absorbing sites of the compounds.
            formulas: (S,) of the compounds.
        """
        measured = Met.of(sites, formulas, self.axes, "measured")
        return replace(self, measured=measured, error=None, paired=None, band=None)

    def with_error(self, error: ExpectedError) -> Self:
        """Return the same with the errors to expect, for a model with bands of its own."""
        return replace(self, error=error, paired=None, band=None)

    def with_errors(self, kept: KeptBack) -> Self:
        """Return the same with the errors to expect, learnt from compounds that were kept back.

        Those without a known error are left out; without any nothing is told of errors.
        """
        known = np.isfinite(kept.rse)
        if not known.any():
            return self
        kept = kept.take(known)
        found = kept.rse
        error = ExpectedError.fit(found, kept.element, kept.newness)
        log = error.log(kept.element, kept.newness)
        apart = np.full(len(found), np.nan) if kept.disagreement is None else kept.disagreement
        two, paired = np.isfinite(apart), None
        if two.sum() >= _PAIRS:
            both = kept.element[two], kept.newness[two], apart[two]
            paired = ExpectedError.fit(found[two], *both)
            log[two] = paired.log(*both)
        band = Band.fit(kept.relative, kept.true, kept.predicted, log, kept.element)
        return replace(self, error=error, paired=paired, band=band)

    def judge(
        self,
        sites: Fingerprints,
        share: FloatArray,
        formula: str,
        disagreement: float | None = None,
    ) -> Judgement:
        """Judge an answer.

        Args:
            sites: (S,) absorbing sites of one compound, all of one element.
            share: (S,) weights, which add up to 1.
            formula: of the compound.
            disagreement: relative squared difference of two predictors of its spectrum; None:
                there is one.
        """
        simulated, measured = self._newness(sites, share, formula)
        own = simulated if measured is None else measured
        # What was measured may have been simulated by nobody.
        is_farther = simulated.worst[0] > max(own.worst[0], BORDER) and not own.is_same
        found = simulated if is_farther else own
        distance, why = found.worst
        is_far = distance > BORDER and not found.is_same
        trust = Trust(
            word="far" if is_far else "seen" if found.is_same else "near",
            nearest=found.nearest,
            distance=found.distance if found.is_same else distance,
            reason=why if is_far else "",
        )
        if self.error is None or not own.nearest:  # of such an absorber no error is known
            return Judgement(trust, own.numbers)
        error, told = self.error, (sites.element[:1], own.numbers[None])
        if self.paired is not None and disagreement is not None:
            error = self.paired
            log = error.log(*told, np.array([disagreement]))
        else:
            log = error.log(*told)
        expected = float(error.rse(log)[0])
        return Judgement(replace(trust, expected_rse=expected), own.numbers, float(log[0]))

    def sigma(
        self, relative: FloatArray, curve: FloatArray, absorber: str, judged: Judgement
    ) -> FloatArray | None:
        """Return (Q,) standard deviations of a predicted curve; None where they are not told.

        Args:
            relative: (Q,) energies relative to the edge, eV.
            curve: (Q,) the predicted curve.
            absorber: symbol of the element.
            judged: what was said of it.
        """
        if self.band is None or judged.log_error is None:
            return None
        return self.band.sigma(relative, curve, judged.log_error, atomic_number(absorber))

    def _newness(
        self, sites: Fingerprints, share: FloatArray, formula: str
    ) -> tuple[Newness, Newness | None]:
        place, strain = self.axes.places(sites), self.lengths.strain(sites)
        simulated = self.simulated.newness(sites, place, strain, share, formula)
        if self.measured is None:
            return simulated, None
        return simulated, self.measured.newness(sites, place, strain, share, formula)

    @property
    def tensors(self) -> dict[str, Tensor]:
        """All numbers by name, for a file."""
        names = (*_PARTS, *_SETS, *_FITTED)
        parts = {name: getattr(self, name) for name in names}
        return {
            f"{name}.{each}": tensor
            for name, part in parts.items()
            if part is not None
            for each, tensor in part.tensors.items()
        }

    @property
    def values(self) -> dict[str, Any]:
        """What is not in the tensors, as plain values for a file."""
        sets = {name: getattr(self, name) for name in _SETS}
        return {name: each.values for name, each in sets.items() if each is not None}

    @classmethod
    def restore(cls, tensors: Mapping[str, Tensor], values: Mapping[str, Any]) -> Self:
        """Undo `tensors` and `values`; KeyError, TypeError or ValueError if they do not fit."""
        own: dict[str, dict[str, Tensor]] = {}
        for name, tensor in tensors.items():
            part, _, rest = name.partition(".")
            own.setdefault(part, {})[rest] = tensor
        known = {*_PARTS, *_SETS, *_FITTED}
        if extra := sorted((own.keys() | values.keys()) - known):
            raise ValueError(f"there is no {extra[0]!r} in the trust of a model")
        kinds = {**_PARTS, **_FITTED}
        parts: dict[str, Any] = {}
        parts |= {name: kinds[name].restore(own[name]) for name in kinds if name in own}
        parts |= {name: Met.restore(own[name], values[name]) for name in _SETS if name in own}
        return cls(**parts)
