"""What a source yields, and what is accepted of it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cgxas.crystals.canonical import Cell
from cgxas.data.folder import DistinctMaterials
from cgxas.data.record import Material, Record
from cgxas.elements import ABSORBERS, atomic_number
from cgxas.errors import (
    CgxasError,
    CrystalError,
    DatasetError,
    DisorderedCrystal,
    InvalidCell,
    OverlappingAtoms,
    SpectrumError,
)
from cgxas.spectra.curve import checked_curve
from cgxas.spectra.xray import WINDOWS

_EV_PER_KEV = 1000.0


class Unusable(CgxasError):
    """One spectrum of a source cannot be used; its text is the reason, the same for all alike."""


@dataclass(frozen=True, eq=False)
class ImportedSpectrum:
    """A spectrum as a source gives it.

    Attributes:
        name: within the source; empty: it is made of crystal, site and element.
        material_id: name of the crystal within the source.
        formula: reduced formula.
        cell: the crystal, in the source's order of atoms.
        element: absorber.
        site: 0-based index of the absorbing atom; None: the mean over all atoms of the element.
        site_certain: whether the source states the site, or it was inferred.
        energy: (P,) eV.
        norm: (P,) about 1 above the edge.
        theory: code and settings.
        fidelity: what sets of spectra are told apart by, "FEFF9".
    """

    name: str
    material_id: str
    formula: str
    cell: Cell
    element: str
    site: int | None
    site_certain: bool
    energy: NDArray[np.float64]
    norm: NDArray[np.float64]
    theory: str
    fidelity: str


@dataclass(frozen=True)
class LeftOut:
    """Something of a source that cannot be used.

    Attributes:
        name: within the source.
        reason: why, in words that are the same for all alike.
    """

    name: str
    reason: str


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


def collect(items: Iterable[ImportedSpectrum | LeftOut], dataset: str) -> Collection:
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
    window = WINDOWS[element]
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


def cell_and_formula(structure: Any) -> tuple[Cell, str]:
    """Return the cell and reduced formula of a crystal in any form `standardise` takes.

    Raises:
        Unusable: it cannot be used.
    """
    from cgxas.crystals.spec import GraphSpec
    from cgxas.crystals.structure import standardise

    try:
        crystal = standardise(structure, GraphSpec(cell="as_given"))
    except CrystalError as error:
        raise Unusable(crystal_reason(error)) from error
    return crystal.cell, crystal.formula


def crystal_reason(error: CrystalError) -> str:
    """Return why a crystal cannot be used, in words that are the same for all alike."""
    reasons = {
        DisorderedCrystal: "crystal is disordered",
        OverlappingAtoms: "atoms of the crystal overlap",
        InvalidCell: "cell has no volume, or is not finite",
    }
    return reasons.get(type(error), "crystal is not readable")


def structure_of(value: Any) -> Any:
    """Return a pymatgen Structure of its dictionary, or of {lattice, species, frac_coords}.

    Raises:
        Unusable: it is neither.
    """
    from pymatgen.core.structure import Structure

    if not isinstance(value, Mapping):
        raise Unusable("structure is missing")
    try:
        if "sites" in value:
            return Structure.from_dict(dict(value))
        lattice = np.array(value["lattice"], dtype=np.float64).reshape(3, 3)
        places = np.array(value["frac_coords"], dtype=np.float64).reshape(-1, 3)
        return Structure(lattice, value["species"], places)
    except Exception as error:  # a damaged dictionary fails anywhere in pymatgen, with any error
        raise Unusable("crystal is not readable") from error


def summary(left_out: Mapping[str, list[str]]) -> str:
    """Return "3 energies are in keV, 1 crystal is disordered", the most frequent first."""
    ordered = sorted(left_out.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    return "; ".join(f"{len(names)} x {reason}" for reason, names in ordered)


def refuse_empty(found: Collection, source: object) -> None:
    """Refuse a source of which nothing can be used.

    Raises:
        DatasetError: the message counts the reasons.
    """
    if found.records:
        return
    if not found.left_out:
        raise DatasetError(f"{source} holds no spectrum")
    raise DatasetError(f"nothing of {source} can be used: {summary(found.left_out)}")
