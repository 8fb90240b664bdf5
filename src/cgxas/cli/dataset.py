"""cgxas dataset: making data-set folders, looking into them, checking and splitting them."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cgxas.cli.messages import say, table_console

if TYPE_CHECKING:
    from cgxas.data.manifest import Manifest

app = typer.Typer(help="Import, describe, check and split data sets.")

Folders = Annotated[list[Path], typer.Argument(metavar="FOLDER", help="Data-set folders.")]
NewFolder = Annotated[
    Path, typer.Option("--output", "-o", metavar="FOLDER", help="The new data-set folder.")
]


@app.callback(invoke_without_command=True)
def _start(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command("import")
def import_dataset(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="SOURCE",
            help="Folder of FEFF runs, or file or folder of JSON documents (.json, .jsonl, .tgz).",
        ),
    ],
    output: NewFolder,
    name: Annotated[
        str, typer.Option("--name", help="Name for the manifest; that of the folder by default.")
    ] = "",
    origin: Annotated[
        str, typer.Option("--origin", help="Where the spectra come from: an address or a DOI.")
    ] = "",
    licence: Annotated[str, typer.Option("--licence", help="Under which terms.")] = "",
    theory: Annotated[
        str, typer.Option("--theory", help="Code and settings, where documents do not state them.")
    ] = "",
) -> None:
    """Make a data set of spectra that lie on this computer.

    What SOURCE holds is recognised by its content. Spectra that cannot be used are left out, and
    counted by reason; their names stand in the manifest.
    """
    from cgxas.data.manifest import NOT_STATED, Origin
    from cgxas.data.sources.recognise import import_source

    told = Origin(
        name or output.absolute().name, origin or source.absolute().name, licence or NOT_STATED
    )
    with _progress("spectra") as advance:
        manifest = import_source(source, output, told, theory, advance)
    _tell_written(manifest, output)


@app.command("fetch")
def fetch_dataset(
    element: Annotated[
        list[str], typer.Option("--element", "-e", help="Absorber; repeat it for several.")
    ],
    output: NewFolder,
) -> None:
    """Make a data set of the Materials Project's K-edge XANES, one mean spectrum per crystal.

    Needs a key of the project in MP_API_KEY, and mp-api, which the extra mp brings. Answers are
    kept in FOLDER.partial until all are there: run the same command again after a broken
    connection, and it goes on.
    """
    import shutil

    from cgxas.data.folder import check_new_folder
    from cgxas.data.manifest import Origin
    from cgxas.data.sources import materials_project
    from cgxas.data.sources.recognise import import_source

    check_new_folder(output)
    told = Origin(output.absolute().name, materials_project.ORIGIN, materials_project.LICENCE)
    with _progress("pages") as advance:
        partial = materials_project.fetch(
            element, output, materials_project.rester(), lambda *_: advance()
        )
    with _progress("spectra") as advance:
        manifest = import_source(partial, output, told, on_item=advance)
    shutil.rmtree(partial)
    _tell_written(manifest, output)


@app.command("ingest")
def ingest_measured(
    spectra: Annotated[
        Path, typer.Argument(metavar="SPECTRA", help="Folder of measured files of any kind.")
    ],
    structures: Annotated[
        Path, typer.Option("--structures", metavar="FOLDER", help="Folder of crystal files.")
    ],
    table: Annotated[
        Path,
        typer.Option("--table", metavar="PAIRS.csv", help="Columns: spectrum, crystal, element."),
    ],
    output: NewFolder,
    origin: Annotated[
        str, typer.Option("--origin", help="Where the spectra come from: an address or a DOI.")
    ] = "",
    licence: Annotated[str, typer.Option("--licence", help="Under which terms.")] = "",
) -> None:
    """Make a data set of measured spectra and their crystals.

    PAIRS.csv may also have the columns group (of an Athena project), compound, shift (eV to be
    added to the energies; kept, not applied), weight, energy and mu (columns of the file, or a
    formula of mu) and edge.
    Each spectrum is the mean over all sites of its element. What cannot be used, such as the
    spectrum of another edge than K, is left out and told.
    """
    from cgxas.data.manifest import NOT_STATED, Origin
    from cgxas.data.sources.experiments import ingest

    told = Origin(output.absolute().name, origin or spectra.absolute().name, licence or NOT_STATED)
    sentences: list[str] = []
    with _progress("spectra") as advance:

        def on_pair(sentence: str) -> None:
            advance()
            sentences.extend(filter(None, [sentence]))

        manifest = ingest(spectra, structures, table, output, told, on_pair)
    for sentence in sentences:
        say(f"left out {sentence}")
    _tell_written(manifest, output)


@app.command("info")
def show_datasets(
    folders: Folders,
    elements: Annotated[bool, typer.Option("--elements", help="A row per absorber.")] = False,
) -> None:
    """Tell what data sets hold."""
    from cgxas.cli.dataset_tables import elements_table, summary_table
    from cgxas.data.summary import summarise

    console = table_console()
    summaries = [summarise(folder) for folder in folders]
    make = elements_table if elements else summary_table
    console.print(make(summaries, console.is_terminal))


@app.command("check")
def check_datasets(
    folders: Folders,
    names: Annotated[bool, typer.Option("--ids", help="Name every spectrum.")] = False,
    output: Annotated[
        Path | None, typer.Option("--json", metavar="OUT.json", help="Write all findings there.")
    ] = None,
) -> None:
    """Look for damaged, doubtful and double spectra.

    Ends with 0 whatever is found; docs/reference/data_sets.md explains the reasons.
    """
    from cgxas.cli.dataset_tables import check_table
    from cgxas.data.check import check_folder
    from cgxas.spectra.io.write import check_output
    from cgxas.writing import atomic_path

    target = check_output(output, (".json",)) if output else None
    checks = [check_folder(folder) for folder in folders]
    console = table_console()
    console.print(check_table(checks, names, console.is_terminal))
    if target:
        text = json.dumps([asdict(each) for each in checks], indent=1, ensure_ascii=False)
        with atomic_path(target) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")
        say(f"wrote {target}")


@app.command("split")
def split_datasets(
    folders: Folders,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="SPLIT.json", help="The new file.")
    ],
    by: Annotated[
        Literal["formula", "material", "spectrum"],
        typer.Option("--by", help="Whose spectra stay in one part; spectrum: nobody's."),
    ] = "formula",
    fractions: Annotated[
        str, typer.Option("--fractions", help="Training, validation and test.")
    ] = "6:2:2",
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the shuffle.")] = 64,
) -> None:
    """Divide the spectra of data sets into a training, a validation and a test part."""
    from cgxas.data.folder import read_records
    from cgxas.data.split import split_records, write_split
    from cgxas.spectra.io.write import check_output

    target = check_output(output, (".json",))
    shares = _shares(fractions)
    records = read_records(folders)
    split = split_records(records, by, shares, seed)
    saved = write_split(target, split, records, by, shares, seed)
    sizes = [len(saved.train), len(saved.validation), len(saved.test)]
    say(f"wrote {target}: {sizes[0]} for training, {sizes[1]} for validation, {sizes[2]} for tests")


def _shares(fractions: str) -> tuple[float, float]:
    """Return the shares of training and validation that 6:2:2 says."""
    from cgxas.errors import ConfigError

    try:
        train, validation, test = (float(word) for word in fractions.split(":"))
        whole = train + validation + test
        shares = (round(train / whole, 9), round(validation / whole, 9))
    except (ValueError, ZeroDivisionError) as error:
        raise ConfigError(f"fractions {fractions!r} are not three numbers such as 6:2:2") from error
    if not min(train, validation, test) > 0:
        raise ConfigError(f"fractions {fractions} must all be positive")
    return shares


def _tell_written(manifest: "Manifest", folder: Path) -> None:
    from cgxas.data.sources.collect import summary

    counts = manifest.counts
    if manifest.left_out:
        n_left = sum(len(names) for names in manifest.left_out.values())
        say(f"left out {n_left}: {summary(manifest.left_out)}")
    say(f"wrote {folder}: {counts['spectra']} spectra of {counts['materials']} crystals")


@contextmanager
def _progress(what: str) -> Iterator[Callable[[], None]]:
    """Count on stderr, if somebody sits before it."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.completed:.0f}"),
        TextColumn(what),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda: bar.advance(task)
