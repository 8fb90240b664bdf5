"""A socket, and the server that runs on it until it is told to stop."""

import socket

from cgxas.errors import ConfigError
from cgxas.limits import WAITING
from cgxas.serve.settings import ServerSettings

_IDLE = 5  # seconds that a connection may wait for its next request


def listening(settings: ServerSettings) -> socket.socket:
    """Return a socket that listens, before anything heavy is loaded.

    Args:
        settings: of the server.

    Raises:
        OSError: the address is taken, or none of this machine.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    return socket.create_server((settings.host, settings.port), family=family)


def serve_on(listener: socket.socket, settings: ServerSettings) -> None:
    """Serve until Ctrl-C or SIGTERM; requests that run are answered first.

    Args:
        listener: as `listening` returns it.
        settings: of the server.

    Raises:
        ConfigError: the model cannot be loaded; the message says why.
    """
    import uvicorn

    from cgxas.serve.app import create_app
    from cgxas.serve.connection import Connection

    failures: list[str] = []

    def end(failure: str) -> None:
        failures.append(failure)
        server.should_exit = True

    config = uvicorn.Config(
        create_app(settings, end),
        http=Connection,
        log_level="warning",
        server_header=False,
        timeout_keep_alive=_IDLE,
        timeout_graceful_shutdown=_IDLE,
        limit_concurrency=8 * WAITING.value,
        ws="none",
    )
    server = uvicorn.Server(config)
    server.run(sockets=[listener])
    if failures:
        raise ConfigError(failures[0])
