"""cgxas screen: any number of crystals -> a folder of tables."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cgxas.cli.messages import say
from cgxas.cli.options import HowDisorder, Seed
from cgxas.cli.predict import Absorbers, Model
from cgxas.errors import ConfigError, MissingExtra

if TYPE_CHECKING:
    from cgxas.screening import Progress, Screened

SOME_FAILED = 3
"""Exit code when some crystals were not answered; what could be is written."""

_SECONDS = 60.0  # between two lines where nobody sits before a terminal


Sources = Annotated[
    list[str],
    typer.Argument(
        metavar="SOURCE",
        help="Files, folders, patterns such as 'runs/**/CONTCAR', .zip archives, data-set folders, "
        "ASE databases, trajectories, every frame a crystal.",
    ),
]
Fidelity = Annotated[
    str | None,
    typer.Option("--fidelity", metavar="THEORY", help="Answer as this would, such as FEFF10."),
]
Workers = Annotated[
    int | None,
    typer.Option("--workers", "-j", min=1, help="Processes; else one for each processor."),
]
Shard = Annotated[
    str, typer.Option("--shard", metavar="I/N", help="Make every N-th part from the I-th on.")
]
Ray = Annotated[
    str | None,
    typer.Option(
        "--ray", metavar="ADDRESS", help="Compute on a Ray cluster: 'auto', HOST:PORT or 'local'."
    ),
]


def screen(  # noqa: PLR0913, PLR0917  # words of the command line
    source: Sources,
    absorber: Absorbers,
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="OUT", help="Folder for the tables, or one to go on with."
        ),
    ],
    model: Model = None,
    fidelity: Fidelity = None,
    disorder: HowDisorder = "refuse",
    seed: Seed = 0,
    workers: Workers = None,
    shard: Shard = "1/1",
    ray: Ray = None,
    device: Annotated[
        str, typer.Option("--device", metavar="NAME", help="Where the networks compute: cuda.")
    ] = "cpu",
) -> int:
    """Predict any number of crystals into a folder of tables.

    OUT holds part-000000.parquet and so on (id, formula, absorber, energy, norm, sigma, trust and
    what it rests on), failures.parquet (id, reason, error) and warnings.parquet (id, remark).
    Crystals without the absorber are counted.

    A run that was stopped or killed goes on where it was when the same command is given again.
    With --shard I/N, N runs share one OUT, on any machines: those of a Slurm array, for one.

    The exit code is 0, or 3 when some crystals were not answered.
    """
    where = _shard(shard)
    MissingExtra.refuse_without("pyarrow", "pyarrow", "data")
    from cgxas.crystals.disorder.order import Disorder
    from cgxas.screening import Where
    from cgxas.screening import screen as screened

    with told() as tell:
        found = screened(
            source,
            absorber,
            output,
            model,
            fidelity,
            Disorder.of(disorder, seed),
            Where(workers, where, ray, device),
            tell,
        )
    _sum_up(found)
    return SOME_FAILED if found.n_failed else 0


def _shard(text: str) -> tuple[int, int]:
    index, _, of = text.partition("/")
    if not (index.isascii() and index.isdecimal() and of.isascii() and of.isdecimal()):
        raise ConfigError(f"--shard {text!r:.40}: give it as I/N, such as 3/16")
    return int(index), int(of)


@contextmanager
def told() -> "Iterator[Callable[[Progress], None]]":
    """Tell how far the run is: a line that changes on a terminal, else one a minute."""
    if not sys.stderr.isatty():
        last = time.monotonic()

        def line(progress: "Progress") -> None:
            nonlocal last
            if time.monotonic() - last >= _SECONDS:
                last = time.monotonic()
                say(_words(progress))

        yield line
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (BarColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading the source", total=1.0)
        yield lambda each: bar.update(task, completed=each.done, description=_words(each))


def _words(progress: "Progress") -> str:
    left = progress.seconds_left
    failed = f", {progress.n_failed:,} failed" if progress.n_failed else ""
    return (
        f"{100 * progress.done:.1f} %, {progress.n_crystals:,} crystals{failed}, "
        f"{progress.crystals_per_second:.1f}/s, "
        + ("" if left is None else f"{_duration(left)} left")
    )


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 100:
        return f"{whole} s"
    return f"{whole // 60} min" if whole < 6000 else f"{whole / 3600:.1f} h"


def _sum_up(found: "Screened") -> None:
    parts = [f"{found.n_spectra:,} spectra of {found.n_crystals:,} crystals in {found.folder}"]
    if found.n_absent:
        parts.append(f"{found.n_absent:,} hold no such absorber")
    if found.n_failed:
        parts.append(f"{found.n_failed:,} failed: see failures.parquet")
    if found.n_remarks:
        parts.append(f"{found.n_remarks:,} warnings: see warnings.parquet")
    if found.passed_over:
        others = ", ".join(f"{n} {kind}" for kind, n in found.passed_over.items())
        parts.append(f"files that are no crystals: {others}")
    if found.missing:
        parts.append(f"{found.missing:,} parts are still to be made by other shards")
    typer.echo("; ".join(parts))
