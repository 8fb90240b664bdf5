"""A whole training run: data-set folders and a configuration in, a checkpoint out."""

import hashlib
import json
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np

from cgxas.atomic import atomic_path
from cgxas.config import Config
from cgxas.data.dataset import build_dataset, on_grids
from cgxas.data.records import Record, Records, read_records
from cgxas.data.split import Part, Split, split_by_formula, split_by_spectrum
from cgxas.errors import ConfigError
from cgxas.evaluation.metrics import FloatArray
from cgxas.evaluation.report import Answers, Evaluation, evaluate
from cgxas.model.checkpoint import SUFFIX, Checkpoint, ElementCard
from cgxas.model.config import ModelConfig
from cgxas.model.network import CGXAS
from cgxas.spectra.windows import WINDOWS
from cgxas.training.config import TrainingConfig
from cgxas.training.fit import Epoch, fit, predict_targets


@dataclass(frozen=True)
class SplitConfig(Config):
    """How records are divided.

    Attributes:
        by: formula keeps all spectra of a reduced formula in one part; spectrum does not.
        train: share for training.
        validation: share for validation; the rest is for testing.
        seed: of the shuffle.
    """

    title: ClassVar[str] = "split"

    by: Literal["formula", "spectrum"] = "formula"
    train: float = 0.8
    validation: float = 0.1
    seed: int = 64

    def __post_init__(self) -> None:
        if self.by not in ("formula", "spectrum"):
            raise ConfigError(f"by = {self.by!r}; a split is by formula or by spectrum")

    def divide(self, records: Sequence[Record]) -> Split:
        """Return the parts."""
        shares = (self.train, self.validation)
        if self.by == "spectrum":
            return split_by_spectrum(len(records), shares, self.seed)
        formulas = [record.material.formula for record in records]
        elements = [record.element for record in records]
        return split_by_formula(formulas, elements, shares, self.seed)


@dataclass(frozen=True)
class RunConfig:
    """Everything that defines a run, as written in a TOML file.

    Attributes:
        name: how the model will be called.
        model: table [model].
        training: table [training].
        split: table [split].
    """

    name: str
    model: ModelConfig
    training: TrainingConfig
    split: SplitConfig

    @classmethod
    def from_toml(cls, path: Path) -> Self:
        """Read a TOML file.

        Raises:
            ConfigError: it is missing, not TOML, or holds what no run knows.
        """
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigError(f"{path} is not a readable TOML file: {error}") from error
        unknown = set(values) - {"name", "model", "training", "split"}
        if unknown:
            raise ConfigError(f"{path}: there is no table or key {sorted(unknown)[0]!r}")
        try:
            return cls(
                name=str(values["name"]),
                model=ModelConfig.from_dict(values.get("model", {})),
                training=TrainingConfig.from_dict(values.get("training", {})),
                split=SplitConfig.from_dict(values.get("split", {})),
            )
        except (KeyError, TypeError, ConfigError) as error:
            raise ConfigError(f"{path}: {error}") from error


