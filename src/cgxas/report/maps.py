"""The sites that the maps of a report show, and where they lie."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cgxas.data.folder import read_records
from cgxas.data.record import Record
from cgxas.elements import atomic_number
from cgxas.evaluation.embedding import AnyCrystal, embed_crystals
from cgxas.evaluation.sites import MIN_SITES, SiteVectors, fair_sample, tsne, tsne_class
from cgxas.model.checkpoint import Checkpoint
from cgxas.report.groups import Group

MOST_SITES = 2000
"""Sites in a map: enough to fill it, few enough to wait for."""

_SEED = 0
_CRYSTALS_AT_ONCE = 100


@dataclass(frozen=True, eq=False)
class SiteMap:
    """Sites in two dimensions.

    Attributes:
        sites: the sites.
        places: (N, 2) where they lie.
    """

    sites: SiteVectors
    places: NDArray[np.float64]


@dataclass(frozen=True)
class Maps:
    """The maps of a report.

    Attributes:
        model: name of the model whose site vectors they show.
        absorbers: the sites of test spectra; None if there are too few.
        oxygens: oxygen sites of the data; None if there are too few.
        missing: why maps are missing, one sentence; empty if none is.
    """

    model: str = ""
    absorbers: SiteMap | None = None
    oxygens: SiteMap | None = None
    missing: str = ""


def site_maps(groups: Sequence[Group], data: Sequence[Path]) -> Maps:
    """Return the maps of the first universal run.

    Args:
        groups: the runs.
        data: data-set folders; those the run was trained with if none is given.

    Raises:
        DatasetError: the given data cannot be read.
        MissingExtra: scikit-learn is not installed.
    """
    group = next((each for each in groups if each.kind == "universal"), None)
    if group is None:
        return Maps(missing="There are no maps of sites: none of the runs is universal.")
    (run,) = group.runs
    absent = [folder for folder in run.data if not folder.is_dir()]
    if not data and (absent or not run.data):
        names = ", ".join(folder.name for folder in absent) or "its data"
        return Maps(missing=f"There are no maps of sites: {names} of {run.name} are not at hand.")
    tsne_class()  # refuse before any work
    records = read_records(list(data or run.data)).records
    checkpoint = run.checkpoint()
    absorbers = _test_sites(checkpoint, group, records)
    oxygens = _oxygen_sites(checkpoint, records)
    lacking = [
        text
        for text, found in (("sites of test spectra", absorbers), ("oxygen sites", oxygens))
        if found is None
    ]
    missing = f"The data hold too few {' and '.join(lacking)} for a map." if lacking else ""
    return Maps(run.name, _map(absorbers), _map(oxygens), missing)


def _map(sites: SiteVectors | None) -> SiteMap | None:
    return None if sites is None else SiteMap(sites, tsne(sites.vector, _SEED))


def _test_sites(
    checkpoint: Checkpoint, group: Group, records: Sequence[Record]
) -> SiteVectors | None:
    """Return the sites of a fair sample of the test spectra."""
    chosen = fair_sample(group.tested.element, MOST_SITES, _SEED)
    keys = set(group.tested.key[chosen].tolist())
    crystals: dict[str, AnyCrystal] = {}
    sites: dict[str, set[int]] = {}
    for record in records:
        if record.key in keys:
            crystals[_name(record)] = record.material
            sites.setdefault(_name(record), set()).update(record.sites.tolist())
    if not crystals:
        return None
    return _enough(embed_crystals(checkpoint, crystals, sites=sites))


def _oxygen_sites(checkpoint: Checkpoint, records: Sequence[Record]) -> SiteVectors | None:
    """Return oxygen sites of crystals drawn at random, until there are enough."""
    oxygen = atomic_number("O")
    crystals = {
        _name(record): record.material
        for record in records
        if oxygen in record.material.cell.numbers
    }
    names = np.random.default_rng(_SEED).permutation(sorted(crystals)).tolist()
    parts: list[SiteVectors] = []
    for first in range(0, len(names), _CRYSTALS_AT_ONCE):
        some = {name: crystals[name] for name in names[first : first + _CRYSTALS_AT_ONCE]}
        parts.append(embed_crystals(checkpoint, some, ["O"]))
        if sum(map(len, parts)) >= MOST_SITES:
            break
    if not parts:
        return None
    every = SiteVectors.joined(parts)
    return _enough(every.take(np.arange(min(len(every), MOST_SITES))))


def _enough(sites: SiteVectors) -> SiteVectors | None:
    return sites if len(np.unique(sites.vector, axis=0)) >= MIN_SITES else None


def _name(record: Record) -> str:
    return f"{record.dataset}/{record.material.material_id}"
