"""How far a calibrated model's edges are off for elements whose measured spectra it never saw.

    python benchmarks/scale.py MODEL SHARED/data/exp

A row per element, in eV: the mean distance of the measured offset (what brings the simulated curve
onto the measured one) from that of the element's other compounds (rigid), the same after theory's
part is taken off (formula: Fermi level + 0.65 of the 1s level, potentials learnt without the
compound's formula), and what is left by the Gaussian process when the compound is left out with
its formula. Then the half step of spectra with all compounds of the element left out, and the
`edge_sigma` told for them.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from cgxas.calibration.calibrators import answers
from cgxas.calibration.gaussian import fit_gaussian, offsets_and_theory, on_scale
from cgxas.calibration.measured import Compounds, read_compounds
from cgxas.calibration.repeats import ENOUGH
from cgxas.elements import atomic_number
from cgxas.model.calibration.features import edge_of
from cgxas.model.calibration.gaussian import GaussianCalibration
from cgxas.model.checkpoint import load_checkpoint
from cgxas.spectra.metrics import rse
from cgxas.typing import FloatArray, IntArray


def from_others(values: FloatArray, elements: IntArray) -> FloatArray:
    """Return (C,) distances from the mean of the others of an element, NaN for one alone."""
    apart = np.full(len(values), np.nan)
    for each in np.unique(elements):
        own = elements == each
        if own.sum() > 1:
            apart[own] = (values[own] - values[own].mean()) * own.sum() / (own.sum() - 1)
    return np.abs(apart)


def left_out(found: GaussianCalibration, groups: FloatArray) -> FloatArray:
    """Return (C,) distances of offsets from what the other formulas tell, eV."""
    apart = np.empty(len(groups))
    for group in np.unique(groups):
        own = torch.from_numpy(np.flatnonzero(groups == group))
        block = torch.linalg.inv(found.offset.inverse[own][:, own])
        apart[own.numpy()] = (block @ found.offset.weights[own])[:, 0].numpy()
    return np.abs(apart * float(found.offset_unit))


def element_left_out(compounds: Compounds, element: str, rows: IntArray) -> FloatArray:
    """Return (n, 3) half-step error, its sigma, and RSE of an element that was not learnt from."""
    own = compounds.element[rows] == element
    found = fit_gaussian(compounds, rows[~own])
    wanted, energies = rows[own], compounds.grids[element].energies
    told = answers(compounds, found, wanted)
    edges = np.array([edge_of(energies, norm) for norm in told.norm])
    error = np.abs(edges - compounds.half_step[wanted])
    return np.stack([error, told.edge_sigma, rse(compounds.target[wanted], told.norm)], axis=1)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("data", type=Path, nargs="+")
    arguments = parser.parse_args()
    compounds = read_compounds(arguments.data, load_checkpoint(arguments.model))
    rows = on_scale(compounds, np.arange(len(compounds)))
    offset, theory = offsets_and_theory(compounds, rows)
    element = compounds.element[rows]
    rigid, formula = from_others(offset, element), from_others(offset - theory, element)
    calibrated = left_out(fit_gaussian(compounds, rows), compounds.group[rows])
    print("| element | compounds | rigid | formula | calibrated | element unseen | sigma | RSE |")
    print("|---|---|---|---|---|---|---|---|")
    table, all_unseen = [], []
    for each in sorted(set(element.tolist()), key=atomic_number):
        own = element == each
        unseen = element_left_out(compounds, each, rows)
        all_unseen.append(unseen)
        means = [rigid[own].mean(), formula[own].mean(), calibrated[own].mean()]
        table.append([own.sum(), *means, *unseen.mean(axis=0)])
        print(_line(each, table[-1]), flush=True)
    print(_line("mean", np.nanmean(table, axis=0).tolist()))
    many = [line for line in table if line[0] >= ENOUGH]
    print(_line(f"of {ENOUGH} and more", np.mean(many, axis=0).tolist()))
    error, sigma, _ = np.concatenate(all_unseen).T
    inside = ", ".join(f"{np.mean(error < n * sigma):.2f}" for n in (1, 2, 3))
    print(f"unseen elements: share of half steps within 1, 2, 3 sigma: {inside}")


def _line(name: str, values: list[float]) -> str:
    numbers = " | ".join("-" if np.isnan(v) else f"{v:.2f}" for v in values[1:-1])
    return f"| {name} | {values[0]:.0f} | {numbers} | {values[-1]:.4f} |"


if __name__ == "__main__":
    main()
