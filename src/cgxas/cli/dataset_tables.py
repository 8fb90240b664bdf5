"""Data sets as tables for the terminal."""

from collections.abc import Sequence

from rich.table import Table

from cgxas.cli.tables import UNKNOWN, plain_table
from cgxas.data.check import REASONS, Check
from cgxas.data.summary import Counts, Summary

SHOWN_NAMES = 3
"""Names or licences that are shown unless all are wanted."""


def summary_table(summaries: Sequence[Summary], is_terminal: bool) -> Table:
    """Return a row per data set."""
    numbers = ("Spectra", "Crystals", "Formulas", "Elements", "Energies (eV)", "Manifest")
    table = plain_table(("Data set", "Fidelity"), numbers, is_terminal)
    table.add_column("Licence", overflow="fold")
    for each in summaries:
        row = [*_numbers(each.all), str(len(each.elements)), _span(each.all)]
        row += ["yes" if each.has_manifest else "no", _few(each.licences, "; ")]
        table.add_row(each.name, ", ".join(each.all.fidelities), *row)
    return table


def elements_table(summaries: Sequence[Summary], is_terminal: bool) -> Table:
    """Return a row per absorber of each data set, and one for all of it."""
    numbers = ("Spectra", "Crystals", "Formulas", "Energies (eV)")
    table = plain_table(("Data set", "Absorber", "Fidelity"), numbers, is_terminal)
    for each in summaries:
        for symbol, counts in {**each.elements, "all": each.all}.items():
            about = (each.name, symbol, ", ".join(counts.fidelities))
            table.add_row(*about, *_numbers(counts), _span(counts))
    return table


def _numbers(counts: Counts) -> list[str]:
    return [str(n) for n in (counts.spectra, counts.materials, counts.formulas)]


def _span(counts: Counts) -> str:
    return UNKNOWN if counts.energies is None else "{:.0f} to {:.0f}".format(*counts.energies)


def check_table(checks: Sequence[Check], all_names: bool, is_terminal: bool) -> Table:
    """Return a row per reason of each data set, and one for all that is flagged."""
    table = plain_table(("Data set", "Reason"), ("Count",), is_terminal)
    table.add_column("Meaning", overflow="fold")
    table.add_column("Names", overflow="fold")
    for each in checks:
        for reason, names in each.found.items():
            listed = ", ".join(names) if all_names else _few(names)
            table.add_row(each.name, reason, str(len(names)), REASONS[reason], listed)
        size = f"{each.materials} crystals, {each.spectra} spectra"
        table.add_row(each.name, "any", str(each.flagged), f"of {size}", "")
    return table


def _few(words: Sequence[str], between: str = ", ") -> str:
    left = len(words) - SHOWN_NAMES
    return between.join([*words[:SHOWN_NAMES], *([f"… {left} more"] if left > 0 else [])])
