"""Columns with names -> energy in eV and mu, by what beamlines call them or by what is asked."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from cgxas.errors import BadMeasurement, UnclearSpectrum, UnreadableSpectrum
from cgxas.spectra.io.scan import listed
from cgxas.typing import FloatArray

_ENERGY = "omega energyev energykev energy en ev kev photonenergy monoenergy hv e"
_MU = "mu xmu mue mux absorption absorbance intensity"
_NORMALISED = "norm normalised normalized flat munorm normmu xmunorm flattened nor"
_I0 = "i0 io monitor mon incomingbeam"
_TRANSMITTED = "it i1 itrans itr trans transmission i1trans"
_FLUORESCENCE = "if iff ifl ifluor ifluo fluor fluo fluorescence iy"
_REFERENCE = "ir i2 iref irefer ref reference"
_MU_OF = {
    "transmission": "mutrans mutransmission mut lni0it lni0i1",
    "fluorescence": "mufluor mufluorescence muf ifi0 iffi0",
    "reference": "murefer muref murefence mur lnitir lni1i2",
}
_ASKED = tuple(_MU_OF)  # what can be asked for in place of the name of a column

_HC = 12398.419843
"""eV A; CODATA 2018, from exact constants."""

_KEV_SPAN = 3.0
_KEV_MAX = 150.0
_FORMULA = re.compile(
    r"\s*(?P<ln>-?\s*ln|-?\s*log)?\s*\(?\s*([^\s/()]+)\s*/\s*([^\s/()]+)\s*\)?\s*$"
)


@dataclass(frozen=True, eq=False)
class Columns:
    """A table out of a file.

    Attributes:
        names: (C,) of the columns; empty: the file does not name them.
        data: (C, P).
        units: (C,) as the file states them, or empty.
        source: name of the file.
    """

    names: tuple[str, ...]
    data: FloatArray
    units: tuple[str, ...]
    source: str

    @property
    def told(self) -> str:
        """The columns in words."""
        return listed(self.names or [str(n + 1) for n in range(len(self.data))])

    def index(self, wanted: str) -> int:
        """Return the column of a name, or of a number that counts from 1.

        Raises:
            UnclearSpectrum: there is none.
        """
        found = self._first(_plain(wanted))
        if found is not None:
            return found
        if wanted.isdecimal() and 1 <= int(wanted) <= len(self.data):
            return int(wanted) - 1
        raise UnclearSpectrum(f"{self.source} has no column {wanted!r}: it holds {self.told}.")

    def _first(self, words: str) -> int | None:
        """Return the column with the first of these names that there is."""
        plain = [_plain(name) for name in self.names]
        return next((plain.index(word) for word in words.split() if word in plain), None)

    def with_energy(self, angle: int, spacing: float) -> "Columns":
        """Return the table with the energies, in eV, after the other columns.

        Args:
            angle: column of the monochromator's angle, in degrees.
            spacing: of its planes, Angstrom.
        """
        with np.errstate(all="ignore"):
            energy = _HC / (2.0 * spacing * np.sin(np.radians(self.data[angle])))
        units = self.units or ("",) * len(self.names)
        data = np.vstack([self.data, energy])
        return Columns((*self.names, "energy"), data, (*units, "eV"), self.source)

    def energy(self, wanted: str | None = None) -> tuple[FloatArray, int, list[str]]:
        """Return the energies in eV, (P,), the number of their column, and what was done.

        Raises:
            UnclearSpectrum: no column is an energy.
            BadMeasurement: it is in other units than eV and keV.
        """
        at = self.index(wanted) if wanted else self._first(_ENERGY)
        if at is None and self.names and any("energy" in name.lower() for name in self.names):
            at = next(n for n, name in enumerate(self.names) if "energy" in name.lower())
        if at is None and self.names:
            raise UnclearSpectrum(
                f"{self.source} has no energy column: it holds {self.told}; choose one with "
                "--energy (angles must be converted to eV)."
            )
        at = at or 0
        unit = self.units[at].lower() if self.units else ""
        values = self.data[at]
        if unit and unit not in ("ev", "kev"):
            raise BadMeasurement(f"{self.source}: energies in {unit} are not known: convert to eV.")
        named_kev = self.names and "kev" in _plain(self.names[at])
        if unit == "kev" or named_kev or (not unit and _looks_kev(values)):
            return values * 1000.0, at, ["energies converted from keV"]
        return values, at, []

    def mu(self, at_energy: int, wanted: str | None = None) -> tuple[FloatArray, str, list[str]]:
        """Return mu, (P,), its kind, and what was done.

        Args:
            at_energy: the column of the energies.
            wanted: a column, "transmission", "fluorescence" or "reference", or a formula of two
                columns: "ln(i0/it)", "if/i0".

        Raises:
            UnclearSpectrum: no column, or several, can be mu.
        """
        if wanted:
            return self._asked(wanted)
        measured = list(self._measured())
        plain = self._first(_MU)
        if plain is not None and not self._is_negative(self.data[plain], measured):
            kind = "simulated" if self._is_feff else "mu"
            return self.data[plain], kind, [f"mu is column {self.names[plain]}"]
        if measured:
            mu, kind, how = measured[0]
            others = [f"{kind} (--mu {kind})" for _, kind, _ in measured[1:]]
            also = [f"the file holds {' and '.join(others)} as well"] if others else []
            return mu, kind, [how, *also]
        norm = self._first(_NORMALISED)
        if norm is not None:
            return self.data[norm], "normalised", [f"mu is column {self.names[norm]}"]
        if len(self.data) == 2:
            return self.data[1 - at_energy], "mu", []
        raise UnclearSpectrum(
            f"{self.source}: which of the columns {self.told} is mu? Choose with --mu, "
            "such as --mu 2 or --mu 'ln(i0/it)'."
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
        return {"omega", "mu0", "chi"} <= {_plain(name) for name in self.names}

    def _asked(self, wanted: str) -> tuple[FloatArray, str, list[str]]:
        if wanted in _ASKED:
            found = [each for each in self._measured() if each[1] == wanted]
            if not found:
                raise UnclearSpectrum(
                    f"{self.source} holds no {wanted} columns, only {self.told}; name the columns, "
                    "such as --mu 'ln(i0/it)'."
                )
            return found[0][0], wanted, [found[0][2]]
        formula = _FORMULA.match(wanted)
        if formula and self._first(_plain(wanted)) is None:
            above, below = (self.data[self.index(word)] for word in formula.groups()[1:])
            is_log = formula["ln"] is not None
            ratio = _ratio(above, below)
            with np.errstate(all="ignore"):
                mu = np.log(ratio) if is_log else ratio
            mu = -mu if is_log and formula["ln"].startswith("-") else mu
            return mu, "transmission" if is_log else "fluorescence", [f"mu is {wanted}"]
        at = self.index(wanted)
        # norm_4 is the curve of site 4 in what cgxas predicted
        name = re.sub(r"_\d+$", "", self.names[at]) if self.names else ""
        is_norm = _plain(name) in _NORMALISED.split()
        return self.data[at], "normalised" if is_norm else "mu", [f"mu is column {wanted}"]

    def _measured(self) -> Iterator[tuple[FloatArray, str, str]]:
        """Yield what can be made of the columns of a beamline: mu, its kind, and how."""
        i0, it = self._first(_I0), self._first(_TRANSMITTED)
        pairs = {
            "transmission": (i0, it),
            "fluorescence": (self._first(_FLUORESCENCE), i0),
            "reference": (it, self._first(_REFERENCE)),
        }
        for kind, (above, below) in pairs.items():
            made = self._first(_MU_OF[kind])
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


def _plain(name: str) -> str:
    """Return a name as it is compared: ``ln(I0/It)`` and ``LN_I0_IT`` are one."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _ratio(above: FloatArray, below: FloatArray) -> FloatArray:
    """Return the quotient, not finite where a counter was empty."""
    with np.errstate(all="ignore"):
        return np.asarray(above / below)


def _looks_kev(energy: FloatArray) -> bool:
    """Tell keV by its narrow range: no scan in eV covers less than 3 eV."""
    known = energy[np.isfinite(energy)]
    return bool(known.size and known.max() < _KEV_MAX and np.ptp(known) <= _KEV_SPAN)


def columns_of(
    names: Sequence[str], data: FloatArray, units: Sequence[str], source: str
) -> Columns:
    """Return a table of a file.

    Raises:
        UnreadableSpectrum: it has fewer than two columns, or no row.
    """
    if data.ndim != 2 or len(data) < 2 or data.shape[1] == 0:
        raise UnreadableSpectrum(
            f"{source} holds no columns of numbers: a measured spectrum has at least two."
        )
    return Columns(tuple(names), np.asarray(data, dtype=np.float64), tuple(units), source)
