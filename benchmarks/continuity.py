"""How far answers move when all atoms do: crystals of a data set, displaced at random.

For each step the largest |change of norm| of a crystal's absorber, as median and maximum over the
crystals; then the worst one is walked in equal parts, where a jump would show as one part that is
far larger than its share.

    python benchmarks/continuity.py DATA/sim_feff10 --crystals 100
"""

import argparse
import warnings
from pathlib import Path

import numpy as np
from pymatgen.core import Structure
from structures import structure_of

import cgxas
from cgxas.data.folder import read_records

STEPS = (1e-4, 1e-3, 1e-2)  # Angstrom
PARTS = 20


def main() -> None:
    """Displace, predict, compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="a data set of simulated spectra")
    parser.add_argument("--crystals", type=int, default=100)
    parser.add_argument("--model", default="universal")
    parser.add_argument("--most-atoms", type=int, default=20, help="of a crystal")
    wish = parser.parse_args()
    warnings.simplefilter("ignore", cgxas.CgxasWarning)
    predictor, rng = cgxas.load(wish.model), np.random.default_rng(0)
    records = [
        r
        for r in read_records([wish.data]).records
        if len(r.material.cell.numbers) <= wish.most_atoms
    ]
    chosen = [records[n] for n in rng.permutation(len(records))[: wish.crystals]]
    cases = []
    for record in chosen:
        structure = structure_of(record.material.cell)
        cases.append((structure, record.element, rng.normal(size=(len(structure), 3))))
    worst: tuple[float, int] = (0.0, 0)
    for step in STEPS:
        changes = [change(predictor, *case, 0.0, step) for case in cases]
        print(f"step {step:g} A: median {np.median(changes):.2g}, largest {max(changes):.2g}")
        worst = max(changes), int(np.argmax(changes))
    case = cases[worst[1]]
    walk = [
        change(predictor, *case, STEPS[-1] * n / PARTS, STEPS[-1] * (n + 1) / PARTS)
        for n in range(PARTS)
    ]
    print(
        f"worst, {case[1]} in {case[0].composition.reduced_formula}: {PARTS} parts of the way "
        f"change by {min(walk):.2g} to {max(walk):.2g}, all of it by {worst[0]:.2g}"
    )


def change(
    predictor: cgxas.Predictor,
    structure: Structure,
    absorber: str,
    direction: np.ndarray,
    first: float,
    last: float,
) -> float:
    """Return the largest |difference of norm| between two displacements, both in Angstrom."""
    both = []
    for step in (first, last):
        moved = Structure(
            structure.lattice,
            structure.species,
            structure.cart_coords + step * direction,
            coords_are_cartesian=True,
        )
        both.append(predictor.predict(moved, absorber).norm)
    return float(np.abs(both[1] - both[0]).max())


if __name__ == "__main__":
    main()
