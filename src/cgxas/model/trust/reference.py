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
from cgxas.spectra.trust import Trust
from cgxas.typing import FloatArray

BORDER: Final = 1.0
_PARTS: Final[Mapping[str, Any]] = {"axes": Axes, "lengths": UsualLengths}
_FITTED: Final[Mapping[str, Any]] = {"error": ExpectedError, "band": Band}
_SETS: Final = ("simulated", "measured")


@dataclass(frozen=True, eq=False)
class Reference:
    """What the trust in answers rests on.

    Attributes:
        axes: the directions in which surroundings differ.
        lengths: how strong bonds usually are.
        simulated: the compounds that were learnt from.
        measured: those that a calibration learnt from; None: there is none.
        error: what error to expect; None: nothing is told of it.
        band: the standard deviations of curves; None likewise.
    """

    axes: Axes
    lengths: UsualLengths
    simulated: Met
    measured: Met | None = None
    error: ExpectedError | None = None
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

    def with_measured(self, sites: Fingerprints, formulas: Sequence[str]) -> Self:
        """Return the same for a model that was calibrated to measured compounds.

        The errors of simulations say nothing of the errors of calibrated spectra, and are left out.

        Args:
            sites: (S,) absorbing sites of the compounds.
            formulas: (S,) of the compounds.
        """
        measured = Met.of(sites, formulas, self.axes, "measured")
        return replace(self, measured=measured, error=None, band=None)

    def with_errors(self, error: ExpectedError, band: Band | None = None) -> Self:
        """Return the same with what errors are to be expected."""
        return replace(self, error=error, band=band)

    def trust(
        self,
        sites: Fingerprints,
        share: FloatArray,
        formula: str,
        disagreement: float | None = None,
    ) -> Trust:
        """Return how far an answer can be trusted.

        Args:
            sites: (S,) absorbing sites of one compound, all of one element.
            share: (S,) weights, which add up to 1.
            formula: of the compound.
            disagreement: relative squared difference of two predictors of its spectrum.
        """
        simulated, measured = self._newness(sites, share, formula)
        own = simulated if measured is None else measured
        # What was measured may have been simulated by nobody.
        is_farther = simulated.worst > max(own.worst, (BORDER, "")) and not own.is_same
        found = simulated if is_farther else own
        distance, why = found.worst
        is_far = distance > BORDER and not found.is_same
        error = None
        if self.error is not None:
            log = self.log_error(int(sites.element[0]), distance, disagreement)
            error = float(self.error.rse(np.array([log]))[0])
        return Trust(
            word="far" if is_far else "seen" if found.is_same else "near",
            nearest=found.nearest,
            distance=min(distance, BORDER) if found.is_same else distance,
            expected_rse=error,
            reason=why if is_far else "",
        )

    def distance(self, sites: Fingerprints, share: FloatArray, formula: str = "") -> float:
        """Return how far a compound is from all that was met, 1 at the border; see `trust`."""
        return self.trust(sites, share, formula).distance

    def log_error(self, element: int, distance: float, disagreement: float | None) -> float:
        """Return the expected logarithm of the error of a spectrum; 0 if nothing is told of it."""
        if self.error is None:
            return 0.0
        other = None if disagreement is None else np.array([disagreement])
        return float(self.error.log(np.array([element]), np.array([distance]), other)[0])

    def sigma(
        self,
        relative: FloatArray,
        curve: FloatArray,
        absorber: str,
        distance: float,
        disagreement: float | None = None,
    ) -> FloatArray | None:
        """Return (Q,) standard deviations of a predicted curve; None where they are not told.

        Args:
            relative: (Q,) energies relative to the edge, eV.
            curve: (Q,) the predicted curve.
            absorber: symbol of the element.
            distance: of the compound.
            disagreement: relative squared difference of two predictors.
        """
        if self.band is None:
            return None
        element = atomic_number(absorber)
        log = self.log_error(element, distance, disagreement)
        return self.band.sigma(relative, curve, log, element)

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
