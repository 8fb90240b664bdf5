"""cgxas models: which models there are, what is known of one, reading the authors' files."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cgxas.cli.messages import one_line, say, table_console
from cgxas.errors import ConfigError, UnsupportedAbsorber

if TYPE_CHECKING:
    from rich.table import Table

    from cgxas.model.checkpoint import Checkpoint
    from cgxas.model.description import AbsorberCard
    from cgxas.model.trust.reference import Reference

app = typer.Typer(help="List, describe and import models.")


@app.callback(invoke_without_command=True)
def _start(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command("list")
def list_models() -> None:
    """List the bundled models."""
    from cgxas.cli.tables import UNKNOWN, plain_table
    from cgxas.model.checkpoint import load_checkpoint
    from cgxas.model.location import bundled

    console = table_console()
    table = plain_table(("Model",), ("Elements", "Training spectra"), console.is_terminal)
    for name in bundled():
        elements = load_checkpoint(name).elements
        counts = [card.n_train for card in elements.values() if card.n_train is not None]
        table.add_row(name, str(len(elements)), f"{sum(counts):,}" if counts else UNKNOWN)
    if table.row_count:
        console.print(table)
    else:
        say("no model is bundled; name a model file with --model")


@app.command("info")
def show_model(
    model: Annotated[str, typer.Argument(metavar="NAME|PATH", help="A model, or a model file.")],
    learnt_from: Annotated[
        str | None,
        typer.Option(
            "--learnt-from",
            metavar="ELEMENT",
            help="List the compounds of an absorber that it learnt from, and nothing else.",
        ),
    ] = None,
) -> None:
    """Tell what a model is, what it was trained on, and how well it does for each element.

    Of a calibrated model the measured compounds of each absorber are listed.
    """
    from cgxas.model.checkpoint import load_checkpoint

    checkpoint = load_checkpoint(model)
    if learnt_from is not None:
        for compound in _compounds(checkpoint, learnt_from):
            typer.echo(one_line(compound))
        return
    console = table_console()
    facts = [*_description(checkpoint), *_told(checkpoint.provenance)]
    if console.is_terminal:
        console.print(_facts(facts))
    else:  # a table would fill every line up to the longest
        typer.echo("\n".join(f"{one_line(name):<22}{text}" for name, text in facts))
    console.print()
    console.print(_elements(checkpoint, console.is_terminal))
    if checkpoint.trust is not None:
        console.print(_learnt_from(checkpoint.trust))
    elif not checkpoint.is_calibrated:  # a calibrated model tells how sure it is with each spectrum
        console.print(_rough(checkpoint.elements))


@app.command("import")
def import_model(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.pt", help="A checkpoint of the CGXAS authors.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="NAME.safetensors", help="The new model file.")
    ],
    activation: Annotated[
        Literal["elu", "silu"],
        typer.Option("--activation", help="What the network was trained with."),
    ] = "elu",
) -> None:
    """Convert a checkpoint of the CGXAS authors (arXiv:2512.23449) into a model file."""
    from cgxas.model.cgxas.authors import import_checkpoint
    from cgxas.model.container import SUFFIX
    from cgxas.spectra.io.write import check_output

    target = check_output(output, (SUFFIX,))
    import_checkpoint(file, target.stem, activation).save(target)
    say(f"wrote {target}")


def _compounds(checkpoint: "Checkpoint", absorber: str) -> tuple[str, ...]:
    """Return the compounds of an absorber that a model learnt from: the measured ones, if any."""
    reference = checkpoint.trust
    if reference is None:
        raise ConfigError(f"{checkpoint.name} does not tell which compounds it learnt from")
    found = (reference.measured or reference.simulated).compounds(absorber)
    if not found:
        raise UnsupportedAbsorber(f"{checkpoint.name} learnt from no compound of {absorber}")
    return found


def _learnt_from(reference: "Reference") -> str:
    """Return which compounds were learnt from: the measured ones by name, others by number."""
    simulated = reference.simulated
    counts = ", ".join(f"{a} {len(simulated.compounds(a))}" for a in simulated.absorbers)
    told = f"Learnt from simulated compounds: {counts}."
    if reference.measured is None:
        return told
    names = "\n".join(
        f"{absorber}: {', '.join(map(one_line, reference.measured.compounds(absorber)))}"
        for absorber in reference.measured.absorbers
    )
    return f"{told}\nLearnt from measured compounds:\n{names}"


def _description(checkpoint: "Checkpoint") -> Iterator[tuple[str, str]]:
    from cgxas.model.upgrades import FORMAT

    config = checkpoint.config
    yield "name", checkpoint.name
    yield "format", str(FORMAT)
    yield "sha256", checkpoint.sha256
    yield from config.facts.items()
    if config.fidelities:
        yield "fidelities", ", ".join(config.fidelities)
    if checkpoint.calibration:
        yield "calibration", checkpoint.calibration.kind
    spec = config.graph
    yield "neighbours", f"{spec.neighbours} within {spec.cutoff:g} A"
    canonical = f"canonical primitive cell, symmetry within {spec.symprec:g} A"
    yield "cell", canonical if spec.cell == "canonical" else "as given"


def _told(provenance: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in provenance.items():
        yield key.replace("_", " "), _text(value)


def _text(value: object) -> str:
    """Write a plain JSON value in one line."""
    if isinstance(value, Mapping):
        return "; ".join(f"{str(k).replace('_', ' ')}: {_text(v)}" for k, v in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_text(each) for each in value)
    return one_line(f"{value:.5g}" if isinstance(value, float) else str(value))


def _facts(facts: Iterable[tuple[str, str]]) -> "Table":
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for name, text in facts:
        table.add_row(one_line(name), text)
    return table


def _elements(checkpoint: "Checkpoint", is_terminal: bool) -> "Table":
    from cgxas.cli.tables import UNKNOWN, plain_table

    calibrated = checkpoint.is_calibrated
    tested = ("Test compounds", "Test RSE", "Test half step error (eV)")
    headings = tested if calibrated else ("Test spectra", "Test RSE", "Test PCC")
    table = plain_table(("Absorber",), ("Window (eV)", "Train spectra", *headings), is_terminal)
    for symbol, card in checkpoint.elements.items():
        window = f"{card.grid.e_min:.1f} to {card.grid.e_max:.1f}"
        counts = [UNKNOWN if n is None else str(n) for n in (card.n_train, card.n_test)]
        figures = (card.test_rse, card.test_half_step_error if calibrated else card.test_pcc)
        scores = [UNKNOWN if x is None else f"{x:.4f}" for x in figures]
        table.add_row(symbol, window, *counts, *scores)
    return table


def _rough(elements: "Mapping[str, AbsorberCard]") -> str:
    from cgxas.predict import FEW

    counts = {symbol: card.n_train for symbol, card in elements.items()}
    if all(n is None for n in counts.values()):
        return "How many spectra this model was trained on is not known."
    rough = [symbol for symbol, n in counts.items() if n is not None and 0 < n < FEW]
    unseen = [symbol for symbol, n in counts.items() if n == 0]
    text = f"Rough, with fewer than {FEW} training spectra: {', '.join(rough) or 'none'}."
    return text + (f"\nNever seen, not answered: {', '.join(unseen)}." if unseen else "")
