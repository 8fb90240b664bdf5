"""How often answers are called far that need not be, and whether those are that must be.

    python benchmarks/trust.py SHARED/data

What is learnt from are the training formulas of all simulated folders, borders are drawn by the
validation formulas, and the test formulas are judged: as they are, and with their lattices
stretched and compressed. The part of a formula is that of its hash, 10 % test, 10 % validation.
Measured compounds are judged by all others. Four compounds nobody measured must be far.
"""

import argparse
import hashlib
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
from pymatgen.core import Lattice, Structure

from cgxas.crystals.canonical import Cell
from cgxas.data.folder import read_records
from cgxas.data.record import Record
from cgxas.elements import SYMBOLS, atomic_number
from cgxas.model.trust.reference import Reference
from cgxas.physics.fingerprint import Fingerprints, fingerprints, joined

SIMULATED = ("sim_feff10", "sim_feff9", "sim_feff10_references", "sim_other")
SCALES = (0.85, 0.88, 0.94, 1.06, 1.12, 1.15)
BANDS = {"Z <= 9": 10, "11 to 20": 21, "21 to 36": 37, "37 to 54": 55}


def part(formula: str) -> str:
    """Return the part of the common split a formula is in."""
    number = int(hashlib.sha256(formula.encode()).hexdigest(), 16) % 10
    return {0: "test", 1: "validation"}.get(number, "train")


def prints(record: Record, scale: float = 1.0) -> Fingerprints:
    """Return the fingerprints of the sites of a spectrum in a lattice that is so much larger."""
    cell = record.material.cell
    return fingerprints(Cell(cell.lattice * scale, cell.frac, cell.numbers), record.sites)


def distinct(records: list[Record]) -> list[Record]:
    """Return records whose sites no earlier one has."""
    found = {(r.dataset, r.material.material_id, r.element, *r.sites): r for r in records[::-1]}
    return list(found.values())[::-1]


def together(records: list[Record]) -> tuple[Fingerprints, list[str]]:
    """Return the sites of several spectra, and the formula of each site."""
    names = [r.material.formula for r in records for _ in r.sites]
    return joined([prints(record) for record in records]), names


def is_far(reference: Reference, record: Record, scale: float = 1.0) -> tuple[bool, bool]:
    """Return whether a spectrum is called far, and whether an element of it was never met."""
    sites = prints(record, scale)
    share = np.full(len(sites), 1 / len(sites))
    judged = reference.judge(sites, share, record.material.formula)
    return judged.trust.word == "far", judged.newness[1] > 0


def simulated(data: Path) -> Reference:
    """Print the shares of test spectra that are called far."""
    records = read_records([data / name for name in SIMULATED]).records
    parts: dict[str, list[Record]] = defaultdict(list)
    for record in distinct(list(records)):
        parts[part(record.material.formula)].append(record)
    reference = Reference.learnt_from(*together(parts["train"]), together(parts["validation"]))
    size = sum(each.numel() * each.element_size() for each in reference.tensors.values())
    print(f"{len(reference.simulated.element)} sites, {size / 1e6:.2f} MB of tensors")
    began = time.process_time()
    found = np.array([is_far(reference, record) for record in parts["test"]])
    each = (time.process_time() - began) / len(found)
    print(f"{len(found)} test sites, {1e3 * each:.1f} ms each, fingerprints included\n")
    band = np.digitize([atomic_number(r.element) for r in parts["test"]], list(BANDS.values()))
    own = np.array([r.dataset == "sim_feff10" for r in parts["test"]])
    print(f"far, %{'':12}{'n':>6}{'all':>8}{'elements met':>15}")
    rows = {"all": band >= 0, "sim_feff10": own}
    rows |= {f"FEFF10, {name}": own & (band == n) for n, name in enumerate(BANDS)}
    for name, rows_of in rows.items():
        far, new = found[rows_of].T
        print(f"{name:18}{len(far):6}{100 * far.mean():8.1f}{100 * far[~new].mean():15.1f}")
    print("\nlattice     " + "".join(f"{scale:8.2f}" for scale in SCALES))
    shares = [
        np.mean(
            [is_far(reference, r, scale)[0] for r, o in zip(parts["test"], own, strict=True) if o]
        )
        for scale in SCALES
    ]
    print("far, %      " + "".join(f"{100 * share:8.1f}" for share in shares))
    return reference


