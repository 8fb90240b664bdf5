"""Records made into what a network trains on: graphs once per crystal, targets on their grids."""

import hashlib
import multiprocessing
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from cgxas.crystals import canonical, graph
from cgxas.crystals.canonical import Cell, settled_cell
from cgxas.crystals.graph import SiteGraph, graph_of
from cgxas.crystals.spec import GraphSpec
from cgxas.data import dataset
from cgxas.data import edges as data_edges
from cgxas.data.dataset import Dataset
from cgxas.data.edges import edges_of
from cgxas.data.folder import read_records
from cgxas.data.record import Material, Record, Records
from cgxas.data.split import Split, SplitSettings, split_records
from cgxas.errors import DatasetError, OutputError
from cgxas.model import edges as model_edges
from cgxas.model.architecture import ArchitectureSettings, Sight
from cgxas.model.sites import shares
from cgxas.physics import edges as physics_edges
from cgxas.spectra import axis
from cgxas.spectra import resample as resampling
from cgxas.spectra.axis import FEFF_POINTS
from cgxas.spectra.resample import resample
from cgxas.spectra.spectrum import EnergyGrid
from cgxas.spectra.xray import windows
from cgxas.typing import FloatArray

_WORTH_PROCESSES = 500
_CHUNK = 64
_NEAR = 0.05  # eV
_FEWEST = 10


@dataclass(frozen=True, eq=False)
class CompiledData:
    """Records, and what a network trains on and is tested on, in the same order.

    Attributes:
        folders: where they came from.
        records: the records.
        dataset: the same, compiled.
    """

    folders: tuple[Path, ...]
    records: Records
    dataset: Dataset

    @classmethod
    def read(cls, folders: Sequence[Path], config: ArchitectureSettings) -> Self:
        """Read data-set folders, and compile them for a network.

        Raises:
            DatasetError: a folder is damaged, or a spectrum fits no grid.
        """
        records = read_records(folders)
        dataset = compiled(records.records, windows(config.n_outputs), config)
        return cls(tuple(folders), records, dataset)

    @property
    def everything(self) -> Split:
        """All spectra as a test part, for data a model knows nothing of."""
        none = np.zeros(0, dtype=np.int64)
        return Split(none, none, np.arange(len(self.dataset)))

    def divide(self, settings: SplitSettings) -> Split:
        """Return the parts that settings ask for."""
        return split_records(self.records, settings.by, settings.fractions, settings.seed)


