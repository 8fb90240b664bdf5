"""The crystals of a collection -> what came of each, whatever fails."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from cgxas.crystals.disorder.order import Disorder
from cgxas.crystals.io.read import CrystalLike
from cgxas.data.collection import NamedCrystal
from cgxas.errors import AbsorberNotInCrystal, CgxasError
from cgxas.predict.jobs import Failure
from cgxas.predict.predictor import Predictor
from cgxas.spectra.spectrum import Spectrum


@dataclass(frozen=True, eq=False)
class Answered:
    """What came of one crystal of a collection.

    Attributes:
        crystal: the crystal.
        spectra: one per absorber that is in it; their source is the name of the crystal.
        failure: why there are none; None if there are some.
    """

    crystal: NamedCrystal
    spectra: tuple[Spectrum, ...] = ()
    failure: Failure | None = None

    @property
    def is_absent(self) -> bool:
        """Whether the crystal merely holds none of the wanted absorbers."""
        return self.failure is not None and isinstance(self.failure.error, AbsorberNotInCrystal)


def answers_of(
    predictor: Predictor,
    crystals: Iterable[NamedCrystal],
    absorbers: Sequence[str],
    disorder: str | Disorder = "refuse",
) -> Iterator[Answered]:
    """Yield what came of the crystals of a collection, in order and in bounded memory.

    Args:
        predictor: what answers.
        crystals: of a `Collection`.
        absorbers: element symbols; "all" stands for whatever the model knows in a crystal.
        disorder: as for `Predictor.predict`.
    """
    waiting: deque[NamedCrystal] = deque()

    def readable() -> Iterator[CrystalLike]:
        for each in crystals:
            waiting.append(each)
            if not isinstance(each.crystal, CgxasError):
                yield each.crystal

    def unreadable() -> Iterator[Answered]:
        while waiting and isinstance(waiting[0].crystal, CgxasError):
            each = waiting.popleft()
            if isinstance(each.crystal, CgxasError):
                yield Answered(each, failure=_failure(each, each.crystal))

    for answer in predictor.predict_iter(readable(), absorbers, "yield", disorder):
        yield from unreadable()
        crystal = waiting.popleft()
        if isinstance(answer, Failure):
            yield Answered(crystal, failure=_failure(crystal, answer.error))
        else:
            named = (replace(spectrum, source=crystal.name) for spectrum in answer)
            yield Answered(crystal, tuple(named))
    yield from unreadable()


def _failure(crystal: NamedCrystal, error: CgxasError) -> Failure:
    """Return a failure whose reason names the crystal."""
    reason = str(error)
    return Failure(
        crystal.name, reason if crystal.name in reason else f"{crystal.name}: {reason}", error
    )
