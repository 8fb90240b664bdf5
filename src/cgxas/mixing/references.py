"""What scans are explained by: measured scans, and crystals whose spectra are predicted."""

import warnings
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.interpolate import CubicSpline

from cgxas.crystals.io.content import HEAD, Content, plain_name
from cgxas.crystals.io.formats import looks_like_crystal
from cgxas.crystals.io.read import CrystalLike, read_structure
from cgxas.data.collection import Collection, NamedCrystal
from cgxas.data.schema import MaterialRow
from cgxas.errors import (
    BadMeasurement,
    CrystalError,
    ReadingWarning,
    UnclearSpectrum,
    UnreadableSpectrum,
    WrongEdge,
)
from cgxas.mixing.files import expanded, in_folder, unique_names
from cgxas.mixing.scans import How, NamedScan, mean_of, read_named
from cgxas.reading import read_head
from cgxas.spectra.io.read import is_spectrum_file
from cgxas.spectra.io.scan import listed
from cgxas.spectra.measurement import Measurement
from cgxas.spectra.spectrum import Spectrum
from cgxas.typing import FloatArray

if TYPE_CHECKING:
    from cgxas.predict import Predictor

CORRELATED = 4.0
"""Errors of a predicted curve are alike within so many eV (standard deviation of a Gaussian)."""

ANSWERED = "K"
"""The edge that models answer with."""


@dataclass(frozen=True, eq=False)
class Reference:
    """One reference.

    Attributes:
        name: heading of its fraction.
        energy: (Q,) eV.
        norm: (Q,) normalised.
        sigma: (Q,) standard deviation of the shape of a predicted one, without its shift; None of
            a measured one.
        edge_sigma: standard deviation of the shift of a predicted one, eV; 0 of a measured one.
        told: what it is, in words.
    """

    name: str
    energy: FloatArray
    norm: FloatArray
    sigma: FloatArray | None = None
    edge_sigma: float = 0.0
    told: str = ""

    @property
    def is_predicted(self) -> bool:
        """Whether it has a band."""
        return self.sigma is not None

    @cached_property
    def _curve(self) -> Callable[[FloatArray], FloatArray]:
        return CubicSpline(self.energy, self.norm)  # type: ignore[no-any-return]

    def on(self, energy: FloatArray, shift: float | FloatArray = 0.0) -> FloatArray:
        """Return the curve, moved by some eV, on other energies, (P,); level beyond its ends.

        Args:
            energy: (P,) eV.
            shift: eV; or several, (S, 1), for as many curves, (S, P).
        """
        inside = np.clip(energy - shift, self.energy[0], self.energy[-1])
        return np.asarray(self._curve(inside))

    def slope(self, energy: FloatArray, shift: float = 0.0) -> FloatArray:
        """Return the change of the moved curve with its shift, (P,), 1/eV."""
        step = 0.05
        return (self.on(energy, shift + step) - self.on(energy, shift - step)) / (2 * step)

    def covariance(self, energy: FloatArray) -> FloatArray:
        """Return that of the errors of its shape, (P, P): the band, alike along the energy."""
        if self.sigma is None:
            return np.zeros((energy.size, energy.size))
        band = np.interp(energy, self.energy, self.sigma)
        alike = np.exp(-0.5 * ((energy[:, None] - energy) / CORRELATED) ** 2)
        return np.asarray(band[:, None] * band * alike)


def references_of(
    words: Sequence[str], how: How, element: str, edge: str, model: "str | Predictor"
) -> list[Reference]:
    """Read or predict references.

    Args:
        words: crystals, scans, folders and patterns of them, FILE:GROUP, archives and data sets
            of crystals; NAME=WORD,WORD is the mean of several scans.
        how: how measured ones are read.
        element: absorber of the scans.
        edge: their edge.
        model: what predicts crystals, or its name or path.

    Raises:
        CrystalError: a crystal cannot be used.
        AbsorberError: none of the crystals of a word holds the element.
        BadMeasurement: a measured reference is none.
        WrongEdge: a crystal cannot answer for the edge.
    """
    found: list[Reference] = []
    for word in words:
        name, _, inside = word.partition("=")
        if inside and "/" not in name and not Path(word).exists():
            found.append(_called(name, inside, how, (element, edge), model))
            continue
        scans, crystals = _told_apart(word)
        found += _measured(scans, how, element, edge)
        found += of_crystals(crystals, element, edge, model)
    return found


