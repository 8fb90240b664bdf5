"""The object users hold: a model that answers with spectra."""

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self, TypeVar, overload

from cgxas.arguments import as_choice, as_list, as_whole_number, one_of_kind, refuse_single
from cgxas.crystals.disorder.order import Disorder
from cgxas.crystals.io.read import CrystalLike
from cgxas.crystals.structure import site_indices
from cgxas.elements import atomic_number
from cgxas.errors import (
    CgxasError,
    ConfigError,
    CrystalError,
    FewTrainingSpectraWarning,
    UnknownElement,
    UnsupportedAbsorber,
)
from cgxas.model.checkpoint import Checkpoint, load_checkpoint
from cgxas.model.location import SIMULATED, usual
from cgxas.model.model import NODES_PER_BATCH, Model
from cgxas.model.sites import in_batches
from cgxas.predict.answers import PartAnswer, part_answers, spectrum_of
from cgxas.predict.jobs import ALL, Failure, Job, Question, job_of
from cgxas.spectra.spectrum import Spectrum

if TYPE_CHECKING:
    import torch

Answer = TypeVar("Answer", list[Spectrum], list[Spectrum] | Failure)

FEW = 100
"""Absorbers with fewer training spectra are answered with a warning."""
_CRYSTALS = "crystals are files or structures"
_SYMBOLS = "absorbers are symbols such as 'Fe'"


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
        model: str | Path | None = None,
        fidelity: str | None = None,
        device: "torch.device | str" = "cpu",
        batch_size: int = NODES_PER_BATCH,
    ) -> Self:
        """Load a bundled model by name, or a model file by path.

        Args:
            model: name or path; if None, "calibrated", or "universal" where a fidelity is wanted.
            fidelity: what all answers are wanted as; if None, the usual one of each absorber.
            device: where the network computes.
            batch_size: atoms that go through it together.

        Raises:
            CheckpointError: there is none, or it cannot be used; the message says why.
            ConfigError: the model does not know that fidelity, or there is no such device.
        """
        name = usual(fidelity) if model is None else model
        return cls(load_checkpoint(name), fidelity, device, batch_size)

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
        cards, measured = self.checkpoint.elements, self.checkpoint.is_calibrated
        return tuple(s for s, card in cards.items() if measured or card.n_train != 0)

    def __repr__(self) -> str:
        return f"Predictor({self.name}, {len(self.absorbers)} absorbers)"

    @overload
    def predict(  # type: ignore[overload-overlap]  # a str is a Sequence of str, but not of paths
        self,
        crystals: CrystalLike,
        absorber: str,
        sites: Sequence[int] | None = None,
        disorder: str | Disorder = "refuse",
    ) -> Spectrum: ...

    @overload
    def predict(
        self,
        crystals: Sequence[CrystalLike],
        absorber: str,
        sites: None = None,
        disorder: str | Disorder = "refuse",
    ) -> list[Spectrum]: ...

    def predict(
        self,
        crystals: "CrystalLike | Sequence[CrystalLike]",
        absorber: str,
        sites: Sequence[int] | None = None,
        disorder: str | Disorder = "refuse",
    ) -> Spectrum | list[Spectrum]:
        """Predict the spectrum of an absorber; a list of crystals gives a list of spectra.

        Args:
            crystals: a path, pymatgen Structure or Molecule, ASE Atoms, or a list of them.
            absorber: symbol of the absorbing element.
            sites: indices of atoms in the caller's structure to average over; all atoms of the
                absorber if None. Only with a single crystal.
            disorder: what is done with a crystal whose sites are shared or partly empty: "refuse"
                it; take the "majority" of each site; or average over a "sample" ("sample:10") of
                random ordered supercells, whose spread goes into `Spectrum.sigma`. A `Disorder`
                also holds the seed.

        Returns:
            Spectra on the model's energy grid of the absorber (eV), normalised to an edge step
            of 1, with the spectra of the symmetry-distinct sites.

        Raises:
            CrystalError: a crystal cannot be used.
            AbsorberError: the absorber or the sites cannot be answered.
            ConfigError: the disorder is not one of these.
        """
        if isinstance(crystals, list | tuple):
            if sites is not None:
                raise CrystalError("sites go with a single crystal, not with a list of them")
            return [each for (each,) in self.predict_each(crystals, [absorber], disorder=disorder)]
        one: list[CrystalLike] = [crystals]  # type: ignore[list-item]  # it is no list of them
        ((spectrum,),) = self.predict_each(one, [absorber], sites, disorder=disorder)
        return spectrum

    def predict_each(
        self,
        crystals: Sequence[CrystalLike],
        absorbers: Sequence[str],
        sites: Sequence[int] | None = None,
        on_crystal: Callable[[], None] = lambda: None,
        disorder: str | Disorder = "refuse",
    ) -> list[list[Spectrum]]:
        """Predict several absorbers of several crystals, one graph pass per batch of crystals.

        Args:
            crystals: as for `predict`.
            absorbers: element symbols; "all" stands for whatever the model knows in a crystal.
            sites: atoms to average over, for a single crystal and absorber.
            on_crystal: called as each crystal has been read, which takes most of the time.
            disorder: as for `predict`.

        Returns:
            For each crystal, one spectrum per absorber.
        """
        crystals = as_list(crystals, object, _CRYSTALS, CrystalError, least=1)
        question = self._question(absorbers, disorder, sites)

        def jobs() -> Iterator[Job]:
            for crystal in crystals:
                yield job_of(crystal, question)
                on_crystal()

        return list(self._warned(self._answered(jobs())))

    @overload
    def predict_iter(
        self,
        crystals: Iterable[CrystalLike],
        absorbers: Sequence[str],
        *,
        disorder: str | Disorder = "refuse",
    ) -> Iterator[list[Spectrum]]: ...

    @overload
    def predict_iter(
        self,
        crystals: Iterable[CrystalLike],
        absorbers: Sequence[str],
        errors: Literal["raise", "yield"],
        disorder: str | Disorder = "refuse",
    ) -> Iterator[list[Spectrum] | Failure]: ...

    def predict_iter(
        self,
        crystals: Iterable[CrystalLike],
        absorbers: Sequence[str],
        errors: Literal["raise", "yield"] = "raise",
        disorder: str | Disorder = "refuse",
    ) -> Iterator[list[Spectrum]] | Iterator[list[Spectrum] | Failure]:
        """Yield the spectra of one crystal after the other, however many, in bounded memory.

        Args:
            crystals: as for `predict`; they may come from a generator.
            absorbers: element symbols; "all" stands for whatever the model knows in a crystal.
            errors: "raise" the first error, or "yield" a `Failure` in place of the spectra of a
                crystal that cannot be answered, and go on; then a crystal that holds some of the
                absorbers is answered for those.
            disorder: as for `predict`.

        Yields:
            For each crystal, in order, one spectrum per absorber.
        """
        question = self._question(
            [absorbers] if isinstance(absorbers, str) else absorbers, disorder
        )
        as_choice(errors, ("raise", "yield"), "errors", ConfigError)
        refuse_single(crystals, _CRYSTALS, CrystalError)
        if errors == "raise":
            return self._warned(self._answered(job_of(crystal, question) for crystal in crystals))
        any_of_them = replace(question, any_of_them=True)
        return self._warned(self._answered_or_failed(crystals, any_of_them))

    def _warned(self, answers: Iterable[Answer]) -> Iterator[Answer]:
        """Yield the answers; then warn of absorbers whose trust is not told."""
        untold: set[str] = set()
        for answer in answers:
            if isinstance(answer, list):
                untold.update(each.absorber for each in answer if each.trust is None)
            yield answer
        self._warn(untold)

    def _answered(self, jobs: Iterable[Job]) -> Iterator[list[Spectrum]]:
        parts = ((job, part) for job in jobs for part in job.parts)
        answers: list[dict[str, PartAnswer]] = []  # of the parts of one crystal
        for batch in in_batches(parts, lambda each: len(each[1].graph), self._batch_size):
            found = part_answers(self.model, [part for _, part in batch], self._fidelity)
            for (job, _), one in zip(batch, found, strict=True):
                answers.append(one)
                if len(answers) == len(job.parts):
                    yield [spectrum_of(job, a, answers, self.model) for a in job.absorbers]
                    answers = []

    def _answered_or_failed(
        self, crystals: Iterable[CrystalLike], question: Question
    ) -> Iterator[list[Spectrum] | Failure]:
        tried = (_tried(n, crystal, question) for n, crystal in enumerate(crystals))
        for batch in in_batches(tried, _size, self._batch_size):
            good = (each for each in batch if isinstance(each, Job))
            answers = self._answered(good)
            yield from (each if isinstance(each, Failure) else next(answers) for each in batch)

    def _question(
        self,
        absorbers: Sequence[str],
        disorder: str | Disorder,
        sites: Sequence[int] | None = None,
    ) -> Question:
        found = as_list(absorbers, str, _SYMBOLS, UnknownElement, least=1)
        for absorber in (each for each in found if each != ALL):
            self._check_absorber(absorber)
        return Question(
            absorbers=tuple(found),
            known=self.absorbers,
            model=self.name,
            spec=self.checkpoint.config.graph,
            disorder=Disorder.of(disorder),
            sites=None if sites is None else tuple(site_indices(sites)),
        )

    def _check_absorber(self, absorber: str) -> None:
        atomic_number(absorber)
        if absorber not in self.absorbers:
            known = ", ".join(self.absorbers) or "no element"
            if self.checkpoint.is_calibrated:
                raise UnsupportedAbsorber(
                    f"there is no calibration for {absorber} in {self.name}, which covers {known}; "
                    f"predict it as simulated with the model {SIMULATED}"
                )
            raise UnsupportedAbsorber(f"{self.name} has no answer for {absorber}; it knows {known}")

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
    model: str | Path | None = None,
    fidelity: str | None = None,
    device: "torch.device | str" = "cpu",
    batch_size: int = NODES_PER_BATCH,
) -> Predictor:
    """Load a bundled model by name, or a model file by path.

    Args:
        model: name or path; if None, "calibrated", which answers on the scale of measurements, or
            "universal" where a fidelity is wanted.
        fidelity: what all answers are wanted as, such as "FEFF10"; if None, what most of the
            training spectra of each absorber were made with.
        device: where the network computes, such as "cuda".
        batch_size: atoms that go through it together.

    Raises:
        CheckpointError: there is none, or it cannot be used; the message says why.
        ConfigError: the model does not know that fidelity, or there is no such device.
    """
    return Predictor.load(model, fidelity, device, batch_size)


def _tried(number: int, given: CrystalLike, question: Question) -> Job | Failure:
    try:
        return job_of(given, question)
    except CgxasError as error:
        return Failure.of(given, number, error)


def _size(each: Job | Failure) -> int:
    """Return how much a crystal counts in a batch; one that failed must not wait for ever."""
    return len(each) if isinstance(each, Job) else 1
