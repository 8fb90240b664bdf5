"""Scans that were sent as fractions of references that were sent."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path, PurePosixPath
from typing import Any, Final

from cgxas.errors import CgxasError, UnclearSpectrum
from cgxas.mixing.files import unique_names
from cgxas.mixing.mixture import Mixture
from cgxas.mixing.references import Reference, references_of
from cgxas.mixing.run import mix_scans
from cgxas.mixing.scans import How, Scans, read_named
from cgxas.mixing.series import FIRST, LAST
from cgxas.mixing.wishes import Wishes
from cgxas.predict import Predictor
from cgxas.serve.curves import ENERGY, numbers, rounded
from cgxas.serve.files import (
    Upload,
    crystal_name,
    laid_down,
    lent_folder,
    renamed,
    spectrum_name,
    table_name,
)
from cgxas.serve.heard import heard, own
from cgxas.serve.jobs import Found, Job
from cgxas.serve.outputs import mixture_file
from cgxas.spectra.io.read import is_spectrum_file

MOST_CURVES: Final = 500
"""Scans whose curves are sent."""

MOST_NUMBERS: Final = 1_000_000
"""Of their curves, those of the fits not counted."""


def mix_answer(predictor: Predictor, job: Job) -> Found:
    """Explain the scans of a job by its references.

    Args:
        predictor: what predicts the crystals among the references.
        job: with scans.

    Raises:
        CgxasError: as of `cgxas.mix`.
    """
    how = How(*(job.word(name) for name in ("absorber", "edge", "energy", "mu", "columns")))
    with lent_folder() as folder, heard() as told:
        laid = Laid.of(folder, job)
        with laid.named():
            wishes = Wishes(
                how,
                laid.axis(job.word("axis")),
                job.word("shift"),
                (job.word("first", FIRST), job.word("last", LAST)),
                job.word("most"),
                job.word("components"),
            )
            scans = laid.scans(how)
            found = mix_scans(scans, laid.references(scans, how, predictor), wishes)
    if wanted := job.word("format"):
        return mixture_file(found, wanted)
    values = _values(found)
    values["warnings"] = list(dict.fromkeys([*found.warnings, *own(told, laid.names)]))
    return Found.json(values)


@dataclass(frozen=True)
class Laid:
    """Files of a job in a folder of our own.

    Attributes:
        files: of the scans.
        others: of the references; the name that each fraction is called by -> its file.
        table: of the axis; None where none was sent.
        names: what our own names mean, as for `renamed`.
    """

    files: tuple[Path, ...]
    others: dict[str, Path]
    table: Path | None
    names: dict[str, str]

    @classmethod
    def of(cls, folder: Path, job: Job) -> "Laid":
        """Write the files of a job into a lent folder."""
        names: dict[str, str] = {}

        def down(uploads: Sequence[Upload], is_scan: Callable[[Upload], bool]) -> dict[str, Path]:
            stems = unique_names([(PurePosixPath(each.shown).stem,) for each in uploads])
            found = {}
            for stem, each in zip(stems, uploads, strict=True):
                named = spectrum_name if is_scan(each) else crystal_name
                path = laid_down(folder, each, named(each.name))
                names.update(_meant(path, each.shown, stem if is_scan(each) else ""))
                found[stem] = path
            return found

        files = down(job.scans, lambda _: True)
        others = down(job.references, lambda each: is_spectrum_file(Path(each.shown)))
        table = None
        if job.tables:
            table = laid_down(folder, job.tables[0], table_name())
            names.update({str(table): job.tables[0].shown, table.name: job.tables[0].shown})
        return cls(tuple(files.values()), others, table, names)

    @contextmanager
    def named(self) -> Iterator[None]:
        """Have the files called in errors as their senders call them."""
        try:
            yield
        except CgxasError as error:
            raise type(error)(renamed(str(error), self.names)) from error

    def axis(self, wanted: str | None) -> str:
        """Return the word for `Wishes` of an axis that was asked for.

        Raises:
            UnclearSpectrum: it is a table that was not sent, for none of the server's own is
                opened; or the time at which files were written, which is not sent with them.
        """
        if self.table is not None:
            return f"{self.table}:{wanted}" if wanted else str(self.table)
        word = wanted or "order"
        if word == "mtime":
            raise UnclearSpectrum(
                "when a file was written is not sent with it: send a table of the times in the "
                "field axis_table"
            )
        if word.endswith(".csv") or ".csv:" in word:
            raise UnclearSpectrum(
                f"the axis {word} is a table: send it in the field axis_table, and its column as "
                "the axis"
            )
        return word

    def scans(self, how: How) -> Scans:
        """Read the scans, by the names of their senders."""
        found = read_named([(path, None) for path in self.files], how)
        good = tuple(
            replace(each, name=renamed(each.name, self.names), note=renamed(each.note, self.names))
            for each in found.good
        )
        left_out = tuple(
            (renamed(name, self.names), renamed(reason, self.names))
            for name, reason in found.left_out
        )
        return Scans(good, left_out)

    def references(self, scans: Scans, how: How, predictor: Predictor) -> list[Reference]:
        """Read or predict the references of scans, by the names of their senders."""
        if not self.others or not scans.good:
            return []
        first = scans.good[0].data
        found = []
        for name, path in self.others.items():
            own_ones = references_of([str(path)], how, first.element, first.edge, predictor)
            if len(own_ones) == 1:
                own_ones = [replace(own_ones[0], name=name)]
            found += [
                replace(
                    each,
                    name=renamed(each.name, self.names),
                    told=renamed(each.told, self.names),
                )
                for each in own_ones
            ]
        names = unique_names([(each.name,) for each in found])
        return [replace(each, name=name) for name, each in zip(names, found, strict=True)]


def _meant(path: Path, shown: str, stem: str) -> dict[str, str]:
    """Return what the names of a file of our own mean, the longest first.

    Args:
        path: the file.
        shown: its sender's name of it.
        stem: what a scan in it is called; empty for a crystal.
    """
    found = {str(path): shown}
    if stem:  # scans of one name in one file are told apart by the folders
        parts = path.parent.parts[-3:]
        found |= {f"{':'.join(parts[n:])}:": "" for n in range(len(parts))}
        found |= {path.name: shown, path.stem: stem}
    return found


def _values(found: Mixture) -> dict[str, Any]:
    """Return what a file tells of a mixture, with the curves of some scans of a long series."""
    most = min(MOST_CURVES, max(1, MOST_NUMBERS // found.energy.size))
    every = ceil(len(found) / most)
    values = rounded({k: v for k, v in found.values(every).items() if k not in _CURVES})
    for reference, curve in zip(values["references"], found.curves, strict=True):
        reference["norm"] = numbers(curve)
    values["shown"] = list(range(0, len(found), every))
    values["energy"] = numbers(found.energy, ENERGY)
    values["norm"] = [numbers(each) for each in found.norm[::every]]
    values["fitted"] = [numbers(each) for each in found.fitted[::every]]
    return values  # type: ignore[no-any-return]


_CURVES = ("energy", "norm", "fitted")