def measured(reference: Reference, data: Path) -> None:
    """Print which measured compounds are called far by all others, and the four named ones."""
    records = distinct(list(read_records([data / "exp"]).records))
    every = [(r, prints(r)) for r in records]

    def of(kept: list[tuple[Record, Fingerprints]]) -> Reference:
        names = [r.material.formula for r, sites in kept for _ in range(len(sites))]
        return reference.with_measured(joined([sites for _, sites in kept]), names)

    print("\nmeasured compounds that all others call far")
    count = np.zeros(3, dtype=int)
    for element in sorted({r.element for r in records}, key=atomic_number):
        formulas = sorted({r.material.formula for r in records if r.element == element})
        if len(formulas) < 5:
            continue
        told = []
        for formula in formulas:
            mine = [r for r in records if (r.element, r.material.formula) == (element, formula)]
            kept = [pair for pair in every if pair[0] not in mine]
            far, new = is_far(of(kept), mine[0])
            told += [formula] * far
            count += (far, far and not new, 1)
        print(f"{element:3}{len(told):3} of {len(formulas):3}: {', '.join(told)}")
    print(f"in all {count[0]} of {count[2]}; {count[1]} of them although all elements were met\n")
    whole = of(every)
    for name, (symbol, structure) in unmeasured().items():
        cell = Cell(
            np.array(structure.lattice.matrix),
            np.array(structure.frac_coords),
            np.array([site.specie.Z for site in structure]),
        )
        atoms = np.flatnonzero(cell.numbers == SYMBOLS.index(symbol) + 1)
        share = np.full(len(atoms), 1 / len(atoms))
        trust = whole.judge(fingerprints(cell, atoms), share, name).trust
        print(f"{name} {symbol} {trust.text}: {trust.reason}")


def unmeasured() -> dict[str, tuple[str, Structure]]:
    """Return compounds that nobody measured, with their absorbers."""

    def crystal(group: str, lattice: Lattice, species: str, *places: list[float]) -> Structure:
        return Structure.from_spacegroup(group, lattice, species.split(), places)

    third = 1 / 3
    barite = [[0.1845, 0.25, 0.1585], [0.0625, 0.25, 0.691], [0.9124, 0.25, 0.6096]]
    barite += [[0.187, 0.25, 0.5432], [0.0802, 0.0304, 0.8118]]
    purple = [[0.0646, 0.25, 0.6616], [0.0629, 0.25, 0.1867], [0.1864, 0.25, 0.0409]]
    purple += [[0.9205, 0.25, 0.0967], [0.0865, 0.0234, 0.3057]]
    barium = Lattice.orthorhombic(8.884, 5.457, 7.157)
    potassium = Lattice.orthorhombic(9.105, 5.72, 7.425)
    layers = [third, 2 * third, 0.25], [third, 2 * third, 0.621]
    return {
        "BaSO4": ("S", crystal("Pnma", barium, "Ba S O O O", *barite)),
        "PbS": ("S", crystal("Fm-3m", Lattice.cubic(5.936), "Pb S", [0, 0, 0], [0.5] * 3)),
        "MoS2": ("S", crystal("P6_3/mmc", Lattice.hexagonal(3.16, 12.294), "Mo S", *layers)),
        "KMnO4": ("Mn", crystal("Pnma", potassium, "K Mn O O O", *purple)),
    }


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with the data sets")
    data = parser.parse_args().data
    measured(simulated(data), data)


if __name__ == "__main__":
    main()
