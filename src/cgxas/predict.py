"""Structures -> Spectra: the object users hold."""

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self, TypeAlias, overload

import numpy as np
import torch

from cgxas.arguments import as_choice, as_list, as_whole_number, one_of_kind, refuse_single
from cgxas.crystals.graph import SiteGraph, graph_of
from cgxas.crystals.structure import Crystal, standardise
from cgxas.elements import atomic_number
from cgxas.errors import (
    AbsorberNotInCrystal,
    CgxasError,
    ConfigError,
    CrystalError,
    FarFromMeasuredWarning,
    FewTrainingSpectraWarning,
    UnknownElement,
    UnsupportedAbsorber,
)
from cgxas.model.checkpoint import Checkpoint, load_checkpoint
from cgxas.model.model import NODES_PER_BATCH, Model
from cgxas.model.sites import EmbeddedCrystal, in_batches
from cgxas.spectra.spectrum import SiteSpectrum, Spectrum
from cgxas.typing import IntArray

if TYPE_CHECKING:
    from ase import Atoms
    from pymatgen.core.structure import Molecule, Structure

CrystalLike: TypeAlias = "str | PathLike[str] | Structure | Molecule | Atoms"
FEW = 100
"""Absorbers with fewer training spectra are answered with a warning."""
FAR = 2.0
"""A calibrated edge energy less certain than these eV is answered with a warning."""
ALL = "all"
_CRYSTALS = "crystals are files or structures"
_SYMBOLS = "absorbers are symbols such as 'Fe'"


@dataclass(frozen=True)
class Failure:
    """A crystal that could not be answered.

    Attributes:
        crystal: its file, or its formula or place among the crystals.
        reason: why, in one sentence.
        error: the error itself.
    """

    crystal: str
    reason: str
    error: CgxasError


@dataclass(frozen=True, eq=False)
class _Job:
    """One crystal on its way through the network."""

    crystal: Crystal
    graph: SiteGraph
    absorbers: tuple[str, ...]
    sites: dict[str, IntArray]

    def __len__(self) -> int:
        return len(self.graph)


