"""Settings as frozen dataclasses that go into files and come back."""

from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Self

from cgxas.errors import ConfigError


@dataclass(frozen=True)
class Settings:
    """Base of the settings: plain values out, plain values in.

    Attributes:
        title: what the settings are of, for messages.
    """

    title: ClassVar[str]

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Build from plain values; ConfigError on unknown names."""
        unknown = set(values) - {field.name for field in fields(cls)}
        if unknown:
            raise ConfigError(f"the {cls.title} configuration has no {sorted(unknown)[0]!r}")
        return cls(**values)
