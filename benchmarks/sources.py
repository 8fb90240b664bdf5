"""How far apart two laboratories' spectra of one compound lie: what no calibration can undercut.

python benchmarks/sources.py DATA/exp
"""

import argparse
from collections import defaultdict
from itertools import combinations
from pathlib import Path

import numpy as np

from cgxas.data.folder import read_records
from cgxas.spectra.edge import half_step
from cgxas.spectra.metrics import rse
from cgxas.spectra.xray import WINDOWS

ELEMENTS = ("S", "Ti", "Cr", "Mn", "Fe", "Cu", "Zn", "Se")


def main() -> None:
    """Compare the mean spectra of sources, each on the scale of the data set's reference."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("data", type=Path)
    folder = parser.parse_args().data
    scans = defaultdict(lambda: defaultdict(list))
    for record in read_records([folder]).records:
        told = record.annotation
        if record.element in ELEMENTS and not told.unusable and not told.doubtful:
            grid = WINDOWS[record.element, "K"].energies
            energies = np.arange(grid[0] - 15, grid[-1], grid[1] - grid[0])
            curve = np.interp(energies, record.energy + told.shift, record.norm)
            scans[record.element, told.compound][told.source].append((energies, curve))
    print("element  pairs  RSE     half step difference (eV)")
    for element in ELEMENTS:
        errors, edges = [], []
        for (symbol, _), by_source in scans.items():
            means = [
                (each[0][0], np.mean([c for _, c in each], axis=0)) for each in by_source.values()
            ]
            for (energies, one), (_, other) in combinations(means, 2) if symbol == element else ():
                errors.append(float(rse(one[None], other[None])[0]))
                edges.append(abs(half_step(energies, one) - half_step(energies, other)))
        print(f"{element:7}  {len(errors):5}  {np.mean(errors):.4f}  {np.mean(edges):.2f}")


if __name__ == "__main__":
    main()
