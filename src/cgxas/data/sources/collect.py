"""What a source yields -> records and what is left out -> a data-set folder."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cgxas.data.distinct import DistinctMaterials
from cgxas.data.folder import dataset_name, write_dataset
from cgxas.data.manifest import Manifest, Origin
from cgxas.data.record import EDGE, Material, Record, edge_name
from cgxas.data.sources.item import OTHER_EDGE, ImportedSpectrum, Item, LeftOut, Unusable
from cgxas.elements import ABSORBERS, atomic_number
from cgxas.errors import DatasetError, SpectrumError
from cgxas.spectra.curve import checked_curve
from cgxas.spectra.measurement import Measurement
from cgxas.spectra.xray import WINDOWS

_EV_PER_KEV = 1000.0


@dataclass(frozen=True)
class Collection:
    """What of a source can be used, and what cannot.

    Attributes:
        records: the spectra.
        left_out: reason -> names.
    """

    records: list[Record] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def __len__(self) -> int:
        return len(self.records) + sum(len(names) for names in self.left_out.values())


def collect(items: Iterable[Item], dataset: str) -> Collection:
    """Sort what a source yields into records and what is left out.

    Spectra without names that would get the same one are told apart as name_v2 and so on.

    Args:
        items: of the source.
        dataset: name of the data set to be.
    """
    found = Collection()
    distinct = DistinctMaterials()
    curves: dict[str, bytes] = {}
    for item in items:
        if isinstance(item, LeftOut):
            found.left_out[item.reason].append(item.name)
            continue
        try:
            found.records.append(_record(item, dataset, distinct, curves))
        except Unusable as error:
            found.left_out[str(error)].append(item.name or item.material_id)
    return found


def _record(
    item: ImportedSpectrum, dataset: str, distinct: DistinctMaterials, curves: dict[str, bytes]
) -> Record:
    """Return the record, and note its name and curve among those there are."""
    edge = edge_name(item.edge)
    if edge != EDGE:
        raise Unusable(OTHER_EDGE)
    energy, norm = usable_curve(item.energy, item.norm, item.element)
    sites = _sites(item)
    material = distinct.kept(Material(item.material_id, item.formula, item.cell))
    stated = item.name or _name(material.material_id, item.site, item.element)
    name, number, content = stated, 1, energy.tobytes() + norm.tobytes()
    while name in curves:
        if curves[name] == content:
            raise Unusable("spectrum given twice")
        if item.name:
            raise Unusable("name given twice")
        number += 1
        name = f"{stated}_v{number}"
    curves[name] = content
    return Record(
        name,
        material,
        item.element,
        sites,
        item.site_certain,
        energy,
        norm,
        item.theory,
        item.fidelity,
        dataset,
        edge,
        item.annotation,
    )


def usable_curve(
    energy: ArrayLike, norm: ArrayLike, element: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a spectrum as increasing arrays, or say what is wrong with it.

    Energies that FEFF rounds to the same number are taken once.

    Raises:
        Unusable: empty, not finite, not increasing, in keV, or not in the element's window.
    """
    if element not in ABSORBERS:
        raise Unusable("absorber is not one of the 48 elements")
    try:
        x, y = np.array(energy, dtype=np.float64), np.array(norm, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise Unusable("spectrum is not two rows of numbers") from error
    if x.ndim != 1 or x.shape != y.shape:
        raise Unusable("spectrum is not two rows of numbers")
    if x.size < 2:
        raise Unusable("spectrum is empty")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise Unusable("spectrum is not finite")
    new = np.diff(x, prepend=-np.inf) != 0
    try:
        x, y = checked_curve(x[new], y[new])
    except SpectrumError as error:
        raise Unusable("energies do not increase") from error
    if not _in_window(x, element):
        is_kev = _in_window(x * _EV_PER_KEV, element)
        raise Unusable("energies are in keV" if is_kev else "energies are not around the K edge")
    return x, y


def _in_window(energy: NDArray[np.float64], element: str) -> bool:
    window = WINDOWS[element, EDGE]
    return bool(((energy >= window.e_min) & (energy <= window.e_max)).any())


def _sites(item: ImportedSpectrum) -> NDArray[np.int64]:
    sites = np.flatnonzero(item.cell.numbers == atomic_number(item.element))
    if not len(sites):
        raise Unusable("absorber is not in the crystal")
    if item.site is None:
        return sites
    if not 0 <= item.site < len(item.cell.numbers):
        raise Unusable("site is not in the crystal")
    if item.site not in sites:
        raise Unusable("atom at the site is not the absorber")
    return np.array([item.site])


def _name(material: str, site: int | None, element: str) -> str:
    """Return mp-561304-56-XANES-K-S for a site, mp-779827-XANES-O-K for a mean."""
    if site is None:
        return f"{material}-XANES-{element}-K"
    return f"{material}-{site}-XANES-K-{element}"


def summary(left_out: Mapping[str, list[str]]) -> str:
    """Return "3 energies are in keV, 1 crystal is disordered", the most frequent first."""
    ordered = sorted(left_out.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    return "; ".join(f"{len(names)} x {reason}" for reason, names in ordered)


def write_collected(
    items: Iterable[Item],
    source: Path,
    folder: Path,
    origin: Origin,
    measured: Mapping[str, Measurement] | None = None,
) -> Manifest:
    """Write all that can be used of what a source yields to a new data-set folder.

    Args:
        items: of the source.
        source: where they come from, for messages.
        folder: a new or empty folder.
        origin: for the manifest.
        measured: name -> the measurement behind a spectrum; may fill while items are taken.

    Raises:
        DatasetError: nothing of the source can be used; the message counts the reasons.
        OutputError: the folder cannot be written.
    """
    found = collect(items, dataset_name(folder))
    if not len(found):
        raise DatasetError(f"{source} holds no spectrum")
    if not found.records:
        raise DatasetError(f"nothing of {source} can be used: {summary(found.left_out)}")
    return write_dataset(folder, found.records, origin, found.left_out, measured)
