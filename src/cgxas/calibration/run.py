"""Whole calibrations: a model and measured compounds in, a run folder with a tested model out.

RUN/
├── calibration.json     what was run, on which data, with which command
├── trials.jsonl         a line per method, element and repeat: parts, errors, test spectra
├── scores.json          means and standard deviations over the repeats
└── NAME.safetensors     the calibrated model, learnt from all compounds
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from cgxas.calibration.calibrators import (
    DEFAULT,
    PROGRAM,
    PROGRAM_RIGID,
    UNCALIBRATED,
    Calibrator,
    answers,
    calibrator,
    of_program,
)
from cgxas.calibration.measured import Compounds
from cgxas.calibration.repeats import SEED, Repeat, SplitBy, draw_repeats
from cgxas.calibration.trials import Trial, append_trial, read_trials, score
from cgxas.data.split import PARTS
from cgxas.errors import ConfigError, OutputError
from cgxas.jsonfile import JsonFile
from cgxas.model.calibration.curves import CurvesCalibration
from cgxas.settings import FileName, Seed, Settings
from cgxas.writing import atomic_path

ABOUT, TRIALS = "calibration.json", "trials.jsonl"


_Some = Annotated[tuple[str, ...], Field(min_length=1, description="a list of names, at least one")]


@dataclass(frozen=True)
class CalibrationSettings(Settings):
    """What is to be calibrated, and how that is tested.

    Attributes:
        name: of the calibrated model.
        elements: absorbers.
        methods: tried on the same repeats; the first makes the model.
        split_by: what stays on one side.
        repeats: how many divisions of each element.
        seed: of the divisions.
    """

    title: ClassVar[str] = "calibration"

    name: FileName
    elements: _Some
    methods: _Some = (DEFAULT, "rigid")
    split_by: SplitBy = "formula"
    repeats: Annotated[int, Field(ge=1, le=10_000)] = 20
    seed: Seed = SEED

    def __post_init__(self) -> None:
        super().__post_init__()
        for each in self.methods:
            calibrator(each)


def prepare(config: CalibrationSettings, compounds: Compounds, folder: Path, command: str) -> None:
    """Write what is run into its folder, or see that the same was begun there.

    Raises:
        ConfigError: the folder holds another calibration.
        DatasetError: an element has too few compounds.
        OutputError: it cannot be written.
    """
    for element in config.elements:  # refused before there is a folder
        next(draw_repeats(compounds, element, config.split_by))
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is not a folder; name another one")
    path = folder / ABOUT
    about = told(config, compounds)
    if path.exists():
        there = read_about(folder)
        for name, value in about.items():
            if there.get(name) != value:
                raise ConfigError(
                    f"{folder} holds another calibration: its {name} is {there.get(name)!s:.60}, "
                    f"not {value}; name another folder"
                )
        return
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary:
        text = json.dumps({**about, "command": command}, indent=1)
        temporary.write_text(text, encoding="utf-8")


def read_about(folder: Path) -> dict[str, Any]:
    """Return what the folder of a calibration tells.

    Raises:
        ConfigError: it is none.
    """
    if not (folder / ABOUT).exists():
        raise ConfigError(f"{folder} is no calibration: it has no readable {ABOUT}")
    cure = "name the folder of another calibration"
    return JsonFile(folder / ABOUT, ConfigError, "calibration", cure).values()


def told(config: CalibrationSettings, compounds: Compounds) -> dict[str, Any]:
    """Return what a calibration is of, as plain values."""
    model = compounds.model.checkpoint
    plain: dict[str, Any] = json.loads(json.dumps(asdict(config)))
    return plain | {
        "model": {"name": model.name, "sha256": model.sha256},
        "data": list(compounds.data.names),
        "data_sha256": compounds.data.sha256,
    }


def trials(
    config: CalibrationSettings,
    compounds: Compounds,
    folder: Path,
    program: CurvesCalibration | None = None,
    on_trial: Callable[[int, int], None] = lambda done, total: None,
) -> list[Trial]:
    """Try all methods on all repeats; what is done already in the folder is kept.

    Args:
        config: what to try.
        compounds: what to learn from and to test on.
        folder: of the run.
        program: curves that a program computed for some of the compounds, to be tried as well.
        on_trial: told how many are done, and how many there are, after each.
    """
    path = folder / TRIALS
    found = read_trials(path)
    done = {(trial.method, trial.element, trial.repeat): trial for trial in found}
    methods: dict[str, Calibrator] = {n: calibrator(n) for n in (UNCALIBRATED, *config.methods)}
    methods |= of_program(program) if program else {}
    wanted = list(_wanted(config, compounds, program))
    on_trial(len(done), len(wanted))
    for repeat, name in wanted:
        if earlier := done.get((name, repeat.element, repeat.number)):
            earlier.refuse_other_than(compounds, repeat, path)
            continue
        numbers = np.concatenate([getattr(repeat, part) for part in PARTS])
        calibration = methods[name].fit(compounds, repeat)
        trial = score(compounds, repeat, name, answers(compounds, calibration, numbers))
        append_trial(path, trial)
        found.append(trial)
        on_trial(len(found), len(wanted))
    return found


def _wanted(
    config: CalibrationSettings, compounds: Compounds, program: CurvesCalibration | None
) -> Iterator[tuple[Repeat, str]]:
    curves = program.curves if program else {}
    for element in config.elements:
        names = curves.get(element, {})
        known = {n for n, s in enumerate(compounds.sites) if s.absorber == element}
        known &= {n for n in known if compounds.sites[n].name in names}
        for repeat in draw_repeats(
            compounds, element, config.split_by, config.repeats, config.seed
        ):
            for name in dict.fromkeys((UNCALIBRATED, *config.methods)):
                yield repeat, name
            of_known = repeat.only(known)
            if all(len(getattr(of_known, part)) for part in PARTS):
                yield of_known, PROGRAM
                yield of_known, PROGRAM_RIGID
