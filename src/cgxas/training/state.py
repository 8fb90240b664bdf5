"""What a run needs to go on as if it had never stopped."""

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor

from cgxas.errors import ConfigError
from cgxas.jsonfile import as_kind
from cgxas.model.architecture import Architecture
from cgxas.model.container import load_torch
from cgxas.reading import read_bounded
from cgxas.writing import atomic_path


@dataclass(frozen=True)
class _Progress:
    """What of a state is plain values.

    Attributes:
        epoch: epochs that are done.
        step: steps done of the next one.
        losses: losses of those steps.
    """

    epoch: Annotated[int, Field(ge=0)]
    step: Annotated[int, Field(ge=0)]
    losses: tuple[float, ...]


_PROGRESS = ("epoch", "step", "losses")


@dataclass(eq=False)
class State:
    """A training run between two steps.

    Attributes:
        network: the network.
        optimiser: and its moments.
        schedule: of the learning rate.
        epoch: epochs that are done.
        step: steps done of the next one.
        losses: losses of those steps.
        best: lowest validation RSE so far.
    """

    network: Architecture
    optimiser: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    epoch: int = 0
    step: int = 0
    losses: list[Tensor] = field(default_factory=list)
    best: float = math.inf

    def save(self, path: Path) -> None:
        """Write the state; it appears whole or not at all."""
        values: dict[str, Any] = {
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
            "epoch": self.epoch,
            "step": self.step,
            "losses": [float(loss) for loss in self.losses],
            "best": self.best,
            "random": torch.get_rng_state(),
        }
        if torch.cuda.is_available():
            values["random_cuda"] = torch.cuda.get_rng_state()
        content = io.BytesIO()
        torch.save(values, content)
        with atomic_path(path) as temporary:
            # Not torch.save: its errors do not say that it is the disk that refuses.
            temporary.write_bytes(content.getbuffer())

    def load(self, path: Path) -> None:
        """Go back to a saved state, the random numbers of dropout included.

        Raises:
            ConfigError: it is not a state, or one of another network.
        """
        try:
            values = load_torch(path, ConfigError)
            told = as_kind(_Progress, {name: values[name] for name in _PROGRESS})
            self.network.load_state_dict(values["network"])
            self.optimiser.load_state_dict(values["optimiser"])
            self.schedule.load_state_dict(values["schedule"])
            torch.set_rng_state(values["random"])
            self.best = float(values["best"])
        except ConfigError:
            raise
        except Exception as error:  # a damaged file fails in any way
            raise ConfigError(
                f"{path} is damaged, or of another network; remove it to begin anew"
            ) from error
        self.epoch, self.step = told.epoch, told.step
        device = next(self.network.parameters()).device
        self.losses = [torch.tensor(loss, device=device) for loss in told.losses]
        if torch.cuda.is_available() and "random_cuda" in values:
            torch.cuda.set_rng_state(values["random_cuda"])


def append_row(path: Path, row: Mapping[str, float]) -> None:
    """Add a row to a CSV log; rows of an epoch that is done over are dropped first."""
    rows: list[dict[str, str]] = []
    if path.exists():
        text = read_bounded(path, ConfigError).decode(errors="replace")
        try:
            old = list(csv.DictReader(text.splitlines()))
            rows = [each for each in old if float(each["epoch"]) < row["epoch"]]
        except (ValueError, TypeError, KeyError, csv.Error) as error:
            raise ConfigError(f"{path} is damaged; remove it to go on without it") from error
        if any(set(each) != set(row) for each in rows):
            raise ConfigError(f"{path} has other columns than a log; remove it to go on without it")
    with atomic_path(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        writer.writeheader()
        writer.writerows(rows)
        writer.writerow({name: f"{value:.6g}" for name, value in row.items()})
