"""How far an answer can be trusted: how much like it was learnt from, and the error to expect."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import isfinite
from typing import Literal, Self, TypeAlias, get_args

from cgxas.arguments import one_of_kind
from cgxas.errors import SpectrumError

Word: TypeAlias = Literal["seen", "near", "far"]
WORDS: tuple[Word, ...] = get_args(Word)
"""From the best to the worst."""

_PREFIX = "trust_"
_JOINT = {"seen": "seen,", "near": "near", "far": "far from"}


@dataclass(frozen=True)
class Trust:
    """How much like a crystal a model has learnt from, and how wrong its answer may be.

    Attributes:
        word: "seen": the compound itself was learnt from; "near": its like was; "far": nothing
            that tells much about it was, and the answer is a guess.
        nearest: formula of the nearest compound that was learnt from; empty if there is none.
        distance: how far that is; 0 the same surroundings, 1 the border between near and far.
        expected_rse: relative squared error to expect, sum (error)^2 / sum norm^2; None where the
            model does not tell.
        reason: why it is far, in a few words: "never met Ba beside S"; empty otherwise.

    Raises:
        SpectrumError: The word is another one, or a number is negative or not finite.
    """

    word: Word
    nearest: str = ""
    distance: float = 0.0
    expected_rse: float | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        if self.word not in WORDS:
            raise SpectrumError(f"Trust is one of {', '.join(WORDS)}, not {self.word!r:.40}.")
        for name in ("nearest", "reason"):
            one_of_kind(getattr(self, name), str, f"{name} of a trust is a text", SpectrumError)
        rse = 0.0 if self.expected_rse is None else self.expected_rse
        for what, number in (("The distance", self.distance), ("The expected RSE", rse)):
            if type(number) not in (int, float) or not isfinite(number) or number < 0:
                raise SpectrumError(f"{what} of a trust is a number from 0, not {number!r:.40}.")

    @property
    def text(self) -> str:
        """The word and the nearest compound: ``near FeO (0.42)``, ``far from CaSO4 (1.90)``.

        Without such a compound the reason stands in its place.
        """
        if not self.nearest:
            return ": ".join(filter(None, [self.word, self.reason]))
        distance = "" if self.word == "seen" else f" ({self.distance:.2f})"
        return f"{_JOINT[self.word]} {self.nearest}{distance}"

    @property
    def facts(self) -> dict[str, str | float | None]:
        """What a file tells of it: the word under ``trust``, the rest as ``trust_nearest`` ..."""
        own: dict[str, str | float | None] = {
            f"{_PREFIX}{name}": value for name, value in vars(self).items() if name != "word"
        }
        return {"trust": self.word, **own}

    @classmethod
    def of_facts(cls, told: Mapping[str, object]) -> Self | None:
        """Undo `facts`; numbers may be texts, and others may stand among them.

        Args:
            told: What a file tells, by name.

        Returns:
            The trust; None if the file tells of none.

        Raises:
            SpectrumError: What it tells is no trust.
        """
        word = told.get("trust")
        if word is None or word == "":
            return None
        try:
            return cls(
                word=word,  # type: ignore[arg-type]  # which is checked
                nearest=str(told.get(f"{_PREFIX}nearest") or ""),
                distance=_number(told.get(f"{_PREFIX}distance")) or 0.0,
                expected_rse=_number(told.get(f"{_PREFIX}expected_rse")),
                reason=str(told.get(f"{_PREFIX}reason") or ""),
            )
        except (ValueError, TypeError) as error:
            raise SpectrumError(f"It tells a trust in the answer that is none: {error}") from error

    @classmethod
    def worst(cls, several: "Iterable[Trust]") -> "Trust | None":
        """Return the worst of the trusts in the parts of an answer, with the largest error.

        Args:
            several: Of the parts; None is returned if there are none.
        """
        found = list(several)
        if not found:
            return None
        worst = max(found, key=lambda each: (WORDS.index(each.word), each.distance))
        errors = [each.expected_rse for each in found if each.expected_rse is not None]
        return replace(worst, expected_rse=max(errors, default=None))


def _number(value: object) -> float | None:
    if value is None or value == "":
        return None
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return float(value)
    raise TypeError(f"{value!r:.40} is no number")
