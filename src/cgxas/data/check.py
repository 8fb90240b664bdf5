"""What is wrong with a data-set folder, spectrum by spectrum and crystal by crystal.

`read_records` refuses a folder with a damaged row; the check goes on and tells of all of them.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cgxas.data.folder import crystal_key, dataset_name, file_sha256, read_manifest
from cgxas.data.record import Material, fidelity_of, material_of, material_rows, spectrum_rows
from cgxas.elements import SYMBOLS
from cgxas.errors import CgxasError, CrystalError, InvalidCell, OverlappingAtoms
from cgxas.spectra.resample import onto_grid
from cgxas.spectra.sanity import sanity_reasons
from cgxas.spectra.xray import WINDOWS

EXPERIMENT = "experiment"
"""Fidelity of measured spectra: they may be negative, and measured more than once."""

MIN_COVERED = 0.5
"""A spectrum that covers less than this share of its element's window is short."""

REASONS = {
    "changed_table": "the table is not the one its manifest tells of",
    "unreadable_crystal": "lattice, species and coordinates do not make a crystal",
    "no_volume": "the cell has no volume",
    "overlapping_atoms": "two atoms are less than 0.5 A apart",
    "unusable_crystal": "the crystal cannot be used for another reason",
    "no_crystal": "the spectrum's crystal is not in the table of crystals",
    "wrong_absorber": "no such site, or no such element at it",
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
    "equal_name": "same name as an earlier spectrum",
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
    sanity filters of the paper's authors (`cgxas.spectra.normalise.sanity_reasons`).

    Raises:
        DatasetError: a table or a column is missing, or the manifest is damaged.
    """
    found: dict[str, list[str]] = defaultdict(list)
    manifest = read_manifest(folder)
    for name, checksum in (manifest.sha256 if manifest else {}).items():
        if (folder / name).exists() and file_sha256(folder / name) != checksum:
            found["changed_table"].append(name)
    materials: dict[str, Material | None] = {}
    for row in material_rows(folder):
        material, reason = _checked_material(row, folder)
        materials[row["material_id"]] = material
        if reason:
            found[reason].append(row["material_id"])
    keys = {name: crystal_key(each.cell) for name, each in materials.items() if each}
    seen: set[Any] = set()
    spectra = 0
    for row in spectrum_rows(folder):
        spectra += 1
        for reason in _reasons(row, materials, keys, seen):
            found[reason].append(row["spectrum_id"])
    ordered = {reason: found[reason] for reason in REASONS if reason in found}
    return Check(dataset_name(folder), len(materials), spectra, ordered)


def _checked_material(row: dict[str, Any], folder: Path) -> tuple[Material | None, str]:
    from pymatgen.core.structure import Structure

    from cgxas.crystals.spec import GraphSpec
    from cgxas.crystals.structure import standardise

    try:
        material = material_of(row, folder)
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


def _reasons(
    row: dict[str, Any],
    materials: Mapping[str, Material | None],
    keys: Mapping[str, bytes],
    seen: set[Any],
) -> Iterator[str]:
    if ("name", row["spectrum_id"]) in seen:
        yield "equal_name"
    seen.add(("name", row["spectrum_id"]))
    if row["material_id"] not in materials:
        yield "no_crystal"
    material = materials.get(row["material_id"])
    if material and not _has_absorber(row, material):
        yield "wrong_absorber"
    energy, norm = _curve(row)
    if not len(energy):
        yield "not_finite"
    elif (np.diff(energy) <= 0).any():
        yield "not_increasing"
    else:
        fidelity = row.get("fidelity") or fidelity_of(row["theory"])
        yield from _curve_reasons(energy, norm, row["element"], fidelity != EXPERIMENT)
        # Measurements are repeated; only the same numbers are a copy.
        content = norm.tobytes() if fidelity == EXPERIMENT else b""
        crystal = keys.get(row["material_id"])
        key = (crystal, row["element"], row["site_index"], fidelity, content)
        if crystal and key in seen:
            yield "duplicate"
        seen.add(key)


def _has_absorber(row: dict[str, Any], material: Material) -> bool:
    element, site = row["element"], row["site_index"]
    if element not in SYMBOLS:
        return False
    sites = np.flatnonzero(material.cell.numbers == SYMBOLS.index(element) + 1)
    return bool(len(sites)) if site is None else site in sites


def _curve(row: dict[str, Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return energy and norm, empty if they are not finite and of one length."""
    energy = np.array(row["energy"] or [], dtype=np.float64)
    norm = np.array(row["mu"] or [], dtype=np.float64)
    good = energy.shape == norm.shape and np.isfinite(energy).all() and np.isfinite(norm).all()
    return (energy, norm) if good else (energy[:0], norm[:0])


def _curve_reasons(
    energy: NDArray[np.float64], norm: NDArray[np.float64], element: str, is_simulated: bool
) -> Iterator[str]:
    window = WINDOWS.get(element)
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
        yield from sanity_reasons(onto_grid(energy, norm, window.energies))
