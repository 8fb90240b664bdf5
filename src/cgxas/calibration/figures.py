"""The figures of a calibration, written into its run folder."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from cgxas.calibration.calibrators import UNCALIBRATED
from cgxas.calibration.measured import Compounds
from cgxas.calibration.outcome import summaries
from cgxas.calibration.run import CalibrationSettings
from cgxas.calibration.trials import Trial
from cgxas.evaluation.embedding import embed_crystals, read_crystals
from cgxas.evaluation.sites import fair_sample, tsne
from cgxas.figures import (
    CalibrationOverlay,
    plot_calibration,
    plot_measured_among,
    plot_overlays,
    write_figure,
)

_SHOWN = 9
_ON_MAP = 1500


def draw_figures(
    config: CalibrationSettings, compounds: Compounds, found: Sequence[Trial], folder: Path
) -> list[Path]:
    """Draw errors before and after, and the worst test compounds of each element.

    Returns:
        The files.
    """
    files = [folder / "errors.png"]
    write_figure(partial(plot_calibration, summaries(found)), files[0])
    for element in config.elements:
        worst = worst_compounds(compounds, found, element, config.methods[0])
        files.append(folder / f"worst_{element}.png")
        write_figure(partial(plot_overlays, worst), files[-1])
    return files


def worst_compounds(
    compounds: Compounds, found: Sequence[Trial], element: str, method: str
) -> list[CalibrationOverlay]:
    """Return the test compounds a method is furthest from, by mean RSE, the worst first."""
    mine = [trial for trial in found if trial.element == element]
    before = {name: t.curves[name] for t in mine if t.method == UNCALIBRATED for name in t.curves}
    tested = [trial for trial in mine if trial.method == method]
    names = {name for trial in tested for name in trial.curves}
    errors = {n: float(np.mean([t.rse[n] for t in tested if n in t.curves])) for n in names}
    overlays = []
    for name in sorted(errors, key=lambda n: (-errors[n], n))[:_SHOWN]:
        number = int(np.flatnonzero((compounds.element == element) & (compounds.name == name))[0])
        trial = next(trial for trial in tested if name in trial.curves)
        formula = str(compounds.formula[number])
        overlays.append(
            CalibrationOverlay(
                title=f"{formula}{'' if name == formula else f' ({name})'}, {element}",
                energy=compounds.grids[element].energies,
                measured=compounds.target[number],
                uncalibrated=np.array(before[name]),
                calibrated=np.array(trial.curves[name]),
                sigma=np.array(trial.sigma[name]) if name in trial.sigma else None,
                rse=trial.rse[name],
                edge_error=trial.half_step[name],
            )
        )
    return overlays


def draw_maps(
    elements: Sequence[str], compounds: Compounds, simulated: Sequence[Path], folder: Path
) -> list[Path]:
    """Draw a map per element with simulated sites: the measured compounds among them (t-SNE).

    Args:
        elements: absorbers.
        compounds: the measured ones.
        simulated: data-set folders.
        folder: where to write.

    Returns:
        The files.

    Raises:
        MissingExtra: scikit-learn is not installed.
    """
    model = compounds.model.checkpoint
    sites = embed_crystals(model, read_crystals(simulated, model.config.graph), elements)
    files = []
    for element in (each for each in elements if each in sites.element):
        mine = np.flatnonzero(compounds.element == element)
        rows, share = compounds.sharing(mine)
        own = (share @ compounds.features.vector[rows]).numpy().astype(np.float32)
        others = sites.of([element])
        others = others.take(fair_sample(others.neighbour, _ON_MAP, seed=0))
        places = tsne(np.concatenate([others.vector, own]))
        measured = np.arange(len(places)) >= len(others)
        files.append(folder / f"map_{element}.png")
        names = compounds.name[mine]
        draw = partial(plot_measured_among, places, others.neighbour, measured, names)
        write_figure(draw, files[-1])
    return files
