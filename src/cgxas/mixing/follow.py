"""A folder that fills during a beamtime: each new scan is fitted, and the table grows."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from cgxas.errors import SpectrumError
from cgxas.mixing.axes import axis_of
from cgxas.mixing.files import in_folder
from cgxas.mixing.mixture import Mixture
from cgxas.mixing.run import Mixer, ReferenceLike
from cgxas.mixing.scans import How, NamedScan, Scans, read_named
from cgxas.mixing.series import series_of
from cgxas.mixing.wishes import Wishes
from cgxas.typing import FloatArray

POLL = 2.0
"""Seconds between two looks at the folder."""

_TRIES = 3  # of a file that cannot be read, for it may still be written


def follow(
    folder: Path,
    references: Sequence[ReferenceLike],
    wishes: Wishes,
    leave_out: Sequence[Path] = (),
    patience: float | None = None,
    on_wait: Callable[[float], None] = time.sleep,
) -> Iterator[Mixture]:
    """Yield the mixture of all scans so far whenever new ones have come.

    What the first scans settle, the range and the shifts of the references, is kept, so that a row
    that was told does not change. A file is read once it has not changed between two looks.

    Args:
        folder: where the scans appear.
        references: what explains them.
        wishes: how.
        leave_out: files there that are no scans, such as the table itself.
        patience: end after so many seconds without a new scan; never if None.
        on_wait: waits so many seconds.

    Raises:
        SpectrumError: there are no references, or scans do not tell where they stand on the axis.
    """
    if not references:
        raise SpectrumError("to follow a folder, references are needed: give some")
    watched, waited = _Watched(folder, tuple(leave_out)), 0.0
    how, found = wishes.how, Scans((), ())
    mixer: Mixer | None = None
    energy: FloatArray | None = None
    while True:
        new = watched.read(how)
        if new.good or new.left_out:
            waited = 0.0
            found = Scans((*found.good, *new.good), (*found.left_out, *new.left_out))
        if found.good and (new.good or new.left_out):
            axis = axis_of(wishes.axis, found.good, how)
            series = series_of(found, axis, wishes.window, energy)
            if mixer is None:
                mixer, series = Mixer.of(series, references, wishes)
                energy = series.energy
                how = replace(how, element=series.element, edge=series.edge)
            yield mixer.mixture(series)
        if patience is not None and waited >= patience:
            return
        on_wait(POLL)
        waited += POLL


class _Watched:
    """A folder, and what of it was read."""

    def __init__(self, folder: Path, leave_out: Sequence[Path]) -> None:
        self.folder, self.leave_out = folder, leave_out
        self._before: dict[Path, tuple[int, int]] = {}
        self._tries: dict[Path, int] = {}
        self._done: set[Path] = set()

    def read(self, how: How) -> Scans:
        """Return the scans of files that have not changed since the last look, each file once.

        A file that holds none is asked again before it is told.
        """
        good: list[NamedScan] = []
        left_out: list[tuple[str, str]] = []
        for path in self._settled():
            found = read_named([(path, None)], how)
            self._tries[path] = self._tries.get(path, 0) + 1
            if not found.good and self._tries[path] < _TRIES:
                continue
            self._done.add(path)
            good += found.good
            left_out += found.left_out
        return Scans(tuple(good), tuple(left_out))

    def _settled(self) -> list[Path]:
        now: dict[Path, tuple[int, int]] = {}
        for path in in_folder(self.folder, self.leave_out):
            with suppress(FileNotFoundError):  # moved on in the meantime
                about = path.stat()
                now[path] = about.st_size, about.st_mtime_ns
        old = time.time_ns() - int(POLL * 1e9)
        before, self._before = self._before, now
        return [
            path
            for path, state in now.items()
            if path not in self._done and (before.get(path) == state or state[1] < old)
        ]
