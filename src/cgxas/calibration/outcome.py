"""What a calibration comes to: scores over its repeats, and models learnt from all compounds."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from cgxas.calibration.calibrators import DEFAULT
from cgxas.calibration.gaussian import fit_calibration
from cgxas.calibration.measured import Compounds
from cgxas.calibration.paper import tune_paper
from cgxas.calibration.repeats import draw_repeats, well_measured
from cgxas.calibration.run import CalibrationSettings, told
from cgxas.calibration.trials import Summary, Trial, by_method
from cgxas.data.split import PARTS
from cgxas.elements import atomic_number
from cgxas.model.checkpoint import SUFFIX, Checkpoint, ElementCard
from cgxas.writing import atomic_path

SCORES = "scores.json"

Scores = dict[str, dict[str, dict[str, dict[str, dict[str, float]]]]]
"""Element -> method -> part -> "rse" or "edge" -> its "mean" and "deviation" over the repeats."""


def summaries(found: Sequence[Trial]) -> Scores:
    """Sum up trials."""
    scores: Scores = {}
    for element in dict.fromkeys(trial.element for trial in found):
        scores[element] = {
            name: {
                part: {q: asdict(Summary.of(mine, q, part)) for q in ("rse", "edge")}
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
) -> list[Path]:
    """Write the scores, and what the first method makes of all compounds.

    The default method makes one model of all elements; the paper's makes one of each.

    Returns:
        The model files.

    Raises:
        OutputError: they cannot be written.
    """
    scores = summaries(found)
    with atomic_path(folder / SCORES) as temporary:
        temporary.write_text(json.dumps(scores, indent=1), encoding="utf-8")
    make = _calibrated if config.methods[0] == DEFAULT else _tuned
    files = []
    for model, learnt in make(config, compounds, scores):
        files.append(folder / f"{model.name}{SUFFIX}")
        provenance = _provenance(config, compounds, scores, learnt) | {"command": command}
        replace(model, provenance=provenance).save(files[-1])
    return files


def _calibrated(
    config: CalibrationSettings, compounds: Compounds, scores: Scores
) -> Iterator[tuple[Checkpoint, list[str]]]:
    learnt = sorted({*config.elements, *well_measured(compounds)}, key=atomic_number)
    rows = np.flatnonzero(np.isin(compounds.element, learnt))
    cards = {element: _card(config, compounds, scores, element) for element in config.elements}
    model = Checkpoint(
        name=config.name,
        config=compounds.model.config,
        elements=cards,
        state=compounds.model.state,
        calibration=fit_calibration(compounds, rows),
    )
    yield model, learnt


def _tuned(
    config: CalibrationSettings, compounds: Compounds, scores: Scores
) -> Iterator[tuple[Checkpoint, list[str]]]:
    for element in config.elements:
        repeat = next(draw_repeats(compounds, element, config.split_by, 1, config.seed))
        train = np.concatenate([repeat.train, repeat.test])
        head = tune_paper(compounds, element, train, repeat.validation)
        state = dict(compounds.model.state)
        for n, layer in enumerate(head.layers):
            state |= {f"head_layers.{n}.{name}": t for name, t in layer.state_dict().items()}
        card = _card(config, compounds, scores, element)
        model = Checkpoint(
            name=f"{config.name}_{element}",
            config=compounds.model.config,
            elements={element: replace(card, simulated=None)},
            state=state,
        )
        yield model, [element]


def _card(
    config: CalibrationSettings, compounds: Compounds, scores: Scores, element: str
) -> ElementCard:
    """Return what a calibrated model knows of an element, as the first method was tested."""
    own, mine = compounds.model.elements[element], compounds.element == element
    test = scores[element][config.methods[0]]["test"]
    return ElementCard(
        grid=compounds.grids[element],
        n_train=int(compounds.n_scans[mine].sum()),
        n_test=int(mine.sum()),
        test_rse=test["rse"]["mean"],
        test_e0=test["edge"]["mean"],
        fidelity=own.fidelity,
        simulated=own.network_grid,
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
