"""Crystals -> the vectors a network sees its sites as (SPEC section 4), one per distinct site."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cgxas.crystals.canonical import settled_cell
from cgxas.crystals.graph import CrystalGraph, Settled, SiteGraph
from cgxas.crystals.spec import GraphSpec
from cgxas.crystals.structure import Crystal, standardise
from cgxas.data.folder import read_records
from cgxas.data.record import Material
from cgxas.elements import SYMBOLS, atomic_number
from cgxas.errors import CrystalError, DatasetError
from cgxas.evaluation.sites import SiteVectors
from cgxas.model.checkpoint import Checkpoint
from cgxas.model.model import Model

AnyCrystal: TypeAlias = Material | Crystal

SHELL = 1.25
"""Neighbours up to this many times the shortest distance make the first coordination shell."""


class _Label(NamedTuple):
    """What a row says of its site; see `SiteVectors`."""

    source: str
    formula: str
    element: str
    neighbour: str
    site: int
    multiplicity: int


def read_crystals(sources: Sequence[Path], spec: GraphSpec) -> dict[str, AnyCrystal]:
    """Read data-set folders and crystal files.

    Args:
        sources: folders and files.
        spec: the recipe the model wants; crystals of data sets come as they are stored.

    Returns:
        "FOLDER/MATERIAL" or the file's name -> the crystal.

    Raises:
        CgxasError: a source cannot be read, or two crystals have one name.
    """
    crystals: dict[str, AnyCrystal] = {}
    for source in sources:
        for name, crystal in _named_crystals(source, spec):
            if crystals.setdefault(name, crystal) is not crystal:
                raise DatasetError(f"two crystals are called {name}; rename a folder or a file")
    return crystals


def _named_crystals(source: Path, spec: GraphSpec) -> Iterator[tuple[str, AnyCrystal]]:
    if source.is_dir():
        for record in read_records([source]).records:
            yield f"{record.dataset}/{record.material.material_id}", record.material
        return
    try:
        yield source.name, standardise(source, spec)
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
    spec = checkpoint.config.graph

    def settled() -> Iterator[Settled]:
        for crystal in crystals.values():
            yield settled_cell(crystal.cell, spec) if isinstance(crystal, Material) else crystal
            on_crystal()

    labels: list[_Label] = []
    vectors: list[NDArray[np.float32]] = []
    embedded = Model(checkpoint).sites(settled())
    for (name, crystal), one in zip(crystals.items(), embedded, strict=True):
        wanted = None if sites is None else sites[name]
        for nodes, alike in _distinct(one.graph, numbers, wanted):
            symbol = SYMBOLS[one.graph.graph.numbers[nodes[0]] - 1]
            around = neighbour(one.graph.graph, int(nodes[0]))
            labels.append(_Label(name, crystal.formula, symbol, around, alike[0], len(alike)))
            vectors.append(one.vectors[nodes].float().mean(dim=0).numpy())
    if not labels:
        raise DatasetError(f"the crystals hold no site of {', '.join(elements) or 'any element'}")
    return SiteVectors(
        **{name: np.array([getattr(label, name) for label in labels]) for name in _Label._fields},
        vector=np.array(vectors),
        model=checkpoint.name,
    )


def _distinct(
    graph: SiteGraph, elements: Collection[int], sites: Collection[int] | None
) -> Iterator[tuple[list[int], list[int]]]:
    """Yield the nodes of each distinct wanted site, and all sites they stand for."""
    alike: dict[tuple[int, ...], list[int]] = {}
    for site, nodes in enumerate(graph.nodes_of_site):
        alike.setdefault(tuple(nodes.tolist()), []).append(site)
    for stand_ins, members in alike.items():
        is_wanted = not elements or int(graph.graph.numbers[stand_ins[0]]) in elements
        if is_wanted and (sites is None or not set(sites).isdisjoint(members)):
            yield list(stand_ins), members


def neighbour(graph: CrystalGraph, node: int) -> str:
    """Return the most common element in the first coordination shell of a node.

    Of equally common elements the nearest counts. The atom's own element only counts where the
    shell holds no other. An atom without neighbours has none: the answer is empty.
    """
    distance = graph.distance[node]
    shell = np.flatnonzero((distance < graph.cutoff) & (distance <= SHELL * distance.min()))
    numbers = graph.numbers[graph.neighbour_index[node, shell]]
    other = numbers != graph.numbers[node]
    if other.any():
        numbers = numbers[other]
    # Slots are ordered by distance, so the place of an element's first atom tells how near it is.
    found, first, count = np.unique(numbers, return_index=True, return_counts=True)
    order = np.lexsort((first, -count))
    return SYMBOLS[found[order[0]] - 1] if len(found) else ""
