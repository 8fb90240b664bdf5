"""A crystal -> its spectrum as FEFF10 simulates it, the mean over all sites of the absorber."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from warnings import warn

import numpy as np

from cgxas.arguments import as_whole_number, one_of_kind
from cgxas.crystals.io.read import CrystalLike, read_crystal, source_of
from cgxas.crystals.spec import GraphSpec
from cgxas.crystals.structure import Crystal, settled
from cgxas.elements import atomic_number
from cgxas.errors import CgxasError, ConfigError, MissingExtra, SimulationError, SimulationWarning
from cgxas.simulation.feff_input import cluster_around, feff_input
from cgxas.simulation.presets import Preset, preset_of
from cgxas.simulation.sites import Cache, SiteCurve, site_curve
from cgxas.spectra.resample import resample
from cgxas.spectra.spectrum import SiteSpectrum, Spectrum
from cgxas.typing import FloatArray

TIMEOUT = 7200.0
"""Seconds that a site may take, unless another number is given."""

OnStage = Callable[[int, int, str], None]
"""Told, as a program of FEFF starts, the number of the site, how many there are, and its name."""


@dataclass(frozen=True, eq=False)
class Orbit:
    """Equivalent atoms that are simulated once.

    Attributes:
        sites: their indices in the caller's structure.
        text: what FEFF is told of one of them.
    """

    sites: tuple[int, ...]
    text: str


def crystal_of(given: CrystalLike) -> Crystal:
    """Read and check a crystal, and choose the cell that clusters are cut from.

    Raises:
        CrystalError: the crystal cannot be used, or is disordered; the message names its file.
    """
    source = source_of(given)
    try:
        return settled(read_crystal(given), source, GraphSpec())
    except CgxasError as error:
        if not source or source in str(error):
            raise
        raise type(error)(f"{source}: {error}") from error


def orbits_of(crystal: Crystal, absorber: str, preset: Preset) -> list[Orbit]:
    """Return the distinct sites of an absorber, and what FEFF is told of each.

    They are cut out of the canonical cell, so that the same crystal is the same run however it is
    described.

    Raises:
        AbsorberError: the crystal holds no such atom.
    """
    sites = crystal.sites_of(absorber)
    orbits = crystal.orbit_of_site[sites]
    found = []
    for orbit in dict.fromkeys(orbits.tolist()):
        atom = int(np.flatnonzero(crystal.orbit_of_atom == orbit)[0])
        text = feff_input(cluster_around(crystal.cell, atom), preset)
        found.append(Orbit(tuple(sites[orbits == orbit].tolist()), text))
    return found


def simulate(
    crystal: CrystalLike,
    absorber: str,
    preset: str = "quick",
    *,
    timeout: float | None = TIMEOUT,
    workers: int | None = None,
    on_stage: OnStage = lambda site, total, stage: None,
) -> Spectrum:
    """Simulate the K-edge XANES of an absorber in a crystal with FEFF10.

    Every distinct site is computed in a process of its own, which leaves nothing behind however
    this one ends; what was computed once is kept in ``$CGXAS_CACHE``, or ``~/.cache/cgxas``.
    Source: FEFF10, Kas et al., doi:10.1107/S1600577521008614, from the package feff10-rs.

    Args:
        crystal: a path, pymatgen Structure or Molecule, or ASE Atoms.
        absorber: symbol of the absorbing element.
        preset: "quick", small spheres for many crystals, or "full", those of pymatgen's
            MPXANESSet.
        timeout: seconds that one site may take; None for any.
        workers: sites computed beside each other; as many as there are processors if None.
        on_stage: told the number of the site, how many there are, and the program of FEFF that
            starts.

    Returns:
        The spectrum on FEFF's own absolute energies (eV), the mean over the distinct sites by
        their multiplicity; without `sigma` and `trust`, as nothing was learnt.

    Raises:
        CrystalError: the crystal cannot be used, or is disordered.
        AbsorberError: it holds no such atom.
        ConfigError: there is no such preset, or a number is none.
        SimulationError: FEFF fails, takes too long, or gives nothing that is to be trusted.
        OutputError: the temporary folder or the cache cannot be written.
        MissingExtra: feff10-rs is not installed.

    Warns:
        SimulationWarning: FEFF warns of something, or its spectrum has no clear edge.
    """
    MissingExtra.refuse_without("feff10", "feff10-rs", "feff")
    known, most = preset_of(preset), checked_timeout(timeout)
    atomic_number(absorber)
    found = crystal_of(crystal)
    orbits = orbits_of(found, absorber, known)
    curves = curves_of(orbits, most, n_workers(workers), on_stage)
    for orbit, curve in zip(orbits, curves, strict=True):
        for text in curve.warnings():
            warn(f"{found.name}, {absorber} site {orbit.sites[0]}: {text}", SimulationWarning, 2)
    return spectrum_of(found, absorber, orbits, curves, known)


def checked_timeout(timeout: float | None) -> float | None:
    """Return a number of seconds above 0, or None.

    Raises:
        ConfigError: it is none.
    """
    if timeout is None:
        return None
    seconds = one_of_kind(timeout, int | float, "a timeout is in seconds", ConfigError)  # type: ignore[arg-type]
    if isinstance(seconds, bool) or not 0 < seconds < float("inf"):
        raise ConfigError(f"a timeout is a number of seconds above 0, not {seconds}")
    return float(seconds)


def n_workers(wanted: int | None) -> int:
    """Return how many sites are computed beside each other.

    Raises:
        ConfigError: it is no whole number above 0.
    """
    if wanted is None:
        return max(1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1)
    return as_whole_number(wanted, 1, "workers", ConfigError)


@contextmanager
def runners(workers: int) -> Iterator[tuple[ThreadPoolExecutor, threading.Event]]:
    """Lend threads that each watch a run; whatever ends the block ends their runs."""
    stop = threading.Event()
    pool = ThreadPoolExecutor(workers)
    try:
        yield pool, stop
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)


def curves_of(
    orbits: Sequence[Orbit], timeout: float | None, workers: int, on_stage: OnStage
) -> list[SiteCurve]:
    """Compute distinct sites beside each other; the first that fails ends the others.

    Raises:
        SimulationError: one fails; the message names it.
    """
    cache = Cache.usual()

    def one(number: int, orbit: Orbit, stop: threading.Event) -> SiteCurve:
        def tell(stage: str) -> None:
            on_stage(number, len(orbits), stage)

        try:
            return site_curve(orbit.text, timeout, tell, stop, cache)
        except SimulationError as error:
            raise SimulationError(f"site {orbit.sites[0]}: {error}") from error

    with runners(min(workers, len(orbits))) as (pool, stop):
        tasks = [pool.submit(one, n, each, stop) for n, each in enumerate(orbits)]
        wait(tasks, return_when=FIRST_EXCEPTION)
        failed = [task.exception() for task in tasks if task.done() and task.exception()]
        if failed:
            raise failed[0]  # type: ignore[misc]  # it is one
        return [task.result() for task in tasks]


def spectrum_of(
    crystal: Crystal,
    absorber: str,
    orbits: Sequence[Orbit],
    curves: Sequence[SiteCurve],
    preset: Preset,
) -> Spectrum:
    """Return the mean over distinct sites, and theirs, on energies that all of them have.

    Raises:
        SimulationError: the sites have no energies in common.
    """
    energy = _common(curves)
    sites = tuple(
        SiteSpectrum(orbit.sites, resample(curve.energy, curve.norm, energy), energy)
        for orbit, curve in zip(orbits, curves, strict=True)
    )
    weights = [site.multiplicity for site in sites]
    return Spectrum(
        energy=energy,
        norm=np.average([site.norm for site in sites], axis=0, weights=weights),
        absorber=absorber,
        sites=sites,
        formula=crystal.formula,
        model=preset.model,
        source=crystal.source,
        structure=crystal.structure,
    )


def _common(curves: Sequence[SiteCurve]) -> FloatArray:
    """Return the energies of all curves that lie within every one of them, eV."""
    first = max(float(curve.energy[0]) for curve in curves)
    last = min(float(curve.energy[-1]) for curve in curves)
    every = np.unique(np.concatenate([curve.energy for curve in curves]))
    energy = every[(every >= first) & (every <= last)]
    if len(energy) < 2:
        raise SimulationError("the sites of the absorber have no energies in common")
    return energy
