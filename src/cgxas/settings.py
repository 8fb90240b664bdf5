"""Settings: frozen dataclasses that refuse what they do not allow, and go into files and back.

The type of a field says what is allowed. Both the check (by pydantic, strict) and the sentence of
a refusal are made from it, so that they cannot drift apart::

    @dataclass(frozen=True)
    class Mine(Settings):
        title: ClassVar[str] = "mine"

        size: Annotated[int, Field(ge=1, le=64)] = 8

    Mine(size=0)  # ConfigError: mine.size = 0; it must be a whole number from 1 to 64

Where type and bounds do not tell what is allowed, `Field(description=...)` does.
"""

from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from difflib import get_close_matches
from typing import Annotated, Any, ClassVar, Self, get_type_hints

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError

from cgxas.errors import ConfigError

_STRICT = ConfigDict(strict=True, allow_inf_nan=False)
_LONGEST_NAME = 200  # bytes: file systems take 255, and endings are added
_WIDTH = 60


def _fit_for_a_file(name: str) -> str:
    is_plain = name == name.strip() and name.isprintable() and "/" not in name
    if not is_plain or name[:1] in ("", ".") or len(name.encode()) > _LONGEST_NAME:
        raise ValueError(name)
    return name


FileName = Annotated[
    str,
    AfterValidator(_fit_for_a_file),
    Field(
        description="a name for a file: printable, without /, no dot or space at its start, "
        f"at most {_LONGEST_NAME} bytes"
    ),
]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]


@dataclass(frozen=True)
class Settings:
    """Base of all settings: checked whenever they are made, also by `dataclasses.replace`.

    A field is of plain values (numbers, texts, choices, tuples of them), or settings of its own:
    then it is a table inside the table. A whole number is taken where any number is wanted, a
    list where a tuple is, a mapping where settings are; nothing else is converted.

    A subclass whose fields must fit each other checks that in its own ``__post_init__``, after
    this one.

    Attributes:
        title: of the table in a file, [model.graph]; empty for the file itself.

    Raises:
        ConfigError: a value is not allowed; the sentence names its key and says what is.
    """

    title: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for name, kind in _kinds(type(self)).items():
            checked = _checked(self.path(name), getattr(self, name), kind)
            object.__setattr__(self, name, checked)

    @classmethod
    def path(cls, name: str) -> str:
        """Return the whole dotted name of a key, such as training.epochs."""
        return f"{cls.title}.{name}" if cls.title else name

    @classmethod
    def keys_inside(cls) -> tuple[str, ...]:
        """Return the names of the keys there may be."""
        return tuple(_kinds(cls))

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain values; settings inside become dictionaries."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Build from plain values; what they leave out is as usual.

        Raises:
            ConfigError: there is an unknown key, a needed one is missing, or a value is not
                allowed.
        """
        kinds = _kinds(cls)
        for name in values:
            if name not in kinds:
                raise ConfigError(_unknown(cls, name))
        for field in fields(cls):
            needed = field.default is MISSING and field.default_factory is MISSING
            if needed and field.name not in values:
                raise ConfigError(
                    f"{cls.path(field.name)} is missing; it must be {_allowed(kinds[field.name])}"
                )
        return cls(**values)


_Kind = TypeAdapter[Any] | type[Settings]
_KINDS: dict[type[Settings], dict[str, _Kind]] = {}


def _kinds(settings: type[Settings]) -> dict[str, _Kind]:
    """Return what checks each field: settings check themselves, pydantic checks the others."""
    if settings not in _KINDS:  # making them takes far longer than a check
        hints = get_type_hints(settings, include_extras=True)
        _KINDS[settings] = {field.name: _kind(hints[field.name]) for field in fields(settings)}
    return _KINDS[settings]


def _kind(hint: Any) -> _Kind:
    if isinstance(hint, type) and issubclass(hint, Settings):
        return hint
    return TypeAdapter(hint, config=_STRICT)


def _checked(path: str, value: Any, kind: _Kind) -> Any:
    """Return a value as its field holds it; ConfigError if it is not allowed."""
    if isinstance(kind, TypeAdapter):
        try:  # files know lists alone
            return kind.validate_python(tuple(value) if isinstance(value, list) else value)
        except ValidationError:
            pass
    elif isinstance(value, Mapping):
        return kind.from_dict(value)
    elif isinstance(value, kind):
        return value
    raise ConfigError(f"{path} = {_shown(value)}; it must be {_allowed(kind)}")


def _unknown(settings: type[Settings], name: str) -> str:
    """Return the sentence on a key that is not there, with what may have been meant."""
    there = _kinds(settings)
    meant = {known: known for known in there}
    for table, kind in there.items():
        if not isinstance(kind, TypeAdapter):
            meant |= {k: f"{table}.{k}" for k in kind.keys_inside() if k not in meant}
    what = "key {} in [{}]" if settings.title else "key or table {}"
    close = get_close_matches(name, meant, n=1)
    cure = f"did you mean {meant[close[0]]}?" if close else f"there are {_listed(there, 'and')}"
    return f"there is no {what.format(_shown(name), settings.title)}; {cure}"


_PLAIN = {
    "integer": "a whole number",
    "number": "a finite number",
    "boolean": "true or false",
    "string": "a text",
    "array": "a list",
}


def _allowed(kind: _Kind) -> str:
    """Say what a field takes: its description, or else what its type and its bounds tell."""
    if not isinstance(kind, TypeAdapter):
        return f"a table with keys such as {next(iter(_kinds(kind)))}"
    schema = kind.json_schema()
    if "description" in schema:
        return str(schema["description"])
    if "enum" in schema or "const" in schema:
        return _listed(schema.get("enum") or [schema["const"]], "or")
    return f"{_PLAIN.get(schema.get('type', ''), 'something else')}{_bounds(schema)}"


def _bounds(schema: Mapping[str, Any]) -> str:
    """Say between which numbers a number must lie; nothing if anywhere."""
    words = {
        "of at least": "minimum",
        "above": "exclusiveMinimum",
        "at most": "maximum",
        "below": "exclusiveMaximum",
    }
    found = [f"{word} {schema[name]:.10g}" for word, name in words.items() if name in schema]
    if "minimum" in schema and "maximum" in schema:
        return f" from {schema['minimum']:.10g} to {schema['maximum']:.10g}"
    return f" {' and '.join(found)}" if found else ""


def _shown(value: Any) -> str:
    """Return a value as a file would have it, cut to a part of a line."""
    if isinstance(value, bool):
        return str(value).lower()
    try:
        text = repr(list(value) if isinstance(value, tuple) else value)
    except ValueError:  # Python writes no whole number of more than 4300 digits
        return "a number of thousands of digits"
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 3]}..."


def _listed(words: Mapping[str, Any] | list[str], last: str) -> str:
    """Return 'a, b and c'."""
    *others, final = words
    return f"{', '.join(others)} {last} {final}" if others else final
