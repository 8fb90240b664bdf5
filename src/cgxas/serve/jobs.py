"""What goes between the server and the process that computes: plain values, nothing heavy."""

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from cgxas.serve.files import Upload


@dataclass(frozen=True)
class Job:
    """One request.

    Attributes:
        verb: what is wanted, a key of `answers.VERBS`.
        crystals: files of crystals.
        scans: files of measured spectra.
        words: the rest of the request by name, texts, numbers and lists.
    """

    verb: str
    crystals: tuple[Upload, ...] = ()
    scans: tuple[Upload, ...] = ()
    words: dict[str, Any] = field(default_factory=dict)

    def word(self, name: str, default: Any = None) -> Any:
        """Return one of the words, or a default where it was not given."""
        found = self.words.get(name)
        return default if found is None else found


@dataclass(frozen=True)
class Found:
    """What is answered: a JSON document, or a file.

    Attributes:
        value: the document; None for a file.
        data: bytes of the file.
        name: of the file.
        media_type: of the file.
    """

    value: Any = None
    data: bytes = b""
    name: str = ""
    media_type: str = "application/json"


@dataclass(frozen=True)
class Refusal:
    """Why nothing is answered.

    Attributes:
        error: name of the error.
        detail: one sentence that tells the cure.
    """

    error: str
    detail: str


Answer: TypeAlias = Found | Refusal
