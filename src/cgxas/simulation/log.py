"""What FEFF10 prints: where it is, whether it converged, what it warns of, why it failed."""

import re
import signal
from collections.abc import Callable
from pathlib import Path

from cgxas.elements import SYMBOLS
from cgxas.simulation import child

_WIDTH = 160
_CONVERGED = "Convergence reached in"
_LOST = "point # ***"
"""A search among energies that has come to the thousandth, and will not end."""

_FAILED = re.compile(rf"^{child.MARK} stage '\w+' failed.*$", re.MULTILINE)
_CODE = re.compile(r"[A-Z0-9_]+-?\d*|\d+")
"""Lines by which FEFF marks the place in its source."""

_REASONS = {
    "Cannot determine Norman radius": "an atom has no sphere that holds its electrons, as where it "
    "stands too far from others: check the crystal",
    "subroutine corval": "core and valence states cannot be told apart, as where atoms stand too "
    "close together: check the crystal",
    "Unique potentials must be": "there are more elements than it takes: 31 beside the absorber",
    "forrtl: No space left on device": "the temporary folder is full: set TMPDIR to one with room",
    "forrtl: File too large": "its files may not be as large as they are: lift 'ulimit -f'",
}
"""Part of a line -> what it means."""

_FORTRAN = re.compile(r"forrtl: severe \(\d+\): (.*)")
_SIGNAL = re.compile(r"signal: (\d+)")
_CLOSE = re.compile(r"atoms +\d+ +\d+ +distance +(\S+) Angstrom\n.*Z= *(\d+)\n.*Z= *(\d+)\n")
_MEANINGLESS = "results are meaningless"
_DOUBTS = {
    "interstitial level found above Fermi": "the interstitial level lies above the Fermi level",
    "NO ATOMS CLOSE ENOUGH": "an atom is too far from all others to overlap with them",
    "convergence problems": "the density of states may not be converged",
    "chemical potential stopped changing": "the charges were still changing at the end",
    "path finder limit exceeded": "not all scattering paths were found",
}
"""Part of a line -> what is passed on of it."""


class FeffLog:
    """The log of one run, read while it grows.

    Attributes:
        text: what there is of it so far.
        where: the program of FEFF that runs.
    """

    def __init__(self, path: Path, on_stage: Callable[[str], None] = lambda stage: None) -> None:
        """Begin to read.

        Args:
            path: of the log, which need not be there yet.
            on_stage: told the name of each program of FEFF as it starts.
        """
        self._path, self._on_stage = path, on_stage
        self._read, self._rest = 0, ""
        self.text, self.where = "", "the beginning"

    def read_on(self) -> None:
        """Read what was added, and tell of the programs that started."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._read)
            new = file.read()
        self._read += len(new)
        *lines, self._rest = (self._rest + new.decode(errors="replace")).split("\n")
        self.text += "".join(f"{line}\n" for line in lines)
        for line in lines:
            words = line.split()
            if len(words) == 2 and words[0] == child.MARK and words[1].upper() in child.STAGES:
                self.where = words[1]
                self._on_stage(words[1])

    @property
    def is_lost(self) -> bool:
        """Whether FEFF goes on without end."""
        return _LOST in self.text

    @property
    def is_converged(self) -> bool:
        """Whether the potentials became self-consistent."""
        return _CONVERGED in self.text

    @property
    def is_meaningless(self) -> bool:
        """Whether FEFF itself says that its results are."""
        return _MEANINGLESS in self.text

    @property
    def doubts(self) -> tuple[str, ...]:
        """What FEFF warns of, a few words each."""
        found = [told for part, told in _DOUBTS.items() if part in self.text]
        if close := _CLOSE.search(self.text):
            one, other = (SYMBOLS[int(close[n]) - 1] for n in (2, 3))
            found.insert(0, f"atoms of {one} and {other} are {float(close[1]):.2f} A apart")
        return tuple(found)

    def failure(self, code: int) -> str:
        """Return how a run failed, as what follows its name in a sentence.

        Args:
            code: exit status of the process, below 0 that of a signal.
        """
        failed = _FAILED.search(self.text + self._rest)
        killed = _SIGNAL.search(failed[0]) if failed else None
        number = int(killed[1]) if killed else -code
        if number > 0:
            return (
                f"was ended in {self.where} by {signal.Signals(number).name}, as the system does "
                "where memory runs out: compute fewer sites beside each other"
            )
        return f"fails in {self.where}: {self.last_words()}"

    def last_words(self) -> str:
        """Return what a log tells in the end."""
        text = self.text + self._rest
        if known := next((told for part, told in _REASONS.items() if part in text), ""):
            return known
        if fortran := _FORTRAN.search(text):
            return fortran[1].strip()[:_WIDTH]
        failed = _FAILED.search(text)
        lines = [line.strip() for line in text[: failed.start() if failed else None].splitlines()]
        telling = [line for line in lines if line and not _CODE.fullmatch(line)]
        if telling and not telling[-1].startswith(f"{child.MARK} {self.where}"):
            return telling[-1].removeprefix(child.MARK).strip()[:_WIDTH]
        return failed[0].removeprefix(child.MARK).strip()[:_WIDTH] if failed else "without a word"
