"""What a server is told when it starts."""

from dataclasses import dataclass

from cgxas.errors import ConfigError

LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""Addresses that nobody else can reach."""

MIN_TOKEN = 16
"""Characters of a token; shorter ones can be tried out."""


@dataclass(frozen=True)
class ServerSettings:
    """Where a server listens, whom it answers, and with what.

    Attributes:
        host: address it listens at.
        port: its number, 0 for any free one.
        token: what callers must know; empty: everybody on this machine is answered.
        model: name or path of the model; None: the usual one.
        workers: processes that compute, each with the model in its memory.

    Raises:
        ConfigError: a number is impossible, the token too short, or missing where others can call.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    token: str = ""
    model: str | None = None
    workers: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65_535:
            raise ConfigError(f"a port is a number from 0 to 65535, not {self.port}")
        if not 1 <= self.workers <= 64:
            raise ConfigError(f"workers are a number from 1 to 64, not {self.workers}")
        if not (self.token.isascii() and self.token.isprintable()) or " " in self.token:
            raise ConfigError("a token is made of ASCII letters, digits and signs, without blanks")
        if self.token and len(self.token) < MIN_TOKEN:
            raise ConfigError(f"a token needs at least {MIN_TOKEN} characters")
        if self.host not in LOOPBACK and not self.token:
            raise ConfigError(
                f"{self.host} can be reached from other machines: give a token of at least "
                f"{MIN_TOKEN} characters with --token or in CGXAS_TOKEN"
            )
