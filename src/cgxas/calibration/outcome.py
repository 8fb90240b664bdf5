"""What a calibration comes to: scores over its repeats, and a model learnt from all compounds."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from cgxas.calibration.calibrators import calibrator
from cgxas.calibration.measured import Compounds, measured_grid
from cgxas.calibration.repeats import Repeat, draw_repeats
from cgxas.calibration.run import CalibrationSettings, told
from cgxas.calibration.trials import FIGURES, Summary, Trial, by_method
from cgxas.calibration.trust import learnt_from
from cgxas.data.split import PARTS
from cgxas.elements import atomic_number
from cgxas.model.calibration.base import Calibration, PerElement
from cgxas.model.calibration.gaussian import GaussianCalibration
from cgxas.model.checkpoint import Checkpoint
from cgxas.model.container import SUFFIX
from cgxas.model.description import AbsorberCard
from cgxas.spectra.xray import tabulated_edge
from cgxas.writing import atomic_path

SCORES = "scores.json"

Scores = dict[str, dict[str, dict[str, dict[str, dict[str, float]]]]]
"""Element -> method -> part -> figure of a trial -> its "mean" and "deviation" over the repeats."""


def summaries(found: Sequence[Trial]) -> Scores:
    """Sum up trials."""
    scores: Scores = {}
    for element in dict.fromkeys(trial.element for trial in found):
        scores[element] = {
            name: {
                part: {
                    figure: asdict(summary)
                    for figure in FIGURES
                    if (summary := Summary.of(mine, figure, part))
                }
                for part in PARTS
            }
            for name, mine in by_method(found, element)
        }
    return scores


def finish(
    config: CalibrationSettings,
    compounds: Compounds,
    found: Sequence[Trial],
    folder: Path,
    command: str,
) -> Path:
    """Write the scores, and the model that the first method makes of all compounds.

    Returns:
        The model file.

    Raises:
        OutputError: they cannot be written.
    """
    scores = summaries(found)
    with atomic_path(folder / SCORES) as temporary:
        temporary.write_text(json.dumps(scores, indent=1), encoding="utf-8")
    calibration, learnt = _calibration(config, compounds)
    parent = compounds.model.checkpoint
    cards = {(e, "K"): _card(config, compounds, scores, e) for e in config.elements}
    if isinstance(calibration, GaussianCalibration):
        cards = {(e, "K"): _unmeasured(compounds, e) for e in parent.elements} | cards
    model = Checkpoint(
        name=config.name,
        config=parent.config,
        cards=cards,
        state=parent.state,
        provenance=_provenance(config, compounds, scores, learnt) | {"command": command},
        calibration=calibration,
        bonds=parent.bonds,
        kernel=parent.kernel,
        trust=learnt_from(compounds, learnt, found, config.methods[0]),
    )
    file = folder / f"{model.name}{SUFFIX}"
    model.save(file)
    return file


def _calibration(
    config: CalibrationSettings, compounds: Compounds
) -> tuple[Calibration, list[str]]:
    """Return what the first method learns from all compounds, and the elements it learnt from."""
    method = calibrator(config.methods[0])
    if not method.together:
        fitted = {e: method.fit(compounds, _all_of(config, compounds, e)) for e in config.elements}
        return PerElement(fitted), list(config.elements)
    learnt = sorted({str(each) for each in compounds.element}, key=atomic_number)
    rows = np.arange(len(compounds))
    none = rows[:0]
    return method.fit(compounds, Repeat(learnt[0], 0, rows, none, none, none)), learnt


def _all_of(config: CalibrationSettings, compounds: Compounds, element: str) -> Repeat:
    """Return all compounds of an element as training part, but those that a method chooses by."""
    first = next(draw_repeats(compounds, element, config.split_by, 1, config.seed))
    rows = np.flatnonzero(compounds.element == element)
    if calibrator(config.methods[0]).chooses:
        rows = np.setdiff1d(rows, first.validation)
    return replace(first, train=rows, test=rows[:0])


def _card(
    config: CalibrationSettings, compounds: Compounds, scores: Scores, element: str
) -> AbsorberCard:
    """Return what a calibrated model knows of an element, as the first method was tested."""
    own, mine = compounds.model.card(element), compounds.element == element
    test = scores[element][config.methods[0]]["test"]
    return AbsorberCard(
        grid=compounds.grids[element],
        n_train=int(compounds.n_scans[mine].sum()),
        n_test=int(mine.sum()),
        test_rse=test["rse"]["mean"],
        test_half_step_error=test["half_step"]["mean"],
        fidelity=own.fidelity,
        simulated=own.network_grid,
        edge_axis=own.edge_axis,
    )


def _unmeasured(compounds: Compounds, element: str) -> AbsorberCard:
    """Return what a calibrated model knows of an element with few measured compounds, or none."""
    own, mine = compounds.model.card(element), compounds.element == element
    grid = compounds.grids.get(element)
    if grid is None:
        grid = measured_grid(compounds.model.checkpoint, element, [tabulated_edge(element)])
    return AbsorberCard(
        grid=grid,
        n_train=int(compounds.n_scans[mine].sum()),
        n_test=0,
        fidelity=own.fidelity,
        simulated=own.network_grid,
        edge_axis=own.edge_axis,
    )


def _provenance(
    config: CalibrationSettings,
    compounds: Compounds,
    scores: Mapping[str, Any],
    learnt: Sequence[str],
) -> dict[str, Any]:
    about = told(config, compounds)
    sources: Counter[str] = Counter()
    for element in learnt:
        sources.update(compounds.sources[element])
    return {
        "parent": about["model"],
        "data": about["data"],
        "data_sha256": about["data_sha256"],
        "sources": dict(sorted(sources.items())),
        "compounds": {e: int((compounds.element == e).sum()) for e in learnt},
        "configuration": {field.name: about[field.name] for field in fields(config)},
        "metrics": {e: scores[e][config.methods[0]]["test"] for e in config.elements},
        "date": datetime.now(UTC).date().isoformat(),
        "cgxas": version("cgxas"),
        "torch": version("torch"),
    }
