"""What is wrong with a data-set folder, spectrum by spectrum and crystal by crystal.

`read_records` refuses a folder with a damaged row; the check goes on and tells of all of them.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cgxas.data.distinct import crystal_key
from cgxas.data.folder import absorbing_sites, annotation_of, dataset_name, is_curve, material_of
from cgxas.data.manifest import changed_tables
from cgxas.data.record import EDGE, EXPERIMENT, Material, edge_name, fidelity_of
from cgxas.data.schema import MaterialRow, SpectrumRow
from cgxas.data.tables import Incomplete, read_rows
from cgxas.errors import CgxasError, CrystalError, DatasetError, InvalidCell, OverlappingAtoms
from cgxas.spectra.resample import onto_grid
from cgxas.spectra.sanity import sanity_reasons
from cgxas.spectra.xray import WINDOWS

MIN_COVERED = 0.5
"""A spectrum that covers less than this share of its element's window is short."""

REASONS = {
    "changed_table": "the table is not the one its manifest tells of",
    "missing_value": "the row lacks a value it must have",
    "unreadable_crystal": "lattice, species and coordinates do not make a crystal",
    "no_volume": "the cell has no volume, or is not finite",
    "overlapping_atoms": "two atoms are less than 0.5 A apart",
    "unusable_crystal": "the crystal cannot be used for another reason",
    "no_crystal": "the spectrum's crystal is not in the table of crystals",
    "wrong_absorber": "no such site, or no such element at it",
    "other_edge": "the spectrum is of another edge than K",
    "impossible_value": "energy shift, weight or multiplicity cannot be",
    "not_finite": "energy and mu are not finite, or not of one length",
    "not_increasing": "the energies do not increase strictly",
    "no_window": "the absorber is not one of the 48",
    "outside_window": "no point lies in the element's energy window",
    "short": "covers less than half of the window",
    "starts_high": "first point above 0.5",
    "no_peak": "maximum below 1",
    "negative": "minimum below -0.05",
    "late_edge": "first value above 0.9 at the 80th of 100 points or later",
    "dip_after_edge": "a value below 0.3 after the edge",
    "duplicate": "same crystal, site and fidelity as an earlier spectrum",
    "equal_name": "same name as an earlier spectrum or crystal",
}
"""Every reason, and what it means."""


@dataclass(frozen=True)
class Check:
    """What was found in a folder.

    Attributes:
        name: of the folder.
        materials: number of crystals.
        spectra: number of spectra.
        found: reason -> names of crystals, spectra or tables, in the order of `REASONS`.
    """

    name: str
    materials: int
    spectra: int
    found: dict[str, list[str]] = field(default_factory=dict)

    @property
    def flagged(self) -> int:
        """Number of things with at least one reason."""
        return len({name for names in self.found.values() for name in names})


def check_folder(folder: Path) -> Check:
    """Check every crystal and spectrum of a folder.

    Crystals: those of `cgxas.crystals`. Spectra: finite, increasing, of an absorber that is in the
    crystal, in their element's window, named and computed once; simulated ones also against the
    sanity filters of the paper's authors (`cgxas.spectra.sanity.sanity_reasons`).

    Raises:
        DatasetError: a table or a column is missing, holds another type, or the manifest is
            damaged.
    """
    found: dict[str, list[str]] = defaultdict(list)
    found["changed_table"] += changed_tables(folder)
    materials: dict[str, Material | None] = {}
    n_materials = 0
    for crystal in read_rows(folder, MaterialRow):
        n_materials += 1
        if isinstance(crystal, Incomplete):
            found["missing_value"].append(crystal.name)
            materials[crystal.name] = None
            continue
        if crystal.material_id in materials:
            found["equal_name"].append(crystal.material_id)
        material, reason = _checked_material(crystal, folder)
        materials[crystal.material_id] = material
        if reason:
            found[reason].append(crystal.material_id)
    spectra = _Spectra(materials)
    for row in read_rows(folder, SpectrumRow):
        for reason in spectra.reasons(row):
            found[reason].append(row.name if isinstance(row, Incomplete) else row.spectrum_id)
    ordered = {reason: found[reason] for reason in REASONS if found.get(reason)}
    return Check(dataset_name(folder), n_materials, spectra.count, ordered)


def _checked_material(row: MaterialRow, folder: Path) -> tuple[Material | None, str]:
    from pymatgen.core.structure import Structure

    from cgxas.crystals.spec import GraphSpec
    from cgxas.crystals.structure import standardise

    try:
        material = material_of(row, folder)
    except InvalidCell:
        return None, "no_volume"
    except CgxasError:
        return None, "unreadable_crystal"
    cell = material.cell
    try:
        standardise(
            Structure(cell.lattice, cell.numbers.tolist(), cell.frac), GraphSpec(cell="as_given")
        )
    except CrystalError as error:
        reasons = {InvalidCell: "no_volume", OverlappingAtoms: "overlapping_atoms"}
        return material, reasons.get(type(error), "unusable_crystal")
    return material, ""


class _Spectra:
    """The spectra of a folder, looked at one after the other."""

    def __init__(self, materials: Mapping[str, Material | None]) -> None:
        self.count = 0
        self._materials = materials
        self._crystals = {name: crystal_key(each.cell) for name, each in materials.items() if each}
        self._names: set[str] = set()
        self._contents: set[tuple[Any, ...]] = set()

    def reasons(self, row: SpectrumRow | Incomplete) -> Iterator[str]:
        """Yield what is wrong with the next one."""
        self.count += 1
        if isinstance(row, Incomplete):
            yield "missing_value"
            return
        if row.spectrum_id in self._names:
            yield "equal_name"
        self._names.add(row.spectrum_id)
        if row.material_id not in self._materials:
            yield "no_crystal"
        material = self._materials.get(row.material_id)
        if material and not len(absorbing_sites(row, material.cell)):
            yield "wrong_absorber"
        if _is_impossible(row):
            yield "impossible_value"
        if edge_name(row.edge) != EDGE:
            yield "other_edge"
        elif not is_curve(row.energy, row.mu):
            yield "not_finite"
        elif (np.diff(row.energy) <= 0).any():
            yield "not_increasing"
        else:
            fidelity = row.fidelity or fidelity_of(row.theory)
            yield from _curve_reasons(row, is_simulated=fidelity != EXPERIMENT)
            if self._is_double(row, fidelity):
                yield "duplicate"

    def _is_double(self, row: SpectrumRow, fidelity: str) -> bool:
        """Tell whether a spectrum was there already, and note it."""
        # Measurements are repeated; only the same numbers are a copy.
        content = row.mu.tobytes() if fidelity == EXPERIMENT else b""
        crystal = self._crystals.get(row.material_id)
        key = (crystal, row.element, row.site_index, fidelity, content)
        is_double = crystal is not None and key in self._contents
        self._contents.add(key)
        return is_double


def _is_impossible(row: SpectrumRow) -> bool:
    try:
        annotation_of(row, row.spectrum_id)
    except DatasetError:
        return True
    return False


def _curve_reasons(row: SpectrumRow, is_simulated: bool) -> Iterator[str]:
    window, energy = WINDOWS.get((row.element, EDGE)), row.energy
    if window is None:
        yield "no_window"
        return
    inside = energy[(energy >= window.e_min) & (energy <= window.e_max)]
    if not len(inside):
        yield "outside_window"
        return
    covered = min(energy[-1], window.e_max) - max(energy[0], window.e_min)
    if covered < MIN_COVERED * (window.e_max - window.e_min):
        yield "short"
    if is_simulated:
        yield from sanity_reasons(onto_grid(energy, row.mu, window.energies))
