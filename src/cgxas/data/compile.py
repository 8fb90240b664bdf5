"""Records made into what a network trains on: graphs once per crystal, targets on their grids."""

import hashlib
import multiprocessing
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cgxas.crystals import canonical, graph
from cgxas.crystals.canonical import Cell, canonical_cell
from cgxas.crystals.graph import CUTOFF, CrystalGraph, crystal_graph
from cgxas.data import dataset
from cgxas.data.dataset import Dataset
from cgxas.data.record import Material, Record
from cgxas.errors import DatasetError, OutputError
from cgxas.model.cgxas.config import CGXASConfig
from cgxas.spectra import resample as resampling
from cgxas.spectra.resample import resample
from cgxas.spectra.spectrum import EnergyGrid

_WORTH_PROCESSES = 500
_CHUNK = 64


def compiled(
    records: Sequence[Record],
    grids: Mapping[str, EnergyGrid],
    config: CGXASConfig,
    folder: Path | None = None,
) -> Dataset:
    """Return a data set from the folder of compiled ones, compiled now if it is not there.

    Args:
        records: what to compile.
        grids: energies of each absorber.
        config: the network; its cell and plane waves decide what the graphs hold.
        folder: where compiled data sets are kept; ``$CGXAS_CACHE``, or ``~/.cache/cgxas``, if None.
    """
    cache = folder or Path(os.environ.get("CGXAS_CACHE") or Path.home() / ".cache" / "cgxas")
    sha256 = content_hash(records, grids, config)
    if not (cache / sha256).is_dir():
        try:
            _build(records, grids, config, sha256).save(cache / sha256)
        except OutputError:
            if not (cache / sha256).is_dir():  # else another run was faster
                raise
    return Dataset.load(cache / sha256)


def content_hash(
    records: Sequence[Record], grids: Mapping[str, EnergyGrid], config: CGXASConfig
) -> str:
    """Hash whatever decides what the compiled arrays hold: records, cutoff, grids and code."""
    digest = hashlib.sha256()
    for module in (canonical, graph, resampling, dataset):
        digest.update(Path(str(module.__file__)).read_bytes())
    digest.update(Path(__file__).read_bytes())
    settings = (CUTOFF, config.cell, bool(config.wave_numbers), config.n_outputs)
    digest.update(repr((settings, sorted(grids.items()))).encode())
    seen: dict[int, int] = {}
    for record in records:
        cell = record.material.cell
        if id(cell) not in seen:
            seen[id(cell)] = len(seen)
            digest.update(cell.lattice.tobytes() + cell.frac.tobytes() + cell.numbers.tobytes())
        about = (record.key, record.material.formula, record.fidelity, record.site_certain)
        digest.update(repr((*about, seen[id(cell)], record.sites.tolist())).encode())
        digest.update(record.energy.tobytes() + record.norm.tobytes())
    return digest.hexdigest()


def build_dataset(
    records: Sequence[Record], grids: Mapping[str, EnergyGrid], config: CGXASConfig
) -> Dataset:
    """Build the graphs of all crystals and put all spectra onto their grids.

    A network without plane waves gives all atoms of an orbit one answer, so its graphs have one
    node per orbit.

    Raises:
        DatasetError: there are no records, or one has no point on its element's grid.
    """
    return _build(records, grids, config, content_hash(records, grids, config))


def _build(
    records: Sequence[Record], grids: Mapping[str, EnergyGrid], config: CGXASConfig, sha256: str
) -> Dataset:
    if not records:
        raise DatasetError("the data set holds no spectra; name one that does")
    place: dict[int, int] = {}
    materials: list[Material] = []
    for record in records:
        if id(record.material) not in place:
            place[id(record.material)] = len(materials)
            materials.append(record.material)
    norm, computed = on_grids(records, grids, config.n_outputs)
    graphs: list[dict[str, NDArray[Any]]] = []
    nodes_of_site: list[list[NDArray[np.int64]]] = []
    for arrays, nodes in _graphs([material.cell for material in materials], config):
        graphs.append(arrays)
        nodes_of_site.append(nodes)
    crystal = np.array([place[id(record.material)] for record in records], dtype=np.int32)
    shares = [members(r.sites, nodes_of_site[c]) for c, r in zip(crystal, records, strict=True)]
    fidelities = tuple(sorted({record.fidelity for record in records}))
    flat = {name: np.concatenate([one[name] for one in graphs]) for name in graphs[0]}
    flat |= {
        "node_start": _starts([len(one["numbers"]) for one in graphs]),
        "crystal": crystal,
        "member_start": _starts([len(nodes) for nodes, _ in shares]),
        "member": np.concatenate([nodes for nodes, _ in shares]).astype(np.int32),
        "share": np.concatenate([share for _, share in shares]).astype(np.float32),
        "norm": norm,
        "computed": computed,
        "absorber": np.array([r.material.cell.numbers[r.sites[0]] for r in records], np.uint8),
        "fidelity": np.array([fidelities.index(r.fidelity) for r in records], np.uint8),
        "certain": np.array([record.site_certain for record in records]),
    }
    tensors: dict[str, Any] = {name: torch.from_numpy(array) for name, array in flat.items()}
    return Dataset(
        key=np.array([record.key for record in records]),
        formula=np.array([material.formula for material in materials]),
        fidelities=fidelities,
        sha256=sha256,
        **{"fractional": None, "volume": None, **tensors},
    )


