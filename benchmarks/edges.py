"""The constants of the edge energies, and what the sum over free atoms leaves of every spectrum.

    python benchmarks/edges.py SHARED/data            # the tables
    python benchmarks/edges.py SHARED/data --write    # makes src/cgxas/physics/edges.json again
    python benchmarks/edges.py SHARED/data --figure docs/explanation/images/edge.png

FEFF10 tells its edge (`e_edge`): rounded in the spectra, by up to 0.014 eV above 27 keV, and fully
in `sim_feff10_potentials`, from which the constants are taken: medians, crystals with hydrogen left
out. FEFF9 does not tell its edge. Its grids begin at k = -1 1/A (-0.8 for S), that is a fixed way
below it; those of Ti to Ni were then put on points 0.25 eV apart, of which the first computed one
lies from 0 to 0.25 eV above the start.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from matplotlib import rc_context
from matplotlib.figure import Figure

from cgxas.crystals.canonical import Cell
from cgxas.elements import atomic_number
from cgxas.figures.style import COLOURS, STYLE
from cgxas.physics import edges
from cgxas.typing import BoolArray, FloatArray

AS_FEFF_WRITES = 27.211396 / 27.211386245988
"""The stored potentials were converted with another Hartree than FEFF's."""

FEFF9_START = {"S": 2.438}
FEFF9_USUAL_START = 3.81  # eV, h^2 k^2 / 2m at 1 1/A
STEP = 0.25


class Sites:
    """The sites of a data set.

    Attributes:
        name: (S,) of the spectrum.
        element: (S,) symbol of the absorber.
        first: (S,) first energy of the spectrum, eV.
        sum: (S,) summed potential of the neighbours, eV.
        hydrogen: (S,) whether the crystal holds hydrogen.
        milliseconds: of the sum, per crystal.
    """

    def __init__(self, folder: Path) -> None:
        columns = ["spectrum_id", "material_id", "element", "site_index", "energy"]
        table = pq.read_table(folder / "spectra.parquet", columns=columns).to_pydict()
        self.name = np.array(table["spectrum_id"])
        self.element = np.array(table["element"])
        self.first = np.array([energy[0] for energy in table["energy"]])
        self.sum = np.zeros(len(self.name))
        self.hydrogen = np.zeros(len(self.name), dtype=bool)
        cells = _cells(folder)
        rows: dict[str, list[int]] = {}
        for row, material in enumerate(table["material_id"]):
            rows.setdefault(material, []).append(row)
        begin = time.perf_counter()
        for material, own in rows.items():
            atoms = np.array([table["site_index"][row] for row in own], dtype=np.int64)
            self.sum[own] = edges.neighbour_potential(cells[material], atoms)
            self.hydrogen[own] = (cells[material].numbers == 1).any()
        self.milliseconds = (time.perf_counter() - begin) / len(rows) * 1e3


def _cells(folder: Path) -> dict[str, Cell]:
    found = {}
    for row in pq.read_table(folder / "materials.parquet").to_pylist():
        found[row["material_id"]] = Cell(
            np.reshape(row["lattice"], (3, 3)).astype(float),
            np.reshape(row["frac_coords"], (-1, 3)).astype(float),
            np.array([atomic_number(symbol) for symbol in row["species"]]),
        )
    return found


def told_edges(data: Path, sites: Sites) -> tuple[FloatArray, FloatArray]:
    """Return (S,) the edges of the FEFF10 spectra, and (S,) the same unrounded or NaN, eV."""
    told = pq.read_table(data / "sim_feff10/spectra.parquet", columns=["e_edge"])
    full = pq.read_table(
        data / "sim_feff10_potentials/scalars.parquet", columns=["spectrum_id", "e_edge"]
    ).to_pydict()
    unrounded = dict(zip(full["spectrum_id"], full["e_edge"], strict=True))
    exact = np.array([unrounded.get(name, np.nan) for name in sites.name]) * AS_FEFF_WRITES
    return told["e_edge"].to_numpy(), exact


def constants(sites: Sites, told: FloatArray, exact: FloatArray) -> dict[str, float]:
    """Return E(Z) by symbol, eV."""
    found = {}
    for symbol in sorted(set(sites.element), key=atomic_number):
        own = (sites.element == symbol) & ~sites.hydrogen
        best = exact if np.isfinite(exact[own]).any() else told
        found[symbol] = round(float(np.nanmedian((best + sites.sum)[own])), 5)
    return found


def show_feff10(sites: Sites, told: FloatArray, exact: FloatArray, free: FloatArray) -> None:
    """Print what is left per element."""
    print("FEFF10   sites  spread of the edge  left: mean     max   unrounded: mean     max  (eV)")
    off, finer = np.abs(told + sites.sum - free), np.abs(exact + sites.sum - free)
    for symbol in sorted(set(sites.element), key=atomic_number):
        own = sites.element == symbol
        known = finer[own & np.isfinite(finer)]
        unrounded = f"{known.mean():15.5f} {known.max():7.5f}" if len(known) else ""
        print(
            f"{symbol:8s} {own.sum():5d} {told[own].std():19.3f} "
            f"{off[own].mean():11.4f} {off[own].max():7.4f} {unrounded}"
        )
    known = finer[np.isfinite(finer)]
    print(
        f"all      {len(off):5d}: mean {off.mean():.5f}, within 0.02 eV {np.mean(off < 0.02):.4f}, "
        f"worst {off.max():.4f} ({sites.name[off.argmax()]}); unrounded: {len(known)} sites, mean "
        f"{known.mean():.5f}, within 0.001 eV {np.mean(known < 0.001):.4f}, worst {known.max():.4f}"
    )


