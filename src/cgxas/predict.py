"""Structures -> Spectra: the object users hold."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeAlias, overload

import numpy as np
import torch
from numpy.typing import NDArray

from cgxas.crystals.batch import collate
from cgxas.crystals.bonds import chemical_state
from cgxas.crystals.graph import CrystalGraph, crystal_graph
from cgxas.crystals.structure import Crystal, standardise
from cgxas.elements import atomic_number
from cgxas.errors import (
    AbsorberNotInCrystal,
    CgxasError,
    ConfigError,
    CrystalError,
    FarFromMeasuredWarning,
    FewTrainingSpectraWarning,
    UnsupportedAbsorber,
)
from cgxas.model.calibration.gaussian import sites_of
from cgxas.model.checkpoint import Checkpoint, load_checkpoint
from cgxas.spectra.spectrum import SiteSpectrum, Spectrum
from cgxas.typing import FloatArray

if TYPE_CHECKING:
    from ase import Atoms
    from pymatgen.core.structure import Molecule, Structure

CrystalLike: TypeAlias = "str | PathLike[str] | Structure | Molecule | Atoms"
FEW = 100
"""Absorbers with fewer training spectra are answered with a warning."""
FAR = 2.0
"""A calibrated edge energy less certain than these eV is answered with a warning."""
ALL = "all"
_NODES_PER_BATCH = 1024


@dataclass(frozen=True, eq=False)
class _Job:
    """One crystal on its way through the network."""

    crystal: Crystal
    graph: CrystalGraph
    orbit_of_node: NDArray[np.int64]
    absorbers: tuple[str, ...]
    sites: dict[str, NDArray[np.int64]]


class Predictor:
    """A model that answers with K-edge XANES.

    Attributes:
        checkpoint: the model with its configuration, energy grids and provenance.
    """

    def __init__(self, checkpoint: Checkpoint, fidelity: str | None = None) -> None:
        """Get a model ready.

        Args:
            checkpoint: the model.
            fidelity: the theory all answers are wanted in, such as "FEFF10"; if None, each
                absorber is answered in the theory most of its training spectra were made with.

        Raises:
            ConfigError: the model does not know that theory.
        """
        self.checkpoint = checkpoint
        self._network = checkpoint.network()
        if fidelity is not None:
            if checkpoint.is_calibrated:
                raise ConfigError(f"{checkpoint.name} answers as measured, not in a theory")
            checkpoint.config.fidelity_index(fidelity)
        self._fidelity = fidelity

    @classmethod
    def load(cls, model: str | Path = "universal", fidelity: str | None = None) -> Self:
        """Load a bundled model by name, or a model file by path.

        Args:
            model: name or path.
            fidelity: the theory all answers are wanted in; if None, the usual one of each absorber.

        Raises:
            CheckpointError: there is none, or it cannot be used; the message says why.
            ConfigError: the model does not know that theory.
        """
        return cls(load_checkpoint(model), fidelity)

    @property
    def name(self) -> str:
        """How the model is called."""
        return self.checkpoint.name

    @property
    def absorbers(self) -> tuple[str, ...]:
        """The elements the model answers for."""
        return tuple(s for s, card in self.checkpoint.elements.items() if card.n_train != 0)

    def __repr__(self) -> str:
        return f"Predictor({self.name}, {len(self.absorbers)} absorbers)"

    @overload
    def predict(  # type: ignore[overload-overlap]  # a str is a Sequence of str, but not of paths
        self, crystals: CrystalLike, absorber: str, sites: Sequence[int] | None = None
    ) -> Spectrum: ...

    @overload
    def predict(
        self, crystals: Sequence[CrystalLike], absorber: str, sites: None = None
    ) -> list[Spectrum]: ...

    def predict(
        self,
        crystals: "CrystalLike | Sequence[CrystalLike]",
        absorber: str,
        sites: Sequence[int] | None = None,
    ) -> Spectrum | list[Spectrum]:
        """Predict the spectrum of an absorber; a list of crystals gives a list of spectra.

        Args:
            crystals: a path, pymatgen Structure or Molecule, ASE Atoms, or a list of them.
            absorber: symbol of the absorbing element.
            sites: indices of atoms in the caller's structure to average over; all atoms of the
                absorber if None. Only with a single crystal.

        Returns:
            Spectra on the model's energy grid of the absorber (eV), normalised to an edge step
            of 1, with the spectra of the symmetry-distinct sites.

        Raises:
            CrystalError: a crystal cannot be used.
            AbsorberError: the absorber or the sites cannot be answered.
        """
        if isinstance(crystals, list | tuple):
            if sites is not None:
                raise CrystalError("sites go with a single crystal, not with a list of them")
            return [each for (each,) in self.predict_each(crystals, [absorber])]
        ((spectrum,),) = self.predict_each([crystals], [absorber], sites)  # type: ignore[list-item]
        return spectrum

    def predict_each(
        self,
        crystals: Sequence[CrystalLike],
        absorbers: Sequence[str],
        sites: Sequence[int] | None = None,
        on_crystal: Callable[[], None] = lambda: None,
    ) -> list[list[Spectrum]]:
        """Predict several absorbers of several crystals, one graph pass per batch of crystals.

        Args:
            crystals: as for `predict`.
            absorbers: element symbols; "all" stands for whatever the model knows in a crystal.
            sites: atoms to average over, for a single crystal and absorber.
            on_crystal: called as each crystal has been read, which takes most of the time.

        Returns:
            For each crystal, one spectrum per absorber.
        """
        for absorber in absorbers:
            self._check_absorber(absorber)
        results: list[list[Spectrum]] = []
        jobs: list[_Job] = []
        for crystal in crystals:
            jobs.append(self._job(crystal, absorbers, sites))
            on_crystal()
            if sum(len(job.graph.numbers) for job in jobs) >= _NODES_PER_BATCH:
                results += self._run(jobs)
                jobs = []
        results += self._run(jobs)
        self._warn({spectrum.absorber for spectra in results for spectrum in spectra})
        return results

    def _check_absorber(self, absorber: str) -> None:
        if absorber == ALL:
            return
        atomic_number(absorber)
        if absorber not in self.absorbers:
            known = ", ".join(self.absorbers) or "no element"
            if self.checkpoint.is_calibrated:
                raise UnsupportedAbsorber(
                    f"there is no calibration for {absorber} in {self.name}, which covers {known}; "
                    "predict it as simulated with the model universal"
                )
            raise UnsupportedAbsorber(f"{self.name} has no answer for {absorber}; it knows {known}")

    def _job(
        self, given: CrystalLike, absorbers: Sequence[str], sites: Sequence[int] | None
    ) -> _Job:
        config = self.checkpoint.config
        try:
            crystal = standardise(given, config.cell)
            wanted = self._wanted(crystal, absorbers)
            chosen = {a: crystal.checked_sites(a, sites) for a in wanted}
        except CgxasError as error:
            raise _with_source(error, given) from error
        per_orbit = config.cell == "canonical" and not config.wave_numbers
        if per_orbit:
            graph = crystal_graph(crystal.cell, crystal.orbit_of_atom)
            orbit_of_node = np.arange(len(graph.numbers))
        else:
            graph, orbit_of_node = crystal_graph(crystal.cell), crystal.orbit_of_atom
        return _Job(crystal, graph, orbit_of_node, wanted, chosen)

    def _wanted(self, crystal: Crystal, absorbers: Sequence[str]) -> tuple[str, ...]:
        present = [element for element in crystal.elements if element in self.absorbers]
        wanted: list[str] = []
        for absorber in absorbers:
            wanted += present if absorber == ALL else [absorber]
        if not wanted:
            raise AbsorberNotInCrystal(
                f"the crystal holds {', '.join(crystal.elements)}, and {self.name} knows none of it"
            )
        return tuple(dict.fromkeys(wanted))

    @torch.no_grad()
    def _run(self, jobs: list[_Job]) -> Iterator[list[Spectrum]]:
        if not jobs:
            return
        batch = collate([job.graph for job in jobs])
        vectors = self._network.embed(batch)
        for job, first, last in zip(jobs, batch.offsets[:-1], batch.offsets[1:], strict=True):
            yield [self._spectrum(job, a, vectors[first:last]) for a in job.absorbers]

    def _spectrum(self, job: _Job, absorber: str, vectors: torch.Tensor) -> Spectrum:
        """Average the absorber's nodes over each orbit, and the orbits over the wanted sites."""
        crystal = job.crystal
        nodes = np.flatnonzero(job.graph.numbers == atomic_number(absorber))
        orbit_of_node = job.orbit_of_node[nodes]
        orbit_of_site = crystal.orbit_of_site[job.sites[absorber]]
        orbits = list(dict.fromkeys(orbit_of_site.tolist()))
        count = [np.count_nonzero(orbit_of_site == orbit) for orbit in orbits]
        each = {orbit: orbit_of_node == orbit for orbit in orbits}
        share = np.zeros(len(nodes))
        for orbit, n_sites in zip(orbits, count, strict=True):
            share[each[orbit]] = n_sites / (each[orbit].sum() * len(orbit_of_site))
        norm, sigma = self._curves(job, absorber, nodes, vectors[nodes], share)
        energy = self.checkpoint.elements[absorber].grid.energies
        sites = [
            SiteSpectrum(
                sites=tuple(int(site) for site in job.sites[absorber][orbit_of_site == orbit]),
                norm=norm[each[orbit]].mean(axis=0),
                energy=energy,
            )
            for orbit in orbits
        ]
        return Spectrum(
            energy=energy,
            norm=np.average([site.norm for site in sites], axis=0, weights=count),
            absorber=absorber,
            sites=tuple(sites),
            formula=crystal.formula,
            model=self.name,
            source=crystal.source,
            sigma=sigma,
            structure=crystal.structure,
        )

    def _curves(
        self,
        job: _Job,
        absorber: str,
        nodes: NDArray[np.intp],
        vectors: torch.Tensor,
        share: FloatArray,
    ) -> tuple[FloatArray, FloatArray | None]:
        """Return (S, P) spectra of nodes, and (P,) standard deviation of their mean, if known."""
        calibration, card = self.checkpoint.calibration, self.checkpoint.elements[absorber]
        theory = self._theory(absorber)
        if calibration is None:
            return self._network.head(vectors, theory).double().numpy(), None
        valence, ligands = chemical_state(job.graph)
        sites, _ = sites_of(
            self._network,
            vectors,
            atomic_number(absorber),
            card.network_grid,
            theory,
            (valence[nodes], ligands[nodes]),
        )
        found = calibration.spectra(sites, share, card.grid, card.network_grid.e_min)
        if found.edge_sigma > FAR:
            warnings.warn(
                f"{job.crystal.source or job.crystal.formula}: nothing much like its {absorber} "
                f"was measured; the edge energy is uncertain by {found.edge_sigma:.1f} eV",
                FarFromMeasuredWarning,
                stacklevel=6,
            )
        return found.sites, found.sigma

    def _theory(self, absorber: str) -> torch.Tensor | None:
        """Return the number of the theory an absorber is answered in."""
        name = self._fidelity or self.checkpoint.elements[absorber].fidelity
        return None if name is None else torch.tensor(self.checkpoint.config.fidelity_index(name))

    def _warn(self, absorbers: set[str]) -> None:
        if self.checkpoint.is_calibrated:  # a few dozen spectra are all there ever are
            return
        counts = {a: self.checkpoint.elements[a].n_train for a in sorted(absorbers)}
        few = [f"{a} ({n})" for a, n in counts.items() if n is not None and n < FEW]
        if few:
            warnings.warn(
                f"{self.name} saw few training spectra of {', '.join(few)}: "
                "take these spectra as rough guesses",
                FewTrainingSpectraWarning,
                stacklevel=4,
            )


def load(model: str | Path = "universal", fidelity: str | None = None) -> Predictor:
    """Load a bundled model by name, or a model file by path.

    Args:
        model: name or path.
        fidelity: the theory all answers are wanted in, such as "FEFF10"; if None, the one most
            of the training spectra of each absorber were made with.

    Raises:
        CheckpointError: there is none, or it cannot be used; the message says why.
        ConfigError: the model does not know that theory.
    """
    return Predictor.load(model, fidelity)


def _with_source(error: CgxasError, given: object) -> CgxasError:
    """Say which file an error speaks of, where it does not say so itself."""
    name = str(given) if isinstance(given, str | PathLike) else ""
    return error if not name or name in str(error) else type(error)(f"{name}: {error}")
