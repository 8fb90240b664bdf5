"""Learns Fermi levels, 1s levels and charges from runs of FEFF10, and tests on other formulas.

python benchmarks/potentials.py SHARED/data            # errors, each formula left out
python benchmarks/potentials.py SHARED/data --write    # src/cgxas/physics/potentials.safetensors
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from cgxas.calibration import constants
from cgxas.crystals.canonical import Cell
from cgxas.elements import SYMBOLS, atomic_number
from cgxas.physics.potentials import QUANTITIES, PotentialKernel, Sites, save
from cgxas.spectra.xray import tabulated_edge
from cgxas.typing import FloatArray, IntArray

_ROBUST = np.array([np.inf, np.inf, 1.0, 0.2])  # eV, eV, eV, electrons: from where runs are doubted
_DOUBTS = 6
GASES = ("N", "O", "F", "Ne", "Ar", "Kr", "Xe")  # their tabulated edges are of molecules
SOLIDS = Path(constants.__file__).with_name("solids.json")
_NOTHING = 1e6
BANDS = {"Z <= 9": (1, 9), "11 to 20": (10, 20), "21 to 36": (21, 36), "37 to 54": (37, 54)}


def runs(data: Path) -> Iterator[tuple[Sites, FloatArray, str]]:
    """Yield sites of runs, what FEFF10 found there, and their formula."""
    folder = data / "sim_feff10_potentials"
    where: dict[str, tuple[Cell, int, str]] = {}
    for table in ("sim_feff10", "sim_feff10_references"):
        rows = pq.read_table(data / table / "materials.parquet").to_pylist()
        cells = {row["material_id"]: (_cell(row), row["formula"]) for row in rows}
        columns = ["spectrum_id", "material_id", "site_index"]
        for row in pq.read_table(data / table / "spectra.parquet", columns=columns).to_pylist():
            cell, formula = cells[row["material_id"]]
            where[row["spectrum_id"]] = cell, row["site_index"], formula
    for row in pq.read_table(folder / "scalars.parquet").to_pylist():
        cell, site, formula = where[row["spectrum_id"]]
        yield Sites.of(cell, np.array([site])), _values(row), formula
    for row in pq.read_table(folder / "elements.parquet").to_pylist():
        yield Sites.of(_cell(row), np.array([row["site_index"]])), _values(row), row["element"]


def _cell(row: dict) -> Cell:
    return Cell(
        np.reshape(row["lattice"], (3, 3)).astype(float),
        np.reshape(row["frac_coords"], (-1, 3)).astype(float),
        np.array([atomic_number(symbol) for symbol in row["species"]]),
    )


def _values(row: dict) -> FloatArray:
    level = np.nan if row["e_1s"] is None else row["e_1s"] + row["relaxation"] - row["e_edge"]
    return np.array([row["fermi"], row["v_int"], level, row["charge"][0]])


def learnt(data: Path) -> tuple[PotentialKernel, FloatArray]:
    """Return the kernel, and (T, 4) what it has learnt from."""
    each, values, formula = zip(*runs(data), strict=True)
    number = np.concatenate([one.number for one in each])
    around = np.concatenate([one.around for one in each]).astype(np.float16).astype(float)
    atoms = np.concatenate([one.overlap for one in each])
    known = np.array(values)
    for z in np.unique(number):
        known[number == z, 2] -= np.nanmedian(known[number == z, 2])
    zero, width = atoms.mean(0), atoms.std(0)
    empty = np.zeros_like(known)
    kernel = PotentialKernel(
        number=number,
        around=around,
        overlap=((atoms - zero) / width).astype(np.float16).astype(float),
        zero=zero,
        width=width,
        mean=np.nanmean(known, axis=0) * (1, 1, 0, 1),
        noise=np.where(np.isfinite(known), 1.0, _NOTHING),
        weight=empty,
        spread=np.ones((4, 2)),
        formula=formula,
    )
    filled = np.where(np.isfinite(known), known, kernel.mean)
    for _ in range(_DOUBTS):
        apart = np.where(np.isfinite(known), kernel.left_out(filled), 0.0)
        doubt = 1 + (apart / _ROBUST) ** 2 / 3
        kernel = replace(kernel, noise=np.where(np.isfinite(known), doubt, _NOTHING))
    kernel = replace(kernel, weight=kernel.conditioned(filled))
    return kernel, known


def main() -> None:
    """Learn, test, and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    kernel, known = learnt(arguments.data)
    filled = np.where(np.isfinite(known), known, kernel.mean)
    apart = np.where(np.isfinite(known), kernel.left_out(filled), np.nan)
    spread = []
    sites = Sites(kernel.number, kernel.around, kernel.overlap * kernel.width + kernel.zero)
    rough = kernel.kernels(sites)[1]
    names = np.array(kernel.formula)
    nearest = np.where(names[:, None] == names, 0.0, rough).max(axis=1)
    print(f"{len(names)} runs of {len(set(names))} formulas; errors with its formula left out")
    for n, quantity in enumerate(QUANTITIES):
        error = np.abs(apart[:, n])
        tell(quantity, error, kernel.number, known[:, n])
        spread.append(_spread(error, nearest))
    kernel = replace(kernel, spread=np.array(spread))
    print("deviations beside a known site and far from all:", np.round(kernel.spread, 2).tolist())
    if arguments.write:
        save(kernel)
        SOLIDS.write_text(json.dumps(_solids(arguments.data, kernel), indent=1) + "\n", "utf-8")