def train(
    config: RunConfig,
    folders: Sequence[Path],
    run: Path,
    command: str,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> tuple[Checkpoint, Evaluation]:
    """Train a model, test it, and write it to the run folder as NAME.safetensors.

    A run that was interrupted goes on where it stopped.

    Args:
        config: the run.
        folders: data-set folders.
        run: where checkpoints, log and results go.
        command: the command line, for the provenance.
        on_epoch: told about every epoch.
    """
    records = read_records(folders)
    dataset = build_dataset(records.records, WINDOWS, config.model)
    split = config.split.divide(records.records)
    network = fit(dataset, split, config.model, config.training, run / "state", on_epoch)
    evaluation = score(network, records.records, split)
    checkpoint = Checkpoint(
        name=config.name,
        config=config.model,
        elements=_element_cards(records.records, split, config.training, evaluation),
        state=network.state_dict(),
        provenance=_provenance(config, records, split, evaluation, command),
    )
    checkpoint.save(run / f"{config.name}{SUFFIX}")
    with atomic_path(run / "evaluation.json") as temporary:
        temporary.write_text(json.dumps(evaluation.to_json(), indent=1))
    return checkpoint, evaluation


def retest(checkpoint: Checkpoint, folders: Sequence[Path], part: Part = "test") -> Evaluation:
    """Score a trained model on a part of the data it was trained with.

    Raises:
        ConfigError: the model does not tell its split, or the data are not those it came from.
    """
    configuration = checkpoint.provenance.get("configuration", {})
    if "split" not in configuration:
        raise ConfigError(f"{checkpoint.name} does not tell how its data were split")
    records = read_records(folders)
    if records.sha256 != checkpoint.provenance["data_sha256"]:
        raise ConfigError(
            f"these are not the data {checkpoint.name} was trained with "
            f"({', '.join(checkpoint.provenance['data'])}), so its test part is not known here"
        )
    split = SplitConfig.from_dict(configuration["split"]).divide(records.records)
    return score(checkpoint.network(), records.records, split, part)


def score(
    network: CGXAS, records: Sequence[Record], split: Split, part: Part = "test"
) -> Evaluation:
    """Score a network on the records of a part whose site is certain."""
    tested = [records[n] for n in getattr(split, part) if records[n].site_certain]
    train = [records[n] for n in split.train]
    dataset = build_dataset(tested, WINDOWS, network.config)
    answers = predict_targets(network, dataset, np.arange(len(tested)))
    predicted = np.concatenate([spectra.double().numpy() for _, _, spectra in answers])
    n_points = network.config.n_outputs
    return evaluate(
        Answers(tested, _computed(tested, n_points), predicted),
        train,
        _computed(train, n_points),
        WINDOWS,
    )


def _computed(records: Sequence[Record], n_points: int) -> FloatArray:
    """Return (T, P) spectra on their grids, NaN where the source did not compute them."""
    mu, computed = on_grids(records, WINDOWS, n_points)
    return np.where(computed > 0, mu, np.nan).astype(np.float64)


def _element_cards(
    records: Sequence[Record], split: Split, training: TrainingConfig, evaluation: Evaluation
) -> dict[str, ElementCard]:
    learnt = [
        records[n].element
        for n in split.train
        if records[n].site_certain or training.uncertain_weight > 0
    ]
    cards = {}
    for symbol in sorted(set(learnt), key=list(WINDOWS).index):
        scores = evaluation.elements.get(symbol)
        cards[symbol] = ElementCard(
            grid=WINDOWS[symbol],
            n_train=learnt.count(symbol),
            n_test=scores.n if scores else 0,
            test_rse=scores.rse if scores else None,
            test_pcc=scores.pcc if scores else None,
        )
    return cards


def _provenance(
    config: RunConfig, records: Records, split: Split, evaluation: Evaluation, command: str
) -> dict[str, Any]:
    theories = [record.theory for record in records.records]
    configuration = {
        "model": config.model.to_dict(),
        "training": config.training.to_dict(),
        "split": config.split.to_dict(),
    }
    return {
        "data": list(records.names),
        "data_sha256": records.sha256,
        "theories": {theory: theories.count(theory) for theory in sorted(set(theories))},
        "spectra": {part: len(getattr(split, part)) for part in ("train", "validation", "test")},
        "split_sha256": split.sha256,
        "configuration": configuration,
        "configuration_sha256": hashlib.sha256(
            json.dumps(configuration, sort_keys=True).encode()
        ).hexdigest(),
        "metrics": asdict(evaluation.overall),
        "command": command,
        "date": datetime.now(UTC).date().isoformat(),
        "cgxas": version("cgxas"),
        "torch": version("torch"),
        "references": ["arXiv:2512.23449", "doi:10.1038/s43246-021-00194-3"],
    }
