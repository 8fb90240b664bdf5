"""Crystals per second of each bundled model, one after the other in one run and one process.

The model `cgxas-paper` is the network of 0.1.0: it is what the others are compared with. All
crystals go through in one call, as from a list of files; the reading of files is left out.

    python benchmarks/predict.py SHARED/data/sim_feff10 --crystals 2000 --most-atoms 12
    python benchmarks/predict.py SHARED/data/sim_feff10 --crystals 30 --models scattering
"""

import argparse
import time
import warnings
from pathlib import Path

import torch
from pymatgen.core import Structure
from structures import structure_of

import cgxas
from cgxas.data.folder import read_records

REFERENCE = "cgxas-paper"
WARM_UP = 20


def main() -> None:
    """Predict the absorber of each crystal with each model."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="a data set of simulated spectra")
    parser.add_argument("--crystals", type=int, default=2000)
    parser.add_argument("--most-atoms", type=int, default=12, help="of a crystal")
    parser.add_argument("--models", nargs="+", default=[REFERENCE, "universal", "calibrated"])
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    wish = parser.parse_args()
    torch.set_num_threads(wish.threads)
    warnings.simplefilter("ignore", cgxas.CgxasWarning)
    small: dict[int, tuple[Structure, str]] = {}
    for record in read_records([wish.data]).records:
        cell = record.material.cell
        if len(cell.numbers) <= wish.most_atoms and len(small) < wish.crystals:
            small.setdefault(id(record.material), (structure_of(cell), record.element))
    crystals = list(small.values())
    speeds: dict[str, float] = {}
    for name in wish.models:
        predictor = cgxas.load(name)
        by_absorber: dict[str, list[Structure]] = {}
        for structure, absorber in crystals:
            by_absorber.setdefault(absorber, []).append(structure)
        first, *_ = by_absorber
        predictor.predict(by_absorber[first][:WARM_UP], first)
        begin = time.perf_counter()
        for absorber, some in by_absorber.items():
            predictor.predict(some, absorber)
        speeds[name] = len(crystals) / (time.perf_counter() - begin)
        beside = (
            f", {speeds[name] / speeds[REFERENCE]:.2f} of 0.1.0's network"
            if REFERENCE in speeds
            else ""
        )
        print(
            f"{name:12s} {len(crystals)} crystals, {speeds[name]:.1f} per second{beside}",
            flush=True,
        )


if __name__ == "__main__":
    main()
