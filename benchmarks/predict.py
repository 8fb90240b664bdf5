"""Crystals per second: cgxas against the same network fed one site at a time.

The other way is the one of the CGXAS authors' public script: for every absorbing site, all
neighbours within 8 A by pymatgen's `get_all_neighbors`, the 12 nearest of each atom, and one pass
of the network over that graph. Both sides use the same weights, in the same process, in turn.

    python benchmarks/predict.py SHARED/data/sim_feff9 --crystals 200
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from pymatgen.core import Lattice, Structure

import cgxas
from cgxas.crystals.batch import collate
from cgxas.crystals.graph import CrystalGraph
from cgxas.crystals.spec import GraphSpec
from cgxas.data.folder import read_records
from cgxas.elements import SYMBOLS
from cgxas.model.cgxas.network import CGXAS

CUTOFF, N_NEIGHBOURS = GraphSpec().cutoff, GraphSpec().neighbours


def site_by_site(network: CGXAS, structure: Structure, absorber: str) -> NDArray[np.float32]:
    """Return the mean spectrum, a graph and a network pass for every site."""
    spectra = []
    for site in structure.indices_from_symbol(absorber):
        batch = collate([neighbour_graph(structure)])
        with torch.no_grad():
            spectra.append(network(batch, torch.tensor([site]))[0])
    return torch.stack(spectra).mean(dim=0).numpy()


def neighbour_graph(structure: Structure) -> CrystalGraph:
    """Build the graph with `get_all_neighbors`, atom by atom."""
    n = len(structure)
    index = np.zeros((n, N_NEIGHBOURS), dtype=np.int32)
    image = np.zeros((n, N_NEIGHBOURS, 3), dtype=np.int32)
    vector = np.tile([CUTOFF, 0.0, 0.0], (n, N_NEIGHBOURS, 1))
    for i, neighbours in enumerate(structure.get_all_neighbors(CUTOFF)):
        nearest = sorted(neighbours, key=lambda each: each.nn_distance)[:N_NEIGHBOURS]
        for k, other in enumerate(nearest):
            index[i, k], image[i, k] = other.index, other.image
            vector[i, k] = other.coords - structure[i].coords
    return CrystalGraph(
        cutoff=CUTOFF,
        lattice=np.array(structure.lattice.matrix),
        numbers=np.array(structure.atomic_numbers),
        neighbour_index=index,
        neighbour_image=image,
        neighbour_vector=vector,
        distance=np.linalg.norm(vector, axis=-1),
        multiplicity=np.ones(n, dtype=np.int64),
    )


def sample(folder: Path, absorber: str, count: int) -> list[Structure]:
    """Return crystals of the data set that hold the absorber, drawn with a fixed seed."""
    cells = {r.material.material_id: r.material.cell for r in read_records([folder]).records}
    number = SYMBOLS.index(absorber) + 1
    names = sorted(name for name, cell in cells.items() if number in cell.numbers)
    chosen = np.random.default_rng(0).permutation(len(names))[:count]
    return [
        Structure(Lattice(cell.lattice), cell.numbers, cell.frac)
        for cell in (cells[names[n]] for n in chosen)
    ]


def main() -> None:
    """Run both ways and print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--absorber", default="Cu")
    parser.add_argument("--crystals", type=int, default=200)
    parser.add_argument("--model", default="universal")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    structures = sample(arguments.dataset, arguments.absorber, arguments.crystals)
    predictor = cgxas.load(arguments.model)
    network = predictor.checkpoint.network()
    predictor.predict(structures[0], arguments.absorber)  # lazy imports, first allocations
    site_by_site(network, structures[0], arguments.absorber)

    ours, theirs = [], []
    differences: list[float] = []
    for half in (
        structures[::2],
        structures[1::2],
    ):  # in turn, so that a drift of the machine shows
        started = time.perf_counter()
        spectra = predictor.predict(half, arguments.absorber)
        ours.append(time.perf_counter() - started)
        started = time.perf_counter()
        others = [site_by_site(network, each, arguments.absorber) for each in half]
        theirs.append(time.perf_counter() - started)
        differences += [
            float(np.sum((a.mu - b) ** 2) / np.sum(b**2))
            for a, b in zip(spectra, others, strict=True)
        ]
    n, n_sites = len(structures), sum(s.composition[arguments.absorber] for s in structures)
    print(
        f"{n} crystals, {sum(map(len, structures))} atoms, {n_sites:.0f} {arguments.absorber} sites"
    )
    print(f"{'one predict run':24s} {n / sum(ours):8.1f} crystals/s")
    print(f"{'site by site':24s} {n / sum(theirs):8.1f} crystals/s")
    ratios = [b / a for a, b in zip(ours, theirs, strict=True)]
    print(f"ratio {sum(theirs) / sum(ours):.1f} (halves {ratios[0]:.1f}, {ratios[1]:.1f})")
    print(f"median RSE between the two answers {np.median(differences):.1e}")


if __name__ == "__main__":
    main()