def show_feff9(sites: Sites, table: dict[str, float]) -> None:
    """Print how far FEFF9's starts are from where the constants of FEFF10 put them."""
    print(f"FEFF9    sites  start against FEFF10's constant (eV); {STEP} eV: the step of the grid")
    for symbol in sorted(set(sites.element), key=atomic_number):
        own = sites.element == symbol
        start = table[symbol] - sites.sum[own] - FEFF9_START.get(symbol, FEFF9_USUAL_START)
        off = sites.first[own] - start
        if symbol in ("S", "Cu"):
            text = f"mean {off.mean():.4f}, std {off.std():.4f}, worst {np.abs(off).max():.4f}"
        else:
            best = _most_within(off)
            padded = np.mean((off >= -STEP) & (off < 0))
            text = (
                f"within [0, {STEP}) {np.mean(_inside(off, 0.0)):.3f}, one step too early "
                f"{padded:.3f}; most within [{best:.3f}, {best + STEP:.3f})"
            )
        print(f"{symbol:8s} {own.sum():5d}  {text}")


def _inside(off: FloatArray, shift: float) -> BoolArray:
    return (off >= shift) & (off < shift + STEP)


def _most_within(off: FloatArray) -> float:
    """Return the middle of the shifts of the constant that most starts agree with, eV."""
    shifts = np.arange(-0.2, 0.2, 0.001)
    count = np.array([_inside(off, shift).sum() for shift in shifts])
    return float(shifts[count == count.max()].mean())


def draw(path: Path, sites: Sites, told: FloatArray, exact: FloatArray, free: FloatArray) -> None:
    """Draw FEFF's oxygen edges over the sum, and the spread of all elements before and after."""
    with rc_context(STYLE):
        figure = Figure(figsize=(7.0, 2.9), layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=(1, 1.25))
        own = sites.element == "O"
        shift = -sites.sum[own]
        left.plot([shift.min(), shift.max()], [0, np.ptp(shift)], color="0.75", zorder=0)
        left.plot(shift, told[own] - free[own] - shift.min(), ".", ms=3.5, color=COLOURS[0])
        left.set_xlabel("sum over the neighbours (eV)")
        left.set_ylabel("FEFF's edge of oxygen (eV)")
        ticks = np.arange(0, 13, 4) + np.round(free[own][0] + shift.min())
        left.set_yticks(ticks - free[own][0] - shift.min(), [f"{tick:.0f}" for tick in ticks])
        numbers = np.array([atomic_number(symbol) for symbol in sites.element])
        each = np.unique(numbers)
        spread = [told[numbers == z].std() for z in each]
        rest = np.abs(exact + sites.sum - free)
        known = [z for z in each if np.isfinite(rest[numbers == z]).any()]
        right.semilogy(each, spread, "o", ms=4, color=COLOURS[1])
        right.semilogy(
            known, [np.nanmean(rest[numbers == z]) for z in known], "o", ms=4, color=COLOURS[0]
        )
        right.text(28, 0.13, "spread of FEFF's edges", ha="center", color=COLOURS[1])
        right.text(28, 1e-3, "left after the sum", ha="center", color=COLOURS[0])
        right.set(xlabel="atomic number", ylabel="eV", ylim=(1e-6, 20))
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=160)


def main() -> None:
    """Print both tables; write the constants if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with the data sets")
    parser.add_argument("--write", action="store_true", help="write the constants into the package")
    parser.add_argument("--figure", type=Path, help="draw them into this file")
    given = parser.parse_args()
    sites = Sites(given.data / "sim_feff10")
    told, exact = told_edges(given.data, sites)
    table = constants(sites, told, exact)
    free = np.array([table[symbol] for symbol in sites.element])
    show_feff10(sites, told, exact, free)
    print(f"{sites.milliseconds:.2f} ms per crystal")
    if given.figure:
        draw(given.figure, sites, told, exact, free)
    feff9 = Sites(given.data / "sim_feff9")
    show_feff9(feff9, table)
    print(f"{feff9.milliseconds:.2f} ms per crystal")
    if given.write:
        what = {
            "what": "edge of the free atom with FEFF's core hole: e_edge of FEFF10 plus the summed "
            "potential of the neighbouring free atoms, the same in FEFF9; made by "
            "benchmarks/edges.py",
            "unit": "eV",
            "free_atom_edge": table,
        }
        path = Path(edges.__file__).with_name("edges.json")
        path.write_text(json.dumps(what, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
