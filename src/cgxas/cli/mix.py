"""cgxas mix: scans as fractions of references."""

import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from cgxas.cli.messages import one_line, say, table_console
from cgxas.cli.options import Edge, Energy, Mu, OfScan, Predicts
from cgxas.errors import OutputError, UnreadableSpectrum

if TYPE_CHECKING:
    from cgxas.mixing.mixture import Mixture
    from cgxas.mixing.wishes import Wishes

_REFERENCES = ("--references", "-r")
_SHOWN = 12
"""Scans that are shown on the terminal, of a longer series the first and the last."""

_COLUMNS = 6
"""References that are shown on the terminal, the largest."""


Scans = Annotated[
    list[str],
    typer.Argument(
        metavar="SCAN...",
        help="Files that 'cgxas spectrum' reads, with all their groups, entries or tables; "
        "FILE:GROUP; folders; patterns.",
    ),
]
References = Annotated[
    list[str] | None,
    typer.Option(
        "--references",
        "-r",
        metavar="CRYSTALS|SCANS...",
        help="What explains them: crystals, which are predicted, or scans; NAME=SCAN,SCAN is "
        "the mean of several. Without any the series is parted into its own components.",
    ),
]
AxisWish = Annotated[
    str,
    typer.Option(
        "--axis",
        metavar="order|time|mtime|TABLE.csv[:COLUMN]|COLUMN",
        help="What the series is laid along: a table has a column scan, else it is a column "
        "of the scans, the time at which they began, or (mtime) were written.",
    ),
]
ShiftWish = Annotated[
    str | None,
    typer.Option(
        "--shift",
        metavar="none|shared|free|EV",
        help="Of the references along the energy: one for all scans, or one for each. Else: "
        "shared where a reference is predicted, none otherwise.",
    ),
]
Window = Annotated[
    tuple[float, float],
    typer.Option("--range", metavar="FIRST LAST", help="Of the fit, eV from the edge."),
]
Most = Annotated[
    int | None,
    typer.Option(
        "--most", min=1, help="Explain each scan by at most so many references, the best."
    ),
]
Count = Annotated[
    int | None,
    typer.Option(
        "--components",
        min=2,
        help="Without references: so many; else as many as the series carries.",
    ),
]
ColumnsWish = Annotated[
    str | None,
    typer.Option(
        "--columns",
        metavar="COLUMNS",
        help="Columns of a text, each a scan: names with wildcards, numbers: 'mu*', 2-30.",
    ),
]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="OUT", help="A row per scan: .csv, .parquet or .json."),
]
Plot = Annotated[
    Path | None,
    typer.Option("--plot", metavar="FIG", help="Draw the series: .png, .svg or .pdf."),
]
Follows = Annotated[
    bool,
    typer.Option("--follow", help="Watch the folder: fit each new scan, until Ctrl-C."),
]
Patience = Annotated[
    float | None,
    typer.Option(
        "--patience",
        min=0.0,
        metavar="SECONDS",
        help="With --follow: end after so long without a new scan.",
    ),
]


class MixCommand(TyperCommand):
    """A command whose option --references takes all words up to the next option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Write the option before each of its words, as the parser wants it."""
        words: list[str] = []
        is_inside = False
        for at, word in enumerate(args):
            if word in _REFERENCES:
                is_inside = True
                if at + 1 == len(args) or args[at + 1].startswith("-"):
                    words.append(word)  # which the parser refuses
            elif word.startswith("-") or not is_inside:
                is_inside = False
                words.append(word)
            else:
                words += ["--references", word]
        found: list[str] = super().parse_args(ctx, words)
        return found


def mix_scans(  # noqa: PLR0913, PLR0917  # words of the command line
    scans: Scans,
    references: References = None,
    absorber: OfScan = None,
    edge: Edge = None,
    axis: AxisWish = "order",
    shift: ShiftWish = None,
    window: Window = (-20.0, 80.0),
    most: Most = None,
    components: Count = None,
    model: Predicts = "calibrated",
    energy: Energy = None,
    mu: Mu = None,
    columns: ColumnsWish = None,
    output: Output = None,
    plot: Plot = None,
    follows: Follows = False,
    patience: Patience = None,
) -> None:
    """Explain scans, one or a series, by non-negative fractions of references.

    Errors of the fractions hold the noise and the bands of predicted references. Scans that are
    none (no beam, a glitch, another edge) are named and left out. All words after --references
    are references, so name the scans first.
    """
    from cgxas.mixing.scans import How
    from cgxas.mixing.wishes import Wishes

    _check(output, plot)
    how = How(absorber, edge, energy, mu, columns)
    wishes = Wishes(how, axis, _shift(shift), window, most, components, model)
    given = references or []
    if follows:
        _follow(scans, given, wishes, output, plot, patience)
        return
    if patience is not None:
        raise typer.BadParameter("--patience goes with --follow")
    _show(_mixed(scans, given, wishes, output, plot), output, plot)


def _mixed(
    scans: Sequence[str],
    references: Sequence[str],
    wishes: "Wishes",
    output: Path | None,
    plot: Path | None,
) -> "Mixture":
    from cgxas.cli.crystals import progress
    from cgxas.mixing.files import expanded
    from cgxas.mixing.run import mix_files

    written = [path for path in (output, plot) if path]
    files = expanded(scans, "scans", written)
    with progress(len(files)) as advance:
        return mix_files(files, references, wishes, advance)


