"""Training runs -> a folder with figures and one page that shows them."""

import os
from collections.abc import Sequence
from pathlib import Path

from cgxas.figures import write_figure
from cgxas.report.figures import report_figures
from cgxas.report.groups import grouped, in_order
from cgxas.report.maps import site_maps
from cgxas.report.page import page
from cgxas.training.folder import open_run
from cgxas.writing import atomic_folder

_DPI = 150


def write_report(
    runs: Sequence[Path], output: str | os.PathLike[str], data: Sequence[Path] = ()
) -> list[Path]:
    """Write figures of training runs, and ``index.html``, which shows them all.

    Args:
        runs: run folders; one is enough.
        output: the folder to be written, whole or not at all; it must be new or empty.
        data: data-set folders for the maps of sites; those of the run if none is given.

    Returns:
        The files.

    Raises:
        ConfigError: a folder is no finished run.
        DatasetError: the given data cannot be read.
        MissingExtra: there are maps to draw, but scikit-learn is not installed.
        OutputError: the folder holds something, or cannot be written.
    """
    target = Path(output)
    opened = in_order([open_run(path) for path in runs])
    with atomic_folder(target) as folder:
        groups = grouped(opened)
        maps = site_maps(groups, data)
        figures = [
            (figure, folder / f"{figure.name}.png")
            for figure in report_figures(opened, groups, maps)
        ]
        for figure, path in figures:
            write_figure(figure.draw, path, _DPI)
        text = page(opened, groups, figures, maps.missing)
        (folder / "index.html").write_text(text, encoding="utf-8")
        names = sorted(path.name for path in folder.iterdir())
    return [target / name for name in names]
