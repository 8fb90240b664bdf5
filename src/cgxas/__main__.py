"""The command line, for ``python -m cgxas`` and ``torchrun -m cgxas``."""

from cgxas.cli import main

main()