def compiled(
    records: Sequence[Record],
    grids: Mapping[str, EnergyGrid],
    config: ArchitectureSettings,
    folder: Path | None = None,
) -> Dataset:
    """Return a data set from the folder of compiled ones, compiled now if it is not there.

    Args:
        records: what to compile.
        grids: windows of each absorber, for networks that answer in those.
        config: the network; its recipe decides what the graphs hold.
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
    records: Sequence[Record], grids: Mapping[str, EnergyGrid], config: ArchitectureSettings
) -> str:
    """Hash whatever decides what the compiled arrays hold: records, cutoff, grids and code."""
    digest = hashlib.sha256()
    for module in (canonical, graph, resampling, dataset):
        digest.update(Path(str(module.__file__)).read_bytes())
    digest.update(Path(__file__).read_bytes())
    if config.axis == "edge":
        for path in _decide_edges():
            digest.update(path.read_bytes())
    windows_of = sorted(grids.items()) if config.axis == "window" else config.axis
    settings = (config.graph, config.sees, config.n_outputs, windows_of)
    digest.update(repr(settings).encode())
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


def _decide_edges() -> list[Path]:
    """Return the code and the tables that decide where the edges of spectra are."""
    home = Path(physics_edges.__file__).parent
    own = [Path(str(module.__file__)) for module in (axis, data_edges, model_edges)]
    return own + sorted(path for path in home.iterdir() if path.is_file())


def build_dataset(
    records: Sequence[Record], grids: Mapping[str, EnergyGrid], config: ArchitectureSettings
) -> Dataset:
    """Build the graphs of all crystals and put all spectra onto their grids.

    Raises:
        DatasetError: there are no records, or one has no point on its element's grid.
    """
    return _build(records, grids, config, content_hash(records, grids, config))


def _build(
    records: Sequence[Record],
    grids: Mapping[str, EnergyGrid],
    config: ArchitectureSettings,
    sha256: str,
) -> Dataset:
    if not records:
        raise DatasetError("the data set holds no spectra; name one that does")
    place: dict[int, int] = {}
    materials: list[Material] = []
    for record in records:
        if id(record.material) not in place:
            place[id(record.material)] = len(materials)
            materials.append(record.material)
    edge = edges_of(records) if config.axis == "edge" else None
    if edge is None:
        norm, computed = on_grids(records, grids, config.n_outputs)
    else:
        norm, computed = on_points(records, edge)
    graphs: list[dict[str, NDArray[Any]]] = []
    of_crystal: list[SiteGraph] = []
    for one in _graphs([material.cell for material in materials], config.graph):
        of_crystal.append(one)
        graphs.append(_arrays(one, config.sees))
    crystal = np.array([place[id(record.material)] for record in records], dtype=np.int32)
    means = [shares(of_crystal[c], r.sites) for c, r in zip(crystal, records, strict=True)]
    fidelities = tuple(sorted({record.fidelity for record in records}))
    flat = {name: np.concatenate([one[name] for one in graphs]) for name in graphs[0]}
    flat |= {
        "node_start": _starts([len(one["numbers"]) for one in graphs]),
        **_edge_starts(flat),
        "crystal": crystal,
        "member_start": _starts([len(nodes) for nodes, _ in means]),
        "member": np.concatenate([nodes for nodes, _ in means]).astype(np.int32),
        "share": np.concatenate([share for _, share in means]).astype(np.float32),
        "norm": norm,
        "computed": computed,
        "absorber": np.array([r.material.cell.numbers[r.sites[0]] for r in records], np.uint8),
        "fidelity": np.array([fidelities.index(r.fidelity) for r in records], np.uint8),
        "certain": np.array([record.site_certain for record in records]),
    }
    if edge is not None:
        flat |= {"edge": edge, "points": np.array(FEFF_POINTS)}
    tensors: dict[str, Any] = {name: torch.from_numpy(array) for name, array in flat.items()}
    return Dataset(
        key=np.array([record.key for record in records]),
        formula=np.array([material.formula for material in materials]),
        fidelities=fidelities,
        sha256=sha256,
        cutoff=config.graph.cutoff,
        **{**dict.fromkeys(dataset.OPTIONAL), **tensors},
    )


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


def on_points(
    records: Sequence[Record], edges: FloatArray
) -> tuple[NDArray[np.float32], NDArray[np.int16]]:
    """Return (T, P) spectra on FEFF's points from the edge, and (T, 2) which were computed.

    Args:
        records: the spectra.
        edges: (T,) what the points are counted from, eV.

    Raises:
        DatasetError: a spectrum lies elsewhere.
    """
    norm = np.zeros((len(records), len(FEFF_POINTS)), dtype=np.float32)
    computed = np.zeros((len(records), 2), dtype=np.int16)
    for row, (record, edge) in enumerate(zip(records, edges, strict=True)):
        own = record.energy - edge
        # An edge that is off by a hundredth of an eV is to cost no point.
        inside = (own[0] - _NEAR <= FEFF_POINTS) & (own[-1] + _NEAR >= FEFF_POINTS)
        known = np.flatnonzero(inside)
        if len(known) < _FEWEST:
            raise DatasetError(
                f"{record.spectrum_id} has hardly a point near the {record.element} edge at "
                f"{edge:.1f} eV; check its energy scale"
            )
        norm[row] = np.interp(FEFF_POINTS, own, record.norm)
        computed[row] = known[0], known[-1] + 1
    return norm, computed


def _graphs(cells: Sequence[Cell], spec: GraphSpec) -> Iterator[SiteGraph]:
    """Yield the graph of each cell; many are worth a process per core."""
    build = partial(_site_graph, spec=spec)
    if len(cells) < _WORTH_PROCESSES or multiprocessing.parent_process():
        yield from map(build, cells)
        return
    # Not forked: the threads of torch do not survive it.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(len(os.sched_getaffinity(0)), mp_context=context) as pool:
        yield from pool.map(build, cells, chunksize=_CHUNK)


def _site_graph(cell: Cell, spec: GraphSpec) -> SiteGraph:
    return graph_of(settled_cell(cell, spec), spec)


def _arrays(one: SiteGraph, sees: Sight) -> dict[str, NDArray[Any]]:
    """Return what of a graph a network sees."""
    graph = one.graph
    numbers = graph.numbers.astype(np.uint8)
    if sees == "vector":
        near = graph.distance < graph.cutoff
        return {
            "numbers": numbers,
            "neighbour": graph.neighbour_index[near],
            "vector": graph.neighbour_vector[near].astype(np.float32),
            "n_edges": near.sum(axis=1),
        }
    arrays: dict[str, NDArray[Any]] = {
        "numbers": numbers,
        "neighbour": graph.neighbour_index,
        "distance": graph.distance.astype(np.float32),
    }
    if sees == "fractional":
        arrays["fractional"] = graph.fractional.astype(np.float32)
        arrays["volume"] = np.array([graph.volume], dtype=np.float32)
    return arrays


def _edge_starts(flat: dict[str, NDArray[Any]]) -> dict[str, NDArray[np.int64]]:
    """Turn the numbers of edges, if nodes have different ones, into where those of a node start."""
    counts = flat.pop("n_edges", None)
    return {} if counts is None else {"edge_start": _starts(counts.tolist())}


def _starts(lengths: Sequence[int]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
