"""The network of 0.1.0 answers as it did then, before everything moved into the model file.

It was called universal, and is kept as cgxas-paper. The curves of 200 crystals were stored by
0.1.0; the crystals themselves are data, which
are not part of the repository.
"""

from functools import cache
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
from pymatgen.core import Lattice, Structure

import cgxas

STORED = Path(__file__).parent / "curves_0.1.0.npz"
SAME = 5e-6  # in single precision; processors differ by half of it


@cache
def crystals(folder: Path) -> dict[str, Structure]:
    rows = pyarrow.parquet.read_table(folder / "materials.parquet").to_pylist()
    return {
        row["material_id"]: Structure(
            Lattice(np.reshape(row["lattice"], (3, 3))),
            row["species"],
            np.reshape(row["frac_coords"], (-1, 3)),
        )
        for row in rows
    }


@pytest.mark.filterwarnings("ignore::cgxas.errors.CgxasWarning")
def test_curves_are_those_of_0_1_0(shared, record_property):
    predictor = cgxas.load("cgxas-paper")
    deviations = []
    with np.load(STORED) as stored:
        columns = {
            name: stored[f"universal.{name}"] for name in ("crystal", "absorber", "energy", "norm")
        }
    for n, (key, absorber) in enumerate(zip(columns["crystal"], columns["absorber"], strict=True)):
        folder, _, name = str(key).partition("/")
        found = predictor.predict(crystals(shared / "data" / folder)[name], str(absorber))
        np.testing.assert_array_equal(found.energy[[0, -1]], columns["energy"][n])
        deviations.append(np.abs(found.norm - columns["norm"][n]).max())
    record_property("largest_deviation", float(max(deviations)))
    assert max(deviations) < SAME
