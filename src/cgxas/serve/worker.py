"""The process that computes: it holds the model, takes jobs from a pipe, and gives answers."""

import os
import signal
import warnings
from multiprocessing.connection import Connection

from cgxas.errors import CgxasError, CgxasWarning
from cgxas.limits import ATOMS, FILE_SIZE, JSON_VALUES

SERVED = {ATOMS.variable: 2_000, FILE_SIZE.variable: 20_000_000, JSON_VALUES.variable: 500_000}
"""Limits of a server, which many use at once, unless the environment sets others."""


def run(pipe: Connection, model: str | None) -> None:
    """Load the model, say so, and answer until the other end is closed.

    First an empty text is sent, or why the model cannot be loaded; then for each list of jobs
    that is received, pairs of the number of a job and its answer.

    Args:
        pipe: to the server.
        model: name or path of the model; None: the usual one.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends this one
    for name, value in SERVED.items():
        os.environ.setdefault(name, str(value))
    warnings.simplefilter("ignore")
    warnings.simplefilter("always", CgxasWarning)
    try:
        from cgxas.serve.answers import Answerer

        answerer = Answerer.load(model)
    except CgxasError as error:
        pipe.send(str(error))
        return
    pipe.send("")
    try:
        while True:
            for pair in answerer.answer(pipe.recv()):
                pipe.send(pair)
    except (EOFError, OSError):  # the server has ended
        return