def _told_apart(
    word: str,
) -> tuple[list[tuple[Path, str | None]], list[NamedCrystal]]:
    """Return the scans and the crystals that a word names."""
    if Path(word).is_dir():
        is_dataset = (Path(word) / MaterialRow.FILE).is_file()
        inside = [] if is_dataset else [path for path in in_folder(Path(word)) if _is_scan(path)]
        with suppress(*[CrystalError] if inside else []):  # it need not hold both
            return [(path, None) for path in inside], _besides(inside, Collection(word))
        return [(path, None) for path in inside], []
    files = expanded([word], "references")
    scans = [each for each in files if each[1] or _is_scan(each[0])]
    others = [path for path, group in files if not group and not _is_scan(path)]
    return scans, list(Collection(others)) if others else []


def _besides(scans: Sequence[Path], crystals: Iterable[NamedCrystal]) -> list[NamedCrystal]:
    taken = {str(path) for path in scans}
    return [each for each in crystals if each.name not in taken]


def _is_scan(path: Path) -> bool:
    """Tell a scan from a crystal: by its suffix, which JSON files of both have."""
    if path.suffix.lower() != ".json":
        return is_spectrum_file(path)
    head = read_head(path, HEAD, UnreadableSpectrum)
    return not looks_like_crystal(Content(path, plain_name(path.name), head))


def _called(
    name: str, inside: str, how: How, edge: tuple[str, str], model: "str | Predictor"
) -> Reference:
    """Return the mean of scans, or a scan or crystal, by another name."""
    scans, crystals = _told_apart(inside) if "," not in inside else ([], [])
    if crystals and not scans:
        found = of_crystals(crystals, *edge, model)
        if len(found) > 1:
            raise UnclearSpectrum(
                f"{name}={inside} names {len(found)} crystals: a mean is of scans alone; name the "
                "crystals without it"
            )
        return replace(found[0], name=name)
    return _mean(name, inside, how, *edge)


def _mean(name: str, inside: str, how: How, element: str, edge: str) -> Reference:
    files = expanded(inside.split(","), "references")
    scans = _good(files, how, element, edge)
    return Reference(
        name, *mean_of([each.data for each in scans]), told=f"mean of {len(scans)} scans"
    )


def _measured(
    files: Sequence[tuple[Path, str | None]], how: How, element: str, edge: str
) -> list[Reference]:
    if not files:
        return []
    return [
        Reference(each.name, *mean_of([each.data]), told=_told(each.data, each.path.name))
        for each in _good(files, how, element, edge)
    ]


def _told(data: Measurement, file: str) -> str:
    what = "simulated, without a band" if data.kind == "simulated" else "measured"
    return f"{what}, {file}"


def _good(
    files: Sequence[tuple[Path, str | None]], how: How, element: str, edge: str
) -> tuple[NamedScan, ...]:
    """Read references as the scans are, or as they are by themselves where that does not fit."""
    first = replace(how, element=element, edge=edge, columns=None)
    tries = (first, How(element, edge), replace(first, columns=how.columns))
    for n, each in enumerate(tries, 1):
        try:
            found = read_named(files, each)
        except UnclearSpectrum:
            if n == len(tries):
                raise
            continue
        break
    _refuse_faults(found.left_out)
    return found.good


def _refuse_faults(left_out: Sequence[tuple[str, str]]) -> None:
    if left_out:
        name, reason = left_out[0]
        raise BadMeasurement(f"the reference {name} cannot be used: {reason}")


