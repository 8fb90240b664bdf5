"""Folders of FEFF runs: xmu.dat and feff.inp, with the crystal the cluster was cut from.

FEFF itself sees a cluster. The crystal is looked for in POSCAR, CONTCAR or a CIF file in the run
folder and the folders above it, then in feff.inp: its LATTICE (reciprocal-space runs), or the
comments that pymatgen writes. The absorbing atom is the one with the absorber's surroundings.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cgxas.crystals.canonical import Cell
from cgxas.data.record import EDGE, fidelity_of
from cgxas.data.sources.crystal import cell_and_formula
from cgxas.data.sources.feff_input import FeffInput, read_input
from cgxas.data.sources.feff_site import matching_sites, single_orbit
from cgxas.data.sources.item import ImportedSpectrum, Item, LeftOut, Unusable
from cgxas.elements import SYMBOLS
from cgxas.limits import POINTS
from cgxas.reading import read_bounded

SPECTRUM_FILE = "xmu.dat"
INPUT_FILE = "feff.inp"
CRYSTAL_FILES = ("POSCAR", "CONTCAR", "*.cif")

_VERSION = re.compile(r"feff\s*(\d+(?:\.\w+)*)", re.IGNORECASE)
_COLUMNS = ("omega", "e", "k", "mu", "mu0", "chi")
_STEP_AT = 50.0
_SETTINGS = ("COREHOLE", "SCF", "FMS")
Reader = Callable[[Path], tuple[Cell, str] | str]
"""A crystal file -> cell and formula, or why it cannot be used."""

_MATERIAL = re.compile(r"(mp|mvc|oqmd|cod)-\d+$")


@dataclass(frozen=True, eq=False)
class Crystal:
    """A crystal that a run may have been cut from.

    Attributes:
        name: for the data set.
        cell: atoms and lattice.
        formula: reduced formula.
    """

    name: str
    cell: Cell
    formula: str


def holds_runs(root: Path) -> bool:
    """Tell whether FEFF left a spectrum in a folder or below it."""
    return root.is_dir() and next(root.rglob(SPECTRUM_FILE), None) is not None


def run_folders(root: Path) -> list[Path]:
    """Return the folders at or below the root in which FEFF left a spectrum, in order."""
    return sorted(path.parent for path in root.rglob(SPECTRUM_FILE))


def read_runs(root: Path) -> Iterator[Item]:
    """Yield the spectrum of each run at or below a folder, or why it is left out."""
    read = cache(_read_crystal)  # one crystal often stands above many runs
    for run in run_folders(root):
        name = run.relative_to(root).as_posix() if run != root else root.absolute().name
        try:
            yield _read_run(run, root, name, read)
        except Unusable as error:
            yield LeftOut(name, str(error))


def _read_run(run: Path, root: Path, name: str, read: Reader) -> ImportedSpectrum:
    table, version = read_xmu(run / SPECTRUM_FILE)
    feff = read_input(run / INPUT_FILE)
    if feff.edge != EDGE or not feff.is_xanes:
        raise Unusable("not a K-edge XANES run")
    crystal, sites = _found(run, root, feff, read)
    settings = ", ".join(f"{card} {feff.cards[card]}" for card in _SETTINGS if card in feff.cards)
    theory = f"FEFF {version}".strip() + (f" ({settings})" if settings else "")
    return ImportedSpectrum(
        name=name,
        material_id=crystal.name,
        formula=crystal.formula,
        cell=crystal.cell,
        element=SYMBOLS[feff.absorber - 1],
        site=int(sites[0]),
        site_certain=single_orbit(crystal.cell, sites),
        energy=table[:, 0],
        norm=table[:, 3] / (_step(table) if feff.is_absolute else 1.0),
        theory=theory,
        fidelity=fidelity_of(theory),
    )


def read_xmu(path: Path) -> tuple[NDArray[np.float64], str]:
    """Return the (P, 6) columns of an xmu.dat and the version of FEFF ("9.9.1", or "").

    The layout of FEFF 8.5, 9 and 10: comments beginning with #, the last of which names the
    columns omega (absolute energy, eV), e (relative), k (1/Angstrom), mu, mu0 and chi. FEFF
    divides mu and mu0 by the background 50 eV above the edge unless told ABSOLUTE.

    Raises:
        Unusable: it is not such a file.
    """
    try:
        text = read_bounded(path, Unusable).decode("utf-8", errors="replace")
        lines = text.splitlines()
        rows = [line.split() for line in lines if line.strip() and "#" not in line]
        table = np.array(rows, dtype=np.float64)
    except (Unusable, ValueError) as error:
        raise Unusable(f"{SPECTRUM_FILE} is not readable") from error
    POINTS.refuse_beyond(len(table), f"{SPECTRUM_FILE} has", Unusable)
    if table.size == 0:
        raise Unusable(f"{SPECTRUM_FILE} is empty")
    comments = [line.lstrip("# ") for line in lines if line.lstrip().startswith("#")]
    labels = [line.split()[: len(_COLUMNS)] for line in comments if line.startswith("omega")]
    if table.ndim != 2 or table.shape[1] != len(_COLUMNS) or labels not in ([], [list(_COLUMNS)]):
        raise Unusable(f"{SPECTRUM_FILE} has other columns than omega e k mu mu0 chi")
    versions = [found.group(1) for line in comments if (found := _VERSION.search(line))]
    return table, versions[0] if versions else ""


def _step(table: NDArray[np.float64]) -> float:
    """Return the background 50 eV above the edge, by which FEFF divides without ABSOLUTE."""
    above = table[table[:, 2] >= 0]
    if not len(above) or above[-1, 0] < above[0, 0] + _STEP_AT:
        raise Unusable("ABSOLUTE run ends before the background that normalises it")
    return float(np.interp(above[0, 0] + _STEP_AT, above[:, 0], above[:, 4]))


def _found(
    run: Path, root: Path, feff: FeffInput, read: Reader
) -> tuple[Crystal, NDArray[np.int64]]:
    """Return the first crystal that has the absorber, and the sites that may be it."""
    reasons = ["no crystal beside the run or in feff.inp"]
    for crystal in _crystals(run, root, feff, read):
        if isinstance(crystal, str):
            reasons.append(crystal)
            continue
        sites = matching_sites(crystal.cell, feff.absorber, feff.numbers, feff.cluster)
        if len(sites):
            return crystal, sites
        reasons.append("no atom of the crystal has the absorber's surroundings")
    raise Unusable(reasons[-1])


def _crystals(run: Path, root: Path, feff: FeffInput, read: Reader) -> Iterator[Crystal | str]:
    """Yield what the run may have been cut from, the likeliest first, or why it cannot be used."""
    for folder in (run, *run.parents):
        for path in (found for pattern in CRYSTAL_FILES for found in sorted(folder.glob(pattern))):
            result = read(path)
            named = _material_name(folder, root)
            yield result if isinstance(result, str) else Crystal(named, *result)
        if folder == root:
            break
    for cell in (feff.lattice_cell, feff.header_cell):
        if cell is not None:
            result = _checked(cell)
            named = _material_name(run, root)
            yield result if isinstance(result, str) else Crystal(named, *result)


def _read_crystal(crystal: Any) -> tuple[Cell, str] | str:
    """Return a crystal, or why it cannot be used."""
    try:
        return cell_and_formula(crystal)
    except Unusable as error:
        return str(error)


def _checked(cell: Cell) -> tuple[Cell, str] | str:
    from pymatgen.core.structure import Structure

    return _read_crystal(Structure(cell.lattice, cell.numbers.tolist(), cell.frac))


def _material_name(folder: Path, root: Path) -> str:
    """Return the id in a folder's path if there is one, else the path below the root."""
    parts = folder.relative_to(root).parts
    known = [part for part in (root.absolute().name, *parts) if _MATERIAL.match(part)]
    return known[-1] if known else "/".join(parts) or root.absolute().name
