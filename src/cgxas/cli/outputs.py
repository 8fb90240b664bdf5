"""Where the spectra of a run go: all files or none."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from cgxas.errors import OutputError
from cgxas.writing import atomic_path

if TYPE_CHECKING:
    from cgxas.spectra.spectrum import Spectrum

ALL = "all"
SHOWN_SITES = 12
"""Distinct sites of a spectrum that are shown unless all are wanted."""


@dataclass(frozen=True)
class Outputs:
    """The wish for files.

    Attributes:
        crystals: the crystal files.
        absorbers: the wanted elements, each once; "all" among them.
        out: file for the spectra, or what the names of several are made of.
        plot: file for the figure.
        sites: every distinct site in the files.
    """

    crystals: tuple[Path, ...]
    absorbers: tuple[str, ...]
    out: Path | None = None
    plot: Path | None = None
    sites: bool = False

    def check(self) -> None:
        """Refuse, before any work, what cannot be written.

        Raises:
            OutputError: the message says which file and why.
        """
        from cgxas.spectra.io.write import check_output, check_spectrum_output

        if self.out:
            check_spectrum_output(self.out)
            self._refuse_clashes()
        if self.plot:
            from cgxas.figures import FIGURE_SUFFIXES, MAX_PANELS

            check_output(self.plot, FIGURE_SUFFIXES)
            if len(self.crystals) * len(self.absorbers) > MAX_PANELS:
                raise OutputError(
                    f"a figure holds up to {MAX_PANELS} spectra; leave out --plot, or name fewer "
                    "crystals or elements"
                )

    def write(self, spectra: "Sequence[Sequence[Spectrum]]") -> list[Path]:
        """Write the files, all of them or none, and return them.

        Args:
            spectra: for each crystal, its spectra.

        Raises:
            OutputError: a file cannot be written.
        """
        every = [spectrum for row in spectra for spectrum in row]
        with ExitStack() as stack:
            if self.plot:
                _draw(every, stack.enter_context(_new(self.plot)), self.sites)
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
        one_spectrum = len(self.crystals) == len(self.absorbers) == 1 and ALL not in self.absorbers
        return self._is_table or one_spectrum

    def _name(self, crystal: Path, absorber: str) -> Path:
        if self.out is None:
            raise OutputError("no output is wanted")
        if self._is_one_file:
            return self.out
        return self.out.with_stem(f"{self.out.stem}_{crystal.stem}_{absorber}")

    def _files(self, spectra: "Sequence[Sequence[Spectrum]]") -> "Iterator[tuple[Path, Spectrum]]":
        """Yield each file and its spectrum; for a table the first spectrum stands for all."""
        if self.out is None:
            return
        pairs = [(c, each) for c, row in zip(self.crystals, spectra, strict=True) for each in row]
        for crystal, spectrum in pairs[:1] if self._is_one_file else pairs:
            yield self._name(crystal, spectrum.absorber), spectrum

    def _refuse_clashes(self) -> None:
        """Refuse two spectra for one file, and a file that is one of the crystals."""
        from cgxas.spectra.io.formats import table_suffixes

        tables = " or ".join(table_suffixes())
        seen: dict[str, Path] = {}
        given = {crystal.absolute() for crystal in self.crystals}
        for crystal, absorber in product(self.crystals, self.absorbers):
            path = self._name(crystal, absorber)
            if path.absolute() in given:
                raise OutputError(f"{path} is one of the crystals; choose another name with -o")
            other = seen.setdefault(str(path).casefold(), crystal)
            if other is not crystal and not self._is_one_file:
                raise OutputError(
                    f"the spectra of {other} and {crystal} would both be written to {path}; "
                    f"rename a crystal file, run them apart, or write one {tables} file"
                )


def _draw(spectra: "list[Spectrum]", path: Path, all_sites: bool) -> None:
    from cgxas.figures import save_figure

    few = all(len(spectrum.sites) <= SHOWN_SITES for spectrum in spectra)
    save_figure(spectra, path, sites=all_sites or few)


@contextmanager
def _new(path: Path) -> Iterator[Path]:
    """Lend a temporary path for the file; an error names the file, not the temporary one."""
    with atomic_path(path) as temporary:
        try:
            yield temporary
        except OutputError as error:
            raise OutputError(str(error).replace(str(temporary), str(path))) from error
