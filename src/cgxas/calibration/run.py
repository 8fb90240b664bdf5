"""Whole calibrations: a model and measured compounds in, a run folder with a tested model out.

RUN/
├── calibration.json     what was run, on which data, with which command
├── trials.jsonl         a line per method, element and repeat: parts, errors, test spectra
├── scores.json          means and standard deviations over the repeats
└── NAME.safetensors     the calibrated model, learnt from all compounds
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from cgxas.atomic import atomic_path
from cgxas.calibration.compounds import Compounds
from cgxas.calibration.gaussian import fit_calibration
from cgxas.calibration.methods import DEFAULT, METHODS, UNCALIBRATED, method, uncalibrated
from cgxas.calibration.repeats import SEED, Repeat, SplitBy, draw_repeats
from cgxas.calibration.scores import Summary, Trial, append_trial, by_method, read_trials, score
from cgxas.data.split import PARTS
from cgxas.errors import ConfigError, OutputError
from cgxas.model.checkpoint import SUFFIX, Checkpoint, ElementCard

ABOUT, TRIALS, SCORES = "calibration.json", "trials.jsonl", "scores.json"


@dataclass(frozen=True)
class CalibrationConfig:
    """What is to be calibrated, and how that is tested.

    Attributes:
        name: of the calibrated model.
        elements: absorbers.
        methods: tried on the same repeats.
        split_by: what stays on one side.
        repeats: how many divisions of each element.
        seed: of the divisions.
    """

    name: str
    elements: tuple[str, ...]
    methods: tuple[str, ...] = (DEFAULT, "rigid")
    split_by: SplitBy = "formula"
    repeats: int = 20
    seed: int = SEED

    def __post_init__(self) -> None:
        for each in self.methods:
            method(each)
        if self.repeats < 1:
            raise ConfigError(f"repeats = {self.repeats}; a test needs at least one")


def prepare(config: CalibrationConfig, compounds: Compounds, folder: Path, command: str) -> None:
    """Write what is run into its folder, or see that the same was begun there.

    Raises:
        ConfigError: the folder holds another calibration.
        OutputError: it cannot be written.
    """
    path = folder / ABOUT
    told = _told(config, compounds)
    if path.exists():
        there = read_about(folder)
        for name, value in told.items():
            if there.get(name) != value:
                raise ConfigError(
                    f"{folder} holds another calibration: its {name} is {there.get(name)}, "
                    f"not {value}"
                )
        return
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary:
        text = json.dumps({**told, "command": command}, indent=1)
        temporary.write_text(text, encoding="utf-8")


def check_folder(folder: Path, resume: bool) -> None:
    """Refuse a folder that holds a calibration, unless it is to go on.

    Raises:
        OutputError: it does, or it cannot be a folder.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is not a folder; name another one")
    if (folder / ABOUT).exists() and not resume:
        raise OutputError(
            f"{folder} holds a calibration; go on with --resume, or name another folder"
        )


def read_about(folder: Path) -> dict[str, Any]:
    """Return what the folder of a calibration tells.

    Raises:
        ConfigError: it is none.
    """
    try:
        values = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        return dict(values)
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(f"{folder} is no calibration: it has no readable {ABOUT}") from error


def _told(config: CalibrationConfig, compounds: Compounds) -> dict[str, Any]:
    model = compounds.model
    plain: dict[str, Any] = json.loads(json.dumps(asdict(config)))
    return plain | {
        "model": {"name": model.name, "tensors_sha256": model.sha256},
        "data": list(compounds.data.names),
        "data_sha256": compounds.data.sha256,
    }


