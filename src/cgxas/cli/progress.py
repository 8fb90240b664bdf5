"""A training run as the terminal sees it: a bar, a line per epoch, and a clean stop on request."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from cgxas.cli.messages import say

if TYPE_CHECKING:
    from cgxas.data.dataset import Dataset
    from cgxas.training.fit import Epoch, Watcher


class TerminalWatcher:
    """Tells of a run on stderr, and lets SIGTERM and Ctrl-C stop it after the step."""

    def __init__(self, tensorboard: Path | None) -> None:
        """Begin to watch.

        Args:
            tensorboard: folder for TensorBoard's event files; None for none.
        """
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        columns = ("{task.percentage:>3.0f} %", "{task.fields[speed]}", "time left")
        self.progress = Progress(
            BarColumn(),
            *(TextColumn(column) for column in columns),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self.progress.add_task("training", total=None, speed="")
        self._writer: Any = _summary_writer(tensorboard) if tensorboard else None
        self._spectra, self._stop = 0, False

    def stop(self, *_: int | FrameType | None) -> None:
        """Ask the run to stop after its step."""
        self._stop = True

    def on_data(self, dataset: "Dataset") -> None:
        """Say how much there is to learn from."""
        say(
            f"{len(dataset):,} spectra on {dataset.n_crystals:,} crystals with "
            f"{len(dataset.numbers):,} nodes: {dataset.bytes_per_spectrum:.0f} bytes per "
            f"spectrum, {dataset.bytes_per_node:.0f} per node"
        )

    def on_start(self, steps: int, done: int) -> None:
        """Set up the bar."""
        self.progress.update(self._task, total=steps, completed=done)

    def on_step(self, n_spectra: int) -> None:
        """Move the bar."""
        self._spectra += n_spectra
        elapsed = self.progress.tasks[0].elapsed or 0.0
        speed = f"{self._spectra / elapsed:.0f} spectra/s" if elapsed else ""
        self.progress.update(self._task, advance=1, speed=speed)

    def on_epoch(self, epoch: "Epoch") -> None:
        """Say what the epoch gave."""
        self.progress.console.print(
            f"epoch {epoch.epoch}: training loss {epoch.train_loss:.5f}, validation RSE "
            f"{epoch.validation_rse:.5f}, {epoch.spectra_per_second:.0f} spectra/s",
            highlight=False,
            soft_wrap=True,
        )
        if self._writer:
            for name, value in vars(epoch).items():
                self._writer.add_scalar(name, value, epoch.epoch)
            self._writer.flush()

    def wants_to_stop(self) -> bool:
        """Whether a signal came."""
        return self._stop


@contextmanager
def watching(run: Path, tensorboard: bool) -> "Iterator[Watcher]":
    """Watch a run for the length of the block; only the first process says anything.

    Args:
        run: its folder.
        tensorboard: write event files to a folder in it.
    """
    is_first = os.environ.get("RANK", "0") == "0"  # as torchrun numbers the processes
    watcher = TerminalWatcher(run / "tensorboard" if tensorboard and is_first else None)
    watcher.progress.disable = not (is_first and watcher.progress.console.is_terminal)
    watcher.progress.console.quiet = not is_first
    before = {s: signal.signal(s, watcher.stop) for s in (signal.SIGTERM, signal.SIGINT)}
    try:
        with watcher.progress:
            yield watcher
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _summary_writer(folder: Path) -> Any:
    from cgxas.errors import MissingExtra

    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise MissingExtra.of("TensorBoard", "tensorboard") from error
    return SummaryWriter(str(folder))
