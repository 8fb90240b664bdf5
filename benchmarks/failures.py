"""Compounds whose edge a calibration misses, each left out once, as its run folder tells.

python benchmarks/failures.py runs/one-out/trials.jsonl
"""

import argparse
import json
from pathlib import Path

import numpy as np

FAR = 2.0  # eV


def main() -> None:
    """Print a line per element, and the compounds that are far off."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trials", type=Path)
    trials = [json.loads(line) for line in parser.parse_args().trials.open(encoding="utf-8")]
    found = [
        (trial["element"], name, trial["half_step"][name], trial["rse"][name])
        for trial in trials
        if trial["method"] == "gaussian"
        for name in trial["parts"]["test"]
    ]
    for element in dict.fromkeys(each[0] for each in found):
        edges = np.abs([edge for other, _, edge, _ in found if other == element])
        near = int((edges < 0.5).sum())
        print(
            f"{element:2s} {len(edges):3d} within 0.5 eV: {near:2d}, median {np.median(edges):.2f}"
        )
    edges = np.abs([each[2] for each in found])
    near, nearly = ((edges < limit).sum() for limit in (0.5, 1.0))
    print(f"all {len(edges)}: within 0.5 eV {near}, 1 eV {nearly}, median {np.median(edges):.2f}")
    for element, name, edge, _ in sorted(found, key=lambda each: -abs(each[2])):
        if abs(edge) > FAR:
            print(f"edge {element:2s} {name:20s} {edge:+.1f} eV")
    for element, name, _, rse in sorted(found, key=lambda each: -each[3])[:10]:
        print(f"RSE  {element:2s} {name:20s} {rse:.3f}")


if __name__ == "__main__":
    main()
