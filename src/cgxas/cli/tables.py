"""Results as tables for the terminal."""

from collections.abc import Iterator, Sequence

from rich import box
from rich.table import Table

from cgxas.cli.messages import one_line
from cgxas.cli.outputs import SHOWN_SITES
from cgxas.spectra.spectrum import SiteSpectrum, Spectrum

UNKNOWN = "-"
_TEXT = ("Crystal", "Formula", "Absorber")
_EDGE = ("E0 (eV)", "Half step (eV)", "White line (eV)", "Height")
_NUMBERS = ("Site", "Mult.", *_EDGE)


def plain_table(text: Sequence[str], numbers: Sequence[str], is_terminal: bool) -> Table:
    """Return an empty table: text to the left and folded if need be, numbers to the right.

    Args:
        text: headings of the columns of text.
        numbers: headings of the columns of numbers.
        is_terminal: draw a rule below the headings; in a pipe there are none.
    """
    table = Table(
        box=box.SIMPLE_HEAD if is_terminal else None,
        padding=(0, 1, 0, 0) if is_terminal else (0, 2, 0, 0),
        pad_edge=False,
        show_edge=False,
    )
    for heading in text:
        table.add_column(heading, overflow="fold")
    for heading in numbers:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def spectra_table(spectra: Sequence[Spectrum], all_sites: bool, is_terminal: bool) -> Table:
    """Return a row per spectrum, and a row for each distinct site if there are several.

    Args:
        spectra: what to show.
        all_sites: show every distinct site, not only the first twelve.
        is_terminal: leave out words that the row above already says.
    """
    table = plain_table(_TEXT, _NUMBERS, is_terminal)
    for spectrum in spectra:
        about = [one_line(spectrum.source), spectrum.formula, spectrum.absorber]
        for n, row in enumerate(_rows(spectrum, all_sites)):
            table.add_row(*(about if n == 0 or not is_terminal else ["", "", ""]), *row)
    return table


def cuts_sites(spectrum: Spectrum) -> bool:
    """Tell whether a spectrum has more distinct sites than are shown by default."""
    return len(spectrum.sites) > SHOWN_SITES


def _rows(spectrum: Spectrum, all_sites: bool) -> Iterator[list[str]]:
    yield [spectrum.disorder or "mean", _times(spectrum.n_atoms), *_edge(spectrum)]
    if len(spectrum.sites) < 2 and not all_sites:
        return
    shown = len(spectrum.sites) if all_sites else SHOWN_SITES
    for site in spectrum.sites[:shown]:
        yield [str(site.site), _times(site.multiplicity * site.occupancy), *_edge(site)]
    if left := spectrum.sites[shown:]:
        atoms = sum(site.multiplicity * site.occupancy for site in left)
        yield [f"… {len(left)} more", _times(atoms), *[""] * len(_EDGE)]


def _times(atoms: float) -> str:
    return f"×{round(atoms, 3):g}"


def _edge(curve: Spectrum | SiteSpectrum) -> list[str]:
    e0, half_step = curve.e0_or_none(), curve.half_step_or_none()
    if e0 is None or half_step is None:
        return [UNKNOWN] * len(_EDGE)
    energy, height = curve.white_line
    return [f"{e0:.2f}", f"{half_step:.2f}", f"{energy:.2f}", f"{height:.2f}"]
