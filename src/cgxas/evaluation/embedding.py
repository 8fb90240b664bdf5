"""Crystals -> the vectors a network sees its sites as (SPEC section 4), one per distinct site."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from cgxas.crystals.batch import collate
from cgxas.crystals.graph import CUTOFF, CrystalGraph, crystal_graph
from cgxas.crystals.structure import Crystal, standardise
from cgxas.data.compile import site_graph
from cgxas.data.folder import read_records
from cgxas.data.record import Material
from cgxas.elements import SYMBOLS, atomic_number
from cgxas.errors import CrystalError, DatasetError
from cgxas.evaluation.sites import SiteVectors
from cgxas.model.cgxas.config import CGXASConfig
from cgxas.model.cgxas.network import CGXAS
from cgxas.model.checkpoint import Checkpoint
from cgxas.settings import CellConvention

AnyCrystal: TypeAlias = Material | Crystal

SHELL = 1.25
"""Neighbours up to this many times the shortest distance make the first coordination shell."""

_NODES_PER_BATCH = 1024


class _Label(NamedTuple):
    """What a row says of its site; see `SiteVectors`."""

    source: str
    formula: str
    element: str
    neighbour: str
    site: int
    multiplicity: int


@dataclass(frozen=True, eq=False)
class _Job:
    """One crystal on its way through the network.

    Attributes:
        labels: one for each wanted site.
        graph: the crystal's graph.
        nodes: for each wanted site, the nodes that stand for it.
    """

    labels: list[_Label]
    graph: CrystalGraph
    nodes: list[NDArray[np.int64]]


def read_crystals(sources: Sequence[Path], convention: CellConvention) -> dict[str, AnyCrystal]:
    """Read data-set folders and crystal files.

    Args:
        sources: folders and files.
        convention: the cell the model wants; crystals of data sets come as they are stored.

    Returns:
        "FOLDER/MATERIAL" or the file's name -> the crystal.

    Raises:
        CgxasError: a source cannot be read, or two crystals have one name.
    """
    crystals: dict[str, AnyCrystal] = {}
    for source in sources:
        for name, crystal in _named_crystals(source, convention):
            if crystals.setdefault(name, crystal) is not crystal:
                raise DatasetError(f"two crystals are called {name}; rename a folder or a file")
    return crystals


def _named_crystals(source: Path, convention: CellConvention) -> Iterator[tuple[str, AnyCrystal]]:
    if source.is_dir():
        for record in read_records([source]).records:
            yield f"{record.dataset}/{record.material.material_id}", record.material
        return
    try:
        yield source.name, standardise(source, convention)
    except CrystalError as error:
        if str(source) in str(error):
            raise
        raise type(error)(f"{source}: {error}") from error


def embed_crystals(
    checkpoint: Checkpoint,
    crystals: Mapping[str, AnyCrystal],
    elements: Collection[str] = (),
    sites: Mapping[str, Collection[int]] | None = None,
    on_crystal: Callable[[], None] = lambda: None,
) -> SiteVectors:
    """Return the vectors of the distinct sites of crystals.

    Args:
        checkpoint: the model.
        crystals: name -> crystal.
        elements: only sites of these elements; of all elements if empty.
        sites: name -> indices of the only sites wanted, each standing for those equivalent to
            it; all sites if None.
        on_crystal: called as each crystal has been laid out, which takes most of the time.

    Raises:
        UnknownElement: one of the elements is none.
        DatasetError: no site is wanted.
    """
    numbers = {atomic_number(symbol) for symbol in elements}
    network, config = checkpoint.network(), checkpoint.config
    done: list[tuple[list[_Label], NDArray[np.float32]]] = []
    waiting: list[_Job] = []
    for name, crystal in crystals.items():
        job = _job(name, crystal, config, numbers, None if sites is None else sites[name])
        waiting += [job] if job.nodes else []
        on_crystal()
        if sum(len(each.graph.numbers) for each in waiting) >= _NODES_PER_BATCH:
            done.append(_embedded(network, waiting))
            waiting = []
    if waiting:
        done.append(_embedded(network, waiting))
    if not done:
        raise DatasetError(f"the crystals hold no site of {', '.join(elements) or 'any element'}")
    labels = [label for labels, _ in done for label in labels]
    return SiteVectors(
        **{name: np.array([getattr(label, name) for label in labels]) for name in _Label._fields},
        vector=np.concatenate([vectors for _, vectors in done]),
        model=checkpoint.name,
    )


@torch.no_grad()
def _embedded(network: CGXAS, jobs: Sequence[_Job]) -> tuple[list[_Label], NDArray[np.float32]]:
    """Return labels and (S, H) vectors: means over the nodes of a site."""
    batch = collate([job.graph for job in jobs])
    vectors = network.embed(batch).float().numpy()
    rows = [
        vectors[first + nodes].mean(axis=0)
        for job, first in zip(jobs, batch.offsets[:-1], strict=True)
        for nodes in job.nodes
    ]
    return [label for job in jobs for label in job.labels], np.array(rows)


def _job(
    name: str,
    crystal: AnyCrystal,
    config: CGXASConfig,
    elements: Collection[int],
    sites: Collection[int] | None,
) -> _Job:
    graph, nodes_of_site = _graph(crystal, config)
    alike: dict[tuple[int, ...], list[int]] = {}
    for site, nodes in enumerate(nodes_of_site):
        alike.setdefault(tuple(nodes.tolist()), []).append(site)
    job = _Job([], graph, [])
    for stand_ins, members in alike.items():
        number = int(graph.numbers[stand_ins[0]])
        unwanted = elements and number not in elements
        if unwanted or (sites is not None and set(sites).isdisjoint(members)):
            continue
        symbol, around = SYMBOLS[number - 1], neighbour(graph, stand_ins[0])
        job.nodes.append(np.array(stand_ins))
        job.labels.append(_Label(name, crystal.formula, symbol, around, members[0], len(members)))
    return job


def _graph(
    crystal: AnyCrystal, config: CGXASConfig
) -> tuple[CrystalGraph, list[NDArray[np.int64]]]:
    """Return a crystal's graph and, for each of its sites, the nodes that stand for it."""
    if isinstance(crystal, Material):
        return site_graph(crystal.cell, config)
    if config.cell == "canonical" and not config.wave_numbers:
        graph = crystal_graph(crystal.cell, crystal.orbit_of_atom)
        return graph, [np.array([orbit]) for orbit in crystal.orbit_of_site]
    orbits = [np.flatnonzero(crystal.orbit_of_atom == orbit) for orbit in crystal.orbit_of_site]
    return crystal_graph(crystal.cell), orbits


def neighbour(graph: CrystalGraph, node: int) -> str:
    """Return the most common element in the first coordination shell of a node.

    Of equally common elements the nearest counts. The atom's own element only counts where the
    shell holds no other. An atom without neighbours has none: the answer is empty.
    """
    distance = graph.distance[node]
    shell = np.flatnonzero((distance < CUTOFF) & (distance <= SHELL * distance.min()))
    numbers = graph.numbers[graph.neighbour_index[node, shell]]
    other = numbers != graph.numbers[node]
    if other.any():
        numbers = numbers[other]
    # Slots are ordered by distance, so the place of an element's first atom tells how near it is.
    found, first, count = np.unique(numbers, return_index=True, return_counts=True)
    order = np.lexsort((first, -count))
    return SYMBOLS[found[order[0]] - 1] if len(found) else ""
