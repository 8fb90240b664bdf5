"""Numbers as CIFs write them: with standard uncertainties, fractions, or none at all."""

import math
import re

from cgxas.errors import InvalidCell

_NUMBER = re.compile(
    r"([+-]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eEdD][+-]?\d{1,3})?)\s*(?:\([\d.,]*\)?)?(?:/(\d+(?:\.\d*)?))?"
)
_LONGEST = 60


def number(text: str, what: str) -> float:
    """Return a number such as 4.445(1), -.25, 1/3 or 4,445.

    Args:
        text: as the file writes it.
        what: subject of the message, such as "a.cif: _cell_length_a".

    Raises:
        InvalidCell: it is no finite number.
    """
    text = text.strip().removesuffix(",")
    match = _NUMBER.fullmatch(text) if len(text) <= _LONGEST else None
    if match is not None:
        value = float(match[1].replace(",", ".").lower().replace("d", "e"))
        value /= float(match[2] or 1) or math.nan
        if math.isfinite(value):
            return value
    raise InvalidCell(f"{what} is {text[:40]!r}, which is not a finite number; correct it")


def is_stated(text: str | None) -> bool:
    """Tell a value from the signs for none, `?` and `.`."""
    return text is not None and text.strip() not in {"?", ".", ""}
