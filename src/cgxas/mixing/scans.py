"""Files -> normalised scans with their names and places on the axis; what is none is named."""

import os
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cgxas.errors import (
    BadMeasurement,
    CgxasError,
    CgxasWarning,
    MissingExtra,
    UnclearSpectrum,
)
from cgxas.mixing.faults import beam_lost, fault_of
from cgxas.mixing.files import unique_names
from cgxas.spectra.io.read import read_scan, read_scans
from cgxas.spectra.io.scan import Scan, listed
from cgxas.spectra.measurement import Measurement
from cgxas.spectra.normalise import normalise
from cgxas.typing import FloatArray


@dataclass(frozen=True)
class How:
    """How scans are read.

    Attributes:
        element: the absorber, if it is told.
        edge: its edge, if that is told.
        energy: column or path of the energies.
        mu: column, formula or path of mu.
        columns: which columns of a text are scans, each of its own.
    """

    element: str | None = None
    edge: str | None = None
    energy: str | None = None
    mu: str | None = None
    columns: str | None = None


@dataclass(frozen=True, eq=False)
class NamedScan:
    """A scan by its name.

    Attributes:
        name: that no other scan has.
        path: its file.
        group: what it is called in the file, empty if the file holds one.
        data: normalised.
        note: what was mended or guessed when it was read, or empty.
    """

    name: str
    path: Path
    group: str
    data: Measurement
    note: str = ""


@dataclass(frozen=True, eq=False)
class Scans:
    """What files hold.

    Attributes:
        good: scans that can be used, all of one edge.
        left_out: name and reason of what cannot.
    """

    good: tuple[NamedScan, ...]
    left_out: tuple[tuple[str, str], ...]


def read_named(
    files: Sequence[tuple[Path, str | None]], how: How, on_file: Callable[[], None] = lambda: None
) -> Scans:
    """Read the scans of files, and judge each by itself.

    Args:
        files: each with the group that is chosen, or None for all it holds.
        how: how they are read.
        on_file: called after each file.

    Raises:
        MissingExtra: Larch is not installed.
        UnclearSpectrum: how the files are to be read fits none of them.
    """
    raw: list[tuple[Path, str, Scan | CgxasError]] = []
    for path, group in files:
        raw += _of_file(path, group, how)
        on_file()
    names = unique_names([_parts(path, group) for path, group, _ in raw])
    named = [(name, *each) for name, each in zip(names, raw, strict=True)]
    found = _all_judged(named, how)
    edges = Counter((scan.data.element, scan.data.edge) for scan in found.good)
    if len(edges) < 2 or how.element:
        return _of_one_edge(found, edges)
    if any(scan.data.edge_source == "guessed" for scan in found.good):
        # A guess is made of each scan alone: the one that fits most of them is meant.
        tried = {
            edge: _all_judged(named, replace(how, element=edge[0], edge=edge[1])) for edge in edges
        }
        counts = Counter({edge: len(each.good) for edge, each in tried.items()})
        (best, most), (_, next_best) = counts.most_common(2)
        if most == next_best:
            kinds = [" ".join(edge) for edge in edges]
            raise UnclearSpectrum(
                f"the scans may be of several edges, {listed(kinds)}: say with --absorber which"
            )
        return tried[best]
    return _of_one_edge(found, edges)


def unread(measurements: Sequence[Measurement]) -> Scans:
    """Return scans that were read before, each judged as those of files are."""
    parts = [(each.label or Path(each.source).stem or "scan",) for each in measurements]
    good, left_out = [], []
    for name, each in zip(unique_names(parts), measurements, strict=True):
        if reason := fault_of(each):
            left_out.append((name, reason))
        else:
            good.append(NamedScan(name, Path(each.source), "", each))
    edges = Counter((each.data.element, each.data.edge) for each in good)
    return _of_one_edge(Scans(tuple(good), tuple(left_out)), edges)


def _all_judged(named: Sequence[tuple[str, Path, str, Scan | CgxasError]], how: How) -> Scans:
    good: list[NamedScan] = []
    errors: list[tuple[str, Path, CgxasError]] = []
    for name, path, group, scan in named:
        try:
            good.append(_judged(name, path, group, scan, how))
        except MissingExtra:
            raise
        except CgxasError as error:
            errors.append((name, path, error))
    if not good and errors and all(isinstance(each, UnclearSpectrum) for *_, each in errors):
        raise errors[0][2]
    return Scans(tuple(good), tuple((name, _shorter(error, path)) for name, path, error in errors))


def _of_file(
    path: Path, group: str | None, how: How
) -> Iterator[tuple[Path, str, Scan | CgxasError]]:
    try:
        if group is not None:
            yield path, group, read_scan(path, group, how.energy, how.mu)
            return
        for name, scan in read_scans(path, how.energy, how.mu, how.columns):
            yield path, name, scan
    except MissingExtra:
        raise
    except CgxasError as error:
        yield path, group or "", error


def _parts(path: Path, group: str) -> tuple[str, ...]:
    """Return the names that tell a scan from others, from the outermost."""
    above = [part for part in path.parent.parts if part not in (os.sep, ".", "..")]
    return (*above[-3:], path.stem, group) if group else (*above[-3:], path.stem)


def _judged(name: str, path: Path, group: str, scan: Scan | CgxasError, how: How) -> NamedScan:
    if not isinstance(scan, Scan):
        raise scan
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", CgxasWarning)
        try:
            data = normalise(scan, how.element, how.edge)
        except BadMeasurement as error:
            raise BadMeasurement(beam_lost(scan.energy, scan.mu) or str(error)) from error
        if reason := fault_of(data):
            raise BadMeasurement(reason)
    note = "; ".join(str(each.message).removeprefix(f"{path.name}: ") for each in said)
    return NamedScan(name, path, group, data, note)


def _shorter(error: CgxasError, path: Path) -> str:
    """Return what an error says without the name of the file, which stands before it."""
    return str(error).removeprefix(f"{path.name}: ").removeprefix(f"{path.name} ")


def _of_one_edge(scans: Scans, edges: "Counter[tuple[str, str]]") -> Scans:
    """Leave out what is of another edge than most are of.

    Raises:
        UnclearSpectrum: no edge is that of most scans.
    """
    if len(edges) < 2:
        return scans
    usual, count = edges.most_common(1)[0]
    if 2 * count <= edges.total():
        kinds = [f"{e} {x} ({n})" for (e, x), n in edges.most_common()]
        raise UnclearSpectrum(
            f"the scans are of several edges, {listed(kinds)}: say with --absorber which is meant"
        )
    others = {
        scan.name: f"it is of the {scan.data.element} {scan.data.edge} edge, the others of "
        f"{' '.join(usual)}"
        for scan in scans.good
        if (scan.data.element, scan.data.edge) != usual
    }
    kept = tuple(scan for scan in scans.good if scan.name not in others)
    return Scans(kept, (*scans.left_out, *others.items()))


def mean_of(scans: Sequence[Measurement]) -> tuple[FloatArray, FloatArray]:
    """Return energies (P,) and the mean (P,) of normalised scans, on the points of the first."""
    first = scans[0]
    energy = first.energy + first.energy_shift
    last = min(float(scan.energy[-1] + scan.energy_shift) for scan in scans)
    start = max(float(scan.energy[0] + scan.energy_shift) for scan in scans)
    inside = (energy >= start) & (energy <= last)
    curves = [
        np.interp(energy[inside], scan.energy + scan.energy_shift, scan.flattened().norm)
        for scan in scans
    ]
    return energy[inside], np.mean(curves, axis=0)