def of_object(crystal: CrystalLike, element: str, edge: str, model: "str | Predictor") -> Reference:
    """Predict a reference from an object of pymatgen or ASE; its formula is its name."""
    name = read_structure(crystal).composition.reduced_formula
    return of_crystals([NamedCrystal(name, name, 1.0, crystal)], element, edge, model)[0]


def of_crystals(
    crystals: Iterable[NamedCrystal], element: str, edge: str, model: "str | Predictor"
) -> list[Reference]:
    """Predict references; those without the element are told. Errors as of `references_of`."""
    if not (crystals := list(crystals)):
        return []
    if edge != ANSWERED:
        raise WrongEdge(
            f"the scans are of {element} {edge}, and models answer with {ANSWERED} edges only: "
            "give measured references, or say with --absorber and --edge what the scans are"
        )
    from cgxas.predict import load
    from cgxas.predict.many import answers_of

    predictor = load(model) if isinstance(model, str) else model
    every = list(answers_of(predictor, crystals, [element]))
    good = [each for each in every if each.spectra]
    for each in every:
        if each.failure and not (each.is_absent and good):
            raise each.failure.error
    if absent := [each.crystal.id for each in every if each.is_absent]:
        said = f"{listed(absent)}: no references, for there is no {element} in them"
        warnings.warn(said, ReadingWarning, stacklevel=2)
    names = unique_names([_parts(each.crystal.id) for each in good])
    pairs = zip(names, good, strict=True)
    return [of_spectrum(name, each.spectra[0]) for name, each in pairs]


def _parts(id_: str) -> tuple[str, ...]:
    """Return the names that tell a crystal from others: of its file, and of folders around it."""
    *above, last = [part for part in id_.split("/") if part not in ("", ".", "..")]
    return (*above[-3:], last if ":" in last else Path(last).stem or last)


def of_measurement(measured: Measurement) -> Reference:
    """Return a measured spectrum as a reference."""
    name = measured.label or Path(measured.source).stem or "reference"
    return Reference(name, *mean_of([measured]), told=_told(measured, measured.source))


def of_spectrum(name: str, spectrum: Spectrum) -> Reference:
    """Return a predicted spectrum as a reference; its band is told apart into shift and shape.

    Where the spectrum does not tell how sure its edge is, the shift can be no larger than what
    makes up the whole band where the curve is steep.
    """
    energy, norm, shape = spectrum.energy, spectrum.norm, spectrum.shape_sigma
    told = ", ".join(filter(None, [f"predicted by {spectrum.model}", spectrum.formula]))
    if spectrum.sigma is None or shape is None:
        return Reference(name, energy, norm, np.zeros(norm.size), told=f"{told}, without a band")
    shift = spectrum.edge_sigma or 0.0
    if not shift:
        slope = np.abs(np.gradient(norm, energy))
        steep = slope > 0.5 * slope.max()
        shift = float(np.min(spectrum.sigma[steep] / slope[steep]))
        shape = np.sqrt(np.clip(spectrum.sigma**2 - (shift * slope) ** 2, 0.0, None))
    # Where the slope explains all of it, what is usual around is left.
    floor = 0.25 * float(np.median(spectrum.sigma))
    return Reference(name, energy, norm, np.maximum(shape, floor), shift, told)


def alike(references: Sequence[Reference], energy: FloatArray) -> list[tuple[str, str, float]]:
    """Return the references that are nearly a mixture of the others.

    Args:
        references: at least two.
        energy: (P,) eV.

    Returns:
        Name, the other that has the largest part in it, and the root mean square of what is left.
    """
    from scipy.optimize import nnls

    curves = np.array([each.on(energy) for each in references])
    found = []
    for n, each in enumerate(references):
        others = np.delete(curves, n, axis=0)
        if not len(others):
            continue
        weights, left = nnls(others.T, curves[n])
        names = [other.name for other in references if other is not each]
        found.append((each.name, names[int(np.argmax(weights))], float(left / energy.size**0.5)))
    return found