def tell(quantity: str, error: FloatArray, number: IntArray, known: FloatArray) -> None:
    """Print how large (T,) errors are, beside what an element's mean is off by."""
    means = {z: np.nanmean(known[number == z]) for z in np.unique(number)}
    dull = np.nanmean(np.abs(known - np.array([means[z] for z in number])))
    bands = [
        f"{np.nanmean(error[(number >= low) & (number <= high)]):.2f}"
        for low, high in BANDS.values()
    ]
    sizes = f"mean {np.nanmean(error):.2f} median {np.nanmedian(error):.2f}"
    print(f"{quantity:10} {sizes}; {', '.join(bands)}; the element's mean {dull:.2f}")


def _solids(data: Path, kernel: PotentialKernel) -> dict:
    """Return the elemental solids of elements to Xe: the mean of each one's forms."""
    found: dict[str, list[tuple[float, ...]]] = {}
    for row in pq.read_table(data / "sim_feff10_potentials" / "elements.parquet").to_pylist():
        symbol = row["element"]
        if symbol in SYMBOLS[2:54] and symbol not in GASES:
            sites = Sites.of(_cell(row), np.array([row["site_index"]]))
            level = float(kernel(sites).level[0])
            own = tabulated_edge(symbol) - row["e_edge"], row["fermi"], level, row["charge"][0]
            found.setdefault(symbol, []).append(own)
    names = ("edge", "fermi", "level", "charge")
    means = {s: np.round(np.mean(found[s], axis=0), 3).tolist() for s in SYMBOLS if s in found}
    return {
        "what": "elemental solids: tabulated edge (xraydb) less that of FEFF10, Fermi level, "
        "1s level, eV, and charge; by benchmarks/potentials.py",
        "solids": {symbol: dict(zip(names, mean, strict=True)) for symbol, mean in means.items()},
    }


def _spread(error: FloatArray, nearest: FloatArray) -> FloatArray:
    """Return standard deviations near and far, from robust sizes of errors by likeness."""
    fine = np.isfinite(error)
    error, far = error[fine], 1 - nearest[fine] ** 2
    order = np.array_split(np.argsort(far), 8)
    size = np.array([np.median(error[part]) / 0.6745 for part in order]) ** 2
    middle = np.array([far[part].mean() for part in order])
    fitted = np.polynomial.polynomial.polyfit(middle, size, 1)
    least = size.min() / 4
    return np.sqrt([max(fitted[0], least), max(fitted[1], least)])


if __name__ == "__main__":
    main()
