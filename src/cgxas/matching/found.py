"""What a search among crystals found: values, and files of them."""

import csv
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module  # figures do not know matches, but their panels
from pathlib import Path
from typing import Any, Final

from cgxas.errors import MissingExtra
from cgxas.matching.fit import Fit
from cgxas.predict import Failure
from cgxas.spectra.io.write import check_output
from cgxas.spectra.measurement import Measurement
from cgxas.spectra.spectrum import Spectrum
from cgxas.typing import FloatArray
from cgxas.writing import atomic_path

SUFFIXES: Final = (".json", ".csv", ".parquet")
"""File types that matches are written to."""

DRAWN: Final = 3
"""Candidates in a figure."""


@dataclass(frozen=True, eq=False)
class Match:
    """One candidate beside the measured spectrum.

    Attributes:
        crystal: name of the crystal.
        score: probability that the sample is this, given that it is one of the candidates or none
            of them; scores and `Matches.none` add up to 1.
        fit: shift and broadening, and how near it comes.
        spectrum: the prediction, before it was shifted and broadened.
    """

    crystal: str
    score: float
    fit: Fit
    spectrum: Spectrum

    @property
    def row(self) -> dict[str, Any]:
        """What is told of it, by the names of the columns of files."""
        trust = self.spectrum.trust
        return {
            "crystal": self.crystal,
            "formula": self.spectrum.formula,
            "score": self.score,
            "rse": self.fit.rse,
            "misfit": self.fit.misfit,
            "shift_ev": self.fit.shift,
            "broadening_ev": self.fit.gaussian,
            "on_bound": self.fit.on_bound,
            "trust": None if trust is None else trust.word,
        }


@dataclass(frozen=True, eq=False)
class Matches:
    """Candidates ranked against one measured spectrum.

    Attributes:
        measured: the measured spectrum.
        energy: (P,) eV where they were compared, on the measured scale.
        norm: (P,) measured there.
        matches: the candidates, the likeliest first.
        none: probability that it is none of them.
        model: name of the model that predicted them.
        absent: names of crystals without the absorber.
        failures: crystals that could not be answered.
        passed_over: files of folders that were no crystals, in words; or empty.
    """

    measured: Measurement
    energy: FloatArray
    norm: FloatArray
    matches: tuple[Match, ...]
    none: float
    model: str
    absent: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()
    passed_over: str = ""

    @property
    def none_fits(self) -> bool:
        """Whether it is likelier that the sample is none of the candidates than that it is one."""
        return self.none > 0.5

    @property
    def best(self) -> Match:
        """The likeliest candidate, whether it fits or not."""
        return self.matches[0]

    def __iter__(self) -> Iterator[Match]:
        return iter(self.matches)

    def __len__(self) -> int:
        return len(self.matches)

    def values(self) -> dict[str, Any]:
        """Return what a JSON file tells: of the scan, of each candidate, of what was left out."""
        m = self.measured
        return {
            "scan": m.source,
            "absorber": m.element,
            "edge": m.edge,
            "edge_source": m.edge_source,
            "edge_guess": m.edge_guess,
            "energy_shift": m.energy_shift,
            "half_step": m.half_step_or_none(),
            "model": self.model,
            "none_fits": self.none_fits,
            "none": self.none,
            "matches": [
                {**each.row, "bounds_ev": dict(zip(_BOUNDS, each.fit.bounds, strict=True))}
                for each in self.matches
            ],
            "absent": list(self.absent),
            "left_out": [{"crystal": f.crystal, "reason": f.reason} for f in self.failures],
        }

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the candidates, the likeliest first.

        Args:
            path: ``.json``, which tells of the scan and of `none_fits` as well, ``.csv`` or
                ``.parquet``; an existing file is replaced.

        Raises:
            OutputError: it cannot be written there.
            MissingExtra: pyarrow, which writes Parquet, is not installed.
        """
        target = check_matches_output(path)
        write = {".json": self._json, ".csv": self._csv, ".parquet": self._parquet}
        with atomic_path(target) as temporary:
            write[target.suffix.lower()](temporary)

    def save_figure(self, path: str | os.PathLike[str]) -> None:
        """Draw the three likeliest candidates over the measured curve: ``.png``, .svg or .pdf.

        Raises:
            OutputError: it cannot be written there.
        """
        figures = import_module("cgxas.figures.matched")
        panels = [
            figures.Panel(
                spectrum=each.spectrum,
                shift=each.fit.shift,
                gaussian=each.fit.gaussian,
                predicted=each.fit.predicted,
                score=each.score,
                rse=each.fit.rse,
                on_bound=each.fit.on_bound,
                name=each.crystal,
            )
            for each in self.matches[:DRAWN]
        ]
        measured = figures.Measured(self.energy, self.norm, self.measured.source, self.none)
        figures.save_matches(measured, panels, path)

    def _json(self, path: Path) -> None:
        path.write_text(json.dumps(self.values(), indent=1) + "\n", encoding="utf-8")

    def _csv(self, path: Path) -> None:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(self.best.row), lineterminator="\n")
            writer.writeheader()
            writer.writerows(each.row for each in self.matches)

    def _parquet(self, path: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.Table.from_pylist([each.row for each in self.matches]), path)


_BOUNDS = ("least_shift", "largest_shift", "largest_broadening")


def check_matches_output(path: str | os.PathLike[str]) -> Path:
    """Refuse a file for matches that cannot be written, before any work is done.

    Raises:
        OutputError: unknown suffix, no such folder, or no permission.
        MissingExtra: pyarrow, which writes Parquet, is not installed.
    """
    target = check_output(path, SUFFIXES)
    if target.suffix.lower() == ".parquet":
        MissingExtra.refuse_without("pyarrow", "pyarrow", "data")
    return target
