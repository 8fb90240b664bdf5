"""The crystals of a collection in pieces of work, which make up parts of a fixed size."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice

from cgxas.data.collection import NamedCrystal
from cgxas.errors import OutputError
from cgxas.screening.folder import ScreenFolder
from cgxas.screening.rows import hash_of
from cgxas.screening.where import Where

TASK_SIZE = 25
"""Crystals that are answered together: few enough that all processes end at about one time."""


@dataclass(frozen=True, eq=False)
class Task:
    """Crystals that are sent to a process together.

    Attributes:
        part: number of the part they are of.
        crystals: one after the other in the collection.
        begin: share of the collection that is gone through before them.
        end: and with them.
        is_last: whether the part ends with them.
    """

    part: int
    crystals: tuple[NamedCrystal, ...]
    begin: float
    end: float
    is_last: bool


class Parts:
    """The parts of a collection, gone through once.

    Attributes:
        count: how many there are, once the end was reached.
    """

    def __init__(
        self, crystals: Iterable[NamedCrystal], folder: ScreenFolder, where: Where
    ) -> None:
        """Get ready to go through a collection.

        Args:
            crystals: in an order that is the same in every run.
            folder: where parts are that are done.
            where: which parts are wanted.
        """
        self._crystals, self._folder, self._where = iter(crystals), folder, where
        self.count = 0

    def tasks(self) -> Iterator[Task]:
        """Yield what is still to be done.

        Raises:
            OutputError: a part that is done has other crystals: the source has changed since.
        """
        begin = 0.0
        for number in count():
            part = islice(self._crystals, self._folder.part_size)
            is_wanted = self._where.has(number) and not self._folder.part(number).exists()
            if not is_wanted:
                passed = [(each.id, each.done) for each in part]
                self._refuse_changed(number, [name for name, _ in passed])
                if not passed:
                    break
                begin = passed[-1][1]
            else:
                crystals = tuple(islice(part, TASK_SIZE))
                if not crystals:
                    break
                while crystals:
                    rest = tuple(islice(part, TASK_SIZE))
                    yield Task(number, crystals, begin, crystals[-1].done, is_last=not rest)
                    begin = crystals[-1].done
                    crystals = rest
            self.count = number + 1

    def _refuse_changed(self, number: int, ids: Sequence[str]) -> None:
        if not self._where.has(number):
            return
        about = self._folder.done(number)
        if about is not None and about.sha256 != hash_of(ids):
            raise OutputError(
                f"{self._folder.part(number)} holds other crystals than the source has now there: "
                "it has changed; choose a new folder"
            )