def site_graph(cell: Cell, config: CGXASConfig) -> tuple[CrystalGraph, list[NDArray[np.int64]]]:
    """Return a crystal's graph and, for each of its sites, the nodes that stand for it."""
    if config.cell == "as_given":
        each = np.arange(len(cell.numbers))
        return crystal_graph(cell), [each[n : n + 1] for n in each]
    found = canonical_cell(cell)
    if not config.wave_numbers:
        one = crystal_graph(found.cell, found.orbit_of_atom)
        return one, [found.orbit_of_site[n : n + 1] for n in range(len(found.orbit_of_site))]
    orbits = [
        np.flatnonzero(found.orbit_of_atom == n) for n in range(found.orbit_of_atom.max() + 1)
    ]
    return crystal_graph(found.cell), [orbits[n] for n in found.orbit_of_site]


def on_grids(
    records: Sequence[Record], grids: Mapping[str, EnergyGrid], n_points: int
) -> tuple[NDArray[np.float32], NDArray[np.int16]]:
    """Return (T, P) spectra on their grids, and (T, 2) which points were computed: first and end.

    Before the first computed point stands its value, after the last one 0.

    Raises:
        DatasetError: a spectrum has no point on its element's grid, or the element has none.
    """
    norm = np.zeros((len(records), n_points), dtype=np.float32)
    computed = np.zeros((len(records), 2), dtype=np.int16)
    for row, record in enumerate(records):
        if record.element not in grids:
            raise DatasetError(
                f"{record.spectrum_id} is of {record.element}, for which there is no energy grid; "
                "take it out of the data set"
            )
        values = resample(record.energy, record.norm, grids[record.element].energies)
        known = np.flatnonzero(np.isfinite(values))
        if not len(known):
            raise DatasetError(
                f"{record.spectrum_id} has no point between the energies of the {record.element} "
                "grid; check its energy scale"
            )
        norm[row, known] = values[known]
        norm[row, : known[0]] = values[known[0]]
        computed[row] = known[0], known[-1] + 1
    return norm, computed


_Graph = tuple[dict[str, NDArray[Any]], list[NDArray[np.int64]]]


def _graphs(cells: Sequence[Cell], config: CGXASConfig) -> Iterator[_Graph]:
    """Yield each cell's arrays and the nodes of its sites; many are worth a process per core."""
    build = partial(_arrays, config=config)
    if len(cells) < _WORTH_PROCESSES or multiprocessing.parent_process():
        yield from map(build, cells)
        return
    # Not forked: the threads of torch do not survive it.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(len(os.sched_getaffinity(0)), mp_context=context) as pool:
        yield from pool.map(build, cells, chunksize=_CHUNK)


def _arrays(cell: Cell, config: CGXASConfig) -> _Graph:
    one, nodes = site_graph(cell, config)
    arrays: dict[str, NDArray[Any]] = {
        "numbers": one.numbers.astype(np.uint8),
        "neighbour": one.neighbour_index,
        "distance": one.distance.astype(np.float32),
    }
    if config.wave_numbers:
        arrays["fractional"] = one.fractional.astype(np.float32)
        arrays["volume"] = np.array([one.volume], dtype=np.float32)
    return arrays, nodes


def members(
    sites: NDArray[np.int64], nodes_of_site: list[NDArray[np.int64]]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the nodes whose mean a spectrum of these sites is, and the share of each."""
    nodes = [nodes_of_site[site] for site in sites]
    weight = np.concatenate([np.full(len(each), 1 / (len(each) * len(sites))) for each in nodes])
    members, place = np.unique(np.concatenate(nodes), return_inverse=True)
    return members, np.asarray(np.bincount(place, weight), dtype=np.float64)


def _starts(lengths: Sequence[int]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
