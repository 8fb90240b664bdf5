"""Results as tables for the terminal."""

from collections.abc import Iterator, Sequence

from rich import box
from rich.table import Table

from cgxas.cli.messages import one_line
from cgxas.cli.outputs import SHOWN_SITES
from cgxas.spectra.spectrum import SiteSpectrum, Spectrum
from cgxas.spectra.trust import Trust

UNKNOWN = "-"
_TEXT = ("Crystal", "Formula", "Absorber")
_EDGE = ("E0 (eV)", "Half step (eV)", "White line (eV)", "Height")
_NUMBERS = ("Site", "Mult.", *_EDGE)
_TRUST = {"Nearest": False, "Distance": True, "Expected RSE": True, "Because": False}
"""Headings of what is told of a trust, and whether numbers stand below."""


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

    How far a spectrum can be trusted stands in the row of its mean: on a terminal the word alone,
    since 80 columns hold no more (`trust_table` has the rest).

    Args:
        spectra: what to show.
        all_sites: show every distinct site, not only the first twelve.
        is_terminal: leave out words that the row above already says; break headings before units.
    """
    has_trust = any(spectrum.trust is not None for spectrum in spectra)
    numbers = [name.replace(" (", "\n(") if is_terminal else name for name in _NUMBERS]
    table = plain_table(_TEXT, numbers, is_terminal)
    if has_trust:
        table.add_column("Trust", no_wrap=True)
    if has_trust and not is_terminal:
        _add_trust_columns(table)
    for spectrum in spectra:
        about = [_name(spectrum), spectrum.formula, spectrum.absorber]
        word = UNKNOWN if spectrum.trust is None else spectrum.trust.word
        trust = [word, *(() if is_terminal else _details(spectrum.trust))] if has_trust else []
        for n, row in enumerate(_rows(spectrum, all_sites)):
            first = about if n == 0 or not is_terminal else ["", "", ""]
            table.add_row(*first, *row, *(trust if n == 0 else [""] * len(trust)))
    return table


def trust_table(spectra: Sequence[Spectrum]) -> Table | None:
    """Return a row per spectrum for a terminal, why it can be trusted or not; None without any."""
    known = [spectrum for spectrum in spectra if spectrum.trust is not None]
    if not known:
        return None
    table = plain_table((*_TEXT, "Trust"), (), is_terminal=True)
    _add_trust_columns(table)
    for each in known:
        word = "" if each.trust is None else each.trust.word
        table.add_row(_name(each), each.formula, each.absorber, word, *_details(each.trust))
    return table


def _add_trust_columns(table: Table) -> None:
    for heading, is_number in _TRUST.items():
        table.add_column(heading, justify="right" if is_number else "left", overflow="fold")


def _name(spectrum: Spectrum) -> str:
    return one_line(spectrum.source)


def _details(trust: Trust | None) -> list[str]:
    """Return nearest compound, distance, expected RSE and reason of a trust."""
    if trust is None:
        return [UNKNOWN] * len(_TRUST)
    distance = f"{trust.distance:.2f}" if trust.nearest else UNKNOWN
    error = UNKNOWN if trust.expected_rse is None else f"{trust.expected_rse:.2g}"
    return [trust.nearest or UNKNOWN, distance, error, one_line(trust.reason) or UNKNOWN]


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