def _shift(text: str | None) -> str | float | None:
    with suppress(TypeError, ValueError):
        return float(text)  # type: ignore[arg-type]
    return text


def _check(output: Path | None, plot: Path | None) -> None:
    """Refuse, before any work, what cannot be written."""
    from cgxas.errors import MissingExtra
    from cgxas.figures.style import FIGURE_SUFFIXES
    from cgxas.mixing.mixture import SUFFIXES
    from cgxas.spectra.io.write import check_output

    if output and check_output(output, SUFFIXES).suffix.lower() == ".parquet":
        MissingExtra.refuse_without("pyarrow", "pyarrow", "data")
    if plot:
        check_output(plot, FIGURE_SUFFIXES)
    MissingExtra.refuse_without("larch", "Larch", "larch")


def _follow(
    scans: Sequence[str],
    references: Sequence[str],
    wishes: "Wishes",
    output: Path | None,
    plot: Path | None,
    patience: float | None,
) -> None:
    from cgxas.mixing.earlier import earlier_rows
    from cgxas.mixing.follow import follow

    if len(scans) != 1 or not Path(scans[0]).is_dir():
        raise UnreadableSpectrum("--follow watches one folder: name it, and nothing else")
    if output is None:
        raise OutputError("--follow needs a table that grows: name it with -o")
    written = [path for path in (output, plot) if path]
    earlier = earlier_rows(output)
    told: set[str] = {row["scan"] for row in earlier}
    last: Mixture | None = None
    goes_on = f"; {output} goes on behind {len(earlier)} rows" if earlier else ""
    say(f"watching {scans[0]}{goes_on}; Ctrl-C ends it")
    with suppress(KeyboardInterrupt):
        for last in follow(Path(scans[0]), references, wishes, written, patience, time.sleep):
            last.save(output, earlier)
            new = [n for n, name in enumerate(last.names) if name not in told]
            for n in new:
                shares = [
                    f"{name} {share:.3f} ± {error:.3f}"
                    for name, share, error in zip(
                        last.references, last.fractions[n], last.errors[n], strict=True
                    )
                    if share > 0
                ]
                typer.echo(one_line(f"{last.names[n]}: {', '.join(shares)}"))
            for name, reason in last.left_out:
                if f"out {name}" not in told:
                    say(f"left out {name}: {reason}")
            told |= {*last.names, *(f"out {name}" for name, _ in last.left_out)}
    if last is None:
        say(f"no scan came to {scans[0]}")
        return
    _draw(last, plot)
    _say_rest(last, [output, *([plot] if plot else [])])


def _show(found: "Mixture", output: Path | None, plot: Path | None) -> None:
    if output:
        found.save(output)
    _draw(found, plot)
    console = table_console()
    console.print(_table(found, console.is_terminal))
    for name, reason in found.left_out:
        say(f"left out {name}: {reason}")
    _say_rest(found, [path for path in (output, plot) if path])


def _say_rest(found: "Mixture", written: Sequence[Path]) -> None:
    c, out = found.components, len(found.left_out)
    scans = f"{len(found)} scans" if len(found) > 1 else "1 scan"
    carried = f"{c.count} component{'s' if c.count > 1 else ''}"
    more = f" ({c.above_noise} above the noise)" if c.above_noise > c.count else ""
    if len(found) > 1:
        say(f"{scans} of {found.element} {found.edge} carry {carried}{more}; {out} left out")
    for warning in found.warnings:
        say(f"cgxas: warning: {warning}")
    if written:
        say(f"wrote {', '.join(map(str, written))}")


def _draw(found: "Mixture", plot: Path | None) -> None:
    if plot:
        from cgxas.figures.style import write_figure

        write_figure(found.plot, plot)


def _table(found: "Mixture", is_terminal: bool) -> Any:
    """Return a row per scan; on a terminal the first and last scans and largest references."""
    from cgxas.cli.tables import plain_table

    largest = sorted(range(len(found.references)), key=lambda n: -found.fractions[:, n].max())
    names = sorted(largest[:_COLUMNS] if is_terminal else largest)
    rows = list(range(len(found)))
    if is_terminal and len(rows) > _SHOWN:
        rows = [*rows[: _SHOWN // 2], -1, *rows[-_SHOWN // 2 :]]
    heads = [found.axis_name, *(found.references[n] for n in names), "Sum", "RSE", "Shift (eV)"]
    table = plain_table(["Scan"], [one_line(each) for each in heads], is_terminal)
    for row in rows:
        if row < 0:
            table.add_row(f"… {len(found) - _SHOWN} more", *[""] * len(heads))
            continue
        shares = [
            f"{found.fractions[row, n]:.3f} ± {found.errors[row, n]:.3f}"
            if found.errors[row, n] == found.errors[row, n]
            else "-"
            for n in names
        ]
        bound = " (bound)" if found.on_bound[row] else ""
        table.add_row(
            one_line(found.names[row]),
            f"{found.axis[row]:g}",
            *shares,
            f"{found.total[row]:.3f}",
            f"{found.rse[row]:.2g}",
            f"{found.shift[row]:+.2f}{bound}",
        )
    return table
