"""Columns with names -> energy in eV and mu, by what beamlines call them or by what is asked."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cgxas.errors import BadMeasurement, UnclearSpectrum, UnreadableSpectrum
from cgxas.spectra.io.scan import listed
from cgxas.spectra.io.table.axis import (
    angle_to_energy,
    has_clear_edge,
    is_count,
    looks_kev,
    looks_like_energies,
)
from cgxas.spectra.io.table.formula import evaluate, looks_like_formula
from cgxas.spectra.io.table.names import (
    FLUORESCENCE,
    I0,
    MU,
    MU_OF,
    NORMALISED,
    REFERENCE,
    TRANSMITTED,
    channels,
    energy_rank,
    is_achieved,
    is_energy,
    is_wanted,
    plain,
)
from cgxas.typing import FloatArray

_ASKED = tuple(MU_OF)  # what can be asked for in place of the name of a column
_FEFF = {"omega", "mu0", "chi"}


@dataclass(frozen=True, eq=False)
class Columns:
    """A table out of a file.

    Attributes:
        names: (C,) of the columns, where one may be empty; none at all: the file does not name
            them, or its labels do not fit.
        data: (C, P).
        units: (C,) as the file states them, or empty.
        source: name of the file.
        doubt: why the labels of the file are not used, or empty.
        done: what the user should know of how the table was read.
    """

    names: tuple[str, ...]
    data: FloatArray
    units: tuple[str, ...]
    source: str
    doubt: str = ""
    done: tuple[str, ...] = ()

    @property
    def told(self) -> str:
        """The columns in words."""
        return listed([self.called(n) for n in range(len(self.data))])

    def called(self, at: int) -> str:
        """Return what a column is called in a message: its name, or its number from 1."""
        return (self.names[at] if self.names else "") or str(at + 1)

    def index(self, wanted: str) -> int:
        """Return the column of a name, or of a number that counts from 1.

        A name is that of one column: as it is written, else without regard to case and signs.

        Raises:
            UnclearSpectrum: there is none, or several.
        """
        text = wanted.strip()
        if text.isascii() and text.isdecimal():
            if 1 <= int(text[:9]) <= len(self.data):
                return int(text) - 1
            raise UnclearSpectrum(f"{self.source} has no column {wanted!r}: it holds {self.told}.")
        if not self.names:
            why = self.doubt or "its columns have no names"
            raise UnclearSpectrum(
                f"{self.source} has no column {wanted!r}: {why}; choose by number, from 1 to "
                f"{len(self.data)}."
            )
        for compared in (str.strip, str.casefold, plain):
            same = [n for n, name in enumerate(self.names) if compared(name) == compared(text)]
            if len(same) == 1:
                return same[0]
            if same and compared(text):
                raise self._several(wanted, same)
        raise UnclearSpectrum(f"{self.source} has no column {wanted!r}: it holds {self.told}.")

    def _first(self, words: str) -> int | None:
        """Return the column with the first of these names that there is.

        Raises:
            UnclearSpectrum: several columns have it, and differ.
        """
        names = [plain(name) for name in self.names]
        word = next((word for word in words.split() if word in names), None)
        if word is None:
            return None
        same = [n for n, name in enumerate(names) if name == word]
        if any(not np.array_equal(self.data[same[0]], self.data[n]) for n in same[1:]):
            raise self._several(self.names[same[0]], same)
        return same[0]

    def _several(self, name: str, same: Sequence[int]) -> UnclearSpectrum:
        numbers = " and ".join(str(n + 1) for n in same)
        return UnclearSpectrum(
            f"{self.source} has several columns {name!r}: choose by number, {numbers}."
        )

    def with_energy(self, angle: int, spacing: float) -> "Columns":
        """Return the table with the energies, in eV, after the other columns.

        Args:
            angle: column of the monochromator's angle, in degrees.
            spacing: of its planes, Angstrom.
        """
        energy = angle_to_energy(self.data[angle], spacing)
        names = self.names or tuple(str(n + 1) for n in range(len(self.data)))
        said = (
            f"energies are computed from column {angle + 1}, {self.called(angle)}, and the "
            f"spacing {spacing:g} A of the planes"
        )
        return replace(
            self,
            names=(*names, "energy"),
            data=np.vstack([self.data, energy]),
            units=(*(self.units or ("",) * len(names)), "eV"),
            done=(*self.done, said),
        )

    def energy(self, wanted: str | None = None) -> tuple[FloatArray, int, list[str]]:
        """Return the energies in eV, (P,), the number of their column, and what was done.

        Of several columns of energies, the one a motor achieved is taken before the one it was
        asked for.

        Raises:
            UnclearSpectrum: no column is an energy.
            BadMeasurement: it is in other units than eV and keV.
        """
        others: list[int] = []
        if wanted:
            at = self.index(wanted)
        elif self.names:
            at, others = self._named_energy()
        else:
            at = self._unnamed_energy()
        unit = self.units[at].lower() if self.units else ""
        values = self.data[at]
        if unit and unit not in ("ev", "kev"):
            raise BadMeasurement(f"{self.source}: energies in {unit} are not known: convert to eV.")
        said = [self._told_energy(at, others)]
        named_kev = self.names and "kev" in plain(self.names[at])
        if unit == "kev" or named_kev or (not unit and looks_kev(values)):
            return values * 1000.0, at, [*said, "energies converted from keV"]
        return values, at, said

    def _told_energy(self, at: int, others: Sequence[int]) -> str:
        name = f", {self.names[at]}" if self.names and self.names[at] else ""
        beside = [self._beside(n) for n in others]
        return f"energy is column {at + 1}{name}" + (
            f" ({' and '.join(beside)} stands beside it)" if beside else ""
        )

    def _beside(self, at: int) -> str:
        name = self.names[at]
        what = "a set point " if is_wanted(name) else "a readback " if is_achieved(name) else ""
        return f"{what}column {at + 1}, {name},"

    def _named_energy(self) -> tuple[int, list[int]]:
        """Return the column that is called an energy, and others that are."""
        found = [n for n, name in enumerate(self.names) if is_energy(name)]
        running = [n for n in found if looks_like_energies(self.data[n])]
        found = sorted(running or found, key=lambda n: energy_rank(self.names[n]))
        if found:
            # the relative energies of FEFF are no others
            return found[0], [n for n in found[1:] if looks_like_energies(self.data[n])]
        is_pair = len(self.data) == 2 and not self._is_other_axis(0)
        if is_pair and looks_like_energies(self.data[0]):
            return 0, []
        raise UnclearSpectrum(
            f"{self.source} has no energy column: it holds {self.told}; choose one with "
            "--energy (angles must be converted to eV)."
        )

    def _is_other_axis(self, at: int) -> bool:
        """Tell a name of something else than energy that is scanned: an angle, k, a time."""
        name = plain(self.names[at])
        return name in ("k", "t", "r", "q") or bool(
            re.search(r"angle|theta|deg|bragg|wavelength|lambda|time|index|point|dist", name)
        )

    def _unnamed_energy(self) -> int:
        """Return the first column, or the only one that runs like energies where it does not."""
        if looks_like_energies(self.data[0]) and not is_count(self.data[0]):
            return 0
        running = [n for n, column in enumerate(self.data) if looks_like_energies(column)]
        running = [n for n in running if not is_count(self.data[n])]
        is_beside_count = is_count(self.data[0]) and running[:1] == [1]
        return running[0] if len(running) == 1 or is_beside_count else 0

    def mu(self, at_energy: int, wanted: str | None = None) -> tuple[FloatArray, str, list[str]]:
        """Return mu, (P,), its kind, and what was done.

        Args:
            at_energy: the column of the energies.
            wanted: a column, "transmission", "fluorescence" or "reference", or a formula over
                columns: "ln(i0/it)", "(if1+if2)/i0".

        Raises:
            UnclearSpectrum: no column, or several, can be mu.
        """
        if wanted:
            return self._asked(wanted)
        measured = list(self._measured())
        at = self._first(MU)
        if at is not None and not self._is_negative(self.data[at], measured):
            kind = "simulated" if self._is_feff else "mu"
            return self.data[at], kind, [f"mu is column {self.names[at]}"]
        if measured:
            mu, kind, how = measured[0]
            others = [f"{kind} (--mu {kind})" for _, kind, _ in measured[1:]]
            also = [f"the file holds {' and '.join(others)} as well"] if others else []
            return mu, kind, [how, *also]
        norm = self._first(NORMALISED)
        if norm is not None:
            return self.data[norm], "normalised", [f"mu is column {self.names[norm]}"]
        rest = [n for n in range(len(self.data)) if n != at_energy and not is_count(self.data[n])]
        if len(rest) == 1 and not self._is_chi:
            return self.data[rest[0]], "mu", [f"mu is column {self.called(rest[0])}"]
        raise UnclearSpectrum(self._unclear_mu())

    def clearer_than(self, kind: str) -> str:
        """Tell, in words, whether fluorescence shows an edge where transmission may not."""
        fluorescence = [mu for mu, found, _ in self._measured() if found == "fluorescence"]
        if kind == "transmission" and fluorescence and has_clear_edge(fluorescence[0]):
            return "its fluorescence shows a clear edge: choose it with --mu fluorescence"
        return ""

    def _unclear_mu(self) -> str:
        if self._is_chi:
            return f"{self.source} holds chi(k), not mu(E): export mu(E) in its place."
        doubt = f" ({self.doubt})" if self.doubt else ""
        example = "ln(i0/it)" if self.names else "ln(2/3)"
        return (
            f"{self.source}: which of the columns {self.told} is mu{doubt}? Choose with --mu, "
            f"such as --mu 2 or --mu '{example}'."
        )

    @staticmethod
    def _is_negative(mu: FloatArray, measured: Sequence[tuple[FloatArray, str, str]]) -> bool:
        """Tell a column of ln(it/i0), which NSLS-II BMM calls xmu in files since 2024."""
        scale = 1e-3 * np.nanmax(np.abs(mu), initial=0.0)
        return any(
            kind == "transmission" and np.allclose(mu, -made, rtol=0, atol=scale)
            for made, kind, _ in measured
        )

    @property
    def _is_feff(self) -> bool:
        return {plain(name) for name in self.names} >= _FEFF

    @property
    def _is_chi(self) -> bool:
        names = {plain(name) for name in self.names}
        return names >= {"k", "chi"} and not names & set(MU.split())

    def _asked(self, wanted: str) -> tuple[FloatArray, str, list[str]]:
        if wanted in _ASKED:
            found = [each for each in self._measured() if each[1] == wanted]
            if not found:
                raise UnclearSpectrum(
                    f"{self.source} holds no {wanted} columns, only {self.told}; name the columns, "
                    "such as --mu 'ln(i0/it)'."
                )
            return found[0][0], wanted, [found[0][2]]
        is_name = wanted.strip().casefold() in [name.casefold() for name in self.names]
        if looks_like_formula(wanted) and not is_name:
            made = evaluate(wanted, self.data, self.index, self.names, self.source)
            taken = ", ".join(f"{self.called(n)} ({n + 1})" for n in made.columns)
            return made.mu, made.kind, [f"mu is {wanted}, of the columns {taken}"]
        at = self.index(wanted)
        # norm_4 is the curve of site 4 in what cgxas predicted
        name = re.sub(r"_\d+$", "", self.names[at]) if self.names else ""
        is_norm = plain(name) in NORMALISED.split()
        told = f"mu is column {at + 1}" + (f", {self.names[at]}" if name else "")
        return self.data[at], "normalised" if is_norm else "mu", [told]

    def _measured(self) -> Iterator[tuple[FloatArray, str, str]]:
        """Yield what can be made of the columns of a beamline: mu, its kind, and how."""
        i0, it = self._first(I0), self._first(TRANSMITTED)
        for kind, above, below in (
            ("transmission", i0, it),
            ("fluorescence", self._first(FLUORESCENCE), i0),
            ("reference", it, self._first(REFERENCE)),
        ):
            made = self._first(MU_OF[kind])
            if made is not None:
                yield self.data[made], kind, f"mu is column {self.names[made]}"
            elif above is not None and below is not None:
                ratio = _ratio(self.data[above], self.data[below])
                how = f"{self.names[above]}/{self.names[below]}"
                if kind == "fluorescence":
                    yield ratio, kind, f"mu is {how}"
                    continue
                with np.errstate(all="ignore"):
                    yield np.log(ratio), kind, f"mu is ln({how})"
            elif kind == "fluorescence" and i0 is not None and (several := channels(self.names)):
                summed = self.data[several].sum(axis=0)
                names = "+".join(self.names[n] for n in several)
                yield _ratio(summed, self.data[i0]), kind, f"mu is ({names})/{self.names[i0]}"


def _ratio(above: FloatArray, below: FloatArray) -> FloatArray:
    """Return the quotient, not finite where a counter was empty."""
    with np.errstate(all="ignore"):
        return np.asarray(above / below)


def columns_of(
    names: Sequence[str],
    data: FloatArray,
    units: Sequence[str],
    source: str,
    doubt: str = "",
    done: Sequence[str] = (),
) -> Columns:
    """Return a table of a file.

    Raises:
        UnreadableSpectrum: it has fewer than two columns, or no row.
    """
    if data.ndim != 2 or len(data) < 2 or data.shape[1] == 0:
        raise UnreadableSpectrum(
            f"{source} holds no columns of numbers: a measured spectrum has at least two."
        )
    table = np.asarray(data, dtype=np.float64)
    return Columns(tuple(names), table, tuple(units), source, doubt, tuple(done))
