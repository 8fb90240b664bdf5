"""Bytes of a CIF -> text with line feeds, straight quotes and plain minus signs."""

import codecs
from contextlib import suppress

from cgxas.errors import UnreadableCrystal

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# What word processors make of quotes, minus signs and blanks.
_PLAIN = str.maketrans(
    {
        "\u2018": "'", "\u2019": "'", "\u201a": "'", "\u2032": "'", "\u00b4": "'",
        "\u201c": '"', "\u201d": '"', "\u201e": '"',
        "\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2013": "-", "\u2014": "-", "\u2212": "-",
        "\u00a0": " ", "\u2009": " ", "\u202f": " ", "\ufeff": "", "\x00": " ",
    }
)  # fmt: skip


def decoded(data: bytes, name: str) -> str:
    """Return the text of a file in UTF-8, UTF-16, UTF-32 or Latin-1.

    Args:
        data: of the file, unpacked.
        name: of the file, for messages.

    Raises:
        UnreadableCrystal: it is not a text.
    """
    text = data.decode("latin-1")
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            text = data[len(mark) :].decode(encoding, errors="replace")
            break
    else:
        with suppress(UnicodeDecodeError):  # else Latin-1, in which everything is a letter
            text = data.decode(_unmarked(data))
    if "\x00" in text[:1000]:
        raise UnreadableCrystal(f"{name} is not a text, as a CIF is; give the CIF itself")
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_PLAIN)


def _unmarked(data: bytes) -> str:
    """Tell UTF-16 without a mark by its zeros: CIF is written in Latin letters."""
    head = data[:1000]
    zeros = head[0::2].count(0), head[1::2].count(0)
    if zeros[1] > len(head) / 4 > zeros[0]:
        return "utf-16-le"
    return "utf-16-be" if zeros[0] > len(head) / 4 > zeros[1] else "utf-8"
