"""How right fractions and their errors are, how long a series takes, and what real series give.

    python benchmarks/mix.py --shared SHARED

Made-up phases first: two and three at a noise of 0.01, the share of errors that cover, and 500
scans from files to a table. Then, where the folder of shared data is there, real series, each with
what is known of its truth.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet
from scipy.stats import spearmanr

import cgxas
from cgxas.mixing.fit import fit_all
from cgxas.mixing.references import Reference
from cgxas.mixing.shifts import Shifts

ENERGY = np.arange(7090.0, 7220.0, 0.5)
PHASES = ((7119.0, 0.5, 6.0), (7121.5, 0.8, 6.0), (7124.0, 0.2, 9.0))


def phase(edge: float, height: float, behind: float) -> np.ndarray:
    """Return a normalised curve of iron with a white line and an oscillation."""
    step = 0.5 + np.arctan((ENERGY - edge) / 0.8) / np.pi
    x = ENERGY - edge - behind
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


def nickel(shared: Path, folder: Path) -> None:
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
    parser.add_argument("--only", nargs="*", help="iron, nickel, vanadium, arsenic, copper, none")
    parser.add_argument("--scans", type=int, default=500)
    wish = parser.parse_args()
    if wish.only is None or "none" in wish.only:
        made_up(wish.scans)
        timed(wish.scans)
    if wish.shared:
        with tempfile.TemporaryDirectory() as name:
            for run in (iron, nickel, vanadium, arsenic, copper):
                if wish.only is None or run.__name__ in wish.only:
                    run(wish.shared, Path(name))


if __name__ == "__main__":
    main()
