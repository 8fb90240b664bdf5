"""Where the spectra of a run go: all files or none."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Self

from cgxas.errors import OutputError
from cgxas.writing import atomic_path

if TYPE_CHECKING:
    from cgxas.data.collection import NamedCrystal
    from cgxas.spectra.spectrum import Spectrum

ALL = "all"
SHOWN_SITES = 12
"""Distinct sites of a spectrum that are shown unless all are wanted."""


@dataclass(frozen=True)
class Outputs:
    """The wish for files.

    Attributes:
        absorbers: the wanted elements, each once; "all" among them.
        out: file for the spectra, or what the names of several are made of.
        plot: file for the figure.
        sites: every distinct site in the files.
        overlay: one axis for all spectra of an absorber in the figure.
        parts: id of each crystal -> what stands for it in the names of files.
    """

    absorbers: tuple[str, ...]
    out: Path | None = None
    plot: Path | None = None
    sites: bool = False
    overlay: bool = False
    parts: dict[str, str] = field(default_factory=dict)

    def check(self) -> None:
        """Refuse, before any work, what cannot be written.

        Raises:
            OutputError: the message says which file and why.
        """
        from cgxas.spectra.io.write import check_output, check_spectrum_output

        if self.overlay and not self.plot:
            raise OutputError("--overlay is about the figure: name it with --plot")
        if self.out:
            check_spectrum_output(self.out)
        if self.plot:
            from cgxas.figures.style import FIGURE_SUFFIXES

            check_output(self.plot, FIGURE_SUFFIXES)

    def named(self, crystals: "Sequence[NamedCrystal]") -> Self:
        """Return the same with the names of all files settled.

        Raises:
            OutputError: two spectra for one file, a file that is one of the crystals, or too many
                panels.
        """
        own = replace(self, parts=_parts([each.id for each in crystals]))
        if own.out:
            own._refuse_clashes(crystals)
        if self.plot and not self.overlay:
            from cgxas.figures import MAX_PANELS

            if len(crystals) * len(self.absorbers) > MAX_PANELS:
                raise OutputError(
                    f"a figure holds up to {MAX_PANELS} spectra; draw all on one axis with "
                    "--overlay, leave out --plot, or name fewer crystals or elements"
                )
        return own

    def write(self, spectra: "Sequence[tuple[NamedCrystal, Sequence[Spectrum]]]") -> list[Path]:
        """Write the files, all of them or none, and return them.

        Args:
            spectra: crystals with their spectra.

        Raises:
            OutputError: a file cannot be written.
        """
        every = [spectrum for _, row in spectra for spectrum in row]
        with ExitStack() as stack:
            if self.plot:
                self._draw(every, stack.enter_context(_new(self.plot)))
            if self.out and self._is_table:
                from cgxas.spectra.io.write import write_spectra

                write_spectra(every, stack.enter_context(_new(self.out)), self.sites)
            elif self.out:
                for path, spectrum in self._files(spectra):
                    spectrum.save(stack.enter_context(_new(path)), self.sites)
        files = [path for path, _ in self._files(spectra)]
        return files + ([self.plot] if self.plot else [])

    @property
    def _is_table(self) -> bool:
        from cgxas.spectra.io.formats import table_suffixes

        return self.out is not None and self.out.suffix.lower() in table_suffixes()

    @property
    def _is_one_file(self) -> bool:
        one_spectrum = len(self.parts) == len(self.absorbers) == 1 and ALL not in self.absorbers
        return self._is_table or one_spectrum

    def _name(self, crystal: str, absorber: str) -> Path:
        if self.out is None:
            raise OutputError("no output is wanted")
        if self._is_one_file:
            return self.out
        return self.out.with_stem(f"{self.out.stem}_{self.parts[crystal]}_{absorber}")

    def _files(
        self, spectra: "Sequence[tuple[NamedCrystal, Sequence[Spectrum]]]"
    ) -> "Iterator[tuple[Path, Spectrum]]":
        """Yield each file and its spectrum; for a table the first spectrum stands for all."""
        if self.out is None:
            return
        pairs = [(crystal, each) for crystal, row in spectra for each in row]
        for crystal, spectrum in pairs[:1] if self._is_one_file else pairs:
            yield self._name(crystal.id, spectrum.absorber), spectrum

    def _refuse_clashes(self, crystals: "Sequence[NamedCrystal]") -> None:
        """Refuse two spectra for one file, and a file that is one of the crystals."""
        from cgxas.spectra.io.formats import table_suffixes

        tables = " or ".join(table_suffixes())
        seen: dict[str, NamedCrystal] = {}
        given = {Path(crystal.name).absolute() for crystal in crystals}
        for crystal, absorber in product(crystals, self.absorbers):
            path = self._name(crystal.id, absorber)
            if path.absolute() in given:
                raise OutputError(f"{path} is one of the crystals; choose another name with -o")
            other = seen.setdefault(str(path).casefold(), crystal)
            if other is not crystal and not self._is_one_file:
                raise OutputError(
                    f"the spectra of {other.name} and {crystal.name} would both be written to "
                    f"{path}; rename a crystal file, run them apart, or write one {tables} file"
                )

    def _draw(self, spectra: "list[Spectrum]", path: Path) -> None:
        if self.overlay:
            from cgxas.figures.compared import save_compared

            save_compared(spectra, path)
            return
        from cgxas.figures import save_figure

        few = all(len(spectrum.sites) <= SHOWN_SITES for spectrum in spectra)
        save_figure(spectra, path, sites=self.sites or few)


def _parts(ids: Sequence[str]) -> dict[str, str]:
    """Return what stands for each crystal in the names of files.

    That is the name of its file without suffix; where several have that, the whole of its id.
    """
    short = {each: _stem(each) for each in ids}
    alike = Counter(short.values())
    return {
        each: stem if alike[stem] == 1 else each.strip("./").replace("/", "_").replace(":", "_")
        for each, stem in short.items()
    }


def _stem(name: str) -> str:
    """Return the stem of a file, and the number of a frame or row behind its colon."""
    path, colon, number = name.rpartition(":")
    if colon and number.isdigit():
        return f"{PurePosixPath(path).stem}_{number}"
    return PurePosixPath(name).stem


@contextmanager
def _new(path: Path) -> Iterator[Path]:
    """Lend a temporary path for the file; an error names the file, not the temporary one."""
    with atomic_path(path) as temporary:
        try:
            yield temporary
        except OutputError as error:
            raise OutputError(str(error).replace(str(temporary), str(path))) from error
