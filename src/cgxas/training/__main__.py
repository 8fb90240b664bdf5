"""Train a prepared run where only torch, numpy and pydantic are: python -m cgxas.training RUN."""

import argparse
import sys
from pathlib import Path

from cgxas.data.dataset import Dataset
from cgxas.data.split import find_split
from cgxas.errors import CgxasError, ConfigError
from cgxas.jsonfile import JsonFile
from cgxas.training.fit import Epoch, Job, Silent, fit, new_network
from cgxas.training.processes import processes
from cgxas.training.settings import RunSettings

_CURE = "prepare it with 'cgxas train --prepare'"


class _Lines(Silent):
    """Writes a line per epoch."""

    def on_epoch(self, epoch: Epoch) -> None:
        """Say what the epoch gave."""
        sys.stderr.write(
            f"epoch {epoch.epoch}: training loss {epoch.train_loss:.5f}, validation RSE "
            f"{epoch.validation_rse:.5f}, {epoch.spectra_per_second:.0f} spectra/s\n"
        )


def main(words: list[str] | None = None) -> int:
    """Train, or go on training; 2 and a sentence on stderr if that cannot be done."""
    parser = argparse.ArgumentParser(
        prog="python -m cgxas.training",
        description="Train a run that 'cgxas train --prepare' wrote; 'cgxas train --resume' on "
        "the first machine then tests the model and writes it.",
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="the run folder")
    path: Path = parser.parse_args(words).run
    try:
        config = RunSettings.from_toml(path / "config.toml")
        dataset = Dataset.load(path / "data").renumbered(config.model.fidelities)
        element = JsonFile(path / "run.json", ConfigError, "run", _CURE).values()["element"]
        parts = find_split(path / "split.json", dataset.key.tolist())
        split = dataset.only(parts, element)
        with processes() as group:
            watcher = _Lines() if group.is_first else Silent()
            job = Job(dataset, split, config.training, path, group, watcher)
            fit(new_network(job, config.model), job)
    except CgxasError as error:
        sys.stderr.write(f"cgxas: {error}\n")
        return 2
    except (OSError, ValueError, KeyError):
        sys.stderr.write(f"cgxas: {path} is not a run that 'cgxas train --prepare' wrote\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
