"""How a network is trained: one frozen dataclass, stored in every checkpoint it makes."""

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from cgxas.config import Config
from cgxas.errors import ConfigError

Optimiser = Literal["adam", "adamw"]
Schedule = Literal["constant", "step", "cosine"]


@dataclass(frozen=True)
class TrainingConfig(Config):
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


PAPER = TrainingConfig(
    epochs=100, optimiser="adam", learning_rate=1e-4, schedule="constant", weight_decay=0.0
)
"""As the paper prints it (arXiv:2512.23449): Adam, 1e-4, 100 epochs."""

REFERENCE = TrainingConfig(epochs=100, batch_crystals=128, learning_rate=1e-3, schedule="step")
"""As the authors' scripts set it: AdamW, 1e-3, x 0.8 every 10 epochs, batches of 128."""