def trials(
    config: CalibrationConfig,
    compounds: Compounds,
    folder: Path,
    on_trial: Callable[[int, int], None] = lambda done, total: None,
) -> list[Trial]:
    """Try all methods on all repeats; what is done already in the folder is kept.

    Args:
        config: what to try.
        compounds: what to learn from and to test on.
        folder: of the run.
        on_trial: told how many are done, and how many there are, after each.
    """
    path = folder / TRIALS
    found = read_trials(path)
    done = {(trial.method, trial.element, trial.repeat) for trial in found}
    wanted = list(_wanted(config, compounds))
    on_trial(len(done), len(wanted))
    for repeat, name in wanted:
        if (name, repeat.element, repeat.number) in done:
            continue
        numbers = np.concatenate([getattr(repeat, part) for part in PARTS])
        answer = uncalibrated if name == UNCALIBRATED else METHODS[name].answer
        trial = score(compounds, repeat, name, *answer(compounds, repeat, numbers))
        append_trial(path, trial)
        found.append(trial)
        on_trial(len(found), len(wanted))
    return found


def _wanted(config: CalibrationConfig, compounds: Compounds) -> Iterator[tuple[Repeat, str]]:
    for element in config.elements:
        for repeat in draw_repeats(
            compounds, element, config.split_by, config.repeats, config.seed
        ):
            for name in (UNCALIBRATED, *config.methods):
                yield repeat, name


def summaries(found: Sequence[Trial]) -> dict[str, dict[str, dict[str, Any]]]:
    """Return element -> method -> part -> figures, as plain values."""
    told: dict[str, dict[str, dict[str, Any]]] = {}
    for element in dict.fromkeys(trial.element for trial in found):
        told[element] = {
            name: {
                part: {
                    quantity: asdict(Summary.of(mine, quantity, part))
                    for quantity in ("rse", "edge")
                }
                for part in PARTS
            }
            for name, mine in by_method(found, element)
        }
    return told


def finish(
    config: CalibrationConfig,
    compounds: Compounds,
    found: Sequence[Trial],
    folder: Path,
    command: str,
) -> Checkpoint:
    """Write the scores, and the model that learnt from all compounds.

    Raises:
        OutputError: they cannot be written.
    """
    scores = summaries(found)
    with atomic_path(folder / SCORES) as temporary:
        temporary.write_text(json.dumps(scores, indent=1), encoding="utf-8")
    model = compounds.model
    checkpoint = Checkpoint(
        name=config.name,
        config=model.config,
        elements=_cards(config, compounds, scores),
        state=model.state,
        provenance=_provenance(config, compounds, scores) | {"command": command},
        calibration=fit_calibration(compounds, np.arange(len(compounds))),
    )
    checkpoint.save(folder / f"{config.name}{SUFFIX}")
    return checkpoint


def _cards(
    config: CalibrationConfig, compounds: Compounds, scores: Mapping[str, Mapping[str, Any]]
) -> dict[str, ElementCard]:
    """Return what the calibrated model knows of each element; tested by the first method."""
    cards = {}
    for element in config.elements:
        own, grid = compounds.model.elements[element], compounds.grids[element]
        mine = compounds.element == element
        test = scores[element][config.methods[0]]["test"]
        cards[element] = ElementCard(
            grid=grid,
            n_train=int(compounds.n_scans[mine].sum()),
            n_test=int(mine.sum()),
            test_rse=test["rse"]["mean"],
            test_e0=test["edge"]["mean"],
            fidelity=own.fidelity,
            simulated=own.network_grid,
        )
    return cards


def _provenance(
    config: CalibrationConfig, compounds: Compounds, scores: Mapping[str, Any]
) -> dict[str, Any]:
    told = _told(config, compounds)
    return {
        "parent": told["model"],
        "data": told["data"],
        "data_sha256": told["data_sha256"],
        "sources": dict(compounds.sources),
        "compounds": {e: int((compounds.element == e).sum()) for e in np.unique(compounds.element)},
        "configuration": {f.name: told[f.name] for f in fields(config)},
        "metrics": {e: scores[e][config.methods[0]]["test"] for e in config.elements},
        "date": datetime.now(UTC).date().isoformat(),
        "cgxas": version("cgxas"),
        "torch": version("torch"),
    }
