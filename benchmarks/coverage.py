"""Whether a bundled model knows how wrong it is: bands, expected errors and words on test spectra.

Every spectrum of the test part goes the whole way of a user's crystal, and is asked for in its own
theory. A line per group: the share of points within one and two sigma (0.68 and 0.95 if honest),
the rank correlation of the expected RSE with the true one, and how many are called far.

    python benchmarks/coverage.py DATA --model universal
"""

import argparse
import warnings
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr
from structures import structure_of

import cgxas
from cgxas.data.compile import CompiledData
from cgxas.data.record import Record
from cgxas.elements import SYMBOLS, atomic_number
from cgxas.evaluation.testing import curves, energies, split_of
from cgxas.spectra.axis import trapezoid_widths
from cgxas.spectra.metrics import rse
from cgxas.typing import BoolArray, FloatArray

BANDS = {"Z <= 9": (1, 9), "11 to 20": (11, 20), "21 to 36": (21, 36), "37 to 54": (37, 54)}
FEW = 5  # elements with fewer test spectra have no line of their own


def main() -> None:
    """Ask, and print how honest the answers were."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="the folder of the data sets")
    parser.add_argument("--model", default="universal")
    wish = parser.parse_args()
    warnings.simplefilter("ignore", cgxas.CgxasWarning)
    checkpoint = cgxas.load(wish.model).checkpoint
    folders = [wish.data / name for name in checkpoint.provenance["data"]]
    data = CompiledData.read(folders, checkpoint.config)
    records, certain = data.records.records, data.dataset.certain.numpy()
    tested = np.array([n for n in split_of(checkpoint, data).test if certain[n]])
    chosen = [records[n] for n in tested]
    told = [spectrum_of(wish.model, each) for each in chosen]
    energy, target = energies(data, tested), curves(data.dataset, tested)
    known = np.isfinite(target)
    predicted, sigma = (at(energy, told, kind) for kind in ("norm", "sigma"))
    inside = [np.where(known, np.abs(target - predicted) < n * sigma, np.nan) for n in (1, 2)]
    true = rse(target, predicted, trapezoid_widths(data.dataset.points.numpy(), known))
    far = np.array([each.trust.word == "far" for each in told])
    expected = np.array([each.trust.expected_rse for each in told], dtype=float)
    print(
        f"{'':12} {'n':>5} {'RSE':>7} {'1 sigma':>8} {'2 sigma':>8} {'Spearman':>9} {'far, %':>7}"
    )
    for name, rows in groups(chosen).items():
        if not rows.any():
            continue
        within = [np.nanmean(each[rows]) for each in inside]
        rank = spearmanr(expected[rows], true[rows]).statistic
        print(
            f"{name:12} {rows.sum():5d} {true[rows].mean():7.4f} {within[0]:8.2f} "
            f"{within[1]:8.2f} {rank:9.2f} {100 * far[rows].mean():7.1f}"
        )


@lru_cache
def predictor(model: str, fidelity: str) -> cgxas.Predictor:
    """Return a model that answers as a theory."""
    return cgxas.load(model, fidelity)


def spectrum_of(model: str, record: Record) -> cgxas.Spectrum:
    """Return what a model answers for the site of a spectrum, in the theory it was made with."""
    structure = structure_of(record.material.cell)
    sites = record.sites.tolist()
    return predictor(model, record.fidelity).predict(structure, record.element, sites=sites)


def at(energy: FloatArray, spectra: list[cgxas.Spectrum], kind: str) -> FloatArray:
    """Return (T, P) a column of spectra at some energies of each, (T, P) eV."""
    pairs = zip(energy, spectra, strict=True)
    return np.array([np.interp(one, each.energy, getattr(each, kind)) for one, each in pairs])


def groups(records: list[Record]) -> dict[str, BoolArray]:
    """Return names of groups, and which spectra are in each: theories, bands, elements."""
    z = np.array([atomic_number(each.element) for each in records])
    theory = np.array([each.fidelity for each in records])
    ten = theory == "FEFF10"
    found = {"all": z > 0, "FEFF9": theory == "FEFF9", "FEFF10": ten}
    found |= {f"  {name}": ten & (z >= a) & (z <= b) for name, (a, b) in BANDS.items()}
    for number in np.unique(z):
        if (z == number).sum() >= FEW:
            found[SYMBOLS[number - 1]] = z == number
    return found


if __name__ == "__main__":
    main()