class Predictor:
    """A model that answers with K-edge XANES.

    Attributes:
        model: the model on its device.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        fidelity: str | None = None,
        device: "torch.device | str" = "cpu",
        batch_size: int = NODES_PER_BATCH,
    ) -> None:
        """Get a model ready.

        Args:
            checkpoint: the model.
            fidelity: what all answers are wanted as, such as "FEFF10"; if None, each absorber is
                answered as most of its training spectra were made.
            device: where the network computes, such as "cuda".
            batch_size: atoms (or sets of equivalent ones) that go through it together.

        Raises:
            ConfigError: the model does not know that fidelity, or there is no such device.
        """
        one_of_kind(checkpoint, Checkpoint, "a Predictor is made of a Checkpoint", ConfigError)
        self._batch_size = as_whole_number(batch_size, 1, "batch_size", ConfigError)
        self.model, self._fidelity = Model(checkpoint, device), fidelity
        if fidelity is not None:
            if checkpoint.is_calibrated:
                raise ConfigError(f"{checkpoint.name} answers as measured, not as a simulation")
            checkpoint.config.fidelity_index(fidelity)

    @classmethod
    def load(
        cls,
        model: str | Path = "universal",
        fidelity: str | None = None,
        device: "torch.device | str" = "cpu",
        batch_size: int = NODES_PER_BATCH,
    ) -> Self:
        """Load a bundled model by name, or a model file by path.

        Args:
            model: name or path.
            fidelity: what all answers are wanted as; if None, the usual one of each absorber.
            device: where the network computes.
            batch_size: atoms that go through it together.

        Raises:
            CheckpointError: there is none, or it cannot be used; the message says why.
            ConfigError: the model does not know that fidelity, or there is no such device.
        """
        return cls(load_checkpoint(model), fidelity, device, batch_size)

    @property
    def checkpoint(self) -> Checkpoint:
        """The model with its settings, energy grids and provenance."""
        return self.model.checkpoint

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
        absorbers = self._checked_absorbers(absorbers)
        crystals = as_list(crystals, object, _CRYSTALS, CrystalError, least=1)
        jobs = (self._job(crystal, absorbers, sites, on_crystal) for crystal in crystals)
        found = list(self._answered(jobs))
        self._warn({spectrum.absorber for spectra in found for spectrum in spectra})
        return found

    @overload
    def predict_iter(
        self, crystals: Iterable[CrystalLike], absorbers: Sequence[str]
    ) -> Iterator[list[Spectrum]]: ...

    @overload
    def predict_iter(
        self,
        crystals: Iterable[CrystalLike],
        absorbers: Sequence[str],
        errors: Literal["raise", "yield"],
    ) -> Iterator[list[Spectrum] | Failure]: ...

    def predict_iter(
        self,
        crystals: Iterable[CrystalLike],
        absorbers: Sequence[str],
        errors: Literal["raise", "yield"] = "raise",
    ) -> Iterator[list[Spectrum]] | Iterator[list[Spectrum] | Failure]:
        """Yield the spectra of one crystal after the other, however many, in bounded memory.

        Args:
            crystals: as for `predict`; they may come from a generator.
            absorbers: element symbols; "all" stands for whatever the model knows in a crystal.
            errors: "raise" the first error, or "yield" a `Failure` in place of the spectra of a
                crystal that cannot be answered, and go on.

        Yields:
            For each crystal, in order, one spectrum per absorber.
        """
        wanted = self._checked_absorbers([absorbers] if isinstance(absorbers, str) else absorbers)
        as_choice(errors, ("raise", "yield"), "errors", ConfigError)
        refuse_single(crystals, _CRYSTALS, CrystalError)
        if errors == "raise":
            return self._answered(self._job(crystal, wanted) for crystal in crystals)
        return self._answered_or_failed(crystals, wanted)

    def _answered(self, jobs: Iterable[_Job]) -> Iterator[list[Spectrum]]:
        for batch in in_batches(jobs, len, self._batch_size):
            embedded = self.model.embed([job.graph for job in batch])
            for job, one in zip(batch, embedded, strict=True):
                yield [self._spectrum(job, absorber, one) for absorber in job.absorbers]

    def _answered_or_failed(
        self, crystals: Iterable[CrystalLike], absorbers: Sequence[str]
    ) -> Iterator[list[Spectrum] | Failure]:
        tried = (self._tried(n, crystal, absorbers) for n, crystal in enumerate(crystals))
        for batch in in_batches(tried, _size, self._batch_size):
            good = (each for each in batch if isinstance(each, _Job))
            answers = self._answered(good)
            yield from (each if isinstance(each, Failure) else next(answers) for each in batch)

    def _tried(self, number: int, given: CrystalLike, absorbers: Sequence[str]) -> _Job | Failure:
        try:
            return self._job(given, absorbers)
        except CgxasError as error:
            formula = getattr(given, "formula", None) or getattr(given, "symbols", "")
            name = str(given) if isinstance(given, str | PathLike) else str(formula)
            return Failure(name or f"crystal {number}", str(error), error)

    def _checked_absorbers(self, absorbers: Sequence[str]) -> list[str]:
        found = as_list(absorbers, str, _SYMBOLS, UnknownElement, least=1)
        for absorber in (each for each in found if each != ALL):
            self._check_absorber(absorber)
        return found

    def _check_absorber(self, absorber: str) -> None:
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
        self,
        given: CrystalLike,
        absorbers: Sequence[str],
        sites: Sequence[int] | None = None,
        on_crystal: Callable[[], None] = lambda: None,
    ) -> _Job:
        spec = self.checkpoint.config.graph
        try:
            crystal = standardise(given, spec)
            wanted = self._wanted(crystal, absorbers)
            chosen = {a: crystal.checked_sites(a, sites) for a in wanted}
        except CgxasError as error:
            raise _with_source(error, given) from error
        job = _Job(crystal, graph_of(crystal, spec), wanted, chosen)
        on_crystal()
        return job

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

    def _spectrum(self, job: _Job, absorber: str, embedded: EmbeddedCrystal) -> Spectrum:
        """Average the absorber's nodes over each orbit, and the orbits over the wanted sites."""
        crystal, wanted = job.crystal, job.sites[absorber]
        known, nodes = self.model.absorber_sites(embedded, absorber, wanted, self._fidelity)
        found = self.model.answer(known)
        if found.edge_sigma is not None and found.edge_sigma > FAR:
            _warn_far(crystal, absorber, found.edge_sigma)
        energy = self.model.card(absorber).grid.energies
        orbit_of_site = crystal.orbit_of_site[wanted]
        sites = []
        for orbit in dict.fromkeys(orbit_of_site.tolist()):
            alike = wanted[orbit_of_site == orbit]
            own = np.isin(nodes, job.graph.nodes_of_site[alike[0]])
            norm = found.sites[own].mean(axis=0)
            sites.append(SiteSpectrum(tuple(int(site) for site in alike), norm, energy))
        weights = [site.multiplicity for site in sites]
        return Spectrum(
            energy=energy,
            norm=np.average([site.norm for site in sites], axis=0, weights=weights),
            absorber=absorber,
            sites=tuple(sites),
            formula=crystal.formula,
            model=self.name,
            source=crystal.source,
            sigma=found.sigma,
            structure=crystal.structure,
        )

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


def load(
    model: str | Path = "universal",
    fidelity: str | None = None,
    device: "torch.device | str" = "cpu",
    batch_size: int = NODES_PER_BATCH,
) -> Predictor:
    """Load a bundled model by name, or a model file by path.

    Args:
        model: name or path.
        fidelity: what all answers are wanted as, such as "FEFF10"; if None, what most of the
            training spectra of each absorber were made with.
        device: where the network computes, such as "cuda".
        batch_size: atoms that go through it together.

    Raises:
        CheckpointError: there is none, or it cannot be used; the message says why.
        ConfigError: the model does not know that fidelity, or there is no such device.
    """
    return Predictor.load(model, fidelity, device, batch_size)


def _size(each: _Job | Failure) -> int:
    """Return how much a crystal counts in a batch; one that failed must not wait for ever."""
    return len(each) if isinstance(each, _Job) else 1


def _warn_far(crystal: Crystal, absorber: str, edge_sigma: float) -> None:
    warnings.warn(
        f"{crystal.source or crystal.formula}: nothing much like its {absorber} "
        f"was measured; the edge energy is uncertain by {edge_sigma:.1f} eV",
        FarFromMeasuredWarning,
        stacklevel=7,
    )


def _with_source(error: CgxasError, given: object) -> CgxasError:
    """Say which file an error speaks of, where it does not say so itself."""
    name = str(given) if isinstance(given, str | PathLike) else ""
    return error if not name or name in str(error) else type(error)(f"{name}: {error}")
