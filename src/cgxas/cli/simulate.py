"""cgxas simulate: crystals -> spectra by FEFF10, as a table, files and figure, or as a data set."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cgxas.cli.messages import say, table_console
from cgxas.cli.outputs import ALL, Outputs
from cgxas.elements import atomic_number
from cgxas.errors import UnreadableCrystal

if TYPE_CHECKING:
    from cgxas.spectra.spectrum import Spectrum

SOME_LEFT_OUT = 3
"""Exit code where what could be done was done, but not all."""

_SECONDS = 60.0

SHOWN = 20
"""Failures that are named; a data set's manifest holds all."""

Crystals = Annotated[
    list[Path],
    typer.Argument(
        metavar="CRYSTAL",
        help="A crystal; with --dataset several, folders, patterns, archives, data sets.",
    ),
]
Absorbers = Annotated[
    list[str],
    typer.Option(
        "--absorber", "-a", metavar="ELEMENT", help="Absorbing element; repeat it for several."
    ),
]
DataSet = Annotated[
    Path | None,
    typer.Option("--dataset", metavar="FOLDER", help="Write a data set of all distinct sites."),
]
Preset = Annotated[
    str,
    typer.Option("--preset", metavar="quick|full", help="Small spheres, or those of MPXANESSet."),
]
Timeout = Annotated[
    float, typer.Option("--timeout", metavar="S", min=1, help="Seconds that one site may take.")
]


def simulate(  # noqa: PLR0913, PLR0917  # words of the command line
    crystals: Crystals,
    absorber: Absorbers,
    preset: Preset = "quick",
    dataset: DataSet = None,
    sites: Annotated[
        bool, typer.Option("--sites", help="Every distinct site in table, files and figure.")
    ] = False,
    timeout: Timeout = 7200.0,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers", metavar="N", min=1, help="Sites beside each other; else one per processor."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="OUT", help="Write the spectrum, as 'cgxas predict' does."
        ),
    ] = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FIG", help="Draw it: .png, .svg or .pdf.")
    ] = None,
) -> int:
    """Simulate K-edge XANES with FEFF10, every distinct site of the absorber weighted.

    Energies are FEFF's own, as those of the model universal. The preset quick takes minutes per
    site, full an hour or more. What was computed once is kept, so that a command that was stopped
    goes on where it was; stopped, it leaves no process and no temporary file behind.

    With --dataset the sites of all crystals become a data set for 'cgxas train' and 'cgxas
    finetune'. What could not be simulated is named at the end and in the folder's manifest; the
    exit code is then 3.
    """
    elements = tuple(dict.fromkeys(absorber))
    if ALL in elements:
        raise typer.BadParameter("name the elements: 'all' of them would take hours")
    for element in elements:
        atomic_number(element)
    if dataset is not None:
        if output or plot or sites:
            raise typer.BadParameter("--dataset goes without --output, --plot and --sites")
        return _dataset(crystals, elements, dataset, preset, timeout, workers)
    if len(crystals) > 1 or crystals[0].is_dir():
        raise typer.BadParameter("several crystals go into a data set: name one with --dataset")
    outputs = Outputs(elements, output, plot, sites)
    outputs.check()
    _spectra(crystals[0], outputs, preset, timeout, workers)
    return 0


def _spectra(
    crystal: Path, outputs: Outputs, preset: str, timeout: float, workers: int | None
) -> None:
    from cgxas.cli.tables import spectra_table
    from cgxas.data.collection import NamedCrystal
    from cgxas.reading import refuse_unreadable

    refuse_unreadable(crystal, UnreadableCrystal)
    from cgxas.simulation import simulate

    named = NamedCrystal(str(crystal), str(crystal), 1.0, crystal)
    outputs = outputs.named([named])

    found: list[Spectrum] = []
    start = time.monotonic()
    for element in outputs.absorbers:
        with stages(element) as on_stage:
            found.append(
                simulate(
                    crystal, element, preset, timeout=timeout, workers=workers, on_stage=on_stage
                )
            )
    written = outputs.write([(named, found)])
    console = table_console()
    console.print(spectra_table(found, outputs.sites, is_terminal=console.is_terminal))
    say(f"{found[0].model}: {time.monotonic() - start:.0f} s")
    if written:
        say(f"wrote {', '.join(str(path) for path in written)}")


def _dataset(  # as above
    crystals: list[Path],
    absorbers: tuple[str, ...],
    folder: Path,
    preset: str,
    timeout: float,
    workers: int | None,
) -> int:
    from cgxas.simulation.dataset import simulate_dataset

    with _bar() as on_site:
        found = simulate_dataset(
            crystals, absorbers, folder, preset, timeout=timeout, workers=workers, on_site=on_site
        )
    for name, reason in found.left_out[:SHOWN]:
        say(f"left out: {name}: {reason}")
    if len(found.left_out) > SHOWN:
        say(f"and {len(found.left_out) - SHOWN} more; see {folder / 'manifest.json'}")
    if found.without:
        say(f"{found.without} crystals hold no {' or '.join(absorbers)}")
    counts = found.manifest.counts
    say(f"wrote {folder}: {counts['spectra']} spectra of {counts['materials']} crystals")
    return SOME_LEFT_OUT if found.left_out else 0


@contextmanager
def stages(absorber: str) -> Iterator[Callable[[int, int, str], None]]:
    """Tell on stderr which program of FEFF runs for which site: in a line that changes, or one."""
    running: dict[int, str] = {}

    def words(site: int, total: int, stage: str) -> str:
        running[site] = stage
        told = ", ".join(f"site {n + 1} of {total}: {running[n]}" for n in sorted(running))
        return f"{absorber} {told}"

    if not sys.stderr.isatty():
        line = _now_and_then()
        yield lambda site, total, stage: line(words(site, total, stage))
        return
    from rich.console import Console
    from rich.status import Status

    with Status("FEFF10 begins", console=Console(stderr=True)) as status:
        yield lambda site, total, stage: status.update(words(site, total, stage))


@contextmanager
def _bar() -> Iterator[Callable[[int, int], None]]:
    """Tell on stderr how many sites are done; on a terminal as a bar, with the time left."""
    if not sys.stderr.isatty():
        line = _now_and_then()
        yield lambda done, total: line(f"{done} of {total} sites are done")
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = ("sites", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("sites", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _now_and_then() -> Callable[[str], None]:
    """Return what says a line on stderr, at most one a minute, as a file of them is read later."""
    last = time.monotonic()

    def line(text: str) -> None:
        nonlocal last
        if time.monotonic() - last >= _SECONDS:
            last = time.monotonic()
            say(text)

    return line
