"""A folder that fills during a beamtime: each new scan is fitted, and the table grows."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from cgxas.errors import BadMeasurement, SpectrumError
from cgxas.mixing.axes import axis_of
from cgxas.mixing.files import in_folder
from cgxas.mixing.mixture import Mixture
from cgxas.mixing.run import Fitted, Mixer, ReferenceLike
from cgxas.mixing.scans import How, Scans, read_named
from cgxas.mixing.series import Series, series_of
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

    What the first scans settle, the range, the noise and the shifts of the references, is kept, and
    only new scans are fitted: a row that was told does not change, unless its file does. A file is
    read once it has not changed between two looks, and again if it grows.

    Args:
        folder: where the scans appear.
        references: what explains them.
        wishes: how.
        leave_out: files there that are no scans, such as the table itself.
        patience: end after so many seconds without a new scan; never if None.
        on_wait: waits so many seconds.

    Raises:
        SpectrumError: there are no references, scans do not tell where they stand on the axis, or
            none of them could be used when the patience ended.
    """
    if not references:
        raise SpectrumError("to follow a folder, references are needed: give some")
    watched, waited = _Watched(folder, tuple(leave_out)), 0.0
    how = wishes.how
    mixer: Mixer | None = None
    energy: FloatArray | None = None
    kept: dict[str, Fitted] = {}
    unusable: BadMeasurement | None = None
    while True:
        if (changed := watched.look(how)) is not None:
            waited = 0.0
            for name in changed:
                kept.pop(name, None)
            found = watched.scans
            axis = axis_of(wishes.axis, found.good, how)
            try:
                series = series_of(found, axis, wishes.window, energy)
            except BadMeasurement as error:  # none of them can be used yet
                unusable = error
            else:
                if mixer is None:
                    mixer, series = Mixer.of(series, references, wishes)
                    energy = series.energy
                    how = replace(how, element=series.element, edge=series.edge)
                yield mixer.told(series, _fitted(mixer, series, kept))
        if patience is not None and waited >= patience:
            break
        on_wait(POLL)
        waited += POLL
    if mixer is None and unusable is not None:
        raise unusable


def _fitted(mixer: Mixer, series: Series, kept: dict[str, Fitted]) -> Fitted:
    """Return the fits of a series; those of scans that were not fitted before join the others."""
    new = [n for n, name in enumerate(series.names) if name not in kept]
    if new:
        found = mixer.fitted(series.only(new))
        kept.update({series.names[n]: found.at(k) for k, n in enumerate(new)})
    return Fitted.joined([kept[name] for name in series.names])


_State = tuple[int, int]


class _Watched:
    """A folder, and what of it was read."""

    def __init__(self, folder: Path, leave_out: Sequence[Path]) -> None:
        self.folder, self.leave_out = folder, leave_out
        self._before: dict[Path, _State] = {}
        self._tries: dict[Path, int] = {}
        self._read: dict[Path, tuple[_State, Scans]] = {}

    @property
    def scans(self) -> Scans:
        """What was read so far, file by file; no two scans of one name."""
        every = [found for _, found in self._read.values()]
        return Scans(
            tuple(scan for found in every for scan in found.good),
            tuple(out for found in every for out in found.left_out),
        )

    def look(self, how: How) -> list[str] | None:
        """Read the files that have not changed since the last look, and have since they were read.

        A file that holds no scan is asked again before it is told.

        Returns:
            Names of scans that are to be fitted, again if they changed; None where nothing is new.
        """
        changed: list[str] | None = None
        for path, state in self._settled():
            found = self._renamed(read_named([(path, None)], how), path)
            self._tries[path] = self._tries.get(path, 0) + 1
            if not found.good and self._tries[path] < _TRIES:
                continue
            self._read[path] = state, found
            changed = [*(changed or []), *(scan.name for scan in found.good)]
        return changed

    def _renamed(self, found: Scans, path: Path) -> Scans:
        """Return scans under names that no other file has given."""
        others = [scans for other, (_, scans) in self._read.items() if other != path]
        taken = {scan.name for scans in others for scan in scans.good}
        good = tuple(
            replace(scan, name=f"{path.name}:{scan.group}".rstrip(":"))
            if scan.name in taken
            else scan
            for scan in found.good
        )
        return Scans(good, found.left_out)

    def _settled(self) -> list[tuple[Path, _State]]:
        now: dict[Path, _State] = {}
        for path in in_folder(self.folder, self.leave_out):
            with suppress(FileNotFoundError):  # moved on in the meantime
                about = path.stat()
                now[path] = about.st_size, about.st_mtime_ns
        old = time.time_ns() - int(POLL * 1e9)
        before, self._before = self._before, now
        return [
            (path, state)
            for path, state in now.items()
            if (path not in self._read or self._read[path][0] != state)
            and (before.get(path) == state or state[1] < old)
        ]
