"""Scans and references -> a mixture."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from os import PathLike, fspath
from pathlib import Path
from typing import TypeAlias

import numpy as np

from cgxas.arguments import as_list
from cgxas.crystals.io.objects import is_crystal_object
from cgxas.errors import SpectrumError
from cgxas.mixing.axes import axis_of
from cgxas.mixing.components import components_of
from cgxas.mixing.files import expanded
from cgxas.mixing.fit import Fits, Whitened, fit_all, usual_noise
from cgxas.mixing.mixture import RESERVED, Mixture
from cgxas.mixing.references import (
    Reference,
    of_measurement,
    of_object,
    of_spectrum,
    references_of,
)
from cgxas.mixing.scans import How, Scans, read_named, unread
from cgxas.mixing.series import FIRST, LAST, LEAST_ABOVE, LEAST_POINTS, Series, hole, series_of
from cgxas.mixing.shifting import fitted_shifts
from cgxas.mixing.shifts import Shifts, moved
from cgxas.mixing.subsets import best_subset
from cgxas.mixing.unmix import unmixed
from cgxas.mixing.warn import drifting, of_fits, of_references, only_moved, unlike
from cgxas.mixing.wishes import Wishes
from cgxas.spectra.measurement import Measurement
from cgxas.spectra.spectrum import Spectrum
from cgxas.typing import BoolArray, FloatArray

ScanLike: TypeAlias = str | PathLike[str] | Measurement
ReferenceLike: TypeAlias = str | PathLike[str] | Measurement | Spectrum | Reference


def mix(  # noqa: PLR0913  # they are the words of the command line
    scans: Sequence[ScanLike],
    references: Sequence[ReferenceLike] = (),
    *,
    absorber: str | None = None,
    edge: str | None = None,
    axis: str = "order",
    shift: str | float | None = None,
    window: tuple[float, float] = (FIRST, LAST),
    most: int | None = None,
    components: int | None = None,
    model: str = "calibrated",
    energy: str | None = None,
    mu: str | None = None,
    columns: str | None = None,
    on_file: Callable[[], None] = lambda: None,
) -> Mixture:
    """Explain scans, one or a series, by non-negative fractions of references.

    Args:
        scans: files, FILE:GROUP, folders and patterns, or measurements.
        references: crystals, which are predicted, or scans, as files, folders, patterns, objects,
            NAME=FILE,FILE (their mean), measurements or predicted spectra. Without any, the series
            is parted into components of its own (MCR-ALS).
        absorber: the element; the one the scans state, or a guess, if None.
        edge: its edge.
        axis: "order"; "time"; "mtime"; "TABLE.csv" or "TABLE.csv:COLUMN"; a column of the scans.
        shift: of the references along the energy: "none"; "shared", one for all scans; "free", one
            for each scan; eV. If None, shared where a reference is predicted, none otherwise.
        window: begin and end of the fit, eV from the edge.
        most: how many references explain one scan at most; the best are chosen for each.
        components: how many components there are, without references; as many as the series
            carries if None.
        model: what predicts crystals.
        energy: column or path of the energies, as for `read_spectrum`.
        mu: column, formula or path of mu.
        columns: which columns of a text are scans: names with wildcards, numbers and ranges.
        on_file: called after each file of scans.

    Returns:
        Fractions with their errors, and what should be known of them.

    Raises:
        SpectrumError: scans or references cannot be used; the message says why.
        CrystalError: a crystal cannot be used.
        AbsorberError: a crystal holds none of the absorber, or the model does not know it.
        MissingExtra: Larch, or pyMCR, is not installed.
    """
    how = How(absorber, edge, energy, mu, columns)
    wishes = Wishes(how, axis, shift, window, most, components, model)
    given = as_list(scans, object, "scans are files or measurements", SpectrumError, 1)
    if any(isinstance(each, Measurement) for each in given):
        only = [each for each in given if isinstance(each, Measurement)]
        if len(only) < len(given):
            raise SpectrumError("scans are files or measurements, not both: read the files first")
        return mix_scans(unread(only), references, wishes)
    files = expanded([_word(each) for each in given], "scans")
    return mix_files(files, references, wishes, on_file)


def mix_files(
    files: Sequence[tuple[Path, str | None]],
    references: Sequence[ReferenceLike],
    wishes: Wishes,
    on_file: Callable[[], None] = lambda: None,
) -> Mixture:
    """Explain the scans of files; as `mix`.

    Args:
        files: each with the group that is chosen, or None for all it holds.
        references: as for `mix`.
        wishes: what is wanted.
        on_file: called after each file.
    """
    return mix_scans(read_named(files, wishes.how, on_file), references, wishes)


def mix_scans(found: Scans, references: Sequence[ReferenceLike], wishes: Wishes) -> Mixture:
    """Explain scans that were read; as `mix`.

    Args:
        found: they, and what was left out.
        references: as for `mix`.
        wishes: what is wanted.
    """
    axis = axis_of(wishes.axis, found.good, wishes.how)
    series = series_of(found, axis, wishes.window)
    mixer, series = Mixer.of(series, references, wishes)
    return mixer.mixture(series)


def _word(value: object) -> str:
    if isinstance(value, str | PathLike):
        return str(fspath(value))
    raise SpectrumError(f"scans and references are files, folders or spectra, not {value!r:.40}")


@dataclass(frozen=True, eq=False)
class Fitted:
    """What came of (N,) scans, each by itself.

    Attributes:
        fits: of all.
        chosen: (N,) numbers of the references that explain each.
        ties: (N,) how many other choices do as well.
        free: fits with a shift of each scan, for comparison; None where that is not needed.
    """

    fits: Fits
    chosen: tuple[tuple[int, ...], ...]
    ties: tuple[int, ...]
    free: Fits | None

    @classmethod
    def joined(cls, parts: Sequence["Fitted"]) -> "Fitted":
        """Return what came of one after the other."""
        free = [each.free for each in parts if each.free]
        return cls(
            Fits.joined([each.fits for each in parts]),
            tuple(which for each in parts for which in each.chosen),
            tuple(ties for each in parts for ties in each.ties),
            Fits.joined(free) if free else None,
        )

    def at(self, scan: int) -> "Fitted":
        """Return what came of one scan."""
        free = self.free.at(scan) if self.free else None
        return Fitted(self.fits.at(scan), (self.chosen[scan],), (self.ties[scan],), free)


@dataclass(frozen=True, eq=False)
class Mixer:
    """What a series is explained by: found once, and kept when it grows.

    Attributes:
        references: (R,).
        shifts: of them.
        is_free: whether each scan has a shift of its own.
        most: how many explain one scan at most; None: all.
        given: whether they were given, or are components of the series.
        white: how sure the points of the first scans are, which is kept for the others.
    """

    references: tuple[Reference, ...]
    shifts: Shifts
    white: Whitened
    is_free: bool
    most: int | None
    given: bool

    @classmethod
    def of(
        cls, series: Series, references: Sequence[ReferenceLike], wishes: Wishes
    ) -> tuple["Mixer", Series]:
        """Read or predict the references, or part the series, and fit the shifts.

        Returns:
            The mixer, and the series within the energies that all references have.
        """
        given = as_list(references, object, "references are files or spectra", SpectrumError)
        if not given:
            return cls._parted(series, wishes), series
        found = _references(given, series, wishes)
        series = _within(found, series)
        free, start = wishes.shift == "free", 0.0
        is_shared = wishes.shift == "shared"
        if wishes.shift is None or free:  # a free one is told from the own ones by a shared one
            is_shared = any(each.is_predicted for each in found)
        if isinstance(wishes.shift, int | float):
            start = float(wishes.shift)
        shifts = fitted_shifts(series.norm, series.energy, found, is_shared, start)
        curves, _ = moved(found, series.energy, shifts.each, with_slopes=False)
        white = usual_noise(series.norm, series.energy, found, curves)
        return cls(tuple(found), shifts, white, free, wishes.most, True), series

    @classmethod
    def _parted(cls, series: Series, wishes: Wishes) -> "Mixer":
        if wishes.shift not in (None, "none") or wishes.most is not None:
            raise SpectrumError(
                "a shift and --most are for references: give some, or leave these out"
            )
        count = wishes.components or components_of(series.norm).count
        curves = unmixed(series.norm, count)
        names = [f"component_{n}" for n in range(1, count + 1)]
        found = [
            Reference(name, series.energy, curve, told="resolved from the series")
            for name, curve in zip(names, curves, strict=True)
        ]
        none = Shifts(0.0, np.zeros(count))
        white = usual_noise(series.norm, series.energy, found, curves)
        return cls(tuple(found), none, white, False, None, False)

    def mixture(self, series: Series) -> Mixture:
        """Fit all scans of a series, and say what should be known of the whole."""
        return self.told(series, self.fitted(series))

    def fitted(self, series: Series) -> "Fitted":
        """Fit the scans of a series, each by itself."""
        every = self._chosen(series)
        chosen = [which for which, _ in every]
        free = None
        if self.given and not self.is_free:
            sure = replace(self.shifts, drawn=np.zeros((0, 0)))
            free = replace(self, is_free=True, shifts=sure)._fits(series, chosen)
        ties = tuple(ties for _, ties in every)
        return Fitted(self._fits(series, chosen), tuple(chosen), ties, free)

    def told(self, series: Series, found: "Fitted") -> Mixture:
        """Say what came of a series.

        Args:
            series: its scans.
            found: their fits, in the same order.
        """
        fits = found.fits
        used = np.array(
            [[n in which for n in range(len(self.references))] for which in found.chosen]
        )
        components = components_of(series.norm)
        names = tuple(_free_name(each.name, series.axis_name) for each in self.references)
        curves, _ = moved(self.references, series.energy, self.shifts.each, with_slopes=False)
        fractions = np.where(used, fits.fractions, 0.0)
        errors = np.where(used, fits.errors, np.nan)
        rse = ((series.norm - fits.fitted) ** 2).sum(axis=1) / (series.norm**2).sum(axis=1)
        worse = unlike(rse)
        said: list[str] = []
        if self.given:
            said += of_references(self.references, series, components, self.most)
        said += of_fits(series, fits, names, errors)
        said += drifting(series, fits, found.free) if found.free else self._only_moved(series)
        if self.shifts.on_bound:
            said.append(f"{self.shifts.on_bound} ended on a bound: do not trust these fractions")
        if worse.any():
            which = ", ".join(series.names[n] for n in np.flatnonzero(worse)[:5])
            said.append(f"{int(worse.sum())} scans are fitted far worse than the others: {which}")
        return Mixture(
            series=replace(series, notes=_notes(series.notes, worse, found.ties)),
            references=names,
            told=tuple(each.told for each in self.references),
            fractions=fractions,
            errors=errors,
            total=fits.weights.sum(axis=1),
            rse=rse,
            shift=fits.shift,
            shift_error=fits.shift_error,
            on_bound=fits.on_bound > 0,
            own_shift=self.shifts.own,
            fitted=fits.fitted,
            curves=curves,
            components=components,
            warnings=tuple(said),
        )

    def _chosen(self, series: Series) -> list[tuple[tuple[int, ...], int]]:
        """Return the numbers of the references that explain each scan, and how many choices tie."""
        size = len(self.references)
        if self.most is None or self.most >= size:
            return [(tuple(range(size)), 0)] * len(series)
        curves, _ = moved(self.references, series.energy, self.shifts.each, with_slopes=False)
        return [best_subset(y, curves, self.most) for y in series.norm]

    def _fits(self, series: Series, chosen: Sequence[tuple[int, ...]]) -> Fits:
        """Return the fits of scans by the references that are chosen for each."""
        if all(len(which) == len(self.references) for which in chosen):
            about = (self.references, self.shifts, self.is_free, self.white)
            return fit_all(series.norm, series.energy, *about)
        parts = [
            self._few(y, which, series.energy) for y, which in zip(series.norm, chosen, strict=True)
        ]
        return Fits.joined(parts)

    def _few(self, y: FloatArray, which: tuple[int, ...], energy: FloatArray) -> Fits:
        """Return the fit of one scan by some of the references, laid out for all of them."""
        at, size = list(which), len(self.references)
        some = [self.references[n] for n in at]
        fits = fit_all(y[None], energy, some, self.shifts.of(which), self.is_free)
        weights, covariance = np.zeros((1, size)), np.zeros((1, size, size))
        weights[:, at] = fits.weights
        covariance[:, np.array(at)[:, None], at] = fits.covariance
        return replace(fits, weights=weights, covariance=covariance)

    def _only_moved(self, series: Series) -> list[str]:
        """Say whether what are components of a series may be one curve that moves."""
        if self.given:
            return []
        mean = [Reference("mean", series.energy, series.norm.mean(axis=0))]
        none = Shifts(0.0, np.zeros(1))
        return only_moved(series, fit_all(series.norm, series.energy, mean, none, True))


def _references(given: Sequence[object], series: Series, wishes: Wishes) -> list[Reference]:
    found: list[Reference] = []
    for each in given:
        if isinstance(each, Reference):
            found.append(each)
        elif isinstance(each, Spectrum):
            found.append(of_spectrum(each.formula or f"reference_{len(found) + 1}", each))
        elif isinstance(each, Measurement):
            found.append(of_measurement(each))
        elif is_crystal_object(each):
            found.append(of_object(each, series.element, series.edge, wishes.model))
        else:
            found += references_of(
                [_word(each)], wishes.how, series.element, series.edge, wishes.model
            )
    names = [each.name for each in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise SpectrumError(
            f"several references are called {', '.join(twice)}: give each a name of its own, "
            f"such as a={twice[0]}.dat"
        )
    return found


def _within(references: Sequence[Reference], series: Series) -> Series:
    """Return the series where all references are known.

    Raises:
        SpectrumError: one of them does not reach over the edge.
    """
    first = max(each.energy[0] for each in references)
    last = min(each.energy[-1] for each in references)
    inside = (series.energy >= first) & (series.energy <= last)
    edge = series.edge_energy
    if inside.sum() < LEAST_POINTS or not first < edge < last - LEAST_ABOVE:
        shortest = min(references, key=lambda each: each.energy[-1] - max(each.energy[0], edge))
        raise SpectrumError(
            f"the reference {shortest.name} ({shortest.energy[0]:.0f} to {shortest.energy[-1]:.0f} "
            f"eV) does not reach over the edge of the scans at {edge:.0f} eV: give one that does"
        )
    kept = series.energy[inside]
    for each in references:
        if gap := hole(each.energy, float(kept[0]), float(kept[-1])):
            raise SpectrumError(
                f"the reference {each.name} has no points between {gap[0]:.1f} and "
                f"{gap[1]:.1f} eV: give one without a hole, or end the --range before it"
            )
    return replace(series, energy=kept, norm=series.norm[:, inside])


def _free_name(name: str, axis: str) -> str:
    return f"{name}_reference" if name in (*RESERVED, axis) else name


def _notes(notes: Sequence[str], worse: BoolArray, as_good: Sequence[int]) -> tuple[str, ...]:
    found = []
    for note, is_worse, ties in zip(notes, worse, as_good, strict=True):
        parts = [note, "fitted far worse than the others" if is_worse else ""]
        if ties:
            parts.append(f"{ties} other choices of references fit as well within a tenth")
        found.append("; ".join(filter(None, parts)))
    return tuple(found)
