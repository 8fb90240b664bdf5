"""Crystals as words name them: files, folders, patterns; what came of them, and what did not."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cgxas.cli.messages import say
from cgxas.errors import AbsorberNotInCrystal, CgxasError, CrystalError

if TYPE_CHECKING:
    from cgxas.crystals.disorder.order import Disorder
    from cgxas.data.collection import Collection, NamedCrystal
    from cgxas.predict import Answered, Failure, Predictor
    from cgxas.spectra.spectrum import Spectrum

MANY_CRYSTALS = 20
"""More crystals than these are worth a progress bar."""

LEFT_OUT = 3
"""Exit code where some crystals were answered, and others could not be."""

_NAMED = 5

Crystals = Annotated[
    list[Path],
    typer.Argument(
        metavar="CRYSTAL",
        help="Crystal files (CIF, POSCAR, XYZ, JSON, FEFF, LAMMPS and others), folders of them, "
        "patterns such as 'runs/**/CONTCAR', data sets, zip archives.",
    ),
]


@dataclass(frozen=True, eq=False)
class Found:
    """What came of the crystals of a command.

    Attributes:
        spectra: number of the crystal -> its spectra; of those that were answered.
        absent: names of crystals that hold none of the wanted absorbers.
        failures: what could not be answered, and why.
        passed_over: files of folders that were no crystals, in words; or empty.
    """

    spectra: "Mapping[int, Sequence[Spectrum]]"
    absent: tuple[str, ...]
    failures: "tuple[Failure, ...]"
    passed_over: str

    def tell(self, absorbers: Sequence[str]) -> None:
        """Say on stderr what was left out, crystal by crystal."""
        if self.passed_over:
            say(f"no crystals, passed over: {self.passed_over}")
        if self.absent:
            named = ", ".join(self.absent[:_NAMED])
            more = f" and {len(self.absent) - _NAMED} more" if len(self.absent) > _NAMED else ""
            say(f"no {' or '.join(absorbers)} in {len(self.absent)} crystals: {named}{more}")
        for failure in self.failures:
            say(f"left out: {failure.reason}")
        if self.failures:
            total = len(self.spectra) + len(self.absent) + len(self.failures)
            say(f"left out {len(self.failures)} of {total} crystals")

    def end(self) -> None:
        """End with exit code 3 if some could not be answered."""
        if self.failures:
            raise typer.Exit(LEFT_OUT)


def listed(crystals: Sequence[Path]) -> "tuple[Collection, list[NamedCrystal]]":
    """Return a collection, and its crystals, unread.

    Raises:
        CrystalError: there are none, or none can be read.
    """
    from cgxas.data.collection import Collection

    collection = Collection(crystals)
    found = list(collection)
    errors = [each.crystal for each in found if isinstance(each.crystal, CgxasError)]
    if len(errors) == len(found):
        raise _none(errors)
    return collection, found


def answered(
    predictor: "Predictor",
    collection: "Collection",
    crystals: "Sequence[NamedCrystal]",
    absorbers: Sequence[str],
    disorder: "Disorder",
) -> Found:
    """Return what a model says of crystals; whatever fails is kept for the end.

    A single crystal is a different matter: what is wrong with it is refused.

    Raises:
        CrystalError: none of the crystals can be answered.
        AbsorberError: the absorber cannot be answered, or is in none of them.
    """
    from cgxas.predict import answers_of

    with progress(len(crystals)) as advance:
        if len(crystals) == 1:
            return _single(predictor, crystals[0], absorbers, disorder)

        def read() -> "Iterator[NamedCrystal]":
            for each in crystals:
                yield each
                advance()

        every = list(answers_of(predictor, read(), absorbers, disorder))
    return _sorted_out(every, collection.told())


def _single(
    predictor: "Predictor", crystal: "NamedCrystal", absorbers: Sequence[str], disorder: "Disorder"
) -> Found:
    if isinstance(crystal.crystal, CgxasError):
        raise crystal.crystal
    (spectra,) = predictor.predict_each([crystal.crystal], absorbers, disorder=disorder)
    return Found({0: spectra}, (), (), "")


def _sorted_out(every: "Sequence[Answered]", passed_over: str) -> Found:
    spectra = {n: each.spectra for n, each in enumerate(every) if each.spectra}
    absent = [each for each in every if each.is_absent]
    failures = [each.failure for each in every if each.failure is not None and not each.is_absent]
    if not spectra:
        wrong = [each.error for each in failures]
        absences = [each.failure.error for each in absent if each.failure]
        raise _none([*wrong, *absences])
    names = tuple(each.crystal.name for each in absent)
    return Found(spectra, names, tuple(failures), passed_over)


def _none(errors: Sequence[CgxasError]) -> CgxasError:
    """Return the error of no answer at all: the only one, or the first of many."""
    first = errors[0]
    if len(errors) == 1:
        return first
    kind = AbsorberNotInCrystal if isinstance(first, AbsorberNotInCrystal) else CrystalError
    return kind(f"none of the crystals can be answered; the first: {first}")


@contextmanager
def progress(total: int) -> Iterator[Callable[[], None]]:
    """Draw a progress bar on stderr for many crystals, if somebody sits before it."""
    if total <= MANY_CRYSTALS or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = ("crystals", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("crystals", total=total)
        yield lambda: bar.advance(task)
