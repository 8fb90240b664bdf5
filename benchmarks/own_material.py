"""What a model gains by simulations of a family of crystals, each left out in turn.

    python benchmarks/own_material.py DATASET [--model universal]

For every formula of a data set of one absorber: the RSE of the model as it is, and of the model
whose kernel has taken in the spectra of all other formulas (`cgxas finetune` does the same with the
training part of a split).
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from cgxas.data.compile import CompiledData
from cgxas.evaluation.testing import curves
from cgxas.model.checkpoint import load_checkpoint
from cgxas.spectra.metrics import rse
from cgxas.training.taking_in import answers, taken_in


def main() -> None:
    """Print a row per spectrum, and the means."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--model", default="universal")
    words = parser.parse_args()
    model = load_checkpoint(words.model)
    data = CompiledData.read([words.dataset], model.config)
    records = data.records.records
    every = np.arange(len(records))
    norm = curves(data.dataset, every)
    weight = data.dataset.weights(torch.from_numpy(every))[0].double().numpy()
    before = rse(norm, np.maximum(answers(model, records), 0.0), weight)
    after = np.zeros(len(records))
    formulas = np.array([record.material.formula for record in records])
    for formula in dict.fromkeys(formulas.tolist()):
        learnt, tested = np.flatnonzero(formulas != formula), np.flatnonzero(formulas == formula)
        tuned = taken_in(model, [records[n] for n in learnt], norm[learnt])
        found = np.maximum(answers(tuned, [records[n] for n in tested]), 0.0)
        after[tested] = rse(norm[tested], found, weight[tested])
        for n in tested:
            print(f"{records[n].spectrum_id:40s} {before[n]:.4f} -> {after[n]:.4f}", flush=True)
    print(f"mean of {len(records)}: {before.mean():.4f} -> {after.mean():.4f}")


if __name__ == "__main__":
    main()
