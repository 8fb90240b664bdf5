"""cgxas match: one measured spectrum, many crystals -> which of them it is, if any."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cgxas.cli.compare import file_and_group
from cgxas.cli.crystals import Crystals, Found, progress
from cgxas.cli.messages import one_line, say
from cgxas.cli.options import (
    Degrees,
    Edge,
    Energy,
    HowDisorder,
    Mu,
    OfScan,
    Predicts,
    PrePost,
    Seed,
    normalised_as,
)

if TYPE_CHECKING:
    from cgxas.matching.found import Matches

SHOWN = 10
"""Candidates in the table."""

Scan = Annotated[
    str,
    typer.Argument(
        metavar="SCAN",
        help="A file that 'cgxas spectrum' reads; a group of it as FILE.prj:GROUP.",
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="OUT", help="Write all candidates: .json, .csv or .parquet."
    ),
]


def match(  # noqa: PLR0913, PLR0917  # words of the command line
    scan: Scan,
    crystals: Crystals,
    absorber: OfScan = None,
    edge: Edge = None,
    energy: Energy = None,
    mu: Mu = None,
    ranges: PrePost = None,
    degrees: Degrees = None,
    model: Predicts = "calibrated",
    disorder: HowDisorder = "refuse",
    seed: Seed = 0,
    output: Output = None,
    plot: Annotated[
        Path | None,
        typer.Option("--plot", metavar="FIG", help="Draw the best three: .png, .svg or .pdf."),
    ] = None,
) -> None:
    """Tell which of many crystals a measured spectrum is of, or that it is none of them.

    Each crystal is predicted, shifted and broadened within bounds, and held against the scan; the
    band of the prediction counts as noise. The score is the probability of each, if the sample is
    one of them or none of them. A fit that ends on a bound is marked: its numbers are not to be
    trusted.

    Crystals without the absorber are told; those that cannot be answered are named at the end,
    and the exit code is 3.
    """
    from cgxas.crystals.disorder.order import Disorder

    how = Disorder.of(disorder, seed)
    _check(output, plot)
    from cgxas.data.collection import Collection
    from cgxas.matching.search import match
    from cgxas.predict import load
    from cgxas.spectra.io.read import read_spectrum

    path, group = file_and_group(scan)
    read = read_spectrum(path, absorber, group, energy, mu, edge)
    measured = normalised_as(read, ranges, degrees)
    count = sum(1 for _ in Collection(crystals))
    with progress(count) as advance:
        found = match(measured, crystals, absorber, load(model), how, advance)
    if output:
        found.save(output)
    if plot:
        found.save_figure(plot)
    _show(found)
    _tell(found)
    if written := [str(path) for path in (output, plot) if path]:
        say(f"wrote {', '.join(written)}")
    spectra = {n: [each.spectrum] for n, each in enumerate(found)}
    left = Found(spectra, found.absent, found.failures, found.passed_over)
    left.tell([measured.element])
    left.end()


def _check(output: Path | None, plot: Path | None) -> None:
    """Refuse, before any work, what cannot be written."""
    from cgxas.figures.style import FIGURE_SUFFIXES
    from cgxas.matching.found import check_matches_output
    from cgxas.spectra.io.write import check_output

    if output:
        check_matches_output(output)
    if plot:
        check_output(plot, FIGURE_SUFFIXES)


def _show(found: "Matches") -> None:
    from cgxas.cli.messages import table_console
    from cgxas.cli.tables import plain_table

    console = table_console()
    numbers = ("Score", "RSE", "Misfit", "Shift (eV)", "Broadening (eV)")
    table = plain_table(("Crystal", "Formula"), numbers, console.is_terminal)
    table.add_column("On bound")
    table.add_column("Trust", no_wrap=True)
    none = ("none of these", "", f"{found.none:.3f}", *[""] * 6)
    is_told = False
    for each in found.matches[:SHOWN]:
        if found.none > each.score and not is_told:
            table.add_row(*none)
            is_told = True
        fit, trust = each.fit, each.spectrum.trust
        table.add_row(
            one_line(each.crystal),
            each.spectrum.formula,
            f"{each.score:.3f}",
            f"{fit.rse:.4f}",
            f"{fit.misfit:.2f}",
            f"{fit.shift:+.2f}",
            f"{fit.gaussian:.2f}",
            "yes" if fit.on_bound else "",
            "" if trust is None else trust.word,
        )
    if not is_told:
        table.add_row(*none)
    console.print(table)


def _tell(found: "Matches") -> None:
    if (left := len(found) - SHOWN) > 0:
        say(f"and {left} more candidates; -o writes all")
    if found.none_fits:
        say(
            f"none of these fits: the nearest, {found.best.crystal}, is not near enough "
            f"(probability of none {found.none:.2f})"
        )
    for each in found.matches[:3]:
        if each.fit.on_bound:
            least, most, widest = each.fit.bounds
            say(
                f"the fit of {each.crystal} ended on a bound: shift {each.fit.shift:+.2f} of "
                f"{least:+.2f} to {most:+.2f} eV, broadening {each.fit.gaussian:.2f} of 0 to "
                f"{widest:.2f} eV; do not trust its numbers"
            )
    if found.measured.edge_guess:
        say(f"the edge of {found.measured.source} is guessed: {found.measured.edge_guess}")
