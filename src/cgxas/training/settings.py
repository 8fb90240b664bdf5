"""How a network is trained: frozen dataclasses, stored in every checkpoint they make."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field

from cgxas.data.split import SplitSettings
from cgxas.errors import ConfigError
from cgxas.model.architecture import ArchitectureSettings
from cgxas.model.cgxas.config import CGXASConfig
from cgxas.model.kernel import KernelSettings
from cgxas.reading import read_bounded
from cgxas.settings import FileName, Seed, Settings

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
        beta2: how long squared gradients are remembered; less than 0.999 recovers sooner from a
            batch unlike the others.
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

    epochs: Annotated[int, Field(ge=1, le=1_000_000)] = 60
    batch_crystals: Annotated[int, Field(ge=1, le=100_000)] = 32
    optimiser: Optimiser = "adamw"
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 1e-3
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 1e-2
    beta2: Annotated[float, Field(gt=0, lt=1)] = 0.999
    schedule: Schedule = "cosine"
    clip_norm: Annotated[float, Field(gt=0, le=1e6)] = 1.0
    uncertain_weight: Annotated[float, Field(ge=0, le=1)] = 1.0
    balance: Annotated[float, Field(ge=0, le=1)] = 0.0
    slope_weight: Annotated[float, Field(ge=0, le=1000)] = 0.0
    seed: Seed = 0
    compile: bool = False


PAPER = TrainingSettings(
    epochs=100, optimiser="adam", learning_rate=1e-4, schedule="constant", weight_decay=0.0
)
"""As the paper prints it (arXiv:2512.23449): Adam, 1e-4, 100 epochs."""

REFERENCE = TrainingSettings(epochs=100, batch_crystals=128, learning_rate=1e-3, schedule="step")
"""As the authors' scripts set it: AdamW, 1e-3, x 0.8 every 10 epochs, batches of 128."""

FINETUNE = TrainingSettings(epochs=40, learning_rate=3e-4)
"""For the head of a trained model alone."""


@dataclass(frozen=True)
class RunSettings(Settings):
    """Everything that defines a run, as written in a TOML file.

    Attributes:
        name: how the model will be called.
        model: table [model].
        training: table [training].
        split: table [split].
        kernel: table [kernel].
    """

    name: FileName
    model: ArchitectureSettings = field(default_factory=CGXASConfig)
    training: TrainingSettings = field(default_factory=TrainingSettings)
    split: SplitSettings = field(default_factory=SplitSettings)
    kernel: KernelSettings = field(default_factory=KernelSettings)

    @classmethod
    def from_toml(cls, path: Path, words: Sequence[str] = ()) -> Self:
        """Read a TOML file.

        Args:
            path: of the file.
            words: what is set otherwise than there, as in `changed`.

        Raises:
            ConfigError: it is missing, not TOML, or holds what is not allowed.
        """
        try:
            is_empty = path.is_file() and not path.stat().st_size  # words may say all there is
            text = "" if is_empty else read_bounded(path, ConfigError).decode("utf-8-sig")
            values = tomllib.loads(text)
        except ConfigError:
            raise
        except RecursionError as error:
            raise ConfigError(f"{path} is not a readable TOML file: nested too deep") from error
        except (OSError, ValueError) as error:  # also numbers of 4300 digits
            raise ConfigError(f"{path} is not a readable TOML file: {error}") from error
        place = " ".join([f"{path} with", *words]) if words else path
        try:
            return cls.from_dict(_overridden(values, words))
        except ConfigError as error:
            raise ConfigError(f"{place}: {error}") from error

    def changed(self, words: Sequence[str]) -> Self:
        """Return the same with some keys set by words such as ``training.epochs=5``.

        A value is written as in TOML; one that is not TOML is a text, so that a text needs no
        quotes. The last word on a key counts.

        Raises:
            ConfigError: a word is not KEY=VALUE, or says what is not allowed.
        """
        return self.from_dict(_overridden(self.to_dict(), words))

    @property
    def tables(self) -> dict[str, dict[str, Any]]:
        """The tables as plain values."""
        return {name: value for name, value in self.to_dict().items() if name != "name"}

    def to_toml(self) -> str:
        """Return the file that reads back as this, every setting written out."""
        import tomli_w  # a machine that only trains has none

        return tomli_w.dumps(self.to_dict())


def _overridden(values: dict[str, Any], words: Sequence[str]) -> dict[str, Any]:
    """Set keys of nested dictionaries by words, in place."""
    for word in words:
        key, sign, text = word.partition("=")
        *tables, name = key.strip().split(".")
        if not sign:
            raise ConfigError(
                f"{word!r} is not KEY=VALUE, such as training.epochs=5; every folder of data has "
                "a --data of its own"
            )
        place = values
        for table in tables:
            place = place.setdefault(table, {})
            if not isinstance(place, dict):
                raise ConfigError(f"there is no key {key.strip()!r}: {table} is not a table")
        place[name] = _value(text)
    return values


def _value(text: str) -> Any:
    """Return the value a piece of TOML stands for, the text itself if it is none."""
    try:
        found = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    return found["value"] if len(found) == 1 else text
