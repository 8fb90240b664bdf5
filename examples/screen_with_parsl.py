"""Crystals answered by workers of Parsl; on a cluster, take the executor of its site instead.

Needs parsl. The function that is sent imports what it needs where it runs.
"""

import os
import sys
from itertools import islice
from pathlib import Path
from typing import Any

import parsl
from parsl.config import Config
from parsl.executors import HighThroughputExecutor
from parsl.providers import LocalProvider

import cgxas
from cgxas.data.collection import Collection
from cgxas.screening import Asked, answers

CRYSTALS = Path(__file__).parent


def main() -> None:
    """Answer for the oxygen of the crystals beside this file, four at a time."""
    # Parsl starts programs of its own by name; they lie beside this Python.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    here = HighThroughputExecutor(
        label="here",
        address="127.0.0.1",
        max_workers_per_node=2,
        provider=LocalProvider(init_blocks=1, max_blocks=1),
    )
    send: Any = parsl.python_app(answers)
    crystals = iter(Collection(CRYSTALS))
    with parsl.load(Config(executors=[here], run_dir="parsl_runs")):
        sent = []
        while some := list(islice(crystals, 4)):
            sent.append(send(some, Asked(("O",))))
        for future in sent:
            rows = future.result()
            for row in rows.spectra.to_pylist():
                print(f"{row['id']:18} E0 {cgxas.e0(row['energy'], row['norm']):.2f} eV")
            for failure in rows.failures:
                print(f"{failure.id:18} {failure.reason}")


if __name__ == "__main__":
    main()
