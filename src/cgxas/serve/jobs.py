"""What goes between the server and the process that computes: plain values, nothing heavy."""

import json
from dataclasses import dataclass, field
from typing import Any, Self, TypeAlias

from cgxas.serve.files import Upload


@dataclass(frozen=True)
class Job:
    """One request.

    Attributes:
        verb: what is wanted, as the path of the interface calls it.
        crystals: files of crystals.
        scans: files of measured spectra.
        words: the rest of the request by name, texts, numbers and lists.
        references: files of crystals or of measured spectra.
        tables: files of tables.
    """

    verb: str
    crystals: tuple[Upload, ...] = ()
    scans: tuple[Upload, ...] = ()
    words: dict[str, Any] = field(default_factory=dict)
    references: tuple[Upload, ...] = ()
    tables: tuple[Upload, ...] = ()

    def word(self, name: str, default: Any = None) -> Any:
        """Return one of the words, or a default where it was not given."""
        found = self.words.get(name)
        return default if found is None else found


@dataclass(frozen=True)
class Found:
    """What is answered: a JSON document, or a file.

    Attributes:
        data: bytes of it.
        name: of the file; empty for a document.
        media_type: of it.
    """

    data: bytes
    name: str = ""
    media_type: str = "application/json"

    @classmethod
    def json(cls, values: Any) -> Self:
        """Return a document, written where it was computed: the server has others to serve."""
        text = json.dumps(values, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return cls(text.encode("utf-8", "replace"))


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
