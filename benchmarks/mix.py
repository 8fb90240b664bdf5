"""How right fractions and their errors are, how long a series takes, and what real series give.

    python benchmarks/mix.py --shared SHARED

Made-up phases first: two and three at a noise of 0.01, the share of errors that cover, also of
predicted references, and 500 scans from files to a table. Then, where the folder of shared data is
there, real series, each with what is known of its truth. --picture draws that of the cell.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet
from matplotlib.figure import Figure
from scipy.interpolate import CubicSpline
from scipy.stats import spearmanr

import cgxas
from cgxas.figures.style import COLOURS, write_figure
from cgxas.mixing.fit import fit_all
from cgxas.mixing.references import CORRELATED, Reference
from cgxas.mixing.shifting import fitted_shifts
from cgxas.mixing.shifts import Shifts

ENERGY = np.arange(7090.0, 7220.0, 0.5)
PHASES = ((7119.0, 0.5, 6.0), (7121.5, 0.8, 6.0), (7124.0, 0.2, 9.0))


def phase(edge: float, height: float, behind: float, energy: np.ndarray = ENERGY) -> np.ndarray:
    """Return a normalised curve of iron with a white line and an oscillation."""
    step = 0.5 + np.arctan((energy - edge) / 0.8) / np.pi
    x = energy - edge - behind
    return step * (1 + 0.05 * np.sin(x / 7.0)) + height * np.exp(-(x**2) / 10.0)


def made_up(n_scans: int) -> None:
    """Tell how far fractions of known mixtures are off, and how often their errors cover."""
    for n in (2, 3):
        curves = np.array([phase(*each) for each in PHASES[:n]])
        random = np.random.default_rng(n)
        truth = random.dirichlet(np.ones(n), n_scans)
        norm = truth @ curves + 0.01 * random.normal(size=(n_scans, ENERGY.size))
        references = [Reference(str(k), ENERGY, curve) for k, curve in enumerate(curves)]
        for name, is_free in (("no shift", False), ("free shifts", True)):
            fits = fit_all(norm, ENERGY, references, Shifts(0.0, np.zeros(n)), is_free)
            apart = np.abs(fits.fractions - truth)
            print(
                f"{n} phases, {name}: off by {np.sqrt((apart**2).mean()):.4f} (rms), "
                f"{np.quantile(apart, 0.95):.4f} (95 %), {apart.max():.4f} (most); within 1 sigma "
                f"{(apart < fits.errors).mean():.2f}, 2 sigma "
                f"{(apart < 2 * fits.errors).mean():.2f}",
                flush=True,
            )


def predicted(n_draws: int) -> None:
    """Tell how often errors cover where references are predicted, and drawn from their bands.

    The band of a reference is a smooth error, alike over 4 eV, and a doubt about its edge. The
    series of four scans have an energy scale of their own besides, which is fitted.
    """
    energy = np.arange(7099.0, 7200.0, 0.8)
    alike = np.exp(-0.5 * ((energy[:, None] - energy) / CORRELATED) ** 2)
    root = np.linalg.cholesky(alike + 1e-8 * np.eye(energy.size))
    for n_scans, n in ((1, 2), (1, 3), (4, 2), (4, 3)):
        for edge in (0.3, 0.6, 1.2):
            random = np.random.default_rng(n)
            apart, told = [], []
            for _ in range(n_draws):
                truth = random.dirichlet(np.ones(n), n_scans)
                common = 0.8 * random.normal() if n_scans > 1 else 0.0
                said, true = [], []
                for k, (at, height, behind) in enumerate(PHASES[:n]):
                    curve = phase(at, height, behind, energy)
                    said.append(Reference(str(k), energy, curve, np.full(energy.size, 0.02), edge))
                    by, smooth = (
                        edge * random.normal(),
                        0.02 * root @ random.normal(size=energy.size),
                    )
                    true.append(phase(at + common + by, height, behind, energy) + smooth)
                norm = truth @ np.array(true)
                norm = norm + 0.01 * random.normal(size=norm.shape)
                fits = fit_all(norm, energy, said, fitted_shifts(norm, energy, said, n_scans > 1))
                apart.append(np.abs(fits.fractions - truth))
                told.append(fits.errors)
            ratio = np.array(apart) / np.array(told)
            rms = np.sqrt(np.mean(np.square(apart)))
            print(
                f"{n} predicted phases, edges unsure by {edge} eV, {n_scans} scans: off by "
                f"{rms:.3f} (rms); within 1 sigma {(ratio < 1).mean():.2f}, 2 sigma "
                f"{(ratio < 2).mean():.2f}",
                flush=True,
            )


def timed(n_scans: int) -> None:
    """Tell how long the command takes for scans in files."""
    curves = np.array([phase(*each) for each in PHASES])
    random = np.random.default_rng(9)
    truth = random.dirichlet(np.ones(3), n_scans)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "scans").mkdir()
        norm = truth @ curves + 0.01 * random.normal(size=(n_scans, ENERGY.size))
        for n, each in enumerate(norm):
            _write(folder / "scans" / f"s{n}.dat", 0.3 + 0.7 * each)
        for n, each in enumerate(curves):
            _write(folder / f"phase{n}.dat", 0.3 + 0.7 * each)
        references = [str(folder / f"phase{n}.dat") for n in range(3)]
        words = [sys.executable, "-m", "cgxas", "mix", str(folder / "scans"), "-a", "Fe"]
        before = time.perf_counter()
        more = ["-o", str(folder / "m.csv"), "--plot", str(folder / "m.png")]
        subprocess.run(
            [*words, "--references", *references, *more], check=True, capture_output=True
        )
        used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        took = time.perf_counter() - before
        print(f"{n_scans} scans, from files to table and figure: {took:.0f} s, {used:.0f} s of CPU")


def _write(path: Path, mu: np.ndarray, energy: np.ndarray = ENERGY) -> None:
    np.savetxt(path, np.transpose([energy, mu]), header="energy mu")


def standards(shared: Path, folder: Path) -> None:
    """Mixtures of up to three measured standards of each element, whose ranges differ.

    Their sums, with noise of 0.004 of the step, are cut to the energies that all of them have, laid
    on steps of 0.2 to 0.5 eV, and normalised anew by the command, as are the standards: what
    differs then, beside the noise, is the normalisation.
    """
    table = pyarrow.parquet.read_table(shared / "data" / "exp" / "spectra.parquet").to_pylist()
    by_element: dict[str, dict[str, dict]] = {}
    for row in table:
        by_element.setdefault(row["element"], {}).setdefault(row["compound"], row)
    random, every = np.random.default_rng(0), []
    for element, compounds in sorted(by_element.items()):
        found = list(compounds.values())
        rows = [found[n] for n in random.permutation(len(found))[:3]]
        first = max(row["energy"][0] for row in rows)
        last = min(row["energy"][-1] for row in rows)
        if len(rows) < 2 or last - first < 60:
            continue
        at = folder / element
        (at / "scans").mkdir(parents=True)
        for n, row in enumerate(rows):
            mu = 0.2 + 0.9 * np.array(row["mu"])
            _write(at / f"r{n}.dat", mu, row["energy"])
        truth = random.dirichlet(np.ones(len(rows)), 7)
        for n, shares in enumerate(truth):
            energy = np.arange(first, last, random.choice([0.2, 0.35, 0.5]))
            curves = [CubicSpline(row["energy"], row["mu"])(energy) for row in rows]
            norm = shares @ np.array(curves) + 0.004 * random.normal(size=energy.size)
            _write(at / "scans" / f"s{n}.dat", 0.3 + 0.6 * norm - 1e-4 * (energy - first), energy)
        mixed = cgxas.mix([at / "scans"], [str(at / "r*.dat")], absorber=element)
        apart = np.abs(mixed.fractions - truth[[int(name[1:]) for name in mixed.names]])
        every.append((np.sqrt(np.mean(apart**2)), apart.max(), np.mean(apart < mixed.errors)))
        print(f"{element}: off by {every[-1][0]:.3f} (rms), {every[-1][1]:.3f} (most)", flush=True)
    rms, most, inside = np.median(every, axis=0)
    print(
        f"standards of {len(every)} elements: off by {rms:.3f} (rms, median), {most:.3f} (most, "
        f"median), {np.max(every, axis=0)[1]:.3f} (most of all); within 1 sigma {inside:.2f}"
    )


class Real:
    """A real series as files, and what is known of each scan."""

    def __init__(self, shared: Path, name: str, folder: Path) -> None:
        """Write the files, a folder for each kind of scan."""
        table = pyarrow.parquet.read_table(shared / "data" / "series" / name / "scans.parquet")
        self.rows = {row["scan"]: row for row in table.to_pylist()}
        self.folder = folder / name
        for scan, row in self.rows.items():
            (self.folder / row["kind"]).mkdir(parents=True, exist_ok=True)
            _write(self.folder / row["kind"] / f"{scan}.dat", row["mu"], row["energy"])

    def column(self, found: cgxas.Mixture, name: str) -> np.ndarray:
        """Return what is known of the scans of a mixture."""
        return np.array([self.rows[scan][name] for scan in found.names])


def told(found: cgxas.Mixture, title: str) -> None:
    """Print what was said of a series as a whole."""
    c = found.components
    print(f"\n{title}: {found!r}; {c.count} components, {c.above_noise} above the noise")
    for name, reason in found.left_out:
        print(f"  left out {name}: {reason}")
    for warning in found.warnings:
        print(f"  warning: {warning[:200]}")


def iron(shared: Path, folder: Path) -> None:
    """Glasses between the standards of 0.09 and 0.95."""
    real = Real(shared, "fe_glass_redox", folder)
    s = real.folder / "series"
    low, high = f"{s}/PyNa17R_pt1_01.dat,{s}/PyNa17R_pt3_01.dat", f"{s}/PyNa1[23]00_*.dat"
    found = cgxas.mix([s], [f"low={low}", f"high={high}"], absorber="Fe")
    told(found, "Fe glasses")
    ferric, known = found.fractions @ [0.09, 0.95], real.column(found, "axis")
    for value in (0.60, 0.75):
        each = ", ".join(f"{x:.3f}" for x in ferric[np.isclose(known, value)])
        print(f"  Fe3+/Fe {value}: {each}")


def nickel(shared: Path, folder: Path, picture: Path | None = None) -> None:
    """A working cell: the fraction follows the charge, in both spots."""
    real = Real(shared, "ni_linio2_operando", folder)
    s = real.folder / "series"
    charge = {name: row["q_mAh"] for name, row in real.rows.items()}
    ends = [min(charge, key=charge.__getitem__), max(charge, key=charge.__getitem__)]
    for title, references in (
        ("Ni cell, without references", []),
        ("Ni cell, least and most charged scan", [s / f"{end}.dat" for end in ends]),
    ):
        found = cgxas.mix([s], references, absorber="Ni")
        told(found, title)
        when, q, spot = (real.column(found, each) for each in ("axis", "q_mAh", "position"))
        # Edges of the components order them: their mean is how oxidised the scan is.
        edges = np.array([cgxas.half_step(found.energy, curve) for curve in found.curves])
        share = found.fractions @ edges
        order = np.argsort(when)
        cycles = np.digitize(when, _least(when[order], q[order]))
        for cycle in range(int(cycles.max()) + 1):
            for name in ("pos1", "pos2"):
                at = (cycles == cycle) & (spot == name)
                print(f"  cycle {cycle + 1}, {name}: {np.corrcoef(share[at], q[at])[0, 1]:.3f}")
        one, two = (share[spot == name] for name in ("pos1", "pos2"))
        apart = (two - one) / np.ptp(share)
        print(f"  pos2 - pos1: {apart.mean():+.3f} ± {apart.std():.3f} of the range of the series")
        if picture and not references:
            cell = Cell(when / 3600, q, spot, cycles, share)
            write_figure(lambda cell=cell, found=found: cell.drawn(found), picture, dpi=150)


@dataclass(frozen=True, eq=False)
class Cell:
    """What is known of the (N,) scans of a cell, and the mean edge of its components in each.

    Attributes:
        hours: since the begin.
        charge: that was passed, mAh.
        spot: pos1 or pos2.
        cycle: number of the cycle, from 0.
        edge: eV.
    """

    hours: np.ndarray
    charge: np.ndarray
    spot: np.ndarray
    cycle: np.ndarray
    edge: np.ndarray

    def drawn(self, found: cgxas.Mixture) -> Figure:
        """Draw the fractions and the charge along the time, and the edge along the charge."""
        figure = Figure(figsize=(7.6, 5.6), layout="constrained")
        grid = figure.add_gridspec(2, 2, height_ratios=(1.0, 1.3))
        time_axes = figure.add_subplot(grid[0, :])
        order = np.argsort(self.hours)
        for n, (name, colour) in enumerate(zip(found.references, COLOURS, strict=False)):
            told = name.replace("_", " ")
            time_axes.plot(
                self.hours[order], found.fractions[order, n], ".", ms=3, color=colour, label=told
            )
        time_axes.set(xlabel="Time (h)", ylabel="Fraction", ylim=(-0.02, 1.25))
        time_axes.set_yticks(np.linspace(0.0, 1.0, 6))
        time_axes.legend(ncols=4, loc="upper right", frameon=False)
        beside = time_axes.twinx()
        beside.plot(self.hours[order], self.charge[order], color="0.5", lw=0.8)
        beside.set(ylabel="Charge (mAh)", ylim=(None, 1.25 * self.charge.max()))
        charge_axes, curve_axes = figure.add_subplot(grid[1, 0]), figure.add_subplot(grid[1, 1])
        for n in range(int(self.cycle.max()) + 1):
            for spot, marker in (("pos1", "o"), ("pos2", "x")):
                at = (self.cycle == n) & (self.spot == spot)
                told = f"cycle {n + 1}" if spot == "pos1" else None
                charge_axes.plot(
                    self.charge[at], self.edge[at], marker, ms=3, color=COLOURS[n], label=told
                )
        charge_axes.set(xlabel="Charge (mAh)", ylabel="Mean edge of the components (eV)")
        charge_axes.ticklabel_format(axis="y", useOffset=False)
        charge_axes.legend(frameon=False, title="o one spot, x the other", loc="upper left")
        for name, curve, colour in zip(found.references, found.curves, COLOURS, strict=False):
            curve_axes.plot(found.energy, curve, color=colour, label=name.replace("_", " "))
        curve_axes.set(xlabel="Energy (eV)", ylabel="μ(E), normalised")
        curve_axes.legend(frameon=False, loc="lower right")
        curve_axes.ticklabel_format(axis="x", useOffset=False)
        return figure


def _least(when: np.ndarray, charge: np.ndarray) -> list[float]:
    """Return the times at which the charge is least between two cycles."""
    high = charge > 0.6 * charge.max() + 0.4 * charge.min()
    starts = [n for n in range(1, len(high)) if high[n] and not high[n - 1]]
    ends = [n for n in range(1, len(high)) if high[n - 1] and not high[n]]
    pairs = [(e, next(s for s in starts if s > e)) for e in ends if any(s > e for s in starts)]
    return [float(when[a + int(np.argmin(charge[a:b]))]) for a, b in pairs]


def vanadium(shared: Path, folder: Path) -> None:
    """Glasses in the order of the oxygen fugacity."""
    real = Real(shared, "v_glass_fo2", folder)
    found = cgxas.mix([real.folder / "series"], absorber="V")
    told(found, "V glasses, without references")
    fugacity = real.column(found, "axis")
    edges = np.array([cgxas.half_step(found.energy, curve) for curve in found.curves])
    rank = spearmanr(found.fractions @ edges, fugacity).statistic
    print(f"  rank correlation of the mean edge with log fO2: {rank:.3f}")


def arsenic(shared: Path, folder: Path) -> None:
    """A published unknown: arsenopyrite 0.508, orpiment 0.399, arsenate 0.092."""
    real = Real(shared, "as_refs_unknowns", folder)
    scan = real.folder / "unknown" / "OTT3_55_spot0.dat"
    found = cgxas.mix([scan], [real.folder / "reference"], absorber="As", most=3)
    told(found, "As unknown")
    for name, x, error in zip(found.references, found.fractions[0], found.errors[0], strict=True):
        if x > 0:
            print(f"  {name}: {x:.3f} ± {error:.3f}")


def copper(shared: Path, folder: Path) -> None:
    """Two unknowns and 17 references: too many."""
    real = Real(shared, "cu_refs_unknowns", folder)
    found = cgxas.mix([real.folder / "unknown"], [real.folder / "reference"], absorber="Cu")
    told(found, "Cu unknowns, all references")
    found = cgxas.mix([real.folder / "unknown"], [real.folder / "reference"], absorber="Cu", most=3)
    told(found, "Cu unknowns, at most three")
    for name, row in zip(found.names, found.fractions, strict=True):
        parts = [f"{r} {x:.2f}" for r, x in zip(found.references, row, strict=True) if x > 0]
        print(f"  {name}: {', '.join(parts)}")


def main() -> None:
    """Run all of it, or what is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shared", type=Path, help="folder of the shared data sets")
    parser.add_argument(
        "--only",
        nargs="*",
        help="iron, nickel, vanadium, arsenic, copper, standards, predicted, none",
    )
    parser.add_argument("--picture", type=Path, help="of the nickel cell: .png, .svg or .pdf")
    parser.add_argument("--scans", type=int, default=500)
    parser.add_argument("--draws", type=int, default=100, help="of predicted references")
    wish = parser.parse_args()
    if wish.only is None or "none" in wish.only:
        made_up(wish.scans)
        timed(wish.scans)
    if wish.only is None or "predicted" in wish.only:
        predicted(wish.draws)
    if wish.shared:
        with tempfile.TemporaryDirectory() as name:
            for run in (iron, nickel, vanadium, arsenic, copper, standards):
                if wish.only is None or run.__name__ in wish.only:
                    more = {"picture": wish.picture} if run is nickel else {}
                    run(wish.shared, Path(name), **more)


if __name__ == "__main__":
    main()
