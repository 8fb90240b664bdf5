"""Many crystals -> a data-set folder of simulated spectra, ready to be learnt from."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, as_completed
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from warnings import warn

import numpy as np

from cgxas.arguments import as_list, as_path
from cgxas.crystals.canonical import Cell
from cgxas.crystals.io.read import CrystalLike
from cgxas.crystals.structure import Crystal
from cgxas.data.collection import Collection
from cgxas.data.folder import check_new_folder, dataset_name, write_dataset
from cgxas.data.manifest import Manifest, Origin
from cgxas.data.record import Annotation, fidelity_of
from cgxas.data.sources.collect import collect
from cgxas.data.sources.item import ImportedSpectrum, Item, LeftOut
from cgxas.elements import atomic_number
from cgxas.errors import (
    AbsorberNotInCrystal,
    CgxasError,
    DatasetError,
    Interrupted,
    MissingExtra,
    OutputError,
    SimulationWarning,
    UnknownElement,
)
from cgxas.simulation.crystal import (
    TIMEOUT,
    Orbit,
    checked_timeout,
    crystal_of,
    n_workers,
    orbits_of,
    runners,
)
from cgxas.simulation.presets import Preset, preset_of
from cgxas.simulation.sites import Cache, SiteCurve, site_curve

LICENCE = "own calculation"


@dataclass(frozen=True, eq=False)
class SimulatedSet:
    """What came of simulating many crystals.

    Attributes:
        folder: the data set.
        manifest: its birth certificate.
        left_out: crystal or site, and why it is not in the data set.
        without: how many crystals hold none of the absorbers.
    """

    folder: Path
    manifest: Manifest
    left_out: tuple[tuple[str, str], ...]
    without: int


@dataclass(frozen=True, eq=False)
class _Site:
    """One distinct site of one crystal.

    Attributes:
        material: name of the crystal.
        crystal: the crystal.
        absorber: symbol of its element.
        orbit: the site, and what FEFF is told of it.
    """

    material: str
    crystal: Crystal
    absorber: str
    orbit: Orbit

    @property
    def name(self) -> str:
        """What it is called where it is left out."""
        return f"{self.material}, {self.absorber} site {self.orbit.sites[0]}"

    def spectrum(self, curve: SiteCurve, preset: Preset) -> ImportedSpectrum:
        """Return its spectrum as the source of a data set."""
        structure = self.crystal.structure
        cell = Cell(
            np.array(structure.lattice.matrix, dtype=np.float64),
            np.array(structure.frac_coords, dtype=np.float64),
            self.crystal.numbers,
        )
        return ImportedSpectrum(
            name="",
            material_id=self.material,
            formula=self.crystal.formula,
            cell=cell,
            element=self.absorber,
            site=self.orbit.sites[0],
            site_certain=True,
            energy=curve.energy,
            norm=curve.norm,
            theory=preset.theory,
            fidelity=fidelity_of(preset.theory),
            annotation=Annotation(multiplicity=len(self.orbit.sites)),
        )


def simulate_dataset(  # the words of a verb
    crystals: CrystalLike | Sequence[CrystalLike],
    absorbers: str | Sequence[str],
    output: str | PathLike[str],
    preset: str = "quick",
    *,
    timeout: float | None = TIMEOUT,
    workers: int | None = None,
    on_site: Callable[[int, int], None] = lambda done, total: None,
) -> SimulatedSet:
    """Simulate all distinct sites of absorbers in many crystals, and write a data-set folder.

    What was computed is kept as each site is done: the same call goes on where it was stopped.
    The folder appears at the end, whole.

    Args:
        crystals: files, folders, patterns, archives, data sets, objects: whatever `Collection`
            takes.
        absorbers: symbol of the absorbing element, or several; a crystal need not hold all.
        output: a new folder.
        preset: "quick" or "full", as for `simulate`.
        timeout: seconds that one site may take; None for any.
        workers: sites computed beside each other; as many as there are processors if None.
        on_site: told how many sites are done, and how many there are.

    Returns:
        The folder, and what is not in it.

    Raises:
        CrystalError: none of the crystals is there.
        AbsorberError: an absorber is no element, or in none of the crystals.
        DatasetError: not one site could be simulated.
        OutputError: the folder holds something already, or cannot be written.
        ConfigError: there is no such preset, or a number is none.
        MissingExtra: feff10-rs is not installed.
    """
    MissingExtra.refuse_without("feff10", "feff10-rs", "feff")
    known, most, beside = preset_of(preset), checked_timeout(timeout), n_workers(workers)
    wanted = [absorbers] if isinstance(absorbers, str) else absorbers
    elements = as_list(wanted, str, "absorbers are symbols of elements", UnknownElement, least=1)
    for element in elements:
        atomic_number(element)
    folder = as_path(output, "an output", OutputError)
    check_new_folder(folder)
    collection = Collection(crystals)
    sites, left_out, without = _read(collection, tuple(dict.fromkeys(elements)), known)
    if not sites and not left_out:
        raise AbsorberNotInCrystal(f"none of the crystals holds {' or '.join(elements)}")
    curves = _computed(sites, most, beside, on_site)
    return _written(list(_items(sites, curves, known)), folder, known, left_out, without)


def _written(
    items: Sequence[Item],
    folder: Path,
    preset: Preset,
    left_out: Sequence[tuple[str, str]],
    without: int,
) -> SimulatedSet:
    """Write what came of all sites."""
    found = collect(items, dataset_name(folder))
    failed = [*left_out, *((n, reason) for reason, names in found.left_out.items() for n in names)]
    if not found.records:
        told = f"; {failed[0][0]}: {failed[0][1]}" if failed else ""
        raise DatasetError(f"not one site of {len(items)} could be simulated{told}")
    by_reason: dict[str, list[str]] = {}
    for name, reason in failed:
        by_reason.setdefault(reason, []).append(name)
    origin = Origin(dataset_name(folder), f"simulated with {preset.theory}", LICENCE)
    manifest = write_dataset(folder, found.records, origin, by_reason)
    return SimulatedSet(folder, manifest, tuple(failed), without)


def _read(
    collection: Collection, absorbers: Sequence[str], preset: Preset
) -> tuple[list[_Site], list[tuple[str, str]], int]:
    """Return the sites, the crystals that cannot be used, and how many have no absorber."""
    sites: list[_Site] = []
    left_out: list[tuple[str, str]] = []
    without = 0
    for each in collection:
        try:
            if isinstance(each.crystal, CgxasError):
                raise each.crystal
            crystal = crystal_of(each.crystal)
        except CgxasError as error:
            left_out.append((each.name, str(error).removeprefix(f"{each.name}: ")))
            continue
        here = [absorber for absorber in absorbers if absorber in crystal.elements]
        without += not here
        for absorber in here:
            orbits = orbits_of(crystal, absorber, preset)
            sites += [_Site(each.id, crystal, absorber, orbit) for orbit in orbits]
    return sites, left_out, without


def _computed(
    sites: Sequence[_Site], timeout: float | None, workers: int, on_site: Callable[[int, int], None]
) -> Mapping[str, SiteCurve | CgxasError]:
    """Compute what FEFF is told of all sites, each once, beside each other.

    Raises:
        OutputError: the cache cannot be written.
    """
    cache, texts = Cache.usual(), list(dict.fromkeys(site.orbit.text for site in sites))
    found: dict[str, SiteCurve | CgxasError] = {}

    def one(text: str, stop: threading.Event) -> SiteCurve:
        return site_curve(text, timeout, lambda stage: None, stop, cache)

    if not texts:
        return found
    on_site(0, len(texts))
    with runners(min(workers, len(texts))) as (pool, stop):
        tasks: dict[Future[SiteCurve], str] = {pool.submit(one, t, stop): t for t in texts}
        for task in as_completed(tasks):
            try:
                found[tasks[task]] = task.result()
            except (OutputError, Interrupted):
                raise
            except CgxasError as error:
                found[tasks[task]] = error
            on_site(len(found), len(texts))
    return found


def _items(
    sites: Sequence[_Site], curves: Mapping[str, SiteCurve | CgxasError], preset: Preset
) -> Iterator[Item]:
    for site in sites:
        curve = curves[site.orbit.text]
        if isinstance(curve, CgxasError):
            yield LeftOut(site.name, str(curve))
        else:
            for text in curve.warnings():
                warn(f"{site.name}: {text}", SimulationWarning, 2)
            yield site.spectrum(curve, preset)
