"""How a network is trained: frozen dataclasses, stored in every checkpoint they make."""

import json
import tomllib
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, get_args

from cgxas.data.split import SEED, SplitBy
from cgxas.errors import ConfigError
from cgxas.model.cgxas.config import CGXASConfig
from cgxas.settings import Settings

Optimiser = Literal["adam", "adamw"]
Schedule = Literal["constant", "step", "cosine"]


@dataclass(frozen=True)
class TrainingSettings(Settings):
    """Settings of the training loop.

    Attributes:
        epochs: passes over the training part.
        batch_crystals: crystals in a step; all their spectra are learnt in one graph pass.
        optimiser: Adam (Kingma & Ba, arXiv:1412.6980) or AdamW (arXiv:1711.05101).
        learning_rate: at its highest.
        weight_decay: of AdamW.
        schedule: constant; step: x 0.8 every 10 epochs; cosine: a linear warm-up over the first
            twentieth of the steps, then a cosine down to zero.
        clip_norm: largest length of the gradient of a step.
        uncertain_weight: weight of spectra whose site is not certain; 0 leaves them out.
        balance: spectra of an element with n of them weigh n^-balance, relative to each other.
        slope_weight: weight of the RSE of first differences, added to the RSE of the spectrum.
        seed: of the first weights, the order of crystals and the dropout.
        compile: let torch.compile fuse the graph part.
    """

    title: ClassVar[str] = "training"

    epochs: int = 60
    batch_crystals: int = 32
    optimiser: Optimiser = "adamw"
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    schedule: Schedule = "cosine"
    clip_norm: float = 1.0
    uncertain_weight: float = 1.0
    balance: float = 0.0
    slope_weight: float = 0.0
    seed: int = 0
    compile: bool = False

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_crystals"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise ConfigError(f"{name} = {value!r}; it must be a whole number of at least 1")
        for name in ("learning_rate", "clip_norm"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name} = {getattr(self, name)!r}; it must be above 0")
        for name in ("weight_decay", "uncertain_weight", "balance", "slope_weight"):
            if not getattr(self, name) >= 0:
                raise ConfigError(f"{name} = {getattr(self, name)!r}; it must be at least 0")
        if self.optimiser not in get_args(Optimiser):
            raise ConfigError(f"optimiser = {self.optimiser!r}; it must be adam or adamw")
        if self.schedule not in get_args(Schedule):
            raise ConfigError(f"schedule = {self.schedule!r}; it must be constant, step or cosine")


PAPER = TrainingSettings(
    epochs=100, optimiser="adam", learning_rate=1e-4, schedule="constant", weight_decay=0.0
)
"""As the paper prints it (arXiv:2512.23449): Adam, 1e-4, 100 epochs."""

REFERENCE = TrainingSettings(epochs=100, batch_crystals=128, learning_rate=1e-3, schedule="step")
"""As the authors' scripts set it: AdamW, 1e-3, x 0.8 every 10 epochs, batches of 128."""

FINETUNE = TrainingSettings(epochs=40, learning_rate=3e-4)
"""For the head of a trained model alone."""


@dataclass(frozen=True)
class SplitSettings(Settings):
    """How records are divided.

    Attributes:
        by: what stays in one part: all spectra of a reduced formula, of a crystal, or nothing.
        train: share for training.
        validation: share for validation; the rest is for testing.
        seed: of the shuffle.
    """

    title: ClassVar[str] = "split"

    by: SplitBy = "formula"
    train: float = 0.6
    validation: float = 0.2
    seed: int = SEED

    def __post_init__(self) -> None:
        if self.by not in get_args(SplitBy):
            raise ConfigError(f"by = {self.by!r}; a split is by {', '.join(get_args(SplitBy))}")

    @property
    def fractions(self) -> tuple[float, float]:
        """Shares for training and validation."""
        return self.train, self.validation


@dataclass(frozen=True)
class RunSettings:
    """Everything that defines a run, as written in a TOML file.

    Attributes:
        name: how the model will be called.
        model: table [model].
        training: table [training].
        split: table [split].
    """

    name: str
    model: CGXASConfig
    training: TrainingSettings
    split: SplitSettings

    def __post_init__(self) -> None:
        if not self.name or Path(self.name).name != self.name:
            raise ConfigError(f"name = {self.name!r}; it must be one a file can have")

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
                model=CGXASConfig.from_dict(values.get("model", {})),
                training=TrainingSettings.from_dict(values.get("training", {})),
                split=SplitSettings.from_dict(values.get("split", {})),
            )
        except (KeyError, TypeError, ConfigError) as error:
            raise ConfigError(f"{path}: {error}") from error

    @property
    def tables(self) -> dict[str, dict[str, Any]]:
        """The tables as plain values."""
        return {
            "model": self.model.to_dict(),
            "training": self.training.to_dict(),
            "split": self.split.to_dict(),
        }

    def to_toml(self) -> str:
        """Return the file that reads back as this; values are numbers, words and lists."""
        write = partial(json.dumps, ensure_ascii=False)  # TOML knows no halves of characters
        lines = [f"name = {write(self.name)}"]
        for title, values in self.tables.items():
            lines += ["", f"[{title}]", *(f"{k} = {write(v)}" for k, v in values.items())]
        return "\n".join(lines) + "\n"
