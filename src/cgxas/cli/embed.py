"""cgxas embed and cgxas tsne: what a model makes of sites, as a table and as a map."""

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Literal

import typer

from cgxas.cli.messages import say


def embed(
    model: Annotated[str, typer.Argument(metavar="NAME|PATH", help="A model, or a model file.")],
    sources: Annotated[
        list[Path], typer.Argument(metavar="SOURCE", help="Data-set folders and crystal files.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="SITES.parquet", help="The table of sites.")
    ],
    element: Annotated[
        list[str] | None,
        typer.Option("--element", metavar="ELEMENT", help="Only its sites; repeat for several."),
    ] = None,
) -> None:
    """Write the vectors by which a model tells sites apart: one row per distinct site.

    A row says where the site is, its element, how many sites are equivalent to it, and the
    element most common in its first coordination shell.
    """
    from cgxas.cli.crystals import progress
    from cgxas.evaluation.embedding import embed_crystals, read_crystals
    from cgxas.model.checkpoint import load_checkpoint
    from cgxas.spectra.io.write import check_output

    check_output(output, (".parquet",))
    checkpoint = load_checkpoint(model)
    crystals = read_crystals(sources, checkpoint.config.graph)
    with progress(len(crystals)) as advance:
        sites = embed_crystals(checkpoint, crystals, element or (), on_crystal=advance)
    sites.write(output)
    say(f"wrote {output}: {len(sites)} sites of {len(crystals)} crystals")


def tsne(
    sites: Annotated[
        Path, typer.Argument(metavar="SITES.parquet", help="A table written by 'cgxas embed'.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FIG", help="The map: .png, .svg or .pdf.")
    ],
    colour: Annotated[
        Literal["absorber", "neighbour"], typer.Option("--colour", help="What colours tell.")
    ] = "absorber",
    element: Annotated[
        list[str] | None,
        typer.Option("--element", metavar="ELEMENT", help="Only its sites; repeat for several."),
    ] = None,
    seed: Annotated[
        int, typer.Option("--seed", min=0, max=2**32 - 1, help="Of sample and map.")
    ] = 0,
    limit: Annotated[
        int, typer.Option("--limit", min=5, help="Most sites; of common colours fewer are shown.")
    ] = 5000,
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="OUT.csv", help="Write the coordinates there.")
    ] = None,
) -> None:
    """Draw a map of sites in which sites that a model finds alike lie near each other (t-SNE)."""
    from cgxas.evaluation.sites import SiteVectors, fair_sample, tsne_class
    from cgxas.evaluation.sites import tsne as places_of
    from cgxas.figures import FIGURE_SUFFIXES, plot_absorbers, plot_neighbours, write_figure
    from cgxas.spectra.io.write import check_output
    from cgxas.writing import atomic_path

    check_output(output, FIGURE_SUFFIXES)
    table = check_output(csv, (".csv",)) if csv else None
    tsne_class()  # refuse before any work
    found = SiteVectors.read(sites).of(element or ())
    kinds = found.element if colour == "absorber" else found.neighbour
    chosen = fair_sample(kinds, limit, seed)
    shown, kinds = found.take(chosen), kinds[chosen]
    places = places_of(shown.vector, seed)
    draw = plot_absorbers if colour == "absorber" else plot_neighbours
    with atomic_path(table) if table else nullcontext() as temporary:
        if temporary:
            shown.write_map(temporary, places)
        write_figure(lambda: draw(kinds, places), output)
    say(f"wrote {output}: {len(shown)} of {len(found)} sites")
