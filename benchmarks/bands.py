"""Scores of a tested model by bands of atomic number: what README shows.

cgxas train and cgxas evaluate write the table of every tested spectrum:

    python benchmarks/bands.py runs/universal/test.parquet
"""

import argparse
from pathlib import Path

import numpy as np
import pyarrow.parquet

from cgxas.elements import atomic_number

BANDS = {
    "Z up to 9": (1, 9),
    "Z 11 to 20": (11, 20),
    "Z 21 to 36": (21, 36),
    "Z 37 to 53": (37, 53),
}


def main() -> None:
    """Read the table, and print a line for each band and theory."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("table", type=Path)
    wish = parser.parse_args()
    names = ["element", "fidelity", "rse", "pcc", "half_step_error"]
    table = pyarrow.parquet.read_table(wish.table, columns=names).to_pydict()
    columns = {name: np.array(values) for name, values in table.items()}
    z = np.array([atomic_number(str(symbol)) for symbol in columns["element"]])
    ten, nine = (columns["fidelity"] == each for each in ("FEFF10", "FEFF9"))
    groups = {f"{name}, FEFF10": ten & (z >= a) & (z <= b) for name, (a, b) in BANDS.items()}
    groups |= {
        f"{s}, FEFF9": nine & (columns["element"] == s)
        for s in sorted(set(columns["element"][nine]))
    }
    print(f"{'':20s} {'tested':>6s} {'RSE':>8s} {'median':>8s} {'PCC':>6s} {'half step, eV':>14s}")
    for name, rows in groups.items():
        if rows.any():
            rse, pcc = columns["rse"][rows], columns["pcc"][rows]
            off = np.nanmean(np.abs(columns["half_step_error"][rows].astype(float)))
            print(
                f"{name:20s} {rows.sum():6d} {rse.mean():8.4f} {np.median(rse):8.4f} "
                f"{pcc.mean():6.3f} {off:14.2f}"
            )


if __name__ == "__main__":
    main()
